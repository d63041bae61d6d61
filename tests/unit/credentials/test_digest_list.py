"""Lists of digests: every bad line is named, and memory does not grow with the list."""

import io
import random
import tracemalloc

import pytest

from ledger.credentials import digest_list
from ledger.credentials.digest_list import DigestListError, check_digests, read_digests
from ledger.credentials.problems import MAX_PROBLEMS
from ledger.primitives import sha256

DIGESTS = [sha256(b"%d" % n) for n in range(3)]
HEX = [digest.hex() for digest in DIGESTS]


def problems_of(text: str | bytes) -> list[int]:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(DigestListError) as caught:
        check_digests(io.BytesIO(data))
    assert caught.value.code == "bad-digests"
    return [problem.line for problem in caught.value.problems]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(HEX),
        "\n".join(HEX) + "\n",
        "\r\n".join(HEX) + "\r\n",
        "\ufeff" + "\n".join(HEX) + "\r\n",
    ],
)
def test_a_list_is_read_in_its_order(text: str) -> None:
    file = io.BytesIO(text.encode())
    assert check_digests(file) == 3
    assert list(read_digests(file)) == DIGESTS


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [1]),
        ("\n", [1]),
        (f"{HEX[0]}\n\n{HEX[1]}\n", [2]),
        (f"{HEX[0]}\n{HEX[1].upper()}\n{HEX[2][1:]}\n0x{HEX[2]}\n", [2, 3, 4]),
        (f"{HEX[0]}  diploma.pdf\n", [1]),
        (f" {HEX[0]}\n{HEX[1]} \n", [1, 2]),
        (f"{HEX[0]}\r{HEX[1]}\r", [1]),
        (f"{HEX[0]}\r\r\n", [1]),
        (f"{HEX[0]}\n\ufeff{HEX[1]}\n", [2]),
        (f"{HEX[0]}\0\n", [1]),
        ("x" * 1_000_000 + f"\n{HEX[0]}\nx\n", [1, 3]),
        ("x" * 256 + f"\n{HEX[0]}\n", [1]),
        ("x" * 255 + f"\n{HEX[0]}\n", [1]),
        (HEX[0].encode("utf-16"), [1]),
        (b"\xff" * 64, [1]),
    ],
)
def test_every_bad_line_is_named(text: str | bytes, lines: list[int]) -> None:
    assert problems_of(text) == lines


def test_a_line_without_an_end_ends_the_reading() -> None:
    with open("/dev/zero", "rb") as endless, pytest.raises(DigestListError) as caught:  # noqa: PTH123
        check_digests(endless)
    assert "line 1: does not end" in caught.value.message


def test_what_is_no_text_is_shown_as_escapes() -> None:
    with pytest.raises(DigestListError) as caught:
        check_digests(io.BytesIO(b"\x1b[2J\xff\n"))
    assert r"line 1: not 64 lower-case hex digits: '\x1b[2J\\xff'" in caught.value.message


def test_reading_ends_after_enough_problems() -> None:
    assert len(problems_of("x\n" * (2 * MAX_PROBLEMS))) == MAX_PROBLEMS + 1


def test_a_list_beyond_the_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest_list, "MAX_DIGESTS", 2)
    assert problems_of("\n".join(HEX)) == [3]


def test_a_list_that_changed_meanwhile_is_noticed() -> None:
    file = io.BytesIO("\n".join(HEX).encode())
    check_digests(file)
    file.getbuffer()[70:71] = b"x"
    with pytest.raises(DigestListError):
        list(read_digests(file))


def test_memory_does_not_grow_with_the_list() -> None:
    file = io.BytesIO(b"\n".join(digest.hex().encode() for digest in DIGESTS * 20_000))
    tracemalloc.start()
    try:
        assert check_digests(file) == 60_000
        assert sum(1 for _ in read_digests(file)) == 60_000
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_garbage_gives_our_own_error_only() -> None:
    source = random.Random(8)
    for _ in range(500):
        with pytest.raises(DigestListError):
            check_digests(io.BytesIO(source.randbytes(source.randrange(400))))

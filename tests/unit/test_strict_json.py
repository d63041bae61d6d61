"""JSON that two readers could read differently is refused."""

import json
import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import strict_json
from ledger.errors import MalformedInputError

ROOMY = 10_000


def code_of(data: bytes, max_bytes: int = ROOMY) -> str:
    with pytest.raises(MalformedInputError) as raised:
        strict_json.parse(data, max_bytes=max_bytes)
    return raised.value.code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"a": 1, "a": 2}', "duplicate-member"),
        (b'{"a": 1, "\\u0061": 2}', "duplicate-member"),
        (b'[{"b": {"a": 1, "a": 1}}]', "duplicate-member"),
        (b"NaN", "not-a-number"),
        (b"[-Infinity]", "not-a-number"),
        (b"1e400", "not-a-number"),
        (b"9007199254740992", "integer-too-large"),
        (b"-9007199254740992", "integer-too-large"),
        (b"1" * 5000, "integer-too-large"),
        (b'"\\ud800"', "lone-surrogate"),
        (b'{"\\udc00": 1}', "lone-surrogate"),
        (b"\xff\xfe", "not-utf-8"),
        (b"\xed\xa0\x80", "not-utf-8"),
        (b"\xef\xbb\xbf{}", "not-json"),
        (b"", "not-json"),
        (b"{} {}", "not-json"),
        (b"[1,]", "not-json"),
        (b"'a'", "not-json"),
        (b"[" * 65 + b"]" * 65, "too-deep"),
        (b"[" * 5000 + b"]" * 5000, "too-deep"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "too-deep"),
    ],
)
def test_ambiguous_json_is_refused(data: bytes, code: str) -> None:
    assert code_of(data, max_bytes=100_000) == code


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_depth_is_refused_whatever_the_recursion_limit_is(opening: str) -> None:
    # web3's libraries raise the limit to 100,000; the parser would then overflow the stack.
    program = (
        "import sys\n"
        "from ledger import strict_json\n"
        "from ledger.errors import MalformedInputError\n"
        "sys.setrecursionlimit(1_000_000)\n"
        "try:\n"
        f"    strict_json.parse({opening!r}.encode() * 500_000, max_bytes=2**22)\n"
        "except MalformedInputError as error:\n"
        "    print(error.code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "too-deep\n")


@given(st.recursive(st.text('[]{}"\\\n\ue000'), lambda inner: st.lists(inner, max_size=2)))
def test_brackets_in_strings_are_not_depth(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        assert strict_json.parse(text.encode(), max_bytes=ROOMY) == value


def test_a_long_flat_document_is_not_deep() -> None:
    data = b"[" + b",".join([b'{"a": ["[[", "\\"]"]}'] * 500) + b"]"
    assert len(strict_json.parse(data, max_bytes=20_000)) == 500
    assert code_of(b"[" * 65) == "too-deep"
    assert code_of(b'"' + b"[" * 65 + b'"' + b"]") == "not-json"


def test_a_string_that_does_not_end_costs_no_more_than_its_length() -> None:
    # With the square of it, this would take hours.
    assert code_of(b'["' + b"[" * 65 + b'\\"' * 1_000_000, max_bytes=2**22) == "not-json"


def test_the_size_is_checked_before_anything_is_read() -> None:
    assert code_of(b"[" * 11, max_bytes=10) == "too-large"


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"9007199254740991", 2**53 - 1),
        (b'"\\ud83d\\ude00"', "\N{GRINNING FACE}"),
        ('"é"'.encode(), "é"),
        (b"[" * 64 + b"]" * 64, None),
        (b'{"a": [1.5, null, true]}', {"a": [1.5, None, True]}),
    ],
)
def test_good_json_is_read(data: bytes, value: object) -> None:
    parsed = strict_json.parse(data, max_bytes=ROOMY)
    assert value is None or parsed == value


@given(st.binary(max_size=200))
def test_garbage_raises_nothing_but_our_own_error(data: bytes) -> None:
    with suppress(MalformedInputError):
        strict_json.parse(data, max_bytes=ROOMY)

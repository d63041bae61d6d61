"""A second process does what the first would have done, and ends when the first does."""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest

from ledger import second_process
from ledger.credentials.problems import LineProblem, LinesError
from ledger.errors import ConflictError, LedgerError, LimitError, RootMismatchError
from ledger.merkle.tree import leaf_hash
from ledger.primitives import Hash32, hash32
from ledger.second_process import beside

FEW, MANY = second_process.LEAST - 1, second_process.LEAST
SECONDS = 60


@pytest.fixture(autouse=True)
def two_processors() -> Iterator[None]:
    with patch.object(os, "cpu_count", return_value=2):
        yield


@pytest.mark.parametrize("items", [FEW, MANY])
@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_answers_come_in_the_order_of_the_pages(items: int, count: int) -> None:
    pages = [Hash32(bytes([n]) * 32) for n in range(count)]
    with beside(leaf_hash, items=items) as mapped:
        assert list(mapped(pages)) == [leaf_hash(page) for page in pages]


def test_many_items_are_worked_on_elsewhere_and_few_are_not() -> None:
    with beside(eval, items=FEW) as mapped:
        assert list(mapped(["__import__('os').getpid()"])) == [os.getpid()]
    with beside(eval, items=MANY) as mapped:
        (other,) = mapped(["__import__('os').getpid()"])
    assert other != os.getpid()


def test_one_processor_does_all_in_one_process() -> None:
    with (
        patch.object(os, "cpu_count", return_value=1),
        patch.object(subprocess, "Popen", side_effect=AssertionError),
        beside(len, items=MANY) as mapped,
    ):
        assert list(mapped(["a", "bc"])) == [1, 2]


def test_a_page_is_made_while_the_one_before_is_worked_on_and_no_sooner() -> None:
    made: list[int] = []

    def pages() -> Iterator[str]:
        for n in range(5):
            made.append(n)
            yield str(n)

    with beside(int, items=MANY) as mapped:
        for answer in mapped(pages()):
            assert len(made) <= answer + 2
    assert made == list(range(5))


def test_pages_larger_than_a_pipe_go_both_ways() -> None:
    pages = [os.urandom(3 << 20) for _ in range(3)]
    with beside(bytes, items=MANY) as mapped:
        assert list(mapped(pages)) == pages


def test_what_the_work_raises_is_raised_here() -> None:
    with pytest.raises(LedgerError) as here:
        hash32("x")
    with pytest.raises(type(here.value)) as there, beside(hash32, items=MANY) as mapped:
        list(mapped(["00" * 32, "x", "11" * 32]))
    assert (there.value.code, there.value.message) == (here.value.code, here.value.message)


@pytest.mark.parametrize(
    "error",
    [
        ConflictError("a", "b"),
        LimitError("a", "b", retry_after_seconds=3),
        RootMismatchError(computed=b"1", anchored=b"2"),
        LinesError("a", "the roster", [LineProblem(3, "name", "is empty")]),
    ],
)
def test_every_error_passes_whole(error: LedgerError) -> None:
    passed = pickle.loads(pickle.dumps(error))  # noqa: S301 - made here
    assert type(passed) is type(error)
    assert (str(passed), vars(passed)) == (str(error), vars(error))


def test_a_killed_process_is_one_line() -> None:
    with (
        pytest.raises(ConflictError, match="run the same again") as caught,
        beside(eval, items=MANY) as mapped,
    ):
        list(mapped(["1", "__import__('os')._exit(9)", "2", "3"]))
    assert caught.value.code == "process-ended"


def test_the_process_has_ended_when_the_block_has() -> None:
    others: list[int] = []

    def stop(other: int) -> None:
        others.append(other)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), beside(eval, items=MANY) as mapped:
        list(map(stop, mapped(["__import__('os').getpid()", "b' ' * (8 << 20)", "1"])))
    with pytest.raises(ProcessLookupError):
        os.kill(others[0], 0)


def test_nothing_of_the_work_is_in_its_arguments_or_environment() -> None:
    secret = os.urandom(16).hex()
    seen = "[open(f'/proc/self/{name}', 'rb').read() for name in ('cmdline', 'environ')]"
    with beside(partial(eval, seen), items=MANY) as mapped:
        (read,) = mapped([{"secret": secret}])
    assert read[0]
    assert secret.encode() not in b"".join(read)


PARENT = """
import os, signal
from unittest.mock import patch
from ledger.second_process import LEAST, beside
with patch.object(os, "cpu_count", return_value=2), beside(eval, items=LEAST) as mapped:
    for _ in mapped(["1", "2", "3"]):
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_ends_when_the_first_process_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stderr=subprocess.PIPE, cwd=tmp_path, text=True
    )
    # The end of this pipe is reached when both have ended: both hold it.
    _, printed = parent.communicate(timeout=SECONDS)
    assert parent.returncode == -signal.SIGKILL
    assert printed == ""


def test_a_file_in_the_present_folder_is_no_module_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pickle.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    with beside(len, items=MANY) as mapped:
        assert list(mapped(["ab"])) == [2]

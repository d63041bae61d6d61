"""Half of the work done beside the other half, in a second process.

    here    makes page n + 1            stores page n            ...
    there            works on page n             works on page n + 1

Pages come back in their order, one at a time, and no more than three exist at once.

What the second process needs travels through a pipe to it, never in an argument or the
environment: a signing key may be in it. It ends when the pipe does, whatever end the first
one comes to, and the block does not end before it. It has no terminal: Ctrl-C reaches the
first alone. It loads what the work needs and no more.
"""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import IO, Any, Final, TypeVar

from ledger.errors import ConflictError

LEAST: Final = 10_000
"""Items for which it pays: a process takes as long to start as some thousand signatures."""

Page = TypeVar("Page")
Answer = TypeVar("Answer")


@contextmanager
def beside(
    work: Callable[[Page], Answer], *, items: int
) -> Iterator[Callable[[Iterable[Page]], Iterator[Answer]]]:
    """Give a `map` of `work` over pages that have so many items in all.

    It is done here when they are few, or when there is one processor. `work`, pages and
    answers can be pickled.

    Raises:
        LedgerError: whatever `work` raises.
        ConflictError: `process-ended`: somebody or something killed the second process.

    """
    if items < LEAST or os.cpu_count() == 1:
        yield partial(map, work)
        return
    # Without -P, a file in the present folder could pass for a module.
    command = [sys.executable, "-P", "-m", __name__]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdin and process.stdout  # noqa: S101, PT018 - they are pipes
    try:
        _send(process.stdin, work)
        yield partial(_one_ahead, process.stdin, process.stdout)
    finally:
        with suppress(BrokenPipeError):  # What it was not given any more.
            process.stdin.close()
        process.stdout.close()
        process.wait()


def _one_ahead(to: IO[bytes], back: IO[bytes], pages: Iterable[Page]) -> Iterator[Any]:
    is_busy = False
    for page in pages:
        answers = [_receive(back)] if is_busy else []
        _send(to, page)
        is_busy = True
        yield from answers
    if is_busy:
        yield _receive(back)


def _send(to: IO[bytes], item: object) -> None:
    with _still_there():
        pickle.dump(item, to, pickle.HIGHEST_PROTOCOL)
        to.flush()


def _receive(back: IO[bytes]) -> Any:  # noqa: ANN401 - what `work` returns
    with _still_there():
        answer, error = pickle.load(back)  # noqa: S301 - a process of ours wrote it
    if error is not None:
        raise error
    return answer


@contextmanager
def _still_there() -> Iterator[None]:
    try:
        yield
    except (EOFError, BrokenPipeError, pickle.UnpicklingError):
        raise ConflictError(
            "process-ended",
            "the process that did half of the work was ended: run the same again",
        ) from None


def _serve(source: IO[bytes], back: IO[bytes]) -> None:
    """Do the work for every page that comes, until no more can come."""
    work = pickle.load(source)  # noqa: S301 - the process that started this one wrote it
    while True:
        page = pickle.load(source)  # noqa: S301 - the same
        answer, error = None, None
        try:
            answer = work(page)
        except Exception as caught:  # noqa: BLE001 - it is raised over there
            error = caught
        pickle.dump((answer, error), back, pickle.HIGHEST_PROTOCOL)
        back.flush()


if __name__ == "__main__":
    # Who stops a service tells every process of it; when this one ends, the first one says.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with suppress(EOFError, BrokenPipeError, pickle.UnpicklingError):
        _serve(sys.stdin.buffer, sys.stdout.buffer)
    # The first process is gone or content; what is left in a buffer is for nobody.
    os._exit(0)

"""Do for many requests at once what costs little more than for one.

A thread, a transaction and the sync of its commit cost more than what a small request asks of
the database. So what arrives while others are being served waits until they are done, and is
then done in one go:

    nobody before it       begins at once, alone
    others before it       waits for them, then is done with all who wait as well
    the client goes away   is done all the same; nobody is told

A group begins after the last of it has asked: nobody is told what was true before. One group of
a kind runs at a time, so this is for what takes turns anyway.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final, Generic, TypeVar

from starlette.concurrency import run_in_threadpool

from ledger.database import Connection

MAX_TOGETHER: Final = 100
"""Items of one group, so that who comes next waits for no more."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Together(Generic[Item, Answer]):
    """One kind of thing to do, for the requests of one event loop."""

    def __init__(self, do: Callable[[Sequence[Item]], Sequence[Answer | Exception]]) -> None:
        """Let a thread `do` it: an answer for each item, or what to raise for it."""
        self._do = do
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._serving: asyncio.Task[None] | None = None

    async def ask(self, item: Item) -> Answer:
        """Have `item` done and return its answer.

        Raises:
            Exception: what `do` gave for this item, or raised.

        """
        asked: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, asked))
        if self._serving is None or self._serving.done():
            self._serving = asyncio.create_task(self._serve())
        return await asked

    async def _serve(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:MAX_TOGETHER], self._waiting[MAX_TOGETHER:]
            answers = await run_in_threadpool(self._answers, [item for item, _ in group])
            for (_, asked), answer in zip(group, answers, strict=True):
                if asked.done():
                    continue
                if isinstance(answer, Exception):
                    asked.set_exception(answer)
                else:
                    asked.set_result(answer)

    def _answers(self, items: Sequence[Item]) -> Sequence[Answer | Exception]:
        try:
            return self._do(items)
        except Exception as error:  # noqa: BLE001 - raised again, for each who asked
            return [error] * len(items)


def do_together(
    begin: Callable[[], AbstractContextManager[Connection]],
    jobs: Sequence[Callable[[Connection], Answer]],
) -> list[Answer | Exception]:
    """Do all of `jobs` in one transaction and return their answers, all of them durable.

    When one fails, nothing of the transaction stays and each is done in a transaction of its
    own: so a job may run twice, and must make anew what it returns. A process that dies before
    the commit has done nothing and answered nobody; after it, who asks again under the same
    idempotency key finds the answer.

    Raises:
        StorageError, ConflictError, DeniedError, NotFoundError: as `begin`, which is `read` or
            `write` of a database; the transaction could not begin, or not be committed.
        Exception: the only job failed.

    """
    answers: list[Answer | Exception] = []
    begun = False
    try:
        with begin() as tx:
            begun = True
            for job in jobs:
                answers.append(job(tx))  # noqa: PERF401 - how many there are says which failed
    except Exception:
        if not begun or len(jobs) == 1 or len(answers) == len(jobs):
            raise
        return [_do_alone(begin, job) for job in jobs]
    return answers


def _do_alone(
    begin: Callable[[], AbstractContextManager[Connection]], job: Callable[[Connection], Answer]
) -> Answer | Exception:
    try:
        with begin() as tx:
            return job(tx)
    except Exception as error:  # noqa: BLE001 - raised again, for the one who asked
        return error

"""Requests that wait are done together: each gets its own answer, and no fault is another's."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger.database import Connection, Database
from ledger.errors import ConflictError
from ledger.web import together
from ledger.web.together import Together, do_together


class Gate:
    """Squares numbers, in groups; the first group waits until it is let go."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.groups: list[list[int]] = []

    def __call__(self, items: Sequence[int]) -> list[int | Exception]:
        self.groups.append(list(items))
        assert self.open.wait(30)
        return [item**2 if item >= 0 else ConflictError("negative", "no") for item in items]


async def ask_all(gate: Gate, numbers: Sequence[int]) -> list[int | BaseException]:
    """Ask for the first number, and for the others while it is being answered."""
    work = Together(gate)
    asked = [asyncio.create_task(work.ask(numbers[0]))]
    while not gate.groups:
        await asyncio.sleep(0)
    asked += [asyncio.create_task(work.ask(number)) for number in numbers[1:]]
    await asyncio.sleep(0)
    gate.open.set()
    return await asyncio.gather(*asked, return_exceptions=True)


def test_who_waits_is_done_together_and_gets_his_own_answer() -> None:
    gate = Gate()
    assert asyncio.run(ask_all(gate, [5, 2, 3, 4])) == [25, 4, 9, 16]
    assert gate.groups == [[5], [2, 3, 4]]


def test_one_error_is_one_requests() -> None:
    first, second, third = asyncio.run(ask_all(Gate(), [5, -1, 3]))
    assert (first, third) == (25, 9)
    assert isinstance(second, ConflictError)


def test_a_group_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "MAX_TOGETHER", 2)
    gate = Gate()
    asyncio.run(ask_all(gate, [1, 2, 3, 4]))
    assert gate.groups == [[1], [2, 3], [4]]


def test_what_breaks_is_told_to_all_who_asked_and_the_next_are_served() -> None:
    async def ask() -> int:
        def do(items: Sequence[int]) -> list[int | Exception]:
            if 0 in items:
                raise ZeroDivisionError
            return list(items)

        work = Together(do)
        with pytest.raises(ZeroDivisionError):
            await work.ask(0)
        return await work.ask(1)

    assert asyncio.run(ask()) == 1


def test_a_client_that_goes_away_takes_nobody_with_it() -> None:
    async def ask() -> list[int]:
        gate = Gate()
        work = Together(gate)
        gone = asyncio.create_task(work.ask(1))
        while not gate.groups:
            await asyncio.sleep(0)
        stays = asyncio.create_task(work.ask(2))
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        gate.open.set()
        return [await stays, *(number for group in gate.groups for number in group)]

    assert asyncio.run(ask()) == [4, 1, 2]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path / 'some.db'}")
    with database.write() as tx:
        tx.exec_driver_sql("CREATE TABLE said (what TEXT PRIMARY KEY)")
    return database


def saying(what: str) -> Callable[[Connection], str]:
    def job(tx: Connection) -> str:
        tx.execute(sa.text("INSERT INTO said VALUES (:what)"), {"what": what})
        return what

    return job


def said(database: Database) -> list[str]:
    with database.read() as tx:
        return list(tx.exec_driver_sql("SELECT what FROM said ORDER BY rowid").scalars())


def test_jobs_share_one_commit(database: Database) -> None:
    commits: list[object] = []
    sa.event.listen(database.engine, "commit", commits.append)
    assert do_together(database.write, [saying("a"), saying("b")]) == ["a", "b"]
    assert len(commits) == 1
    assert said(database) == ["a", "b"]
    database.close()


def test_a_job_that_fails_undoes_no_other(database: Database) -> None:
    def fails(_tx: Connection) -> str:
        raise ConflictError("no", "no")

    first, second, third = do_together(database.write, [saying("a"), fails, saying("b")])
    assert (first, third) == ("a", "b")
    assert isinstance(second, ConflictError)
    assert said(database) == ["a", "b"]
    database.close()


def test_a_job_that_fails_alone_is_done_once(database: Database) -> None:
    tried: list[int] = []

    def fails(_tx: Connection) -> str:
        tried.append(1)
        raise ConflictError("no", "no")

    with pytest.raises(ConflictError):
        do_together(database.write, [fails])
    assert tried == [1]
    database.close()


def test_nothing_is_answered_that_could_not_be_committed(database: Database) -> None:
    def refuse(_connection: sa.Connection) -> None:
        raise ConflictError("full", "no room")

    sa.event.listen(database.engine, "commit", refuse)
    with pytest.raises(ConflictError):
        do_together(database.write, [saying("a"), saying("b")])
    sa.event.remove(database.engine, "commit", refuse)
    assert said(database) == []
    database.close()

"""A batch is one worker's at a time, until the lease is given back or runs out."""

import pytest

from ledger.batches import sealing, store
from ledger.batches.status import BatchStatus
from ledger.database import Database

from .conftest import ISSUER
from .test_sealing import accept
from .test_side_by_side import together

SEALED = [BatchStatus.SEALED]


@pytest.fixture
def batches(database: Database) -> list[int]:
    ids = []
    for number in range(6):
        accept(database, 1, start=number)
        batch = sealing.seal(database, ISSUER, now=number)
        assert batch is not None
        ids.append(batch.id)
    return ids


def lease(database: Database, owner: str, now: int, seconds: int = 60) -> int | None:
    with database.write() as tx:
        return store.lease_next(tx, SEALED, owner=owner, now=now, seconds=seconds)


def end(database: Database, batch: int, owner: str, now: int) -> bool:
    with database.write() as tx:
        return store.end_lease(tx, batch, owner=owner, now=now)


def test_a_batch_is_leased_once_until_the_lease_runs_out(
    database: Database, batches: list[int]
) -> None:
    taken = [lease(database, "a", now=100) for _ in batches]
    assert taken == batches
    assert lease(database, "b", now=159) is None
    assert lease(database, "b", now=160) == batches[0]


def test_a_batch_given_back_comes_after_those_nobody_looked_at(
    database: Database, batches: list[int]
) -> None:
    assert lease(database, "a", now=100) == batches[0]
    assert end(database, batches[0], "a", now=101)
    assert lease(database, "a", now=101) == batches[1]
    assert end(database, batches[1], "a", now=102)
    rest = [lease(database, "b", now=110) for _ in batches]
    assert rest == [*batches[2:], batches[0], batches[1]]


def test_who_lost_a_lease_cannot_end_that_of_another(
    database: Database, batches: list[int]
) -> None:
    assert lease(database, "slow", now=100, seconds=10) == batches[0]
    others = [lease(database, "quick", now=110) for _ in batches]
    assert batches[0] in others
    assert not end(database, batches[0], "slow", now=111)
    assert end(database, batches[0], "quick", now=111)


def test_only_batches_of_the_wanted_statuses_are_leased(
    database: Database, batches: list[int]
) -> None:
    with database.write() as tx:
        wanted = [BatchStatus.SUBMITTED, BatchStatus.CONFIRMED]
        assert store.lease_next(tx, wanted, owner="a", now=1, seconds=1) is None
    assert lease(database, "a", now=1) == batches[0]


def test_workers_at_once_share_the_batches(database: Database, batches: list[int]) -> None:
    def work(owner: str) -> list[int]:
        taken = []
        while (batch := lease(database, owner, now=100)) is not None:
            taken.append(batch)
        return taken

    shares = together(*(lambda name=name: work(name) for name in "abcd"))
    assert sorted(batch for share in shares for batch in share) == batches


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_batch_that_another_is_leasing_is_skipped_and_not_waited_for(
    database: Database, batches: list[int]
) -> None:
    with database.write() as one, database.write() as other:
        first = store.lease_next(one, SEALED, owner="a", now=1, seconds=1)
        second = store.lease_next(other, SEALED, owner="b", now=1, seconds=1)
    assert [first, second] == batches[:2]

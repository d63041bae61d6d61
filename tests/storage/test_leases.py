"""A batch is one worker's to submit or to deliver, until it moves or the lease runs out."""

import pytest

from ledger.batches import sealing, store
from ledger.batches.status import BatchStatus
from ledger.database import Database

from .conftest import ISSUER
from .test_sealing import accept
from .test_side_by_side import together

FINAL = BatchStatus.FINAL


@pytest.fixture
def batches(database: Database) -> list[int]:
    """Six final batches whose badges nobody has written."""
    ids = []
    for number in range(6):
        accept(database, 1, start=number)
        batch = sealing.seal(database, ISSUER, now=number)
        assert batch is not None
        ids.append(batch.id)
    with database.write() as tx:
        tx.execute(store.batches.update().values(status=BatchStatus.FINAL))
    return ids


def lease(database: Database, now: int, seconds: int = 60) -> int | None:
    with database.write() as tx:
        batch = store.lease_next(tx, ISSUER, FINAL, now=now, seconds=seconds)
    return batch.id if batch else None


def test_a_batch_is_leased_once_until_the_lease_runs_out(
    database: Database, batches: list[int]
) -> None:
    assert [lease(database, now=100) for _ in batches] == batches
    assert lease(database, now=159) is None
    assert lease(database, now=160) == batches[0]


def test_what_is_delivered_or_not_final_is_not_leased(
    database: Database, batches: list[int]
) -> None:
    with database.write() as tx:
        store.mark_delivered(tx, batches[0], now=1)
        tx.execute(
            store.batches.update()
            .where(store.batches.c.id == batches[1])
            .values(status=BatchStatus.CONFIRMED)
        )
        assert store.lease_next(tx, ISSUER + 1, FINAL, now=1, seconds=1) is None
        assert store.lease_next(tx, ISSUER, BatchStatus.CONFIRMED, now=1, seconds=1) is None
    assert lease(database, now=100) == batches[2]


def test_a_lease_ends_when_the_batch_moves(database: Database, batches: list[int]) -> None:
    with database.write() as tx:
        tx.execute(store.batches.update().values(status=BatchStatus.SEALED))
        leased = store.lease_next(tx, ISSUER, BatchStatus.SEALED, now=100, seconds=60)
        assert leased is not None
        assert leased.id == batches[0]
        store.move_batch(tx, leased, BatchStatus.CONFIRMED, now=101)
        store.move_batch(tx, store.get_batch(tx, leased.id), FINAL, now=102)
    assert lease(database, now=103) == batches[0]


def test_a_lease_from_before_the_clock_was_set_back_binds_nobody(
    database: Database, batches: list[int]
) -> None:
    assert lease(database, now=10_000) == batches[0]
    assert lease(database, now=6_400) == batches[0]
    assert lease(database, now=6_401) == batches[1]


def test_workers_at_once_share_the_batches(database: Database, batches: list[int]) -> None:
    def work() -> list[int]:
        taken = []
        while (batch := lease(database, now=100)) is not None:
            taken.append(batch)
        return taken

    shares = together(work, work, work, work)
    assert sorted(batch for share in shares for batch in share) == batches


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_batch_that_another_is_leasing_is_skipped_and_not_waited_for(
    database: Database, batches: list[int]
) -> None:
    with database.write() as one, database.write() as other:
        first = store.lease_next(one, ISSUER, FINAL, now=1, seconds=1)
        second = store.lease_next(other, ISSUER, FINAL, now=1, seconds=1)
    assert first is not None
    assert second is not None
    assert [first.id, second.id] == batches[:2]

"""Badges of a batch are one worker's to write, until the lease runs out."""

import pytest

from ledger.batches import sealing, store
from ledger.batches.status import BatchStatus
from ledger.database import Database

from .conftest import ISSUER
from .test_sealing import accept
from .test_side_by_side import together


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
        batch = store.lease_undelivered(tx, ISSUER, now=now, seconds=seconds)
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
        assert store.lease_undelivered(tx, ISSUER + 1, now=1, seconds=1) is None
    assert lease(database, now=100) == batches[2]


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
        first = store.lease_undelivered(one, ISSUER, now=1, seconds=1)
        second = store.lease_undelivered(other, ISSUER, now=1, seconds=1)
    assert first is not None
    assert second is not None
    assert [first.id, second.id] == batches[:2]

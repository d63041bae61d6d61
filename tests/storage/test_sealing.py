"""Sealing puts every waiting credential in exactly one batch, whatever happens."""

import hashlib
import tracemalloc
import uuid
from types import ModuleType
from unittest.mock import patch

import pytest
import sqlalchemy as sa

from ledger.batches import sealing, store
from ledger.batches.delivery import ProofWriter
from ledger.batches.status import BatchStatus
from ledger.batches.trees import store as trees
from ledger.credentials.store import (
    NewCredential,
    add_credentials,
    count_waiting,
    find_credential,
    read_batch,
)
from ledger.database import Database
from ledger.merkle import inclusion, tiles, tree
from ledger.merkle.tree import leaf_hash, root_of
from ledger.primitives import Address, Canonicalization, Hash32, Home, sha256

from .conftest import ISSUER

HOME = Home(31337, Address(bytes(range(20))), ISSUER)


class Crash(BaseException):
    """Stands for `kill -9`: not an Exception, so no handler can tidy up."""


def accept(database: Database, count: int, start: int = 0) -> list[Hash32]:
    digests = [sha256(b"%d" % number) for number in range(start, start + count)]
    with database.write() as tx:
        add_credentials(
            tx,
            ISSUER,
            [
                NewCredential(str(uuid.uuid4()), digest, Canonicalization.NONE, None, None)
                for digest in digests
            ],
            now=1,
        )
    return digests


def test_nothing_waiting_seals_nothing(database: Database) -> None:
    assert sealing.seal(database, ISSUER, now=2) is None
    with database.read() as tx:
        assert store.list_batches(tx, ISSUER) == []


@pytest.mark.parametrize("count", [1, 2, 255, 256, 257, 1000, 1001, 2500])
def test_a_batch_has_every_waiting_digest_in_the_order_of_acceptance(
    database: Database, count: int
) -> None:
    digests = accept(database, count)
    batch = sealing.seal(database, ISSUER, now=2)
    assert batch is not None
    assert batch.size == count
    assert batch.status is BatchStatus.SEALED
    assert batch.root == root_of(map(leaf_hash, digests))
    with database.read() as tx:
        assert [row.digest for row in read_batch(tx, batch.id)] == digests
        assert count_waiting(tx, ISSUER) == 0


def test_every_proof_of_a_batch_leads_to_its_root(database: Database) -> None:
    accept(database, 1_300)
    batch = sealing.seal(database, ISSUER, now=2)
    assert batch is not None
    with database.read() as tx:
        proofs = ProofWriter(tx, batch, HOME)
        for row in read_batch(tx, batch.id):
            proof = proofs.proof(row)
            inclusion.verify(
                leaf_hash(row.digest), proof.inclusion, size=batch.size, anchored=batch.root
            )


def test_the_proof_of_one_leaf_reads_at_most_two_rows_of_a_thousand_tiles(
    database: Database,
) -> None:
    accept(database, 2_000)
    batch = sealing.seal(database, ISSUER, now=2)
    assert batch is not None
    with database.read() as tx:
        *_, last = read_batch(tx, batch.id)
        with patch.object(trees, "read_tile", wraps=trees.read_tile) as reads:
            ProofWriter(tx, batch, HOME).proof(last)
    assert reads.call_count == 2


def test_what_is_sealed_is_not_sealed_again(database: Database) -> None:
    accept(database, 5)
    first = sealing.seal(database, ISSUER, now=2)
    accept(database, 3, start=5)
    second = sealing.seal(database, ISSUER, now=3)
    assert first is not None
    assert second is not None
    assert (first.size, second.size) == (5, 3)


SEALING: list[tuple[ModuleType, str]] = [
    (store, "add_batch"),
    (trees, "add_tile"),
    (store, "set_root"),
    (store, "get_batch"),
]


@pytest.mark.parametrize(("owner", "step"), SEALING, ids=[step for _, step in SEALING])
def test_a_crash_while_sealing_seals_nothing(
    database: Database, owner: ModuleType, step: str
) -> None:
    digests = accept(database, 600)
    with patch.object(owner, step, side_effect=Crash), pytest.raises(Crash):
        sealing.seal(database, ISSUER, now=2)
    with database.read() as tx:
        assert count_waiting(tx, ISSUER) == 600
        assert store.list_batches(tx, ISSUER) == []
        assert tx.execute(sa.select(sa.func.count()).select_from(trees.tiles)).scalar_one() == 0
    batch = sealing.seal(database, ISSUER, now=3)
    assert batch is not None
    assert batch.root == root_of(map(leaf_hash, digests))


def test_sealing_hashes_every_leaf_and_every_node_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept(database, 2_500)
    hashed: list[int] = []

    def counted(data: bytes) -> "hashlib._Hash":
        hashed.append(len(data))
        return hashlib.sha256(data)

    monkeypatch.setattr(tree, "_sha256", counted)
    monkeypatch.setattr(tree, "sha256", lambda data: counted(data).digest())
    tiles._levels_within.cache_clear()
    sealing.seal(database, ISSUER, now=2)
    assert hashed.count(33) == 2_500
    assert hashed.count(65) == 2_499
    assert len(hashed) == 2 * 2_500 - 1


def test_sealing_ten_times_as_much_takes_no_more_memory(database: Database) -> None:
    peaks = []
    # The first warms what is kept for good.
    for count, start in ((2_000, 10**6), (2_000, 0), (20_000, 10_000)):
        accept(database, count, start)
        tracemalloc.start()
        sealing.seal(database, ISSUER, now=2)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < 1.5 * peaks[1]


def test_one_issuer_has_one_row_for_a_digest(database: Database) -> None:
    accept(database, 1)
    with pytest.raises(sa.exc.IntegrityError):
        accept(database, 1)


def test_a_credential_is_found_by_its_public_id_alone(database: Database) -> None:
    with database.read() as tx:
        assert find_credential(tx, "no-such-id") is None

"""What is damaged is named, exactly that, and nothing is changed."""

import uuid

import pytest
import sqlalchemy as sa

from ledger.batches import sealing
from ledger.batches import store as batch_store
from ledger.batches.fsck.finding import Finding
from ledger.batches.fsck.stored import check_database
from ledger.batches.store import Batch
from ledger.batches.trees import store as trees
from ledger.chain import store as chain_store
from ledger.chain.nonces import store as nonces
from ledger.chain.store import Purpose
from ledger.credentials.store import NewCredential, add_credentials, credentials, read_batch
from ledger.database import Database
from ledger.merkle.tiles import Tile, TileBuilder
from ledger.merkle.tree import leaf_hash
from ledger.primitives import Address, Canonicalization, Hash32, keccak256, sha256

from .conftest import ISSUER

SIZE = 600
KEY = Address(bytes(range(20)))


@pytest.fixture
def batch(database: Database) -> Batch:
    """A batch of documents, and some that wait."""
    for count, start in ((SIZE, 0), (30, SIZE)):
        documents = [b'{"number": %d}' % number for number in range(start, start + count)]
        with database.write() as tx:
            add_credentials(
                tx,
                ISSUER,
                [
                    NewCredential(
                        str(uuid.UUID(int=start + number)),
                        sha256(document),
                        Canonicalization.RFC8785,
                        sha256(b"row" + document),
                        document,
                    )
                    for number, document in enumerate(documents)
                ],
                now=1,
            )
        if start == 0:
            sealing.seal(database, ISSUER, now=2)
    with database.read() as tx:
        (batch,) = batch_store.read_batches(tx)
    return batch


def findings(database: Database) -> list[Finding]:
    with database.read() as tx:
        return list(check_database(tx))


def found(database: Database) -> list[tuple[str, str]]:
    return [(finding.code, finding.subject) for finding in findings(database)]


def change(
    database: Database, table: sa.Table, condition: sa.ColumnElement[bool], **to: object
) -> None:
    with database.write() as tx:
        assert tx.execute(sa.update(table).where(condition).values(**to)).rowcount == 1


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_what_is_whole_has_no_finding(database: Database, batch: Batch) -> None:
    assert batch.size == SIZE
    assert findings(database) == []


def test_an_empty_installation_has_no_finding(database: Database) -> None:
    assert findings(database) == []


@pytest.mark.parametrize("index", [0, 255, 599])
def test_a_changed_byte_of_a_document_names_its_credential(
    database: Database, batch: Batch, index: int
) -> None:
    with database.read() as tx:
        stored = next(row for row in read_batch(tx, batch.id) if row.leaf_index == index)
    assert stored.document is not None
    change(
        database,
        credentials,
        credentials.c.id == stored.id,
        document=flipped(stored.document, 3),
    )
    assert found(database) == [("digest", f"credential {stored.public_id}")]


@pytest.mark.parametrize(
    ("level", "number", "at"), [(0, 0, 0), (0, 1, 8191), (0, 2, 5), (1, 0, 40)]
)
def test_a_changed_byte_of_a_tile_names_the_tile(
    database: Database, batch: Batch, level: int, number: int, at: int
) -> None:
    with database.read() as tx:
        hashes = trees.read_tile(tx, batch.id, level, number)
    tiles = trees.tiles
    there = sa.and_(tiles.c.level == level, tiles.c.number == number)
    change(database, tiles, there, hashes=flipped(hashes, at))
    (finding,) = findings(database)
    assert finding.code == "tile"
    assert finding.subject == f"batch {batch.id} tile {level}/{number}"
    assert f"node {number * 256 + at // 32} " in finding.message


def test_a_tile_cut_short_missing_or_too_much_is_named(database: Database, batch: Batch) -> None:
    tiles = trees.tiles
    change(database, tiles, sa.and_(tiles.c.level == 0, tiles.c.number == 2), hashes=b"short")
    with database.write() as tx:
        tx.execute(sa.delete(tiles).where(tiles.c.level == 0, tiles.c.number == 1))
    assert found(database) == [
        ("tile", f"batch {batch.id} tile 0/1"),
        ("tile", f"batch {batch.id} tile 0/2"),
    ]
    with database.write() as tx:
        for number in (1, 9):
            trees.add_tile(tx, batch.id, 2, number, bytes(32))
    assert ("tile", f"batch {batch.id}") in found(database)


def test_a_leaf_index_that_jumps_is_named_once(database: Database, batch: Batch) -> None:
    change(
        database,
        credentials,
        sa.and_(credentials.c.batch_id == batch.id, credentials.c.leaf_index == 300),
        leaf_index=SIZE + 5,
    )
    (finding,) = findings(database)
    assert (finding.code, finding.subject) == ("leaf-index", f"batch {batch.id}")
    assert "300" in finding.message


def test_a_changed_root_and_size_are_named(database: Database, batch: Batch) -> None:
    batches = batch_store.batches
    change(database, batches, batches.c.id == batch.id, root=flipped(batch.root, 31))
    assert found(database) == [("root", f"batch {batch.id}")]
    change(database, batches, batches.c.id == batch.id, root=batch.root, size=SIZE - 1)
    assert found(database) == [("size", f"batch {batch.id}")]


def test_a_credential_that_left_its_batch_is_named(database: Database, batch: Batch) -> None:
    last = sa.and_(credentials.c.batch_id == batch.id, credentials.c.leaf_index == SIZE - 1)
    change(database, credentials, last, batch_id=None)
    codes = found(database)
    assert ("placement", f"credential {uuid.UUID(int=SIZE - 1)}") in codes
    assert ("size", f"batch {batch.id}") in codes


def test_extra_leaves_belong_to_the_tree(database: Database, batch: Batch) -> None:
    extra = sha256(b"extra")
    made: list[Tile] = []
    builder = TileBuilder(made.append)
    with database.write() as tx:
        for row in read_batch(tx, batch.id):
            builder.add(leaf_hash(row.digest))
        builder.add(leaf_hash(extra))
        trees.drop_tiles(tx, batch.id)
        batch_store.add_extra_leaves(tx, batch, extra)
        batch_store.set_root(tx, batch.id, builder.finish(), SIZE + 1)
        for tile in made:
            trees.add_tile(tx, batch.id, tile.level, tile.number, tile.hashes)
    assert findings(database) == []


@pytest.mark.parametrize("status", ["submitted", "confirmed", "final", "held"])
def test_a_status_without_its_grounds_is_named(
    database: Database, batch: Batch, status: str
) -> None:
    batches = batch_store.batches
    change(database, batches, batches.c.id == batch.id, status=status)
    assert found(database) == [("grounds", f"batch {batch.id}")]


def sign(database: Database, nonce: int, next_nonce: int) -> Hash32:
    raw = b"signed %d" % nonce
    with database.write() as tx:
        nonces.add_sender(tx, KEY, nonce=0)
        nonces.set_next_nonce(tx, KEY, next_nonce)
        chain_store.add_transaction(
            tx,
            purpose=Purpose.STATUS,
            sender=KEY,
            nonce=nonce,
            transaction_hash=keccak256(raw),
            raw=raw,
            now=3,
        )
    return keccak256(raw)


def test_gaps_between_and_after_nonces_are_named(database: Database) -> None:
    for nonce in (5, 6, 9):
        sign(database, nonce, nonce + 1)
    sign(database, 10, 13)
    gaps = findings(database)
    assert [finding.code for finding in gaps] == ["nonce-gap", "nonce-gap"]
    assert "nonces 7 to 8 " in gaps[0].message
    assert "nonces 11 to 12 " in gaps[1].message


def test_a_gap_that_was_accepted_is_no_finding(database: Database) -> None:
    sign(database, 5, 6)
    with database.write() as tx:
        nonces.accept_nonce(tx, KEY, 9)
    assert findings(database) == []
    sign(database, 9, 10)
    sign(database, 11, 12)
    (gap,) = findings(database)
    assert "nonces 10 to 10 " in gap.message


def test_a_nonce_that_would_be_given_out_again_is_named(database: Database) -> None:
    sign(database, 7, 5)
    assert [finding.code for finding in findings(database)] == ["nonce-again"]


def test_changed_signed_bytes_are_named(database: Database) -> None:
    signed = sign(database, 0, 1)
    change(database, chain_store.attempts, chain_store.attempts.c.hash == signed, raw=b"other")
    assert found(database) == [("signed-bytes", f"transaction 0x{signed.hex()}")]


def test_more_transactions_than_a_page_are_all_looked_at(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.batches.fsck.stored.NONCE_PAGE", 2)
    for nonce in range(7):
        sign(database, nonce, nonce + 1)
    assert findings(database) == []


def test_the_check_writes_nothing(database: Database, batch: Batch) -> None:
    """On PostgreSQL the server refuses it; here every row is compared."""

    def rows() -> list[object]:
        with database.read() as tx:
            return [
                list(tx.execute(sa.select(table).order_by(*table.primary_key)))
                for table in (credentials, batch_store.batches, trees.tiles)
            ]

    before = rows()
    findings(database)
    assert rows() == before
    assert batch.size == SIZE

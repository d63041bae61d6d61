"""A database that agrees with the chain has no findings, and each way to differ has its own."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from ledger.audit.findings import FindingCode
from ledger.audit.reconcile import Comparison, Reconciliation
from ledger.batches import sealing, store
from ledger.batches.status_changes.store import add_status_changes
from ledger.batches.store import Batch
from ledger.chain import store as chain_store
from ledger.chain.nonces import store as nonces
from ledger.chain.store import Inclusion, Outcome, Purpose
from ledger.credentials.store import NewCredential, add_credentials, credentials, read_batch
from ledger.database import Database
from ledger.primitives import Address, Canonicalization, Hash32, sha256
from tests.unit.audit_history import KEY, OWNER, ROOT, Emitter, replayed

from .conftest import ISSUER, counted

SIZE = 300
FINAL_BLOCK = 1_000


@dataclass
class Books:
    """One issuer's database, and the chain that it should agree with."""

    database: Database
    emitter: Emitter
    batch: Batch

    def sign(self, purpose: Purpose, transaction: Hash32, block: int | None = 5) -> int:
        """Note a transaction in the database, final unless it has no block."""
        with self.database.write() as tx:
            sender = KEY if purpose is not Purpose.REGISTER else OWNER
            nonce = nonces.take_nonce(tx, sender, chain_nonce=0)
            row = chain_store.add_transaction(
                tx,
                purpose=purpose,
                sender=sender,
                nonce=nonce,
                transaction_hash=transaction,
                raw=b"signed",
                now=10,
            )
            if block is not None:
                inclusion = Inclusion(
                    hash=transaction,
                    outcome=Outcome.DONE,
                    block_number=block,
                    block_hash=sha256(b"block"),
                    gas_used=50_000,
                    gas_price_wei=10**18,
                )
                chain_store.record_inclusion(tx, row, inclusion, is_final=True)
        return row

    def change(self, action: str, indexes: range, block: int | None = 5) -> None:
        """Note in the database that the status of some credentials was changed."""
        row = self.sign(Purpose.STATUS, sha256(f"{action} {indexes} {block}".encode()), block)
        with self.database.write() as tx:
            rows = [c.id for c in read_batch(tx, self.batch.id) if c.leaf_index in indexes]
            add_status_changes(tx, rows, action=action, reason=1, transaction_id=row)

    def emit(self, name: str, *members: int | bytes) -> None:
        self.emitter.emit(name, ISSUER, *members)

    def compare(self) -> Reconciliation:
        replay = replayed(self.emitter.logs, self.emitter.heads)
        assert replay.findings == []
        return Comparison(self.database).compare(replay.world, FINAL_BLOCK)

    def codes(self) -> list[FindingCode]:
        return [finding.code for finding in self.compare().findings]


@pytest.fixture
def books(database: Database) -> Books:
    """A batch of 300, anchored, on chain and in the database."""
    emitter = Emitter()
    for did in ("did:example:1", "did:example:2", "did:example:a"):
        emitter.register(did)
    with database.write() as tx:
        new = [
            NewCredential(str(uuid.uuid4()), sha256(b"%d" % n), Canonicalization.NONE, None, None)
            for n in range(SIZE)
        ]
        add_credentials(tx, ISSUER, new, now=1)
    batch = sealing.seal(database, ISSUER, now=2)
    assert batch is not None
    books = Books(database, emitter, batch)
    books.emit("OperatorSet", KEY, 3)
    books.emit("Anchored", batch.root, KEY, batch.size)
    for log in emitter.logs[-6:-1]:
        if log.log_index == 0 and log.topics[1] == ISSUER.to_bytes(32, "big"):
            books.sign(Purpose.OPERATOR, log.transaction)
    anchoring = books.sign(Purpose.ANCHOR, emitter.logs[-1].transaction)
    with database.write() as tx:
        store.submit_batch(tx, batch.id, anchoring, root=batch.root, now=10)
    return books


def test_what_agrees_has_no_finding_and_its_sums(books: Books) -> None:
    books.emit("Revoked", books.batch.root, 0, KEY, 0b1110, 1)
    books.change("revoke", range(1, 4))
    books.emit("Suspended", books.batch.root, 1, KEY, 0b11, 6)
    books.change("suspend", range(256, 258))
    books.emit("Reinstated", books.batch.root, 1, KEY, 0b10, 0)
    books.change("reinstate", range(257, 258))
    result = books.compare()
    assert result.findings == []
    assert (result.issuers, result.batches, result.leaves, result.status_changes) == (1, 1, 300, 6)
    (times,) = result.times
    assert (times.size, times.sealed_at, times.submitted_at, times.gas) == (300, 2, 10, 50_000)
    spent = {s.purpose: (s.transactions, s.gas, s.fees_wei) for s in result.spending}
    # More wei than a 64-bit integer holds.
    assert spent["status"] == (3, 150_000, 150_000 * 10**18)


def test_a_watch_compares_only_what_is_new(books: Books) -> None:
    """A round without news costs one statement; leaves are read once."""
    comparison = Comparison(books.database)

    def look(block: int = FINAL_BLOCK) -> tuple[list[str], Reconciliation]:
        world = replayed(books.emitter.logs, books.emitter.heads).world
        with counted(books.database) as sent:
            found = comparison.compare(world, block)
        return [statement for statement in sent if "SELECT" in statement], found

    def leaves_read(asked: list[str]) -> int:
        return sum("credentials.digest" in statement for statement in asked)

    asked, first = look()
    assert (leaves_read(asked), first.leaves, first.findings) == (1, SIZE, [])
    asked, again = look(FINAL_BLOCK + 1)
    assert len(asked) == 1
    assert again is first
    books.emit("Revoked", books.batch.root, 0, KEY, 0b1110, 1)
    asked, robbed = look()
    assert leaves_read(asked) == 0
    assert [found.code for found in robbed.findings] == [FindingCode.STATUS_UNKNOWN]
    assert robbed.leaves == SIZE
    books.change("revoke", range(1, 4))
    asked, settled = look()
    assert len(asked) > 1
    assert (leaves_read(asked), settled.findings, settled.status_changes) == (0, [], 3)


def test_a_root_that_nobody_in_the_database_anchored(books: Books) -> None:
    books.emit("Anchored", ROOT, KEY, 4)
    (found,) = books.compare().findings
    assert found.code is FindingCode.ANCHOR_UNKNOWN
    assert "stolen" in found.message
    assert found.place.issuer == ISSUER


def test_a_sealed_batch_that_somebody_else_anchored(books: Books) -> None:
    with books.database.write() as tx:
        tx.execute(sa.update(store.batches).values(transaction_id=None, status="sealed"))
    # It was signed here once, and may have been anchored since.
    assert books.codes() == []
    with books.database.write() as tx:
        tx.execute(sa.delete(store.anchorings))
    assert books.codes() == [FindingCode.ANCHOR_UNKNOWN]


def test_a_batch_that_is_final_for_the_database_alone(books: Books) -> None:
    del books.emitter.logs[-1]
    head = books.emitter.logs[-1].data[-32:]
    books.emitter.heads[ISSUER - 1] = Hash32(head)
    assert books.codes() == [FindingCode.ANCHOR_MISSING]


def test_a_batch_beyond_the_audited_block_is_left_out(books: Books) -> None:
    del books.emitter.logs[-1]
    books.emitter.heads[ISSUER - 1] = Hash32(books.emitter.logs[-1].data[-32:])
    with books.database.write() as tx:
        tx.execute(
            sa.update(chain_store.transactions)
            .where(chain_store.transactions.c.purpose == Purpose.ANCHOR)
            .values(block_number=FINAL_BLOCK + 1)
        )
    assert books.codes() == []


def test_another_size_or_key_than_the_batchs(books: Books) -> None:
    with books.database.write() as tx:
        tx.execute(sa.update(store.batches).values(size=SIZE - 1))
    assert books.codes() == [FindingCode.ANCHOR_DIFFERS]
    with books.database.write() as tx:
        tx.execute(sa.update(store.batches).values(size=SIZE))
        tx.execute(
            sa.update(nonces.senders)
            .where(nonces.senders.c.address == KEY)
            .values(address=bytes(Address(b"\x09" * 20)))
        )
    assert books.codes() == [FindingCode.ANCHOR_DIFFERS]


def damage_digest(tx: sa.Connection) -> None:
    tx.execute(
        sa.update(credentials).where(credentials.c.leaf_index == 7).values(digest=sha256(b"x"))
    )


def lose_one(tx: sa.Connection) -> None:
    tx.execute(
        sa.update(credentials)
        .where(credentials.c.leaf_index == 7)
        .values(batch_id=None, leaf_index=None)
    )


def lose_last(tx: sa.Connection) -> None:
    tx.execute(
        sa.update(credentials)
        .where(credentials.c.leaf_index == SIZE - 1)
        .values(batch_id=None, leaf_index=None)
    )


def lose_all(tx: sa.Connection) -> None:
    tx.execute(sa.update(credentials).values(batch_id=None, leaf_index=None))


@pytest.mark.parametrize("damage", [damage_digest, lose_one, lose_last, lose_all])
def test_leaves_that_do_not_lead_to_the_root(
    books: Books, damage: Callable[[sa.Connection], None]
) -> None:
    with books.database.write() as tx:
        damage(tx)
    assert books.codes() == [FindingCode.LEAVES_DIFFER]


def test_a_status_that_nobody_in_the_database_set(books: Books) -> None:
    books.emit("Revoked", books.batch.root, 0, KEY, 0b110, 1)
    books.change("revoke", range(1, 2))
    (found,) = books.compare().findings
    assert found.code is FindingCode.STATUS_UNKNOWN
    assert found.message.startswith("1 credentials are revoked in word 0")


def test_a_status_that_the_chain_does_not_have(books: Books) -> None:
    books.change("revoke", range(1, 2))
    books.change("suspend", range(299, 300))
    assert books.codes() == [FindingCode.STATUS_MISSING] * 2


def test_a_status_on_its_way_is_not_judged(books: Books) -> None:
    books.change("revoke", range(1, 2), block=None)
    books.change("suspend", range(2, 3), block=FINAL_BLOCK + 1)
    books.emit("Revoked", books.batch.root, 0, KEY, 0b10, 1)
    assert books.codes() == []


def test_a_change_that_the_database_never_signed(books: Books) -> None:
    books.emit("OperatorSet", OWNER, 1)
    books.emit("BatchRevoked", books.batch.root, KEY, 1)
    findings = books.compare().findings
    assert [found.code for found in findings] == [FindingCode.CHANGE_UNKNOWN] * 2
    assert findings[0].message.startswith("OperatorSet (0x0101")


def test_an_issuer_that_is_another_on_chain(books: Books) -> None:
    with books.database.write() as tx:
        tx.execute(sa.text("UPDATE issuers SET did = 'did:example:b'"))
    assert books.codes()[0] is FindingCode.ISSUER_DIFFERS
    books.emitter.logs.clear()
    books.emitter.heads.clear()
    assert books.codes() == [FindingCode.ISSUER_DIFFERS]

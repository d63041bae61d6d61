"""Derive again what is stored from what it came from, and name what differs.

    documents -> digests -> leaves -> tiles -> roots
    signed bytes -> hashes; nonces without gap

A check reads and gives findings; it changes nothing, and one finding does not end it.
In memory are a page of rows and one open tile a level, whatever the number of
credentials.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

from ledger.batches import store
from ledger.batches.fsck.finding import Finding, about
from ledger.batches.resealing import extra_digests
from ledger.batches.status import ANCHORED, BatchStatus
from ledger.batches.store import Batch
from ledger.batches.trees import store as trees
from ledger.chain import store as chain_store
from ledger.chain.nonces import store as nonces
from ledger.chain.store import StoredTransaction
from ledger.credentials import store as credential_store
from ledger.database import Connection, find_damage
from ledger.errors import NotFoundError
from ledger.merkle.tiles import TILE_WIDTH, Tile, TileBuilder
from ledger.merkle.tree import leaf_hash
from ledger.primitives import HASH_BYTES, Address, Hash32, format_address, keccak256, sha256

NONCE_PAGE: Final = 500
"""Transactions read by one statement."""


def check_database(tx: Connection) -> Iterator[Finding]:
    """Check all that can be checked without asking the chain."""
    for damage in find_damage(tx):
        yield Finding("damaged", "database", damage)
    yield from check_credentials(tx)
    for batch in store.read_batches(tx):
        yield from check_batch(tx, batch)
    yield from check_transactions(tx)


def check_credentials(tx: Connection) -> Iterator[Finding]:
    """Check documents against their digests, and that nothing was accepted twice."""
    for stored in credential_store.read_all(tx):
        subject = f"credential {stored.public_id}"
        if stored.document is not None and sha256(stored.document) != stored.digest:
            yield Finding(
                "digest", subject, "its document has another digest than the one that is stored"
            )
        if (stored.batch_id is None) != (stored.leaf_index is None):
            yield Finding("placement", subject, "it has a batch without a leaf, or the reverse")
    for what, one, other in credential_store.find_repeats(tx):
        yield Finding("twice", f"credential {one}", f"its {what} is that of credential {other}")


def check_batch(tx: Connection, batch: Batch) -> Iterator[Finding]:
    """Check a batch's leaves, tree, root and size, and that its status has its grounds."""
    yield from _check_grounds(batch)
    tree = _Tree(tx, batch)
    for index, digest in credential_store.read_leaves(tx, batch.id):
        if index != tree.size:
            # Every tile would differ, and say less.
            yield tree.finding("leaf-index", f"it has no leaf {tree.size}, but leaf {index}")
            return
        yield from tree.add(digest)
    for digest in extra_digests(batch.extra_leaves):
        yield from tree.add(digest)
    yield from tree.finish()


def _check_grounds(batch: Batch) -> Iterator[Finding]:
    if batch.status is BatchStatus.SUBMITTED and batch.transaction_id is None:
        yield about(batch, "grounds", "it is submitted without a transaction")
    if batch.status in ANCHORED and batch.anchored_at is None:
        yield about(batch, "grounds", f"it is {batch.status} without an anchor's record")
    if batch.status is BatchStatus.HELD and not batch.reason:
        yield about(batch, "grounds", "it is held without a reason")


class _Tree:
    """The tree of a batch, made again from its digests and compared as it grows."""

    def __init__(self, tx: Connection, batch: Batch) -> None:
        self.size = 0
        self._tx = tx
        self._batch = batch
        self._made: deque[Tile] = deque()
        self._builder = TileBuilder(self._made.append)
        self._tiles = 0

    def finding(self, code: str, message: str) -> Finding:
        """Return a finding about the batch."""
        return about(self._batch, code, message)

    def add(self, digest: Hash32) -> Iterator[Finding]:
        """Add the next leaf."""
        self._builder.add(leaf_hash(digest))
        self.size += 1
        yield from self._compare()

    def finish(self) -> Iterator[Finding]:
        """Compare what is known only at the end."""
        batch = self._batch
        if self.size != batch.size:
            yield self.finding("size", f"it has {self.size} leaves and says {batch.size}")
        if self.size == 0:
            return
        root = self._builder.finish()
        yield from self._compare()
        stored = trees.count_tiles(self._tx, batch.id)
        if stored > self._tiles:
            yield self.finding("tile", f"{stored} tiles are stored, and its tree has {self._tiles}")
        if root != batch.root:
            yield self.finding(
                "root", f"its leaves have the root {root.hex()}, not {batch.root.hex()}"
            )

    def _compare(self) -> Iterator[Finding]:
        """Compare the tiles that are complete with the stored ones."""
        while self._made:
            tile = self._made.popleft()
            self._tiles += 1
            subject = f"{_name(self._batch)} tile {tile.level}/{tile.number}"
            try:
                stored = trees.read_tile(self._tx, self._batch.id, tile.level, tile.number)
            except NotFoundError:
                yield Finding("tile", subject, "it is not there")
                continue
            if stored != tile.hashes:
                yield Finding("tile", subject, _first_difference(stored, tile))


def _first_difference(stored: bytes, tile: Tile) -> str:
    if len(stored) != len(tile.hashes):
        return f"it has {len(stored)} bytes, not {len(tile.hashes)}"
    at = next(n for n, byte in enumerate(stored) if byte != tile.hashes[n])
    node = tile.number * TILE_WIDTH + at // HASH_BYTES
    return f"node {node} of its level is not that of the leaves"


def check_transactions(tx: Connection) -> Iterator[Finding]:
    """Check every signed byte against its hash, and every key's nonces for gaps."""
    accepted = nonces.list_accepted(tx)
    for sender, next_nonce in nonces.list_senders(tx).items():
        yield from _check_key(tx, sender, accepted[sender], next_nonce)


def _check_key(
    tx: Connection, sender: Address, accepted: int, next_nonce: int
) -> Iterator[Finding]:
    subject = f"key {format_address(sender)}"
    expected: int | None = None
    for transaction in _transactions(tx, sender):
        yield from _check_signed(transaction)
        nonce = transaction.nonce
        if expected is not None and max(expected, accepted) < nonce:
            yield _gap(subject, max(expected, accepted), nonce)
        expected = nonce + 1
    if expected is not None and max(expected, accepted) < next_nonce:
        yield _gap(subject, max(expected, accepted), next_nonce)
    if expected is not None and expected > next_nonce:
        yield Finding("nonce-again", subject, f"nonce {next_nonce} would be given out again")


def _gap(subject: str, first: int, end: int) -> Finding:
    return Finding("nonce-gap", subject, f"nonces {first} to {end - 1} have no transaction")


def _transactions(tx: Connection, sender: Address) -> Iterator[StoredTransaction]:
    after = -1
    while page := chain_store.list_by_nonce(tx, sender, after=after, limit=NONCE_PAGE):
        yield from page
        after = page[-1].nonce


def _check_signed(transaction: StoredTransaction) -> Iterator[Finding]:
    subject = f"transaction 0x{transaction.hash.hex()}"
    hashes = [attempt.hash for attempt in transaction.attempts]
    if transaction.hash not in hashes:
        yield Finding("signed-bytes", subject, "the bytes that were signed are not there")
    for attempt in transaction.attempts:
        if keccak256(attempt.raw) != attempt.hash:
            yield Finding("signed-bytes", subject, "the bytes that are stored have another hash")


def _name(batch: Batch) -> str:
    return f"batch {batch.id}"

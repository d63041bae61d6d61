"""Take sealed batches to the chain and follow them until their anchors are final.

Nothing here keeps state of its own. A batch and its stored transaction are written
in one database transaction, and from then on the batch follows the transaction, so
what brings a batch forward after a crash is what brings it forward anyway.
"""

import time
from typing import TYPE_CHECKING, Final

from ledger.batches import store
from ledger.batches.status import BatchStatus
from ledger.batches.store import Batch
from ledger.chain.outbox import POLL_SECONDS, Outbox
from ledger.chain.registry import calls
from ledger.chain.store import Purpose
from ledger.chain.transaction import Call
from ledger.errors import ConflictError
from ledger.primitives import Address

if TYPE_CHECKING:
    from ledger.chain.sender import Sender

SUBMITTABLE: Final = (BatchStatus.SEALED, BatchStatus.HELD)
"""Where a batch waits for a transaction: its first one, or another after a revert."""

UNDER_WAY: Final = (BatchStatus.SUBMITTED, BatchStatus.CONFIRMED)
"""Where a batch waits for the chain alone."""


def submit(outbox: Outbox, sender: "Sender", registry: Address, batch: Batch) -> int:
    """Give a batch its transaction, broadcast it, and return the transaction's row id.

    Dying before the transaction is stored leaves the batch as it was; dying after,
    `advance` sends the stored bytes.

    Raises:
        ConflictError, ChainError: as `Outbox.submit`; the batch is where it was, unless
            the bytes were stored.

    """
    return outbox.submit(
        sender,
        Call(registry, calls.anchor(batch.issuer, batch.root, batch.size)),
        Purpose.ANCHOR,
        on_stored=lambda tx, row: store.submit_batch(tx, batch.id, row),
    )


def advance(outbox: Outbox) -> list[tuple[int, BatchStatus]]:
    """Settle every transaction and move the batches after them; return the moves.

    Raises:
        ChainError: the node did not answer; nothing moved.

    """
    outbox.settle()
    with outbox.database.write() as tx:
        return store.follow_transactions(tx)


def follow(outbox: Outbox, issuer: int, *, timeout_seconds: float) -> list[Batch]:
    """Advance until no batch of `issuer` is under way; return the final, undelivered ones.

    Raises:
        ConflictError: a batch is held, or the time ran out; nothing is lost.
        ChainError: the node stopped answering.

    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        advance(outbox)
        with outbox.database.read() as tx:
            found = store.list_batches(tx, issuer)
        if held := next((b for b in found if b.status is BatchStatus.HELD), None):
            raise ConflictError(
                "held",
                f"batch {held.id} is held: the chain reverted its transaction "
                f"0x{(held.transaction or b'').hex()}; mend the cause, then run `ledger anchor`",
            )
        if not any(b.status in UNDER_WAY for b in found):
            return [b for b in found if b.status is BatchStatus.FINAL and b.delivered_at is None]
        if time.monotonic() > deadline:
            raise ConflictError(
                "not-yet", "the anchors are not final yet: run `ledger anchor` again later"
            )
        time.sleep(POLL_SECONDS)

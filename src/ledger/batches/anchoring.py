"""Take sealed batches to the chain and follow them until their anchors are final.

    1. `submit`   tried, signed, stored with the batch, broadcast   SEALED -> SUBMITTED
    2. `advance`  looked at: the record of the root, then the
                  transaction; each batch moved where they say      -> CONFIRMED -> FINAL
    3. `Outbox.resend`, `Outbox.replace`                            what waits is sent again

Nothing here keeps state of its own, and each step is one database transaction. A
process that dies before or in a step has not done it; whoever comes next, the same
process or another, looks again and does it. What brings a batch forward after a crash
is what brings it forward anyway.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.batches import store
from ledger.batches.records import RecordReader
from ledger.batches.resealing import reseal
from ledger.batches.status import ANCHORED, FOLLOWED, SUBMITTABLE, UNDER_WAY, BatchStatus
from ledger.batches.store import Batch
from ledger.chain.nonces.store import list_senders
from ledger.chain.outbox import POLL_SECONDS, Outbox
from ledger.chain.registry import calls
from ledger.chain.registry.slots import AnchorRecord
from ledger.chain.reverts import explain_revert
from ledger.chain.state import read_blocks
from ledger.chain.store import (
    Outcome,
    Purpose,
    TransactionState,
    get_transaction,
)
from ledger.chain.transaction import Call, WouldRevertError
from ledger.clock import format_time
from ledger.database import Connection
from ledger.errors import ConflictError
from ledger.primitives import Address

if TYPE_CHECKING:
    from ledger.chain.sender import Sender

_ROOT_TAKEN: Final = {"AlreadyAnchored", "SizeDiffers"}
"""What the registry answers when it has the root already."""

MAX_ROOTS: Final = 4
"""How often in one run a batch is sealed under yet another root."""

Move = tuple[int, BatchStatus]
"""A batch's id and where it went."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """Where a batch stands, and what to write beside it."""

    status: BatchStatus
    reason: str | None = None
    record: AnchorRecord | None = None


def submit(outbox: Outbox, sender: "Sender", registry: Address, batch: Batch) -> int | None:
    """Give a batch its transaction, broadcast it, and return the transaction's row id.

    1. nothing stored                          the batch is where it was
    2. bytes and batch committed together      SUBMITTED; `resend` sends the stored bytes
    3. broadcast                               SUBMITTED

    None when the registry has the root already: the batch is then confirmed if a key of
    ours anchored it, else sealed again under another root, to be submitted once more.

    Raises:
        ConflictError, ChainError: as `Outbox.submit`; the batch is where it was, with the
            reason beside it, unless the bytes were stored.

    """
    try:
        return outbox.submit(
            sender,
            _anchor_call(registry, batch),
            Purpose.ANCHOR,
            on_stored=lambda tx, row: store.submit_batch(
                tx, batch.id, row, root=batch.root, now=outbox.clock()
            ),
        )
    except WouldRevertError as error:
        if error.revert is None or error.revert.name not in _ROOT_TAKEN:
            _note(outbox, batch, _reason(error))
            raise
    except ConflictError as error:
        _note(outbox, batch, _reason(error))
        raise
    _accept_or_reseal(outbox, registry, batch)
    return None


@dataclass(frozen=True, slots=True)
class Patience:
    """Waiting for cheaper gas, and for how long at most."""

    base_fee_wei: int
    """Batches wait while gas costs more than this."""
    seconds: int
    """From its sealing on, no batch waits longer than this."""

    def waits(self, batch: Batch, *, base_fee_wei: int, now: int) -> bool:
        """Return whether a sealed batch is to wait still."""
        return base_fee_wei > self.base_fee_wei and now < batch.sealed_at + self.seconds


def submit_all(
    outbox: Outbox,
    sender: "Sender",
    registry: Address,
    issuer: int,
    *,
    patience: Patience | None = None,
) -> None:
    """Submit every sealed and every held batch of `issuer`, but those that wait for gas.

    Raises:
        ConflictError, ChainError: as `submit`, for the first batch that is refused; or a batch
            was sealed again `MAX_ROOTS` times and its root was always taken.

    """
    base_fee_wei = sender.market().base_fee_wei if patience else 0
    for _ in range(MAX_ROOTS):
        with outbox.database.read() as tx:
            sendable = store.list_batches(tx, issuer, SUBMITTABLE)
        waiting = []
        for batch in sendable:
            if patience and patience.waits(batch, base_fee_wei=base_fee_wei, now=outbox.clock()):
                until = format_time(batch.sealed_at + patience.seconds)
                _note(outbox, batch, f"waits for cheaper gas, until {until} at most")
                waiting.append(batch)
            else:
                submit(outbox, sender, registry, batch)
        if len(waiting) == len(sendable):
            return
    raise ConflictError(
        "root-taken",
        f"somebody with a key of issuer {issuer} anchors every root before we do: "
        "look at its operators on chain",
    )


def advance(outbox: Outbox, registry: Address) -> list[Move]:
    """Settle every transaction and move the batches to where the chain has them.

    1. transactions settled            committed by `Outbox.settle`
    2. records read at pinned blocks   nothing stored
    3. every batch moved               committed together

    Raises:
        ConflictError: as `Outbox.settle`.
        ChainError: the chain could not be asked; no batch moved.

    """
    settlement = outbox.settle()
    with outbox.database.read() as tx:
        followed = store.list_followed(tx)
        own = set(list_senders(tx))
    blocks = (settlement.confirmed, settlement.final)
    reader = RecordReader(outbox.rpc, outbox.chain, registry)
    anchors = reader.anchors(followed, blocks, settlement.latest, own)
    reasons = {b.id: _revert_reason(outbox, registry, b) for b in followed if _is_fresh_revert(b)}
    moves = []
    with outbox.database.write() as tx:
        for looked_at in followed:
            batch = store.lock_batch(tx, looked_at.id)
            if batch != looked_at:
                continue  # another process moved it: the next look is about what it is now
            confirmed, final = (anchors.at(block, batch) for block in blocks)
            standing = _standing(batch, confirmed, final, reasons.get(batch.id))
            moves += _move(tx, batch, standing, now=outbox.clock())
    return moves


def follow(
    outbox: Outbox,
    registry: Address,
    issuer: int,
    *,
    timeout_seconds: float,
    on_poll: Callable[[], object] = lambda: None,
) -> list[Batch]:
    """Advance until no batch of `issuer` is under way; return the final, undelivered ones.

    `on_poll` runs between two looks, such as to replace what waits too long.

    Raises:
        ConflictError: a batch is held, or the time ran out; nothing is lost. Or as `advance`.
        ChainError: the node stopped answering.

    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        advance(outbox, registry)
        with outbox.database.read() as tx:
            found = store.list_batches(tx, issuer, FOLLOWED)
        if held := next((b for b in found if b.status is BatchStatus.HELD), None):
            raise ConflictError(
                "held",
                f"batch {held.id} is held, transaction 0x{(held.transaction or b'').hex()}: "
                f"{held.reason}; mend the cause, then run `ledger anchor`",
            )
        if not any(b.status in UNDER_WAY for b in found):
            with outbox.database.read() as tx:
                return store.list_undelivered(tx, issuer)
        if time.monotonic() > deadline:
            raise ConflictError(
                "not-yet", "the anchors are not final yet: run `ledger anchor` again later"
            )
        outbox.resend()
        on_poll()
        time.sleep(POLL_SECONDS)


def adopt_anchored(outbox: Outbox, registry: Address) -> list[Move]:
    """Move every batch that waits to be sent, and whose root is anchored already, to confirmed.

    Raises:
        ChainError: the chain could not be asked.

    """
    with outbox.database.read() as tx:
        waiting = list(store.read_batches(tx, SUBMITTABLE))
        own = set(list_senders(tx))
    (newest,) = read_blocks(outbox.rpc, ["latest"], chain=outbox.chain)
    reader = RecordReader(outbox.rpc, outbox.chain, registry)
    anchors = reader.anchors(waiting, [newest], newest, own)
    moves = []
    with outbox.database.write() as tx:
        for batch in waiting:
            if record := anchors.at(newest, batch):
                current = store.lock_batch(tx, batch.id)
                standing = _Standing(BatchStatus.CONFIRMED, record=record)
                moves += _move(tx, current, standing, now=outbox.clock())
    return moves


def review_final(outbox: Outbox, registry: Address) -> list[Move]:
    """Move back every final batch whose anchor is no more; for `ledger resume` alone.

    Raises:
        ChainError: the chain could not be asked.

    """
    (final,) = read_blocks(outbox.rpc, [outbox.finality], chain=outbox.chain)
    reader = RecordReader(outbox.rpc, outbox.chain, registry)
    moves: list[Move] = []
    last = 0
    while True:
        with outbox.database.read() as tx:
            believed = store.list_page(tx, [BatchStatus.FINAL], after=last)
        if not believed:
            return moves
        last = believed[-1].id
        records = reader.records(believed, final)
        with outbox.database.write() as tx:
            for batch in believed:
                if batch.id not in records:
                    after = _by_transaction(store.lock_batch(tx, batch.id), None)
                    moves += _move(tx, batch, after, now=outbox.clock())


def _accept_or_reseal(outbox: Outbox, registry: Address, batch: Batch) -> None:
    """Take the registry's record of the root for ours, or give the batch another root."""
    (newest,) = read_blocks(outbox.rpc, ["latest"], chain=outbox.chain)
    with outbox.database.read() as tx:
        own = set(list_senders(tx))
    reader = RecordReader(outbox.rpc, outbox.chain, registry)
    record = reader.anchors([batch], [newest], newest, own).at(newest, batch)
    if record is None:
        reseal(outbox.database, batch, now=outbox.clock())
        return
    with outbox.database.write() as tx:
        current = store.lock_batch(tx, batch.id)
        if current.status not in ANCHORED:
            standing = _Standing(BatchStatus.CONFIRMED, record=record)
            _move(tx, current, standing, now=outbox.clock())


def _standing(
    batch: Batch,
    confirmed: AnchorRecord | None,
    final: AnchorRecord | None,
    revert_reason: str | None,
) -> _Standing:
    """Return where a batch stands: the registry's record counts first."""
    if final is not None:
        return _Standing(BatchStatus.FINAL, record=final)
    if confirmed is not None:
        return _Standing(BatchStatus.CONFIRMED, record=confirmed)
    return _by_transaction(batch, revert_reason)


def _by_transaction(batch: Batch, revert_reason: str | None) -> _Standing:
    """Return where a batch without an anchor that counts stands."""
    is_final = batch.transaction_state is TransactionState.FINAL
    match batch.outcome:
        case Outcome.REVERTED:
            return _Standing(BatchStatus.HELD, revert_reason or batch.reason)
        case Outcome.CANCELLED | Outcome.FOREIGN if is_final:
            return _Standing(
                BatchStatus.SEALED, f"its nonce went to another transaction ({batch.outcome})"
            )
        case Outcome.DONE if is_final:
            return _Standing(BatchStatus.HELD, "its anchor was made by a compromised key")
        case _ if batch.transaction_id is None:
            return _Standing(BatchStatus.SEALED)
        case _:
            return _Standing(BatchStatus.SUBMITTED)


def _move(tx: Connection, batch: Batch, standing: _Standing, *, now: int) -> list[Move]:
    """Write where a locked batch stands; return the move, if it is one."""
    if standing.record is not None:
        store.note_record(tx, batch.id, standing.record)
    if standing.status is batch.status:
        return []
    store.move_batch(tx, batch, standing.status, now=now, reason=standing.reason)
    return [(batch.id, standing.status)]


def _anchor_call(registry: Address, batch: Batch) -> Call:
    return Call(registry, calls.anchor(batch.issuer, batch.root, batch.size))


def _note(outbox: Outbox, batch: Batch, reason: str) -> None:
    if batch.status in SUBMITTABLE:  # a batch that is to be anchored again is fine as it is
        with outbox.database.write() as tx:
            store.note_reason(tx, batch, reason)


def _reason(error: ConflictError) -> str:
    return f"{error.message} [{error.code}]"


def _is_fresh_revert(batch: Batch) -> bool:
    return batch.outcome is Outcome.REVERTED and batch.status is not BatchStatus.HELD


def _revert_reason(outbox: Outbox, registry: Address, batch: Batch) -> str:
    """Ask why a transaction was reverted, of the block it is in."""
    with outbox.database.read() as tx:
        transaction = get_transaction(tx, batch.transaction_id or 0)
    call = _anchor_call(registry, batch)
    number = transaction.block_number or 0
    return explain_revert(outbox.endpoints, call, sender=transaction.sender, block_number=number)

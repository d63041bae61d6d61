"""Revoke, suspend and reinstate credentials on chain, and revoke whole batches.

256 neighbours of a batch share one word, and one transaction changes many words. What
the chain has already is left out, so doing it again is no error, and a run that was cut
short is finished by running it again.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from ledger.batches import store
from ledger.batches.delivery import check_anchored
from ledger.batches.events.store import note_status
from ledger.batches.states.store import note_change
from ledger.batches.status_changes.store import add_status_changes
from ledger.batches.store import Batch
from ledger.chain.outbox import Outbox
from ledger.chain.registry import calls
from ledger.chain.registry.calls import StatusAction
from ledger.chain.registry.slots import (
    WORD_BITS,
    anchor_slot,
    decode_anchor,
    has_bit,
    revoked_slot,
    suspended_slot,
)
from ledger.chain.state import ChainState
from ledger.chain.store import Purpose
from ledger.chain.transaction import Call
from ledger.credentials.store import StoredCredential
from ledger.database import Connection
from ledger.errors import ConflictError
from ledger.primitives import Address

if TYPE_CHECKING:
    from ledger.chain.sender import Sender

REASONS: Final = {
    "unspecified": 0,
    "issued-in-error": 1,
    "achievement-withdrawn": 2,
    "superseded": 3,
    "learner-request": 4,
    "key-compromise": 5,
    "under-review": 6,
}
"""The registry's reason codes; docs/reference/contract.md says what each means."""

WORDS_IN_A_TRANSACTION: Final = 100
"""About 3.4 million gas: a tenth of a block, and 25,600 neighbouring credentials."""

OnStored = Callable[[Connection, int], None]
"""Told of the row of a transaction, in the database transaction that stores it."""

Members = dict[int, StoredCredential]
"""Credentials of one batch by their leaf index."""


@dataclass(frozen=True, slots=True)
class StatusChange:
    """What is to be done, and why."""

    action: StatusAction
    reason: int
    """One of `REASONS`."""


def change_status(
    outbox: Outbox,
    sender: "Sender",
    registry: Address,
    state: ChainState,
    credentials: Iterable[StoredCredential],
    change: StatusChange,
    *,
    on_stored: OnStored = lambda _tx, _row: None,
) -> list[int]:
    """Sign, store and broadcast the changes; return the transactions' row ids.

    `state` is the newest the chain has; it says what is so already. `on_stored` runs in the
    database transaction that stores one's signed bytes.

    Raises:
        ConflictError: a credential is not anchored yet (nothing was sent), or the contract
            refuses.
        ChainError: the node did not answer.

    """
    rows = []
    for batch, members in _by_batch(outbox, credentials):
        fresh = _not_yet(state, registry, batch, members, change.action)
        for group in _groups(fresh):
            data = calls.change_status(
                change.action, batch.issuer, batch.root, _masks(group), change.reason
            )
            ids = [credential.id for credential in group.values()]

            def note(tx: Connection, row: int, batch: Batch = batch, ids: list[int] = ids) -> None:
                add_status_changes(
                    tx, ids, action=change.action, reason=change.reason, transaction_id=row
                )
                _note(outbox, tx, batch, row, change)
                on_stored(tx, row)

            call = Call(registry, data)
            rows.append(outbox.submit(sender, call, Purpose.STATUS, on_stored=note))
    return rows


def revoke_batch(
    outbox: Outbox,
    sender: "Sender",
    registry: Address,
    state: ChainState,
    batch: Batch,
    *,
    reason: int,
    on_stored: OnStored = lambda _tx, _row: None,
) -> int | None:
    """Revoke a whole batch; return its transaction's row id, None when it is revoked already.

    Raises:
        ConflictError: the batch is not anchored yet, or the contract refuses.
        ChainError: the node did not answer.

    """
    check_anchored(batch)
    (stored,) = state.slots(registry, [anchor_slot(batch.issuer, batch.root)])
    anchor = decode_anchor(stored)
    if anchor is not None and anchor.batch_revoked:
        return None
    call = Call(registry, calls.revoke_batch(batch.issuer, batch.root, reason))

    change = StatusChange(StatusAction.REVOKE, reason)

    def note(tx: Connection, row: int) -> None:
        _note(outbox, tx, batch, row, change)
        on_stored(tx, row)

    return outbox.submit(sender, call, Purpose.STATUS, on_stored=note)


def _note(outbox: Outbox, tx: Connection, batch: Batch, row: int, change: StatusChange) -> None:
    """Note beside a stored transaction what is to be looked at, and told, once it is final."""
    note_change(tx, batch.id, row)
    note_status(tx, batch.id, row, action=change.action, reason=change.reason, now=outbox.clock())


def _by_batch(
    outbox: Outbox, credentials: Iterable[StoredCredential]
) -> list[tuple[Batch, Members]]:
    """Return each batch with its credentials; refuse all if one is not anchored."""
    found: dict[int, Members] = defaultdict(dict)
    for credential in credentials:
        if credential.batch_id is None or credential.leaf_index is None:
            raise ConflictError(
                "not-anchored-yet",
                f"{credential.public_id} is in no batch yet: run `ledger anchor` first",
            )
        found[credential.batch_id][credential.leaf_index] = credential
    with outbox.database.read() as tx:
        batches = [store.get_batch(tx, batch_id) for batch_id in found]
    for batch in batches:
        check_anchored(batch)
    return [(batch, found[batch.id]) for batch in batches]


def _not_yet(
    state: ChainState, registry: Address, batch: Batch, members: Members, action: StatusAction
) -> Members:
    """Return the members for which the chain does not say already what is to be done."""
    slot = revoked_slot if action is StatusAction.REVOKE else suspended_slot
    numbers = sorted({index // WORD_BITS for index in members})
    slots = [slot(batch.issuer, batch.root, number) for number in numbers]
    words = dict(zip(numbers, state.slots(registry, slots), strict=True))
    wanted = action is not StatusAction.REINSTATE
    return {
        index: credential
        for index, credential in sorted(members.items())
        if has_bit(words[index // WORD_BITS], index) is not wanted
    }


def _groups(members: Members) -> Iterator[Members]:
    """Split by words, `WORDS_IN_A_TRANSACTION` at a time."""
    words: dict[int, Members] = defaultdict(dict)
    for index, credential in members.items():
        words[index // WORD_BITS][index] = credential
    remaining = iter(words.values())
    while group := list(islice(remaining, WORDS_IN_A_TRANSACTION)):
        yield {index: credential for word in group for index, credential in word.items()}


def _masks(indexes: Iterable[int]) -> dict[int, int]:
    masks: dict[int, int] = defaultdict(int)
    for index in indexes:
        masks[index // WORD_BITS] |= 1 << index % WORD_BITS
    return masks

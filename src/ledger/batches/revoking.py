"""Revoke credentials on chain: one transaction a batch, one word for 256 neighbours.

What the chain has revoked already is left out, so revoking again is no error, and a
run that was cut short is finished by running it again.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from ledger.batches import store
from ledger.batches.delivery import check_anchored
from ledger.batches.store import Batch
from ledger.chain.outbox import Outbox
from ledger.chain.registry import calls
from ledger.chain.registry.slots import WORD_BITS, has_bit, revoked_slot
from ledger.chain.state import ChainState
from ledger.chain.store import Purpose
from ledger.chain.transaction import Call
from ledger.credentials.store import StoredCredential
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


def revoke(
    outbox: Outbox,
    sender: "Sender",
    registry: Address,
    state: ChainState,
    credentials: Iterable[StoredCredential],
    *,
    reason: int,
) -> list[int]:
    """Sign, store and broadcast the revocations; return the transactions' row ids.

    `state` is the newest the chain has; it says what is revoked already.

    Raises:
        ConflictError: a credential is not anchored yet, or the contract refuses.
        ChainError: the node did not answer.

    """
    rows = []
    for batch, members in _by_batch(outbox, credentials):
        fresh = _not_revoked(state, registry, batch, members)
        if not fresh:
            continue
        call = calls.revoke(batch.issuer, batch.root, _masks(fresh), reason)
        ids = [credential.id for credential in fresh.values()]
        rows.append(
            outbox.submit(
                sender,
                Call(registry, call),
                Purpose.STATUS,
                on_stored=lambda tx, row, ids=ids: store.add_status_changes(  # type: ignore[misc]
                    tx, ids, action="revoke", reason=reason, transaction_id=row
                ),
            )
        )
    return rows


def _by_batch(
    outbox: Outbox, credentials: Iterable[StoredCredential]
) -> list[tuple[Batch, dict[int, StoredCredential]]]:
    """Return each batch with its credentials by leaf index; refuse all if one is not anchored."""
    found: dict[int, dict[int, StoredCredential]] = defaultdict(dict)
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


def _not_revoked(
    state: ChainState, registry: Address, batch: Batch, members: dict[int, StoredCredential]
) -> dict[int, StoredCredential]:
    numbers = sorted({index // WORD_BITS for index in members})
    slots = [revoked_slot(batch.issuer, batch.root, number) for number in numbers]
    words = dict(zip(numbers, state.slots(registry, slots), strict=True))
    return {
        index: credential
        for index, credential in members.items()
        if not has_bit(words[index // WORD_BITS], index)
    }


def _masks(indexes: Iterable[int]) -> dict[int, int]:
    masks: dict[int, int] = defaultdict(int)
    for index in indexes:
        masks[index // WORD_BITS] |= 1 << index % WORD_BITS
    return masks

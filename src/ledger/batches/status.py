"""The life of a batch, as one table.

    (open) --> SEALED --> SUBMITTED --> CONFIRMED --> FINAL
                 ^  |         |  ^         |  |         |
                 |  |         v  |         v  |         | anchored again after
                 |  |        HELD (aside)     |         v a key was compromised
                 |  +-- a key of ours anchored it already --> CONFIRMED
                 +----- the nonce went to another transaction

A batch is open while its credentials wait; it has no row then. Where it stands follows
from two things, looked at together at every poll: the registry's record of its root,
made by an own key that is not compromised, and its own transaction. The record counts
first, whoever's transaction made it (`ledger.batches.anchoring`). A batch only moves
along an arrow of `_NEXT`. An anchored root is never withdrawn; single credentials are
revoked instead. docs/reference/batch-life.md says what a person does about each state.
"""

from enum import StrEnum
from typing import Final

from ledger.errors import ConflictError


class BatchStatus(StrEnum):
    """How far a batch has come."""

    SEALED = "sealed"
    """Leaves, order and root are fixed; no transaction of ours is under way."""
    SUBMITTED = "submitted"
    """A signed transaction is stored and was, or will be, broadcast."""
    CONFIRMED = "confirmed"
    """The anchor is in a block that may still be reorganised away."""
    FINAL = "final"
    """The anchor is at or below the chain's finalized block."""
    HELD = "held"
    """Its transaction was reverted, or anchored nothing; a person must look at the reason."""


_NEXT: Final = {
    BatchStatus.SEALED: {
        BatchStatus.SUBMITTED,  # its transaction is signed and stored
        BatchStatus.CONFIRMED,  # a key of ours anchored it already
        BatchStatus.FINAL,
    },
    BatchStatus.SUBMITTED: {
        BatchStatus.CONFIRMED,
        BatchStatus.FINAL,
        BatchStatus.HELD,  # reverted
        BatchStatus.SEALED,  # another transaction won the nonce, for ever
    },
    BatchStatus.CONFIRMED: {
        BatchStatus.FINAL,
        BatchStatus.SUBMITTED,  # reorganised away; the same bytes are sent again
        BatchStatus.SEALED,  # the same, and the transaction was not ours
        BatchStatus.HELD,  # reorganised, and reverted in the other block
    },
    BatchStatus.HELD: {
        BatchStatus.SUBMITTED,  # a person had it sent again, or the revert was reorganised away
        BatchStatus.CONFIRMED,
        BatchStatus.FINAL,
        BatchStatus.SEALED,
    },
    BatchStatus.FINAL: {
        BatchStatus.SUBMITTED,  # anchored again after a key was compromised
        BatchStatus.SEALED,  # a person resumed after the chain had dropped a final block
    },
}

ANCHORED: Final = (BatchStatus.CONFIRMED, BatchStatus.FINAL)
"""Where the chain has the root."""

SUBMITTABLE: Final = (BatchStatus.SEALED, BatchStatus.HELD)
"""Where a batch waits for a transaction: its first one, or another that a person asks for."""

UNDER_WAY: Final = (BatchStatus.SUBMITTED, BatchStatus.CONFIRMED)
"""Where a batch waits for the chain alone."""

FOLLOWED: Final = (*UNDER_WAY, BatchStatus.HELD)
"""Where the chain alone may move a batch."""

NEXT_STEP: Final = {
    BatchStatus.SEALED: "`ledger anchor` sends it",
    BatchStatus.SUBMITTED: "waits for a block; sent again as long as none has it",
    BatchStatus.CONFIRMED: "waits for the block to become final",
    BatchStatus.FINAL: "nothing; its badges are good for ever",
    BatchStatus.HELD: "mend the reason, then run `ledger anchor`",
}
"""What happens next, in words people read."""


def check_move(before: BatchStatus, after: BatchStatus) -> None:
    """Return if a batch may go from `before` to `after`.

    Raises:
        ConflictError: there is no such arrow in this module's table.

    """
    if after not in _NEXT[before]:
        raise ConflictError("no-such-move", f"a batch cannot go from {before} to {after}")

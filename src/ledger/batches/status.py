"""The life of a batch, as one table.

    (open) -> SEALED -> SUBMITTED <-> CONFIRMED -> FINAL
                            ^  v          v
                            HELD <--------+

    CONFIRMED -> SUBMITTED   its block was reorganised away; the same bytes are sent again
    SUBMITTED -> HELD        the chain reverted its transaction
    HELD -> any of them      a person had it sent again, or the revert was reorganised away

A batch is open while its credentials wait; it has no row then. From SUBMITTED on it
stands where its transaction stands (`ledger.chain.outbox`). A batch only moves along
an arrow. An anchored root is never withdrawn; single credentials are revoked instead.
"""

from enum import StrEnum
from typing import Final

from ledger.errors import ConflictError


class BatchStatus(StrEnum):
    """How far a batch has come."""

    SEALED = "sealed"
    """Leaves, order and root are fixed; nothing was signed."""
    SUBMITTED = "submitted"
    """A signed transaction is stored and was, or will be, broadcast."""
    CONFIRMED = "confirmed"
    """The anchor is in a block that may still be reorganised away."""
    FINAL = "final"
    """The anchor is at or below the chain's finalized block."""
    HELD = "held"
    """Its transaction was reverted; a person must look at the reason."""


_NEXT: Final = {
    BatchStatus.SEALED: {BatchStatus.SUBMITTED},
    BatchStatus.SUBMITTED: {BatchStatus.CONFIRMED, BatchStatus.FINAL, BatchStatus.HELD},
    BatchStatus.CONFIRMED: {BatchStatus.SUBMITTED, BatchStatus.FINAL, BatchStatus.HELD},
    BatchStatus.FINAL: set(),
    BatchStatus.HELD: {BatchStatus.SUBMITTED, BatchStatus.CONFIRMED, BatchStatus.FINAL},
}

ANCHORED: Final = (BatchStatus.CONFIRMED, BatchStatus.FINAL)
"""Where the chain has the root."""


def check_move(before: BatchStatus, after: BatchStatus) -> None:
    """Return if a batch may go from `before` to `after`.

    Raises:
        ConflictError: there is no such arrow in this module's diagram.

    """
    if after not in _NEXT[before]:
        raise ConflictError("no-such-move", f"a batch cannot go from {before} to {after}")

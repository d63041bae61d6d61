"""What nodes say when they do not take a transaction, as one table.

Every client has words of its own for the same few cases, and the JSON-RPC error code
is -32000 for nearly all of them. The first line that fits counts.

Source: go-ethereum `core/txpool/errors.go`, Nethermind `AcceptTxResult`, Besu
`TransactionInvalidReason`, Erigon `txpoolcfg`, reth `InvalidPoolTransactionError`.
"""

from enum import StrEnum
from typing import Final


class Refusal(StrEnum):
    """Why a node did not take signed bytes."""

    KNOWN = "known"
    """It has these very bytes: as good as taken."""
    NONCE_USED = "nonce-used"
    """A block has a transaction at this nonce, perhaps this one: look it up."""
    UNDERPRICED = "underpriced"
    """It holds another transaction at this nonce, or wants more: it is not lost."""
    GAP = "gap"
    """An earlier nonce has to come first: it comes with the same round."""
    POOR = "poor"
    """The account cannot pay for gas and cap."""
    OTHER = "other"
    """None of these."""


_WORDS: Final = (
    ("unknown transaction", Refusal.OTHER),
    ("already known", Refusal.KNOWN),
    ("alreadyknown", Refusal.KNOWN),
    ("known transaction", Refusal.KNOWN),
    ("already imported", Refusal.KNOWN),
    ("already in mempool", Refusal.KNOWN),
    ("nonce too low", Refusal.NONCE_USED),
    ("nonce_too_low", Refusal.NONCE_USED),
    ("oldnonce", Refusal.NONCE_USED),
    ("nonce too far in the future", Refusal.GAP),
    ("exceeds next nonce", Refusal.GAP),
    ("nonce too high", Refusal.GAP),
    ("nonce gap", Refusal.GAP),
    ("noncegap", Refusal.GAP),
    ("underpriced", Refusal.UNDERPRICED),
    ("feetoolow", Refusal.UNDERPRICED),
    ("max fee per gas less than block base fee", Refusal.UNDERPRICED),
    ("gas price below configured minimum", Refusal.UNDERPRICED),
    ("insufficient funds", Refusal.POOR),
    ("insufficientfunds", Refusal.POOR),
    ("upfront cost exceeds account balance", Refusal.POOR),
)
"""Part of what a node says, in lower case, and what it means."""

TAKEN: Final = frozenset({Refusal.KNOWN, Refusal.NONCE_USED})
"""As good as taken: the bytes are there, or the next look at the chain decides."""

PENDING: Final = frozenset({Refusal.UNDERPRICED, Refusal.GAP})
"""Not taken, and no error: time, a replacement or an earlier nonce will tell."""


def classify(message: str) -> Refusal:
    """Return what a node's words mean."""
    said = message.lower()
    return next((refusal for words, refusal in _WORDS if words in said), Refusal.OTHER)

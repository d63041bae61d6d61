"""What a transaction offers for its gas (EIP-1559).

The cap leaves room for the base fee to double while the transaction waits: a block
raises it by at most an eighth, so that is six full blocks in a row.
"""

from dataclasses import dataclass
from typing import Final

from ledger.errors import ConflictError

GWEI: Final = 10**9

GAS_MARGIN_PERCENT: Final = 20
"""Added to a gas estimate, because the state may move before the transaction runs."""


@dataclass(frozen=True, slots=True)
class Fees:
    """The two caps of a transaction, in wei for a unit of gas."""

    tip_wei: int
    cap_wei: int


def market_fees(*, base_fee_wei: int, tip_wei: int, ceiling_wei: int) -> Fees:
    """Return what to offer now: the tip, and the tip plus twice the base fee.

    Raises:
        ConflictError: even the present base fee and tip are above `ceiling_wei`.

    """
    if base_fee_wei + tip_wei > ceiling_wei:
        raise ConflictError(
            "fees-too-high",
            f"gas costs {(base_fee_wei + tip_wei) / GWEI:.3f} gwei now, the ceiling is "
            f"{ceiling_wei / GWEI:.3f} gwei: wait, or raise max_fee_gwei",
        )
    return Fees(tip_wei=tip_wei, cap_wei=min(tip_wei + 2 * base_fee_wei, ceiling_wei))


def with_margin(gas: int) -> int:
    """Return the gas limit for an estimate of `gas`."""
    return gas + gas * GAS_MARGIN_PERCENT // 100

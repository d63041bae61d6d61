"""What a transaction offers for its gas (EIP-1559).

The cap leaves room for the base fee to double while the transaction waits: a block
raises it by at most an eighth, so that is six full blocks in a row. A replacement for
the same nonce offers a tenth more on both caps, or nodes refuse it, and not less than
the market; the ceilings hold for it too.

Source: EIP-1559; go-ethereum, `txpool.pricebump`.
"""

from dataclasses import dataclass
from typing import Final

from ledger.errors import ConflictError

GWEI: Final = 10**9

GAS_MARGIN_PERCENT: Final = 20
"""Added to a gas estimate, because the state may move before the transaction runs."""

REPLACEMENT_PERCENT: Final = 10
"""By how much nodes want both caps raised before they let go of what they have."""


@dataclass(frozen=True, slots=True)
class Fees:
    """The two caps of a transaction, in wei for a unit of gas."""

    tip_wei: int
    cap_wei: int


@dataclass(frozen=True, slots=True)
class FeeLimits:
    """What is never offered, however long a transaction waits."""

    cap_wei: int
    """No cap is above this."""
    tip_wei: int
    """No tip is above this."""
    market_multiple: int = 3
    """No replacement offers more than this many times the market."""


@dataclass(frozen=True, slots=True)
class Market:
    """What gas costs in the next block, as one node sees it."""

    base_fee_wei: int
    tip_wei: int

    @property
    def fees(self) -> Fees:
        """Return what to offer without limits: the tip, and the tip plus twice the base fee."""
        return Fees(tip_wei=self.tip_wei, cap_wei=self.tip_wei + 2 * self.base_fee_wei)


def first_fees(market: Market, limits: FeeLimits) -> Fees:
    """Return what the first transaction at a nonce offers.

    Raises:
        ConflictError: even the present base fee and tip are above the cap's limit.

    """
    tip = min(market.tip_wei, limits.tip_wei)
    if market.base_fee_wei + tip > limits.cap_wei:
        raise ConflictError(
            "fees-too-high",
            f"gas costs {(market.base_fee_wei + tip) / GWEI:.3f} gwei now, the ceiling is "
            f"{limits.cap_wei / GWEI:.3f} gwei: wait, or raise max_fee_gwei",
        )
    return Fees(tip_wei=tip, cap_wei=min(tip + 2 * market.base_fee_wei, limits.cap_wei))


def is_below_market(offered: Fees, market: Market, limits: FeeLimits) -> bool:
    """Return whether the next block would rather take another transaction."""
    wanted = min(market.tip_wei, limits.tip_wei)
    return offered.tip_wei < wanted or offered.cap_wei < market.base_fee_wei + wanted


def replacement_fees(offered: Fees, market: Market, limits: FeeLimits) -> Fees | None:
    """Return what replaces `offered` at the same nonce; None when the limits forbid it."""
    fees = market.fees
    raised = Fees(
        tip_wei=max(raise_by_tenth(offered.tip_wei), min(fees.tip_wei, limits.tip_wei)),
        cap_wei=max(raise_by_tenth(offered.cap_wei), min(fees.cap_wei, limits.cap_wei)),
    )
    most = limits.market_multiple * fees.cap_wei
    fits = raised.cap_wei <= min(most, limits.cap_wei) and raised.tip_wei <= limits.tip_wei
    return raised if fits and raised.tip_wei <= raised.cap_wei else None


def raise_by_tenth(wei: int) -> int:
    """Return `wei` and a tenth more, rounded up, and never the same again."""
    return max(wei + 1, -(-wei * (100 + REPLACEMENT_PERCENT) // 100))


def with_margin(gas: int) -> int:
    """Return the gas limit for an estimate of `gas`."""
    return gas + gas * GAS_MARGIN_PERCENT // 100

"""What a transaction offers for its gas, first and when it is replaced."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain.fees import (
    GWEI,
    FeeLimits,
    Fees,
    Market,
    first_fees,
    is_below_market,
    replacement_fees,
    with_margin,
)
from ledger.errors import ConflictError

LIMITS = FeeLimits(cap_wei=500 * GWEI, tip_wei=50 * GWEI)
MARKETS = st.builds(
    Market,
    base_fee_wei=st.integers(0, 300 * GWEI),
    tip_wei=st.integers(0, 100 * GWEI),
)
OFFERS = st.tuples(st.integers(0, 500 * GWEI), st.integers(0, 50 * GWEI)).map(
    lambda caps: Fees(cap_wei=max(caps), tip_wei=min(caps[1], max(caps)))
)


@given(MARKETS)
def test_the_first_caps_cover_today_and_never_pass_the_ceilings(market: Market) -> None:
    fees = first_fees(market, LIMITS)
    tip = min(market.tip_wei, LIMITS.tip_wei)
    assert fees.tip_wei == tip
    assert market.base_fee_wei + tip <= fees.cap_wei <= LIMITS.cap_wei
    assert fees.cap_wei == min(tip + 2 * market.base_fee_wei, LIMITS.cap_wei)
    assert not is_below_market(fees, market, LIMITS)


def test_gas_above_the_ceiling_is_not_bought() -> None:
    with pytest.raises(ConflictError) as raised:
        first_fees(Market(base_fee_wei=500 * GWEI, tip_wei=1), LIMITS)
    assert raised.value.code == "fees-too-high"


@given(OFFERS, MARKETS)
def test_a_replacement_offers_a_tenth_more_and_the_market_within_every_ceiling(
    offered: Fees, market: Market
) -> None:
    raised = replacement_fees(offered, market, LIMITS)
    if raised is None:
        return
    assert 100 * raised.cap_wei >= 110 * offered.cap_wei
    assert 100 * raised.tip_wei >= 110 * offered.tip_wei
    assert raised.cap_wei > offered.cap_wei
    assert raised.tip_wei > offered.tip_wei
    assert raised.cap_wei >= min(market.fees.cap_wei, LIMITS.cap_wei)
    assert raised.tip_wei >= min(market.tip_wei, LIMITS.tip_wei)
    assert raised.tip_wei <= raised.cap_wei <= LIMITS.cap_wei
    assert raised.tip_wei <= LIMITS.tip_wei
    assert raised.cap_wei <= LIMITS.market_multiple * market.fees.cap_wei


def test_what_the_ceilings_forbid_is_not_offered() -> None:
    market = Market(base_fee_wei=100 * GWEI, tip_wei=GWEI)
    at_the_cap = Fees(cap_wei=490 * GWEI, tip_wei=GWEI)
    assert replacement_fees(at_the_cap, market, LIMITS) is None
    at_the_tip = Fees(cap_wei=100 * GWEI, tip_wei=49 * GWEI)
    assert replacement_fees(at_the_tip, market, LIMITS) is None


def test_nothing_is_offered_that_is_many_times_the_market() -> None:
    market = Market(base_fee_wei=GWEI, tip_wei=GWEI)
    far_above = Fees(cap_wei=30 * GWEI, tip_wei=GWEI)
    assert replacement_fees(far_above, market, LIMITS) is None


@pytest.mark.parametrize(
    ("offered", "is_below"),
    [
        (Fees(cap_wei=21 * GWEI, tip_wei=GWEI), False),
        (Fees(cap_wei=11 * GWEI, tip_wei=GWEI), False),
        (Fees(cap_wei=11 * GWEI - 1, tip_wei=GWEI), True),
        (Fees(cap_wei=21 * GWEI, tip_wei=GWEI - 1), True),
    ],
)
def test_only_what_the_next_block_would_not_take_is_below_the_market(
    offered: Fees, *, is_below: bool
) -> None:
    market = Market(base_fee_wei=10 * GWEI, tip_wei=GWEI)
    assert is_below_market(offered, market, LIMITS) is is_below


def test_a_gas_limit_has_a_fifth_more_than_the_estimate() -> None:
    assert with_margin(100_000) == 120_000

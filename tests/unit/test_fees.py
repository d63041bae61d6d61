"""What a transaction offers for its gas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain.fees import GWEI, market_fees, with_margin
from ledger.errors import ConflictError


@given(st.integers(0, 300 * GWEI), st.integers(0, 100 * GWEI))
def test_the_cap_covers_today_and_never_passes_the_ceiling(base: int, tip: int) -> None:
    fees = market_fees(base_fee_wei=base, tip_wei=tip, ceiling_wei=500 * GWEI)
    assert fees.tip_wei == tip
    assert base + tip <= fees.cap_wei <= 500 * GWEI
    assert fees.cap_wei == min(tip + 2 * base, 500 * GWEI)


def test_gas_above_the_ceiling_is_not_bought() -> None:
    with pytest.raises(ConflictError) as raised:
        market_fees(base_fee_wei=500 * GWEI, tip_wei=1, ceiling_wei=500 * GWEI)
    assert raised.value.code == "fees-too-high"


def test_a_gas_limit_has_a_fifth_more_than_the_estimate() -> None:
    assert with_margin(100_000) == 120_000

"""The table of a batch's life."""

import itertools

import pytest

from ledger.batches.status import BatchStatus, check_move
from ledger.errors import ConflictError

S = BatchStatus
ALLOWED = {
    (S.SEALED, S.SUBMITTED),
    (S.SUBMITTED, S.CONFIRMED),
    (S.SUBMITTED, S.FINAL),
    (S.SUBMITTED, S.HELD),
    (S.CONFIRMED, S.SUBMITTED),
    (S.CONFIRMED, S.FINAL),
    (S.CONFIRMED, S.HELD),
    (S.HELD, S.SUBMITTED),
    (S.HELD, S.CONFIRMED),
    (S.HELD, S.FINAL),
}


@pytest.mark.parametrize("move", sorted(itertools.product(S, S)), ids="-".join)
def test_a_batch_moves_along_the_arrows_only(move: tuple[BatchStatus, BatchStatus]) -> None:
    if move in ALLOWED:
        check_move(*move)
    else:
        with pytest.raises(ConflictError):
            check_move(*move)

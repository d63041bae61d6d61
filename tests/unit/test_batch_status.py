"""The table of a batch's life."""

import itertools

import pytest

from ledger.batches.status import NEXT_STEP, BatchStatus, check_move
from ledger.errors import ConflictError

S = BatchStatus
ALLOWED = {
    (S.SEALED, S.SUBMITTED),
    (S.SEALED, S.CONFIRMED),
    (S.SEALED, S.FINAL),
    (S.SUBMITTED, S.CONFIRMED),
    (S.SUBMITTED, S.FINAL),
    (S.SUBMITTED, S.HELD),
    (S.SUBMITTED, S.SEALED),
    (S.CONFIRMED, S.SUBMITTED),
    (S.CONFIRMED, S.SEALED),
    (S.CONFIRMED, S.FINAL),
    (S.CONFIRMED, S.HELD),
    (S.HELD, S.SUBMITTED),
    (S.HELD, S.CONFIRMED),
    (S.HELD, S.FINAL),
    (S.HELD, S.SEALED),
    (S.FINAL, S.SUBMITTED),
    (S.FINAL, S.SEALED),
}


@pytest.mark.parametrize("move", sorted(itertools.product(S, S)), ids="-".join)
def test_a_batch_moves_along_the_arrows_only(move: tuple[BatchStatus, BatchStatus]) -> None:
    if move in ALLOWED:
        check_move(*move)
    else:
        with pytest.raises(ConflictError):
            check_move(*move)


def test_every_status_says_what_happens_next() -> None:
    assert set(NEXT_STEP) == set(BatchStatus)

"""What nodes say when they do not take a transaction."""

import pytest

from ledger.chain.refusals import PENDING, TAKEN, Refusal, classify


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("already known", Refusal.KNOWN),
        ("ALREADY_EXISTS: already known", Refusal.KNOWN),
        ("AlreadyKnown", Refusal.KNOWN),
        ("Known transaction", Refusal.KNOWN),
        ("known transaction: 1234", Refusal.KNOWN),
        ("transaction already imported", Refusal.KNOWN),
        ("unknown transaction", Refusal.OTHER),
        ("unknown transaction type", Refusal.OTHER),
        ("nonce too low: next nonce 5, tx nonce 4", Refusal.NONCE_USED),
        ("OldNonce, Current nonce: 5, nonce of rejected tx: 4", Refusal.NONCE_USED),
        ("replacement transaction underpriced", Refusal.UNDERPRICED),
        ("transaction underpriced: gas tip cap 0", Refusal.UNDERPRICED),
        ("nonce too far in the future", Refusal.GAP),
        ("tx nonce 9 exceeds next nonce 4", Refusal.GAP),
        ("nonce too high", Refusal.GAP),
        ("insufficient funds for gas * price + value: balance 0", Refusal.POOR),
        ("Upfront cost exceeds account balance", Refusal.POOR),
        ("intrinsic gas too low", Refusal.OTHER),
        ("", Refusal.OTHER),
    ],
)
def test_the_words_of_every_client_fall_into_the_same_few_cases(said: str, meant: Refusal) -> None:
    assert classify(said) is meant


def test_what_has_to_be_looked_up_is_not_an_error() -> None:
    assert {Refusal.KNOWN, Refusal.NONCE_USED} == TAKEN
    assert {Refusal.UNDERPRICED, Refusal.GAP} == PENDING

"""What each signature on a credential says, judged from the credential alone."""

import copy
from typing import Any

import pytest

from ledger.credentials import signature
from ledger.credentials.canonical import Surroundings, embed
from ledger.credentials.did_key import key_method
from ledger.credentials.proof_check import (
    MAX_PROOFS,
    Outcome,
    ProofOutcome,
    Reason,
    check_proofs,
)
from ledger.credentials.signature import SigningKey, sign
from ledger.errors import MalformedInputError

NOW = 1_790_000_000


def judged(credential: dict[str, Any], **changed: object) -> ProofOutcome:
    """The outcome of the first proof with some members changed."""
    proof = {**credential["proof"][0], **changed}
    (outcome,) = check_proofs({**credential, "proof": [proof]})
    return outcome


def test_the_issuers_signature_passes(signed: dict[str, Any], key: SigningKey) -> None:
    assert check_proofs(signed) == (
        ProofOutcome(
            suite="eddsa-jcs-2022",
            verification_method=key_method(key.did),
            created=NOW,
            expires=None,
            outcome=Outcome.PASSED,
            reason=None,
        ),
    )


def test_without_proofs_there_are_no_outcomes(badge: dict[str, Any]) -> None:
    assert check_proofs(badge) == ()
    assert check_proofs({**badge, "proof": []}) == ()


def test_the_anchor_proof_is_left_out_and_a_lone_proof_counts(signed: dict[str, Any]) -> None:
    anchored = embed(signed, {"type": "LedgerAnchorProof"})
    assert check_proofs(anchored) == check_proofs(signed)
    assert check_proofs({**signed, "proof": signed["proof"][0]}) == check_proofs(signed)


def test_every_proof_has_its_own_outcome_in_order(signed: dict[str, Any]) -> None:
    several = {**signed, "proof": [{"type": "Old"}, *signed["proof"], 7]}
    assert [(one.outcome, one.reason) for one in check_proofs(several)] == [
        (Outcome.UNKNOWN, Reason.UNSUPPORTED_SUITE),
        (Outcome.PASSED, None),
        (Outcome.FAILED, Reason.MALFORMED_PROOF),
    ]


def test_a_changed_credential_fails(signed: dict[str, Any]) -> None:
    assert judged({**signed, "name": "Another"}).reason is Reason.BAD_SIGNATURE
    assert judged({**signed, "@context": []}).reason is Reason.CONTEXT_MISMATCH


def test_a_good_signature_by_somebody_else_fails(badge: dict[str, Any]) -> None:
    stranger = SigningKey(bytes(32))
    forged = sign(badge, stranger, created=NOW, verification_method=key_method(stranger.did))
    (outcome,) = check_proofs(forged)
    assert (outcome.outcome, outcome.reason) == (Outcome.FAILED, Reason.OTHER_SIGNER)


@pytest.mark.parametrize("issuer", [None, 7, {}, {"id": 7}, ["did:key:z"]])
def test_nobody_signs_for_an_issuer_without_id(signed: dict[str, Any], issuer: object) -> None:
    assert judged({**signed, "issuer": issuer}).reason is Reason.OTHER_SIGNER


def test_an_issuer_may_be_given_by_its_id_alone(badge: dict[str, Any], key: SigningKey) -> None:
    signed = sign(
        {**badge, "issuer": key.did}, key, created=NOW, verification_method=key_method(key.did)
    )
    assert check_proofs(signed)[0].outcome is Outcome.PASSED


def test_a_key_that_would_have_to_be_fetched_is_unknown(
    badge: dict[str, Any], key: SigningKey
) -> None:
    issuer = {**badge["issuer"], "id": "did:web:univ.example.org"}
    signed = sign(
        {**badge, "issuer": issuer},
        key,
        created=NOW,
        verification_method="did:web:univ.example.org#key-1",
    )
    (outcome,) = check_proofs(signed)
    assert (outcome.outcome, outcome.reason) == (Outcome.UNKNOWN, Reason.KEY_NOT_AVAILABLE)


@pytest.mark.parametrize(
    ("changed", "outcome", "reason"),
    [
        ({"cryptosuite": "eddsa-rdfc-2022"}, Outcome.UNKNOWN, Reason.UNSUPPORTED_SUITE),
        ({"cryptosuite": None}, Outcome.UNKNOWN, Reason.UNSUPPORTED_SUITE),
        ({"type": "JwtProof"}, Outcome.UNKNOWN, Reason.UNSUPPORTED_SUITE),
        ({"previousProof": "urn:uuid:1"}, Outcome.UNKNOWN, Reason.PROOF_CHAIN),
        ({"proofPurpose": "authentication"}, Outcome.FAILED, Reason.WRONG_PURPOSE),
        ({"proofPurpose": None}, Outcome.FAILED, Reason.WRONG_PURPOSE),
        ({"verificationMethod": None}, Outcome.FAILED, Reason.MALFORMED_PROOF),
        ({"verificationMethod": {"id": "x"}}, Outcome.FAILED, Reason.MALFORMED_PROOF),
        ({"created": "yesterday"}, Outcome.FAILED, Reason.MALFORMED_PROOF),
        ({"created": None}, Outcome.FAILED, Reason.MALFORMED_PROOF),
        ({"expires": "2036-01-01"}, Outcome.FAILED, Reason.MALFORMED_PROOF),
        ({"proofValue": "zz"}, Outcome.FAILED, Reason.MALFORMED_PROOF),
        ({"proofValue": None}, Outcome.FAILED, Reason.MALFORMED_PROOF),
        ({"domain": "example.org"}, Outcome.FAILED, Reason.BAD_SIGNATURE),
    ],
)
def test_each_kind_of_proof_is_judged(
    signed: dict[str, Any], changed: dict[str, object], outcome: Outcome, reason: Reason
) -> None:
    found = judged(signed, **changed)
    assert (found.outcome, found.reason) == (outcome, reason)


def test_a_proof_need_not_say_when_it_was_made(signed: dict[str, Any]) -> None:
    undated = copy.deepcopy(signed)
    del undated["proof"][0]["created"]
    (outcome,) = check_proofs(undated)
    assert outcome.created is None
    assert outcome.reason is Reason.BAD_SIGNATURE


def test_the_expiry_is_handed_on(signed: dict[str, Any]) -> None:
    assert judged(signed, expires="2026-09-21T14:13:20Z").expires == NOW


def test_what_a_proof_says_of_itself_is_cut_short(signed: dict[str, Any]) -> None:
    found = judged(signed, cryptosuite="x" * 10_000, verificationMethod="y" * 10_000)
    assert (len(found.suite), len(found.verification_method or "")) == (200, 200)


def test_a_suite_without_name_goes_by_its_type(signed: dict[str, Any]) -> None:
    (outcome,) = check_proofs({**signed, "proof": [{"type": "Ed25519Signature2020"}]})
    assert outcome.suite == "Ed25519Signature2020"


def test_no_more_than_a_bounded_number_of_proofs_is_checked(badge: dict[str, Any]) -> None:
    with pytest.raises(MalformedInputError) as caught:
        check_proofs({**badge, "proof": (MAX_PROOFS + 1) * [{}]})
    assert caught.value.code == "too-many-proofs"


def test_the_document_is_written_once_for_all_of_its_proofs(
    signed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a credential of a megabyte with many proofs would cost seconds."""
    written = []

    class Counted(Surroundings):
        def __init__(self, members: dict[str, Any], of: str) -> None:
            written.append(of)
            super().__init__(members, of)

    monkeypatch.setattr(signature, "Surroundings", Counted)
    outcomes = check_proofs({**signed, "proof": MAX_PROOFS * signed["proof"]})
    assert {outcome.outcome for outcome in outcomes} == {Outcome.PASSED}
    assert len(written) == 1

"""Checks 9 to 11: signatures, dates, shape."""

from typing import Any

import pytest

from ledger.clock import format_time
from ledger.credentials import proof_check
from ledger.credentials.did_key import format_base58btc
from ledger.credentials.signature import signed_bytes
from ledger.errors import ChainError, MalformedInputError
from ledger.verification.reasons import Reason
from ledger.verification.report import Verdict
from tests.unit.verification_world import (
    ANCHORED,
    DAY,
    HOME,
    ISSUED,
    KEY,
    NOW,
    STRANGERS_KEY,
    World,
    check,
    credential,
    described,
    signed,
)

FOREIGN_PROOF = {"type": "DataIntegrityProof", "cryptosuite": "ecdsa-rdfc-2019"}
QUARTER_HOUR = 15 * 60


def with_proof(**members: object) -> dict[str, Any]:
    """Return a badge whose one proof was changed after signing."""
    badge = signed(credential())
    return {**badge, "proof": [{**badge["proof"][0], **members}]}


def verified(badge: dict[str, Any], **policy: Any) -> Any:
    return World(badge).verify(homes=(HOME,), **policy)


def test_an_unsigned_credential_is_covered_by_its_anchor() -> None:
    report = verified(credential())
    assert described(report, 9) == ("skipped", "unsigned")
    assert report.verdict is Verdict.VALID


def test_a_policy_may_require_a_signature() -> None:
    assert verified(credential(), require_signature=True).verdict is Verdict.UNKNOWN
    assert verified(signed(credential()), require_signature=True).verdict is Verdict.VALID


@pytest.mark.parametrize(
    ("badge", "outcome", "reason"),
    [
        (signed(credential()), "passed", None),
        (with_proof(proofValue=format_base58btc(KEY.sign(b"other"))), "failed", "bad-signature"),
        (with_proof(proofValue="z2"), "failed", "malformed-proof"),
        (with_proof(proofPurpose="authentication"), "failed", "wrong-purpose"),
        (signed(credential(), STRANGERS_KEY), "failed", "other-signer"),
        (with_proof(previousProof="urn:uuid:1"), "unknown", "proof-chain"),
        (credential(proof=[FOREIGN_PROOF]), "unknown", "unsupported-suite"),
        (credential(proof=FOREIGN_PROOF), "unknown", "unsupported-suite"),
        (credential(proof=["?"]), "failed", "malformed-proof"),
        (signed(credential(proof=[FOREIGN_PROOF])), "passed", None),
        (signed(signed(credential()), STRANGERS_KEY), "failed", "other-signer"),
    ],
)
def test_each_signature_has_its_outcome(
    badge: dict[str, Any], outcome: str, reason: str | None
) -> None:
    if isinstance(badge["proof"], dict):
        world = World(badge)
        report = world.verify(world.carrying, homes=(HOME,))
    else:
        report = verified(badge)
    assert described(report, 9) == (outcome, reason)
    assert report.verdict is (Verdict.INVALID if outcome == "failed" else Verdict.VALID)


def test_a_key_that_would_have_to_be_fetched_is_unknown() -> None:
    badge = with_proof(verificationMethod="did:web:example.org#key-1")
    badge["issuer"] = "did:web:example.org"
    world = World(badge)
    world.register(HOME.issuer, "did:web:example.org")
    report = world.verify(homes=(HOME,))
    assert described(report, 9) == ("unknown", "key-not-available")
    assert report.verdict is Verdict.VALID


@pytest.mark.parametrize(("late", "is_late"), [(QUARTER_HOUR, False), (QUARTER_HOUR + 1, True)])
def test_a_signature_may_be_dated_a_quarter_of_an_hour_after_the_anchor(
    late: int, *, is_late: bool
) -> None:
    report = verified(signed(credential(), created=ANCHORED + late))
    assert described(report, 9) == (
        ("failed", "signed-after-anchor") if is_late else ("passed", None)
    )


def test_a_misdated_signature_of_any_kind_fails() -> None:
    late = {**FOREIGN_PROOF, "created": format_time(ANCHORED + DAY)}
    report = verified(signed(credential(proof=[late])))
    assert described(report, 9) == ("failed", "signed-after-anchor")


def test_without_the_anchors_time_a_signature_is_judged_by_itself() -> None:
    world = World(signed(credential(), created=ANCHORED + DAY))
    world.chain.down = ChainError("rpc-timeout", "the node is away")
    assert described(world.verify(), 9) == ("passed", None)


def test_a_signature_that_expired_is_no_longer_relied_on() -> None:
    def expiring(at: int) -> dict[str, Any]:
        badge = signed(credential())
        proof = {**badge["proof"][0], "expires": format_time(at)}
        proof["proofValue"] = format_base58btc(KEY.sign(signed_bytes(badge, proof)))
        return {**badge, "proof": [proof]}

    assert described(World(expiring(NOW + 1)).verify(), 9) == ("passed", None)
    report = World(expiring(NOW)).verify()
    assert described(report, 9) == ("unknown", "signature-expired")
    assert described(report, 8) == ("unknown", "no-basis")


def test_too_many_signatures_are_refused() -> None:
    badge = credential(proof=[FOREIGN_PROOF] * (proof_check.MAX_PROOFS + 1))
    with pytest.raises(MalformedInputError) as caught:
        verified(badge)
    assert caught.value.code == "too-many-proofs"


def test_every_outcome_of_a_signature_has_a_reason_code_here() -> None:
    assert {reason.value for reason in proof_check.Reason} <= set(Reason)


@pytest.mark.parametrize(
    ("dates", "outcome", "reason"),
    [
        ({"validFrom": format_time(NOW)}, "passed", None),
        ({"validFrom": format_time(NOW + 1)}, "failed", "not-yet-valid"),
        ({"validUntil": format_time(NOW)}, "passed", None),
        ({"validUntil": format_time(NOW - 1)}, "failed", "expired"),
        ({"validFrom": None}, "unknown", "unreadable-date"),
        ({"validFrom": "2026-12-16"}, "unknown", "unreadable-date"),
        ({"validFrom": "2026-12-16T08:00:00"}, "unknown", "unreadable-date"),
        ({"validUntil": 1_900_000_000}, "unknown", "unreadable-date"),
        ({"validUntil": ["2030-01-01T00:00:00Z"]}, "unknown", "unreadable-date"),
        ({"validUntil": format_time(NOW - 1), "validFrom": "?"}, "failed", "expired"),
        ({"issuanceDate": format_time(NOW + 1)}, "failed", "not-yet-valid"),
        ({"expirationDate": format_time(NOW - 1)}, "failed", "expired"),
        ({"expirationDate": "soon"}, "unknown", "unreadable-date"),
        ({"validUntil": "9999-12-31T23:59:59-14:00"}, "passed", None),
        ({"validFrom": "0001-01-01T00:00:00+14:00"}, "passed", None),
        ({"validFrom": "9999-12-31T23:59:59-14:00"}, "failed", "not-yet-valid"),
    ],
)
def test_dates_count_against_the_present(
    dates: dict[str, Any], outcome: str, reason: str | None
) -> None:
    report = World(signed(credential(**dates))).verify()
    assert described(report, 10) == (outcome, reason)
    expected = {"passed": Verdict.VALID, "failed": Verdict.INVALID, "unknown": Verdict.UNKNOWN}
    assert report.verdict is expected[outcome]
    assert report.as_text()


def test_a_credential_of_the_first_data_model_is_read_by_its_own_dates() -> None:
    badge = credential(issuanceDate=format_time(ISSUED), expirationDate=format_time(NOW + DAY))
    del badge["validFrom"]
    report = World(signed(badge)).verify()
    assert described(report, 10) == ("passed", None)
    assert report.credential is not None
    assert report.credential["validFrom"] == format_time(ISSUED)
    assert report.credential["validUntil"] == format_time(NOW + DAY)


def test_a_credential_without_dates_is_always_within_them() -> None:
    badge = credential()
    del badge["validFrom"]
    assert described(World(signed(badge)).verify(), 10) == ("passed", None)


def test_a_policy_may_limit_how_late_the_anchor_came() -> None:
    report = World().verify(max_anchor_delay_seconds=600)
    assert described(report, 10) == ("passed", None)
    report = World().verify(max_anchor_delay_seconds=599)
    assert (report.verdict, described(report, 10)) == (
        Verdict.UNKNOWN,
        ("unknown", "anchored-late"),
    )


def test_the_limit_counts_from_signing_too() -> None:
    badge = signed(credential(validFrom=format_time(ANCHORED)), created=ANCHORED - DAY)
    report = World(badge).verify(max_anchor_delay_seconds=DAY - 1)
    assert described(report, 10) == ("unknown", "anchored-late")
    assert "created" in check(report, 10).message


def test_the_shape_changes_a_verdict_only_when_the_policy_says_so() -> None:
    badge = signed(credential(credentialSubject="somebody"))
    report = World(badge).verify()
    assert (report.verdict, described(report, 11)) == (Verdict.VALID, ("failed", "bad-shape"))
    assert World(badge).verify(require_shape=True).verdict is Verdict.INVALID


def test_of_many_problems_of_shape_a_few_are_shown() -> None:
    badge = signed(credential(name=1, description=2, validUntil=3, image=4, evidence=5))
    message = check(World(badge).verify(), 11).message
    assert message.endswith("more")
    assert message.count(";") == 3

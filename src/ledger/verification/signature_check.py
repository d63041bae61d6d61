"""Check 9: the issuer's signatures on the credential, beside the time of its anchor.

Each signature is judged alone. One that failed makes the check fail; else one that passed
makes it pass; else nobody could tell. The anchor covers the signatures too, so one that is
dated after the anchor is misdated, whatever its kind.
"""

from typing import Final

from ledger.credentials.proof_check import ProofOutcome
from ledger.verification.reasons import Finding, Reason, show_time
from ledger.verification.report import Check, Outcome

CLOCK_SKEW_SECONDS: Final = 15 * 60
"""How far a signature may be dated after its anchor: clocks differ."""

_BY_WEIGHT: Final = (Outcome.FAILED, Outcome.PASSED, Outcome.UNKNOWN)


def check_signature(proofs: tuple[ProofOutcome, ...], anchored: int | None, now: int) -> Check:
    """Return check 9; `anchored` is the anchor's time, None when it was not read."""
    if not proofs:
        return Check.not_passed(9, Outcome.SKIPPED, Finding.of(Reason.UNSIGNED))
    judged = [_judge(proof, anchored, now) for proof in proofs]
    return min(judged, key=lambda check: _BY_WEIGHT.index(check.outcome))


def _judge(proof: ProofOutcome, anchored: int | None, now: int) -> Check:
    """Return what check 9 would be if `proof` were the only one."""
    signer = proof.verification_method or "an unnamed key"
    outcome = Outcome(proof.outcome.value)
    late = _find_late(proof, anchored, signer)
    if late and outcome is not Outcome.FAILED:
        return Check.not_passed(9, Outcome.FAILED, late)
    if proof.reason is not None:
        finding = Finding.of(
            Reason(proof.reason.value), signer=signer, suite=proof.suite, problem=proof.problem
        )
        return Check.not_passed(9, outcome, finding)
    if proof.expires is not None and now >= proof.expires:
        expired = Finding.of(
            Reason.SIGNATURE_EXPIRED, signer=signer, expires=show_time(proof.expires)
        )
        return Check.not_passed(9, Outcome.UNKNOWN, expired)
    return Check.passed(9, f"signed by {signer} ({proof.suite})")


def _find_late(proof: ProofOutcome, anchored: int | None, signer: str) -> Finding | None:
    created = proof.created
    if created is None or anchored is None or created <= anchored + CLOCK_SKEW_SECONDS:
        return None
    return Finding.of(
        Reason.SIGNED_AFTER_ANCHOR,
        signer=signer,
        created=show_time(created),
        anchored=show_time(anchored),
    )

"""Checks 9 to 11: what the credential says of itself.

A file says nothing, so all three are skipped for it. Without the credential they are
unknown.
"""

from typing import Any, Final

from ledger.credentials.proof_check import ProofOutcome
from ledger.credentials.shape import check_shape
from ledger.verification.policy import TrustPolicy
from ledger.verification.reasons import Finding, Reason
from ledger.verification.report import Check, Outcome, Subject
from ledger.verification.signature_check import check_signature
from ledger.verification.submission import Submission
from ledger.verification.validity_check import check_validity

SHOWN_PROBLEMS: Final = 3
"""Of a credential that is not well shaped."""

_NUMBERS = range(9, 12)


def check_credential(
    submission: Submission,
    proofs: tuple[ProofOutcome, ...],
    *,
    anchored: int | None,
    policy: TrustPolicy,
    now: int,
) -> list[Check]:
    """Return checks 9 to 11; `anchored` is the anchor's time, None when it was not read."""
    if submission.subject is Subject.FILE:
        finding = Finding.of(Reason.RAW_FILE)
        return [Check.not_passed(number, Outcome.SKIPPED, finding) for number in _NUMBERS]
    if submission.credential is None:
        finding = Finding.of(Reason.NO_DOCUMENT)
        return [Check.not_passed(number, Outcome.UNKNOWN, finding) for number in _NUMBERS]
    credential = submission.credential
    validity = check_validity(
        credential,
        proofs,
        anchored=anchored,
        max_anchor_delay_seconds=policy.max_anchor_delay_seconds,
        now=now,
    )
    return [check_signature(proofs, anchored, now), validity, _check_shape(credential)]


def _check_shape(credential: dict[str, Any]) -> Check:
    problems = check_shape(credential)
    if not problems:
        return Check.passed(11, "shaped like an Open Badges 3.0 credential")
    shown = "; ".join(problems[:SHOWN_PROBLEMS])
    more = f"; and {len(problems) - SHOWN_PROBLEMS} more" * (len(problems) > SHOWN_PROBLEMS)
    finding = Finding.of(Reason.BAD_SHAPE, problems=shown + more)
    return Check.not_passed(11, Outcome.FAILED, finding)

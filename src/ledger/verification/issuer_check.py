"""Check 8: is the issuer who the credential says it is?

Anyone can register anyone's DID, and could so give a revoked credential a new anchor. So
the DID must be the one that the home registered, *and* something must tie the two together:

    policy       the trust policy lists the home
    accredited   a believed accreditor vouched for it when it anchored
    signed       a passed signature covers the home's name inside the credential
    document     the DID's document lists the home as a service

The document is fetched last, and only when nothing else holds.

A credential that names homes is never at home elsewhere, whoever anchored or signed it.
"""

from ledger.chain.registry.lookup import MAX_SPANS
from ledger.credentials.issuer_did import IssuerDid
from ledger.credentials.profile import homes_of
from ledger.primitives import keccak256
from ledger.verification.facts import Facts
from ledger.verification.policy import TrustPolicy
from ledger.verification.reasons import Finding, Reason
from ledger.verification.report import Basis, Check, Outcome, Subject
from ledger.verification.submission import Submission

_MESSAGES = {
    Basis.POLICY: "the trust policy lists the home {home}",
    Basis.ACCREDITED: "an accreditor of the trust policy vouched for {home} at the anchor's time",
    Basis.SIGNED: "the issuer's own signature names the home {home}",
    Basis.DOCUMENT: "the issuer's DID document lists the home {home}",
}


def check_issuer(
    submission: Submission,
    facts: Facts | Finding,
    signature: Check,
    issuer: IssuerDid,
    policy: TrustPolicy,
) -> Check:
    """Return check 8; `signature` is check 9."""
    if isinstance(submission.proof, Finding):
        return _unknown(submission.proof)
    home = submission.proof.anchor.home
    named = homes_of(submission.credential) if submission.credential else ()
    # Compared as text: one home has one spelling, and another one is not it.
    if named and str(home) not in named:
        other_home = Finding.of(Reason.OTHER_HOME, homes=" or ".join(named), home=home)
        return Check.not_passed(8, Outcome.FAILED, other_home)
    if isinstance(facts, Finding):
        return _unknown(facts)
    is_signed = signature.outcome is Outcome.PASSED and str(home) in named
    if wrong := _check_did(submission, facts, issuer.did):
        return wrong
    return _check_basis(facts, policy, issuer, is_signed=is_signed)


def _unknown(finding: Finding) -> Check:
    return Check.not_passed(8, Outcome.UNKNOWN, finding)


def _check_did(submission: Submission, facts: Facts, did: str | None) -> Check | None:
    """Return what is wrong with the credential's DID; None when it is the registered one.

    A file names nobody, so nothing is wrong with it.
    """
    if submission.subject is Subject.FILE:
        return None
    if submission.credential is None:
        return _unknown(Finding.of(Reason.NO_DOCUMENT))
    if did is None:
        return _unknown(Finding.of(Reason.NO_ISSUER_ID))
    if keccak256(did.encode()) == facts.did_hash:
        return None
    other_did = Finding.of(Reason.OTHER_DID, issuer=did, home=facts.proof.anchor.home)
    return Check.not_passed(8, Outcome.FAILED, other_did)


def _check_basis(facts: Facts, policy: TrustPolicy, issuer: IssuerDid, *, is_signed: bool) -> Check:
    home = facts.proof.anchor.home
    basis = _find_basis(facts, policy, issuer, is_signed=is_signed)
    if basis is not None:
        return Check.passed(8, _MESSAGES[basis].format(home=home), basis)
    for held in facts.accreditations:
        if held.count > MAX_SPANS:
            return _unknown(
                Finding.of(Reason.TOO_MANY_SPANS, home=home, count=held.count, read=MAX_SPANS)
            )
    read = {held.accreditor for held in facts.accreditations}
    for accreditor in policy.accreditors_of(home):
        if facts.anchor is not None and accreditor not in read:
            return _unknown(
                Finding.of(Reason.UNPROVED_ACCREDITATION, home=home, accreditor=accreditor)
            )
    also = f" ({issuer.problem})" if issuer.problem else ""
    return _unknown(Finding.of(Reason.NO_BASIS, home=home, also=also))


def _find_basis(
    facts: Facts, policy: TrustPolicy, issuer: IssuerDid, *, is_signed: bool
) -> Basis | None:
    if facts.proof.anchor.home in policy.homes:
        return Basis.POLICY
    anchor = facts.anchor
    if anchor and any(held.holds_at(anchor.time) for held in facts.accreditations):
        return Basis.ACCREDITED
    if is_signed:
        return Basis.SIGNED
    document = issuer.find_document()
    lists_home = document is not None and str(facts.proof.anchor.home) in document.homes
    return Basis.DOCUMENT if lists_home else None

"""Checks 3 to 7: what the registry's facts say of the proof.

When nothing could be read, all of them are unknown for the same reason. When there is no
anchor, check 4 failed and there is nothing for the others to ask.
"""

from ledger.errors import MalformedInputError, RootMismatchError
from ledger.merkle import inclusion
from ledger.merkle.tree import leaf_hash
from ledger.primitives import Home, format_chain
from ledger.proofs.file import ProofFile
from ledger.verification.facts import Facts
from ledger.verification.policy import TrustPolicy
from ledger.verification.reasons import Finding, Reason, show_time
from ledger.verification.report import Check, Outcome

_NUMBERS = range(3, 8)


def check_on_chain(facts: Facts | Finding, policy: TrustPolicy, now: int) -> list[Check]:
    """Return checks 3 to 7; `facts` may be the reason why nothing is known."""
    if isinstance(facts, Finding):
        return [Check.not_passed(number, Outcome.UNKNOWN, facts) for number in _NUMBERS]
    if facts.anchor is None:
        return _without_anchor(facts.proof.anchor.home.issuer)
    return [
        _check_inclusion(facts.proof, facts.anchor.size),
        _check_anchor(facts.proof.anchor.home, facts.anchor.time),
        _check_finality(facts, policy, now),
        _check_operator(facts),
        _check_status(facts),
    ]


def _without_anchor(issuer: int) -> list[Check]:
    finding = Finding.of(Reason.NOT_ANCHORED, issuer=issuer)
    return [
        Check.not_passed(number, Outcome.FAILED if number == 4 else Outcome.SKIPPED, finding)
        for number in _NUMBERS
    ]


def _check_inclusion(proof: ProofFile, size: int) -> Check:
    """Return check 3; `size` is the registry's."""
    index, path = proof.inclusion.index, proof.inclusion.path
    if size == 0:
        return Check.not_passed(3, Outcome.UNKNOWN, Finding.of(Reason.BARE_ROOT))
    if fault := _find_fault(proof, size):
        return Check.not_passed(3, Outcome.FAILED, fault)
    return Check.passed(3, f"leaf {index} of {size} leads to the root in {len(path)} steps")


def _find_fault(proof: ProofFile, size: int) -> Finding | None:
    index, path = proof.inclusion.index, proof.inclusion.path
    if proof.anchor.size != size:
        return Finding.of(Reason.SIZE_DIFFERS, claimed=proof.anchor.size, size=size)
    try:
        inclusion.verify(
            leaf_hash(proof.digest), proof.inclusion, size=size, anchored=proof.anchor.root
        )
    except RootMismatchError as error:
        return Finding.of(
            Reason.ROOT_MISMATCH, computed=error.computed.hex(), root=error.anchored.hex()
        )
    except MalformedInputError:
        if index >= size:
            return Finding.of(Reason.BAD_INDEX, index=index, size=size)
        return Finding.of(Reason.BAD_PATH_LENGTH, length=len(path), index=index, size=size)
    return None


def _check_anchor(home: Home, time: int) -> Check:
    return Check.passed(
        4,
        f"anchored at {show_time(time)} by issuer {home.issuer} "
        f"in a trusted registry on {format_chain(home.chain)}",
    )


def _check_finality(facts: Facts, policy: TrustPolicy, now: int) -> Check:
    if not facts.is_final:
        return Check.not_passed(5, Outcome.UNKNOWN, Finding.of(Reason.NOT_FINAL))
    if now - facts.newest.time > policy.max_state_age_seconds:
        stale = Finding.of(Reason.STALE_STATE, time=show_time(facts.newest.time))
        return Check.not_passed(5, Outcome.UNKNOWN, stale)
    return Check.passed(5, "the anchor is in a block that is believed to stay")


def _check_operator(facts: Facts) -> Check:
    if facts.compromised_since is not None:
        since = show_time(facts.compromised_since)
        compromised = Finding.of(Reason.COMPROMISED, since=since)
        return Check.not_passed(6, Outcome.FAILED, compromised)
    return Check.passed(6, "the key that anchored it was the issuer's own at that time")


def _check_status(facts: Facts) -> Check:
    bad_news = [
        (facts.is_batch_revoked, Reason.BATCH_REVOKED),
        (facts.is_revoked, Reason.REVOKED),
        (facts.is_suspended, Reason.SUSPENDED),
    ]
    for is_so, reason in bad_news:
        if is_so:
            return Check.not_passed(7, Outcome.FAILED, Finding.of(reason))
    return Check.passed(7, f"leaf {facts.proof.inclusion.index} is neither revoked nor suspended")

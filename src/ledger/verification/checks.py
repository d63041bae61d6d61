"""Verify what a holder submits: eleven numbered checks, one report.

     1  file        the format is known
     2  digest      the proof is about this very document
     3  inclusion   the path leads from it to the root, in a tree of the registry's size
     4  anchor      a trusted registry has that root for that issuer
     5  finality    in a block that the policy believes
     6  operator    made by a key that was not stolen then
     7  status      not revoked, not suspended
     8  issuer      by whoever the credential says
     9  signature   signed by the same
    10  validity    now is between its dates
    11  shape       an Open Badges 3.0 credential

The verifier decides how: nothing in the proof chooses a registry, an endpoint or a check.
A chain that cannot be asked leaves 3 to 8 unknown; it never makes anything invalid.

The one thing fetched besides is the DID document of the issuer, for 8 and 9, once at most, and
only when the registry has an anchor, by an issuer of that very DID: so nobody can send a
verifier to a web site by writing its name into a file.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from ledger.chain.quorum import open_endpoints
from ledger.chain.state import ChainReader, RpcReader
from ledger.credentials.issuer_did import IssuerDid
from ledger.credentials.profile import issuer_id_of
from ledger.credentials.proof_check import check_proofs
from ledger.errors import ChainError
from ledger.fetching import Fetch, PublicWeb
from ledger.primitives import format_address, format_chain, keccak256
from ledger.proofs.file import FORMAT
from ledger.verification.chain_checks import check_on_chain
from ledger.verification.credential_checks import check_credential
from ledger.verification.facts import Facts, read_facts
from ledger.verification.issuer_check import check_issuer
from ledger.verification.offline import TrustedBlock, read_offline
from ledger.verification.policy import TrustedRegistry, TrustPolicy
from ledger.verification.reasons import Finding, Reason
from ledger.verification.report import Check, Outcome, Report, judge
from ledger.verification.submission import Submission, read_submission
from ledger.verification.summary import summarize_anchor, summarize_block, summarize_credential

OpenChain = Callable[[int, TrustedRegistry], AbstractContextManager[ChainReader]]
"""Gives the reader of a chain that a trusted registry is on."""

_PUBLIC_WEB: Final = PublicWeb()


@contextmanager
def open_chain(chain: int, registry: TrustedRegistry) -> Iterator[ChainReader]:
    """Give a reader of `chain` through the registry's endpoints; nothing is sent yet."""
    rpc = open_endpoints(registry.rpc, registry.quorum)
    try:
        yield RpcReader(rpc, chain)
    finally:
        rpc.close()


def verify(
    data: bytes,
    *,
    document: bytes | None = None,
    policy: TrustPolicy,
    now: int,
    trusted: Collection[TrustedBlock] | None = None,
    open_chain: OpenChain = open_chain,
    fetch: Fetch | None = _PUBLIC_WEB.get,
) -> Report:
    """Return the report on `data`, a credential or a proof file.

    `document` is what a proof file is about, when it does not carry it. Three round trips
    to the chain at most for one endpoint, four for several. With `fetch`, and unless the
    policy says no, the issuer's DID document is fetched when it decides something; with None
    nothing is fetched. With `trusted` blocks nobody is asked at all: the proof's own state
    proof must be of one of them.

    Raises:
        MalformedInputError: the input can be read as neither, does not belong together, or
            has too many signatures to check.

    """
    submission = read_submission(data, document)
    facts = find_facts(submission, policy, trusted, open_chain)
    may_fetch = policy.fetch_did_documents and trusted is None
    issuer = _issuer_of(submission, facts, fetch if may_fetch else None, now)
    proofs = check_proofs(submission.credential, issuer) if submission.credential else ()
    anchor = facts.anchor if isinstance(facts, Facts) else None
    signature, validity, shape = check_credential(
        submission, proofs, anchored=anchor.time if anchor else None, policy=policy, now=now
    )
    checks = (
        _check_file(submission),
        _check_digest(submission),
        *check_on_chain(facts, policy, now),
        check_issuer(submission, facts, signature, issuer, policy),
        signature,
        validity,
        shape,
    )
    return Report(
        verdict=judge(checks, submission.subject, policy),
        subject=submission.subject,
        as_of=summarize_block(facts),
        checks=checks,
        anchor=summarize_anchor(submission.proof, facts),
        credential=summarize_credential(submission.credential, proofs),
    )


def find_facts(
    submission: Submission,
    policy: TrustPolicy,
    trusted: Collection[TrustedBlock] | None,
    open_chain: OpenChain,
) -> Facts | Finding:
    """Return what a trusted registry says of the submitted proof, or why nothing is known."""
    if isinstance(submission.proof, Finding):
        return submission.proof
    home = submission.proof.anchor.home
    registry = policy.find_registry(home)
    where = {"registry": format_address(home.registry), "chain": format_chain(home.chain)}
    if registry is None:
        return Finding.of(Reason.UNTRUSTED_REGISTRY, **where)
    if trusted is None and not registry.rpc:
        return Finding.of(Reason.NO_ENDPOINT, **where)
    try:
        if trusted is not None:
            return read_offline(submission.proof, registry, policy, trusted)
        with open_chain(home.chain, registry) as reader:
            return read_facts(reader, registry, submission.proof, policy)
    except ChainError as error:
        return Finding.of_chain_error(error)


def _issuer_of(
    submission: Submission, facts: Facts | Finding, fetch: Fetch | None, now: int
) -> IssuerDid:
    """Return the credential's issuer, whose document may be fetched if the registry knows it."""
    did = issuer_id_of(submission.credential) if submission.credential else None
    is_registered = (
        did is not None
        and isinstance(facts, Facts)
        and facts.anchor is not None
        and keccak256(did.encode()) == facts.did_hash
    )
    return IssuerDid(did, fetch=fetch if is_registered else None, now=now)


def _check_file(submission: Submission) -> Check:
    if not isinstance(submission.proof, Finding):
        return Check.passed(1, f"a proof in the format {FORMAT}")
    if submission.proof.reason is Reason.NO_ANCHOR_PROOF:
        return Check.passed(1, "a credential")
    return Check.not_passed(1, Outcome.UNKNOWN, submission.proof)


def _check_digest(submission: Submission) -> Check:
    proof, document = submission.proof, submission.document
    if isinstance(proof, Finding):
        alone = proof.reason is Reason.NO_ANCHOR_PROOF
        return Check.not_passed(2, Outcome.SKIPPED if alone else Outcome.UNKNOWN, proof)
    if document is None:
        return Check.not_passed(2, Outcome.UNKNOWN, Finding.of(Reason.NO_DOCUMENT))
    if document.digest != proof.digest:
        differs = Finding.of(
            Reason.DIGEST_DIFFERS, found=document.digest.hex(), claimed=proof.digest.hex()
        )
        return Check.not_passed(2, Outcome.FAILED, differs)
    return Check.passed(2, f"the proof is about this {submission.subject}")

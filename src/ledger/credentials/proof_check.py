"""What each signature on a credential says, by the credential and its issuer's DID.

A proof is judged in this order; the first that applies gives the outcome:

    unsupported-suite  unknown   any suite but eddsa-jcs-2022
    proof-chain        unknown   it names a `previousProof`; chains are not followed
    wrong-purpose      failed    made for something else than assertion
    malformed-proof    failed    not an object; a member that says nothing readable
    other-signer       failed    the key's DID is not `issuer.id`
    key-not-available  unknown   the key is not in its DID, whose document cannot be had
    key-not-listed     unknown   the document does not list it for assertion, or no more
    context-mismatch   failed    made under contexts the credential does not begin with
    bad-signature      failed    the key did not sign this
    (none)             passed

When a proof was made and when it expires is handed on: the anchor's time and the present
are not known here.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ledger.credentials.canonical import other_proofs
from ledger.credentials.did_key import is_did_key, parse_key_method
from ledger.credentials.issuer_did import IssuerDid
from ledger.credentials.profile import issuer_id_of
from ledger.credentials.signature import PURPOSE, SignedDocument, is_supported, verify_proof
from ledger.credentials.timestamps import parse_time
from ledger.errors import MalformedInputError, ProofError

MAX_PROOFS: Final = 32
"""Ours: each costs a hash of the whole credential."""

_SHOWN_CHARACTERS: Final = 200
"""Of what the proof says of itself and a report repeats."""


class Outcome(StrEnum):
    """What is known of one signature."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why a signature did not pass; the order is that of the module's table."""

    UNSUPPORTED_SUITE = "unsupported-suite"
    PROOF_CHAIN = "proof-chain"
    WRONG_PURPOSE = "wrong-purpose"
    MALFORMED_PROOF = "malformed-proof"
    OTHER_SIGNER = "other-signer"
    KEY_NOT_AVAILABLE = "key-not-available"
    KEY_NOT_LISTED = "key-not-listed"
    CONTEXT_MISMATCH = "context-mismatch"
    BAD_SIGNATURE = "bad-signature"


_LEFT_OPEN: Final = (
    Reason.UNSUPPORTED_SUITE,
    Reason.PROOF_CHAIN,
    Reason.KEY_NOT_AVAILABLE,
    Reason.KEY_NOT_LISTED,
)


@dataclass(frozen=True, slots=True)
class ProofOutcome:
    """One element of `proof`, judged."""

    suite: str
    """Its cryptosuite, or its type when it names none; empty when it names neither."""
    verification_method: str | None
    created: int | None
    """Unix seconds; None when it does not say."""
    expires: int | None
    """Unix seconds; a signature must not be relied on from then on. None: never."""
    outcome: Outcome
    reason: Reason | None
    """Why it did not pass."""
    problem: str = ""
    """With `key-not-available`: what the matter is with the DID document."""


def check_proofs(
    credential: dict[str, Any], issuer: IssuerDid | None = None
) -> tuple[ProofOutcome, ...]:
    """Return the outcome of every proof that is no anchor proof, in their order.

    `issuer` is the DID that `issuer.id` is; left out, no document of it is fetched.

    Raises:
        MalformedInputError: there are more than `MAX_PROOFS`.

    """
    proofs = other_proofs(credential)
    if len(proofs) > MAX_PROOFS:
        raise MalformedInputError(
            "too-many-proofs", f"{len(proofs)} proofs; at most {MAX_PROOFS} are checked"
        )
    issuer = issuer or IssuerDid(issuer_id_of(credential))
    document = SignedDocument(credential)
    return tuple(_check_proof(document, proof, issuer) for proof in proofs)


def _check_proof(document: SignedDocument, proof: object, issuer: IssuerDid) -> ProofOutcome:
    if not isinstance(proof, dict):
        return ProofOutcome("", None, None, None, Outcome.FAILED, Reason.MALFORMED_PROOF)
    method = proof.get("verificationMethod")
    reason = _reason(document, proof, method, issuer)
    return ProofOutcome(
        suite=_shown(proof.get("cryptosuite")) or _shown(proof.get("type")) or "",
        verification_method=_shown(method),
        created=_find_time(proof, "created"),
        expires=_find_time(proof, "expires"),
        outcome=_outcome(reason),
        reason=reason,
        problem=issuer.problem if reason is Reason.KEY_NOT_AVAILABLE else "",
    )


def _shown(text: object) -> str | None:
    return text[:_SHOWN_CHARACTERS] if isinstance(text, str) else None


def _outcome(reason: Reason | None) -> Outcome:
    if reason is None:
        return Outcome.PASSED
    return Outcome.UNKNOWN if reason in _LEFT_OPEN else Outcome.FAILED


def _reason(
    document: SignedDocument, proof: dict[str, Any], method: object, issuer: IssuerDid
) -> Reason | None:
    unfit = _unfitness(proof)
    if unfit is not None:
        return unfit
    if not isinstance(method, str) or not _are_times_readable(proof):
        return Reason.MALFORMED_PROOF
    if method.partition("#")[0] != issuer.did:
        return Reason.OTHER_SIGNER
    key = _find_key(method, issuer)
    return key if isinstance(key, Reason) else _signature_reason(document, proof, key)


def _find_key(method: str, issuer: IssuerDid) -> bytes | Reason:
    """Return the public key of the issuer's verification method, or why there is none."""
    if is_did_key(method):
        try:
            return parse_key_method(method)
        except MalformedInputError:
            return Reason.MALFORMED_PROOF
    document = issuer.find_document()
    if document is None:
        return Reason.KEY_NOT_AVAILABLE
    return document.assertion_keys.get(method, Reason.KEY_NOT_LISTED)


def _unfitness(proof: dict[str, Any]) -> Reason | None:
    """Return why `proof` is not of the kind that is judged here; None when it is."""
    if not is_supported(proof):
        return Reason.UNSUPPORTED_SUITE
    if "previousProof" in proof:
        return Reason.PROOF_CHAIN
    if proof.get("proofPurpose") != PURPOSE:
        return Reason.WRONG_PURPOSE
    return None


def _signature_reason(
    document: SignedDocument, proof: dict[str, Any], public: bytes
) -> Reason | None:
    try:
        verify_proof(document, proof, public)
    except MalformedInputError:
        return Reason.MALFORMED_PROOF
    except ProofError as error:
        return Reason(error.code)
    return None


def _are_times_readable(proof: dict[str, Any]) -> bool:
    return all(
        _find_time(proof, name) is not None for name in ("created", "expires") if name in proof
    )


def _find_time(proof: dict[str, Any], name: str) -> int | None:
    try:
        return parse_time(proof.get(name))
    except MalformedInputError:
        return None

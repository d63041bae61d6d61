"""Sign a credential and check one signature: Data Integrity, `eddsa-jcs-2022`.

    signed bytes   SHA-256(JCS(proof options)) || SHA-256(JCS(document))
    proof options  the proof without `proofValue`, with the document's `@context`
    document       the credential without `proof`: every proof signs the same document,
                   and none of them covers another
    proofValue     the Ed25519 signature in multibase base58btc

A proof that carries a `@context` signs the document under that context. The document may
have grown by further contexts after it, in that order; the anchor covers those too.

Source: W3C Data Integrity EdDSA Cryptosuites 1.0 section 3.3, VC Data Integrity 1.0.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from ledger.clock import format_time
from ledger.credentials.canonical import Surroundings, canonical_bytes
from ledger.credentials.did_key import (
    KEY_BYTES,
    format_base58btc,
    format_did_key,
    parse_base58btc,
)
from ledger.errors import MalformedInputError, ProofError
from ledger.primitives import sha256

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PROOF_TYPE: Final = "DataIntegrityProof"
CRYPTOSUITE: Final = "eddsa-jcs-2022"
PURPOSE: Final = "assertionMethod"
"""What a key must be allowed for to sign credentials."""

SIGNATURE_BYTES: Final = 64
"""Of an Ed25519 signature (RFC 8032 section 5.1.6)."""


_NONE: Final = object()


class SigningKey:
    """An Ed25519 key that signs credentials; nothing prints its secret."""

    __slots__ = ("_private", "did")

    did: str
    """The did:key of the public key."""

    def __init__(self, seed: bytes) -> None:
        """Make the key of a 32-byte seed.

        Raises:
            MalformedInputError: `seed` has another length.

        """
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        if len(seed) != KEY_BYTES:
            raise MalformedInputError("bad-seed", f"a signing seed has {KEY_BYTES} bytes")
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.did = format_did_key(self._private.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"SigningKey({self.did})"

    def reveal(self) -> bytes:
        """Return the secret seed."""
        return self._private.private_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of `message`; always the same for the same message."""
        return self._private.sign(message)


def is_supported(proof: dict[str, Any]) -> bool:
    """Return whether `proof` is of the one cryptosuite that is checked here."""
    return proof.get("type") == PROOF_TYPE and proof.get("cryptosuite") == CRYPTOSUITE


def sign(
    credential: dict[str, Any], key: SigningKey, *, created: int, verification_method: str
) -> dict[str, Any]:
    """Return `credential` with one more proof: `key`'s, said to be made at `created`.

    `verification_method` is the URL under which others find the key.

    Raises:
        MalformedInputError: the credential's `proof` is no array, or it has no RFC 8785 form.

    """
    proofs = credential.get("proof", [])
    if not isinstance(proofs, list):
        raise MalformedInputError(
            "lone-proof", "the credential's `proof` is no array: put the proof it has into one"
        )
    proof: dict[str, Any] = {
        "type": PROOF_TYPE,
        "cryptosuite": CRYPTOSUITE,
        "created": format_time(created),
        "verificationMethod": verification_method,
        "proofPurpose": PURPOSE,
    }
    if "@context" in credential:
        proof["@context"] = credential["@context"]
    proof["proofValue"] = format_base58btc(key.sign(signed_bytes(credential, proof)))
    return {**credential, "proof": [*proofs, proof]}


def signed_bytes(credential: dict[str, Any], proof: dict[str, Any]) -> bytes:
    """Return the 64 bytes that `proof` signs of `credential`.

    Raises:
        MalformedInputError: one of them has no RFC 8785 form.

    """
    return SignedDocument(credential).signed_bytes(proof)


class SignedDocument:
    """A credential as its proofs sign it; its form is made once for all of them."""

    def __init__(self, credential: dict[str, Any]) -> None:
        self.context = credential.get("@context", [])
        self._members = {name: value for name, value in credential.items() if name != "proof"}
        self._around_context: Surroundings | None = None

    def signed_bytes(self, proof: dict[str, Any]) -> bytes:
        """Return the 64 bytes that `proof` signs.

        Raises:
            MalformedInputError: the document or the proof has no RFC 8785 form.

        """
        options = {name: value for name, value in proof.items() if name != "proofValue"}
        hashed = sha256(canonical_bytes(options))
        if self._around_context is None:
            self._around_context = Surroundings(self._members, "@context")
        context = proof.get("@context", self._members.get("@context", _NONE))
        if context is _NONE:
            return hashed + sha256(self._around_context.bytes_without())
        return hashed + sha256(self._around_context.bytes_with(context))


def verify_proof(document: SignedDocument, proof: dict[str, Any], public: bytes) -> None:
    """Return if the Ed25519 key `public` made `proof` for `document`, else raise.

    Whose key that is, what the proof is for and when it was made is the caller's to judge.

    Raises:
        MalformedInputError: not an `eddsa-jcs-2022` proof, or a `proofValue` that is no
            signature.
        ProofError: `context-mismatch`, it was made under contexts which the credential
            does not begin with; `bad-signature`, the key did not sign this.

    """
    if not is_supported(proof):
        raise MalformedInputError("unsupported-suite", f"not a proof of the suite {CRYPTOSUITE}")
    value = proof.get("proofValue")
    if not isinstance(value, str):
        raise MalformedInputError("malformed-proof", "`proofValue` is no string")
    signature = parse_base58btc(value, length=SIGNATURE_BYTES)
    _check_context(document.context, proof)
    _check_signature(public, signature, document.signed_bytes(proof))


def _check_context(present: object, proof: dict[str, Any]) -> None:
    signed = proof.get("@context", [])
    signed = signed if isinstance(signed, list) else [signed]
    present = present if isinstance(present, list) else [present]
    # Not compared as Python values, where true and 1 are equal.
    if canonical_bytes(present[: len(signed)]) != canonical_bytes(signed):
        raise ProofError(
            "context-mismatch", "the credential does not begin with the contexts that were signed"
        )


def _check_signature(public: bytes, signature: bytes, message: bytes) -> None:
    from cryptography.exceptions import InvalidSignature

    try:
        _public_key(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise ProofError(
            "bad-signature", "the signature is not this key's for this document"
        ) from None


@lru_cache(maxsize=256)
def _public_key(public: bytes) -> "Ed25519PublicKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(public)

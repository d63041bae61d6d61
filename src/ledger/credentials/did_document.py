"""What of a DID document counts here: the keys that sign credentials, and the homes.

    "id": "<the DID>",
    "verificationMethod": [{"id": "<DID>#key-1", "type": "Multikey", "controller": "<DID>",
                            "publicKeyMultibase": "z6Mk..."}],
    "assertionMethod": ["<DID>#key-1"],
    "service": [{"id": "<DID>#ledger", "type": "LedgerIssuerHome",
                 "serviceEndpoint": "eip155:<chain id>:<registry>:<issuer id>"}]

A key counts when `assertionMethod` names it or has it inside, its `controller` is the DID, it
is Ed25519, and it is neither revoked nor past its `expires`. It is spelled as `Multikey` or
`Ed25519VerificationKey2020` with `publicKeyMultibase`, or as `JsonWebKey` or `JsonWebKey2020`
with `publicKeyJwk`. Ids may be relative to the DID (`#key-1`). An id that two methods have names
none of them. What is not understood is left out: others use a document for other things.

Source: W3C DID Core 1.0 section 5, Controlled Identifiers 1.0 section 2.2, RFC 8037 (JWK).
"""

import base64
import binascii
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ledger import strict_json
from ledger.credentials.did_key import KEY_BYTES, parse_multikey
from ledger.credentials.timestamps import parse_time
from ledger.errors import MalformedInputError

HOME_SERVICE_TYPE: Final = "LedgerIssuerHome"
"""The `type` of a service whose `serviceEndpoint` is a home."""

MAX_DOCUMENT_BYTES: Final = 256 * 2**10
"""Ours: a document has about 1 KB."""

_MULTIBASE_TYPES: Final = ("Multikey", "Ed25519VerificationKey2020")
_JWK_TYPES: Final = ("JsonWebKey", "JsonWebKey2020")


@dataclass(frozen=True, slots=True)
class DidDocument:
    """The DID's own word on its keys and homes."""

    assertion_keys: Mapping[str, bytes]
    """The Ed25519 public keys that may sign credentials, by absolute id."""
    homes: frozenset[str]
    """The homes it lists, as they are spelled there."""


def parse_did_document(data: bytes, did: str, *, now: int) -> DidDocument:
    """Return what the document of `did` says at `now`.

    Raises:
        MalformedInputError: no strict I-JSON of at most `MAX_DOCUMENT_BYTES`, no object, or
            the document of another DID.

    """
    value = strict_json.parse(data, max_bytes=MAX_DOCUMENT_BYTES)
    if not isinstance(value, dict) or value.get("id") != did:
        raise MalformedInputError("other-did-document", f"this is not the document of {did[:160]}")
    return DidDocument(
        assertion_keys=dict(_assertion_keys(value, did, now)), homes=frozenset(_homes(value))
    )


def _assertion_keys(document: dict[str, Any], did: str, now: int) -> Iterator[tuple[str, bytes]]:
    listed = _items(document.get("assertionMethod"))
    embedded = [item for item in listed if isinstance(item, dict)]
    methods = [
        item for item in _items(document.get("verificationMethod")) if isinstance(item, dict)
    ]
    named = {_absolute(item, did) for item in listed if isinstance(item, str)}
    named |= {_absolute(method.get("id"), did) for method in embedded}
    times = Counter(_absolute(method.get("id"), did) for method in methods + embedded)
    usable = {name for name in named if name and times[name] == 1}
    for method in methods + embedded:
        identifier = _absolute(method.get("id"), did)
        if identifier in usable and _is_in_force(method, did, now):
            key = _find_key(method)
            if key is not None:
                yield identifier, key


def _is_in_force(method: dict[str, Any], did: str, now: int) -> bool:
    if method.get("controller") != did or "revoked" in method:
        return False
    try:
        return "expires" not in method or now < parse_time(method["expires"])
    except MalformedInputError:
        return False


def _find_key(method: dict[str, Any]) -> bytes | None:
    """Return the Ed25519 key of a verification method; None when it is of another kind."""
    if method.get("type") in _MULTIBASE_TYPES:
        spelled = method.get("publicKeyMultibase")
        try:
            return parse_multikey(spelled) if isinstance(spelled, str) else None
        except MalformedInputError:
            return None
    if method.get("type") in _JWK_TYPES:
        return _find_jwk(method.get("publicKeyJwk"))
    return None


def _find_jwk(jwk: object) -> bytes | None:
    if not isinstance(jwk, dict) or (jwk.get("kty"), jwk.get("crv")) != ("OKP", "Ed25519"):
        return None
    try:
        # 32 bytes are 43 letters of base64url, and JWK leaves the padding out.
        key = base64.b64decode(f"{jwk.get('x')}=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None


def _homes(document: dict[str, Any]) -> Iterator[str]:
    for service in _items(document.get("service")):
        if isinstance(service, dict) and HOME_SERVICE_TYPE in _items(service.get("type")):
            endpoints = _items(service.get("serviceEndpoint"))
            yield from (home for home in endpoints if isinstance(home, str))


def _items(value: object) -> list[Any]:
    """Return an array as it is, and anything else as an array of one; nothing as none."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _absolute(identifier: object, did: str) -> str:
    """Return an id with its DID in front; empty when it is none of this DID."""
    if not isinstance(identifier, str):
        return ""
    whole = did + identifier if identifier.startswith("#") else identifier
    return whole if whole.startswith(f"{did}#") else ""

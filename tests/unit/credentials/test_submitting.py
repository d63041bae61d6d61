"""Which credentials made elsewhere an issuer may submit, and what is kept of them."""

import json
from typing import Any

import pytest

from ledger.credentials.canonical import CREDENTIAL_TYPE, credential_digest, is_embeddable
from ledger.credentials.signature import SigningKey, sign
from ledger.credentials.submitting import MAX_KEPT_BYTES, Offer, read_offer
from ledger.errors import MalformedInputError
from ledger.primitives import Address, Canonicalization, Home, sha256
from ledger.strict_json import parse

from .conftest import HOME, NOW

DID = "did:example:issuer"
PLAIN: dict[str, Any] = {"type": [CREDENTIAL_TYPE], "issuer": {"id": DID}}


def offer_of(credential: dict[str, Any], did: str = DID) -> Offer:
    return read_offer(json.dumps(credential).encode(), "a.json", did=did, home=HOME)


def refusal_of(credential: dict[str, Any], did: str = DID) -> str:
    with pytest.raises(MalformedInputError) as caught:
        offer_of(credential, did)
    return caught.value.code


def test_a_signed_credential_is_kept_as_its_canonical_bytes(
    signed: dict[str, Any], key: SigningKey
) -> None:
    offer = offer_of(signed, key.did)
    assert offer.canonicalization is Canonicalization.RFC8785
    assert offer.digest == credential_digest(signed)
    assert offer.document is not None
    assert sha256(offer.document) == offer.digest
    assert json.loads(offer.document) == signed
    assert offer.label == "a.json"


def test_a_file_leaves_its_digest_and_its_name() -> None:
    offer = read_offer(b"%PDF", "diploma.pdf", did=DID, home=HOME)
    assert offer == Offer(sha256(b"%PDF"), Canonicalization.NONE, None, "diploma.pdf")


@pytest.mark.parametrize("issuer", [DID, {"id": DID}])
def test_an_unsigned_credential_that_names_no_home_is_accepted(issuer: object) -> None:
    assert offer_of({"type": CREDENTIAL_TYPE, "issuer": issuer}).document is not None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"issuer": None}, "no-issuer-id"),
        ({"issuer": {"name": "A"}}, "no-issuer-id"),
        ({"issuer": DID + "2"}, "other-issuer"),
        ({"issuer": DID.upper()}, "other-issuer"),
        ({"proof": {"type": "LedgerAnchorProof"}}, "lone-anchor-proof"),
        ({"proof": [{"type": "LedgerAnchorProof"}] * 2}, "several-anchor-proofs"),
        ({"proof": [{"type": "x"}] * 33}, "too-many-proofs"),
        ({"proof": ["x"]}, "failed-signature"),
        ({"number": 1e20}, "integer-too-large"),
        ({"text": "a" * MAX_KEPT_BYTES}, "too-large"),
    ],
)
def test_what_could_never_be_valid_or_read_again_is_refused(
    change: dict[str, Any], code: str
) -> None:
    assert refusal_of(PLAIN | change) == code


def test_a_credential_at_home_elsewhere_is_refused(signed: dict[str, Any], key: SigningKey) -> None:
    elsewhere = Home(HOME.chain, Address(bytes(20)), HOME.issuer)
    with pytest.raises(MalformedInputError) as caught:
        read_offer(json.dumps(signed).encode(), "", did=key.did, home=elsewhere)
    assert caught.value.code == "other-home"


def test_a_changed_credential_is_refused_for_its_signature(
    signed: dict[str, Any], key: SigningKey
) -> None:
    assert refusal_of(signed | {"name": "Another"}, key.did) == "failed-signature"


def test_a_signature_that_nobody_here_can_judge_is_no_reason_to_refuse() -> None:
    proof = {"type": "DataIntegrityProof", "cryptosuite": "ecdsa-sd-2023"}
    assert offer_of(PLAIN | {"proof": [proof]}).document is not None


@pytest.mark.parametrize(
    ("anchor", "here"),
    [
        (
            {
                "chain": "eip155:31337",
                "registry": str(HOME).split(":")[2],
                "issuer": 7,
                "root": "x",
            },
            True,
        ),
        ({"chain": "eip155:1", "registry": str(HOME).split(":")[2], "issuer": 7}, False),
        ({}, False),
        ("x", False),
    ],
)
def test_an_anchor_proof_is_not_kept_and_its_home_is_noticed(anchor: object, here: bool) -> None:  # noqa: FBT001
    offer = offer_of(PLAIN | {"proof": [{"type": "LedgerAnchorProof", "anchor": anchor}]})
    assert offer.is_anchored_here is here
    assert offer.document == offer_of(PLAIN).document


def test_a_lone_proof_is_kept_as_it_stands() -> None:
    credential = PLAIN | {"proof": {"type": "DataIntegrityProof", "cryptosuite": "x"}}
    kept = offer_of(credential).document
    assert kept is not None
    assert parse(kept, max_bytes=MAX_KEPT_BYTES) == credential
    assert not is_embeddable(credential)


def test_signing_after_anchoring_elsewhere_is_of_no_matter(
    badge: dict[str, Any], key: SigningKey
) -> None:
    signed = sign(badge, key, created=NOW, verification_method=f"{key.did}#{key.did[8:]}")
    signed["proof"].append({"type": "LedgerAnchorProof", "anchor": {}})
    assert offer_of(signed, key.did).document is not None

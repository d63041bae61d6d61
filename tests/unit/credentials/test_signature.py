"""Signing a credential, and checking one signature."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from ledger.credentials.canonical import credential_digest, embed
from ledger.credentials.did_key import key_method, parse_key_method
from ledger.credentials.signature import SignedDocument, SigningKey, sign
from ledger.credentials.signature import verify_proof as verify_with
from ledger.errors import LedgerError, MalformedInputError, ProofError

NOW = 1_790_000_000
ANCHOR = {"type": "LedgerAnchorProof"}


def verify_proof(credential: dict[str, Any], proof: dict[str, Any]) -> None:
    """Verify with the key that the proof names."""
    verify_with(SignedDocument(credential), proof, parse_key_method(proof["verificationMethod"]))


def refusal(credential: dict[str, Any], proof: dict[str, Any]) -> LedgerError:
    with pytest.raises(LedgerError) as caught:
        verify_proof(credential, proof)
    return caught.value


def test_a_signature_passes(signed: dict[str, Any]) -> None:
    verify_proof(signed, signed["proof"][0])


def test_signing_leaves_the_argument_alone(badge: dict[str, Any], key: SigningKey) -> None:
    before = copy.deepcopy(badge)
    sign(badge, key, created=NOW, verification_method=key_method(key.did))
    assert badge == before


def test_signing_twice_gives_the_same_bytes(
    badge: dict[str, Any], signed: dict[str, Any], key: SigningKey
) -> None:
    assert sign(badge, key, created=NOW, verification_method=key_method(key.did)) == signed


def test_a_second_signature_is_added_and_both_pass(signed: dict[str, Any]) -> None:
    other = SigningKey(bytes(32))
    both = sign(signed, other, created=NOW, verification_method=key_method(other.did))
    assert both["proof"][0] == signed["proof"][0]
    for proof in both["proof"]:
        verify_proof(both, proof)


def test_an_anchor_proof_does_not_disturb_the_signature(signed: dict[str, Any]) -> None:
    anchored = embed(signed, ANCHOR)
    verify_proof(anchored, anchored["proof"][0])
    assert credential_digest(anchored) == credential_digest(signed)


def test_a_credential_without_context_can_be_signed(key: SigningKey) -> None:
    credential = {"type": "VerifiableCredential"}
    signed = sign(credential, key, created=NOW, verification_method=key_method(key.did))
    verify_proof(signed, signed["proof"][0])


def test_a_credential_with_a_lone_proof_is_not_signed(
    badge: dict[str, Any], key: SigningKey
) -> None:
    with pytest.raises(MalformedInputError) as caught:
        sign({**badge, "proof": {}}, key, created=NOW, verification_method="x")
    assert caught.value.code == "lone-proof"


CHANGES: list[Callable[[dict[str, Any]], Any]] = [
    lambda c: c.update(name="Another"),
    lambda c: c.update(added=True),
    lambda c: c.pop("validFrom"),
    lambda c: c["issuer"].update(id="did:example:other"),
    lambda c: c["proof"][0].update(created="2026-09-21T14:13:21Z"),
    lambda c: c["proof"][0].update(proofPurpose="authentication"),
    lambda c: c["proof"][0].update(expires="2036-09-21T14:13:21Z"),
    lambda c: c["proof"][0].pop("@context"),
    lambda c: c["proof"][0].update({"@context": c["@context"][:2]}),
    lambda c: c["proof"][0].update(verificationMethod=key_method(SigningKey(bytes(32)).did)),
]


@pytest.mark.parametrize("change", CHANGES, ids=range(len(CHANGES)))
def test_any_change_breaks_the_signature(
    signed: dict[str, Any], change: Callable[[dict[str, Any]], Any]
) -> None:
    changed = copy.deepcopy(signed)
    change(changed)
    error = refusal(changed, changed["proof"][0])
    assert isinstance(error, ProofError)
    assert error.code == "bad-signature"


def test_contexts_may_follow_the_signed_ones(signed: dict[str, Any]) -> None:
    grown = {**signed, "@context": [*signed["@context"], "https://example.org/more"]}
    verify_proof(grown, signed["proof"][0])


@pytest.mark.parametrize("contexts", [[], ["https://www.w3.org/ns/credentials/v2"], "x", None])
def test_the_signed_contexts_must_come_first(signed: dict[str, Any], contexts: object) -> None:
    error = refusal({**signed, "@context": contexts}, signed["proof"][0])
    assert isinstance(error, ProofError)
    assert error.code == "context-mismatch"


def test_one_and_true_are_two_contexts(badge: dict[str, Any], key: SigningKey) -> None:
    grown = {**badge, "@context": [*badge["@context"], {"@version": 1}]}
    signed = sign(grown, key, created=NOW, verification_method=key_method(key.did))
    changed = {**signed, "@context": [*badge["@context"], {"@version": True}]}
    assert refusal(changed, signed["proof"][0]).code == "context-mismatch"


@pytest.mark.parametrize(
    ("member", "value", "code"),
    [
        ("type", "Ed25519Signature2020", "unsupported-suite"),
        ("cryptosuite", "eddsa-rdfc-2022", "unsupported-suite"),
        ("cryptosuite", ["eddsa-jcs-2022"], "unsupported-suite"),
        ("proofValue", None, "malformed-proof"),
        ("proofValue", 7, "malformed-proof"),
        ("proofValue", "", "not-base58btc"),
        ("proofValue", "z", "not-base58btc"),
        ("proofValue", "zzzz", "not-base58btc"),
        ("proofValue", "u" + "A" * 86, "not-base58btc"),
        ("verificationMethod", "did:web:example.org#key", "not-a-did-key"),
        ("verificationMethod", "did:key:zzz", "not-base58btc"),
        ("nonce", 2**60, "not-canonical"),
    ],
)
def test_a_malformed_proof_is_refused_by_name(
    signed: dict[str, Any], member: str, value: object, code: str
) -> None:
    error = refusal(signed, {**signed["proof"][0], member: value})
    assert isinstance(error, MalformedInputError)
    assert error.code == code


def test_the_method_may_be_the_bare_did_but_no_other_fragment(
    badge: dict[str, Any], key: SigningKey
) -> None:
    bare = sign(badge, key, created=NOW, verification_method=key.did)
    verify_proof(bare, bare["proof"][0])
    other = sign(badge, key, created=NOW, verification_method=f"{key.did}#other")
    assert refusal(other, other["proof"][0]).code == "not-a-did-key"


def test_a_signing_key_never_shows_its_seed() -> None:
    seed = bytes(range(100, 132))
    key = SigningKey(seed)
    assert repr(key) == f"SigningKey({key.did})"
    assert str(key) == repr(key)
    with pytest.raises(TypeError):
        pickle.dumps(key)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_seed_has_32_bytes(length: int) -> None:
    with pytest.raises(MalformedInputError) as caught:
        SigningKey(bytes(length))
    assert caught.value.code == "bad-seed"

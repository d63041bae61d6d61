"""The W3C test vector for the cryptosuite eddsa-jcs-2022."""

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.credentials.canonical import canonical_bytes
from ledger.credentials.did_key import (
    format_base58btc,
    parse_base58btc,
    parse_did_key,
    parse_key_method,
)
from ledger.credentials.proof_check import Reason, check_proofs
from ledger.credentials.signature import (
    SignedDocument,
    SigningKey,
    sign,
    signed_bytes,
    verify_proof,
)
from ledger.credentials.timestamps import parse_time
from ledger.errors import ProofError
from ledger.primitives import sha256


class Vector:
    """The files of the vector."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def text(self, name: str) -> str:
        return (self._folder / name).read_text("utf-8").strip()

    def json(self, name: str) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.text(name))
        return value

    @property
    def key(self) -> SigningKey:
        # 0x80 0x26 is the multicodec of an Ed25519 private key.
        encoded = parse_base58btc(self.json("keyPair.json")["privateKeyMultibase"], length=34)
        assert encoded[:2] == b"\x80\x26"
        return SigningKey(encoded[2:])


@pytest.fixture
def vector(vectors: Path) -> Vector:
    return Vector(vectors / "eddsa-jcs-2022")


def test_the_canonical_forms_and_hashes_are_met(vector: Vector) -> None:
    document, options = vector.json("unsigned.json"), vector.json("proofConfigJCS.json")
    assert canonical_bytes(document).decode() == vector.text("canonDocJCS.txt")
    assert canonical_bytes(options).decode() == vector.text("proofCanonJCS.txt")
    assert sha256(canonical_bytes(document)).hex() == vector.text("docHashJCS.txt")
    assert sha256(canonical_bytes(options)).hex() == vector.text("proofHashJCS.txt")
    assert signed_bytes(document, options).hex() == vector.text("combinedHashJCS.txt")


def test_the_key_pair_is_one(vector: Vector) -> None:
    assert vector.key.did == f"did:key:{vector.json('keyPair.json')['publicKeyMultibase']}"
    assert len(parse_did_key(vector.key.did)) == 32


def test_signing_again_gives_the_published_bytes(vector: Vector) -> None:
    options = vector.json("proofConfigJCS.json")
    signed = sign(
        vector.json("unsigned.json"),
        vector.key,
        created=parse_time(options["created"]),
        verification_method=options["verificationMethod"],
    )
    assert signed["proof"] == [vector.json("signedJCS.json")["proof"]]
    value = signed["proof"][0]["proofValue"]
    assert value == vector.text("sigBTC58JCS.txt")
    assert parse_base58btc(value, length=64).hex() == vector.text("sigHexJCS.txt")
    assert format_base58btc(bytes.fromhex(vector.text("sigHexJCS.txt"))) == value


def test_the_published_signature_passes_and_a_change_breaks_it(vector: Vector) -> None:
    signed = vector.json("signedJCS.json")
    key = parse_key_method(signed["proof"]["verificationMethod"])
    verify_proof(SignedDocument(signed), signed["proof"], key)
    with pytest.raises(ProofError):
        verify_proof(SignedDocument({**signed, "name": "Another"}), signed["proof"], key)


def test_its_signer_is_not_its_issuer(vector: Vector) -> None:
    (outcome,) = check_proofs(vector.json("signedJCS.json"))
    assert outcome.reason is Reason.OTHER_SIGNER


def test_the_other_suite_of_the_same_key_is_not_judged(vectors: Path) -> None:
    signed = json.loads((vectors / "eddsa-rdfc-2022" / "signedDataInt.json").read_text("utf-8"))
    (outcome,) = check_proofs(signed)
    assert outcome.reason is Reason.UNSUPPORTED_SUITE

"""The digest of a credential and the anchor proof inside it."""

from typing import Any

import pytest

from ledger.credentials.canonical import (
    canonical_bytes,
    credential_digest,
    embed,
    find_anchor_proof,
    is_credential,
    other_proofs,
    without_anchor_proof,
)
from ledger.errors import MalformedInputError
from ledger.primitives import sha256

BARE: dict[str, Any] = {"type": ["VerifiableCredential"], "name": "Zoé"}
SIGNATURE = {"type": "DataIntegrityProof"}
ANCHOR = {"type": "LedgerAnchorProof", "anchor": 1}


def test_the_digest_is_that_of_the_canonical_form() -> None:
    expected = '{"name":"Zoé","type":["VerifiableCredential"]}'.encode()
    assert canonical_bytes(BARE) == expected
    assert credential_digest(BARE) == sha256(expected)


@pytest.mark.parametrize("proofs", [[], [ANCHOR]])
def test_an_array_without_other_proofs_digests_like_no_proof(proofs: list[Any]) -> None:
    assert credential_digest({**BARE, "proof": proofs}) == credential_digest(BARE)


def test_other_proofs_stay_in_the_digest_in_their_order() -> None:
    signed = {**BARE, "proof": [SIGNATURE, {"type": "Other"}]}
    anchored = {**BARE, "proof": [SIGNATURE, ANCHOR, {"type": "Other"}]}
    assert credential_digest(anchored) == credential_digest(signed)
    assert credential_digest(signed) != credential_digest(BARE)
    assert without_anchor_proof(anchored) == signed


@pytest.mark.parametrize(
    "proof", [SIGNATURE, None, "text", 7, [[ANCHOR]], [{"type": ["LedgerAnchorProof"]}]]
)
def test_anything_else_is_digested_as_it_stands(proof: object) -> None:
    credential = {**BARE, "proof": proof}
    assert credential_digest(credential) == sha256(canonical_bytes(credential))
    assert find_anchor_proof(credential) is None


def test_the_anchor_proof_is_found_between_others() -> None:
    assert find_anchor_proof({**BARE, "proof": [SIGNATURE, ANCHOR]}) == ANCHOR
    assert find_anchor_proof(BARE) is None


@pytest.mark.parametrize(
    ("proof", "code"),
    [(ANCHOR, "lone-anchor-proof"), ([ANCHOR, SIGNATURE, ANCHOR], "several-anchor-proofs")],
)
def test_a_lone_or_second_anchor_proof_is_malformed(proof: object, code: str) -> None:
    with pytest.raises(MalformedInputError) as caught:
        find_anchor_proof({**BARE, "proof": proof})
    assert caught.value.code == code


@pytest.mark.parametrize("proofs", [{}, {"proof": []}, {"proof": [SIGNATURE]}])
def test_embedding_keeps_the_digest_and_the_argument(proofs: dict[str, Any]) -> None:
    credential = {**BARE, **proofs}
    before = canonical_bytes(credential)
    anchored = embed(credential, ANCHOR)
    assert find_anchor_proof(anchored) == ANCHOR
    assert credential_digest(anchored) == credential_digest(credential)
    assert canonical_bytes(credential) == before


def test_embedding_replaces_an_older_anchor_proof() -> None:
    newer = {**ANCHOR, "anchor": 2}
    assert embed({**BARE, "proof": [ANCHOR, SIGNATURE]}, newer)["proof"] == [SIGNATURE, newer]


@pytest.mark.parametrize("proof", [SIGNATURE, None, "text"])
def test_embedding_is_refused_where_proof_is_no_array(proof: object) -> None:
    with pytest.raises(MalformedInputError) as caught:
        embed({**BARE, "proof": proof}, ANCHOR)
    assert caught.value.code == "lone-proof"


def test_a_lone_proof_counts_as_one_of_the_others() -> None:
    assert other_proofs({**BARE, "proof": SIGNATURE}) == [SIGNATURE]
    assert other_proofs({**BARE, "proof": [ANCHOR, SIGNATURE]}) == [SIGNATURE]
    assert other_proofs(BARE) == []


@pytest.mark.parametrize(
    "value",
    [{"type": "VerifiableCredential"}, {"type": ["OpenBadgeCredential", "VerifiableCredential"]}],
)
def test_a_credential_is_an_object_of_that_type(value: object) -> None:
    assert is_credential(value)


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        None,
        "VerifiableCredential",
        {"type": "VerifiableCredential2"},
        {"type": [["VerifiableCredential"]]},
        {"type": {"VerifiableCredential": 1}},
        [{"type": "VerifiableCredential"}],
    ],
)
def test_nothing_else_is_a_credential(value: object) -> None:
    assert not is_credential(value)


@pytest.mark.parametrize(
    "value",
    [
        2**53,
        -(2**53),
        float("nan"),
        float("inf"),
        "\ud800",
        {"\udfff": 1},
        {1: 2},
        {None: 2},
        [b"bytes"],
        {1, 2},
    ],
)
def test_what_has_no_canonical_form_is_malformed(value: object) -> None:
    with pytest.raises(MalformedInputError) as caught:
        canonical_bytes([value])
    assert caught.value.code == "not-canonical"


def test_a_value_too_deep_for_the_interpreter_is_malformed() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(MalformedInputError) as caught:
        canonical_bytes(value)
    assert caught.value.code == "too-deep"

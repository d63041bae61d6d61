"""What can be submitted, and what is refused before any check."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.credentials.document import document_of
from ledger.errors import LedgerError, MalformedInputError
from ledger.primitives import Canonicalization, sha256
from ledger.proofs.file import format_embedded, format_proof_file
from ledger.verification.report import Verdict
from ledger.verification.submission import read_submission
from tests.unit.verification_world import (
    World,
    credential,
    described,
    encode,
    outcomes,
    proof_of,
    signed,
)


def refused(data: bytes, document: bytes | None = None) -> str:
    """Return the code with which a submission is refused."""
    with pytest.raises(MalformedInputError) as caught:
        read_submission(data, document)
    return caught.value.code


def test_a_credential_without_an_anchor_proof_is_never_valid() -> None:
    world = World()
    report = world.verify(encode(world.badge))
    assert (report.verdict, outcomes(report)) == (Verdict.UNKNOWN, "psuuuuuuppp")
    assert described(report, 4) == ("unknown", "no-anchor-proof")
    assert report.anchor is None
    assert world.chain.round_trips == 0


def test_a_forged_credential_without_an_anchor_proof_is_invalid() -> None:
    world = World()
    report = world.verify(encode({**world.badge, "name": "Brain surgery"}))
    assert report.verdict is Verdict.INVALID
    assert described(report, 9) == ("failed", "bad-signature")


def test_a_file_alone_asks_for_its_proof() -> None:
    assert refused(b"%PDF-1.7") == "not-a-proof"
    assert refused(b"") == "not-a-proof"
    assert refused(b"[1, 2]") == "not-a-proof"


def test_an_object_that_is_neither_is_refused_with_the_place() -> None:
    assert refused(b"{}") == "missing-member"
    assert refused(b'{"format": 1}') == "wrong-type"
    assert refused(b'{"format": ') == "not-json"


def test_a_document_is_given_once() -> None:
    world = World()
    assert refused(world.embedded, world.embedded) == "document-not-needed"
    assert refused(encode(world.badge), world.embedded) == "document-not-needed"
    assert refused(world.carrying, world.embedded) == "document-twice"


def test_a_proof_of_a_file_is_none_of_a_credential() -> None:
    world = World()
    raw = replace(world.proof, canonicalization=Canonicalization.NONE)
    proof = encode(format_proof_file(raw))
    assert refused(proof, encode(world.badge)) == "wrong-canonicalization"
    inside = {**world.badge, "proof": [format_embedded(raw)]}
    assert refused(encode(inside)) == "wrong-value"


def test_a_proof_of_a_credential_is_none_of_a_file() -> None:
    content = b"%PDF-1.7"
    proof = encode(format_proof_file(proof_of(sha256(content))))
    assert refused(proof, content) == "wrong-canonicalization"


def test_a_member_called_credential_must_be_one() -> None:
    proof = {**format_proof_file(World().proof), "credential": {"type": "Diploma"}}
    assert refused(encode(proof)) == "not-a-credential"


@pytest.mark.parametrize(
    "respelled",
    [
        lambda text: text.replace(b'"type"', b'"type": [], "type"', 1),
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.decode().encode("utf-16"),
        lambda text: text + b"{}",
        lambda text: text.replace(b'"name"', b'"score": NaN, "name"', 1),
        lambda text: text.replace(b'"name"', b'"score": 9007199254740993, "name"', 1),
        lambda text: b"// a comment\n" + text,
    ],
    ids=["twice a member", "mark", "utf-16", "junk after", "NaN", "huge", "comment"],
)
def test_a_credential_respelled_is_not_laundered_into_a_file(respelled: Any) -> None:
    document = respelled(encode(signed(credential())))
    proof = proof_of(sha256(document), canonicalization=Canonicalization.NONE)
    assert refused(encode(format_proof_file(proof)), document)
    assert refused(document)


def test_two_anchor_proofs_are_refused() -> None:
    world = World()
    proof = format_embedded(world.proof)
    assert refused(encode({**world.badge, "proof": [proof, proof]})) == "several-anchor-proofs"
    assert refused(encode({**world.badge, "proof": proof})) == "lone-anchor-proof"


def test_a_malformed_anchor_proof_hides_nothing_in_a_document_beside_its_proof() -> None:
    world = World()
    smuggled = {"type": "LedgerAnchorProof", "name": "Doctor of medicine"}
    document = {**world.badge, "proof": [*world.badge["proof"], smuggled]}
    assert document_of(document).digest == world.proof.digest
    assert refused(world.detached, encode(document)) == "missing-member"
    carrying = replace(world.proof, credential=document)
    assert refused(encode(format_proof_file(carrying))) == "missing-member"
    assert refused(encode(document)) == "missing-member"


def test_a_well_formed_anchor_proof_in_a_document_beside_its_proof_is_left_alone() -> None:
    world = World()
    assert world.verify(world.detached, document=world.embedded).verdict is Verdict.VALID
    later = world.embedded.replace(b"ledger-proof/1", b"ledger-proof/9")
    assert world.verify(world.detached, document=later).verdict is Verdict.VALID


def test_an_unknown_format_beside_a_file_says_so() -> None:
    world = World()
    report = world.verify(b'{"format": "ledger-proof/2"}', document=b"%PDF-1.7")
    assert (report.verdict, outcomes(report)) == (Verdict.UNKNOWN, "uuuuuuuusss")


@given(st.binary(), st.none() | st.binary())
def test_garbage_is_refused_by_name(data: bytes, document: bytes | None) -> None:
    with suppress(LedgerError):
        read_submission(data, document)

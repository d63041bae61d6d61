"""What is submitted is stored once, whole or not at all, and its ids come in the order given."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from ledger.batches import sealing
from ledger.batches.delivery import ProofWriter, badge, deliver, file_name
from ledger.batches.status import BatchStatus
from ledger.credentials import submitting
from ledger.credentials.canonical import canonical_bytes, find_anchor_proof
from ledger.credentials.document import MAX_CREDENTIAL_BYTES, read_document
from ledger.credentials.store import count_waiting, find_credential, read_batch
from ledger.credentials.submitting import MAX_KEPT_BYTES, Accepted, Offer, accept
from ledger.database import Database
from ledger.errors import ConflictError
from ledger.primitives import Address, Canonicalization, Hash32, Home, sha256
from ledger.proofs.file import parse_embedded, parse_proof_file

from .conftest import ISSUER

HOME = Home(31337, Address(bytes(range(20))), ISSUER)


class Crash(BaseException):
    """Stands for `kill -9`: not an Exception, so no handler can tidy up."""


def digests(*numbers: int) -> list[Offer]:
    return [Offer(sha256(b"%d" % number), Canonicalization.NONE) for number in numbers]


def submit(database: Database, offers: list[Offer]) -> tuple[list[str], Accepted]:
    ids: list[str] = []
    return ids, accept(database, ISSUER, offers, now=1, on_ids=ids.extend)


def waiting(database: Database) -> int:
    with database.read() as tx:
        return count_waiting(tx, ISSUER)


def test_ids_come_in_the_order_given_and_known_digests_keep_theirs(database: Database) -> None:
    (one, two), accepted = submit(database, digests(1, 2))
    assert accepted == Accepted(new=2, known=0)
    ids, accepted = submit(database, digests(3, 2, 3, 1, 4))
    assert accepted == Accepted(new=2, known=3)
    assert (ids[1], ids[3], ids[0]) == (two, one, ids[2])
    assert len(set(ids)) == 4
    with database.read() as tx:
        for public_id, offer in zip(ids, digests(3, 2, 3, 1, 4), strict=True):
            found = find_credential(tx, public_id)
            assert found is not None
            assert found.digest == offer.digest
    assert waiting(database) == 4


@pytest.mark.parametrize("count", [999, 1000, 1001, 2500])
def test_pages_make_no_difference(database: Database, count: int) -> None:
    twice = [*range(count), *range(count)]
    ids, accepted = submit(database, digests(*twice))
    assert accepted == Accepted(new=count, known=count)
    assert ids[:count] == ids[count:]
    assert len(set(ids)) == count == waiting(database)


@pytest.mark.parametrize("error", [Crash, ConflictError("x", "x")])
def test_dying_half_way_accepts_nothing(database: Database, error: object) -> None:
    with (
        patch.object(submitting, "add_credentials", side_effect=[None, error]),
        pytest.raises((Crash, ConflictError)),
    ):
        submit(database, digests(*range(1_500)))
    assert waiting(database) == 0


def test_an_anchor_proof_of_this_issuer_needs_its_anchor_here(database: Database) -> None:
    anchored = Offer(sha256(b"1"), Canonicalization.RFC8785, b"{}", "a.json", is_anchored_here=True)
    with pytest.raises(ConflictError) as caught:
        submit(database, [*digests(2), anchored])
    assert caught.value.code == "already-anchored"
    assert waiting(database) == 0
    known, _ = submit(database, digests(1))
    assert submit(database, [anchored]) == (known, Accepted(new=0, known=1))


def offer_of(credential: dict[str, Any], label: str) -> Offer:
    document = canonical_bytes(credential)
    return Offer(sha256(document), Canonicalization.RFC8785, document, label)


def test_every_kind_gets_the_file_that_can_be_verified(database: Database, tmp_path: Path) -> None:
    """A badge with its proof inside, a proof file with the credential, a proof file alone."""
    kinds = {"type": "VerifiableCredential", "credentialSubject": {"identifier": "x"}}
    name = {"identifier": [{"identityType": "name", "identityHash": "=cmd()"}]}
    badge_like = kinds | {"credentialSubject": name, "proof": [{"type": "x"}]}
    lone = kinds | {"proof": {"type": "x"}}
    offers = [
        offer_of(badge_like, "-1+1.json"),
        offer_of(lone, "lone.json"),
        Offer(sha256(b"%PDF"), Canonicalization.NONE, None, "diploma.pdf"),
        *digests(5),
    ]
    ids, _ = submit(database, offers)
    batch = sealing.seal(database, ISSUER, now=2)
    assert batch is not None
    with database.read() as tx:
        proofs = ProofWriter(tx, batch, HOME)
        stored = list(read_batch(tx, batch.id))
        made = [badge(one, proofs.proof(one)) for one in stored]
    assert [one.label for one in stored] == ["-1+1.json", "lone.json", "diploma.pdf", None]
    embedded = find_anchor_proof(made[0])
    assert embedded is not None
    assert parse_embedded(embedded).digest == offers[0].digest
    detached = [parse_proof_file(json.dumps(content).encode()) for content in made[1:]]
    assert [proof.digest for proof in detached] == [offer.digest for offer in offers[1:]]
    assert [proof.credential for proof in detached] == [lone, None, None]
    names = [file_name(*pair) for pair in zip(stored, made, strict=True)]
    assert names == [f"{ids[0]}.json", *(f"{public_id}.proof.json" for public_id in ids[1:])]
    deliver(database, replace(batch, status=BatchStatus.FINAL), HOME, tmp_path, now=3)
    (index,) = tmp_path.glob("*.csv")
    rows = list(csv.DictReader(index.read_text("utf-8").splitlines()))
    assert [row["file"] for row in rows] == names
    assert [row["name"] for row in rows] == ["'=cmd()", "", "", ""]
    assert [row["submitted_as"] for row in rows] == ["'-1+1.json", "lone.json", "diploma.pdf", ""]
    for name_, content in zip(names, made, strict=True):
        assert json.loads((tmp_path / name_).read_text("utf-8")) == content


def test_a_badge_as_large_as_may_be_is_read_again(database: Database, tmp_path: Path) -> None:
    """Indented, its white space alone would make it too large."""
    credential: dict[str, Any] = {"type": "VerifiableCredential", "x": []}
    credential["x"] = [0] * ((MAX_KEPT_BYTES - len(canonical_bytes(credential))) // 2)
    offer = offer_of(credential, "large.json")
    (public_id,), _ = submit(database, [offer])
    batch = sealing.seal(database, ISSUER, now=2)
    assert batch is not None
    deliver(database, replace(batch, status=BatchStatus.FINAL), HOME, tmp_path, now=3)
    written = (tmp_path / f"{public_id}.json").read_bytes()
    assert len(written) <= MAX_CREDENTIAL_BYTES
    assert read_document(written).digest == Hash32(offer.digest)

"""Open Badges made by others, and ours against the schema of 1EdTech."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ledger.credentials.canonical import embed
from ledger.credentials.did_key import key_method
from ledger.credentials.document import read_document
from ledger.credentials.openbadge import Builder, draw_id, draw_salt
from ledger.credentials.profile import IssuerProfile
from ledger.credentials.roster_csv import read_csv
from ledger.credentials.shape import check_shape
from ledger.credentials.signature import SigningKey, sign
from ledger.credentials.template import parse_template
from ledger.primitives import Address, Home

NOW = 1_790_000_000

Credential = dict[str, Any]


@pytest.fixture(scope="module")
def schema(vectors: Path) -> jsonschema.Draft201909Validator:
    path = vectors / "ob3" / "schemas" / "ob_v3p0_achievementcredential_schema.json"
    return jsonschema.Draft201909Validator(
        json.loads(path.read_text("utf-8")),
        format_checker=jsonschema.Draft201909Validator.FORMAT_CHECKER,
    )


@pytest.fixture(scope="module")
def examples(vectors: Path) -> dict[str, Credential]:
    """Every credential of other people, by its file's name."""
    found = [
        *(vectors / "ob3" / "examples").glob("*.json"),
        *(vectors / "ob3-validator").glob("*.json"),
        vectors / "microcredential" / "ob3-annex1-example.json",
    ]
    return {path.name: json.loads(path.read_text("utf-8")) for path in found}


@pytest.fixture(scope="module")
def issued() -> list[Credential]:
    """What the bundled roster and template give, signed."""
    folder = files("ledger.credentials") / "examples"
    template = parse_template((folder / "rgpd.toml").read_bytes())
    rows = read_csv((folder / "learners.csv").read_bytes())[:50]
    key = SigningKey(bytes(32))
    home = Home(31337, Address(bytes(20)), 1)
    profile = IssuerProfile(key.did, "Essai", "https://a.example", "FR", "Bretagne", (home,))
    builder = Builder(template, profile)
    return [
        sign(
            builder.build(row, credential_id=draw_id(), salt=draw_salt(), valid_from=NOW),
            key,
            created=NOW,
            verification_method=key_method(key.did),
        )
        for row in rows
    ]


MISSHAPEN = {
    "endorsement.json": "type has no OpenBadgeCredential",
    "simple-err-type.json": "type has no OpenBadgeCredential",
    "simple-noproof.json": "@context does not begin with",
}


def test_other_peoples_badges_are_shaped_as_their_authors_say(
    examples: dict[str, Credential],
) -> None:
    assert len(examples) == 15
    found = {name: check_shape(credential) for name, credential in examples.items()}
    assert {name for name, problems in found.items() if problems} == MISSHAPEN.keys()
    for name, problem in MISSHAPEN.items():
        assert any(problem in sentence for sentence in found[name])


def test_our_shape_and_the_schema_agree_about_other_peoples_badges(
    examples: dict[str, Credential], schema: jsonschema.Draft201909Validator
) -> None:
    for name, credential in examples.items():
        assert schema.is_valid(credential) == (name not in MISSHAPEN), name


def test_what_is_issued_validates_against_the_schema(
    issued: list[Credential], schema: jsonschema.Draft201909Validator
) -> None:
    for credential in issued:
        schema.validate(credential)
        assert check_shape(credential) == ()


def test_a_badge_with_its_anchor_proof_inside_still_validates(
    issued: list[Credential], schema: jsonschema.Draft201909Validator
) -> None:
    anchored = embed(issued[0], {"type": "LedgerAnchorProof", "format": "ledger-proof/1"})
    schema.validate(anchored)
    assert check_shape(anchored) == ()


def test_every_departure_that_the_shape_finds_is_one_to_the_schema(
    issued: list[Credential], schema: jsonschema.Draft201909Validator
) -> None:
    """Take one required member away after another: both must notice the same ones."""
    badge = issued[0]
    for name in badge:
        without = {kept: value for kept, value in badge.items() if kept != name}
        assert schema.is_valid(without) == (check_shape(without) == ()), name


def test_every_badge_of_other_people_is_read_as_a_credential(vectors: Path) -> None:
    for path in [
        *(vectors / "ob3" / "examples").glob("*.json"),
        *(vectors / "ob3-validator").glob("*.json"),
    ]:
        assert read_document(path.read_bytes()).credential is not None, path.name


def test_a_baked_picture_is_a_file_until_it_is_unpacked(vectors: Path) -> None:
    for name in ("simple-json.png", "simple-json.svg"):
        assert read_document((vectors / "ob3-validator" / name).read_bytes()).credential is None

"""A badge made in parts that were written before is the badge made in one go."""

import json
import pickle
from importlib.resources import files

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ledger.credentials.canonical import Shared, canonical_bytes
from ledger.credentials.did_key import format_base58btc, key_method, parse_base58btc, parse_did_key
from ledger.credentials.openbadge import Builder
from ledger.credentials.profile import IssuerProfile
from ledger.credentials.roster import Row
from ledger.credentials.signature import SignedDocument, SigningKey, sign, verify_proof
from ledger.credentials.template import parse_template

KEY = SigningKey(bytes(range(32)))
TEMPLATE = parse_template((files("ledger.credentials") / "examples" / "rgpd.toml").read_bytes())
BUILDER = Builder(TEMPLATE, IssuerProfile(KEY.did, "École \U0001f600", homes=()))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
DECIMALS = st.decimals(1, 100, places=3).map(lambda number: f"{number:f}".rstrip("0").rstrip("."))
ROWS = st.builds(
    Row,
    line=st.just(2),
    name=TEXT,
    email=st.none() | TEXT,
    learner_id=st.none() | TEXT,
    awarded=st.none() | st.dates().map(str),
    score=st.none() | DECIMALS,
    credits=st.none() | DECIMALS,
)


@given(ROWS)
def test_the_bytes_of_a_badge_are_those_of_the_same_json_written_slowly(row: Row) -> None:
    badge = BUILDER.build(row, credential_id="urn:uuid:1", salt="00", valid_from=1_790_000_000)
    signed = sign(badge, KEY, created=1_790_000_000, verification_method=key_method(KEY.did))
    plain = json.loads(json.dumps(signed))
    assert canonical_bytes(signed) == rfc8785.dumps(plain)
    verify_proof(SignedDocument(plain), plain["proof"][0], parse_did_key(KEY.did))


@given(ROWS)
def test_a_builder_in_another_process_makes_the_same_badge(row: Row) -> None:
    """What is shared between badges loses its written form on the way."""
    there = pickle.loads(pickle.dumps(BUILDER))  # noqa: S301 - made here
    one, other = (
        builder.build(row, credential_id="urn:uuid:1", salt="00", valid_from=1_790_000_000)
        for builder in (BUILDER, there)
    )
    assert canonical_bytes(one) == canonical_bytes(other)
    assert isinstance(other["issuer"], Shared)


@given(st.binary(min_size=1, max_size=64))
def test_base58_gives_back_what_was_put_in(data: bytes) -> None:
    assert parse_base58btc(format_base58btc(data), length=len(data)) == data

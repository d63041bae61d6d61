"""One course, one issuer and one learner, for the tests of this folder."""

from importlib.resources import files
from typing import Any

import pytest

from ledger.credentials.did_key import key_method
from ledger.credentials.openbadge import Builder
from ledger.credentials.profile import IssuerProfile
from ledger.credentials.roster import Row
from ledger.credentials.signature import SigningKey, sign
from ledger.credentials.template import Template, parse_template
from ledger.primitives import Address, Home

NOW = 1_790_000_000
HOME = Home(31337, Address(bytes(range(20))), 7)


@pytest.fixture
def template() -> Template:
    """The bundled template."""
    return parse_template((files("ledger.credentials") / "examples" / "rgpd.toml").read_bytes())


@pytest.fixture
def key() -> SigningKey:
    """A signing key."""
    return SigningKey(bytes(range(32)))


@pytest.fixture
def profile(key: SigningKey) -> IssuerProfile:
    """The issuer that the key signs for."""
    return IssuerProfile(
        key.did, "Université d'Essai", "https://univ.example.org", "FR", "Île-de-France", (HOME,)
    )


@pytest.fixture
def row() -> Row:
    """A learner about whom everything is known."""
    return Row(
        line=2,
        name="Zoé Lefèvre-N'Diaye",
        email="zoe@example.org",
        learner_id="did:example:zoe",
        awarded="2026-09-20",
        started="2026-09-19",
        ended="2026-09-20",
        score="87.5",
        credits="0.5",
    )


@pytest.fixture
def badge(template: Template, profile: IssuerProfile, row: Row) -> dict[str, Any]:
    """The learner's unsigned badge."""
    return Builder(template, profile).build(
        row,
        credential_id="urn:uuid:2f3a6f0e-5d0a-4c39-9a52-0b7f6f7f2a11",
        salt="b7c1f1b0a2d94f0e",
        valid_from=NOW,
    )


@pytest.fixture
def signed(badge: dict[str, Any], key: SigningKey) -> dict[str, Any]:
    """The learner's badge with the issuer's signature."""
    return sign(badge, key, created=NOW, verification_method=key_method(key.did))

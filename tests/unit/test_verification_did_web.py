"""Checks 8 and 9 for an issuer whose DID is a web site."""

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.clock import format_time
from ledger.credentials.did_key import format_did_key, parse_did_key
from ledger.credentials.signature import SigningKey, sign
from ledger.errors import ChainError
from ledger.verification.checks import verify
from ledger.verification.report import Verdict
from tests.unit.https_site import HOST, http, https_site
from tests.unit.verification_world import (
    HOME,
    ISSUED,
    KEY,
    NOW,
    POLICY,
    STRANGERS_KEY,
    World,
    check,
    credential,
    described,
    encode,
    outcomes,
)

DID = f"did:web:{HOST}"
URL = f"https://{HOST}/.well-known/did.json"
METHOD = f"{DID}#key-1"


def document(key: SigningKey = KEY, *, did: str = DID, home: str | None = None) -> dict[str, Any]:
    """Return the issuer's DID document, with one key and perhaps its home."""
    method = {
        "id": f"{did}#key-1",
        "type": "Multikey",
        "controller": did,
        "publicKeyMultibase": format_did_key(parse_did_key(key.did)).removeprefix("did:key:"),
    }
    service = {"id": f"{did}#ledger", "type": "LedgerIssuerHome", "serviceEndpoint": home}
    return {
        "id": did,
        "verificationMethod": [method],
        "assertionMethod": [f"{did}#key-1"],
        **({"service": [service]} if home else {}),
    }


def badge(
    *, key: SigningKey | None = KEY, named: bool = True, did: str = DID, method: str | None = None
) -> dict[str, Any]:
    """Return a badge of the web site's; `key` None leaves it unsigned."""
    value = credential(homes=(str(HOME),) if named else ())
    value["issuer"] = {**value["issuer"], "id": did}
    if key is None:
        return value
    return sign(value, key, created=ISSUED, verification_method=method or f"{did}#key-1")


def world_of(value: dict[str, Any], web: dict[str, Any] | None = None, *, did: str = DID) -> World:
    """Return a world where `did` is registered; `web` is the document at its URL."""
    world = World(value)
    world.register(HOME.issuer, did)
    if web is not None:
        world.web[URL] = encode(web)
    return world


def test_a_key_that_the_document_lists_signs() -> None:
    world = world_of(badge(), document())
    report = world.verify()
    assert (report.verdict, outcomes(report)) == (Verdict.VALID, "ppppppppppp")
    assert str(check(report, 8).basis) == "signed"
    assert world.fetched == [URL]


def test_a_home_that_the_document_lists_is_a_basis_without_any_signature() -> None:
    world = world_of(badge(key=None, named=False), document(home=str(HOME)))
    report = world.verify()
    assert (report.verdict, outcomes(report)) == (Verdict.VALID, "ppppppppspp")
    assert str(check(report, 8).basis) == "document"
    assert world.fetched == [URL]


def test_the_document_serves_both_checks_and_is_fetched_once() -> None:
    world = world_of(badge(named=False), document(home=str(HOME)))
    report = world.verify()
    assert report.verdict is Verdict.VALID
    assert str(check(report, 8).basis) == "document"
    assert world.fetched == [URL]


@pytest.mark.parametrize(
    "home",
    [None, "eip155:1:0x1111111111111111111111111111111111111111:8", str(HOME).upper(), ""],
)
def test_another_home_in_the_document_is_no_basis(home: str | None) -> None:
    report = world_of(badge(named=False), document(home=home)).verify()
    assert (report.verdict, described(report, 8)) == (Verdict.UNKNOWN, ("unknown", "no-basis"))


def test_the_document_does_not_outweigh_the_homes_that_the_credential_names() -> None:
    value = badge(key=None)
    value["issuer"]["otherIdentifier"][0]["identifier"] = str(HOME).replace(":7", ":8")
    world = world_of(value, document(home=str(HOME)))
    assert described(world.verify(), 8) == ("failed", "other-home")
    assert world.fetched == []


def test_a_key_that_the_document_no_longer_lists_is_unknown_and_blocks_nothing() -> None:
    report = world_of(badge(), document(STRANGERS_KEY) | {"assertionMethod": []}).verify(
        homes=(HOME,)
    )
    assert described(report, 9) == ("unknown", "key-not-listed")
    assert report.verdict is Verdict.VALID
    other = badge(method=f"{DID}#key-2")
    assert described(world_of(other, document()).verify(), 9) == ("unknown", "key-not-listed")


def test_a_signature_of_another_key_than_the_listed_one_fails() -> None:
    report = world_of(badge(key=STRANGERS_KEY), document()).verify()
    assert (report.verdict, described(report, 9)) == (Verdict.INVALID, ("failed", "bad-signature"))


def test_only_the_issuers_own_site_is_asked() -> None:
    world = world_of(badge(method="did:web:evil.example.org#key-1"), document())
    assert described(world.verify(), 9) == ("failed", "other-signer")
    assert world.fetched == [URL]


def test_a_key_of_its_own_cannot_sign_for_a_web_site() -> None:
    world = world_of(badge(method=KEY.did), document())
    assert described(world.verify(), 9) == ("failed", "other-signer")


@pytest.mark.parametrize(
    "served",
    [
        None,
        b"",
        b"<html>not found</html>",
        b"[]",
        encode(document(did="did:web:other.example.org")),
        encode(document()).replace(b"{", b'{"id": "x", ', 1),
    ],
    ids=["nothing", "empty", "html", "array", "another's", "twice an id"],
)
def test_without_the_document_the_key_is_unknown(served: bytes | None) -> None:
    world = world_of(badge())
    if served is not None:
        world.web[URL] = served
    report = world.verify()
    assert described(report, 9) == ("unknown", "key-not-available")
    assert described(report, 8) == ("unknown", "no-basis")
    assert report.verdict is Verdict.UNKNOWN
    assert world.fetched == [URL]
    assert world.verify(homes=(HOME,)).verdict is Verdict.VALID
    assert world.verify(homes=(HOME,), require_signature=True).verdict is Verdict.UNKNOWN


def test_an_expired_key_counts_until_then() -> None:
    held = document()
    held["verificationMethod"][0]["expires"] = format_time(NOW)
    world = world_of(badge(), held)
    assert described(world.verify(now=NOW - 1), 9) == ("passed", None)
    assert described(world.verify(), 9) == ("unknown", "key-not-listed")


def test_a_policy_may_forbid_fetching() -> None:
    world = world_of(badge(), document(home=str(HOME)))
    report = world.verify(fetch_did_documents=False)
    assert described(report, 9) == ("unknown", "key-not-available")
    assert "not fetched" in check(report, 9).message
    assert world.fetched == []


@pytest.mark.parametrize(
    "did", ["did:ethr:0x11", "https://univ.example.org", "did:web:127.0.0.1", f"{DID}:..:x"]
)
def test_an_identifier_that_cannot_be_resolved_is_unknown(did: str) -> None:
    world = world_of(badge(did=did), did=did)
    assert described(world.verify(), 9) == ("unknown", "key-not-available")
    assert world.fetched == []


def test_nothing_is_fetched_for_a_did_that_the_registry_does_not_have_there() -> None:
    world = World(badge())
    report = world.verify()
    assert described(report, 8) == ("failed", "other-did")
    assert described(report, 9) == ("unknown", "key-not-available")
    assert world.fetched == []


def test_nothing_is_fetched_without_an_anchor() -> None:
    world = world_of(badge(), document(home=str(HOME)))
    world.drop_anchor()
    world.verify()
    world.verify(encode(world.badge))
    world.chain.down = ChainError("rpc-timeout", "the node is away")
    world.verify()
    assert world.fetched == []


def test_nothing_is_fetched_where_the_policy_knows_the_home_and_nobody_signed() -> None:
    world = world_of(badge(key=None, named=False), document())
    assert world.verify(homes=(HOME,)).verdict is Verdict.VALID
    assert world.fetched == []


def test_a_stranger_cannot_lend_its_web_site_to_another_issuer() -> None:
    # The stranger's own document lists the home, but the registry has another DID there.
    did = "did:web:evil.example.org"
    world = World(badge(key=None, named=False, did=did))
    world.register(HOME.issuer, DID)
    world.web["https://evil.example.org/.well-known/did.json"] = encode(
        document(did=did, home=str(HOME))
    )
    report = world.verify()
    assert (report.verdict, described(report, 8)) == (Verdict.INVALID, ("failed", "other-did"))
    assert world.fetched == []


def test_a_web_site_that_lists_a_strangers_home_vouches_for_that_one_only() -> None:
    # Somebody else registered the DID of the web site, which lists its own home.
    world = world_of(badge(named=False), document(home=str(HOME).replace(":7", ":8")))
    report = world.verify()
    assert (report.verdict, described(report, 8)) == (Verdict.UNKNOWN, ("unknown", "no-basis"))


def test_a_real_site_is_asked_over_https(tmp_path: Path) -> None:
    with https_site(tmp_path) as site:
        did = f"{DID}%3A{site.port}:badges"
        held = document(did=did, home=str(HOME))
        site.answer = http(json.dumps(held).encode())
        world = world_of(badge(did=did, named=False), did=did)
        report = verify(
            world.embedded,
            policy=POLICY,
            now=NOW,
            open_chain=world.open_chain,
            fetch=site.web().get,
        )
        assert (report.verdict, outcomes(report)) == (Verdict.VALID, "ppppppppppp")
        assert str(check(report, 8).basis) == "document"
        (request,) = site.requests
        assert request.startswith(b"GET /badges/did.json HTTP/1.1\r\n")
        # The same site, when nobody said that this machine may be asked.
        guarded = site.web(also_allowed=frozenset())
        report = verify(
            world.embedded,
            policy=POLICY,
            now=NOW,
            open_chain=world.open_chain,
            fetch=guarded.get,
        )
        assert described(report, 9) == ("unknown", "key-not-available")
        assert "not at public addresses" in check(report, 9).message
        assert len(site.requests) == 1

"""Every route that needs a key, with every key that does not open it; taken from the schema."""

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from ledger.clock import now
from ledger.issuers.api_keys import Scope
from ledger.issuers.store import list_api_keys, revoke_api_key
from ledger.web.app import create_app
from ledger.web.service import Service
from tests.acceptance.conftest import Demo

from .conftest import make_key

pytestmark = pytest.mark.xdist_group("demo")

PUBLIC = {"verify", "getProof", "getHealth", "getReadiness"}
"""Operations that need no key; a new one is here or is tested below."""


def operations(service: Service) -> list[tuple[str, str, dict[str, Any]]]:
    paths = create_app(service).openapi()["paths"]
    return [
        (method, path, operation)
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]


def closed(service: Service) -> list[tuple[str, str]]:
    """Every operation that needs a key, its parameters filled in."""
    return [
        (method, re.sub(r"\{[a-z]+\}", "1", path))
        for method, path, operation in operations(service)
        if operation["operationId"] not in PUBLIC
    ]


def test_every_operation_has_a_stable_name_and_says_how_it_fails(service: Service) -> None:
    names = [operation["operationId"] for _, _, operation in operations(service)]
    assert len(names) == len(set(names))
    assert set(names) >= PUBLIC
    for _, path, operation in operations(service):
        assert operation["summary"], path
        is_closed = operation["operationId"] not in PUBLIC
        assert ("401" in operation["responses"]) is is_closed, path
        assert bool(operation.get("security")) is is_closed, path


def test_no_key_and_a_key_that_is_not_in_force_open_nothing(
    client: TestClient, service: Service, running: Demo
) -> None:
    issuer = running.manifest["issuer"]
    good = make_key(service, *(set(Scope) - {Scope.ADMIN}), issuer=issuer)
    revoked = make_key(service, Scope.READ, issuer=issuer)
    with service.database.write() as tx:
        revoke_api_key(tx, list_api_keys(tx, issuer)[-1].id, now=now())
    wrong = [
        None,
        "Bearer nonsense",
        "Bearer ledger_1_" + "0" * 64,
        "Bearer ledger_999999999_" + "0" * 64,
        good[:-1] + ("0" if good[-1] != "0" else "1"),
        good + "0",
        good.upper(),
        good.replace("ledger_", "ledger_0"),
        "Basic " + good.removeprefix("Bearer "),
        revoked,
    ]
    assert closed(service)
    for method, path in closed(service):
        for presented in wrong:
            headers = {} if presented is None else {"Authorization": presented}
            answer = client.request(method, path, headers=headers)
            assert answer.status_code == 401, (method, path, presented)
            assert answer.headers["www-authenticate"].startswith("Bearer")


def test_an_expired_key_opens_nothing(
    client: TestClient, service: Service, running: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make_key(service, Scope.READ, issuer=running.manifest["issuer"], lasts=60)
    headers = {"Authorization": key}
    assert client.get("/v1/batches", headers=headers).status_code == 200
    later = now() + 61
    monkeypatch.setattr("ledger.clock.time.time", lambda: later)
    assert client.get("/v1/batches", headers=headers).json()["code"] == "bad-key"


def test_a_key_without_the_scope_is_told_so(
    client: TestClient, service: Service, running: Demo
) -> None:
    wrong = [
        make_key(service, Scope.STATUS, issuer=running.manifest["issuer"]),
        make_key(service, Scope.ADMIN, issuer=None),
    ]
    for key in wrong:
        answer = client.get("/v1/batches", headers={"Authorization": key})
        assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")


def test_a_key_shows_its_own_issuers_batches(
    client: TestClient, reader: dict[str, str], running: Demo
) -> None:
    page = client.get("/v1/batches", headers=reader).json()
    assert page["batches"]
    assert {batch["issuer"] for batch in page["batches"]} == {running.manifest["issuer"]}
    number = page["batches"][0]["batch"]
    one = client.get(f"/v1/batches/{number}", headers=reader)
    assert one.json() == page["batches"][0]
    assert client.get("/v1/batches/999", headers=reader).json()["code"] == "no-batch"
    assert client.get("/v1/batches/x", headers=reader).json()["code"] == "bad-request"

"""Every route that needs a key, with every key that does not open it; taken from the schema."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from ledger.batches.events.store import EventKind
from ledger.clock import now
from ledger.issuers.api_keys import Scope
from ledger.issuers.store import (
    Profile,
    add_registration,
    complete_registration,
    find_registration,
    list_api_keys,
    revoke_api_key,
)
from ledger.web.app import create_app
from ledger.web.service import Service
from ledger.webhooks.registering import register_webhook
from ledger.webhooks.store import list_webhooks, remove_webhook
from tests.acceptance.conftest import Demo

from .conftest import make_key

pytestmark = pytest.mark.xdist_group("demo-api")

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


@pytest.fixture
def stranger(service: Service) -> Iterator[dict[str, str]]:
    """Give the key of an issuer that only the database knows, and only for a while."""
    with service.database.write() as tx:
        of_ours = tx.exec_driver_sql("SELECT transaction_id FROM issuers LIMIT 1").scalar_one()
        add_registration(tx, Profile("did:example:b", "B"), transaction_id=of_ours)
        pending = find_registration(tx)
        assert pending is not None
        complete_registration(tx, pending, 77)
    key = make_key(service, *(set(Scope) - {Scope.ADMIN}), issuer=77)
    yield {"Authorization": key, "Idempotency-Key": "stranger"}
    with service.database.write() as tx:
        tx.exec_driver_sql("DELETE FROM api_keys WHERE issuer = 77")
        tx.exec_driver_sql("DELETE FROM issuers WHERE number = 77")


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


def test_a_key_of_another_issuer_reads_and_touches_nothing(
    client: TestClient, service: Service, stranger: dict[str, str], running: Demo
) -> None:
    issuer = running.manifest["issuer"]
    badge = running.badges[0].stem
    bodies: dict[str, Any] = {
        "/v1/digests": {"issuer": issuer, "canonicalization": "none", "digests": ["0" * 64]},
        "/v1/credentials": {"issuer": issuer, "credentials": [{}]},
        "/v1/credentials/issue": {"issuer": issuer, "template": {}, "rows": [{}]},
        "/v1/status-changes": {"issuer": issuer, "action": "revoke", "credentials": [badge]},
        "/v1/api-keys": {"scopes": ["admin"], "label": "mine"},
        "/v1/issuers/{issuer}/schedule": {"every_seconds": 60},
    }
    seen = set()
    with service.database.write() as tx:
        of_ours = register_webhook(
            tx,
            issuer,
            url="https://lms.example.org/",
            kinds=[EventKind.BATCH_FINAL],
            internal=(),
            now=now(),
        )
    # What a key makes or lists is its own issuer's, whichever that is.
    lists = {"listBatches": "batches", "listWebhooks": "webhooks"}
    for method, path, operation in operations(service):
        if operation["operationId"] in PUBLIC | {"createWebhook"}:
            continue
        there = path.replace("{batch}", "1").replace("{issuer}", str(issuer))
        identity = badge if "credentials" in path else "1"
        identity = of_ours.public_id if "webhooks" in path else identity
        there = there.replace("{id}", identity).replace("{message}", "msg_1")
        answer = client.request(
            method,
            there,
            headers=stranger,
            json=bodies.get(path) if method in ("post", "put") else None,
            params={"issuer": issuer, "canonicalization": "none"} if "bulk" in path else None,
        )
        seen.add(answer.status_code)
        if name := lists.get(operation["operationId"]):
            assert answer.json()[name] == []
        else:
            assert answer.status_code in (403, 404), (method, path, answer.text)
    assert seen == {200, 403, 404}
    with service.database.write() as tx:
        assert list_webhooks(tx, issuer) == [of_ours]
        remove_webhook(tx, of_ours)


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

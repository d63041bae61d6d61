"""An issuer makes webhooks of its own over HTTP, and sees what became of their messages."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from ledger.issuers.api_keys import Scope
from ledger.web.app import create_app
from ledger.web.service import Service
from ledger.webhook_signature import parse_secret
from ledger.webhooks.deliveries.store import add_message
from ledger.webhooks.secrets import signing_secrets
from ledger.webhooks.store import get_webhook
from tests.acceptance.conftest import Demo

from .conftest import make_key

pytestmark = pytest.mark.xdist_group("demo-api")

URL = "https://lms.example.org/hooks"


@pytest.fixture
def owner(service: Service, running: Demo) -> dict[str, str]:
    key = make_key(service, Scope.WEBHOOKS, issuer=running.manifest["issuer"])
    return {"Authorization": key}


@pytest.fixture
def made(client: TestClient, owner: dict[str, str]) -> Iterator[dict[str, Any]]:
    answer = client.post("/v1/webhooks", json={"url": URL}, headers=owner)
    assert answer.status_code == 201
    yield answer.json()
    path = f"/v1/webhooks/{answer.json()['webhook']['id']}"
    assert client.delete(path, headers=owner).status_code == 204
    assert client.delete(path, headers=owner).json()["code"] == "no-webhook"


def test_the_secret_that_is_shown_is_the_one_that_signs(
    client: TestClient, service: Service, owner: dict[str, str], made: dict[str, Any], running: Demo
) -> None:
    shown = made["webhook"]
    assert (shown["url"], shown["events"]) == (URL, ["batch.final", "credential.status"])
    listed = client.get("/v1/webhooks", headers=owner)
    assert listed.json()["webhooks"] == [shown]
    assert "whsec_" not in listed.text
    rotated = client.post(f"/v1/webhooks/{shown['id']}/secret", headers=owner).json()["secret"]
    with service.database.read() as tx:
        webhook = get_webhook(tx, running.manifest["issuer"], shown["id"])
    assert service.webhook_key is not None
    signing = signing_secrets(service.webhook_key, webhook, now=service.now())
    assert signing == [parse_secret(rotated), parse_secret(made["secret"])]


def test_deliveries_are_shown_and_sent_again(
    client: TestClient, service: Service, owner: dict[str, str], made: dict[str, Any], running: Demo
) -> None:
    path = f"/v1/webhooks/{made['webhook']['id']}"
    message = f"msg_{uuid.uuid4().hex}"
    with service.database.write() as tx:
        known = get_webhook(tx, running.manifest["issuer"], made["webhook"]["id"])
        add_message(tx, [known.id], public_id=message, kind="batch.final", body=b"{}", now=1)
    page = client.get(f"{path}/deliveries", params={"limit": 1}, headers=owner).json()
    (delivery,) = page["deliveries"]
    assert (delivery["message"], delivery["state"]) == (message, "waiting")
    assert delivery["next"] == "1970-01-01T00:00:01Z"
    before = {"before": page["next"]}
    assert client.get(f"{path}/deliveries", params=before, headers=owner).json() == {
        "deliveries": [],
        "next": None,
    }
    for again in (f"{path}/redeliveries", f"{path}/redeliveries/{message}"):
        assert client.post(again, headers=owner).json() == {"messages": 1}
    missing = client.post(f"{path}/redeliveries/msg_0", headers=owner)
    assert (missing.status_code, missing.json()["code"]) == (404, "no-message")


@pytest.mark.parametrize("url", ["http://lms.example.org/", "https://127.0.0.1:1/#x", "x"])
def test_a_url_that_nothing_is_sent_to_is_refused(
    client: TestClient, owner: dict[str, str], url: str
) -> None:
    answer = client.post("/v1/webhooks", json={"url": url}, headers=owner)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-webhook")


def test_another_scope_and_a_service_without_keys_make_none(
    client: TestClient, service: Service, reader: dict[str, str], owner: dict[str, str]
) -> None:
    answer = client.post("/v1/webhooks", json={"url": URL}, headers=reader)
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
    without = TestClient(create_app(replace(service, webhook_key=None)))
    answer = without.post("/v1/webhooks", json={"url": URL}, headers=owner)
    assert (answer.status_code, answer.json()["code"]) == (409, "no-webhook-key")

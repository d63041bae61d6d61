"""Issuers, API keys and schedules, for the installation's own keys."""

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from ledger.cli.main import app
from ledger.issuers.api_keys import Scope
from ledger.web.service import Service
from tests.acceptance.conftest import Demo

from .conftest import make_key

pytestmark = pytest.mark.xdist_group("demo-api")


@pytest.fixture(scope="module")
def admin(service: Service) -> dict[str, str]:
    return {"Authorization": make_key(service, Scope.ADMIN, issuer=None)}


def test_a_key_is_made_works_and_is_revoked(
    client: TestClient, admin: dict[str, str], running: Demo
) -> None:
    issuer = running.manifest["issuer"]
    wanted = {"issuer": issuer, "scopes": ["read"], "label": "an LMS", "expires_in_days": 1}
    made = client.post("/v1/api-keys", json=wanted, headers=admin)
    assert made.status_code == 201
    key = made.json()["key"]
    headers = {"Authorization": f"Bearer {key}"}
    assert client.get("/v1/batches", headers=headers).status_code == 200
    listed = client.get("/v1/api-keys", params={"issuer": issuer}, headers=admin).json()["keys"]
    assert listed[-1]["label"] == "an LMS"
    assert key.split("_")[2] not in str(listed)
    number = listed[-1]["id"]
    for _ in range(2):
        assert client.delete(f"/v1/api-keys/{number}", headers=admin).status_code == 204
    assert client.get("/v1/batches", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("wanted", "status", "code"),
    [
        ({"scopes": ["read"]}, 422, "bad-scopes"),
        ({"scopes": ["admin"], "issuer": 1}, 422, "bad-scopes"),
        ({"scopes": ["read"], "issuer": 999}, 404, "no-issuer"),
        ({"scopes": ["all"], "issuer": 1}, 422, "bad-request"),
        ({"scopes": ["admin"], "label": "\u0007"}, 422, "bad-label"),
        ({"scopes": ["admin"], "expires_in_days": 0}, 422, "bad-request"),
    ],
)
def test_a_key_that_cannot_be_is_not_made(
    client: TestClient, admin: dict[str, str], wanted: dict[str, object], status: int, code: str
) -> None:
    answer = client.post("/v1/api-keys", json={"label": "x"} | wanted, headers=admin)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_issuers_are_listed_with_their_homes(
    client: TestClient, admin: dict[str, str], running: Demo
) -> None:
    found = client.get("/v1/issuers", headers=admin).json()["issuers"]
    home = f":{running.manifest['registry']}:{running.manifest['issuer']}"
    assert any(one["home"].endswith(home) for one in found)


def test_a_schedule_is_set_by_an_admin_and_read_by_its_issuer(
    client: TestClient, admin: dict[str, str], reader: dict[str, str], running: Demo
) -> None:
    path = f"/v1/issuers/{running.manifest['issuer']}/schedule"
    assert client.get(path, headers=reader).json()["code"] == "no-schedule"
    assert client.put(path, json={"every_seconds": 900}, headers=reader).status_code == 403
    assert client.put(path, json={"every_seconds": 900}, headers=admin).status_code == 204
    for headers in (reader, admin):
        assert client.get(path, headers=headers).json()["every_seconds"] == 900
    for wrong in ({}, {"every_seconds": 1}, {"every_seconds": 2**50}, {"cron": "* * * * * *"}):
        answer = client.put(path, json=wrong, headers=admin)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad-schedule")
    assert client.delete(path, headers=admin).status_code == 204
    assert client.get(path, headers=admin).status_code == 404
    nobody = client.put("/v1/issuers/999/schedule", json={"at_waiting": 5}, headers=admin)
    assert (nobody.status_code, nobody.json()["code"]) == (404, "no-issuer")


def test_a_published_audit_is_read_by_its_issuer(
    client: TestClient, admin: dict[str, str], reader: dict[str, str], running: Demo
) -> None:
    issuer = running.manifest["issuer"]
    path = f"/v1/issuers/{issuer}/audit"
    assert client.get(path, headers=reader).json()["code"] == "no-audit"
    nowhere = CliRunner().invoke(app, ["audit", "--rpc", running.manifest["rpc"], "--publish"])
    assert getattr(nowhere.exception, "code", None) == "usage"
    words = ["audit", "--home", str(running.home)]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert client.get(path, headers=reader).json()["code"] == "no-audit"
    assert CliRunner().invoke(app, [*words, "--publish"]).exit_code == 0
    for headers in (reader, admin):
        said = client.get(path, headers=headers).json()
        assert (said["issuer"], said["proved"], said["findings"]) == (issuer, True, [])
        assert said["registry"] == running.manifest["registry"]
        assert said["anchors"] >= 1

"""Credentials are signed here from a template, or handed in signed; each says where it stands."""

import json
import tomllib
import uuid
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pytest
from starlette.testclient import TestClient

from ledger.issuers.api_keys import Scope
from ledger.web.app import create_app
from ledger.web.service import Service
from tests.acceptance.conftest import Demo

from .conftest import make_key

pytestmark = pytest.mark.xdist_group("demo-api")

TEMPLATE = tomllib.loads((files("ledger.credentials") / "examples" / "rgpd.toml").read_text())


@pytest.fixture(scope="module")
def key(service: Service, running: Demo) -> str:
    return make_key(service, Scope.SUBMIT, Scope.READ, issuer=running.manifest["issuer"])


def post(client: TestClient, key: str, path: str, body: Any, *, content: bytes = b"") -> Any:
    return client.post(
        path,
        content=content or json.dumps(body).encode(),
        headers={
            "Authorization": key,
            "Idempotency-Key": str(uuid.uuid4()),
            "Content-Type": "application/json",
        },
    )


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {"name": f"Learner {n}", "email": f"{uuid.uuid4()}@a.example", "score": 87.5}
        for n in range(count)
    ]


def issue(client: TestClient, key: str, issuer: int, given: Any, template: Any = TEMPLATE) -> Any:
    body = {"issuer": issuer, "template": template, "rows": given}
    return post(client, key, "/v1/credentials/issue", body)


def test_rows_are_signed_once_with_ids_in_their_order(
    client: TestClient, key: str, running: Demo
) -> None:
    given = rows(3)
    issuer = running.manifest["issuer"]
    first = issue(client, key, issuer, given[:2])
    assert first.status_code == 202
    assert first.json()["issued"] == 2
    again = issue(client, key, issuer, given[::-1]).json()
    assert (again["issued"], again["known"]) == (1, 2)
    assert again["ids"][2:0:-1] == first.json()["ids"]
    stands = client.get(f"/v1/credentials/{again['ids'][0]}", headers={"Authorization": key})
    assert stands.json()["state"] == "waiting"
    assert "next batch" in stands.json()["next"]


def test_every_problem_of_the_rows_is_named_with_its_place(
    client: TestClient, key: str, running: Demo
) -> None:
    wrong = [*rows(1), {"name": "", "scoer": 1}, {"name": "B", "score": 3}, "C"]
    issuer = running.manifest["issuer"]
    assert issue(client, key, issuer, wrong).json()["code"] == "bad-request"
    answer = issue(client, key, issuer, wrong[:3])
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-roster")
    assert {place["at"] for place in answer.json()["errors"]} == {
        "rows/1/name",
        "rows/1/scoer",
        "rows/2/score",
    }
    assert "\n" not in answer.json()["detail"]
    missing = issue(client, key, issuer, rows(1), {**TEMPLATE, "title": 3})
    assert missing.json()["code"] == "bad-template"
    assert missing.json()["errors"] == [{"at": "template/title", "is": "is not a text in quotes"}]


def test_a_template_too_large_to_be_in_every_badge_is_refused(
    client: TestClient, key: str, running: Demo
) -> None:
    large = {**TEMPLATE, "description": "x" * (64 << 10)}
    answer = issue(client, key, running.manifest["issuer"], rows(1), large)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


def test_a_service_without_keys_says_that_it_cannot_sign(
    service: Service, key: str, running: Demo
) -> None:
    client = TestClient(create_app(replace(service, signing_key=None)))
    answer = issue(client, key, running.manifest["issuer"], rows(1))
    assert (answer.status_code, answer.json()["code"]) == (409, "no-signing-key")


def test_signed_credentials_are_handed_in_and_keep_their_ids(
    client: TestClient, key: str, running: Demo
) -> None:
    issuer = running.manifest["issuer"]
    badge = json.loads(running.badges[0].read_text())
    answer = post(client, key, "/v1/credentials", {"issuer": issuer, "credentials": [badge]})
    assert answer.json() == {"accepted": 1, "ids": [running.badges[0].stem]}


def test_what_could_never_be_valid_is_refused_with_its_place(
    client: TestClient, key: str, running: Demo
) -> None:
    issuer = running.manifest["issuer"]
    badge = json.loads(running.badges[0].read_text())
    forged = {**badge, "issuer": {**badge["issuer"], "id": "did:example:other"}}
    body = {"issuer": issuer, "credentials": [badge, forged, {"type": "VerifiableCredential"}]}
    answer = post(client, key, "/v1/credentials", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-submission")
    assert [place["at"] for place in answer.json()["errors"]] == ["credentials/1", "credentials/2"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"[" * 100_000, "too-deep"),
        (b'{"issuer": 1, "issuer": 2}', "duplicate-member"),
        (b'{"issuer": NaN}', "not-a-number"),
        (b'{"issuer": 1e999}', "not-a-number"),
        (b'{"issuer": 99999999999999999999}', "integer-too-large"),
        (b'{"issuer": "\\ud800"}', "lone-surrogate"),
        (b"\xff", "not-utf-8"),
        (b"{", "not-json"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/credentials", "/v1/digests", "/v1/status-changes"])
def test_json_that_two_readers_would_read_differently_is_refused(
    client: TestClient, key: str, path: str, content: bytes, code: str
) -> None:
    answer = post(client, key, path, None, content=content)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_another_issuers_credential_is_not_found(client: TestClient, key: str) -> None:
    for unknown in (str(uuid.uuid4()), "..%5cx", "%00", "A" * 64):
        answer = client.get(f"/v1/credentials/{unknown}", headers={"Authorization": key})
        assert (answer.status_code, answer.json()["code"]) == (404, "no-credential")

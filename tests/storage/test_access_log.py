"""The access log: a line for each request, which no client can break and which tells no secret."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import Receive, Send
from starlette.types import Scope as Asked

from ledger.database import Database
from ledger.issuers.api_keys import Scope, create_key
from ledger.logs import open_log
from ledger.web.access_log import AccessLog
from ledger.web.app import create_app
from ledger.web.service import Service

from .conftest import ISSUER

pytestmark = [
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
    pytest.mark.usefixtures("database_url"),
]

ID = "0199d1c8-2000-7abc-8def-0123456789ab"


class Said:
    """What was logged since the last look."""

    def __init__(self) -> None:
        self.file = io.StringIO()

    def text(self) -> str:
        text = self.file.getvalue()
        self.file.seek(0)
        self.file.truncate()
        return text

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def client(service: Service, said: Said) -> Iterator[TestClient]:
    app = AccessLog(create_app(service), open_log(said.file))
    with TestClient(app, raise_server_exceptions=False) as client:
        assert said.text() == ""
        yield client


def test_a_line_says_what_was_asked_by_whom_and_how_it_ended(
    client: TestClient, said: Said, database: Database
) -> None:
    with database.write() as tx:
        key = create_key(tx, issuer=ISSUER, scopes={Scope.SUBMIT}, label="test", now=1)
    answer = client.post(
        "/v1/digests",
        json={"issuer": ISSUER, "canonicalization": "none", "digests": ["5b" * 32]},
        headers={"Authorization": f"Bearer {key}", "Idempotency-Key": "a"},
    )
    (line,) = said.lines()
    assert line.pop("ms") >= 0
    assert len(line.pop("time")) == 20
    assert line == {
        "level": "info",
        "event": "request",
        "method": "POST",
        "route": "/v1/digests",
        "status": 202,
        "request": answer.headers["X-Request-Id"],
        "key": int(key.split("_")[1]),
    }


def test_the_route_is_its_template(client: TestClient, said: Said) -> None:
    client.get(f"/v1/proofs/{ID}")
    client.get("/v1/batches/7?cursor=5")
    client.get(f"/nothing/{ID}")
    assert [(line["route"], line["status"], line["key"]) for line in said.lines()] == [
        ("/v1/proofs/{id}", 404, None),
        ("/v1/batches/{batch}", 401, None),
        (None, 404, None),
    ]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", '/v1/proofs/a%0A{"event":"forged"}'),
        ("GET", "/v1/proofs/a%0D%0Aforged?x=%0Aforged"),
        ("GET", "/%E2%80%A8forged"),
        ("FORGED", "/healthz"),
        ('GET"}\n{"event":"forged', "/healthz"),
    ],
)
def test_no_client_writes_into_a_line(
    client: TestClient, said: Said, method: str, path: str
) -> None:
    client.request(method, path, headers={"X-Request-Id": "forged", "User-Agent": "forged"})
    text = said.text()
    assert text.count("\n") == 1
    assert "forged" not in text.lower()
    assert json.loads(text)["event"] == "request"


def test_no_secret_is_in_a_line(client: TestClient, said: Said, database: Database) -> None:
    with database.write() as tx:
        key = create_key(tx, issuer=ISSUER, scopes={Scope.SUBMIT}, label="test", now=1)
    secret = key.split("_")[2]
    for presented in (key, f"ledger_1_{'f' * 64}"):
        client.post(
            f"/v1/digests?token={secret}",
            json={"issuer": ISSUER, "digests": [secret]},
            headers={"Authorization": f"Bearer {presented}", "Idempotency-Key": secret},
        )
    client.post("/v1/verify", content=secret)
    client.get(f"/v1/proofs/{ID}?secret={secret}")
    text = said.text()
    assert text.count("\n") == 4
    for hidden in (secret, "f" * 64, ID, "127.0.0.1", "testclient"):
        assert hidden not in text


def test_what_breaks_is_logged_as_it_was_answered(
    service: Service, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_presented: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(service.rates, "take", breaks)
    app = AccessLog(create_app(service), open_log(said.file))
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get(f"/v1/proofs/{ID}")
    assert answer.status_code == 500
    (line,) = said.lines()
    assert (line["status"], line["request"]) == (500, answer.headers["X-Request-Id"])


def test_a_request_that_got_no_answer_has_no_status(
    said: Said,
) -> None:
    async def hangs_up(_scope: Asked, _receive: Receive, _send: Send) -> None:
        """Answer nothing: the client has gone."""

    client = TestClient(AccessLog(hangs_up, open_log(said.file)))
    with pytest.raises(AssertionError):
        client.get("/")
    (line,) = said.lines()
    assert line["status"] is None


def test_a_log_that_cannot_be_written_ends_no_request(
    service: Service, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    def full(*_what: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(said.file, "write", full)
    with TestClient(AccessLog(create_app(service), open_log(said.file))) as client:
        assert client.get("/healthz").status_code == 200

"""What one request asks of the database, counted: statements, not time."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from ledger.batches.sealing import seal
from ledger.batches.status import BatchStatus
from ledger.batches.store import batches
from ledger.config import Settings
from ledger.database import Database
from ledger.issuers.api_keys import Scope, create_key
from ledger.primitives import Address
from ledger.verification.policy import parse_policy
from ledger.web.app import create_app
from ledger.web.limits import RateLimiter
from ledger.web.service import Service

from .conftest import ISSUER

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Counted:
    """What the database was asked since the last `take`."""

    def __init__(self, database: Database) -> None:
        self._said: list[str] = []
        sa.event.listen(database.engine, "before_cursor_execute", self._note)

    def _note(self, _connection: object, _cursor: object, statement: str, *_more: object) -> None:
        self._said.append(statement.partition(" ")[0].strip())

    def take(self) -> list[str]:
        """Return the first word of each statement."""
        said, self._said = self._said, []
        return said


@pytest.fixture
def service(database: Database, tmp_path: Path) -> Service:
    url = str(database.engine.url)
    return Service(
        settings=Settings(tmp_path, 1, ("http://127.0.0.1:1",), Address(bytes(20)), url),
        database=database,
        policy=lambda: parse_policy(""),
        now=lambda: 10,
        rates=RateLimiter(per_second=1, burst=100),
    )


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service)) as client:
        yield client


@pytest.fixture
def headers(database: Database) -> dict[str, str]:
    with database.write() as tx:
        key = create_key(tx, issuer=ISSUER, scopes={Scope.SUBMIT}, label="test", now=1)
    return {"Authorization": f"Bearer {key}"}


def push(client: TestClient, headers: dict[str, str], digest: str, key: str) -> str:
    body = {"issuer": ISSUER, "canonicalization": "none", "digests": [digest]}
    answer = client.post("/v1/digests", json=body, headers={**headers, "Idempotency-Key": key})
    assert answer.status_code == 202
    return str(answer.json()["ids"][0])


def test_a_digest_costs_one_read_and_one_write(
    client: TestClient, database: Database, headers: dict[str, str]
) -> None:
    counted = Counted(database)
    first = push(client, headers, "5b" * 32, "a")
    # The key; then: answered before? known? the digest, the answer.
    write = ["BEGIN", "SELECT", "SELECT", "INSERT", "INSERT"]
    assert counted.take() == ["BEGIN", "SELECT", *write]
    assert push(client, headers, "5b" * 32, "a") == first
    assert counted.take() == ["BEGIN", "SELECT", "BEGIN", "SELECT"]


def test_a_proof_costs_one_statement_once_its_tiles_were_read(
    client: TestClient, database: Database, headers: dict[str, str]
) -> None:
    ids = [push(client, headers, f"{n:064x}", str(n)) for n in range(3)]
    assert seal(database, ISSUER, now=20) is not None
    with database.write() as tx:
        tx.execute(sa.update(batches).values(status=BatchStatus.FINAL))
    counted = Counted(database)
    assert client.get(f"/v1/proofs/{ids[0]}").status_code == 200
    assert counted.take() == ["BEGIN", "SELECT", "SELECT"]
    answer = client.get(f"/v1/proofs/{ids[1]}")
    assert counted.take() == ["BEGIN", "SELECT"]
    again = {"If-None-Match": answer.headers["ETag"]}
    assert client.get(f"/v1/proofs/{ids[1]}", headers=again).status_code == 304
    assert counted.take() == ["BEGIN", "SELECT"]


def test_a_revoked_key_opens_nothing_from_the_next_request_on(
    client: TestClient, database: Database, headers: dict[str, str]
) -> None:
    push(client, headers, "5b" * 32, "a")
    with database.write() as tx:
        tx.exec_driver_sql("UPDATE api_keys SET revoked_at = 9")
    body = {"issuer": ISSUER, "canonicalization": "none", "digests": ["6c" * 32]}
    answer = client.post("/v1/digests", json=body, headers={**headers, "Idempotency-Key": "b"})
    assert (answer.status_code, answer.json()["code"]) == (401, "bad-key")

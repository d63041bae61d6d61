"""What one request asks of the database, counted: statements, not time."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from ledger.batches.sealing import seal
from ledger.batches.status import BatchStatus
from ledger.batches.store import batches
from ledger.database import Database
from ledger.issuers.api_keys import Scope, create_key
from ledger.merkle.inclusion import verify
from ledger.merkle.tree import leaf_hash
from ledger.primitives import hash32
from ledger.proofs.file import parse_proof_file
from ledger.web.app import create_app
from ledger.web.service import Service

from .conftest import ISSUER, counted

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


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


def words(statements: list[str]) -> list[str]:
    """The first word of each."""
    return [statement.partition(" ")[0].strip() for statement in statements]


def test_a_digest_costs_one_read_and_one_write(
    client: TestClient, database: Database, headers: dict[str, str]
) -> None:
    with counted(database) as sent:
        first = push(client, headers, "5b" * 32, "a")
    # The key; then: answered before? known? the digest, the answer.
    write = ["BEGIN", "SELECT", "SELECT", "INSERT", "INSERT"]
    assert words(sent) == ["BEGIN", "SELECT", *write]
    with counted(database) as sent:
        assert push(client, headers, "5b" * 32, "a") == first
    assert words(sent) == ["BEGIN", "SELECT", "BEGIN", "SELECT"]


def test_a_proof_costs_one_statement_once_its_tiles_were_read(
    client: TestClient, database: Database, headers: dict[str, str]
) -> None:
    ids = [push(client, headers, f"{n:064x}", str(n)) for n in range(3)]
    assert seal(database, ISSUER, now=20) is not None
    with database.write() as tx:
        tx.execute(sa.update(batches).values(status=BatchStatus.FINAL))
    with counted(database) as sent:
        assert client.get(f"/v1/proofs/{ids[0]}").status_code == 200
    assert words(sent) == ["BEGIN", "SELECT", "SELECT"]
    with counted(database) as sent:
        answer = client.get(f"/v1/proofs/{ids[1]}")
    assert words(sent) == ["BEGIN", "SELECT"]
    again = {"If-None-Match": answer.headers["ETag"]}
    with counted(database) as sent:
        assert client.get(f"/v1/proofs/{ids[1]}", headers=again).status_code == 304
    assert words(sent) == ["BEGIN", "SELECT"]


def test_tiles_that_are_kept_are_those_of_their_own_batch(
    client: TestClient, database: Database, headers: dict[str, str]
) -> None:
    given = {}
    for first in (0, 3):
        for n in range(first, first + 3):
            given[push(client, headers, f"{n:064x}", str(n))] = hash32(f"{n:064x}")
        assert seal(database, ISSUER, now=20) is not None
    with database.write() as tx:
        tx.execute(sa.update(batches).values(status=BatchStatus.FINAL))
    for public_id, digest in given.items():
        proof = parse_proof_file(client.get(f"/v1/proofs/{public_id}").content)
        size, root = proof.anchor.size, proof.anchor.root
        verify(leaf_hash(digest), proof.inclusion, size=size, anchored=root)


def test_a_revoked_key_opens_nothing_from_the_next_request_on(
    client: TestClient, database: Database, headers: dict[str, str]
) -> None:
    push(client, headers, "5b" * 32, "a")
    with database.write() as tx:
        tx.exec_driver_sql("UPDATE api_keys SET revoked_at = 9")
    body = {"issuer": ISSUER, "canonicalization": "none", "digests": ["6c" * 32]}
    answer = client.post("/v1/digests", json=body, headers={**headers, "Idempotency-Key": "b"})
    assert (answer.status_code, answer.json()["code"]) == (401, "bad-key")

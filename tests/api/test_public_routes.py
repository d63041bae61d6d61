"""What anyone may ask without a key: verify, a proof by its id, health."""

import json
import uuid

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from ledger.batches.states.store import state_proofs
from ledger.chain.header import parse_header
from ledger.credentials.store import NewCredential, add_credentials
from ledger.issuers.api_keys import Scope
from ledger.primitives import Canonicalization, sha256
from ledger.proofs.file import parse_proof_file
from ledger.verification.checks import verify
from ledger.verification.offline import TrustedBlock
from ledger.verification.report import Verdict
from ledger.web.limits import MAX_BODY_BYTES
from ledger.web.routes.proofs import MEDIA_TYPE
from ledger.web.service import Service
from tests.acceptance.conftest import Demo

from .conftest import make_key

pytestmark = pytest.mark.xdist_group("demo-api")


def test_a_badge_is_verified_with_every_check_named(client: TestClient, running: Demo) -> None:
    report = client.post("/v1/verify", content=running.badges[0].read_bytes())
    assert report.status_code == 200
    said = report.json()
    assert said["verdict"] == "valid"
    assert [check["number"] for check in said["checks"]] == list(range(1, 12))
    assert "trust policy" in said["by"]


def test_a_tampered_badge_is_an_answer_and_not_an_error(client: TestClient, running: Demo) -> None:
    tampered = (running.folder / "scenes" / "tampered.json").read_bytes()
    report = client.post("/v1/verify", content=tampered)
    assert (report.status_code, report.json()["verdict"]) == (200, "invalid")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not-a-proof"),
        (b"[]", "not-a-proof"),
        (b"\xff\xfe", "not-a-proof"),
        (b'{"a": 1, "a": 2}', "duplicate-member"),
        (b"[" * 100_000, "not-a-proof"),
    ],
)
def test_what_is_no_badge_is_a_problem_with_a_code(
    client: TestClient, body: bytes, code: str
) -> None:
    answer = client.post("/v1/verify", content=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["code"], answer.json()["status"]) == (code, 422)


def test_a_body_that_is_too_large_is_refused_before_it_is_read(client: TestClient) -> None:
    declared = client.post("/v1/verify", content=b"x" * (MAX_BODY_BYTES + 1))
    streamed = client.post("/v1/verify", content=(b"x" * 2**20 for _ in range(9)))
    for answer in (declared, streamed):
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


def test_a_proof_is_had_by_its_id_and_tagged_by_what_never_changes(
    client: TestClient, running: Demo
) -> None:
    badge = running.badges[0]
    answer = client.get(f"/v1/proofs/{badge.stem}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.ledger.proof+json"
    assert client.post("/v1/verify", content=answer.content).json()["verdict"] == "valid"
    held = json.loads(badge.read_text())["proof"][-1]
    assert answer.json()["anchor"]["root"] == held["anchor"]["root"]
    again = client.get(
        f"/v1/proofs/{badge.stem}", headers={"If-None-Match": answer.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


def test_the_stored_state_comes_with_a_tag_of_its_own_and_is_verified_offline(
    client: TestClient, service: Service, running: Demo
) -> None:
    path = f"/v1/proofs/{running.badges[0].stem}"
    plain, stored = client.get(path), client.get(path, params={"state": "stored"})
    assert (stored.status_code, stored.headers["content-type"]) == (200, MEDIA_TYPE)
    state = parse_proof_file(stored.content).state
    assert state is not None
    assert {**stored.json(), "state": None} == {**plain.json(), "state": None}
    assert client.post("/v1/verify", content=stored.content).json()["verdict"] == "valid"

    block = TrustedBlock(service.settings.chain, parse_header(state.header).hash)
    policy = service.policy()
    report = verify(stored.content, policy=policy, now=service.now(), trusted=[block])
    assert report.verdict is Verdict.VALID

    tags = [answer.headers["etag"] for answer in (plain, stored)]
    assert tags[0] != tags[1]
    for tag, status in zip(tags, (200, 304), strict=True):
        again = client.get(path, params={"state": "stored"}, headers={"If-None-Match": tag})
        assert again.status_code == status
    assert client.get(path, params={"state": "fresh"}).status_code == 422


def test_a_state_that_is_not_kept_is_not_made_up(
    client: TestClient, service: Service, running: Demo
) -> None:
    path = f"/v1/proofs/{running.badges[0].stem}"
    with service.database.write() as tx:
        kept = [dict(row) for row in tx.execute(sa.select(state_proofs)).mappings()]
        tx.execute(sa.delete(state_proofs))
    answer = client.get(path, params={"state": "stored"})
    with service.database.write() as tx:
        tx.execute(sa.insert(state_proofs), kept)
    assert (answer.status_code, answer.json()["code"]) == (409, "state-not-kept")
    assert client.get(path, params={"state": "stored"}).status_code == 200


def test_an_unknown_id_is_not_found(client: TestClient) -> None:
    for made_up in (str(uuid.uuid4()), "..%2f..%2fetc%2fpasswd", "'; DROP TABLE credentials"):
        assert client.get(f"/v1/proofs/{made_up}").status_code == 404


def test_a_credential_that_waits_says_what_comes_next(
    client: TestClient, service: Service, running: Demo
) -> None:
    waits = str(uuid.uuid4())
    new = NewCredential(waits, sha256(waits.encode()), Canonicalization.NONE, None, None)
    with service.database.write() as tx:
        add_credentials(tx, running.manifest["issuer"], [new], now=1)
    answer = client.get(f"/v1/proofs/{waits}")
    assert (answer.status_code, answer.json()["code"]) == (409, "not-anchored-yet")


def test_what_is_not_there_and_what_is_not_allowed_are_problems_too(client: TestClient) -> None:
    assert client.get("/v1/nothing").json()["code"] == "no-such-path"
    assert client.get("/v1/verify").json()["code"] == "method-not-allowed"


def test_every_answer_carries_the_security_headers(client: TestClient) -> None:
    for answer in (client.get("/healthz"), client.get("/nothing"), client.post("/v1/verify")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_the_process_is_up_and_ready(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "up"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_a_database_of_another_release_is_not_ready(client: TestClient, service: Service) -> None:
    def set_version(version: str) -> str:
        with service.database.write() as tx:
            found: str = tx.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
            tx.execute(sa.text("UPDATE alembic_version SET version_num = :v"), {"v": version})
        return found

    ours = set_version("v9999")
    try:
        answer = client.get("/readyz")
    finally:
        set_version(ours)
    assert (answer.status_code, answer.json()["code"]) == (503, "other-schema")


def test_a_writer_that_does_not_finish_is_no_fault_of_the_request(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.database.BUSY_TIMEOUT_SECONDS", 0.01)
    key = make_key(service, Scope.SUBMIT, issuer=1)
    with service.database.write():
        answer = client.post(
            "/v1/digests",
            headers={"Authorization": key, "Idempotency-Key": "busy"},
            json={"issuer": 1, "canonicalization": "none", "digests": ["00" * 32]},
        )
    assert (answer.status_code, answer.json()["code"]) == (503, "database-busy")

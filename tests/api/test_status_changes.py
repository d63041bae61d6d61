"""A status change is asked for over HTTP, carried out by whoever holds the key, and seen."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from ledger.batches.requests.carrying_out import carry_out_requested_changes
from ledger.chain.keystore import KeyName
from ledger.chain.state import RpcState, read_blocks
from ledger.chain.store import Purpose, TransactionState, list_unfinished
from ledger.cli.installation import Installation
from ledger.issuers.api_keys import Scope
from ledger.web.service import Service
from tests.acceptance.conftest import Demo

from .conftest import make_key

pytestmark = pytest.mark.xdist_group("demo-api")


class Changer:
    """Asks for changes over HTTP, and is the worker that carries them out."""

    def __init__(self, client: TestClient, service: Service, running: Demo) -> None:
        self.client = client
        self.installation = Installation.open(running.home)
        self.issuer = running.manifest["issuer"]
        self.headers = {"Authorization": make_key(service, Scope.STATUS, issuer=self.issuer)}

    def ask(self, **body: Any) -> Any:
        headers = {**self.headers, "Idempotency-Key": str(uuid.uuid4())}
        return self.client.post(
            "/v1/status-changes", json={"issuer": self.issuer} | body, headers=headers
        )

    def state(self, number: int) -> dict[str, Any]:
        found = self.client.get(f"/v1/status-changes/{number}", headers=self.headers)
        assert found.status_code == 200
        answer: dict[str, Any] = found.json()
        return answer

    def carry_out(self) -> int:
        installation = self.installation
        installation.outbox.settle()
        chain = installation.settings.chain
        (newest,) = read_blocks(installation.rpc, ["latest"], chain=chain)
        return carry_out_requested_changes(
            installation.outbox,
            installation.sender(KeyName.STATUS),
            installation.registry,
            RpcState(installation.rpc, chain, newest),
        )

    def under_way(self) -> list[int]:
        with self.installation.database.read() as tx:
            return [one.id for one in list_unfinished(tx, [Purpose.STATUS])]

    def wait(self) -> None:
        self.installation.outbox.wait(
            self.under_way(), state=TransactionState.FINAL, timeout_seconds=60
        )


@pytest.fixture
def changer(client: TestClient, service: Service, running: Demo) -> Iterator[Changer]:
    changer = Changer(client, service, running)
    yield changer
    changer.installation.close()


def verdict(client: TestClient, running: Demo, badge: int) -> str:
    report = client.post("/v1/verify", content=running.badges[badge].read_bytes())
    said: str = report.json()["verdict"]
    return said


def test_a_suspension_and_a_reinstatement_are_carried_out_and_seen(
    changer: Changer, client: TestClient, running: Demo
) -> None:
    badge = running.badges[3].stem
    for action, expected in (("suspend", "invalid"), ("reinstate", "valid")):
        asked = changer.ask(action=action, reason="under-review", credentials=[badge, badge])
        assert asked.status_code == 202
        assert (asked.json()["state"], asked.json()["credentials"]) == ("waiting", 1)
        number = asked.json()["id"]
        # Two of a kind in one run: the second is not sent beside the first.
        twin = changer.ask(action=action, reason="under-review", credentials=[badge]).json()["id"]
        assert changer.carry_out() == 0
        assert changer.state(number)["state"] == "sent"
        assert changer.state(twin)["state"] == "waiting"
        changer.wait()
        assert changer.carry_out() == 2
        done = changer.state(number)
        assert done["state"] == "done"
        assert len(done["transactions"]) == 1
        assert changer.state(twin)["transactions"] == []
        assert verdict(client, running, 3) == expected


def test_a_worker_that_dies_after_storing_sends_nothing_twice(
    changer: Changer, running: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crash(BaseException):
        pass

    def die(*_arguments: object) -> None:
        raise Crash

    badge = running.badges[4].stem
    number = changer.ask(action="suspend", credentials=[badge]).json()["id"]
    with monkeypatch.context() as patch:
        patch.setattr("ledger.chain.outbox.broadcast", die)
        with pytest.raises(Crash):
            changer.carry_out()
        before = changer.under_way()
        assert len(before) == 1
        # The bytes are in no block: what the chain shows is not yet what will be.
        assert changer.carry_out() == 0
        assert changer.under_way() == before
    changer.wait()
    assert changer.carry_out() == 1
    assert len(changer.state(number)["transactions"]) == 1
    back = changer.ask(action="reinstate", credentials=[badge]).json()["id"]
    changer.carry_out()
    changer.wait()
    changer.carry_out()
    assert changer.state(back)["state"] == "done"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"credentials": ["nobody"]}, 404, "no-credential"),
        ({"credentials": [str(uuid.UUID(int=0))]}, 404, "no-credential"),
        ({"batch": 999}, 404, "no-batch"),
        ({"batch": 1, "action": "suspend"}, 422, "bad-action"),
        ({}, 422, "bad-request"),
        ({"batch": 1, "credentials": ["a"]}, 422, "bad-request"),
        ({"batch": 1, "reason": "spite"}, 422, "bad-reason"),
        ({"batch": 1, "action": "delete"}, 422, "bad-request"),
        ({"batch": 1, "issuer": 999}, 403, "not-allowed"),
    ],
)
def test_what_cannot_be_is_refused_at_once(
    changer: Changer, body: dict[str, Any], status: int, code: str
) -> None:
    answer = changer.ask(**({"action": "revoke"} | body))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_what_waits_for_a_batch_cannot_be_revoked_yet(
    changer: Changer, client: TestClient, service: Service
) -> None:
    key = make_key(service, Scope.SUBMIT, issuer=changer.issuer)
    pushed = client.post(
        "/v1/digests",
        json={
            "issuer": changer.issuer,
            "canonicalization": "none",
            "digests": [uuid.uuid4().hex * 2],
        },
        headers={"Authorization": key, "Idempotency-Key": "waits"},
    )
    answer = changer.ask(action="revoke", credentials=pushed.json()["ids"])
    assert (answer.status_code, answer.json()["code"]) == (409, "not-anchored-yet")

"""Digests are pushed: once, durably, with ids in the order given."""

import hashlib
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from ledger.issuers.api_keys import Scope
from ledger.web import bulk
from ledger.web.service import Service
from tests.acceptance.conftest import Demo

from .conftest import make_key

pytestmark = pytest.mark.xdist_group("demo-api")


@pytest.fixture(scope="module")
def key(service: Service, running: Demo) -> str:
    return make_key(service, Scope.SUBMIT, issuer=running.manifest["issuer"])


def digests(count: int) -> list[str]:
    start = uuid.uuid4().bytes
    return [hashlib.sha256(start + n.to_bytes(4)).hexdigest() for n in range(count)]


class Pusher:
    """Posts digests as one issuer, each time with a new idempotency key."""

    def __init__(self, client: TestClient, key: str, issuer: int) -> None:
        self.client, self.key, self.issuer = client, key, issuer

    def push(self, given: list[str], *, idempotency_key: str = "", **other: Any) -> Any:
        body = {"issuer": self.issuer, "canonicalization": "none", "digests": given} | other
        headers = {
            "Authorization": self.key,
            "Idempotency-Key": idempotency_key or str(uuid.uuid4()),
        }
        return self.client.post("/v1/digests", json=body, headers=headers)

    def push_bulk(self, content: Any, media_type: str, issuer: int | None = None) -> Any:
        return self.client.post(
            "/v1/digests/bulk",
            params={"issuer": issuer or self.issuer, "canonicalization": "none"},
            content=content,
            headers={"Authorization": self.key, "Content-Type": media_type},
        )


@pytest.fixture
def pusher(client: TestClient, key: str, running: Demo) -> Pusher:
    return Pusher(client, key, running.manifest["issuer"])


def test_ids_come_in_the_order_given_and_known_digests_keep_theirs(pusher: Pusher) -> None:
    given = digests(5)
    first = pusher.push(given)
    assert first.status_code == 202
    assert first.json()["accepted"] == 5
    ids = first.json()["ids"]
    assert len(set(ids)) == 5
    mixed = [given[3], *digests(1), given[0], given[3]]
    again = pusher.push(mixed).json()["ids"]
    assert (again[0], again[2], again[3]) == (ids[3], ids[0], ids[3])
    assert again[1] not in ids


def test_the_same_request_gets_the_same_answer_and_another_is_refused(pusher: Pusher) -> None:
    given = digests(2)
    first = pusher.push(given, idempotency_key="once")
    again = pusher.push(given, idempotency_key="once")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    other = pusher.push(given[:1], idempotency_key="once")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


def test_an_idempotency_key_is_one_api_keys_own(
    pusher: Pusher, service: Service, client: TestClient
) -> None:
    pusher.push(digests(1), idempotency_key="shared")
    other = Pusher(client, make_key(service, Scope.SUBMIT, issuer=pusher.issuer), pusher.issuer)
    assert other.push(digests(1), idempotency_key="shared").status_code == 202


def test_a_key_hands_in_for_its_own_issuer_only(pusher: Pusher) -> None:
    for answer in (
        pusher.push(digests(1), issuer=pusher.issuer + 1),
        pusher.push_bulk(bytes(32), bulk.BINARY, issuer=pusher.issuer + 1),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")


@pytest.mark.parametrize(
    "wrong",
    [
        {"digests": []},
        {"digests": ["0" * 63]},
        {"digests": ["0x" + "0" * 62]},
        {"digests": ["A" * 64]},
        {"digests": ["0" * 64 + "\n"]},
        {"digests": "0" * 64},
        {"canonicalization": "jcs"},
        {"issuer": True},
        {"issuer": "1"},
        {"issuer": 0},
        {"more": 1},
    ],
)
def test_what_is_no_list_of_digests_is_refused(pusher: Pusher, wrong: dict[str, Any]) -> None:
    answer = pusher.push(digests(1), **wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-request")


def test_without_an_idempotency_key_nothing_is_done(pusher: Pusher, client: TestClient) -> None:
    for header in ({}, {"Idempotency-Key": ""}, {"Idempotency-Key": "a b"}):
        answer = client.post(
            "/v1/digests",
            json={"issuer": pusher.issuer, "canonicalization": "none", "digests": digests(1)},
            headers={"Authorization": pusher.key, **header},
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "bad-request")
        assert "idempotency-key" in answer.json()["detail"].lower()


@pytest.mark.parametrize("media_type", [bulk.BINARY, bulk.LINES])
def test_a_stream_is_accepted_in_order(pusher: Pusher, media_type: str) -> None:
    given = digests(3_001)
    known = pusher.push(given[7:9]).json()["ids"]
    if media_type == bulk.BINARY:
        body = b"".join(map(bytes.fromhex, given))
    else:
        body = "".join(f'"{digest}"\r\n' for digest in given).encode()

    def dripping() -> Iterator[bytes]:
        for at in range(0, len(body), 777):
            yield body[at : at + 777]

    answer = pusher.push_bulk(dripping(), media_type)
    assert answer.status_code == 202
    ids = answer.json()["ids"]
    assert answer.json()["accepted"] == len(ids) == len(set(ids)) == 3_001
    assert ids[7:9] == known
    assert pusher.push_bulk(body, media_type).json()["ids"] == ids


@pytest.mark.parametrize(
    ("body", "media_type", "status", "code"),
    [
        (b"", bulk.BINARY, 422, "bad-digests"),
        (bytes(33), bulk.BINARY, 422, "bad-digests"),
        (b"\n\n", bulk.LINES, 422, "bad-digests"),
        (b'"' + b"0" * 63 + b'"', bulk.LINES, 422, "bad-digests"),
        (b"0" * 64, bulk.LINES, 422, "bad-digests"),
        (b" " * 300, bulk.LINES, 422, "bad-digests"),
        (bytes(32), "text/plain", 422, "bad-media-type"),
        (bytes(32 * 5), bulk.BINARY, 413, "too-large"),
        (b"\n" * 401, bulk.LINES, 413, "too-large"),
    ],
)
def test_a_stream_that_is_no_list_of_digests_is_refused_whole(
    pusher: Pusher,
    monkeypatch: pytest.MonkeyPatch,
    body: bytes,
    media_type: str,
    status: int,
    code: str,
) -> None:
    monkeypatch.setattr(bulk, "MAX_DIGESTS", 4)
    monkeypatch.setattr(bulk, "MAX_BYTES", 400)
    answer = pusher.push_bulk(body, media_type)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_stream_that_is_cut_into_parts_keeps_its_order(
    pusher: Pusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.web.routes.bulk.DIGESTS_IN_A_TRANSACTION", 7)
    given = digests(20)
    given[19] = given[0]
    body = b"".join(map(bytes.fromhex, given))
    ids = pusher.push_bulk(body, bulk.BINARY).json()["ids"]
    assert ids[19] == ids[0]
    assert ids[:19] == pusher.push(given[:19]).json()["ids"]


def test_one_upload_too_many_is_turned_away(pusher: Pusher, service: Service) -> None:
    from contextlib import ExitStack

    from ledger.web.service import MAX_BULK

    with ExitStack() as busy:
        for _ in range(MAX_BULK):
            busy.enter_context(service.bulk.slot())
        answer = pusher.push_bulk(bytes(32), bulk.BINARY)
    assert (answer.status_code, answer.json()["code"]) == (503, "too-busy")
    assert int(answer.headers["retry-after"]) >= 1
    assert pusher.push_bulk(bytes(32), bulk.BINARY).status_code == 202

"""A batch is followed over a real connection while another process moves it."""

import asyncio
import json
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx2
import pytest
from fastapi import FastAPI

from ledger.batches import store
from ledger.batches.sealing import seal
from ledger.batches.status import BatchStatus
from ledger.cli.serving import configured, listening
from ledger.config import load_settings, write_settings
from ledger.database import Database
from ledger.errors import LimitError, StorageError
from ledger.issuers.api_keys import Scope
from ledger.verification.policy import TrustPolicy
from ledger.web.app import create_app
from ledger.web.limits import RateLimiter
from ledger.web.progress import MAX_STREAMS_OF_A_KEY, Moment, Progress
from ledger.web.server import Server
from ledger.web.service import Service
from tests.storage.conftest import ISSUER, database  # noqa: F401 - a fixture
from tests.storage.test_sealing import accept

from .conftest import make_key

REGISTRY = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"

Event = dict[str, Any]


class Site:
    """A service on a real port, and the worker of its database, which is another connection."""

    def __init__(self, app: FastAPI, server: Server, url: str, worker: Database) -> None:
        self.server, self.url, self.worker = server, url, worker
        self.service: Service = app.state.service
        self.progress: Progress = app.state.progress
        self.key = make_key(self.service, Scope.READ, issuer=ISSUER)

    def seal(self) -> int:
        accept(self.worker, 1)
        batch = seal(self.worker, ISSUER, now=5)
        assert batch is not None
        return batch.id

    def move(self, batch: int, after: BatchStatus, *, reason: str | None = None) -> None:
        with self.worker.write() as tx:
            store.move_batch(tx, store.lock_batch(tx, batch), after, now=6, reason=reason)

    def follow(self, batch: int, *, seen: str | None = None) -> Any:
        headers = {"Authorization": self.key, **({"Last-Event-ID": seen} if seen else {})}
        path = f"{self.url}/v1/batches/{batch}/events"
        return httpx2.stream("GET", path, headers=headers, timeout=60)


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Iterator[Site]:  # noqa: F811
    write_settings(
        tmp_path,
        chain="eip155:1",
        rpc=["http://127.0.0.1:1"],
        registry=REGISTRY,
        database=database.engine.url.render_as_string(hide_password=False),
    )
    settings = load_settings(tmp_path)
    service = Service(
        settings=settings,
        database=Database(settings.database),
        policy=lambda: TrustPolicy(registries=()),
        now=lambda: 10,
        rates=RateLimiter(per_second=1_000, burst=1_000),
    )
    app = create_app(service)
    app.state.progress = Progress(app.state.progress.look, look_seconds=0.01)
    server = Server(configured(app, ()), app.state.progress)
    with listening("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield Site(app, server, f"http://127.0.0.1:{listener.getsockname()[1]}", database)
        finally:
            server.should_exit = True
            thread.join()


def events(lines: Iterator[str]) -> Iterator[Event]:
    """Read a stream as the standard says, comments left out."""
    event: Event = {}
    for line in lines:
        if not line:
            if event:
                yield event
            event = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = json.loads(value) if name == "data" else value


sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@sqlite
def test_a_batch_is_followed_from_its_sealing_until_it_is_final(site: Site) -> None:
    batch = site.seal()
    with site.follow(batch) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = events(answer.iter_lines())
        seen = [next(told)]
        for status, reason in (
            (BatchStatus.SUBMITTED, None),
            (BatchStatus.HELD, "mend it"),
            (BatchStatus.SEALED, None),
            (BatchStatus.CONFIRMED, None),
            (BatchStatus.FINAL, None),
        ):
            site.move(batch, status, reason=reason)
            seen.append(next(told))
        assert list(told) == []
    statuses = ["sealed", "submitted", "held", "sealed", "confirmed", "final"]
    assert [event["event"] for event in seen] == statuses
    assert [event["data"]["status"] for event in seen] == [event["event"] for event in seen]
    assert seen[2]["data"]["reason"] == "mend it"
    # Where it stands twice alike has one id.
    assert [event["id"] == seen[0]["id"] for event in seen].count(True) == 2
    assert len({event["id"] for event in seen}) == 5


@sqlite
def test_what_was_seen_last_is_not_said_again(site: Site) -> None:
    batch = site.seal()
    with site.follow(batch) as answer:
        sealed = next(events(answer.iter_lines()))
    with site.follow(batch, seen=sealed["id"]) as answer:
        site.move(batch, BatchStatus.CONFIRMED)
        assert next(events(answer.iter_lines()))["event"] == "confirmed"
    with site.follow(batch, seen="something else") as answer:
        assert next(events(answer.iter_lines()))["event"] == "confirmed"
    site.move(batch, BatchStatus.FINAL)
    with site.follow(batch) as answer:
        (final,) = events(answer.iter_lines())
    # To a client of the standard this means: do not come again.
    with site.follow(batch, seen=final["id"]) as answer:
        assert answer.status_code == 204


@sqlite
def test_a_client_that_hangs_up_makes_room(site: Site) -> None:
    left = threading.Event()
    leave = site.progress.leave

    def note(stream: Any) -> None:
        leave(stream)
        left.set()

    batch = site.seal()
    with patch.object(site.progress, "leave", note), site.follow(batch) as answer:
        assert next(events(answer.iter_lines()))["event"] == "sealed"
        answer.close()
        assert left.wait(30)
    assert site.progress.count() == 0


@sqlite
def test_a_service_that_ends_ends_its_streams_in_order(site: Site) -> None:
    batch = site.seal()
    with site.follow(batch) as answer:
        told = events(answer.iter_lines())
        assert next(told)["event"] == "sealed"
        site.server.should_exit = True
        # A connection that is cut would raise here.
        assert list(told) == []


@sqlite
def test_blocks_that_become_final_are_counted_down(site: Site) -> None:
    from ledger.chain.store import transactions, write_checkpoint
    from ledger.primitives import Hash32

    batch = site.seal()
    site.move(batch, BatchStatus.CONFIRMED)
    with site.worker.write() as tx:
        tx.execute(store.batches.update().values(transaction_id=1))
        tx.execute(transactions.update().values(block_number=10))
        write_checkpoint(tx, 1, 7, Hash32(bytes(32)))
    with site.follow(batch) as answer:
        told = events(answer.iter_lines())
        assert next(told)["data"]["blocks_left"] == 3
        with site.worker.write() as tx:
            write_checkpoint(tx, 1, 9, Hash32(bytes(32)))
        assert next(told)["data"]["blocks_left"] == 1


@sqlite
def test_no_batch_is_followed_without_the_scope_or_that_is_not_there(site: Site) -> None:
    batch = site.seal()
    with site.follow(batch + 1) as answer:
        assert (answer.status_code, json.loads(answer.read())["code"]) == (404, "no-batch")
    site.key = make_key(site.service, Scope.STATUS, issuer=ISSUER)
    with site.follow(batch) as answer:
        assert (answer.status_code, json.loads(answer.read())["code"]) == (403, "not-allowed")


# ------------------------------------------------------------------------ without a server


def moment(name: str, *, is_last: bool = False) -> Moment:
    return Moment(name, "sealed", "{}", is_last)


class Client:
    """One connection, as a server has it."""

    def __init__(self, *, takes: bool = True) -> None:
        self.sent = b""
        self.has_sent = asyncio.Event()
        self.is_gone = asyncio.Event()
        self._takes = takes

    async def receive(self) -> dict[str, Any]:
        await self.is_gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if not self._takes and message["type"] == "http.response.body":
            await asyncio.Event().wait()
        self.sent += message.get("body", b"")
        self.has_sent.set()

    async def run(self, stream: Any) -> bytes:
        async with asyncio.timeout(30):
            await stream({"type": "http"}, self.receive, self.send)
        return self.sent


def test_one_look_serves_every_stream() -> None:
    looks: list[set[int]] = []

    def look(batches: Collection[int]) -> dict[int, Moment]:
        looks.append(set(batches))
        return {batch: moment("last", is_last=True) for batch in batches}

    async def run() -> list[bytes]:
        progress = Progress(look, look_seconds=0)
        streams = [
            progress.follow(1 + number % 3, key=number, first=moment("first"), seen=None)
            for number in range(9)
        ]
        return await asyncio.gather(*(Client().run(stream) for stream in streams))

    answers = asyncio.run(run())
    assert looks[0] == {1, 2, 3}
    assert len(looks) <= 2
    assert all(answer.endswith(b"id: last\nevent: sealed\ndata: {}\n\n") for answer in answers)


def test_a_client_that_is_gone_or_takes_nothing_or_stays_too_long_makes_room() -> None:
    async def run(client: Client, **bounds: float) -> bytes:
        progress = Progress(lambda _batches: {}, look_seconds=0.01, **bounds)
        stream = progress.follow(1, key=1, first=moment("first"), seen=None)
        assert progress.count() == 1
        sent = await client.run(stream)
        assert progress.count() == 0
        await progress.close()
        return sent

    async def gone() -> bytes:
        client = Client()
        client.is_gone.set()
        return await run(client)

    async def slow() -> bytes:
        return await run(Client(takes=False), send_seconds=0.01)

    async def long() -> bytes:
        return await run(Client(), stream_seconds=0.05, heartbeat_seconds=0.01)

    asyncio.run(gone())
    assert asyncio.run(slow()) == b""
    assert asyncio.run(long()).endswith(b": here\n\n")


def test_streams_are_bounded_for_each_key_and_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.web.progress.MAX_STREAMS", MAX_STREAMS_OF_A_KEY + 1)

    async def run() -> None:
        progress = Progress(lambda _batches: {})

        def follow(key: int) -> Any:
            return progress.follow(1, key=key, first=moment("first"), seen=None)

        streams = [follow(1) for _ in range(MAX_STREAMS_OF_A_KEY)]
        with pytest.raises(LimitError):
            follow(1)
        follow(2)
        with pytest.raises(LimitError):
            follow(3)
        client = Client()
        client.is_gone.set()
        await client.run(streams[0])
        follow(1)
        await progress.close()

    asyncio.run(run())


def test_a_stream_outlives_a_database_that_does_not_answer_and_not_a_bug() -> None:
    def run(second: Exception) -> bytes:
        answers: list[Exception | dict[int, Moment]] = [
            second,
            {1: moment("last", is_last=True)},
        ]

        def look(_batches: Collection[int]) -> dict[int, Moment]:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        async def follow() -> bytes:
            progress = Progress(look, look_seconds=0)
            stream = progress.follow(1, key=1, first=moment("first"), seen="first")
            sent = await Client().run(stream)
            await progress.close()
            return sent

        return asyncio.run(follow())

    assert b"last" in run(StorageError("database-unreachable", "gone"))
    assert b"last" not in run(ZeroDivisionError())

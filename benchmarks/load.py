"""How much the HTTP service takes, beside routes that do the least that could be done.

    python -m benchmarks.load [REQUESTS [BULK]]

A server process and a client process, on one machine, over keep-alive connections. Every
answer is verified: each id is looked up and has its digest, each proof leads to its root.

    single POST   one digest, ours       floor: FastAPI, one inserted row, the same durable commit
    bulk POST     BULK digests in one    no floor; SQLite, and PostgreSQL when the wheel is there
    proof GET     one of a batch, ours   floor: FastAPI, one row read, the same number of bytes

Ratios compare; absolute times are this machine's.
"""

import http.client
import json
import multiprocessing
import socket
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Annotated, Any, Final

import uvicorn
from fastapi import Body, FastAPI, Response
from tests.postgres import postgres_server

from ledger.batches.sealing import seal
from ledger.chain import store as chain_store
from ledger.chain.store import Purpose
from ledger.config import Settings
from ledger.credentials.store import find_credentials
from ledger.database import Database, migrate
from ledger.issuers import store as issuer_store
from ledger.issuers.api_keys import Scope, create_key
from ledger.issuers.store import Profile
from ledger.merkle.inclusion import InclusionProof, verify
from ledger.merkle.tree import leaf_hash
from ledger.primitives import Address, Hash32, hash32, sha256
from ledger.verification.policy import TrustPolicy
from ledger.web.app import create_app
from ledger.web.limits import RateLimiter
from ledger.web.service import Service

ISSUER: Final = 1
CLIENTS: Final = 8
ROUNDS: Final = 3
PROOF_BYTES: Final = 1_500


@dataclass(frozen=True)
class Site:
    """A database with one issuer and its key, and where its service listens."""

    url: str
    key: str
    port: int = 0


def prepare(url: str) -> Site:
    """Make the tables, an issuer and a key, and the table of the floor."""
    database = Database(url)
    migrate(database)
    with database.write() as tx:
        row = chain_store.add_transaction(
            tx,
            purpose=Purpose.REGISTER,
            sender=Address(bytes(20)),
            nonce=0,
            transaction_hash=Hash32(bytes(32)),
            raw=b"",
            now=1,
        )
        issuer_store.add_registration(tx, Profile("did:example:a", "A"), transaction_id=row)
        pending = issuer_store.find_registration(tx)
        if pending is None:
            raise AssertionError
        issuer_store.complete_registration(tx, pending, ISSUER)
        scopes = {Scope.SUBMIT, Scope.READ}
        key = create_key(tx, issuer=ISSUER, scopes=scopes, label="load", now=1)
        tx.exec_driver_sql("CREATE TABLE floor (id TEXT PRIMARY KEY, content TEXT NOT NULL)")
    database.close()
    return Site(url, key)


def run_ours(url: str, listening: socket.socket) -> None:
    """Serve the service until killed."""
    home = Path("/")
    settings = Settings(home, 1, ("http://127.0.0.1:1",), Address(bytes(20)), url)
    service = Service(
        settings=settings,
        database=Database(url),
        policy=TrustPolicy,
        now=lambda: int(time.time()),
        rates=RateLimiter(per_second=1e9, burst=1_000_000_000),
    )
    _run(create_app(service), listening)


def run_floor(url: str, listening: socket.socket) -> None:
    """Serve the least that could be done until killed."""
    database = Database(url)
    app = FastAPI()

    @app.post("/v1/digests", status_code=202)
    def add(body: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        public_id = str(uuid.uuid4())
        with database.write() as tx:
            tx.exec_driver_sql("INSERT INTO floor VALUES (?, ?)", (public_id, body["digests"][0]))
        return {"accepted": 1, "ids": [public_id]}

    @app.get("/v1/proofs/{public_id}")
    def get(public_id: str) -> Response:
        with database.read() as tx:
            found = tx.exec_driver_sql("SELECT content FROM floor WHERE id = ?", (public_id,))
            return Response(found.scalar_one(), media_type="application/json")

    _run(app, listening)


def _run(app: FastAPI, listening: socket.socket) -> None:
    config = uvicorn.Config(app, log_level="error", access_log=False)
    uvicorn.Server(config).run(sockets=[listening])


@contextmanager
def served(site: Site, run: Callable[[str, socket.socket], None]) -> Iterator[Site]:
    """Run a server of `site` in a process of its own as long as the block lasts."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
        process = multiprocessing.get_context("fork").Process(
            target=run, args=(site.url, listening), daemon=True
        )
        process.start()
        try:
            yield Site(site.url, site.key, listening.getsockname()[1])
        finally:
            process.terminate()
            process.join()


def connect(site: Site) -> http.client.HTTPConnection:
    """Return a keep-alive connection."""
    return http.client.HTTPConnection("127.0.0.1", site.port, timeout=600)


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes, **more: str
) -> bytes:
    """Send one request and return the body of its answer, which must be a good one."""
    headers = {name.replace("_", "-"): value for name, value in more.items()}
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    said = answer.read()
    check(answer.status in {200, 202}, said)
    return said


def check(truth: bool, what: object) -> None:  # noqa: FBT001 - it reads as a sentence
    """Stop the benchmark: the service did not do what it said."""
    if not truth:
        raise AssertionError(what)


def check_stored(site: Site, ids: list[str], digests: Sequence[bytes]) -> None:
    """Look every id up in the database of our own service; it has its digest."""
    database = Database(site.url)
    with database.read() as tx:
        found = find_credentials(tx, ISSUER, ids)
    database.close()
    pairs = zip(ids, digests, strict=True)
    check(all(found[one].digest == digest for one, digest in pairs), "another digest is stored")


@dataclass(frozen=True)
class Figures:
    """What many requests took."""

    per_second: float
    p50_ms: float
    p99_ms: float

    def __str__(self) -> str:
        return f"{self.per_second:7,.0f}/s  p50 {self.p50_ms:5.1f} ms  p99 {self.p99_ms:5.1f} ms"


def measure(
    site: Site, requests: int, send: Callable[[http.client.HTTPConnection, int], None]
) -> Figures:
    """Send `requests` from `CLIENTS` connections; `send` verifies what it can at once."""
    times: list[float] = []

    def client(first: int) -> None:
        connection = connect(site)
        send(connection, -1 - first)
        for number in range(first, requests, CLIENTS):
            start = time.perf_counter()
            send(connection, number)
            times.append(time.perf_counter() - start)
        connection.close()

    start = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(client, range(CLIENTS)))
    took = time.perf_counter() - start
    cuts = quantiles(times, n=100)
    return Figures(len(times) / took, cuts[49] * 1e3, cuts[98] * 1e3)


def single(site: Site, requests: int, *, is_ours: bool) -> Figures:
    """Post digests one by one."""
    answers: dict[str, str] = {}

    def send(connection: http.client.HTTPConnection, _number: int) -> None:
        digest = sha256(uuid.uuid4().bytes).hex()
        body = {"issuer": ISSUER, "canonicalization": "none", "digests": [digest]}
        said = ask(
            connection,
            "POST",
            "/v1/digests",
            json.dumps(body).encode(),
            Content_Type="application/json",
            Authorization=f"Bearer {site.key}",
            Idempotency_Key=str(uuid.uuid4()),
        )
        (public_id,) = json.loads(said)["ids"]
        answers[public_id] = digest

    figures = measure(site, requests, send)
    check(len(answers) == requests + CLIENTS, "an id was given twice")
    if is_ours:
        check_stored(site, list(answers), [bytes.fromhex(one) for one in answers.values()])
    return figures


def bulk(site: Site, count: int) -> float:
    """Post `count` digests in one request; return how many a second, ids verified."""
    start = uuid.uuid4().bytes
    digests = [sha256(start + n.to_bytes(4)) for n in range(count)]
    connection = connect(site)
    began = time.perf_counter()
    said = ask(
        connection,
        "POST",
        f"/v1/digests/bulk?issuer={ISSUER}&canonicalization=none",
        b"".join(digests),
        Content_Type="application/octet-stream",
        Authorization=f"Bearer {site.key}",
    )
    took = time.perf_counter() - began
    connection.close()
    ids = json.loads(said)["ids"]
    check(len(ids) == count, "not every digest has an id")
    check_stored(site, ids, digests)
    return count / took


def seal_for_proofs(site: Site) -> list[tuple[str, Hash32]]:
    """Seal what waits, as if anchored; return ids with their digests."""
    database = Database(site.url)
    batch = seal(database, ISSUER, now=1)
    check(batch is not None, "nothing to seal")
    with database.write() as tx:
        tx.exec_driver_sql("UPDATE batches SET status = 'final'")
        rows = tx.exec_driver_sql("SELECT public_id, digest FROM credentials LIMIT 1000").all()
        content = "x" * PROOF_BYTES
        for public_id, _digest in rows:
            tx.exec_driver_sql("INSERT INTO floor VALUES (?, ?)", (public_id, content))
    database.close()
    return [(row[0], Hash32(bytes(row[1]))) for row in rows]


def proofs(site: Site, requests: int, known: list[tuple[str, Hash32]], *, is_ours: bool) -> Figures:
    """Get proofs; ours are verified up to their root."""
    got: dict[int, bytes] = {}

    def send(connection: http.client.HTTPConnection, number: int) -> None:
        public_id, _digest = known[number % len(known)]
        got[number] = ask(connection, "GET", f"/v1/proofs/{public_id}", b"")

    figures = measure(site, requests, send)
    for number, said in got.items() if is_ours else ():
        content = json.loads(said)
        inclusion, anchor = content["inclusion"], content["anchor"]
        path = tuple(hash32(one) for one in inclusion["path"])
        verify(
            leaf_hash(known[number % len(known)][1]),
            InclusionProof(inclusion["index"], path),
            size=anchor["size"],
            anchored=hash32(anchor["root"]),
        )
    return figures


def show(name: str, ours: list[Figures], floor: list[Figures]) -> None:
    """Print the best round of both, and their ratio."""
    best, least = (max(one, key=lambda figures: figures.per_second) for one in (ours, floor))
    print(f"{name}\n  ours   {best}\n  floor  {least}")
    print(f"  ours is {best.per_second / least.per_second:.0%} of the floor")


def main(requests: int = 2_000, count: int = 1_000_000) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        site = prepare(f"sqlite:///{folder}/load.db")
        with served(site, run_ours) as ours, served(site, run_floor) as floor:
            pairs = [
                (single(ours, requests, is_ours=True), single(floor, requests, is_ours=False))
                for _ in range(ROUNDS)
            ]
            show("single POST, SQLite", *map(list, zip(*pairs, strict=True)))
            known = seal_for_proofs(site)
            pairs = [
                (
                    proofs(ours, requests, known, is_ours=True),
                    proofs(floor, requests, known, is_ours=False),
                )
                for _ in range(ROUNDS)
            ]
            show("proof GET, SQLite", *map(list, zip(*pairs, strict=True)))
            print(f"bulk POST of {count:,}, SQLite      {bulk(ours, count):9,.0f} digests/s")
    with (
        postgres_server() as server,
        server.database(empty=True) as url,
        served(prepare(url), run_ours) as ours,
    ):
        print(f"bulk POST of {count:,}, PostgreSQL  {bulk(ours, count):9,.0f} digests/s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

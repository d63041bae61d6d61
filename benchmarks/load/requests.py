"""What is asked of the service, and how each answer is verified."""

import http.client
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.load.client import CLIENTS, Connection, Figures, Server, check, measure
from ledger.credentials.store import find_credentials
from ledger.database import Database
from ledger.merkle.inclusion import InclusionProof, verify
from ledger.merkle.tree import leaf_hash
from ledger.primitives import Hash32, hash32, sha256


@dataclass(frozen=True)
class Client:
    """An issuer's program: who it is, and the database behind the service, to check it by."""

    database: Database
    issuer: int
    key: str


@dataclass(frozen=True)
class Bulk:
    """One upload of many digests."""

    per_second: float
    cpu_us: float
    """The server's processor time for one."""


def post_singles(
    servers: Sequence[Server], client: Client, requests: int, *, is_ours: bool
) -> Figures:
    """Post digests one by one."""
    answers: dict[str, Hash32] = {}

    def send(connection: Connection, _number: int) -> None:
        digest = sha256(uuid.uuid4().bytes)
        body = {"issuer": client.issuer, "canonicalization": "none", "digests": [digest.hex()]}
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {client.key}",
            "Idempotency-Key": str(uuid.uuid4()),
        }
        said = connection.ask("POST", "/v1/digests", json.dumps(body).encode(), headers)
        (public_id,) = json.loads(said)["ids"]
        answers[public_id] = digest

    figures = measure(servers, requests, send)
    check(len(answers) == requests + CLIENTS, "an id was given twice")
    if is_ours:
        _check_stored(client, list(answers), list(answers.values()))
    return figures


def post_bulk(server: Server, client: Client, count: int) -> Bulk:
    """Post `count` digests in one request."""
    start = uuid.uuid4().bytes
    digests = [sha256(start + n.to_bytes(4)) for n in range(count)]
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    cpu, began = server.cpu_seconds(), time.perf_counter()
    connection.request(
        "POST",
        f"/v1/digests/bulk?issuer={client.issuer}&canonicalization=none",
        b"".join(digests),
        {"Content-Type": "application/octet-stream", "Authorization": f"Bearer {client.key}"},
    )
    answer = connection.getresponse()
    said = answer.read()
    took, cpu = time.perf_counter() - began, server.cpu_seconds() - cpu
    connection.close()
    check(answer.status == 202, said)
    ids = json.loads(said)["ids"]
    check(len(ids) == count, "not every digest has an id")
    _check_stored(client, ids, digests)
    return Bulk(count / took, cpu / count * 1e6)


def get_proofs(
    servers: Sequence[Server], requests: int, known: Sequence[tuple[str, Hash32]], *, is_ours: bool
) -> Figures:
    """Get proofs; ours are verified up to their root."""
    got: dict[int, bytes] = {}

    def send(connection: Connection, number: int) -> None:
        got[number] = connection.ask("GET", f"/v1/proofs/{known[number % len(known)][0]}")

    figures = measure(servers, requests, send)
    for number, said in got.items() if is_ours else ():
        content = json.loads(said)
        inclusion, anchor = content["inclusion"], content["anchor"]
        verify(
            leaf_hash(known[number % len(known)][1]),
            InclusionProof(inclusion["index"], tuple(map(hash32, inclusion["path"]))),
            size=anchor["size"],
            anchored=hash32(anchor["root"]),
        )
    return figures


def post_verify(servers: Sequence[Server], requests: int, files: Sequence[bytes]) -> Figures:
    """Have proof files verified; each report must say `valid`."""
    headers = {"Content-Type": "application/vnd.ledger.proof+json"}

    def send(connection: Connection, number: int) -> None:
        said = connection.ask("POST", "/v1/verify", files[number % len(files)], headers)
        check(json.loads(said)["verdict"] == "valid", said)

    return measure(servers, requests, send)


def _check_stored(client: Client, ids: list[str], digests: Sequence[bytes]) -> None:
    """Look every id up in the database; it has its digest."""
    with client.database.read() as tx:
        found = find_credentials(tx, client.issuer, ids)
    pairs = zip(ids, digests, strict=True)
    check(all(found[one].digest == digest for one, digest in pairs), "another digest is stored")

"""Two API processes and a worker on one PostgreSQL, and a chain: from a request to `valid`."""

import json
import tomllib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.faults.site import Site, WorkerProcess, running_site, wait_until_done
from tests.postgres import postgres_server

import ledger.credentials
from benchmarks.load.client import Connection, Figures, Server, check, served
from benchmarks.load.requests import (
    Bulk,
    Client,
    get_proofs,
    post_bulk,
    post_singles,
    post_verify,
)
from ledger.credentials.store import read_all
from ledger.issuers.api_keys import Scope, create_key
from ledger.primitives import Hash32

BADGES: Final = 200


@dataclass
class OnPostgresql:
    """What was measured."""

    one: list[Figures] = field(default_factory=list)
    """Single POSTs to one process."""
    two: list[Figures] = field(default_factory=list)
    """Single POSTs to two processes."""
    proofs: list[Figures] = field(default_factory=list)
    """Proofs from two processes, whichever took the digest."""
    verified: list[Figures] = field(default_factory=list)
    """Badges that two processes verified."""
    bulk: list[Bulk] = field(default_factory=list)
    peak_mib: dict[str, float] = field(default_factory=dict)
    """The greater server's, up to then."""


def measure_postgresql(folder: Path, requests: int, count: int, rounds: int) -> OnPostgresql:
    """Measure everything on an installation in `folder`, with a chain of its own."""
    figures = OnPostgresql()
    with _installation(folder) as (site, client, servers):
        for _ in range(rounds):
            figures.one.append(post_singles(servers[:1], client, requests, is_ours=True))
            figures.two.append(post_singles(servers, client, requests, is_ours=True))
        badges = _issue(servers[0], client)
        with _working(site):
            wait_until_done(site)
        known = _digests(client)
        others = [one for one in known if one[0] not in set(badges)]
        proofs = [_fetch(servers[1], badge) for badge in badges]
        for _ in range(rounds):
            figures.proofs.append(get_proofs(servers, requests, others, is_ours=True))
            figures.verified.append(post_verify(servers, requests // 4, proofs))
        figures.peak_mib["single POST, proof GET, verify POST"] = _peak(servers)
        figures.bulk.extend(post_bulk(servers[0], client, count) for _ in range(rounds))
        figures.peak_mib["bulk POST"] = _peak(servers)
    return figures


@contextmanager
def _installation(folder: Path) -> Iterator[tuple[Site, Client, list[Server]]]:
    with (
        postgres_server() as postgres,
        postgres.database() as url,
        running_site(url, folder) as site,
        served("installation", site.home) as one,
        served("installation", site.home) as other,
    ):
        database = site.installation.database
        with database.write() as tx:
            key = create_key(tx, issuer=site.issuer, scopes={Scope.SUBMIT}, label="load", now=1)
        yield site, Client(database, site.issuer, key), [one, other]


@contextmanager
def _working(site: Site) -> Iterator[None]:
    worker = WorkerProcess(site.home)
    try:
        worker.begun()
        yield
    finally:
        worker.close()


def _issue(server: Server, client: Client) -> list[str]:
    """Have badges of the bundled course signed; return their ids."""
    course = Path(ledger.credentials.__file__).parent / "examples" / "rgpd.toml"
    rows = [{"name": f"Learner {n}", "email": f"{n}@example.org"} for n in range(BADGES)]
    body = {
        "issuer": client.issuer,
        "template": tomllib.loads(course.read_text("utf-8")),
        "rows": [{**row, "score": 80} for row in rows],
    }
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {client.key}",
        "Idempotency-Key": str(uuid.uuid4()),
    }
    connection = Connection(server)
    said = connection.ask("POST", "/v1/credentials/issue", json.dumps(body).encode(), headers)
    connection.close()
    ids: list[str] = json.loads(said)["ids"]
    check(len(set(ids)) == BADGES, "not every row has a badge")
    return ids


def _fetch(server: Server, badge: str) -> bytes:
    connection = Connection(server)
    said = connection.ask("GET", f"/v1/proofs/{badge}")
    connection.close()
    return said


def _digests(client: Client) -> list[tuple[str, Hash32]]:
    with client.database.read() as tx:
        return [(one.public_id, one.digest) for one in read_all(tx)]


def _peak(servers: list[Server]) -> float:
    return max(server.peak_mib() for server in servers)

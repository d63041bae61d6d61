"""One process on SQLite: every route beside its floor, in turns."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.seeding import register_issuer

from benchmarks.load.client import Connection, Figures, Server, check, served
from benchmarks.load.requests import Bulk, Client, get_proofs, post_bulk, post_singles
from ledger.batches.sealing import seal
from ledger.database import Database, migrate
from ledger.issuers.api_keys import Scope, create_key
from ledger.primitives import Hash32

ISSUER: Final = 1
PROOFS: Final = 1_000
"""Different ones that are asked for, anywhere in their batch."""


@dataclass(frozen=True)
class Pair:
    """Ours and the floor, one after the other."""

    ours: Figures
    floor: Figures


@dataclass
class OnSqlite:
    """What was measured."""

    singles: list[Pair] = field(default_factory=list)
    proofs: list[Pair] = field(default_factory=list)
    scattered: list[Pair] = field(default_factory=list)
    """Proofs from all over a batch of the bulk's size."""
    bulk: list[Bulk] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    """Of the two batches."""
    peak_mib: dict[str, float] = field(default_factory=dict)
    """The server's, up to then."""


def measure_sqlite(folder: Path, requests: int, count: int, rounds: int) -> OnSqlite:
    """Measure everything on new databases in `folder`."""
    figures = OnSqlite()
    with _site(folder, "singles") as (client, ours, floor):
        for _ in range(rounds):
            figures.singles.append(_singles(ours, floor, client, requests))
        figures.peak_mib["single POST"] = ours.peak_mib()
        known = _seal(client, ours, figures)
        for _ in range(rounds):
            figures.proofs.append(_proofs(ours, floor, requests, known))
        figures.peak_mib["proof GET"] = ours.peak_mib()
    for number in range(rounds):
        with _site(folder, f"bulk-{number}") as (client, ours, floor):
            figures.bulk.append(post_bulk(ours, client, count))
            figures.peak_mib["bulk POST"] = ours.peak_mib()
            if number == rounds - 1:
                known = _seal(client, ours, figures)
                for _ in range(rounds):
                    figures.scattered.append(_proofs(ours, floor, requests, known))
    return figures


@contextmanager
def _site(folder: Path, name: str) -> Iterator[tuple[Client, Server, Server]]:
    """Give a new database, our server on it, and the floor's."""
    url = f"sqlite:///{folder / name}.db"
    with (
        prepared(url) as client,
        served("bare", url) as ours,
        served("floor", url) as floor,
    ):
        yield client, ours, floor


@contextmanager
def prepared(url: str) -> Iterator[Client]:
    """Make tables, an issuer and a key, and the table of the floor."""
    database = Database(url)
    migrate(database)
    register_issuer(database, ISSUER)
    with database.write() as tx:
        key = create_key(tx, issuer=ISSUER, scopes={Scope.SUBMIT}, label="load", now=1)
        tx.exec_driver_sql("CREATE TABLE floor (id TEXT PRIMARY KEY, content TEXT NOT NULL)")
    yield Client(database, ISSUER, key)
    database.close()


def _singles(ours: Server, floor: Server, client: Client, requests: int) -> Pair:
    return Pair(
        post_singles([ours], client, requests, is_ours=True),
        post_singles([floor], client, requests, is_ours=False),
    )


def _proofs(ours: Server, floor: Server, requests: int, known: list[tuple[str, Hash32]]) -> Pair:
    return Pair(
        get_proofs([ours], requests, known, is_ours=True),
        get_proofs([floor], requests, known, is_ours=False),
    )


def _seal(client: Client, ours: Server, figures: OnSqlite) -> list[tuple[str, Hash32]]:
    """Seal what waits, as if anchored; return some ids of it with their digests.

    The floor gets as many bytes to give out for each as our proof has.
    """
    batch = seal(client.database, ISSUER, now=1)
    check(batch is not None, "nothing to seal")
    assert batch is not None  # noqa: S101 - checked
    figures.sizes.append(batch.size)
    with client.database.write() as tx:
        tx.exec_driver_sql("UPDATE batches SET status = 'final'")
        rows = tx.exec_driver_sql(
            "SELECT public_id, digest FROM credentials WHERE batch_id = ? "
            "ORDER BY random() LIMIT ?",
            (batch.id, PROOFS),
        ).all()
    connection = Connection(ours)
    content = connection.ask("GET", f"/v1/proofs/{rows[0][0]}").decode()
    connection.close()
    with client.database.write() as tx:
        for public_id, _ in rows:
            tx.exec_driver_sql("INSERT INTO floor VALUES (?, ?)", (public_id, content))
    return [(row[0], Hash32(bytes(row[1]))) for row in rows]

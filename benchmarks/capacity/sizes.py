"""How many bytes a credential takes: in each database, and as a file."""

import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from tests.postgres import postgres_server
from tests.seeding import register_issuer

from ledger.batches import store
from ledger.batches.fsck.stored import check_database
from ledger.batches.sealing import seal
from ledger.batches.static_proofs import write_proofs
from ledger.batches.status import BatchStatus
from ledger.credentials.issuing import Signatory, issue
from ledger.credentials.profile import IssuerProfile
from ledger.credentials.public_id import draw_public_ids
from ledger.credentials.roster import Row
from ledger.credentials.signature import SigningKey
from ledger.credentials.store import NewCredential, add_credentials
from ledger.credentials.template import parse_template
from ledger.database import Database, migrate
from ledger.primitives import Address, Canonicalization, Home, sha256

ISSUER: Final = 1
BATCH: Final = 10_000
"""About an hour of a hundred million a year."""

HOME: Final = Home(1, Address(bytes(20)), ISSUER)
KEY: Final = SigningKey(bytes(range(32)))
SIGNATORY: Final = Signatory(ISSUER, IssuerProfile(KEY.did, "School", homes=(HOME,)), KEY)
TEMPLATE: Final = files("ledger.credentials") / "examples" / "rgpd.toml"


def measure(digests: int, credentials: int) -> dict[str, float]:
    """Fill both databases; return what is measured by its name in `figures.json`."""
    figures: dict[str, float] = {"digests_measured": digests, "credentials_measured": credentials}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        database = Database(f"sqlite:///{path}")
        figures |= _named("sqlite", _fill(database, digests, credentials, lambda: _settled(path)))
        figures |= _files(database, Path(folder) / "proofs")
        database.close()
    with postgres_server() as server, server.database(empty=True) as url:
        database = Database(url)

        def settled() -> int:
            # As autovacuum does it: what sealing left behind is used again.
            server.execute(url, "VACUUM (ANALYZE)")
            return _scalar(database, "SELECT pg_database_size(current_database())")

        figures |= _named("postgresql", _fill(database, digests, credentials, settled))
        figures["postgresql_index_share"] = _scalar(
            database, "SELECT pg_indexes_size('credentials')"
        ) / _scalar(database, "SELECT pg_database_size(current_database())")
        database.close()
    return figures


def _named(name: str, sizes: tuple[float, float]) -> dict[str, float]:
    return {f"{name}_digest_bytes": sizes[0], f"{name}_credential_bytes": sizes[1]}


def _fill(
    database: Database, digests: int, credentials: int, size: Callable[[], int]
) -> tuple[float, float]:
    """Return the bytes of a digest and of a credential made here, both sealed."""
    migrate(database)
    register_issuer(database, ISSUER)
    empty = size()
    for at in range(0, digests, BATCH):
        with database.write() as tx:
            add_credentials(tx, ISSUER, _digests(at, min(BATCH, digests - at)), now=1)
        _seal(database)
        filled = size()
    template = parse_template(TEMPLATE.read_bytes())
    for at in range(0, credentials, BATCH):
        rows = [_row(n) for n in range(at, min(at + BATCH, credentials))]
        issue(database, SIGNATORY, template, rows, now=1_790_000_000)
        _seal(database)
        full = size()
    return (filled - empty) / digests, (full - filled) / credentials


def _digests(at: int, count: int) -> Iterator[NewCredential]:
    for n, public_id in enumerate(draw_public_ids(count, now=1_790_000_000 + at // BATCH), at):
        digest = sha256(n.to_bytes(8))
        yield NewCredential(public_id, digest, Canonicalization.NONE, None, None)


def _row(n: int) -> Row:
    return Row(line=2, name=f"Zoé {n}", email=f"zoe.{n}@example.org", score="87.5", credits="0.5")


def _seal(database: Database) -> None:
    """Seal what waits, and take it for final."""
    seal(database, ISSUER, now=2)
    with database.write() as tx:
        tx.execute(sa.update(store.batches).values(status=BatchStatus.FINAL))


def _files(database: Database, folder: Path) -> dict[str, float]:
    """Write the last batch's proofs, of credentials made here, and check all that is stored."""
    with database.read() as tx:
        batches = list(store.read_batches(tx, [BatchStatus.FINAL]))
        count = sum(batch.size for batch in batches)
        began = time.process_time()
        # It finds that no transaction anchored them; the work is the same.
        deque(check_database(tx), maxlen=0)
        checking = time.process_time() - began
    began = time.process_time()
    written = write_proofs(database, batches[-1], HOME, folder)
    writing = time.process_time() - began
    sizes = [path.stat().st_size for path in folder.rglob("*.json")]
    return {
        "fsck_microseconds": 1e6 * checking / count,
        "export_microseconds": 1e6 * writing / written,
        "proof_file_bytes": sum(sizes) / len(sizes),
    }


def _settled(path: Path) -> int:
    """Return the bytes of a SQLite file, its log worked in."""
    with sa.create_engine(f"sqlite:///{path}").connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.stat().st_size


def _scalar(database: Database, statement: str) -> int:
    with database.read() as tx:
        return int(tx.exec_driver_sql(statement).scalar_one())

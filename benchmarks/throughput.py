"""How fast trees are built and credentials issued, beside the bare hashing and signing.

    python -m benchmarks.throughput [ROWS]

The floor does, in the same process, only what no implementation can leave out: for a tree
its SHA-256 calls, for credentials the Ed25519 signature, the SHA-256 and the write of as
many bytes. Ratios compare; absolute times are this machine's.
"""

import hashlib
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import ledger.credentials
from ledger.batches.sealing import seal
from ledger.chain import store as chain_store
from ledger.chain.store import Purpose
from ledger.credentials.issuing import Signatory, issue
from ledger.credentials.profile import IssuerProfile
from ledger.credentials.roster import Row
from ledger.credentials.roster_csv import read_csv
from ledger.credentials.signature import SigningKey
from ledger.credentials.template import parse_template
from ledger.database import Database, migrate
from ledger.issuers import store as issuer_store
from ledger.issuers.store import Profile
from ledger.merkle.tiles import TileBuilder, prove
from ledger.merkle.tree import leaf_hash
from ledger.primitives import Address, Hash32, Home, sha256

LEAVES = 200_000


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def show(label: str, count: int, seconds: float, floor_seconds: float) -> None:
    """Print one figure beside its floor."""
    print(
        f"{label:<32} {count / seconds:>10,.0f} /s   floor {count / floor_seconds:>10,.0f} /s"
        f"   {seconds / floor_seconds:5.2f} times the floor"
    )


def measure_tree() -> None:
    """Build the tiles of a tree, then every proof of it."""
    leaves = [leaf_hash(sha256(b"%d" % number)) for number in range(LEAVES)]
    tiles: dict[tuple[int, int], bytes] = {}

    def build() -> None:
        builder = TileBuilder(
            lambda tile: tiles.__setitem__((tile.level, tile.number), tile.hashes)
        )
        for leaf in leaves:
            builder.add(leaf)
        builder.finish()

    def floor() -> None:
        node = b"\x01" + bytes(64)
        for _ in range(LEAVES):
            hashlib.sha256(node).digest()

    def prove_all() -> None:
        for index in range(LEAVES):
            prove(index, LEAVES, lambda level, number: tiles[level, number])

    bare = timed(floor)
    show("leaves into tiles and root", LEAVES, timed(build), bare)
    show("proofs from tiles", LEAVES, timed(prove_all), bare)


def measure_issuing(rows: int) -> None:
    """Sign, store and seal credentials of the bundled course."""
    key = SigningKey(bytes(32))
    home = Home(31337, Address(bytes(20)), 1)
    signatory = Signatory(1, IssuerProfile(key.did, "Benchmark", homes=(home,)), key)
    folder = Path(ledger.credentials.__file__).parent / "examples"
    template = parse_template((folder / "rgpd.toml").read_bytes())
    roster = _repeated(read_csv((folder / "learners.csv").read_bytes()), rows)
    with tempfile.TemporaryDirectory() as scratch:
        database = _prepared(Path(scratch))
        seconds = timed(lambda: issue(database, signatory, template, roster, now=1))
        sealing = timed(lambda: seal(database, 1, now=2))
        database.close()
        document = bytes(3_600)

        def floor() -> None:
            with (Path(scratch) / "floor").open("wb") as file:
                for _ in range(rows):
                    key.sign(document[:64])
                    file.write(hashlib.sha256(document).digest() + document)

        bare = timed(floor)
    show("credentials signed and stored", rows, seconds, bare)
    show("credentials sealed", rows, sealing, bare)


def _repeated(roster: tuple[Row, ...], rows: int) -> list[Row]:
    """Return `rows` different rows made of the bundled ones."""
    return [
        replace(roster[n % len(roster)], learner_id=f"urn:learner:{n}", email=None)
        for n in range(rows)
    ]


def _prepared(folder: Path) -> Database:
    database = Database(f"sqlite:///{folder / 'ledger.db'}")
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
        issuer_store.add_registration(tx, Profile("did:example:b", "B"), transaction_id=row)
        pending = issuer_store.find_registration(tx)
        if pending is not None:
            issuer_store.complete_registration(tx, pending, 1)
    return database


if __name__ == "__main__":
    measure_tree()
    measure_issuing(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)

"""The root and all proofs of many digests: ours, a peer's, and the bare hashing.

    python -m benchmarks.speed.trees ours|peer|floor|sealed DIGESTS

The peer is blockcerts-merkletools, the maintained fork of merkletools. `sealed` is ours
through a database: digests accepted, sealed, and the batch's proofs read back.
"""

import hashlib
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.speed.processes import Usage, python
from ledger.primitives import Canonicalization, Hash32, sha256

KINDS = ("floor", "ours", "peer", "sealed")


@dataclass(frozen=True, slots=True)
class Trees:
    """What the root and the proofs of so many digests took."""

    digests: int
    usage: dict[str, Usage]
    """By kind."""


def measure_trees(digests: int) -> Trees:
    """Run every kind in a process of its own."""
    return Trees(digests, {kind: python(__name__, kind, digests) for kind in KINDS})


def _digests(count: int) -> Iterator[Hash32]:
    return (sha256(b"%d" % number) for number in range(count))


def run_floor(count: int) -> None:
    """Hash what a tree hashes, and build none."""
    for digest in _digests(count):
        hashlib.sha256(digest + b"\0").digest()
        hashlib.sha256(digest + digest + b"\1").digest()


def run_ours(count: int) -> None:
    """Build tiles, then every proof from them."""
    from ledger.merkle.tiles import Prover, TileBuilder
    from ledger.merkle.tree import leaf_hash

    tiles: dict[tuple[int, int], bytes] = {}
    builder = TileBuilder(lambda tile: tiles.update({(tile.level, tile.number): tile.hashes}))
    for digest in _digests(count):
        builder.add(leaf_hash(digest))
    builder.finish()
    prover = Prover(count, lambda level, number: tiles[level, number])
    for index in range(count):
        prover.prove(index)


def run_peer(count: int) -> None:
    """Let the peer do the same."""
    from blockcerts_merkletools import MerkleTools

    tree = MerkleTools(hash_type="sha256")
    tree.add_leaf([digest.hex() for digest in _digests(count)], False)
    tree.make_tree()
    for index in range(count):
        tree.get_proof(index)


def run_sealed(count: int) -> None:
    """Accept digests, seal them, and make every proof of the batch."""
    from tests.seeding import register_issuer

    from ledger.batches.delivery import ProofWriter
    from ledger.batches.sealing import seal
    from ledger.credentials.store import NewCredential, add_credentials, read_batch
    from ledger.database import Database, migrate
    from ledger.primitives import Address, Home

    issuer = 1
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/ledger.db")
        migrate(database)
        register_issuer(database, issuer)
        with database.write() as tx:
            accepted = (
                NewCredential(f"{n:032x}", digest, Canonicalization.NONE, None, None)
                for n, digest in enumerate(_digests(count))
            )
            add_credentials(tx, issuer, accepted, now=1)
        batch = seal(database, issuer, now=2)
        assert batch is not None  # noqa: S101 - digests wait
        with database.read() as tx:
            proofs = ProofWriter(tx, batch, Home(1, Address(bytes(20)), issuer))
            for credential in read_batch(tx, batch.id):
                proofs.proof(credential)
        database.close()


if __name__ == "__main__":
    kind, size = sys.argv[1], int(sys.argv[2])
    {"floor": run_floor, "ours": run_ours, "peer": run_peer, "sealed": run_sealed}[kind](size)

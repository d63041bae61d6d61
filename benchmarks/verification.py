"""How fast a signed, anchored badge is verified when the chain's answers are at hand.

    python -m benchmarks.verification [BADGES]

The badges are of the bundled course, each different and in a batch of its own of 1,024, so
nothing but the issuer is the same from one to the next. The chain is the tests' simulated one,
a dictionary: what is measured is everything but the network. The floor does, in the same
process, what nobody can leave out: one Ed25519 verification, and one SHA-256 of the badge's
bytes. Ratios compare; absolute times are this machine's.
"""

import hashlib
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.unit.verification_world import HOME, ISSUED, KEY, World

import ledger.credentials
from ledger.credentials.did_key import key_method
from ledger.credentials.document import document_of
from ledger.credentials.openbadge import Builder, draw_id, draw_salt
from ledger.credentials.profile import IssuerProfile
from ledger.credentials.roster_csv import read_csv
from ledger.credentials.signature import sign
from ledger.credentials.template import parse_template
from ledger.merkle.inclusion import InclusionProof
from ledger.merkle.tree import leaf_hash, node_hash
from ledger.primitives import Canonicalization, sha256
from ledger.proofs.file import AnchorReference, ProofFile
from ledger.verification.report import Verdict

DEPTH: Final = 10
BADGES: Final = 1_000
ROUNDS: Final = 5


def make_badges(count: int) -> list[dict[str, Any]]:
    """Return signed badges of the bundled course."""
    folder = Path(ledger.credentials.__file__).parent / "examples"
    template = parse_template((folder / "rgpd.toml").read_bytes())
    rows = read_csv((folder / "learners.csv").read_bytes())
    builder = Builder(template, IssuerProfile(KEY.did, "Benchmark", homes=(HOME,)))
    method = key_method(KEY.did)
    return [
        sign(
            builder.build(
                rows[number % len(rows)],
                credential_id=draw_id(),
                salt=draw_salt(),
                valid_from=ISSUED,
            ),
            KEY,
            created=ISSUED,
            verification_method=method,
        )
        for number in range(count)
    ]


def anchor(badge: dict[str, Any], number: int) -> World:
    """Return a world whose chain has the badge in a batch of 2^DEPTH."""
    world = World(badge)
    digest = document_of(badge).digest
    path = tuple(sha256(b"sibling %d of %d" % (level, number)) for level in range(DEPTH))
    root = leaf_hash(digest)
    for sibling in path:
        root = node_hash(root, sibling)
    world.proof = ProofFile(
        canonicalization=Canonicalization.RFC8785,
        digest=digest,
        inclusion=InclusionProof(0, path),
        anchor=AnchorReference(home=HOME, root=root, size=2**DEPTH, transaction=None),
        credential=None,
        state=None,
    )
    world.anchor(size=2**DEPTH)
    return world


def verify_all(submitted: Iterable[tuple[World, bytes]]) -> float:
    """Return the processor's seconds for verifying all badges."""
    started = time.process_time()
    for world, data in submitted:
        if world.verify(data).verdict is not Verdict.VALID:
            raise SystemExit("a badge that must be valid is not")
    return time.process_time() - started


def do_the_least(badges: Iterable[bytes]) -> float:
    """Return the processor's seconds for one signature check and one SHA-256 a badge."""
    private = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public, signature = private.public_key(), private.sign(bytes(64))
    started = time.process_time()
    for badge in badges:
        public.verify(signature, bytes(64))
        hashlib.sha256(badge).digest()
    return time.process_time() - started


def main() -> None:
    """Measure in turns, in processor time, and take the best turn: others use the machine too."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else BADGES
    worlds = [anchor(badge, number) for number, badge in enumerate(make_badges(count))]
    submitted = [(world, world.embedded) for world in worlds]
    badges = [data for _, data in submitted]
    seconds, floor = float("inf"), float("inf")
    for _ in range(ROUNDS):
        floor = min(floor, do_the_least(badges))
        seconds = min(seconds, verify_all(submitted))
    print(
        f"{count:,} badges of {len(badges[0]):,} bytes: {1000 * seconds / count:.3f} ms each   "
        f"Ed25519 and SHA-256 alone {1000 * floor / count:.3f} ms   "
        f"{seconds / floor:.1f} times the floor"
    )


if __name__ == "__main__":
    main()

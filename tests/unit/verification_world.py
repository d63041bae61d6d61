"""A registry in a dictionary, an issuer with one batch on it, and what a holder was given.

Nothing here checks anything: a test changes one thing, and sees which check finds it.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from ledger.chain.registry import slots
from ledger.chain.state import NO_CODE, Block, CodeHash, Question
from ledger.credentials.canonical import embed
from ledger.credentials.did_key import key_method
from ledger.credentials.document import document_of
from ledger.credentials.signature import SigningKey, sign
from ledger.errors import ChainError
from ledger.fetching import FetchError
from ledger.merkle.inclusion import InclusionProof
from ledger.merkle.tree import leaf_hash, node_hash
from ledger.primitives import (
    Address,
    Canonicalization,
    Hash32,
    Home,
    format_address,
    keccak256,
    sha256,
)
from ledger.proofs.file import AnchorReference, ProofFile, format_embedded, format_proof_file
from ledger.verification.checks import verify
from ledger.verification.policy import TrustedRegistry, TrustPolicy
from ledger.verification.report import Check, Report
from tests.unit.chain_rpc_node import Node

CHAIN = 1
REGISTRY = Address(b"\x11" * 20)
RUNTIME_CODE = b"the registry's code"
CODE = keccak256(RUNTIME_CODE)
OPERATOR = Address(b"\x22" * 20)
OTHER_OPERATOR = Address(b"\x33" * 20)
ISSUER = 7
ACCREDITOR = 2
HOME = Home(CHAIN, REGISTRY, ISSUER)
ACCREDITOR_HOME = Home(CHAIN, REGISTRY, ACCREDITOR)

DAY = 86_400
NOW = 1_800_000_000
ISSUED = NOW - 30 * DAY
ANCHORED = ISSUED + 600

FINAL = Block(100, sha256(b"block 100"), NOW - 900)
NEWEST = Block(164, sha256(b"block 164"), NOW - 12)

KEY = SigningKey(sha256(b"the issuer's key"))
STRANGERS_KEY = SigningKey(sha256(b"a stranger's key"))


@dataclass
class SimulatedChain:
    """What two blocks of a chain hold; asked like a real one, and counts the round trips."""

    chain: int = CHAIN
    final: dict[Hash32, bytes] = field(default_factory=dict)
    newest: dict[Hash32, bytes] = field(default_factory=dict)
    code: Hash32 = CODE
    final_block: Block = FINAL
    newest_block: Block = NEWEST
    down: ChainError | None = None
    round_trips: int = 0

    def blocks(self, tags: Sequence[str]) -> list[Block]:
        self._answer()
        return [self.newest_block if tag == "latest" else self.final_block for tag in tags]

    def read(self, questions: Iterable[Question]) -> dict[Question, Hash32]:
        self._answer()
        return {question: self._word(question) for question in questions}

    def put(self, key: Hash32, word: int, *, only_newest: bool = False) -> None:
        """Store a word at both blocks, or at the newest only."""
        self.newest[key] = word.to_bytes(32)
        if not only_newest:
            self.final[key] = word.to_bytes(32)

    def _answer(self) -> None:
        self.round_trips += 1
        if self.down is not None:
            raise self.down

    def _word(self, question: Question) -> Hash32:
        if isinstance(question, CodeHash):
            return self.code if question.contract == REGISTRY else NO_CODE
        assert question.block in (self.final_block, self.newest_block)
        state = self.newest if question.block == self.newest_block else self.final
        held = state if question.contract == REGISTRY else {}
        return Hash32(held.get(question.key, bytes(32)))


def anchor_word(
    *, operator: Address = OPERATOR, time: int = ANCHORED, size: int = 4, flags: int = 0
) -> int:
    """Return an anchor as the registry packs it."""
    return int.from_bytes(operator) | time << 160 | size << 200 | flags << 248


def credential(
    number: int = 0, *, homes: Sequence[object] = (str(HOME),), **members: object
) -> dict[str, Any]:
    """Return a small Open Badges credential; `homes` are what it names."""
    entries = [
        {"type": "IdentifierEntry", "identifierType": "ext:ledgerIssuer", "identifier": home}
        for home in homes
    ]
    return {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "id": f"urn:uuid:00000000-0000-4000-8000-{number:012}",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Fire safety in five minutes",
        "issuer": {
            "id": KEY.did,
            "type": ["Profile"],
            **({"otherIdentifier": entries} if entries else {}),
        },
        "validFrom": "2026-12-16T08:00:00Z",
        "credentialSubject": {
            "id": f"did:example:learner-{number}",
            "type": ["AchievementSubject"],
            "achievement": {
                "id": "https://example.org/fire",
                "type": ["Achievement"],
                "name": "Fire safety in five minutes",
                "description": "Knows what to do when it burns.",
                "criteria": {"narrative": "A test of ten questions."},
            },
        },
        **members,
    }


def signed(
    value: dict[str, Any], key: SigningKey = KEY, *, created: int = ISSUED
) -> dict[str, Any]:
    """Return `value` with a signature of `key`."""
    return sign(value, key, created=created, verification_method=key_method(key.did))


@dataclass(frozen=True)
class Batch:
    """Four digests under one root."""

    digests: tuple[Hash32, Hash32, Hash32, Hash32]

    @property
    def root(self) -> Hash32:
        a, b, c, d = map(leaf_hash, self.digests)
        return node_hash(node_hash(a, b), node_hash(c, d))

    def path(self, index: int) -> tuple[Hash32, ...]:
        leaves = [leaf_hash(digest) for digest in self.digests]
        pair = 2 * (1 - index // 2)
        return leaves[index ^ 1], node_hash(leaves[pair], leaves[pair + 1])


def batch_of(digest: Hash32, index: int = 1) -> Batch:
    """Return a batch with `digest` at `index` and others around it."""
    digests = [sha256(b"neighbour %d" % n) for n in range(4)]
    digests[index] = digest
    return Batch(tuple(digests))  # type: ignore[arg-type]


def proof_of(
    digest: Hash32,
    *,
    index: int = 1,
    home: Home = HOME,
    canonicalization: Canonicalization = Canonicalization.RFC8785,
) -> ProofFile:
    """Return the proof of `digest`, leaf `index` of a batch of four."""
    batch = batch_of(digest, index)
    return ProofFile(
        canonicalization=canonicalization,
        digest=digest,
        inclusion=InclusionProof(index, batch.path(index)),
        anchor=AnchorReference(home=home, root=batch.root, size=4, transaction=None),
        credential=None,
        state=None,
    )


def encode(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


POLICY = TrustPolicy(
    registries=(
        TrustedRegistry(chain=CHAIN, address=REGISTRY, code_hash=CODE, rpc=("http://node.test",)),
    )
)
"""Believes the registry, and nobody in it."""


class World:
    """The issuer's batch on chain, and one badge of it; everything is in order."""

    def __init__(self, badge: dict[str, Any] | None = None, *, home: Home = HOME) -> None:
        self.chain = SimulatedChain()
        self.badge = signed(credential()) if badge is None else badge
        self.proof = proof_of(document_of(self.badge).digest, home=home)
        self.home = home
        self.web: dict[str, bytes] = {}
        self.fetched: list[str] = []
        self.register(home.issuer)
        self.anchor()

    @property
    def root(self) -> Hash32:
        return self.proof.anchor.root

    @property
    def embedded(self) -> bytes:
        """The badge with its proof inside, as holders have it."""
        return encode(embed(self.badge, format_embedded(self.proof)))

    @property
    def detached(self) -> bytes:
        """The proof file without the badge."""
        return encode(format_proof_file(self.proof))

    @property
    def carrying(self) -> bytes:
        """The proof file with the badge in it."""
        return encode(format_proof_file(replace(self.proof, credential=self.badge)))

    def register(self, issuer: int, did: str = KEY.did, *, only_newest: bool = False) -> None:
        word = int.from_bytes(keccak256(did.encode()))
        self.chain.put(slots.did_hash_slot(issuer), word, only_newest=only_newest)

    def anchor(self, *, only_newest: bool = False, **changes: Any) -> None:
        key = slots.anchor_slot(self.home.issuer, self.root)
        self.chain.put(key, anchor_word(**changes), only_newest=only_newest)

    def drop_anchor(self, *, only_final: bool = False) -> None:
        key = slots.anchor_slot(self.home.issuer, self.root)
        del self.chain.final[key]
        if not only_final:
            del self.chain.newest[key]

    def set_status(self, slot: Any, indexes: Sequence[int], *, only_newest: bool = False) -> None:
        """Set bits of a status word; `slot` is `slots.revoked_slot` or `suspended_slot`."""
        word = sum(1 << index for index in indexes)
        self.chain.put(slot(self.home.issuer, self.root, 0), word, only_newest=only_newest)

    def report_compromise(
        self, since: int, operator: Address = OPERATOR, *, only_newest: bool = False
    ) -> None:
        key = slots.operator_slot(self.home.issuer, operator)
        self.chain.put(key, since << 8, only_newest=only_newest)

    def accredit(self, *spans: tuple[int, int]) -> None:
        """Record accreditations (from, until) by `ACCREDITOR`."""
        self.chain.put(slots.span_count_slot(ACCREDITOR, self.home.issuer), len(spans))
        for n, (start, until) in enumerate(spans):
            self.chain.put(slots.span_slot(ACCREDITOR, self.home.issuer, n), start | until << 40)

    @contextmanager
    def open_chain(self, chain: int, registry: TrustedRegistry) -> Iterator[SimulatedChain]:
        """Give the world's chain, which must be the one that is asked for."""
        assert registry.rpc
        assert chain == self.home.chain
        yield self.chain

    def fetch(self, url: str) -> bytes:
        """Return what the world's web has at `url`."""
        self.fetched.append(url)
        if url not in self.web:
            raise FetchError("fetch-unreachable", f"{url} is not there")
        return self.web[url]

    def verify(
        self,
        data: bytes | None = None,
        *,
        document: bytes | None = None,
        now: int = NOW,
        policy: TrustPolicy = POLICY,
        **changes: Any,
    ) -> Report:
        """Verify the embedded badge, or `data`; `changes` are made to the policy."""
        return verify(
            self.embedded if data is None else data,
            document=document,
            policy=replace(policy, **changes),
            now=now,
            open_chain=self.open_chain,
            fetch=self.fetch,
        )


def serve(node: Node, world: World) -> None:
    """Let a node on a real socket answer what the world's chain has."""
    states = {FINAL.hash: world.chain.final, NEWEST.hash: world.chain.newest}

    def block(tag: str, _full: object) -> dict[str, str]:
        found = NEWEST if tag in ("latest", hex(NEWEST.number)) else FINAL
        return {
            "number": hex(found.number),
            "hash": "0x" + found.hash.hex(),
            "timestamp": hex(found.time),
        }

    def word(contract: str, key: str, at: dict[str, Any]) -> str:
        assert contract == format_address(REGISTRY)
        state = states[Hash32(bytes.fromhex(at["blockHash"][2:]))]
        return "0x" + state.get(Hash32(bytes.fromhex(key[2:])), bytes(32)).hex()

    node.results = {
        "eth_chainId": hex(CHAIN),
        "eth_getBlockByNumber": block,
        "eth_getCode": "0x" + RUNTIME_CODE.hex(),
        "eth_getStorageAt": word,
    }


def check(report: Report, number: int) -> Check:
    return report.checks[number - 1]


def outcomes(report: Report) -> str:
    """Return the outcomes of the checks in order, a letter each: p, f, u or s."""
    return "".join(c.outcome[0] for c in report.checks)


def described(report: Report, number: int) -> tuple[str, str | None]:
    """Return outcome and reason of a check."""
    found = check(report, number)
    return str(found.outcome), found.reason and str(found.reason)

"""State proofs of a real node: words that are there and that are not, and whole verifications."""

import json
import posixpath
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rlp
import solcx
from trie.hexary import HexaryTrie

from ledger.chain.artifact import code_hash
from ledger.chain.devchain import CHAIN
from ledger.chain.header import parse_header
from ledger.chain.outbox import Outbox
from ledger.chain.proved import _FIELDS, ProvedState
from ledger.chain.registry import calls, slots
from ledger.chain.registry.lookup import LeafSlots
from ledger.chain.rpc import Rpc, parse_data
from ledger.chain.state import RpcState
from ledger.chain.trie import find
from ledger.clock import now
from ledger.credentials.canonical import embed, without_anchor_proof
from ledger.errors import ChainError, LedgerError, ProofError
from ledger.primitives import Address, Hash32, format_address, keccak256, sha256
from ledger.proofs.file import ProofFile, StateProof, format_embedded
from ledger.proofs.state import leaf_slots, prove_state, verify_state
from ledger.verification.checks import verify
from ledger.verification.offline import TrustedBlock
from ledger.verification.policy import TrustPolicy, default_policy
from ledger.verification.report import Report, Verdict
from tests.unit.verification_world import STRANGERS_KEY, described, outcomes

from .conftest import Chain
from .test_rpc import Issuer, badge_of

ROOT = Path(__file__).parents[2]
TRIE_PROOF = "@openzeppelin/contracts/utils/cryptography/TrieProof.sol"
HARNESS = Address(sha256(b"where OpenZeppelin's library stands")[:20])


@pytest.fixture
def badge(chain: Chain, outbox: Outbox) -> "Badge":
    return Badge(chain, outbox)


class Badge:
    """A badge anchored on the real chain by an issuer of its own."""

    def __init__(self, chain: Chain, outbox: Outbox) -> None:
        self.chain = chain
        self.issuer = Issuer(chain, outbox)
        data, self.proof = badge_of(self.issuer.home)
        self.credential = without_anchor_proof(json.loads(data))
        self.issuer.anchor(self.proof)

    @property
    def leaf(self) -> LeafSlots:
        return leaf_slots(self.proof)

    def prove(self, accreditors: Sequence[int] = ()) -> tuple[ProvedState, StateProof]:
        """Return the newest block, and a state proof there."""
        state = ProvedState.at(self.chain.rpc, self.chain.chain_id, "latest")
        registry, leaf = self.chain.registry, self.leaf
        state.slots(registry, leaf.known())
        state.slots(registry, [leaf.operator(self.issuer.key.address)])
        for accreditor in accreditors:
            (count,) = state.slots(registry, [leaf.span_count(accreditor)])
            state.slots(registry, leaf.spans(accreditor, int.from_bytes(count)))
        proof = prove_state(
            state.header,
            registry=registry,
            leaf=leaf,
            accreditors=accreditors,
            read_node=state.nodes.get,
        )
        return state, proof

    def verify(self, state: StateProof, block: Hash32, policy: TrustPolicy | None = None) -> Report:
        proof: ProofFile = replace(self.proof, state=state)
        return verify(
            json.dumps(embed(self.credential, format_embedded(proof))).encode(),
            policy=policy or default_policy(),
            now=now(),
            trusted=[TrustedBlock(self.chain.chain_id, block)],
        )


def test_words_are_proved_as_the_node_reads_them(chain: Chain, badge: Badge) -> None:
    state = ProvedState.at(chain.rpc, chain.chain_id, "latest")
    keys = [*badge.leaf.known(), slots.head_slot(badge.issuer.number), sha256(b"nothing")]
    words = state.slots(chain.registry, keys)
    assert words == RpcState(chain.rpc, chain.chain_id, state.block).slots(chain.registry, keys)
    assert [any(word) for word in words] == [True, False, False, True, True, False]


def test_more_words_than_one_request_holds(
    chain: Chain, badge: Badge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.chain.proved.MAX_SLOTS", 7)
    state = ProvedState.at(chain.rpc, chain.chain_id, "latest")
    keys = [sha256(b"absent %d" % n) for n in range(20)]
    keys[13] = badge.leaf.anchor
    words = state.slots(chain.registry, keys)
    assert [n for n, word in enumerate(words) if any(word)] == [13]


def test_a_badge_is_valid_offline_until_it_is_revoked(badge: Badge) -> None:
    state, proof = badge.prove()
    report = badge.verify(proof, state.block.hash)
    assert (report.verdict, outcomes(report)) == (Verdict.VALID, "ppppppppppp")
    assert report.as_of is not None
    assert report.as_of["block"] == state.block.number
    issuer = badge.issuer
    issuer.send(issuer.key, "revoke", issuer.number, badge.proof.anchor.root, 0, 0b0010, 1)
    later, revoked = badge.prove()
    report = badge.verify(revoked, later.block.hash)
    assert (report.verdict, described(report, 7)) == (Verdict.INVALID, ("failed", "revoked"))
    # The old state is not of the new block, and no node of it can hide what the new one says.
    assert badge.verify(proof, later.block.hash).verdict is Verdict.UNKNOWN
    mixed = StateProof(revoked.header, proof.nodes)
    assert badge.verify(mixed, later.block.hash).verdict is Verdict.UNKNOWN
    for count in range(len(revoked.nodes)):
        shorter = StateProof(revoked.header, revoked.nodes[:count])
        assert badge.verify(shorter, later.block.hash).verdict is Verdict.UNKNOWN


def test_an_accreditation_is_proved_with_the_badge(
    chain: Chain, outbox: Outbox, badge: Badge
) -> None:
    accreditor = Issuer(chain, outbox, did=STRANGERS_KEY.did)
    accreditor.send(accreditor.owner, "accredit", accreditor.number, badge.issuer.number, 0)
    badge.issuer.key = chain.sender()
    key = format_address(badge.issuer.key.address)
    badge.issuer.send(badge.issuer.owner, "setOperator", badge.issuer.number, key, 1)
    _, badge.proof = badge_of(badge.issuer.home)
    badge.issuer.anchor(badge.proof)
    state, proof = badge.prove([accreditor.number])
    policy = replace(default_policy(), accreditors=(accreditor.home,))
    report = badge.verify(proof, state.block.hash, policy)
    assert str(report.checks[7].basis) == "accredited"
    _, without = badge.prove()
    assert described(badge.verify(without, state.block.hash, policy), 8)[0] != "failed"


# Nodes that change one answer on its way.


class Liar(Rpc):
    def batch(self, calls_: Sequence[Any]) -> list[Any]:
        results = super().batch(calls_)
        for (method, _), result in zip(calls_, results, strict=True):
            if method == self.method:
                self.change(result)
        return results

    method = ""

    def change(self, result: Any) -> None:
        raise NotImplementedError


class HidesNode(Liar):
    method = "eth_getProof"

    def change(self, result: Any) -> None:
        result["storageProof"][0]["proof"].pop()


class ChangesNode(Liar):
    method = "eth_getProof"

    def change(self, result: Any) -> None:
        node = result["accountProof"][0]
        result["accountProof"][0] = node[:-1] + ("0" if node[-1] != "0" else "1")


class HidesProof(Liar):
    method = "eth_getProof"

    def change(self, result: Any) -> None:
        del result["storageProof"][0]["proof"]


class ChangesField(Liar):
    method = "eth_getBlockByHash"

    def change(self, result: Any) -> None:
        result["stateRoot"] = "0x" + "11" * 32


class InventsBlock(Rpc):
    """A header of its own, with the hash that belongs to it."""

    def batch(self, calls_: Sequence[Any]) -> list[Any]:
        number = hex(2**63)
        if calls_[0][0] == "eth_chainId":
            self.fields = super().batch([("eth_getBlockByNumber", ["latest", False])])[0]
            self.fields["number"] = number
            header = rlp.encode(
                [parse(self.fields[n]) for n, parse in _FIELDS.items() if n in self.fields]
            )
            self.fields["hash"] = "0x" + keccak256(header).hex()
            return [hex(CHAIN), self.fields]
        return [self.fields]


def test_a_node_that_does_not_prove_is_not_believed(chain: Chain, badge: Badge) -> None:
    codes = []
    for liar in (HidesNode, ChangesNode, HidesProof, ChangesField, InventsBlock):
        with liar(chain.rpc_url) as rpc, pytest.raises(ChainError) as caught:
            ProvedState.at(rpc, chain.chain_id, "latest").slots(chain.registry, [badge.leaf.anchor])
        codes.append(caught.value.code)
    assert codes == [
        *("not-proved", "not-proved", "rpc-malformed"),
        *("other-header", "other-header"),
    ]


def test_a_value_that_a_node_claims_is_not_read(chain: Chain, badge: Badge) -> None:
    class ClaimsValue(Rpc):
        def batch(self, calls_: Sequence[Any]) -> list[Any]:
            results = super().batch(calls_)
            for (method, _), result in zip(calls_, results, strict=True):
                if method == "eth_getProof":
                    result["storageProof"][0]["value"] = "0x0"
                    result["codeHash"] = "0x" + "00" * 32
            return results

    with ClaimsValue(chain.rpc_url) as rpc:
        state = ProvedState.at(rpc, chain.chain_id, "latest")
        (word,) = state.slots(chain.registry, [badge.leaf.anchor])
    assert any(word)


# Other people's code.


def storage_root(state: ProvedState, registry: Address) -> Hash32:
    root = parse_header(state.header).state_root
    account = find(root, registry, state.nodes.get).value
    assert account is not None
    return Hash32(rlp.decode(account)[2])


def test_the_package_trie_reads_the_same_words(chain: Chain, badge: Badge) -> None:
    state, proof = badge.prove()
    nodes = [rlp.decode(node) for node in proof.nodes]
    root = parse_header(state.header).state_root
    read: Any = HexaryTrie.get_from_proof
    account = read(root, keccak256(chain.registry), nodes)
    assert rlp.decode(account)[3] == code_hash()
    for slot in badge.leaf.known():
        theirs = read(storage_root(state, chain.registry), keccak256(slot), nodes)
        word = rlp.decode(theirs) if theirs else b""
        assert [word.rjust(32, b"\0")] == state.slots(chain.registry, [slot])


def sources_of(name: str) -> dict[str, dict[str, str]]:
    """Return a source of the package and all that it imports, by name."""
    found: dict[str, dict[str, str]] = {}
    waiting = [name]
    while waiting:
        name = waiting.pop()
        if name not in found:
            text = (ROOT / "node_modules" / name).read_text("utf-8")
            found[name] = {"content": text}
            folder = posixpath.dirname(name)
            imported = re.findall(r'^import .* from "(.*)";', text, re.MULTILINE)
            waiting += [posixpath.normpath(posixpath.join(folder, path)) for path in imported]
    return found


@pytest.fixture(scope="module")
def harness() -> str:
    """The code of a contract around OpenZeppelin's library."""
    around = """pragma solidity 0.8.30;
        import {TrieProof} from "TRIE_PROOF";
        contract Harness {
            function find(bytes32 root, bytes memory key, bytes[] memory proof)
                external pure returns (bytes memory value, uint8 error)
            {
                TrieProof.ProofError found;
                (value, found) = TrieProof.tryTraverse(root, key, proof);
                error = uint8(found);
            }
        }""".replace("TRIE_PROOF", TRIE_PROOF)
    output = solcx.compile_standard(
        {
            "language": "Solidity",
            "sources": {"Harness.sol": {"content": around}, **sources_of(TRIE_PROOF)},
            "settings": {
                "evmVersion": "cancun",
                "viaIR": True,
                "optimizer": {"enabled": True, "runs": 200},
                "outputSelection": {"Harness.sol": {"Harness": ["evm.deployedBytecode.object"]}},
            },
        },
        solc_binary=str(ROOT / "scripts" / "solc"),
    )
    code: str = output["contracts"]["Harness.sol"]["Harness"]["evm"]["deployedBytecode"]["object"]
    return "0x" + code


def padded(data: bytes) -> bytes:
    return slots.word(len(data)) + data.ljust((len(data) + 31) // 32 * 32, b"\0")


def ask_openzeppelin(
    chain: Chain, code: str, questions: Sequence[tuple[Hash32, bytes, Sequence[bytes]]]
) -> list[bytes | None]:
    """Return the value that each proof shows by OpenZeppelin's word; None when it shows none."""
    address = format_address(HARNESS)

    def ask(root: Hash32, key: bytes, proof: Sequence[bytes]) -> tuple[str, list[Any]]:
        hashed, nodes = padded(keccak256(key)), [padded(node) for node in proof]
        offsets, end = [], 32 * len(nodes)
        for node in nodes:
            offsets.append(slots.word(end))
            end += len(node)
        data = (
            calls.selector("find(bytes32,bytes,bytes[])")
            + root
            + slots.word(96)
            + slots.word(96 + len(hashed))
            + hashed
            + slots.word(len(nodes))
            + b"".join((*offsets, *nodes))
        )
        call = {"to": address, "data": "0x" + data.hex()}
        return "eth_call", [call, "latest", {address: {"code": code}}]

    answers: list[bytes | None] = []
    for question in questions:
        try:
            answer = parse_data(chain.rpc.call(*ask(*question)))
        except ChainError:
            # It reverts on what is no RLP.
            answers.append(None)
            continue
        length = int.from_bytes(answer[64:96])
        answers.append(None if answer[63] else answer[96 : 96 + length])
    return answers


def test_openzeppelins_library_reads_the_same_words(
    chain: Chain, badge: Badge, harness: str
) -> None:
    state, _ = badge.prove()
    root = storage_root(state, chain.registry)
    stored = [badge.leaf.anchor, badge.leaf.did_hash]
    stored.append(badge.leaf.operator(badge.issuer.key.address))
    absent = [badge.leaf.revoked, badge.leaf.suspended]
    state_root = parse_header(state.header).state_root
    ours = [find(state_root, chain.registry, state.nodes.get)]
    questions = [(state_root, bytes(chain.registry))]
    for slot in stored + absent:
        ours.append(find(root, slot, state.nodes.get))
        questions.append((root, slot))
    theirs = ask_openzeppelin(
        chain,
        harness,
        [
            (at, key, [state.nodes[name] for name in found.path])
            for (at, key), found in zip(questions, ours, strict=True)
        ],
    )
    assert theirs == [found.value for found in ours]
    assert None not in theirs[: 1 + len(stored)]


def test_a_changed_path_is_refused_here_and_by_openzeppelins_library(
    chain: Chain, badge: Badge, harness: str
) -> None:
    state, _ = badge.prove()
    root, slot = storage_root(state, chain.registry), badge.leaf.anchor
    path = [state.nodes[name] for name in find(root, slot, state.nodes.get).path]
    mutator = Mutator([b"\xc0", sha256(b"x")], seed=1186)
    changed = [mutator.mutate(path) for _ in range(200)]
    changed = [nodes for nodes in changed if nodes != path]
    theirs = ask_openzeppelin(chain, harness, [(root, slot, nodes) for nodes in changed])
    value = find(root, slot, state.nodes.get).value
    for nodes, answer in zip(changed, theirs, strict=True):
        try:
            ours = find(root, slot, {keccak256(node): node for node in nodes}.get).value
        except LedgerError:
            ours = None
        assert ours in {None, value}
        assert answer in {None, ours}


class Mutator:
    """Does to a list of nodes what an attacker could."""

    def __init__(self, foreign: Sequence[bytes], seed: int) -> None:
        self.foreign = foreign
        self.random = random.Random(seed)
        cutting, adding = (self.cut, self.drop, self.end), (self.extend, self.insert, self.repeat)
        self.steps = (*cutting, *adding, self.flip, self.replace, self.shuffle)

    def mutate(self, nodes: Sequence[bytes]) -> list[bytes]:
        """Return the nodes with one to three things done to them."""
        changed = list(nodes)
        for _ in range(self.random.choice((1, 1, 1, 2, 3))):
            place = self.random.randrange(len(changed)) if changed else 0
            step = self.random.choice(self.steps)
            if changed:
                step(changed, place)
        return changed

    def flip(self, nodes: list[bytes], place: int) -> None:
        nodes[place] = self.flipped(nodes[place])

    def flipped(self, data: bytes) -> bytes:
        changed = bytearray(data)
        changed[self.random.randrange(len(changed))] ^= 1 << self.random.randrange(8)
        return bytes(changed)

    def cut(self, nodes: list[bytes], place: int) -> None:
        nodes[place] = nodes[place][: self.random.randrange(1, len(nodes[place]) + 1)]

    def extend(self, nodes: list[bytes], place: int) -> None:
        nodes[place] += self.random.randbytes(self.random.randrange(1, 40))

    def drop(self, nodes: list[bytes], place: int) -> None:
        del nodes[place]

    def end(self, nodes: list[bytes], place: int) -> None:
        del nodes[place:]

    def insert(self, nodes: list[bytes], place: int) -> None:
        nodes.insert(place, self.random.choice(self.foreign))

    def replace(self, nodes: list[bytes], place: int) -> None:
        nodes[place] = self.random.choice(self.foreign)

    def repeat(self, nodes: list[bytes], place: int) -> None:
        nodes.insert(self.random.randrange(len(nodes) + 1), nodes[place])

    def shuffle(self, nodes: list[bytes], _place: int) -> None:
        self.random.shuffle(nodes)


@pytest.fixture
def proofs(badge: Badge) -> list[tuple[Hash32, StateProof, Sequence[bytes]]]:
    """A proof before and after revoking, each with genuine nodes that are foreign to it."""
    state, proof = badge.prove()
    issuer = badge.issuer
    issuer.send(issuer.key, "revoke", issuer.number, badge.proof.anchor.root, 0, 0b0010, 1)
    later, revoked = badge.prove()
    foreign = [sha256(b"junk"), b"\x80", b"\xc0"]
    return [
        (state.block.hash, proof, [*foreign, *later.nodes.values()]),
        (later.block.hash, revoked, [*foreign, *state.nodes.values()]),
    ]


def mutations(proof: StateProof, foreign: Sequence[bytes], count: int) -> Iterator[StateProof]:
    mutator = Mutator(foreign, seed=count)
    while count:
        is_header = mutator.random.randrange(20) == 0
        header = mutator.flipped(proof.header) if is_header else proof.header
        changed = StateProof(header, tuple(mutator.mutate(proof.nodes)))
        if changed != proof:
            count -= 1
            yield changed


def test_of_ten_thousand_changed_proofs_none_is_accepted(
    chain: Chain, badge: Badge, proofs: list[tuple[Hash32, StateProof, Sequence[bytes]]]
) -> None:
    refused = 0
    for block, proof, foreign in proofs:
        verify_state(proof, trusted=[block], registry=chain.registry, leaf=badge.leaf)
        for changed in mutations(proof, foreign, 5_000):
            with pytest.raises(ProofError):
                verify_state(changed, trusted=[block], registry=chain.registry, leaf=badge.leaf)
            refused += 1
    assert refused == 10_000

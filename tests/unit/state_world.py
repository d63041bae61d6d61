"""A small Ethereum made by other people's code: tries, accounts, storage, and a header.

The PyPI package `trie` builds what `ledger.chain.trie` reads, and answers the same questions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rlp
from trie.hexary import HexaryTrie

from ledger.primitives import Address, Hash32, keccak256, sha256
from ledger.proofs.file import ProofFile, StateProof
from ledger.proofs.state import leaf_slots, prove_state

from .verification_world import CODE, REGISTRY, World

TIME = 1_799_999_000


def number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8)


def make_trie(values: Mapping[bytes, bytes], db: dict[bytes, bytes] | None = None) -> Any:
    """Return the other package's trie with `values` under the hashes of their keys."""
    made = HexaryTrie({} if db is None else db)
    for key, value in values.items():
        made[keccak256(key)] = value
    return made


def account(storage_root: bytes, code_hash: bytes) -> bytes:
    encoded: bytes = rlp.encode([number(1), b"", storage_root, code_hash])
    return encoded


def make_header(
    state_root: bytes, *, time: int = TIME, fields: int = 21, block: int = 100
) -> bytes:
    items = [sha256(b"field %d" % place) for place in range(fields)]
    items[3], items[8], items[11] = Hash32(state_root), Hash32(number(block)), Hash32(number(time))
    encoded: bytes = rlp.encode(items)
    return encoded


@dataclass
class Ethereum:
    """One block: its header, and every node of its tries by hash."""

    header: bytes
    nodes: dict[bytes, bytes]
    state_root: bytes
    storage_root: bytes

    @property
    def hash(self) -> Hash32:
        return keccak256(self.header)

    def prove(self, proof: ProofFile, accreditors: tuple[int, ...] = ()) -> StateProof:
        return prove_state(
            self.header,
            registry=REGISTRY,
            leaf=leaf_slots(proof),
            accreditors=accreditors,
            read_node=self.nodes.get,
        )


def make_ethereum(
    storage: Mapping[Hash32, bytes],
    *,
    neighbours: int = 40,
    code_hash: bytes = CODE,
    registry: Address = REGISTRY,
    time: int = TIME,
) -> Ethereum:
    """Return a block where `registry` stores `storage`, among other words and accounts."""
    filled: dict[bytes, bytes] = {slot: word for slot, word in storage.items() if any(word)}
    filled |= {sha256(b"slot %d" % n): sha256(b"word %d" % n) for n in range(neighbours)}
    db: dict[bytes, bytes] = {}
    words = make_trie({slot: rlp.encode(word.lstrip(b"\0")) for slot, word in filled.items()}, db)
    accounts = {
        sha256(b"account %d" % n)[:20]: account(sha256(b"root %d" % n), sha256(b"code %d" % n))
        for n in range(neighbours)
    }
    accounts[registry] = account(words.root_hash, code_hash)
    state = make_trie(accounts, db)
    header = make_header(state.root_hash, time=time)
    return Ethereum(header, db, state.root_hash, words.root_hash)


def ethereum_of(world: World, **changes: Any) -> Ethereum:
    """Return a block that holds what the simulated chain's newest block holds."""
    return make_ethereum(world.chain.newest, **changes)

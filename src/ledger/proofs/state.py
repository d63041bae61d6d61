"""What the registry stored at one block, shown by the trie nodes of a proof file.

    header   hashes to a block hash that the verifier trusts; holds the state root
    nodes    1  from the state root to the registry's account: its code, its storage root
             2  from the storage root to the anchor, both status words, the DID's hash
             3  to the operator that the anchor names
             4  to the accreditations, by each accreditor that vouched for the issuer when it
                anchored, the lowest number first

Every node stands there once, in the order of first use, and nothing else does. The file
names no key: the verifier derives them from the anchor, so a node cannot be passed off as
the proof of another word.

Part 4 is as long as there are accreditors, and every verifier believes other ones. Whose
the words are that it does not believe in is found by trying the numbers: up to
`MAX_ACCREDITOR`, and no higher one is proved.

A word whose nodes are missing is an error and never zero. Zero is proved as well.

docs/reference/state-proof.md describes the format for others.
"""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final, Self

from ledger.chain.header import Header, parse_header
from ledger.chain.registry.lookup import LeafSlots
from ledger.chain.registry.slots import AnchorRecord, decode_anchor, decode_span
from ledger.chain.trie import ReadNode, known_keys
from ledger.chain.world_state import Account, WorldState
from ledger.errors import ProofError
from ledger.primitives import Address, Hash32, keccak256
from ledger.proofs.file import MAX_HEADER_BYTES, MAX_NODES, ProofFile, StateProof

MAX_ACCREDITOR: Final = 2**14
"""Ours: as many are tried in the fifth of a second that a hostile file may cost."""


def leaf_slots(proof: ProofFile) -> LeafSlots:
    """Return where the registry keeps what decides over the leaf that `proof` is about."""
    return LeafSlots(proof.anchor.home.issuer, proof.anchor.root, proof.inclusion.index)


@dataclass(frozen=True, slots=True)
class RegistryState:
    """The registry at one block, as far as nodes show it."""

    world: WorldState
    account: Account | None
    """None: nothing stands at the registry's address."""

    @classmethod
    def open(cls, root: Hash32, registry: Address, read_node: ReadNode) -> Self:
        """Return the registry under a state root.

        Raises:
            ProofError: the nodes do not show what stands at its address.

        """
        world = WorldState(root, read_node)
        return cls(world, world.find_account(registry))

    def word(self, slot: Hash32) -> Hash32:
        """Return the 32 bytes in `slot`.

        Raises:
            ProofError: the nodes do not show it.

        """
        return self.world.word(self.account, slot)

    def anchor_of(self, leaf: LeafSlots) -> AnchorRecord | None:
        """Read all that decides over a leaf but accreditations, and return its anchor.

        Raises:
            ProofError: as `word`.

        """
        stored, *_ = [self.word(slot) for slot in leaf.known()]
        anchor = decode_anchor(stored)
        if anchor is not None:
            self.word(leaf.operator(anchor.operator))
        return anchor

    def spans_of(self, leaf: LeafSlots, accreditor: int) -> list[Hash32]:
        """Read what `accreditor` says of the leaf's issuer, and return the newest spans.

        Raises:
            ProofError: as `word`.

        """
        count = int.from_bytes(self.word(leaf.span_count(accreditor)), "big")
        return [self.word(slot) for slot in leaf.spans(accreditor, count)]

    def vouches(self, leaf: LeafSlots, accreditor: int, time: int) -> bool:
        """Return whether `accreditor` had accredited the leaf's issuer at `time`.

        Raises:
            ProofError: as `word`.

        """
        return any(decode_span(span).holds_at(time) for span in self.spans_of(leaf, accreditor))


def verify_state(
    state: StateProof,
    *,
    trusted: Collection[Hash32],
    registry: Address,
    leaf: LeafSlots,
    accreditors: Collection[int] = (),
) -> tuple[Header, RegistryState]:
    """Return a block of `trusted`, and what the registry had there.

    All that decides over the leaf can then be read without an error, accreditations as far
    as the proof holds them. Those by `accreditors` are found without a search.

    Raises:
        ProofError: the block is not trusted (`untrusted-block`); a node is missing, is not
            one that Ethereum writes, is not needed, or stands in another place.

    """
    if keccak256(state.header) not in trusted:
        raise ProofError(
            "untrusted-block",
            f"the state proof is of the block 0x{keccak256(state.header).hex()}, "
            "which is not trusted",
        )
    header = parse_header(state.header)
    nodes = {keccak256(node): node for node in state.nodes}
    if len(nodes) != len(state.nodes):
        raise ProofError("unused-node", "a node of the state proof stands twice")
    shown = RegistryState.open(header.state_root, registry, nodes.get)
    anchor = shown.anchor_of(leaf)
    _check_order(shown, nodes)
    if anchor is not None and len(shown.world.used) < len(nodes):
        apart = RegistryState.open(header.state_root, registry, nodes.get)
        for accreditor in _find_accreditors(apart, nodes, leaf, anchor, accreditors):
            shown.spans_of(leaf, accreditor)
        _check_order(shown, nodes)
    for name in nodes.keys() - set(shown.world.used):
        raise ProofError("unused-node", f"the trie node 0x{name.hex()} serves nothing here")
    return header, shown


def _check_order(shown: RegistryState, nodes: Mapping[Hash32, bytes]) -> None:
    """Return when the first of `nodes` are those that were used so far."""
    used = shown.world.used
    if used != tuple(islice(nodes, len(used))):
        raise ProofError("unordered-node", "nodes of the state proof stand in another order")


def _find_accreditors(
    apart: RegistryState,
    nodes: Mapping[Hash32, bytes],
    leaf: LeafSlots,
    anchor: AnchorRecord,
    likely: Collection[int],
) -> list[int]:
    """Return who vouched for the leaf's issuer when it anchored, as far as `nodes` show.

    `apart` reads the same nodes: what does not vouch must leave no trace.
    """
    keys = known_keys(apart.account.storage_root, nodes.get) if apart.account else set()
    apart.anchor_of(leaf)
    found: set[int] = set()
    for accreditor in chain(sorted(likely), range(1, MAX_ACCREDITOR + 1)):
        if len(apart.world.used) == len(nodes):
            break
        if keccak256(leaf.span_count(accreditor)) in keys:
            with suppress(ProofError):
                if apart.vouches(leaf, accreditor, anchor.time):
                    found.add(accreditor)
    return sorted(found)


def prove_state(
    header: bytes,
    *,
    registry: Address,
    leaf: LeafSlots,
    accreditors: Iterable[int],
    read_node: ReadNode,
) -> StateProof:
    """Return the state proof of a leaf, made of nodes that are known.

    Of the `accreditors`, those are proved that had accredited the issuer when it anchored,
    the lowest number first, and as far as `MAX_ACCREDITOR` and `MAX_NODES` allow.

    Raises:
        ProofError: a node that is needed is not known, or the header is larger than a proof
            file may hold (`bad-header`).

    """
    if len(header) > MAX_HEADER_BYTES:
        raise ProofError("bad-header", f"a block header of {len(header)} bytes: no file holds it")
    root = parse_header(header).state_root
    shown, apart = (RegistryState.open(root, registry, read_node) for _ in range(2))
    anchor = shown.anchor_of(leaf)
    nodes = shown.world.used
    for accreditor in sorted(number for number in accreditors if number <= MAX_ACCREDITOR):
        # Asked apart: what does not vouch must leave no node behind.
        if anchor is None or not apart.vouches(leaf, accreditor, anchor.time):
            continue
        shown.spans_of(leaf, accreditor)
        if len(shown.world.used) > MAX_NODES:
            break
        nodes = shown.world.used
    found = (read_node(node) for node in nodes)
    return StateProof(header, tuple(node for node in found if node is not None))

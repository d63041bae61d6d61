"""A state proof shows what it must, whole and in one form, or it shows nothing."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import rlp

from ledger.chain.header import parse_header
from ledger.chain.registry import slots
from ledger.chain.trie import EMPTY_ROOT, find
from ledger.chain.world_state import WorldState
from ledger.errors import ProofError
from ledger.primitives import Address, Hash32, keccak256, sha256
from ledger.proofs.file import (
    MAX_HEADER_BYTES,
    MAX_NODE_BYTES,
    StateProof,
    format_proof_file,
    parse_proof_file,
)
from ledger.proofs.state import RegistryState, leaf_slots, verify_state

from .state_world import TIME, Ethereum, account, ethereum_of, make_ethereum, make_header, make_trie
from .verification_world import ACCREDITOR, CODE, OPERATOR, REGISTRY, World, encode

WORLD = World()
WORLD.accredit((1, 2), (3, 0))
WORLD.set_status(slots.suspended_slot, [0, 2])
ETHEREUM = ethereum_of(WORLD)
LEAF = leaf_slots(WORLD.proof)
STATE = ETHEREUM.prove(WORLD.proof)
ACCREDITED = ETHEREUM.prove(WORLD.proof, (ACCREDITOR,))


@pytest.fixture(autouse=True)
def few_numbers_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them would be tried for each proof that is to be refused."""
    monkeypatch.setattr("ledger.proofs.state.MAX_ACCREDITOR", 20)


def check(state: StateProof, ethereum: Ethereum = ETHEREUM) -> RegistryState:
    _, shown = verify_state(state, trusted=[ethereum.hash], registry=REGISTRY, leaf=LEAF)
    return shown


def refused(state: StateProof, ethereum: Ethereum = ETHEREUM) -> str:
    with pytest.raises(ProofError) as caught:
        check(state, ethereum)
    return caught.value.code


def with_nodes(nodes: Sequence[bytes], state: StateProof = STATE) -> StateProof:
    return replace(state, nodes=tuple(nodes))


def test_every_word_is_what_the_registry_stores() -> None:
    header, _ = verify_state(STATE, trusted=[ETHEREUM.hash], registry=REGISTRY, leaf=LEAF)
    assert (header.hash, header.number, header.time) == (ETHEREUM.hash, 100, TIME)
    shown = check(STATE)
    assert shown.account is not None
    assert shown.account.code_hash == CODE
    for slot in LEAF.known():
        assert shown.word(slot) == WORLD.chain.newest.get(slot, bytes(32))
    assert not any(shown.word(LEAF.revoked))
    assert any(shown.word(LEAF.suspended))
    # A count and two spans.
    assert len(ACCREDITED.nodes) > len(STATE.nodes)
    assert len(check(ACCREDITED).spans_of(LEAF, ACCREDITOR)) == 2


def test_what_was_not_proved_is_an_error_and_not_zero() -> None:
    shown = check(STATE)
    absent = [sha256(b"no slot %d" % n) for n in range(50)]
    refusals = 0
    for slot in absent:
        try:
            # It may end where a proved path shows that nothing is there.
            assert shown.word(slot) == bytes(32)
        except ProofError:
            refusals += 1
    assert refusals > 0
    stored = [slot for slot in WORLD.chain.newest if slot not in LEAF.known()]
    for slot in stored:
        if slot != LEAF.operator(OPERATOR):
            with pytest.raises(ProofError) as caught:
                shown.word(slot)
            assert caught.value.code == "missing-node"


def test_the_proof_survives_its_file() -> None:
    proof = replace(WORLD.proof, state=ACCREDITED)
    assert parse_proof_file(encode(format_proof_file(proof))) == proof


def without(place: int, state: StateProof) -> StateProof:
    return with_nodes(state.nodes[:place] + state.nodes[place + 1 :], state)


def test_no_node_can_be_left_out() -> None:
    for place in range(len(STATE.nodes)):
        assert refused(without(place, STATE)) in {"missing-node", "unordered-node"}
        assert refused(without(place, ACCREDITED)) in {"missing-node", "unordered-node"}


def test_an_accreditation_that_is_left_out_is_not_known() -> None:
    for place in range(len(STATE.nodes), len(ACCREDITED.nodes)):
        with pytest.raises(ProofError):
            check(without(place, ACCREDITED)).spans_of(LEAF, ACCREDITOR)
    with pytest.raises(ProofError):
        check(STATE).spans_of(LEAF, ACCREDITOR)


def test_a_truncated_proof_of_a_revoked_word_is_never_read_as_not_revoked() -> None:
    world = World()
    world.set_status(slots.revoked_slot, [1])
    ethereum = ethereum_of(world)
    state = ethereum.prove(world.proof)
    assert any(check(state, ethereum).word(LEAF.revoked))
    path = find(Hash32(ethereum.storage_root), LEAF.revoked, ethereum.nodes.get).path
    own = [name for name in path if name not in WORLD_PATHS(ethereum)]
    assert own
    for name in own:
        fewer = [node for node in state.nodes if keccak256(node) != name]
        assert refused(with_nodes(fewer, state), ethereum) == "missing-node"
        nodes = {keccak256(node): node for node in fewer}
        shown = RegistryState.open(parse_header(state.header).state_root, REGISTRY, nodes.get)
        with pytest.raises(ProofError):
            shown.word(LEAF.revoked)


def WORLD_PATHS(ethereum: Ethereum) -> set[Hash32]:  # noqa: N802
    """The nodes that the anchor's own path needs anyway."""
    return set(find(Hash32(ethereum.storage_root), LEAF.anchor, ethereum.nodes.get).path)


@pytest.mark.parametrize("state", [STATE, ACCREDITED], ids=["plain", "accredited"])
def test_no_two_nodes_can_change_places(state: StateProof) -> None:
    for first in range(len(STATE.nodes)):
        for second in range(first + 1, len(state.nodes)):
            nodes = list(state.nodes)
            nodes[first], nodes[second] = nodes[second], nodes[first]
            refused(with_nodes(nodes, state))


@pytest.mark.parametrize("state", [STATE, ACCREDITED], ids=["plain", "accredited"])
def test_nothing_can_be_added(state: StateProof) -> None:
    """Not even a whole genuine path to another word, at whatever place."""
    genuine = [n for n in map(bytes, ETHEREUM.nodes.values()) if n not in state.nodes]
    assert len(genuine) > 50
    for node in [b"\x80", b"\xc0", sha256(b"junk"), *genuine, STATE.nodes[0], STATE.nodes[-1]]:
        assert refused(with_nodes([*state.nodes, node])) == "unused-node"
    for place in range(len(state.nodes)):
        padded = with_nodes([*state.nodes[:place], genuine[place], *state.nodes[place:]])
        assert refused(padded) in {"unused-node", "unordered-node"}


def test_a_whole_path_to_any_other_word_is_padding() -> None:
    slots_ = [sha256(b"slot %d" % n) for n in range(3)]
    for slot in [*slots_, slots.head_slot(LEAF.issuer), LEAF.span_count(ACCREDITOR)]:
        path = find(Hash32(ETHEREUM.storage_root), slot, ETHEREUM.nodes.get).path
        added = [bytes(ETHEREUM.nodes[name]) for name in path]
        more = [node for node in added if node not in STATE.nodes]
        # The count of an accreditor without the spans that it counts is no accreditation.
        assert not more or refused(with_nodes([*STATE.nodes, *more])) == "unused-node"


def test_an_accreditation_that_did_not_hold_then_is_padding() -> None:
    """It is genuine, of this issuer, whole, and ended before the batch was anchored."""
    world = World()
    world.accredit((1, 2))
    ethereum = ethereum_of(world)
    assert ethereum.prove(world.proof, (ACCREDITOR,)) == ethereum.prove(world.proof)
    shown = check(ethereum.prove(world.proof), ethereum)
    nodes = {keccak256(bytes(node)): bytes(node) for node in ethereum.nodes.values()}
    whole = RegistryState.open(Hash32(ethereum.state_root), REGISTRY, nodes.get)
    whole.anchor_of(LEAF)
    assert whole.world.used == shown.world.used
    assert not whole.vouches(LEAF, ACCREDITOR, 10)
    padded = with_nodes([nodes[name] for name in whole.world.used], ethereum.prove(world.proof))
    assert len(whole.world.used) > len(shown.world.used)
    assert refused(padded, ethereum) == "unused-node"


def test_whom_the_verifier_does_not_believe_is_found_by_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert len(check(ACCREDITED).spans_of(LEAF, ACCREDITOR)) == 2
    monkeypatch.setattr("ledger.proofs.state.MAX_ACCREDITOR", ACCREDITOR - 1)
    assert refused(ACCREDITED) == "unused-node"
    _, shown = verify_state(
        ACCREDITED,
        trusted=[ETHEREUM.hash],
        registry=REGISTRY,
        leaf=LEAF,
        accreditors=[7, ACCREDITOR],
    )
    assert shown.vouches(LEAF, ACCREDITOR, 10)
    # Nobody could find it, so it is not written.
    assert ETHEREUM.prove(WORLD.proof, (ACCREDITOR,)) == STATE


def test_accreditors_stand_by_their_number() -> None:
    world = World()
    world.accredit((1, 0))
    world.chain.put(slots.span_count_slot(9, LEAF.issuer), 1)
    world.chain.put(slots.span_slot(9, LEAF.issuer, 0), 1)
    ethereum = ethereum_of(world)
    both = ethereum.prove(world.proof, (9, ACCREDITOR))
    assert both == ethereum.prove(world.proof, (ACCREDITOR, 9))
    one, nine = (ethereum.prove(world.proof, (number,)) for number in (ACCREDITOR, 9))
    shown = check(both, ethereum)
    assert shown.vouches(LEAF, 9, 10)
    assert shown.vouches(LEAF, ACCREDITOR, 10)
    other = [node for node in one.nodes if node not in nine.nodes]
    assert refused(with_nodes([*nine.nodes, *other], both), ethereum) == "unordered-node"


def test_accreditations_are_proved_as_far_as_a_file_holds_nodes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    world.accredit((1, 0))
    for accreditor in range(3, 20):
        world.chain.put(slots.span_count_slot(accreditor, LEAF.issuer), 1)
        world.chain.put(slots.span_slot(accreditor, LEAF.issuer, 0), 1)
    ethereum = ethereum_of(world)
    many = tuple(range(2, 20))
    whole = ethereum.prove(world.proof, many)
    monkeypatch.setattr("ledger.proofs.state.MAX_NODES", len(whole.nodes) - 1)
    fewer = ethereum.prove(world.proof, many)
    assert len(fewer.nodes) < len(whole.nodes)
    shown = check(fewer, ethereum)
    assert shown.vouches(LEAF, 2, 10)
    with pytest.raises(ProofError):
        shown.vouches(LEAF, 19, 10)


def test_a_node_of_another_block_or_contract_is_foreign() -> None:
    other = make_ethereum({LEAF.anchor: sha256(b"another anchor")})
    for place in range(len(STATE.nodes)):
        nodes = list(STATE.nodes)
        nodes[place] = bytes(list(other.nodes.values())[place])
        refused(with_nodes(nodes))
    assert refused(replace(STATE, header=other.header)) == "untrusted-block"
    assert refused(STATE, other) == "untrusted-block"


def test_the_state_of_another_contract_is_not_the_registrys() -> None:
    elsewhere = Address(b"\x44" * 20)
    ethereum = make_ethereum(WORLD.chain.newest, registry=elsewhere)
    mixed = replace(STATE, header=ethereum.header)
    with pytest.raises(ProofError):
        verify_state(mixed, trusted=[ethereum.hash], registry=REGISTRY, leaf=LEAF)
    nowhere = ethereum.prove(WORLD.proof)
    _, shown = verify_state(nowhere, trusted=[ethereum.hash], registry=REGISTRY, leaf=LEAF)
    assert shown.account is None
    assert not any(shown.word(LEAF.anchor))


def test_a_contract_without_storage_stores_nothing() -> None:
    state = make_trie({REGISTRY: account(EMPTY_ROOT, CODE)})
    header = make_header(state.root_hash)
    proof = StateProof(header, tuple(state.db[name] for name in [state.root_hash]))
    _, shown = verify_state(proof, trusted=[keccak256(header)], registry=REGISTRY, leaf=LEAF)
    assert not any(shown.word(LEAF.anchor))
    padded = replace(proof, nodes=(*proof.nodes, b"\x80"))
    with pytest.raises(ProofError) as caught:
        verify_state(padded, trusted=[keccak256(header)], registry=REGISTRY, leaf=LEAF)
    assert caught.value.code == "unused-node"


@pytest.mark.parametrize("fields", [15, 16, 17, 20, 21, 22, 30])
def test_headers_of_every_fork_are_read_by_position(fields: int) -> None:
    header = parse_header(make_header(sha256(b"root"), fields=fields))
    assert (header.state_root, header.number, header.time) == (sha256(b"root"), 100, TIME)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\x80",
        b"\xc0",
        make_header(sha256(b"root"), fields=14),
        make_header(b"short"),
        make_header(b""),
        make_header(sha256(b"root")) + b"\x00",
        make_header(sha256(b"root"))[:-1],
        make_header(sha256(b"root"), time=2**40),
        make_header(sha256(b"root"), block=2**63),
        rlp.encode([b"", b"", b"", sha256(b"root"), *[b""] * 4, b"\x00\x01", *[b""] * 8]),
        rlp.encode([b"", b"", b"", sha256(b"root"), *[b""] * 4, [b"\x01"], *[b""] * 8]),
        rlp.encode([b"", b"", b"", [sha256(b"root")], *[b""] * 14]),
    ],
)
def test_what_is_no_header_is_refused_even_when_it_is_trusted(header: bytes) -> None:
    with pytest.raises(ProofError) as caught:
        verify_state(
            StateProof(header, STATE.nodes),
            trusted=[keccak256(header)],
            registry=REGISTRY,
            leaf=LEAF,
        )
    assert caught.value.code == "bad-header"


# What follows is written by an attacker who chose the root, so every hash is right.

KEY = b"the key"
PATH = keccak256(KEY).hex()
VALUE = b"value " * 8


def path(nibbles: str, *, is_leaf: bool) -> bytes:
    flag = 2 * is_leaf + len(nibbles) % 2
    return bytes.fromhex(f"{flag:x}{nibbles}" if len(nibbles) % 2 else f"{flag:x}0{nibbles}")


def leaf(nibbles: str, value: object = VALUE) -> list[object]:
    return [path(nibbles, is_leaf=True), value]


def extension(nibbles: str, child: object) -> list[object]:
    return [path(nibbles, is_leaf=False), child]


def branch(children: dict[str, object], value: object = b"") -> list[object]:
    items: list[object] = [b""] * 16
    for nibble, child in children.items():
        items[int(nibble, 16)] = child
    return [*items, value]


OTHER = f"{int(PATH[0], 16) ^ 1:x}"
"""Another first nibble."""

Put = Callable[[Any], bytes]
"""Stores a node and gives its hash."""


def look_up(make: Callable[[Put], bytes]) -> bytes | None:
    nodes: dict[bytes, bytes] = {}

    def put(node: Any) -> bytes:
        encoded = node if isinstance(node, bytes) else rlp.encode(node)
        nodes[keccak256(encoded)] = encoded
        return keccak256(encoded)

    return find(Hash32(make(put)), KEY, nodes.get).value


def two(put: Put, child: object) -> bytes:
    """A branch with `child` on the key's side and a sound leaf on the other."""
    return put(branch({PATH[0]: child, OTHER: put(leaf(PATH[1:]))}))


SOUND: dict[str, Callable[[Put], bytes]] = {
    "a leaf alone": lambda put: put(leaf(PATH)),
    "a branch": lambda put: two(put, put(leaf(PATH[1:]))),
    "an extension": lambda put: put(
        extension(PATH[:5], put(branch({PATH[5]: put(leaf(PATH[6:])), "0": put(leaf("0" * 58))})))
    ),
}

CRAFTED: dict[str, Callable[[Put], bytes]] = {
    "no list": lambda put: put(rlp.encode(VALUE)),
    "no RLP": lambda put: put(b"\xb8\x01" + b"a"),
    "bytes after the node": lambda put: put(rlp.encode(leaf(PATH)) + b"\x00"),
    "three items": lambda put: put([*leaf(PATH), b""]),
    "sixteen items": lambda put: put(branch({"0": VALUE, "1": VALUE})[:16]),
    "a value of nothing": lambda put: put(leaf(PATH, b"")),
    "a value that is a list": lambda put: put(leaf(PATH, [VALUE])),
    "a leaf that ends early": lambda put: put(leaf(PATH[:-1])),
    "a leaf that goes beyond": lambda put: put(leaf(PATH + "0")),
    "a leaf too long below a branch": lambda put: two(put, put(leaf(PATH))),
    "a leaf of another depth elsewhere": lambda put: put(leaf(OTHER + PATH[2:])),
    "a branch with one child": lambda put: put(branch({PATH[0]: put(leaf(PATH[1:]))})),
    "a branch without children": lambda put: put(branch({})),
    "a branch with a value": lambda put: put(
        branch({PATH[0]: put(leaf(PATH[1:])), OTHER: put(leaf(PATH[1:]))}, b"value")
    ),
    "an extension to an extension": lambda put: put(
        extension(
            PATH[:2],
            put(
                extension(
                    PATH[2:4],
                    put(branch({PATH[4]: put(leaf(PATH[5:])), "0": put(leaf("0" * 59))})),
                )
            ),
        )
    ),
    "an extension to a leaf": lambda put: put(extension(PATH[:4], put(leaf(PATH[4:])))),
    "an extension to nothing": lambda put: put(extension(PATH[:4], b"")),
    "an extension of nothing": lambda put: put(extension("", two(put, put(leaf(PATH[1:]))))),
    "an extension of the whole key": lambda put: put(extension(PATH, put(leaf(PATH)))),
    "an unknown flag": lambda put: put([b"\x60" + bytes.fromhex(PATH), VALUE]),
    "an unknown odd flag": lambda put: two(put, put([bytes.fromhex("7" + PATH[1:]), VALUE])),
    "a padding that is not zero": lambda put: put([b"\x21" + bytes.fromhex(PATH), VALUE]),
    "no path": lambda put: put([b"", VALUE]),
    "a path that is a list": lambda put: put([[path(PATH, is_leaf=True)], VALUE]),
    "a child of 31 bytes": lambda put: two(put, put(leaf(PATH[1:]))[:31]),
    "a child of 33 bytes": lambda put: two(put, put(leaf(PATH[1:])) + b"\x00"),
    "a large node inside another": lambda put: two(put, leaf(PATH[1:])),
}


@pytest.mark.parametrize("name", SOUND)
def test_sound_nodes_are_read(name: str) -> None:
    assert look_up(SOUND[name]) == VALUE


@pytest.mark.parametrize("name", CRAFTED)
def test_nodes_that_ethereum_does_not_write_are_refused(name: str) -> None:
    with pytest.raises(ProofError) as caught:
        look_up(CRAFTED[name])
    assert caught.value.code == "bad-node"


def test_an_extension_that_leads_elsewhere_shows_that_the_key_is_not_there() -> None:
    """What hangs below it would answer for the rest of the key, which must not be looked at."""

    def make(put: Put) -> bytes:
        tip = put(branch({PATH[5]: put(leaf(PATH[6:])), "0": put(leaf("0" * 58))}))
        return put(extension(OTHER + PATH[1:5], tip))

    assert look_up(make) is None


def test_a_small_node_alone_is_refused() -> None:
    """Sixty-three nibbles down, a leaf is so short that it must be embedded."""

    def make(put: Put, child: Callable[[object], object]) -> bytes:
        last = "0" if PATH[63] != "0" else "1"
        tip = branch({PATH[63]: child(leaf("", b"\x01")), last: put(leaf("", VALUE))})
        return put(extension(PATH[:63], put(tip)))

    assert look_up(lambda put: make(put, lambda node: node)) == b"\x01"
    with pytest.raises(ProofError) as caught:
        look_up(lambda put: make(put, put))
    assert caught.value.code == "bad-node"


@pytest.mark.parametrize(
    "value",
    [
        b"\x00",
        b"\x81\x01",
        b"\x82\x00\x01",
        b"\xa1" + b"\x01" * 33,
        b"\xc0",
        b"\xc1\x01",
        b"\x80",
        b"\x01\x01",
        b"\x83\x01",
    ],
)
def test_a_stored_number_has_one_spelling(value: bytes) -> None:
    made = make_trie({LEAF.anchor: value})
    accounts = make_trie({REGISTRY: account(made.root_hash, CODE)}, made.db)
    shown = RegistryState.open(Hash32(accounts.root_hash), REGISTRY, made.db.get)
    with pytest.raises(ProofError) as caught:
        shown.word(LEAF.anchor)
    assert caught.value.code == "bad-state-value"


@pytest.mark.parametrize(
    "value",
    [
        b"\x80",
        rlp.encode([b"", b"", sha256(b"root")]),
        rlp.encode([b"", b"", sha256(b"root"), CODE, b""]),
        rlp.encode([b"\x00", b"", sha256(b"root"), CODE]),
        rlp.encode([b"", b"\x00\x01", sha256(b"root"), CODE]),
        rlp.encode([b"", b"", sha256(b"root")[:31], CODE]),
        rlp.encode([b"", b"", sha256(b"root"), [CODE]]),
        account(sha256(b"root"), CODE) + b"\x00",
    ],
)
def test_an_account_has_one_spelling(value: bytes) -> None:
    made = make_trie({REGISTRY: value})
    with pytest.raises(ProofError) as caught:
        WorldState(Hash32(made.root_hash), made.db.get).find_account(REGISTRY)
    assert caught.value.code == "bad-state-value"


def test_a_header_that_no_file_holds_is_not_proved() -> None:
    large = rlp.encode([*rlp.decode(ETHEREUM.header), bytes(MAX_HEADER_BYTES)])
    with pytest.raises(ProofError) as caught:
        replace(ETHEREUM, header=large).prove(WORLD.proof)
    assert caught.value.code == "bad-header"


def test_the_bounds_of_the_file_hold_every_honest_proof() -> None:
    assert max(map(len, ACCREDITED.nodes)) < MAX_NODE_BYTES
    assert len(ACCREDITED.header) < MAX_HEADER_BYTES

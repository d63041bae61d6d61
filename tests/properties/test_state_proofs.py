"""RLP and tries against other people's code, for whatever hypothesis thinks of."""

from typing import Any

import pytest
import rlp as their_rlp
from hypothesis import given
from hypothesis import strategies as st
from rlp.exceptions import RLPException

from ledger.chain import rlp
from ledger.chain.trie import Branch, Extension, Link, find, known_keys, open_link
from ledger.errors import LedgerError, MalformedInputError
from ledger.primitives import Hash32, keccak256, sha256
from tests.unit.state_world import make_trie

ITEMS: Any = st.recursive(
    st.binary(max_size=70), lambda below: st.lists(below, max_size=5), max_leaves=8
)


@given(ITEMS)
def test_what_is_encoded_is_what_others_encode(item: Any) -> None:
    encoded = rlp.encode(item)
    assert encoded == their_rlp.encode(item)


@given(st.binary(max_size=80))
def test_whatever_is_decoded_has_no_other_encoding(data: bytes) -> None:
    try:
        item = rlp.decode(data)
    except MalformedInputError:
        return
    assert rlp.encode(item) == data
    assert their_rlp.decode(data) == item


@given(ITEMS, st.data())
def test_a_changed_byte_is_another_item_or_none(item: Any, data: st.DataObject) -> None:
    encoded = bytearray(rlp.encode(item))
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] ^= data.draw(st.integers(1, 255))
    try:
        found = rlp.decode(bytes(encoded))
    except MalformedInputError:
        return
    assert found != item
    try:
        assert their_rlp.decode(bytes(encoded)) == found
    except RLPException:
        pytest.fail("we take what they refuse")


KEYS = st.dictionaries(
    st.binary(min_size=1, max_size=4), st.binary(min_size=1, max_size=60), max_size=40
)


@given(KEYS, st.lists(st.binary(min_size=1, max_size=4), max_size=8))
def test_a_trie_holds_what_was_put_in_and_nothing_else(
    values: dict[bytes, bytes], others: list[bytes]
) -> None:
    made = make_trie(values)
    for key in [*values, *others]:
        found = find(Hash32(made.root_hash), key, made.db.get)
        assert found.value == values.get(key)
        nodes = {name: made.db[name] for name in found.path}
        assert find(Hash32(made.root_hash), key, nodes.get) == found
        for name in found.path:
            with pytest.raises(LedgerError) as caught:
                find(Hash32(made.root_hash), key, {**nodes, name: None}.get)
            assert caught.value.code == "missing-node"


@given(KEYS.filter(bool), st.data())
def test_a_changed_node_is_refused_or_read_as_others_read_it(
    values: dict[bytes, bytes], data: st.DataObject
) -> None:
    """The attacker makes the whole trie: the changed node's hash is put into all above it."""
    made = make_trie(values)
    key = data.draw(st.sampled_from(sorted(values)))
    path = find(Hash32(made.root_hash), key, made.db.get).path
    nodes = [bytearray(made.db[name]) for name in path]
    at = data.draw(st.integers(0, len(nodes) - 1))
    place = data.draw(st.integers(0, len(nodes[at]) - 1))
    nodes[at][place] ^= data.draw(st.integers(1, 255))
    for above in reversed(range(at)):
        nodes[above] = nodes[above].replace(path[above + 1], keccak256(bytes(nodes[above + 1])))
    changed = {**made.db, **{keccak256(bytes(node)): bytes(node) for node in nodes}}
    root = keccak256(bytes(nodes[0]))
    try:
        value = find(root, key, changed.get).value
    except LedgerError:
        return
    theirs = type(made)(changed, root)
    assert theirs[keccak256(key)] == (value or b"")


def test_embedded_nodes_are_read() -> None:
    """Keys that share 61 nibbles: what remains of them is so short that nodes embed."""
    from trie.hexary import HexaryTrie

    made = HexaryTrie({})
    prefix = sha256(b"prefix")[:30]
    keys = {Hash32(prefix + tail.to_bytes(2)) for tail in (0x1000, 0x1001, 0x1010, 0x2000)}
    for key in keys:
        made[key] = b"\x01"
    root = Hash32(made.root_hash)
    top = open_link(Link(root, 0, is_branch=False), made.db.get)
    assert isinstance(top, Extension)
    below = open_link(top.child, made.db.get) if isinstance(top.child, Link) else top.child
    assert isinstance(below, Branch)
    assert any(child is not None and not isinstance(child, Link) for child in below.children)
    assert known_keys(root, made.db.get) == keys


@given(KEYS)
def test_known_keys_are_those_that_lead_to_a_known_node(values: dict[bytes, bytes]) -> None:
    made = make_trie(values)
    root = Hash32(made.root_hash)
    assert known_keys(root, made.db.get) == {keccak256(key) for key in values}
    for key in values:
        nodes = {name: made.db[name] for name in find(root, key, made.db.get).path}
        assert keccak256(key) in known_keys(root, nodes.get)
        *_, end = nodes
        del nodes[end]
        assert keccak256(key) not in known_keys(root, nodes.get)

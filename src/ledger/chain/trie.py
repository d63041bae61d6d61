"""Look a key up in a Merkle-Patricia trie of which some nodes are known.

Whoever knows the hash of the root needs to trust nobody for the nodes: each is found by
its hash, which the node above it holds. So an answer is either the one that the root
stands for, or an error; above all, a node that is missing is never read as "not there".

    branch      [child 0, ... child 15, ""]     two children or more
    extension   [path, child]                   one nibble or more, then a branch
    leaf        [path, value]                   what remains of the key

A path is nibbles with a flag before them (hex-prefix). A child is the keccak256 of its
encoding, or the node itself where that encoding is shorter than 32 bytes, or "". The
tries of accounts and of storage are under keccak256 of their keys: every key has 64
nibbles, so no branch has a value, and a leaf ends at 64.

Ethereum writes a set of keys in one way only. Nodes that it would not write are refused.

Source: Ethereum yellow paper, appendices C and D.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from ledger.chain import rlp
from ledger.errors import MalformedInputError, ProofError
from ledger.primitives import HASH_BYTES, Hash32, keccak256

KEY_NIBBLES: Final = 2 * HASH_BYTES

EMPTY_ROOT: Final = keccak256(rlp.encode(b""))
"""The root of a trie without keys, which has no node."""

_BRANCH_ITEMS: Final = 17

Nibbles = tuple[int, ...]

ReadNode = Callable[[Hash32], "bytes | None"]
"""Gives the encoding of the node with this hash; None when it is not known."""


@dataclass(frozen=True, slots=True)
class Link:
    """A node that is known by its hash, and what its place says of it."""

    hash: Hash32
    depth: int
    """The nibbles above it."""
    is_branch: bool
    """Whether it can only be a branch: below an extension."""


@dataclass(frozen=True, slots=True)
class Branch:
    """Where keys part."""

    depth: int
    children: tuple["Child", ...]


@dataclass(frozen=True, slots=True)
class Extension:
    """Nibbles that all keys below have in common."""

    depth: int
    path: Nibbles
    child: "Child"


@dataclass(frozen=True, slots=True)
class Leaf:
    """The end of one key."""

    depth: int
    path: Nibbles
    value: bytes


Node: TypeAlias = Branch | Extension | Leaf
Child: TypeAlias = "Link | Node | None"


@dataclass(frozen=True, slots=True)
class Found:
    """What a trie holds under one key, and the nodes that show it."""

    value: bytes | None
    """None: the nodes show that the key is not there."""
    path: tuple[Hash32, ...]
    """The hashes of the nodes, from the root down."""


def find(root: Hash32, key: bytes, read_node: ReadNode) -> Found:
    """Return what the trie under `root` holds for `key`, a slot or an address before hashing.

    Raises:
        ProofError: a node on the way is not known (`missing-node`), or is not one that
            Ethereum writes there (`bad-node`).

    """
    nibbles = _nibbles(keccak256(key))
    child: Child = None if root == EMPTY_ROOT else Link(root, 0, is_branch=False)
    path = []
    while child is not None:
        match child:
            case Link():
                path.append(child.hash)
                child = open_link(child, read_node)
            case Branch():
                child = child.children[nibbles[child.depth]]
            case Extension():
                end = child.depth + len(child.path)
                child = child.child if nibbles[child.depth : end] == child.path else None
            case Leaf():
                is_here = nibbles[child.depth :] == child.path
                return Found(child.value if is_here else None, tuple(path))
    return Found(None, tuple(path))


def open_link(link: Link, read_node: ReadNode) -> Node:
    """Return the node that `link` names.

    Raises:
        ProofError: as `find`.

    """
    encoded = read_node(link.hash)
    if encoded is None:
        raise ProofError("missing-node", f"the trie node 0x{link.hash.hex()} is missing")
    if keccak256(encoded) != link.hash:
        raise _bad("it has another hash")
    if link.depth and len(encoded) < HASH_BYTES:
        raise _bad("it is so short that it must stand inside the node above")
    try:
        item = rlp.decode(encoded)
    except MalformedInputError as error:
        raise _bad(error.message) from None
    return _node(item, link.depth, is_branch=link.is_branch)


def known_keys(root: Hash32, read_node: ReadNode) -> set[Hash32]:
    """Return the hashed keys of all values that the known nodes hold, each node read once.

    Raises:
        ProofError: one of the nodes is not one that Ethereum writes there (`bad-node`).

    """
    keys: set[Hash32] = set()
    opened: set[Hash32] = set()
    waiting: list[tuple[Nibbles, Child]] = [((), Link(root, 0, is_branch=False))]
    while waiting:
        above, child = waiting.pop()
        match child:
            case Link():
                if child.hash not in opened and read_node(child.hash) is not None:
                    opened.add(child.hash)
                    waiting.append((above, open_link(child, read_node)))
            case Branch():
                waiting += [((*above, nibble), node) for nibble, node in enumerate(child.children)]
            case Extension():
                waiting.append((above + child.path, child.child))
            case Leaf():
                digits = "".join(f"{nibble:x}" for nibble in above + child.path)
                keys.add(Hash32(bytes.fromhex(digits)))
    return keys


def _node(item: rlp.Item, depth: int, *, is_branch: bool) -> Node:
    """Return the node that `item` is, `depth` nibbles below the root."""
    if isinstance(item, bytes) or len(item) not in {2, _BRANCH_ITEMS}:
        raise _bad("it is no list of 2 or 17 items")
    if len(item) == _BRANCH_ITEMS:
        return _branch(item, depth)
    if is_branch:
        raise _bad("an extension leads to something else than a branch")
    path, is_leaf = _path(item[0])
    end = depth + len(path)
    if is_leaf:
        if end != KEY_NIBBLES or not isinstance(item[1], bytes) or not item[1]:
            raise _bad("a leaf ends before or beyond its key, or has no value")
        return Leaf(depth, path, item[1])
    if not path or end >= KEY_NIBBLES:
        raise _bad("an extension is empty, or leads beyond the key")
    child = _child(item[1], end, is_branch=True)
    if child is None:
        raise _bad("an extension leads to nothing")
    return Extension(depth, path, child)


def _branch(items: list[rlp.Item], depth: int) -> Branch:
    *below, value = items
    if depth >= KEY_NIBBLES or value != b"":
        raise _bad("a branch has a value, or stands beyond the key")
    children = tuple(_child(item, depth + 1, is_branch=False) for item in below)
    if sum(child is not None for child in children) < 2:
        raise _bad("a branch has fewer than two children")
    return Branch(depth, children)


def _child(item: rlp.Item, depth: int, *, is_branch: bool) -> Child:
    if isinstance(item, bytes):
        if len(item) == HASH_BYTES:
            return Link(Hash32(item), depth, is_branch)
        if item:
            raise _bad(f"a child is named by {len(item)} bytes")
        return None
    if len(rlp.encode(item)) >= HASH_BYTES:
        raise _bad("a child stands inside it that must be named by its hash")
    return _node(item, depth, is_branch=is_branch)


def _path(item: rlp.Item) -> tuple[Nibbles, bool]:
    """Return the nibbles of a path, and whether its flag says that a leaf ends there."""
    if not isinstance(item, bytes) or not item:
        raise _bad("a path is missing")
    flag, *nibbles = _nibbles(item)
    if flag > 3:
        raise _bad("a path has an unknown flag")
    if not flag & 1 and nibbles.pop(0) != 0:
        raise _bad("a path of even length is not padded with zero")
    return tuple(nibbles), bool(flag & 2)


def _nibbles(data: bytes) -> Nibbles:
    return tuple(nibble for byte in data for nibble in (byte >> 4, byte & 15))


def _bad(what: str) -> ProofError:
    return ProofError("bad-node", f"not a trie node that Ethereum writes: {what}")

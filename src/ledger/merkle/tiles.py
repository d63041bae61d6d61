"""The tree of a sealed batch as rows of a database, and proofs read from them.

A tile is up to 256 neighbouring nodes of one level. Only every eighth level is stored:

    tile (level L, number N)   nodes 256 N to 256 N + 255 of tree level 8 L, or up to the
                               last one of that level, 32 bytes each, left to right
    tree level of one node     that node is the root and has no tile

Seven levels between two stored ones are computed from the tile below them: each of their
nodes lies over nodes of one tile. So all siblings of a leaf at levels 8 L to 8 L + 7 come
from one tile, and a proof reads at most one tile for every eight levels: three for a
million leaves, four for 2^32. A sealed batch never grows, therefore the incomplete last
node of a level can be stored with the others.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ledger.errors import MalformedInputError
from ledger.merkle.inclusion import InclusionProof, siblings
from ledger.merkle.tree import check_hash, empty_batch, parents
from ledger.primitives import HASH_BYTES, Hash32

TILE_HEIGHT: Final = 8
"""Tree levels from one stored level to the next."""

TILE_WIDTH: Final = 1 << TILE_HEIGHT
"""Nodes of a full tile."""

_TILE_BYTES: Final = TILE_WIDTH * HASH_BYTES


@dataclass(frozen=True, slots=True)
class Tile:
    """Neighbouring nodes of one stored level."""

    level: int
    """The stored level: tree level divided by 8."""
    number: int
    """The position among the tiles of this level, from 0."""
    hashes: bytes
    """From 1 to 256 nodes of 32 bytes."""


class TileBuilder:
    """Turns leaves, given in order, into tiles and a root; holds one open tile a level."""

    def __init__(self, sink: Callable[[Tile], None]) -> None:
        """Give every tile to `sink` as soon as it is complete, lower levels first."""
        self._sink = sink
        self._open = [bytearray()]
        self._complete = [0]

    def add(self, leaf: Hash32) -> None:
        """Take the next leaf.

        Raises:
            MalformedInputError: it is not 32 bytes.

        """
        check_hash(leaf, "a leaf")
        self._append(0, leaf)

    def finish(self) -> Hash32:
        """Give out the incomplete tiles and return the root; the builder is then spent.

        Raises:
            MalformedInputError: no leaf was added.

        """
        if not self._open[0] and not self._complete[0]:
            raise empty_batch()
        level = 0
        while self._complete[level] or len(self._open[level]) != HASH_BYTES:
            if self._open[level]:
                self._close(level)
            level += 1
        return Hash32(bytes(self._open[level]))

    def _append(self, level: int, node: bytes) -> None:
        if level == len(self._open):
            self._open.append(bytearray())
            self._complete.append(0)
        hashes = self._open[level]
        hashes += node
        if len(hashes) == _TILE_BYTES:
            self._close(level)

    def _close(self, level: int) -> None:
        hashes = bytes(self._open[level])
        self._sink(Tile(level, self._complete[level], hashes))
        self._complete[level] += 1
        self._open[level].clear()
        *_, highest = _levels_over(hashes)
        self._append(level + 1, parents(highest))


def prove(index: int, size: int, read: Callable[[int, int], bytes]) -> InclusionProof:
    """Return the proof of one leaf of a batch of `size` leaves.

    `read(level, number)` gives the hashes of a tile. It is called at most once a stored
    level, lowest first, and not at all for a level of whose nodes none is a sibling. A tile
    costs 254 hashes, unless it was among the last used.

    Raises:
        MalformedInputError: as `ledger.merkle.inclusion.siblings`; or a tile has another
            length than in a tree of this size (`bad-tile`).

    """
    path = []
    nodes: tuple[bytes, ...] = ()
    stored_level = -1
    for level, position in siblings(index, size):
        above, height = divmod(level, TILE_HEIGHT)
        number, within = divmod(position, TILE_WIDTH >> height)
        if above != stored_level:
            stored_level = above
            nodes = _levels_within(_checked(read(above, number), above, number, size))
        start = within * HASH_BYTES
        path.append(Hash32(nodes[height][start : start + HASH_BYTES]))
    return InclusionProof(index, tuple(path))


class Prover:
    """Makes the proofs of one batch, fastest in the order of the leaves.

    The leaves of one lowest tile share their path from its top upwards: it is made once.
    """

    def __init__(self, size: int, read: Callable[[int, int], bytes]) -> None:
        """Prove leaves of a batch of `size` from tiles that `read` gives, as to `prove`."""
        self._size = size
        self._read = read
        self._number = -1
        self._levels: tuple[bytes, ...] = ()
        self._above: tuple[Hash32, ...] = ()

    def prove(self, index: int) -> InclusionProof:
        """Return the proof of one leaf.

        Raises:
            MalformedInputError: as `prove`.

        """
        if index >> TILE_HEIGHT != self._number:
            self._move(index)
        path = []
        for height, position in siblings(index, self._size):
            if height >= TILE_HEIGHT:
                break
            start = position % (TILE_WIDTH >> height) * HASH_BYTES
            path.append(Hash32(self._levels[height][start : start + HASH_BYTES]))
        return InclusionProof(index, (*path, *self._above))

    def _move(self, index: int) -> None:
        """Go to the lowest tile in which a leaf stands."""
        below = [level for level, _ in siblings(index, self._size) if level < TILE_HEIGHT]
        self._above = prove(index, self._size, self._read).path[len(below) :]
        number = index >> TILE_HEIGHT
        # A leaf alone in its tile was promoted: nothing is read of the tile.
        self._levels = _levels_within(self._read(0, number)) if below else ()
        self._number = number


def _checked(hashes: bytes, level: int, number: int, size: int) -> bytes:
    last = (size - 1) >> (level * TILE_HEIGHT)
    expected = min(TILE_WIDTH, last + 1 - number * TILE_WIDTH)
    if len(hashes) != expected * HASH_BYTES:
        raise MalformedInputError(
            "bad-tile",
            f"tile {level}/{number} has {len(hashes)} bytes: a tree of {size} leaves has "
            f"{expected} nodes there, so what was stored is damaged",
        )
    return hashes


# Neighbouring leaves share their tiles; holders ask for those of the newest batches. 16 KiB each.
@lru_cache(maxsize=256)
def _levels_within(hashes: bytes) -> tuple[bytes, ...]:
    """Return the nodes over a tile at each of its eight levels, the tile itself first."""
    return tuple(_levels_over(hashes))


def _levels_over(hashes: bytes) -> Iterator[bytes]:
    yield hashes
    for _ in range(TILE_HEIGHT - 1):
        hashes = parents(hashes)
        yield hashes

"""Tiles that were read before, for whoever proves one leaf at a time.

A root fixes every tile of its tree, so what was read under a root is not read again; a batch
that is sealed again has another root. The ones not used longest are forgotten.
"""

import threading
from collections import OrderedDict
from typing import Final

from ledger.batches.trees import store
from ledger.database import Connection
from ledger.primitives import Hash32

MAX_TILES: Final = 2_048
"""Of at most 8 KiB: the lowest tiles of half a million leaves."""


class TileCache:
    """Tiles by their root and place; threads may share it."""

    def __init__(self, *, max_tiles: int = MAX_TILES) -> None:
        self._max = max_tiles
        self._tiles: OrderedDict[tuple[Hash32, int, int], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, tx: Connection, batch_id: int, root: Hash32, level: int, number: int) -> bytes:
        """Return one tile of the batch that has this root.

        Raises:
            NotFoundError: as `store.read_tile`.

        """
        place = (root, level, number)
        with self._lock:
            known = self._tiles.get(place)
            if known is not None:
                self._tiles.move_to_end(place)
                return known
        found = store.read_tile(tx, batch_id, level, number)
        with self._lock:
            self._tiles[place] = found
            if len(self._tiles) > self._max:
                self._tiles.popitem(last=False)
        return found

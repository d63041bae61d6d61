"""What the registry says of batches: their anchors, and the keys that made them.

An anchor counts for us when it has the batch's size and was made by a key that ever
signed here, at a time when that key was not compromised. Good news is read at the
block it must have reached, bad news (a compromise) at the newest.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ledger.batches.store import Batch
from ledger.chain.registry.slots import (
    AnchorRecord,
    OperatorRecord,
    anchor_slot,
    decode_anchor,
    decode_operator,
    operator_slot,
)
from ledger.chain.rpc import JsonRpc
from ledger.chain.state import Block, RpcReader, Slot
from ledger.primitives import Address


@dataclass(frozen=True, slots=True)
class Anchors:
    """The anchors of some batches at some blocks, those alone that count for us."""

    _records: dict[tuple[int, Block], AnchorRecord]

    def at(self, block: Block, batch: Batch) -> AnchorRecord | None:
        """Return the batch's anchor as `block` has it; None when none counts."""
        return self._records.get((batch.id, block))


class RecordReader:
    """One registry, read at blocks."""

    def __init__(self, rpc: JsonRpc, chain: int, registry: Address) -> None:
        self._reader = RpcReader(rpc, chain)
        self._registry = registry

    def anchors(
        self, batches: Sequence[Batch], blocks: Iterable[Block], newest: Block, own: set[Address]
    ) -> Anchors:
        """Return the anchors of `batches` by keys of `own` at each of `blocks`.

        Two round trips, whatever the number of batches.

        Raises:
            ChainError: the chain could not be asked.

        """
        wanted = {
            (batch.id, block): Slot(block, self._registry, anchor_slot(batch.issuer, batch.root))
            for batch in batches
            for block in blocks
        }
        words = self._reader.read(wanted.values())
        issuers = {batch.id: batch.issuer for batch in batches}
        sizes = {batch.id: batch.size for batch in batches}
        found = {
            (number, block): record
            for (number, block), slot in wanted.items()
            if (record := decode_anchor(words[slot]))
            and record.operator in own
            and record.size == sizes[number]
        }
        makers = {(issuers[number], record.operator) for (number, _), record in found.items()}
        operators = self.operators(makers, newest)
        return Anchors(
            {
                key: record
                for key, record in found.items()
                if operators[issuers[key[0]], record.operator].is_trusted_at(record.time)
            }
        )

    def operators(
        self, pairs: Iterable[tuple[int, Address]], block: Block
    ) -> dict[tuple[int, Address], OperatorRecord]:
        """Return the record of each (issuer, key).

        Raises:
            ChainError: the chain could not be asked.

        """
        slots = {pair: Slot(block, self._registry, operator_slot(*pair)) for pair in pairs}
        words = self._reader.read(slots.values())
        return {pair: decode_operator(words[slot]) for pair, slot in slots.items()}

    def records(self, batches: Iterable[Batch], block: Block) -> dict[int, AnchorRecord]:
        """Return by batch id whatever the registry has under their roots, counting or not.

        Raises:
            ChainError: the chain could not be asked.

        """
        slots = {
            batch.id: Slot(block, self._registry, anchor_slot(batch.issuer, batch.root))
            for batch in batches
        }
        words = self._reader.read(slots.values())
        decoded = {number: decode_anchor(words[slot]) for number, slot in slots.items()}
        return {number: record for number, record in decoded.items() if record is not None}

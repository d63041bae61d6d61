"""Which words of the registry decide over one leaf, in the order in which they are proved.

1  the anchor
2  the revoked bits, then the suspended bits, of the 256 indexes around the leaf
3  the hash of the issuer's DID
4  the operator that the anchor names
5  of each accreditor: how many times it accredited, and the newest of those times
"""

from dataclasses import dataclass
from typing import Final

from ledger.chain.registry import slots
from ledger.primitives import Address, Hash32

MAX_SPANS: Final = 16
"""Of one accreditor for one issuer, the newest ones: so many are read in one round trip."""


@dataclass(frozen=True, slots=True)
class LeafSlots:
    """The slots that decide over leaf `index` of the batch `root` of `issuer`."""

    issuer: int
    root: Hash32
    index: int

    @property
    def anchor(self) -> Hash32:
        """Return where the anchor is."""
        return slots.anchor_slot(self.issuer, self.root)

    @property
    def revoked(self) -> Hash32:
        """Return where the leaf's revoked bit is, among others."""
        return slots.revoked_slot(self.issuer, self.root, self.index // slots.WORD_BITS)

    @property
    def suspended(self) -> Hash32:
        """Return where the leaf's suspended bit is, among others."""
        return slots.suspended_slot(self.issuer, self.root, self.index // slots.WORD_BITS)

    @property
    def did_hash(self) -> Hash32:
        """Return where the hash of the issuer's DID is."""
        return slots.did_hash_slot(self.issuer)

    def known(self) -> tuple[Hash32, ...]:
        """Return what can be asked before anything else is known: 1 to 3 of the list above."""
        return self.anchor, self.revoked, self.suspended, self.did_hash

    def operator(self, operator: Address) -> Hash32:
        """Return where the roles of `operator`, and its compromise, are."""
        return slots.operator_slot(self.issuer, operator)

    def span_count(self, accreditor: int) -> Hash32:
        """Return where it is counted how often `accreditor` accredited the issuer."""
        return slots.span_count_slot(accreditor, self.issuer)

    def spans(self, accreditor: int, count: int) -> list[Hash32]:
        """Return where the newest of `count` accreditations are, `MAX_SPANS` at most."""
        numbers = range(max(0, count - MAX_SPANS), count)
        return [slots.span_slot(accreditor, self.issuer, number) for number in numbers]

"""The registry as its events tell it: every issuer, operator, anchor, bit and span.

It is kept in memory, and grows with what was anchored and changed, not with how often:
an anchor takes about a kilobyte, 256 status bits of it two hundred bytes more.
"""

from dataclasses import dataclass, field

from ledger.chain.registry.slots import OperatorRecord, Role, Span
from ledger.primitives import HASH_BYTES, Address, Hash32

NO_ADDRESS = Address(bytes(20))


def in_words(roles: Role) -> str:
    """Return what an operator with these roles may do."""
    return ("no role", "anchors", "sets status", "anchors, sets status")[int(roles)]


@dataclass(slots=True)
class AnchorState:
    """One anchor and the status of what is under it."""

    operator: Address
    time: int
    size: int
    position: int
    """In the issuer's history."""
    block: int
    transaction: Hash32
    """As the source of the logs says; no head covers it."""
    batch_revoked: bool = False
    times_anchored: int = 1
    revoked: dict[int, int] = field(default_factory=dict)
    """Bits by word number."""
    suspended: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class IssuerState:
    """One issuer after some of its events."""

    number: int
    owner: Address
    did_hash: Hash32
    registered_at: int
    head: Hash32
    did: str | None = None
    pending_owner: Address = NO_ADDRESS
    position: int = 0
    """Of the last event; 0 is the registration."""
    operators: dict[Address, OperatorRecord] = field(default_factory=dict)
    anchors: dict[Hash32, AnchorState] = field(default_factory=dict)
    spans: dict[int, list[Span]] = field(default_factory=dict)
    """Accreditations it gave, by the issuer that holds them."""
    heads: bytearray = field(default_factory=bytearray)
    """Every head so far, 32 bytes each, by position."""

    def has_role(self, operator: Address, role: Role) -> bool:
        """Return whether `operator` may do what `role` is for."""
        known = self.operators.get(operator)
        # As integers: on flags the same costs as much as all the rest of a rule.
        return known is not None and int(known.roles) & int(role) != 0

    def is_trusted(self, anchor: AnchorState) -> bool:
        """Return whether no compromise takes the trust from `anchor`."""
        return self.operators[anchor.operator].is_trusted_at(anchor.time)

    def position_of(self, head: Hash32) -> int | None:
        """Return after which event the issuer had this head."""
        at = self.heads.find(head)
        while at > 0 and at % HASH_BYTES:
            at = self.heads.find(head, at + 1)
        return None if at < 0 else at // HASH_BYTES


@dataclass(frozen=True, slots=True)
class Change:
    """An event that is neither an anchor nor a status: who may do what, and who vouches."""

    name: str
    issuer: int
    position: int
    time: int
    block: int
    transaction: Hash32
    subject: str
    """Whom it is about, in words."""


@dataclass(slots=True)
class StatusCount:
    """How many credentials changed their status at one time."""

    revoked: int = 0
    suspended: int = 0
    reinstated: int = 0
    batches: int = 0
    """Revoked whole."""


@dataclass(slots=True)
class World:
    """Everything that a registry's events say, up to one of them."""

    chain: int
    registry: Address
    issuers: dict[int, IssuerState] = field(default_factory=dict)
    bare_issuers: dict[Address, int] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    status_counts: dict[int, StatusCount] = field(default_factory=dict)
    """By time."""
    events: int = 0
    time: int = 0
    """Of the last event."""

"""Where the registry keeps each value, and how to read the words found there.

    slot 0   issuer count
    slot 1   issuer -> head, didHash, owner, pending owner       (4 words)
    slot 2   issuer -> operator -> roles 8 | compromisedSince 40
    slot 3   anchor id -> operator 160 | time 40 | size 48 | flags 8
    slot 4   anchor id -> word -> revoked bits
    slot 5   anchor id -> word -> suspended bits
    slot 6   accreditor -> issuer -> span count
    slot 7   accreditor -> issuer -> n -> from 40 | until 40
    slot 8   operator -> issuer of its bare roots

Fields are packed from the low bit. The key of `mapping[k]` at slot `p` is
`keccak256(k || p)` with both as 32-byte words. The anchor id is
`keccak256(issuer || root)`. Index `i` of a batch is bit `1 << (i & 255)` of word
`i >> 8`.

Source: Solidity, "Layout of State Variables in Storage and Transient Storage".
"""

from dataclasses import dataclass
from enum import IntFlag
from functools import lru_cache
from typing import Final

from ledger.primitives import Address, Hash32, keccak256

_ISSUERS: Final = 1
_OPERATORS: Final = 2
_ANCHORS: Final = 3
_REVOKED: Final = 4
_SUSPENDED: Final = 5
_SPAN_COUNTS: Final = 6
_SPANS: Final = 7
_BARE_ISSUERS: Final = 8

WORD_BITS: Final = 256
"""Indexes whose status shares one word."""

ISSUER_COUNT_SLOT: Final = Hash32(bytes(32))


class Role(IntFlag):
    """What an operator may do for an issuer."""

    ANCHOR = 1
    STATUS = 2


@dataclass(frozen=True, slots=True)
class AnchorRecord:
    """What the registry stores of an anchor."""

    operator: Address
    time: int
    """Unix seconds of the block that anchored, or anchored again."""
    size: int
    """Leaves; 0 when the root was anchored bare."""
    batch_revoked: bool


@dataclass(frozen=True, slots=True)
class OperatorRecord:
    """What the registry stores of a key that works for an issuer."""

    roles: Role
    compromised_since: int
    """Unix seconds; 0 when nobody reported it."""

    def is_trusted_at(self, time: int) -> bool:
        """Return whether an anchor this key made at `time` is to be believed."""
        return self.compromised_since == 0 or time < self.compromised_since


@dataclass(frozen=True, slots=True)
class Span:
    """A time for which an accreditation is held: from `start` until before `until`."""

    start: int
    until: int
    """Unix seconds; 0 when open."""

    def holds_at(self, time: int) -> bool:
        """Return whether the accreditation is held at `time`."""
        return self.start <= time and (self.until == 0 or time < self.until)


def word(value: int) -> bytes:
    """Return `value` as a 32-byte big-endian word."""
    return value.to_bytes(32, "big")


def address_word(address: Address) -> bytes:
    """Return `address` right-aligned in a 32-byte word."""
    return address.rjust(32, b"\0")


# Remembered, here and below: whoever reads a slot computes it to ask, and again for the
# answer, and a keccak costs more than all else about it.
@lru_cache(maxsize=4096)
def _entry(key: bytes, slot: bytes) -> Hash32:
    return keccak256(key + slot)


def _field(base: Hash32, offset: int) -> Hash32:
    return Hash32(word((int.from_bytes(base, "big") + offset) % 2**256))


@lru_cache(maxsize=1024)
def anchor_id(issuer: int, root: Hash32) -> Hash32:
    """Return the key under which the registry files `root` of `issuer`."""
    return keccak256(word(issuer) + root)


def head_slot(issuer: int) -> Hash32:
    """Return where the head of `issuer` is."""
    return _entry(word(issuer), word(_ISSUERS))


def did_hash_slot(issuer: int) -> Hash32:
    """Return where keccak256 of the issuer's DID is."""
    return _field(head_slot(issuer), 1)


def owner_slot(issuer: int) -> Hash32:
    """Return where the issuer's owner is."""
    return _field(head_slot(issuer), 2)


def pending_owner_slot(issuer: int) -> Hash32:
    """Return where the owner to be is."""
    return _field(head_slot(issuer), 3)


def operator_slot(issuer: int, operator: Address) -> Hash32:
    """Return where the roles and the compromise of `operator` are."""
    return _entry(address_word(operator), _entry(word(issuer), word(_OPERATORS)))


def anchor_slot(issuer: int, root: Hash32) -> Hash32:
    """Return where the anchor record is."""
    return _entry(anchor_id(issuer, root), word(_ANCHORS))


def revoked_slot(issuer: int, root: Hash32, word_number: int) -> Hash32:
    """Return where the revoked bits of 256 indexes are."""
    return _entry(word(word_number), _entry(anchor_id(issuer, root), word(_REVOKED)))


def suspended_slot(issuer: int, root: Hash32, word_number: int) -> Hash32:
    """Return where the suspended bits of 256 indexes are."""
    return _entry(word(word_number), _entry(anchor_id(issuer, root), word(_SUSPENDED)))


def span_count_slot(accreditor: int, issuer: int) -> Hash32:
    """Return where the number of accreditation spans is."""
    return _entry(word(issuer), _entry(word(accreditor), word(_SPAN_COUNTS)))


def span_slot(accreditor: int, issuer: int, n: int) -> Hash32:
    """Return where accreditation span `n`, from 0, is."""
    spans = _entry(word(issuer), _entry(word(accreditor), word(_SPANS)))
    return _entry(word(n), spans)


def bare_issuer_slot(operator: Address) -> Hash32:
    """Return where the issuer that `operator` anchors bare roots for is."""
    return _entry(address_word(operator), word(_BARE_ISSUERS))


def _bits(value: int, low: int, width: int) -> int:
    return (value >> low) & ((1 << width) - 1)


def decode_anchor(stored: bytes) -> AnchorRecord | None:
    """Read the word at `anchor_slot`; None when nothing is anchored there."""
    value = int.from_bytes(stored, "big")
    time = _bits(value, 160, 40)
    if time == 0:
        return None
    return AnchorRecord(
        operator=Address(stored[12:]),
        time=time,
        size=_bits(value, 200, 48),
        batch_revoked=bool(_bits(value, 248, 1)),
    )


def decode_operator(stored: bytes) -> OperatorRecord:
    """Read the word at `operator_slot`."""
    value = int.from_bytes(stored, "big")
    return OperatorRecord(roles=Role(_bits(value, 0, 8)), compromised_since=_bits(value, 8, 40))


def decode_span(stored: bytes) -> Span:
    """Read the word at `span_slot`."""
    value = int.from_bytes(stored, "big")
    return Span(start=_bits(value, 0, 40), until=_bits(value, 40, 40))


def has_bit(stored: bytes, index: int) -> bool:
    """Return whether the bit of batch index `index` is set in the word that covers it."""
    return bool(int.from_bytes(stored, "big") >> (index & (WORD_BITS - 1)) & 1)

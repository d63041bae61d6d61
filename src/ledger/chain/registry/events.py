"""The registry's events, decoded and folded without an ABI library.

Every event has its signature's keccak256 as topic 0 and the issuer whose history it
belongs to as topic 1. Its other indexed members follow as topics 2 and 3, the rest
as one 32-byte word each; no member is dynamic except the DID of `IssuerDid`.

All events but `IssuerRegistered` and `IssuerDid` end with `time, head`: the block's
time and the issuer's head after the event,

    head' = keccak256(head || topic0 || topic2 || (topic3 or 0) || data without its last word)

`IssuerRegistered` carries the first head,
`keccak256(chainId || registry || issuer || owner || didHash || time)`.
So a log changed, hidden or moved anywhere breaks the heads after it.

Source: `ICredentialRegistry.sol`; docs/reference/contract.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Final, NamedTuple

from ledger.chain.registry.slots import address_word, word
from ledger.errors import MalformedInputError
from ledger.primitives import Address, Hash32, keccak256

_ZERO_WORD: Final = bytes(32)

Value = int | bytes | str
"""An integer, an address or 32-byte value, or the text of a DID."""


class Log(NamedTuple):
    """One log as a node gives it; bytes, not hex. A tuple: there are millions of them."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: Hash32
    transaction: Hash32
    log_index: int


@dataclass(frozen=True, slots=True)
class EventType:
    """The layout of one event: its members in order, the first always the issuer."""

    name: str
    indexed: tuple[tuple[str, str], ...]
    data: tuple[tuple[str, str], ...]

    @property
    def signature(self) -> str:
        """Return the canonical signature that topic 0 is the hash of."""
        return f"{self.name}({','.join(kind for _, kind in self.indexed + self.data)})"


@dataclass(frozen=True, slots=True)
class Event:
    """One decoded event of the registry."""

    name: str
    issuer: int
    """Whose history it belongs to; the accreditor of an accreditation."""
    values: dict[str, Value]
    """Every other member by its name in the contract."""
    log: Log


_END: Final = (("time", "uint40"), ("head", "bytes32"))
_STATUS: Final = (("operator", "address"), ("mask", "uint256"), ("reason", "uint8"), *_END)
_ISSUER: Final = ("issuer", "uint256")
_ROOT: Final = ("root", "bytes32")
_WORD: Final = ("word", "uint256")
_OPERATOR: Final = ("operator", "address")

EVENT_TYPES: Final = (
    EventType("IssuerRegistered", (_ISSUER, ("owner", "address")), (("didHash", "bytes32"), *_END)),
    EventType("IssuerDid", (_ISSUER,), (("did", "string"),)),
    EventType("OwnershipTransferStarted", (_ISSUER, ("pendingOwner", "address")), _END),
    EventType("OwnershipTransferred", (_ISSUER, ("owner", "address")), _END),
    EventType("OperatorSet", (_ISSUER, _OPERATOR), (("roles", "uint8"), *_END)),
    EventType("OperatorCompromised", (_ISSUER, _OPERATOR), (("since", "uint40"), *_END)),
    EventType("BareIssuerNamed", (_ISSUER, _OPERATOR), _END),
    EventType("Anchored", (_ISSUER, _ROOT, _OPERATOR), (("size", "uint48"), *_END)),
    EventType("Revoked", (_ISSUER, _ROOT, _WORD), _STATUS),
    EventType("Suspended", (_ISSUER, _ROOT, _WORD), _STATUS),
    EventType("Reinstated", (_ISSUER, _ROOT, _WORD), _STATUS),
    EventType("BatchRevoked", (_ISSUER, _ROOT), (_OPERATOR, ("reason", "uint8"), *_END)),
    EventType(
        "Accredited",
        (("accreditor", "uint256"), _ISSUER),
        (("span", "uint256"), ("until", "uint40"), *_END),
    ),
    EventType(
        "AccreditationWithdrawn", (("accreditor", "uint256"), _ISSUER), (("span", "uint256"), *_END)
    ),
)

TOPIC: Final = {kind.name: keccak256(kind.signature.encode()) for kind in EVENT_TYPES}
"""Topic 0 by event name."""

_BY_TOPIC: Final = {TOPIC[kind.name]: kind for kind in EVENT_TYPES}


def decode_members(log: Log) -> tuple[EventType, list[Value]]:
    """Read one log as the members of its event, in the order of the contract, the issuer first.

    Refuses every bit that the layout has no place for. Whoever reads millions of logs spares
    the names that `decode_event` gives each of them.

    Raises:
        MalformedInputError: an unknown event, a wrong number of topics or words, or a
            value wider than its type.

    """
    kind = _BY_TOPIC.get(Hash32(log.topics[0])) if log.topics else None
    if kind is None:
        raise MalformedInputError(
            "unknown-event", f"log {log.log_index}: not an event of the registry"
        )
    if len(log.topics) != 1 + len(kind.indexed) or set(map(len, log.topics)) != {32}:
        raise MalformedInputError("bad-event", f"log {log.log_index}: {kind.name} has other topics")
    if kind.name == "IssuerDid":
        return kind, [int.from_bytes(log.topics[1], "big"), _text(log)]
    data = log.data
    if len(data) != 32 * len(kind.data):
        raise MalformedInputError("bad-event", f"log {log.log_index}: {kind.name} has other data")
    layout = _LAYOUTS[kind.name]
    words = b"".join((*log.topics[1:], data))
    if int.from_bytes(words, "big") & layout.unused:
        raise MalformedInputError(
            "bad-event", f"log {log.log_index}: a value of {kind.name} is wider than its type"
        )
    members: list[Value] = list(layout.words.unpack(words))
    for at in layout.wide:
        members[at] = int.from_bytes(words[32 * at : 32 * at + 32], "big")
    return kind, members


def decode_event(log: Log) -> Event:
    """Read one log of the registry, each member under its name.

    Raises:
        MalformedInputError: as `decode_members`.

    """
    kind, (issuer, *others) = decode_members(log)
    names = [name for name, _ in (kind.indexed + kind.data)[1:]]
    assert isinstance(issuer, int)  # noqa: S101 - the first member of every event
    return Event(kind.name, issuer, dict(zip(names, others, strict=True)), log)


def fold(head: Hash32, topics: Sequence[bytes], data: bytes) -> Hash32:
    """Return the head that follows `head` when the event of `topics` and `data` happens."""
    topic3 = topics[3] if len(topics) > 3 else _ZERO_WORD
    return keccak256(b"".join((head, topics[0], topics[2], topic3, data[:-32])))


def first_head(
    *, chain: int, registry: Address, issuer: int, owner: Address, did_hash: Hash32, time: int
) -> Hash32:
    """Return head 0 of an issuer."""
    return keccak256(
        b"".join(
            (
                word(chain),
                address_word(registry),
                word(issuer),
                address_word(owner),
                did_hash,
                word(time),
            )
        )
    )


class _Type(NamedTuple):
    """How a member of one Solidity type stands in its word."""

    bits: int
    """At the low end; the others are zero."""
    format: str
    """For `struct`, the zeros passed over."""


_TYPES: Final = {
    "uint8": _Type(8, "31xB"),
    "uint40": _Type(40, "24xQ"),
    "uint48": _Type(48, "24xQ"),
    "uint256": _Type(256, "32s"),
    "address": _Type(160, "12x20s"),
    "bytes32": _Type(256, "32s"),
}


class _Layout(NamedTuple):
    """The words of one event, all at once: an audit reads millions."""

    words: Struct
    unused: int
    """The bits that no member has, over all words as one integer."""
    wide: tuple[int, ...]
    """Which members are integers that `struct` has no format for."""


def _layout(kind: EventType) -> _Layout:
    names = [name for _, name in kind.indexed + kind.data]
    unused = 0
    for name in names:
        unused = unused << 256 | (2**256 - 2 ** _TYPES[name].bits)
    return _Layout(
        Struct(">" + "".join(_TYPES[name].format for name in names)),
        unused,
        tuple(at for at, name in enumerate(names) if name == "uint256"),
    )


_LAYOUTS: Final = {kind.name: _layout(kind) for kind in EVENT_TYPES if kind.name != "IssuerDid"}
"""Of the events that have only words."""


def _text(log: Log) -> str:
    """Read the one dynamic member there is: offset 32, length, bytes, zero padding."""
    data = log.data
    length = int.from_bytes(data[32:64], "big")
    padded = 64 + (length + 31) // 32 * 32
    if data[:32] != word(32) or len(data) != padded or any(data[64 + length :]):
        raise MalformedInputError("bad-event", f"log {log.log_index}: IssuerDid has other data")
    try:
        return data[64 : 64 + length].decode()
    except UnicodeDecodeError:
        raise MalformedInputError(
            "bad-event", f"log {log.log_index}: the DID of IssuerDid is not UTF-8"
        ) from None

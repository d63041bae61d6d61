"""What an audit can find, each with a stable code.

A finding is a contradiction between two answers, or between a rule of the contract and
an answer; it names both. That nobody answered is no finding but a `ChainError`.

docs/reference/audit.md explains every code.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ledger.chain.header import MAX_TIME
from ledger.chain.registry.events import Log
from ledger.clock import format_time


class FindingCode(StrEnum):
    """What is wrong; part of the public interface."""

    EVENT_MALFORMED = "event-malformed"
    EVENT_ALTERED = "event-altered"
    EVENT_MISSING = "event-missing"
    EVENT_EXTRA = "event-extra"
    EVENT_REORDERED = "event-reordered"
    EVENT_UNLINKED = "event-unlinked"
    EVENT_IMPOSSIBLE = "event-impossible"
    PLACE_ALTERED = "place-altered"
    DID_MISMATCH = "did-mismatch"
    OTHER_CODE = "other-code"
    OTHER_CHAIN = "other-chain"
    HEADS_UNPROVED = "heads-unproved"
    HEADS_DISAGREE = "heads-disagree"
    BLOCKS_DISAGREE = "blocks-disagree"
    ENDPOINT_BEHIND = "endpoint-behind"
    FINALITY_WENT_BACK = "finality-went-back"
    FINALITY_BROKEN = "finality-broken"
    ANCHOR_UNKNOWN = "anchor-unknown"
    ANCHOR_MISSING = "anchor-missing"
    ANCHOR_DIFFERS = "anchor-differs"
    ISSUER_DIFFERS = "issuer-differs"
    LEAVES_DIFFER = "leaves-differ"
    STATUS_UNKNOWN = "status-unknown"
    STATUS_MISSING = "status-missing"
    CHANGE_UNKNOWN = "change-unknown"
    PROOF_UNREADABLE = "proof-unreadable"
    PROOF_DIFFERS = "proof-differs"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the history something is; what is not known is None."""

    issuer: int | None = None
    position: int | None = None
    """Of an event in its issuer's history: 0 is the registration."""
    block: int | None = None
    log_index: int | None = None
    transaction: bytes | None = None

    @classmethod
    def of(cls, log: Log, issuer: int | None = None, position: int | None = None) -> "Place":
        """Return the place that `log` says it has."""
        return cls(issuer, position, log.block_number, log.log_index, log.transaction)

    def __str__(self) -> str:
        parts = (
            ("issuer", self.issuer),
            ("position", self.position),
            ("block", self.block),
            ("log", self.log_index),
        )
        return ", ".join(f"{name} {value}" for name, value in parts if value is not None)

    def as_json(self) -> dict[str, Any]:
        """Return the place as JSON."""
        return {
            "issuer": self.issuer,
            "position": self.position,
            "block": self.block,
            "log_index": self.log_index,
            "transaction": "0x" + self.transaction.hex() if self.transaction else None,
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be."""

    code: FindingCode
    message: str
    """One sentence for people."""
    place: Place = Place()
    answers: tuple[str, ...] = ()
    """Which answers contradict each other, and who gave them."""

    def __str__(self) -> str:
        where = f" ({self.place})" if str(self.place) else ""
        against = f" [{' | '.join(self.answers)}]" if self.answers else ""
        return f"{self.code}: {self.message}{where}{against}"

    def as_json(self) -> dict[str, Any]:
        """Return the finding as JSON."""
        return {
            "code": str(self.code),
            "message": self.message,
            "place": self.place.as_json(),
            "answers": list(self.answers),
        }


def moment(seconds: int) -> str:
    """Return a time that a contract stores; forty bits go beyond every calendar."""
    return format_time(seconds) if seconds <= MAX_TIME else f"second {seconds}"

"""Name what is wrong where a history stops following.

Each event carries the head after it, and that head can be computed only from the head
before it. So what comes later tells what happened: an event whose stated head is followed
by another is genuine at least in its head; one that nothing leads to and that leads nowhere
is forged.

    the expected event comes later             what stands before it is moved or forged
    the event after is computed from this      only the head written in this one is altered
    the event after is stated by this          one before is missing, or this one is altered

The last two cannot be told apart from one source alone; another source can.
"""

from collections.abc import Sequence
from typing import Final

from ledger.audit.findings import Finding, FindingCode, Place
from ledger.audit.world import IssuerState
from ledger.chain.registry.events import Log, fold
from ledger.primitives import Hash32


def _stated(log: Log) -> Hash32:
    return Hash32(log.data[-32:])


def _follows(log: Log, head: Hash32) -> bool:
    return fold(head, log.topics, log.data) == _stated(log)


def name_break(
    issuer: IssuerState, suspects: Sequence[Log], end: Hash32, answers: tuple[str, ...]
) -> Finding:
    """Return what is wrong with the first of `suspects`, which does not follow the issuer's head.

    `suspects` are the issuer's events from there on, in the order given; `end` is the head
    that the contract has.
    """
    first = suspects[0]
    place = Place.of(first, issuer.number, issuer.position + 1)
    code, message = _name(issuer, suspects, end)
    return Finding(code, message, place, answers)


def _name(issuer: IssuerState, suspects: Sequence[Log], end: Hash32) -> tuple[FindingCode, str]:
    first, later = suspects[0], suspects[1:]
    known = issuer.position_of(_stated(first))
    if known is not None:
        return FindingCode.EVENT_EXTRA, f"the same event as number {known} once more"
    if any(_follows(log, issuer.head) for log in later):
        return _name_intruder(first, later)
    computed = fold(issuer.head, first.topics, first.data)
    if computed == end or any(_follows(log, computed) for log in later[:1]):
        return FindingCode.EVENT_ALTERED, "the head that the event carries is altered"
    if _stated(first) == end or any(_follows(log, _stated(first)) for log in later[:1]):
        return FindingCode.EVENT_UNLINKED, _UNDECIDED
    if end == issuer.head:
        return FindingCode.EVENT_EXTRA, "a forged event after the last one"
    return FindingCode.EVENT_ALTERED, "the event follows nothing and nothing follows it"


_UNDECIDED: Final = (
    "one or more events before this one are missing, or this one is altered; "
    "logs from another source would tell which"
)


def _name_intruder(first: Log, later: Sequence[Log]) -> tuple[FindingCode, str]:
    """Name `first`, which stands where an event of `later` belongs."""
    if any(_follows(first, _stated(log)) for log in later):
        return FindingCode.EVENT_REORDERED, "an event stands before the one that it follows"
    return FindingCode.EVENT_EXTRA, "an event that follows nothing, put between two that do"

"""Check 10: the dates of the credential against the present, and beside its anchor.

Both generations of dates are read: `validFrom` and `validUntil` of the VC Data Model 2.0,
`issuanceDate` and `expirationDate` of 1.1. All that are there must hold. A date that cannot
be read is unknown: it could be one that has passed.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from ledger.credentials.proof_check import ProofOutcome
from ledger.credentials.timestamps import parse_time
from ledger.errors import MalformedInputError
from ledger.verification.reasons import Finding, Reason, show_time
from ledger.verification.report import Check, Outcome

FROM_MEMBERS: Final[tuple[str, ...]] = ("validFrom", "issuanceDate")
UNTIL_MEMBERS: Final[tuple[str, ...]] = ("validUntil", "expirationDate")


def check_validity(
    credential: dict[str, Any],
    proofs: tuple[ProofOutcome, ...],
    *,
    anchored: int | None,
    max_anchor_delay_seconds: int | None,
    now: int,
) -> Check:
    """Return check 10; `anchored` is the anchor's time, None when it was not read."""
    dates, unreadable = _read_dates(credential)
    if outside := next(_outside(dates, now), None):
        return Check.not_passed(10, Outcome.FAILED, outside)
    if unreadable:
        return Check.not_passed(10, Outcome.UNKNOWN, unreadable[0])
    if anchored is not None and max_anchor_delay_seconds is not None:
        stated = [(m, dates[m]) for m in FROM_MEMBERS if m in dates]
        stated += [("created", proof.created) for proof in proofs if proof.created is not None]
        if late := _find_late(stated, anchored, max_anchor_delay_seconds):
            return Check.not_passed(10, Outcome.UNKNOWN, late)
    return Check.passed(10, _describe(dates))


def _read_dates(credential: dict[str, Any]) -> tuple[dict[str, int], list[Finding]]:
    """Return the dates that can be read, by member, and what is wrong with the others."""
    dates: dict[str, int] = {}
    unreadable: list[Finding] = []
    for member in FROM_MEMBERS + UNTIL_MEMBERS:
        if member in credential:
            try:
                dates[member] = parse_time(credential[member])
            except MalformedInputError:
                unreadable.append(Finding.of(Reason.UNREADABLE_DATE, member=member))
    return dates, unreadable


def _outside(dates: dict[str, int], now: int) -> Iterator[Finding]:
    for member in FROM_MEMBERS:
        if member in dates and now < dates[member]:
            yield Finding.of(Reason.NOT_YET_VALID, date=show_time(dates[member]))
    for member in UNTIL_MEMBERS:
        if member in dates and now > dates[member]:
            yield Finding.of(Reason.EXPIRED, date=show_time(dates[member]))


def _find_late(
    stated: Iterable[tuple[str, int]], anchored: int, max_delay_seconds: int
) -> Finding | None:
    for member, date in stated:
        if anchored - date > max_delay_seconds:
            return Finding.of(
                Reason.ANCHORED_LATE,
                member=member,
                date=show_time(date),
                anchored=show_time(anchored),
            )
    return None


def _describe(dates: dict[str, int]) -> str:
    if not dates:
        return "the credential states no dates"
    return ", ".join(f"{member} {show_time(date)}" for member, date in dates.items())

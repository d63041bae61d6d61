"""When what waits for an issuer is sealed and anchored without anybody asking.

An issuer has one schedule with one or more conditions; the first that holds is enough:

    cron         at the times of a cron expression, in a time zone
    every        every so many seconds, counted from when the schedule was set
    at waiting   as soon as so many credentials wait
    max age      as soon as the oldest waits so long

A time counts once something waited before it: what comes in after the last one waits for
the next. When nothing waits nothing is due, so no empty batch is ever anchored. The
answer follows from the schedule and from what waits; nothing is remembered of earlier
runs, so a worker that was down for a week makes one batch and not a hundred.

Source: cron(8) as Debian has it, which says what happens when clocks change.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ledger.clock import format_duration
from ledger.errors import MalformedInputError
from ledger.merkle.tree import MAX_SIZE

MIN_EVERY_SECONDS: Final = 60
"""Ours: a block takes twelve seconds, and each batch costs a transaction."""

MAX_SECONDS: Final = 10 * 366 * 86_400
"""Ours: ten years. What waits longer is not scheduled."""

MAX_CRON_CHARACTERS: Final = 200

CRON_FIELDS: Final = 5
"""Minute, hour, day, month, day of the week; a sixth for seconds is not for batches."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The conditions of one issuer; at least one is set."""

    set_at: int
    """Unix seconds."""
    cron: str | None = None
    zone: str = "UTC"
    """The IANA time zone that `cron` is in."""
    every_seconds: int | None = None
    at_waiting: int | None = None
    max_age_seconds: int | None = None

    def __str__(self) -> str:
        parts = [
            f"at {self.cron!r} in {self.zone}" if self.cron else "",
            f"every {format_duration(self.every_seconds)}" if self.every_seconds else "",
            f"when {self.at_waiting} wait" if self.at_waiting else "",
            f"when one has waited {format_duration(self.max_age_seconds)}"
            if self.max_age_seconds
            else "",
        ]
        return ", or ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is in no batch yet."""

    count: int
    oldest_at: int
    """When the oldest of them was accepted, Unix seconds."""


def check_schedule(schedule: Schedule) -> None:
    """Return when every condition makes sense.

    Raises:
        MalformedInputError: no condition, a cron expression or time zone that nobody knows, or
            a number out of range.

    """
    conditions = (
        schedule.cron,
        schedule.every_seconds,
        schedule.at_waiting,
        schedule.max_age_seconds,
    )
    if all(condition is None for condition in conditions):
        raise _refused("it has no condition, so it would never seal")
    if schedule.every_seconds is not None and schedule.every_seconds < MIN_EVERY_SECONDS:
        raise _refused(f"every {MIN_EVERY_SECONDS} seconds is the most often there is")
    if max(schedule.every_seconds or 0, schedule.max_age_seconds or 0) > MAX_SECONDS:
        raise _refused("ten years is the longest there is")
    if schedule.at_waiting is not None and not 1 <= schedule.at_waiting <= MAX_SIZE:
        raise _refused(f"from 1 to {MAX_SIZE:,} credentials can wait")
    if schedule.max_age_seconds is not None and schedule.max_age_seconds < 1:
        raise _refused("the oldest must wait a second at least")
    if schedule.cron is not None:
        _next_tick(schedule.cron, schedule.zone, schedule.set_at)


def due_at(schedule: Schedule, waiting: Waiting | None) -> int | None:
    """Return the Unix second from which what waits is to be sealed.

    None when nothing waits, or only a number that is not reached yet is waited for. A
    second in the past means now.
    """
    if waiting is None:
        return None
    since = max(schedule.set_at, waiting.oldest_at)
    times = []
    if schedule.cron is not None:
        times.append(_next_tick(schedule.cron, schedule.zone, since))
    if schedule.every_seconds is not None:
        times.append(_next_multiple(schedule.set_at, schedule.every_seconds, since))
    if schedule.at_waiting is not None and waiting.count >= schedule.at_waiting:
        times.append(waiting.oldest_at)
    if schedule.max_age_seconds is not None:
        times.append(waiting.oldest_at + schedule.max_age_seconds)
    return min(times, default=None)


def next_times(schedule: Schedule, *, now: int, count: int) -> list[int]:
    """Return the next `count` seconds at which something that waits by then would be sealed.

    Empty when only a number or an age is waited for.
    """
    times: list[int] = []
    for _ in range(count):
        last = times[-1] if times else now
        found = []
        if schedule.cron is not None:
            found.append(_next_tick(schedule.cron, schedule.zone, last))
        if schedule.every_seconds is not None:
            found.append(_next_multiple(schedule.set_at, schedule.every_seconds, last))
        if not found:
            break
        times.append(min(found))
    return times


def _next_tick(cron: str, zone: str, after: int) -> int:
    """Return the first second after `after` that a cron expression names."""
    from cronsim import CronSim, CronSimError

    try:
        where = ZoneInfo(zone)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        raise _refused(f"there is no time zone {zone[:40]!r}; one is Europe/Paris") from None
    if len(cron) > MAX_CRON_CHARACTERS or len(cron.split()) != CRON_FIELDS:
        raise _refused(f"{cron[:40]!r} has not the five fields of cron, such as '0 * * * *'")
    try:
        tick: datetime = next(CronSim(cron, datetime.fromtimestamp(after, where)))
    except (CronSimError, StopIteration):
        raise _refused(
            f"{cron!r} is no cron expression, or none that ever comes; one is '0 * * * *'"
        ) from None
    return int(tick.timestamp())


def _next_multiple(start: int, every: int, after: int) -> int:
    return start + ((after - start) // every + 1) * every


def _refused(why: str) -> MalformedInputError:
    return MalformedInputError("bad-schedule", f"this schedule cannot be: {why}")

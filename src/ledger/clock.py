"""The time of day, as one function that tests can replace, and how times are written."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from ledger.errors import MalformedInputError

Clock = Callable[[], int]
"""Gives the present as whole Unix seconds."""

_UNITS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION: Final = re.compile(r"(0|[1-9][0-9]{0,8})([dhms])", re.ASCII)


def now() -> int:
    """Return the present as whole Unix seconds."""
    return int(time.time())


# The credentials of one roster all have one time.
@lru_cache(maxsize=16)
def format_time(seconds: int) -> str:
    """Return Unix `seconds` as an RFC 3339 time in UTC, such as `2026-10-01T09:00:00Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_duration(text: str) -> int:
    """Return the seconds of a duration such as `30d`.

    Raises:
        MalformedInputError: it is spelled otherwise.

    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise MalformedInputError(
            "not-a-duration", f"not a duration such as 30d, 12h, 15m or 45s: {text[:40]!r}"
        )
    return int(match[1]) * _UNITS[match[2]]


def format_duration(seconds: int) -> str:
    """Return a duration in its greatest whole unit, such as `30d`, `90m`, `45s`."""
    unit = next(unit for unit, length in _UNITS.items() if seconds % length == 0)
    return f"{seconds // _UNITS[unit]}{unit}"

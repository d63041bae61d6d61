"""The time of day, as one function that tests can replace."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], int]
"""Gives the present as whole Unix seconds."""


def now() -> int:
    """Return the present as whole Unix seconds."""
    return int(time.time())


def format_time(seconds: int) -> str:
    """Return Unix `seconds` as an RFC 3339 time in UTC, such as `2026-10-01T09:00:00Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

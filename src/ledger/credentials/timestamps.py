"""The times inside credentials: XML Schema's `dateTimeStamp`, as Unix seconds.

    2026-10-01T09:00:00Z   2026-10-01T11:00:00.25+02:00

A time without a zone names 26 different moments and is refused.

Source: VC Data Model 2.0 section 4.9, XML Schema 1.1 part 2 section 3.4.28, RFC 3339.
"""

import re
from datetime import UTC, datetime
from typing import Final

from ledger.errors import MalformedInputError

_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?(?:Z|([+-])(\d\d):([0-5]\d))", re.ASCII
)
_MAX_OFFSET_MINUTES: Final = 14 * 60


def parse_time(text: object) -> int:
    """Return the Unix seconds of a time with a zone; fractions of a second are dropped.

    Raises:
        MalformedInputError: it is no string, has no zone, or names no moment.

    """
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise _not_a_time(text)
    offset_minutes = 60 * int(match[3] or 0) + int(match[4] or 0)
    if offset_minutes > _MAX_OFFSET_MINUTES:
        raise _not_a_time(text)
    try:
        local = datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
    except ValueError:
        raise _not_a_time(text) from None
    return int(local.timestamp()) - (60 if match[2] == "+" else -60) * offset_minutes


def _not_a_time(text: object) -> MalformedInputError:
    return MalformedInputError(
        "not-a-time", f"not a time with a zone such as 2026-10-01T09:00:00Z: {str(text)[:40]!r}"
    )

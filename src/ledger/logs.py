"""What happened, as one JSON object a line on standard error.

    {"time": "2026-10-01T09:00:00Z", "level": "info", "event": "batch sealed", "batch": 7, ...}

`event` is one of a few fixed sentences (docs/reference/logs.md); everything else is a number, a
status or a hash. No credential, no learner, no URL and no secret is ever logged.
"""

import json
from typing import TYPE_CHECKING, TextIO

from ledger.clock import format_time, now

if TYPE_CHECKING:
    from structlog.typing import EventDict, FilteringBoundLogger


def open_log(file: TextIO | None = None) -> "FilteringBoundLogger":
    """Return a log that writes to `file`, by default standard error."""
    import logging
    import sys

    import structlog

    log: FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(file or sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            _as_line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    return log


def _as_line(_logger: object, _method: str, said: "EventDict") -> str:
    """Return what was said as one line of JSON, in the order that people read."""
    first = {"time": format_time(now()), "level": said.pop("level"), "event": said.pop("event")}
    return json.dumps({**first, **said})

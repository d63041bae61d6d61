"""What happened, as one JSON object a line on standard error.

    {"event": "batch sealed", "level": "info", "time": "2026-10-01T09:00:00Z", "batch": 7, ...}

`event` is one of a few fixed sentences (docs/reference/logs.md); everything else is a number, a
status or a hash. No credential, no learner, no URL and no secret is ever logged.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger


def open_log() -> "FilteringBoundLogger":
    """Return a log that writes to standard error."""
    import logging
    import sys

    import structlog

    log: FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    return log

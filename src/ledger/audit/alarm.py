"""Tell somebody about the first finding: one POST to a web hook.

    {"format": "ledger-alarm/1", "chain", "registry", "block", "findings": [...]}

Findings are as in the report. The body names no secret and is sent to https only, or to
this machine. That nobody took it is not an error of the audit: the alarm is also the exit
code.
"""

from typing import Any, Final
from urllib.parse import urlsplit

from ledger.audit.report import Report
from ledger.chain.rpc import check_url, host_of
from ledger.errors import ChainError, MalformedInputError

FORMAT: Final = "ledger-alarm/1"

TIMEOUT_SECONDS: Final = 10

MAX_FINDINGS: Final = 100
"""In one message; the report has all."""

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def check_webhook(url: str) -> None:
    """Return when an alarm may be sent to `url`.

    Raises:
        MalformedInputError: it is neither https nor on this machine.

    """
    check_url(url)
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise MalformedInputError("bad-webhook", "a web hook is an https URL, or on this machine")


def raise_alarm(url: str, report: Report) -> None:
    """Send the findings of `report` to `url`.

    Raises:
        ChainError: nobody took them (`webhook-failed`).

    """
    import httpx2

    try:
        # What it answers is not read: it may be without end. Redirects are not followed.
        with httpx2.stream("POST", url, json=_message(report), timeout=TIMEOUT_SECONDS) as answer:
            status = answer.status_code
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError):
        raise ChainError("webhook-failed", f"{host_of(url)} cannot be reached") from None
    if not 200 <= status < 300:
        raise ChainError("webhook-failed", f"{host_of(url)} answers HTTP {status}")


def _message(report: Report) -> dict[str, Any]:
    whole = report.as_json()
    told = {name: whole[name] for name in ("chain", "registry", "block")}
    return {"format": FORMAT, **told, "findings": whole["findings"][:MAX_FINDINGS]}

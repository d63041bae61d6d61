"""The report of an audit as one HTML page that needs nothing beside it.

No script, no font, no network: it can be mailed, printed and kept. Everything in it follows
from the audited block and from what it was held against, so the same block is the same
bytes. DIDs, file names and answers are strangers' text and are escaped.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources
from typing import Final

from ledger.audit.figures import format_figures
from ledger.audit.findings import moment
from ledger.audit.report import Report, issuers_of, totals
from ledger.audit.world import IssuerState, in_words
from ledger.primitives import counted, format_address, format_chain

MAX_ROWS: Final = 500
"""Rows of a table; `report.json` has them all."""

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""Nothing is loaded and nothing runs, even if a stranger's text were to slip through."""


def format_page(report: Report) -> str:
    """Return the page."""
    style = resources.files("ledger.audit").joinpath("report.css").read_text("utf-8")
    body = "\n".join(
        [
            _banner(report),
            _facts(report),
            _numbers(report),
            _findings(report),
            _section("Over time", format_figures(report)),
            _issuers(report),
            _changes(report),
            _meaning(report),
        ]
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>Audit of {_home(report)} at block {report.audit.block.number}</title>
<style>
{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def _home(report: Report) -> str:
    world = report.audit.world
    return f"{format_chain(world.chain)}:{format_address(world.registry)}"


def _banner(report: Report) -> str:
    count = len(report.findings)
    if count:
        kind, mark = "bad", "!"
        verdict = counted(count, "finding")
        said = "Something is not as it must be. Each finding names the answers that differ."
        if report.audit.is_proved:
            said += " The history of the registry itself is complete."
    else:
        kind, mark, verdict = "good", "✓", "Complete, and nothing found"
        events = report.audit.world.events
        said = (
            f"{counted(events, 'event')} lead to every head that the contract stores: "
            "none is missing, added, moved or altered."
            if events
            else "Nobody has registered yet: the contract stores nothing, and there is no event."
        )
    return f"""<header class="{kind}">
<p class="kicker">Audit of a credential registry</p>
<h1><span class="mark" aria-hidden="true">{mark}</span> {verdict}</h1>
<p>{said}</p>
</header>"""


def _facts(report: Report) -> str:
    audit = report.audit
    asked = ", ".join(escape(name) for name, _ in audit.endpoints)
    rows = [
        ("Registry", f"<code>{format_address(audit.world.registry)}</code>"),
        ("Chain", format_chain(audit.chain)),
        ("Block", f"{audit.block.number:,} of {_day(audit.block.time)}"),
        ("Block hash", f"<code>0x{audit.block.hash.hex()}</code>"),
        ("Asked", asked),
    ]
    return (
        '<dl class="facts">'
        + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in rows)
        + "</dl>"
    )


def _numbers(report: Report) -> str:
    sums = [totals(issuer) for issuer in issuers_of(report.audit)]
    tiles = [
        counted(len(sums), "issuer"),
        counted(sum(s.anchors for s in sums), "anchor"),
        counted(sum(s.credentials for s in sums), "credential"),
        f"{sum(s.revoked for s in sums):,} revoked",
        f"{sum(s.suspended for s in sums):,} suspended",
        counted(report.audit.world.events, "event"),
    ]
    parts = (tile.split(" ", 1) for tile in tiles)
    items = "".join(f"<li><b>{value}</b> {name}</li>" for value, name in parts)
    return f'<ul class="numbers">{items}</ul>'


def _findings(report: Report) -> str:
    if not report.findings:
        return ""
    rows = [
        (
            f"<code>{finding.code}</code>",
            escape(finding.message),
            escape(str(finding.place)),
            "<br>".join(escape(answer) for answer in finding.answers),
        )
        for finding in report.findings
    ]
    return _section(
        "Findings", _table(("code", "what was found", "where", "which answers differ"), rows)
    )


def _issuers(report: Report) -> str:
    if not report.audit.world.issuers:
        return ""
    columns = (
        "issuer", "DID and owner", "events", "anchors", "credentials", "revoked", "suspended",
        "operators",
    )  # fmt: skip
    return _section("Issuers", _table(columns, map(_issuer, issuers_of(report.audit))))


def _issuer(issuer: IssuerState) -> tuple[str, ...]:
    sums = totals(issuer)
    operators = (
        f"<code>{format_address(address)}</code> "
        + (
            f"compromised since {moment(record.compromised_since)}"
            if record.compromised_since
            else in_words(record.roles)
        )
        for address, record in sorted(issuer.operators.items())
    )
    owner = f"<small><code>{format_address(issuer.owner)}</code></small>"
    untrusted = f"<br><small>{sums.untrusted:,} untrusted</small>" if sums.untrusted else ""
    return (
        str(issuer.number),
        f"{escape(issuer.did or '-')}<br>{owner}",
        f"{issuer.position + 1:,}",
        f"{sums.anchors:,}{untrusted}",
        f"{sums.credentials:,}",
        f"{sums.revoked:,}",
        f"{sums.suspended:,}",
        "<br>".join(f"<small>{operator}</small>" for operator in operators) or "-",
    )


def _changes(report: Report) -> str:
    if not report.audit.world.changes:
        return ""
    rows = (
        (
            f"<time>{_day(change.time)}</time>",
            str(change.issuer),
            re.sub(r"\B[A-Z]", lambda capital: " " + capital[0].lower(), change.name),
            f"<small>{escape(change.subject)}</small>",
            f"{change.block:,}",
        )
        for change in report.audit.world.changes
    )
    table = _table(("time", "issuer", "event", "about", "block"), rows)
    return _section("Owners, operators, accreditations", table)


def _meaning(report: Report) -> str:
    compared = []
    if report.database is not None:
        found = report.database
        compared.append(
            f"<li>The database: {counted(found.issuers, 'issuer')}, "
            f"{counted(found.batches, 'batch', 'batches')}, "
            f"{counted(found.leaves, 'leaf', 'leaves')} and "
            f"{counted(found.status_changes, 'change')} of status.</li>"
        )
    if report.proofs is not None:
        counts = sorted(report.proofs.standings.items())
        standings = ", ".join(f"{count:,} {standing}" for standing, count in counts)
        files = counted(report.proofs.files, "proof")
        compared.append(f"<li>{files}: {standings or 'none fits'}.</li>")
    held = f"<p>Held against it:</p><ul>{''.join(compared)}</ul>" if compared else ""
    return _section("What this says", f"<p>{_claim(report)} {_LIMITS}</p>{held}")


def _day(seconds: int) -> str:
    """Return a time as people write it, `2026-11-25 09:00:00 UTC`."""
    written = moment(seconds)
    return written.replace("T", " ").replace("Z", " UTC") if written.endswith("Z") else written


def _claim(report: Report) -> str:
    """Say what the replay showed; never more."""
    rule = (
        "Everything here was rebuilt from the contract's logs alone. The contract keeps, for each "
        "issuer, one hash over all its events, its head"
    )
    if not report.audit.is_proved:
        return (
            f"{rule}. This history was <b>not</b> shown to lead there, or something else "
            "contradicts it: the findings say what. What is drawn is what the most believable "
            "logs tell."
        )
    proof = (
        "a proof under the hash of the block"
        if report.audit.heads_proved
        else "no proof but the word of who was asked"
    )
    return (
        f"{rule}; the replay leads to each of them, so no event was hidden, forged, moved or "
        f"altered. For the heads there is {proof}."
    )


_LIMITS: Final = (
    "Block numbers and transactions are the word of who was asked. What an issuer is in the "
    "world, and whether what it anchored is true, no replay can say."
)


def _section(title: str, content: str) -> str:
    return f"<section>\n<h2>{title}</h2>\n{content}\n</section>"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are HTML already."""
    shown = list(rows)
    head = "".join(f'<th scope="col">{column}</th>' for column in columns)
    lines = (
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in shown[:MAX_ROWS]
    )
    more = len(shown) - MAX_ROWS
    note = f"<p>{more:,} more are in report.json.</p>" if more > 0 else ""
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>'
        f"{''.join(lines)}</tbody></table></div>{note}"
    )

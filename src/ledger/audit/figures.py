"""Which charts the report of an audit has, and what is drawn in each."""

from collections.abc import Sequence

from ledger.audit.charts import Period, Span, bars, columns, spans, steps
from ledger.audit.report import Report, issuers_of
from ledger.audit.world import AnchorState, World
from ledger.primitives import counted


def format_figures(report: Report) -> str:
    """Return the charts of a report, as HTML."""
    world, end = report.audit.world, report.audit.block.time
    anchors = [a for issuer in world.issuers.values() for a in issuer.anchors.values()]
    period = Period.around((i.registered_at for i in world.issuers.values()), end)
    figures = [
        *(_anchors(anchors, period) if anchors else []),
        *(_changes(world, period) if world.status_counts else []),
        *_accreditations(report, period),
        *_database_charts(report),
    ]
    drawn = f'<div class="charts">{"".join(map(_figure, figures))}</div>' if figures else ""
    return drawn + "".join(f"<p>{sentence}</p>" for sentence in _left_out(report, anchors))


def _left_out(report: Report, anchors: Sequence[AnchorState]) -> list[str]:
    """Say of each chart that is not drawn why there is none."""
    sentences = []
    if not anchors:
        sentences.append("Nothing was anchored up to this block.")
    elif not report.audit.world.status_counts:
        sentences.append("No status was changed up to this block.")
    if report.database is None:
        sentences.append(
            "What the anchors cost, and how long they took to be final, is in no event of the "
            "contract: with the issuer's database (<code>--database</code>) both are drawn here."
        )
    return sentences


def _anchors(anchors: Sequence[AnchorState], period: Period) -> list[str]:
    credentials = sum(anchor.size for anchor in anchors)
    return [
        steps(
            "Anchors",
            f"{counted(len(anchors), 'root')} anchored in all",
            [(anchor.time, 1) for anchor in anchors],
            period,
        ),
        steps(
            "Credentials",
            f"{counted(credentials, 'credential')} anchored in all",
            [(anchor.time, anchor.size) for anchor in anchors],
            period,
        ),
    ]


def _changes(world: World, period: Period) -> list[str]:
    counts = sorted(world.status_counts.items())
    batches = sum(count.batches for _, count in counts)
    whole = f"; {counted(batches, 'batch', 'batches')} revoked whole" if batches else ""
    return [
        columns(
            "Changes of status",
            f"credentials revoked, suspended and reinstated one by one{whole}",
            ("revoked", "suspended", "reinstated"),
            [(time, (c.revoked, c.suspended, c.reinstated)) for time, c in counts],
            period,
        )
    ]


def _accreditations(report: Report, period: Period) -> list[str]:
    rows = [
        Span(f"issuer {issuer.number} vouches for {holder}", span.start, span.until or None)
        for issuer in issuers_of(report.audit)
        for holder, held in sorted(issuer.spans.items())
        for span in held
    ]
    if not rows:
        return []
    said = f"{counted(len(rows), 'span')} in which one issuer vouches for another"
    return [spans("Accreditations", said, rows, period)]


def _database_charts(report: Report) -> list[str]:
    found = report.database
    if found is None:
        return []
    spent = [
        (s.purpose, s.gas, f"{s.gas:,} in {counted(s.transactions, 'transaction')}")
        for s in found.spending
    ]
    waits = [
        ("sealed to anchored", [t.anchored_at - t.sealed_at for t in found.times]),
        (
            "anchored to delivered",
            [t.delivered_at - t.anchored_at for t in found.times if t.delivered_at is not None],
        ),
    ]
    figures = [bars("Gas", "gas by purpose, and in how many transactions", spent)] if spent else []
    rows = [
        (f"{name}, {which}", seconds, f"{seconds:,} s")
        for name, all_seconds in waits
        if all_seconds
        for which, seconds in _quantiles(all_seconds)
    ]
    if rows:
        said = (
            "seconds from sealing to the anchor, and on to the badges, which wait until it is final"
        )
        figures.append(bars("Time to finality", said, rows))
    return figures


def _quantiles(seconds: Sequence[int]) -> list[tuple[str, int]]:
    """Return half and nine tenths of the waits, which are not more than this."""
    ordered = sorted(seconds)
    last = len(ordered) - 1
    return [("median", max(ordered[last // 2], 0)), ("longest", max(ordered[last], 0))]


def _figure(svg: str) -> str:
    title = svg.partition("<title>")[2].partition("</title>")[0]
    said = svg.partition("<desc>")[2].partition("</desc>")[0]
    return f"<figure><figcaption><b>{title}</b> {said}</figcaption>{svg}</figure>"

"""Small charts as SVG: drawn by arithmetic, readable without colour, script or network.

Every chart has a title and a sentence for who cannot see it, takes its colours from the
page's classes, so that it follows light, dark and paper, and depends on nothing but its
numbers: the same numbers are the same bytes.

    steps   what has added up over time
    columns how much of each kind happened in each stretch of time
    bars    one amount a name
    spans   from when until when
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from ledger.clock import format_time

WIDTH: Final = 640
HEIGHT: Final = 240
LEFT: Final = 64
RIGHT: Final = 624
TOP: Final = 16
BOTTOM: Final = 204

COLUMNS: Final = 48
"""Stretches that the time of a chart is cut into."""

BAR_HEIGHT: Final = 30
MAX_SPANS: Final = 40
"""Rows of a chart of spans; a page is not endless."""

DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Period:
    """The time that a chart covers."""

    start: int
    end: int
    """Unix seconds, after `start`."""

    @classmethod
    def around(cls, times: Iterable[int], end: int) -> "Period":
        """Return the period from the first of `times` to `end`."""
        start = min(times, default=end - 1)
        return cls(min(start, end - 1), end)

    def x(self, time: int) -> float:
        """Return where `time` is drawn."""
        share = (time - self.start) / (self.end - self.start)
        return LEFT + (RIGHT - LEFT) * min(max(share, 0.0), 1.0)

    def column(self, time: int) -> int:
        """Return in which of `COLUMNS` stretches `time` falls."""
        share = (time - self.start) * COLUMNS // (self.end - self.start)
        return min(max(share, 0), COLUMNS - 1)


@dataclass(frozen=True, slots=True)
class Span:
    """One row of a chart of spans."""

    name: str
    start: int
    until: int | None
    """None: open."""


def steps(title: str, said: str, points: Sequence[tuple[int, int]], period: Period) -> str:
    """Draw a sum that grows: each point is a time and what is added then."""
    sums: dict[int, int] = {}
    total = 0
    for time, added in sorted(points):
        total += added
        # One point a pixel is all that can be seen.
        sums[round(period.x(time))] = total
    top = _ceiling(total)
    path = [f"M{LEFT} {BOTTOM}"]
    for x, value in sums.items():
        path.append(f"H{x}V{_y(value, top):.1f}")
    line = "".join(path) + f"H{RIGHT}"
    body = (
        f'<path class="area" d="{line}V{BOTTOM}Z"/><path class="line" d="{line}"/>'
        f'<text class="last" x="{RIGHT}" y="{_y(total, top) - 6:.1f}">{total:,}</text>'
    )
    return _chart(title, said, HEIGHT, _grid(top) + _times(period) + body)


def columns(
    title: str,
    said: str,
    kinds: Sequence[str],
    events: Iterable[tuple[int, Sequence[int]]],
    period: Period,
) -> str:
    """Draw how much of each kind happened when: each event is a time and an amount a kind."""
    stacks = [[0] * len(kinds) for _ in range(COLUMNS)]
    for time, amounts in events:
        stack = stacks[period.column(time)]
        for n, amount in enumerate(amounts):
            stack[n] += amount
    top = _ceiling(max(map(sum, stacks)))
    width = (RIGHT - LEFT) / COLUMNS
    body = []
    for column, stack in enumerate(stacks):
        below = 0
        for n, amount in enumerate(stack):
            if amount:
                y, base = _y(below + amount, top), _y(below, top)
                body.append(
                    f'<rect class="kind{n}" x="{LEFT + column * width + 1:.1f}" y="{y:.1f}" '
                    f'width="{width - 2:.1f}" height="{max(base - y, 1.0):.1f}"/>'
                )
            below += amount
    return _chart(
        title, said, HEIGHT + 20, _grid(top) + _times(period) + "".join(body) + _legend(kinds)
    )


def bars(title: str, said: str, amounts: Sequence[tuple[str, int, str]]) -> str:
    """Draw one bar a name: its length, and what is written behind it."""
    most = max((amount for _, amount, _ in amounts), default=0) or 1
    left, right = 200, 460
    body = []
    for n, (name, amount, shown) in enumerate(amounts):
        y = TOP + n * BAR_HEIGHT
        width = max((right - left) * amount / most, 1.0)
        body.append(
            f'<text class="name" x="{left - 10}" y="{y + 14}">{escape(name)}</text>'
            f'<rect class="kind0" x="{left}" y="{y}" width="{width:.1f}" height="18" rx="2"/>'
            f'<text class="amount" x="{left + width + 8:.1f}" y="{y + 14}">{escape(shown)}</text>'
        )
    return _chart(title, said, TOP + BAR_HEIGHT * max(len(amounts), 1) + 4, "".join(body))


def spans(title: str, said: str, rows: Sequence[Span], period: Period) -> str:
    """Draw one row a span; an open one ends in an arrow."""
    shown = rows[:MAX_SPANS]
    bottom = TOP + BAR_HEIGHT * len(shown)
    body = []
    for n, row in enumerate(shown):
        y = TOP + n * BAR_HEIGHT
        until = period.end if row.until is None else row.until
        x, end = period.x(row.start), period.x(until)
        arrow = row.until is None or row.until > period.end
        body.append(
            f'<rect class="kind0" x="{x:.1f}" y="{y + 12}" width="{max(end - x, 2.0):.1f}" '
            f'height="9" rx="2"/>'
            + (f'<path class="arrow" d="M{RIGHT} {y + 10}l7 6.5l-7 6.5Z"/>' if arrow else "")
            + f'<text class="row" x="{LEFT}" y="{y + 7}">{escape(row.name)}</text>'
        )
    return _chart(title, said, bottom + 28, "".join(body) + _times(period, bottom + 6))


def _chart(title: str, said: str, height: int, body: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}: '
        f'{escape(said)}"><title>{escape(title)}</title><desc>{escape(said)}</desc>{body}</svg>'
    )


def _y(value: int, top: int) -> float:
    return BOTTOM - (BOTTOM - TOP) * value / top


def _ceiling(value: int) -> int:
    """Return the next number that four round steps lead to: 4, 8, 12, 20, 24, 32, 40, ..."""
    power = 1
    while True:
        for step in (4, 8, 12, 20, 24, 32):
            if value <= step * power:
                return step * power
        power *= 10


def _grid(top: int) -> str:
    lines = []
    for n in range(5):
        value = top * n // 4
        y = _y(value, top)
        lines.append(
            f'<path class="grid" d="M{LEFT} {y:.1f}H{RIGHT}"/>'
            f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}">{_short(value)}</text>'
        )
    return "".join(lines)


def _short(value: int) -> str:
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if value >= 10 * size or (value >= size and value % size == 0):
            return f"{value / size:g}{unit}"
    return str(value)


def _times(period: Period, y: int = BOTTOM) -> str:
    """Draw the first, the middle and the last time of the period."""
    middle = (period.start + period.end) // 2
    anchors = ((period.start, "start"), (middle, "middle"), (period.end, "end"))
    return f'<path class="axis" d="M{LEFT} {y}H{RIGHT}"/>' + "".join(
        f'<text class="time {anchor}" x="{period.x(time):.1f}" y="{y + 18}">'
        f"{_moment(time, period)}</text>"
        for time, anchor in anchors
    )


def _moment(time: int, period: Period) -> str:
    day, clock = format_time(time)[:-1].split("T")
    if period.end - period.start > 4 * DAY:
        return day
    return f"{day} {clock[:5]}" if period.end - period.start > DAY // 24 else clock


def _legend(kinds: Sequence[str]) -> str:
    return "".join(
        f'<rect class="kind{n}" x="{LEFT + n * 130}" y="{HEIGHT - 2}" width="10" height="10"/>'
        f'<text class="key" x="{LEFT + n * 130 + 16}" y="{HEIGHT + 7}">{escape(kind)}</text>'
        for n, kind in enumerate(kinds)
    )

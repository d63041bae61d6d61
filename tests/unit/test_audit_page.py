"""The page: strangers' text stays text, the same audit is the same bytes, nothing is loaded."""

import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from ledger.audit.auditor import Audit
from ledger.audit.charts import COLUMNS, Period, Span, bars, columns, spans, steps
from ledger.audit.findings import Finding, FindingCode, Place
from ledger.audit.page import format_page
from ledger.audit.proof_folder import ProofFolder
from ledger.audit.reconcile import BatchTimes, Reconciliation
from ledger.audit.report import Report
from ledger.audit.store import Spending
from ledger.chain.state import Block
from ledger.primitives import sha256

from .audit_history import CHAIN, KEY, Emitter, replayed, whole_history

HOSTILE = "did:example:</code><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u202e"


def report_of(emitter: Emitter, *findings: Finding) -> Report:
    replay = replayed(emitter.logs, emitter.heads)
    assert replay.findings == []
    block = Block(100, sha256(b"block"), emitter.time + 60)
    named = [("rpc 1 (<b>host</b>)", block)]
    audit = Audit(
        CHAIN,
        block,
        named,
        replay.world,
        list(findings),
        heads_proved=True,
        is_proved=not findings,
    )
    books = Reconciliation(
        issuers=1,
        batches=1,
        leaves=300,
        spending=[Spending("anchor", 1, 56_000, 10**15)],
        times=[BatchTimes(1, 300, 1, 2, 15, 900, 56_000), BatchTimes(1, 300, 9, 9, 9, None, 1)],
    )
    return Report(audit, books, ProofFolder(12, Counter(active=11, revoked=1)))


class Tags(HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attrs}


def test_one_is_not_several() -> None:
    emitter = Emitter()
    emitter.register("did:example:one")
    emitter.emit("OperatorSet", 1, KEY, 3)
    emitter.emit("Anchored", 1, sha256(b"root"), KEY, 1)
    emitter.emit("Revoked", 1, sha256(b"root"), 0, KEY, 1, 1)
    page = format_page(report_of(emitter))
    text = re.sub(r"<[^>]*>", "", page)
    assert not re.search(r"\b1 ?(issuers|anchors|credentials|roots|batches|events|proofs)\b", text)
    assert "1 issuer" in text
    assert "in 1 transaction" in text
    assert ": anchors, sets status" in text


def test_what_is_not_drawn_is_said() -> None:
    empty = replace(report_of(Emitter()), database=None, proofs=None)
    page = format_page(empty)
    assert "<svg" not in page
    assert "<table" not in page
    assert "Nobody has registered yet" in page
    assert "Nothing was anchored" in page
    assert "<code>--database</code>" in page
    emitter = Emitter()
    emitter.register("did:example:one")
    emitter.emit("OperatorSet", 1, KEY, 3)
    emitter.emit("Anchored", 1, sha256(b"root"), KEY, 1)
    page = format_page(replace(report_of(emitter), database=None))
    assert page.count("<svg") == 2
    assert "No status was changed" in page
    assert "<code>--database</code>" in page
    assert "<code>--database</code>" not in format_page(report_of(emitter))


def test_strangers_text_stays_text() -> None:
    plain, hostile = whole_history(), whole_history()
    hostile.register(HOSTILE)
    plain.register("did:example:harmless")
    finding = Finding(FindingCode.PROOF_UNREADABLE, HOSTILE, Place(1), (HOSTILE, HOSTILE))
    harmless = replace(finding, message="m", answers=("a", "b"))
    bad = Tags(format_page(report_of(hostile, finding)))
    good = Tags(format_page(report_of(plain, harmless)))
    assert bad.tags == good.tags
    assert bad.attributes == good.attributes
    assert not {name for name in bad.attributes if name.startswith("on")}
    assert "script" not in bad.tags
    assert "img" not in bad.tags


def test_the_page_loads_nothing() -> None:
    page = format_page(report_of(whole_history()))
    assert not re.search(r"\b(?:src|href|srcset|action)=|url\(|@import|https?:", page)
    assert "default-src 'none'" in page


def test_the_same_audit_is_the_same_bytes_in_another_process() -> None:
    program = (
        "from tests.unit.test_audit_page import *; import sys;"
        "sys.stdout.buffer.write(format_page(report_of(whole_history())).encode())"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            env={"PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": "."},
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }
    assert made == {format_page(report_of(whole_history())).encode()}


def test_a_verdict_is_told_in_words_too() -> None:
    assert "Complete, and nothing found" in format_page(report_of(whole_history()))
    finding = Finding(FindingCode.EVENT_MISSING, "an event is left out", Place(1, 2, 3, 4))
    page = format_page(report_of(whole_history(), finding))
    assert "1 finding<" in page
    assert "Complete" not in page.partition("</header>")[0]
    assert "<b>not</b> shown to lead there" in page
    assert "no event was hidden" not in page


def test_times_beyond_the_calendar_are_shown() -> None:
    """An accreditation may end in the year 36812; the contract says so."""
    emitter = Emitter()
    emitter.register("did:example:a")
    emitter.register("did:example:b")
    emitter.emit("Accredited", 1, 2, 0, 2**40 - 1)
    report = report_of(emitter)
    format_page(report)
    assert report.as_json()["issuers"][0]["accreditations"][0]["until"] == f"second {2**40 - 1}"


def test_an_empty_registry_has_a_page() -> None:
    assert "Complete" in format_page(report_of(Emitter()))


@pytest.mark.parametrize("count", [0, 1, 2, 7, 399, 400, 401, 99_999, 10**7])
def test_a_chart_is_sound_for_any_amount(count: int) -> None:
    period = Period(1_000, 2_000)
    figures = [
        steps("T", "s", [(1_000 + n, count) for n in range(5)], period),
        columns("T", "s", ("a", "b"), [(1_500, (count, 1)), (9_999, (1, 0))], period),
        bars("T", "s", [("<name>", count, "<&>")] * 3),
        spans("T", "s", [Span("<i>", 0, None), Span("x", 1_500, 2**40)] * 30, period),
    ]
    for figure in figures:
        drawn = ET.fromstring(figure)  # noqa: S314 - our own
        for shape in drawn.iter("rect"):
            assert float(shape.attrib["width"]) >= 0
            assert -1 <= float(shape.attrib["y"]) <= 2_000
            assert float(shape.attrib["x"]) <= 640


def test_what_is_drawn_is_what_happened() -> None:
    period = Period(0, COLUMNS * 10)
    drawn = columns("T", "s", ("a",), [(15, (3,)), (18, (4,)), (475, (7,))], period)
    rects = re.findall(r'class="kind0" x="([\d.]+)" y="([\d.]+)"', drawn)[:2]
    (x1, y1), (x2, y2) = rects
    assert y1 == y2
    assert float(x1) < float(x2)
    assert Period.around([], 5).x(5) == 624
    assert Period(0, 100).column(-5) == 0


def test_the_operators_standing_is_told() -> None:
    page = format_page(report_of(whole_history()))
    assert "compromised since 1970-01-01T00:00:01Z" in page
    assert "anchors, sets status" in page
    assert KEY.hex() in page.lower()

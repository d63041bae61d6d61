"""`ledger issue` with files as people have them: everything wrong is said, nothing issued."""

import csv
import json
from pathlib import Path

import pytest

from .conftest import ROWS, Demo, Run

# All of them read the demo's database.
pytestmark = pytest.mark.xdist_group("demo")

BAD = "name,email,nom,score\nAna,ana@example,x,70\n=cmd(),bo@example.org,,59\n,,,\nCy,,,A\n"


def read_report(file: Path) -> list[list[str]]:
    return list(csv.reader(file.read_text("utf-8-sig").splitlines()))


def test_a_dry_run_needs_no_password_and_tells_new_from_known(
    demo: Demo, ledger: Run, tmp_path: Path
) -> None:
    roster = tmp_path / "more.csv"
    known = (demo.folder / "learners.csv").read_text("utf-8")
    roster.write_text(known + "Someone New,,,,,,70\n", "utf-8")
    arguments = ["issue", roster, "--template", demo.folder / "template.toml", "--dry-run"]
    arguments += ["--home", demo.home, "--password-file", "no-such-file"]
    shown = ledger(*arguments)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert f"Would issue 1 credential of issuer 1, Université de Démonstration; {ROWS} rows" in (
        shown.stdout
    )
    assert f"in the lines {ROWS + 2}.\n" in shown.stdout
    assert json.loads(ledger(*arguments, "--json").stdout) == {
        "issuer": 1,
        "would_issue": 1,
        "known": ROWS,
        "new_lines": [ROWS + 2],
    }


def test_every_problem_is_shown_reported_and_safe_in_a_spreadsheet(
    demo: Demo, ledger: Run, tmp_path: Path
) -> None:
    roster, report = tmp_path / "bad.csv", tmp_path / "report.csv"
    roster.write_text(BAD, "utf-8")
    template = demo.folder / "template.toml"
    done = ledger("issue", roster, "--template", template, "--report", report, "--home", demo.home)
    assert (done.returncode, done.stdout) == (2, "")
    first, *lines = done.stderr.splitlines()
    assert first == "ledger: the roster has 5 problems: [bad-roster]"
    places = [("1", "nom"), ("2", "email"), ("3", "name"), ("3", "score"), ("5", "score")]
    for line, (number, column) in zip(lines, places, strict=True):
        assert line.startswith(f"  line {number}, column {column}: ")
    header, *rows = read_report(report)
    assert header == ["line", "column", "problem"]
    assert [(number, column) for number, column, _ in rows] == places
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_a_good_roster_leaves_an_empty_report_in_place_of_the_old_one(
    demo: Demo, ledger: Run, tmp_path: Path
) -> None:
    roster, report = tmp_path / "rows.jsonl", tmp_path / "report.csv"
    template = demo.folder / "template.toml"
    options = ["--template", template, "--report", report, "--dry-run", "--home", demo.home]
    roster.write_text('{"name": "Ana", "score": 7}\n', "utf-8")
    assert ledger("issue", roster, *options).returncode == 2
    assert len(read_report(report)) == 2
    roster.write_text('{"name": "Ana", "score": 70}\n', "utf-8")
    assert ledger("issue", roster, *options).returncode == 0
    assert read_report(report) == [["line", "column", "problem"]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.csv", "rows.jsonl"]


@pytest.mark.parametrize(
    ("report", "code", "word"),
    [
        ("rows.csv", 5, "[not-a-report]"),
        ("nowhere/report.csv", 5, "[unwritable]"),
        (".", 2, "[unreadable]"),
    ],
)
def test_a_report_replaces_nothing_but_a_report(
    demo: Demo, ledger: Run, tmp_path: Path, report: str, code: int, word: str
) -> None:
    roster = tmp_path / "rows.csv"
    roster.write_text("name\nAna\n")
    template = demo.folder / "template.toml"
    options = ["--template", template, "--report", tmp_path / report, "--home", demo.home]
    done = ledger("issue", roster, *options)
    assert (done.returncode, word in done.stderr) == (code, True), done.stderr
    assert roster.read_text() == "name\nAna\n"


def test_a_thousand_problems_are_a_screenful(demo: Demo, ledger: Run, tmp_path: Path) -> None:
    roster = tmp_path / "latin.csv"
    roster.write_bytes(b"name\n" + b"".join(b"Ren\xe9e %d\n" % n for n in range(1_000)))
    template = demo.folder / "template.toml"
    done = ledger("issue", roster, "--template", template, "--home", demo.home)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 22
    assert done.stderr.startswith("ledger: the roster has 1000 problems: [bad-roster]\n  line 2, ")
    assert done.stderr.endswith("  and 980 more; --report FILE lists them all\n")


def test_no_bad_roster_issued_anything(demo: Demo, ledger: Run) -> None:
    status = json.loads(ledger("status", "--home", demo.home, "--json").stdout)
    assert status["waiting"] == 0

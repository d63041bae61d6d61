"""The report of a file's problems: a table that a spreadsheet opens and does not calculate."""

import csv
from pathlib import Path

import pytest

from ledger.cli.reporting import format_report, reporting
from ledger.credentials.problems import LineProblem
from ledger.credentials.roster import RosterError
from ledger.errors import ConflictError


def test_no_cell_is_a_formula_or_moves_a_cursor() -> None:
    report = format_report(
        [LineProblem(2, "=cmd()", "+1"), LineProblem(3, None, "a,\x1b[31m\n\udce9 'é'")]
    )
    assert report.startswith(b"\xef\xbb\xbfline,column,problem\r\n")
    _, *rows = csv.reader(report.decode("utf-8-sig").splitlines())
    assert rows == [["2", "'=cmd()", "'+1"], ["3", "", r"a,\x1b[31m\n\udce9 'é'"]]


def test_an_error_inside_is_reported_and_passed_on(tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    with pytest.raises(RosterError), reporting(report):
        raise RosterError([LineProblem(2, "name", "is empty")])
    assert report.read_bytes().endswith(b"\r\n2,name,is empty\r\n")
    with reporting(report):
        pass
    assert report.read_bytes() == format_report(())


def test_another_error_leaves_the_old_report(tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    report.write_bytes(format_report([LineProblem(2, "name", "is empty")]))
    with pytest.raises(ConflictError), reporting(report):
        raise ConflictError("not-yet", "")
    assert report.read_bytes().endswith(b"is empty\r\n")


def test_an_empty_file_becomes_a_report_and_any_other_stays(tmp_path: Path) -> None:
    report, thesis = tmp_path / "report.csv", tmp_path / "thesis.csv"
    report.touch()
    thesis.write_bytes(b"line,column,problem\n")
    with reporting(report):
        pass
    assert report.read_bytes() == format_report(())
    with pytest.raises(ConflictError) as caught, reporting(thesis):
        pass
    assert caught.value.code == "not-a-report"

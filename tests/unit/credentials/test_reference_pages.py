"""docs/reference/roster.md and template.md: their examples work and their numbers are right."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from ledger.credentials import vocabulary
from ledger.credentials.achievement import format_achievement, recognition
from ledger.credentials.digest_list import MAX_DIGESTS
from ledger.credentials.problems import MAX_PROBLEMS, SHOWN_PROBLEMS
from ledger.credentials.roster import MAX_ROSTER_BYTES, MAX_ROWS, RosterError
from ledger.credentials.roster_cells import COLUMNS, MAX_CELL_CHARACTERS
from ledger.credentials.roster_csv import MAX_LINE_CHARACTERS, read_csv
from ledger.credentials.roster_jsonl import MAX_LINE_BYTES, read_json_lines
from ledger.credentials.submitting import MAX_KEPT_BYTES
from ledger.credentials.template import (
    MAX_TEMPLATE_BYTES,
    Template,
    TemplateError,
    parse_template,
)
from ledger.credentials.template_table import MAX_ITEMS, MAX_TEXT_CHARACTERS

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
ROSTER = (REFERENCE / "roster.md").read_text("utf-8")
TEMPLATE = (REFERENCE / "template.md").read_text("utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


def first_cells(page: str, heading: str) -> list[str]:
    """The first cell of every row of the table under `heading`, without its marks."""
    table = page.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return [row.split("|")[1].strip(" *`[]") for row in table.splitlines()[2:]]


def test_the_rosters_on_the_page_are_read() -> None:
    first, french, _ = blocks(ROSTER, "csv")
    rows = read_csv(first.encode())
    assert [row.line for row in rows] == [2, 3, 4]
    assert rows[2].credits == "0.1"
    assert read_csv(french.encode())[0].score == rows[0].score == "87.5"


def test_the_json_lines_on_the_page_are_the_first_roster() -> None:
    (lines,) = blocks(ROSTER, "json")
    first = read_csv(blocks(ROSTER, "csv")[0].encode())
    said = [row.normalised() for row in read_json_lines(lines.encode())]
    assert said == [row.normalised() for row in first]


def test_the_roster_with_problems_gives_the_message_on_the_page() -> None:
    with pytest.raises(RosterError) as caught:
        read_csv(blocks(ROSTER, "csv")[2].encode())
    assert caught.value.message + "\n" == blocks(ROSTER, "text")[0]


def test_every_column_is_on_the_page() -> None:
    assert first_cells(ROSTER, "column") == list(COLUMNS)


@pytest.mark.parametrize(
    ("words", "bound"),
    [
        ("learners in a roster", MAX_ROWS),
        ("bytes in a roster", MAX_ROSTER_BYTES),
        ("characters in a cell", MAX_CELL_CHARACTERS),
        ("characters in a line of CSV", MAX_LINE_CHARACTERS),
        ("bytes in a line of JSON", MAX_LINE_BYTES),
        ("problems on the terminal", SHOWN_PROBLEMS),
        ("problems in a report", MAX_PROBLEMS),
    ],
)
def test_the_bounds_of_a_roster_are_on_the_page(words: str, bound: int) -> None:
    assert f"| {words} | {bound:,} |" in ROSTER


def test_the_shortest_template_has_the_required_keys_and_no_others() -> None:
    shortest, longest = (parse_template(block.encode()) for block in blocks(TEMPLATE, "toml"))
    required = set(re.findall(r"^\| \*\*`\[*([a-z_]+)\]*`\*\*", TEMPLATE, re.MULTILINE))
    filled = {
        field.name for field in fields(Template) if getattr(shortest, field.name) not in (None, ())
    }
    assert filled | {"format"} == required
    assert all(getattr(longest, field.name) not in (None, ()) for field in fields(Template))


def test_every_key_is_on_the_page() -> None:
    keys = {field.name for field in fields(Template)} | {"format"}
    assert set(first_cells(TEMPLATE, "key | what it holds | Annex I")) == keys


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("assessments", vocabulary.ASSESSMENTS),
        ("supervision", vocabulary.SUPERVISIONS),
        ("participation", vocabulary.PARTICIPATIONS),
        ("quality", vocabulary.QUALITIES),
        ("cycle", vocabulary.CYCLES),
    ],
)
def test_every_word_of_the_vocabulary_is_on_the_page(key: str, words: dict[str, object]) -> None:
    listed = ", ".join(f"`{word}`" for word in words)
    assert f"| `{key}` | {listed} |" in TEMPLATE


def test_every_alignment_of_the_longest_template_is_on_the_page() -> None:
    achievement = format_achievement(parse_template(blocks(TEMPLATE, "toml")[1].encode()))
    used = {entry["targetType"].removeprefix("ext:") for entry in achievement["alignment"]}
    assert used == set(re.findall(r"alignment `([A-Za-z]+)`", TEMPLATE))


def test_the_sentences_about_recognition_are_those_of_the_badges() -> None:
    shortest, longest = (parse_template(block.encode()) for block in blocks(TEMPLATE, "toml"))
    recognised, unrecognised, _ = blocks(TEMPLATE, "text")
    assert recognition(longest) + "\n" == recognised
    assert recognition(shortest) + "\n" == unrecognised


def test_a_template_with_problems_gives_the_message_on_the_page() -> None:
    wrong = blocks(TEMPLATE, "toml")[0].replace("= 5", '= "five"')
    wrong = wrong.partition("\n")[2] + '\n[[outcomes]]\ntext = "b"\nurl = "esco"\n'
    with pytest.raises(TemplateError) as caught:
        parse_template(wrong.encode())
    shown = set(blocks(TEMPLATE, "text")[2].splitlines())
    assert set(caught.value.message.splitlines()) == shown


def test_the_bounds_of_a_template_are_on_the_page() -> None:
    page = " ".join(TEMPLATE.split())
    for words in (
        f"{MAX_TEMPLATE_BYTES:,} bytes in a file",
        f"{MAX_TEXT_CHARACTERS:,} characters in a text",
        f"{MAX_ITEMS} entries in a list",
    ):
        assert words in page


def test_the_bounds_of_a_submission_are_on_the_page() -> None:
    page = (REFERENCE / "submitting.md").read_text("utf-8")
    for bound in (MAX_KEPT_BYTES, MAX_DIGESTS, MAX_PROBLEMS):
        assert f"{bound:,}" in page

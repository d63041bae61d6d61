"""Rosters as JSON lines."""

import json
import random
from contextlib import suppress

import pytest

from ledger.credentials.roster import MAX_ROSTER_BYTES, RosterError, Row
from ledger.credentials.roster_csv import read_csv
from ledger.credentials.roster_file import read_roster
from ledger.credentials.roster_jsonl import MAX_LINE_BYTES, read_json_lines
from ledger.credentials.template import Template
from ledger.errors import MalformedInputError


def problems_of(text: str) -> list[tuple[int, str | None]]:
    with pytest.raises(RosterError) as caught:
        read_json_lines(text.encode())
    return [(problem.line, problem.column) for problem in caught.value.problems]


def test_an_object_a_line_says_what_a_line_of_csv_says(row: Row) -> None:
    said = row.normalised()
    csv = ",".join(said) + "\n" + ",".join(said.values()) + "\n"
    (read,) = read_json_lines(json.dumps(said).encode())
    assert read.normalised() == said == read_csv(csv.encode())[0].normalised()


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "Ana", "score": 87.5}',
        '\ufeff{"name": "Ana", "score": "87,50"}\r\n',
        '\n \t\n{"score": 87.50, "name": "Ana", "email": null, "learner_id": ""}\n\n',
        '{"name": "Ana", "score": "87.5", "awarded": "  "}',
    ],
)
def test_one_award_is_written_in_many_ways(text: str) -> None:
    (row,) = read_json_lines(text.encode())
    assert row.normalised() == {"name": "Ana", "score": "87.5"}


def test_lines_end_at_line_feeds_only_and_are_counted() -> None:
    text = '\n{"name": "Ana"}\n\n{"name": "B\u2028o"}\n{"name": ""}\n'
    assert problems_of(text) == [(4, "name"), (5, "name")]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", [(1, None)]),
        ("\n \n", [(1, None)]),
        ("{}", [(1, "name")]),
        ("[]", [(1, None)]),
        ('"Ana"', [(1, None)]),
        ("null", [(1, None)]),
        ("name,email", [(1, None)]),
        ('[{"name": "Ana"},\n{"name": "Bo"}]', [(1, None), (2, None)]),
        ('{"name": "Ana"} {"name": "Bo"}', [(1, None)]),
        ('{"name": "Ana", "name": "Bo"}', [(1, None)]),
        ('{"name": "Ana", "nom": "Bo"}', [(1, "nom")]),
        ('{"name": "Ana", "Email": "a@x.org"}', [(1, "Email")]),
        ('{"name": "Ana", "score": NaN}', [(1, None)]),
        ('{"name": "Ana", "score": 1e400}', [(1, None)]),
        ('{"name": "Ana", "score": 1e-9}', [(1, "score")]),
        ('{"name": "Ana", "score": -1}', [(1, "score")]),
        ('{"name": "Ana", "score": true}', [(1, "score")]),
        ('{"name": "Ana", "awarded": 20260930}', [(1, "awarded")]),
        ('{"name": "Ana", "email": ["a@x.org"]}', [(1, "email")]),
        ('{"name": "Ana", "email": {"a": 1}, "awarded": "soon"}', [(1, "email"), (1, "awarded")]),
        ('{"name": "Ana\\u0000"}', [(1, "name")]),
        ('{"name": "Ana\\ud800"}', [(1, None)]),
        ('{"name": "=cmd()"}', [(1, "name")]),
        ('{"name": "Ana"}\n{"name": "ana"}', [(2, "name")]),
        ("[" * 100_000, [(1, None)]),
        ("{" + " " * MAX_LINE_BYTES + "}", [(1, None)]),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    text: str, problems: list[tuple[int, str | None]]
) -> None:
    assert problems_of(text) == problems


def test_grammar_is_told_by_the_character_of_the_line() -> None:
    with pytest.raises(RosterError) as caught:
        read_json_lines(b'{"name": "Ana"}\n{"name": }\n')
    assert "line 2: not JSON at character 10: Expecting value" in caught.value.message


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le", "utf-32-be"])
def test_another_encoding_is_a_problem(encoding: str) -> None:
    with pytest.raises(RosterError) as caught:
        read_json_lines('{"name": "Zoé"}'.encode(encoding))
    assert "UTF-8" in caught.value.message


def test_a_file_beyond_the_bound_is_refused_unread() -> None:
    with pytest.raises(MalformedInputError) as caught:
        read_json_lines(bytes(MAX_ROSTER_BYTES + 1))
    assert caught.value.code == "too-large"


def test_garbage_gives_our_own_errors_only() -> None:
    source = random.Random(6)
    pieces = ['{"name"', ":", '"Ana"', ",", "}", "[", "\n", "\r", "\0", "1e9", "\\u", "é", " "]
    for _ in range(3_000):
        with suppress(MalformedInputError):
            read_json_lines("".join(source.choices(pieces, k=source.randrange(30))).encode())


def test_the_name_of_the_file_says_how_it_is_read(template: Template) -> None:
    lines, table = b'{"name": "Ana", "score": 70}', b"name,score\nAna,70\n"
    rows = [
        read_roster(lines, "a.jsonl", template),
        read_roster(lines, "A.NDJSON", template),
        read_roster(table, "a.csv", template),
        read_roster(table, "jsonl", template),
    ]
    assert all(row.normalised() == {"name": "Ana", "score": "70"} for (row,) in rows)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_score_that_the_template_refuses_is_a_problem_of_its_line(
    template: Template, name: str
) -> None:
    lines, table = b'\n{"name": "Ana", "score": 59}\n{}', b"name,score\nAna,59\n,70\n"
    with pytest.raises(RosterError) as caught:
        read_roster(table if name == "a.csv" else lines, name, template)
    first, second = caught.value.problems
    assert str(first) == "line 2, column score: 59 is below 60, which the template requires"
    assert (second.line, second.column) == (3, "name")

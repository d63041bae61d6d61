"""Rosters as CSV, the way spreadsheets write it."""

import random
from contextlib import suppress
from importlib.resources import files

import pytest

from ledger.credentials.roster import MAX_ROWS, RosterError, Row
from ledger.credentials.roster_csv import MAX_ROSTER_BYTES, read_csv
from ledger.errors import MalformedInputError

ANA = Row(line=2, name="Ana", email="ana@example.org", score="87.5")


def problems_of(text: str) -> list[tuple[int, str | None]]:
    with pytest.raises(RosterError) as caught:
        read_csv(text.encode())
    return [(problem.line, problem.column) for problem in caught.value.problems]


@pytest.mark.parametrize(
    "text",
    [
        "name,email,score\nAna,ana@example.org,87.5\n",
        "name,email,score\r\nAna,ana@example.org,87.5",
        "name,email,score\rAna,ana@example.org,87.5\r",
        "\ufeffname,email,score\nAna,ana@example.org,87.5\n",
        "\ufeffname;email;score\r\nAna;ana@example.org;87,5\r\n",
        "name\temail\tscore\nAna\tana@example.org\t87,5\n",
        "score,name,email\n87.5,Ana,ana@example.org\n",
        " Name , EMAIL \nAna,ana@example.org\n",
        'name,"email",score\n"Ana",ana@example.org,"87,5"\n',
        "name,email,score,,\nAna,ana@example.org,87.5,,\n",
        "name,email,score,credits\nAna,ana@example.org,87.5\n",
        "name,email,score\nAna,ana@example.org,87.5\n,,\n  ,\n\n",
    ],
)
def test_spreadsheets_write_one_roster_in_many_ways(text: str) -> None:
    (row,) = read_csv(text.encode())
    assert (row.line, row.name, row.email) == (ANA.line, ANA.name, ANA.email)
    assert row.score in (None, "87.5")


def test_a_header_of_one_column_makes_the_comma_the_separator() -> None:
    assert read_csv("name\nZoé; called Z\n".encode())[0].name == "Zoé; called Z"


def test_lines_are_counted_as_an_editor_shows_them() -> None:
    rows = read_csv(b'\n\nname,email\n\nAna,\n\n"Bo\xc3\xa9",\n')
    assert [row.line for row in rows] == [5, 7]
    assert problems_of('name,email\nAna,"a\nb"\nBo,x\n') == [(2, "email"), (4, "email")]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", [(1, None)]),
        ("\n \n,,\n", [(1, None)]),
        ("name\n", [(1, None)]),
        ("email\nana@example.org\n", [(1, "name")]),
        ("name,nom\nAna,Ana\n", [(1, "nom")]),
        ("name,name\nAna,Ana\n", [(1, "name")]),
        ("name,,email\nAna,,\n", [(1, "")]),
        ('name,"email\nAna,x\n', [(1, None)]),
        ("name,email\nAna,a@x.org,more\n", [(2, None)]),
        ('name\n"An"a\nBo\nC"o\n"D', [(2, None), (5, None)]),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    text: str, problems: list[tuple[int, str | None]]
) -> None:
    assert problems_of(text) == problems


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "mac-roman", "utf-16"])
def test_another_encoding_is_refused_naming_the_byte(encoding: str) -> None:
    data = "name\nAna\nZoé\n".encode(encoding)
    with pytest.raises(MalformedInputError) as caught:
        read_csv(data)
    assert caught.value.code == "not-utf-8"
    byte, line = (data[0], 1) if encoding == "utf-16" else (data[-2], 3)
    assert f"line {line}: byte 0x{byte:02x} is not UTF-8" in caught.value.message


def test_a_file_beyond_the_bound_is_refused_unread() -> None:
    with pytest.raises(MalformedInputError) as caught:
        read_csv(bytes(MAX_ROSTER_BYTES + 1))
    assert caught.value.code == "too-large"


def test_a_quotation_mark_that_never_closes_is_a_problem() -> None:
    assert problems_of('name\n"' + "Ana\n" * 10_000) == [(2, None)]
    # Beyond what one cell may hold, the reader starts afresh in the middle of it.
    assert problems_of('name\n"' + "Ana\n" * 100_000)[0] == (2, None)


def test_garbage_gives_our_own_errors_only() -> None:
    source = random.Random(5)
    alphabet = [b'"', b",", b";", b"\n", b"\r", b"\0", b"a", b"\xc3\xa9", b"\xff", b"=", b"1"]
    for _ in range(3_000):
        body = b"".join(source.choices(alphabet, k=source.randrange(40)))
        for data in (body, b"name,score\n" + body):
            with suppress(MalformedInputError):
                read_csv(data)


def test_the_bundled_roster_has_a_thousand_learners_of_every_kind() -> None:
    rows = read_csv((files("ledger.credentials") / "examples" / "learners.csv").read_bytes())
    assert len(rows) == 1_000 <= MAX_ROWS
    assert {(row.email is None, row.learner_id is None) for row in rows} == {
        (False, False),
        (False, True),
        (True, False),
        (True, True),
    }
    assert all(row.email is None or row.email.endswith("@example.org") for row in rows)
    assert set("é-'Иωمशנ王김აՏさ") <= set("".join(row.name for row in rows))

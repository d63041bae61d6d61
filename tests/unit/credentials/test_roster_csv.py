"""Rosters as CSV, the way spreadsheets write it."""

import random
from contextlib import suppress
from importlib.resources import files

import pytest

from ledger.credentials.roster import MAX_ROSTER_BYTES, MAX_ROWS, RosterError, Row
from ledger.credentials.roster_csv import MAX_LINE_CHARACTERS, read_csv
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


@pytest.mark.parametrize(
    ("encoding", "byte"), [("latin-1", "0xe9"), ("cp1252", "0xe9"), ("mac-roman", "0x8e")]
)
def test_every_cell_of_another_encoding_is_named_with_its_byte(encoding: str, byte: str) -> None:
    data = "email,name\nz@example.org,Zoé\n,Ana\n,Renée\n".encode(encoding)
    with pytest.raises(RosterError) as caught:
        read_csv(data)
    advice = f"has the byte {byte}, which is not UTF-8: save it as UTF-8"
    assert [str(problem) for problem in caught.value.problems] == [
        f"line 2, column name: {advice}",
        f"line 4, column name: {advice}",
    ]


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
def test_an_encoding_with_wide_characters_is_named_once(encoding: str) -> None:
    with pytest.raises(RosterError) as caught:
        read_csv("name\nAna\nZoé\n".encode(encoding))
    assert "line 1: this is UTF-16" in caught.value.message


def test_unknown_columns_and_bad_cells_are_found_at_once() -> None:
    assert problems_of("name,nom,score\nAna,Ana,A\n") == [(1, "nom"), (2, "score")]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("name\nA\0na\n", [(2, "name")]),
        ("\ufeff\ufeffname\nAna\n", [(1, "\ufeffname"), (1, "name")]),
        ("name\n" + "A" * 10_000_000 + "\nBo\n", [(2, None)]),
        ("name\n" + "," * 10_000_000 + "\nBo\n", [(2, None)]),
        ("name" + ",a" * 5_000_000, [(1, None)]),
        ("name" + "," * MAX_LINE_CHARACTERS, [(1, None)]),
        ("name" + ",a" * 60_000, [(1, None)]),
        ("name\n=HYPERLINK(A1)\n", [(2, "name")]),
        ("name\rAna\r\n=x\n\rBo\n", [(3, "name")]),
        ("name\r\r\n1", [(3, "name")]),
    ],
)
def test_what_is_hostile_is_named_with_its_place(
    text: str, problems: list[tuple[int, str | None]]
) -> None:
    assert problems_of(text) == problems


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

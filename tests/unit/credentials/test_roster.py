"""What the rows of a roster say, whatever file they come from."""

from collections.abc import Iterator

import pytest

from ledger.credentials.canonical import canonical_bytes
from ledger.credentials.problems import MAX_PROBLEMS, SHOWN_PROBLEMS, LineProblem
from ledger.credentials.roster import (
    MAX_COLUMNS,
    MAX_ROWS,
    Record,
    RosterError,
    Row,
    check_columns,
    read_rows,
    row_identity,
)
from ledger.credentials.roster_cells import COLUMNS, MAX_CELL_CHARACTERS
from ledger.primitives import Hash32, sha256

DIGEST = Hash32(bytes(range(32)))


def row_of(**cells: str) -> Row:
    (row,) = read_rows([Record(2, {"name": "Ana", **cells})])
    return row


def problems_of(*records: Record | LineProblem) -> list[tuple[int, str | None]]:
    with pytest.raises(RosterError) as caught:
        read_rows(records)
    return [(problem.line, problem.column) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("column", "typed", "normal"),
    [
        ("name", "  Zoe\u0301\u00a0 Lefe\u0300vre-N'Diaye ", "Zoé Lefèvre-N'Diaye"),
        ("name", "王芳", "王芳"),
        ("name", "O'Brien, 3rd", "O'Brien, 3rd"),
        ("email", " Ana@Example.ORG ", "Ana@example.org"),
        ("email", "josé+badges@müller.example", "josé+badges@müller.example"),
        ("learner_id", "did:key:z6Mk", "did:key:z6Mk"),
        ("learner_id", " urn:uuid:8a0d8c9e", "urn:uuid:8a0d8c9e"),
        ("learner_id", "https://wallet.example.org/ana", "https://wallet.example.org/ana"),
        ("awarded", "2026-09-30", "2026-09-30"),
        ("started", "2024-02-29", "2024-02-29"),
        ("score", "87", "87"),
        ("score", "87,50", "87.5"),
        ("score", "007.0", "7"),
        ("score", "0", "0"),
        ("credits", "2.00", "2"),
        ("credits", "0,001", "0.001"),
    ],
)
def test_a_cell_has_one_normal_form(column: str, typed: str, normal: str) -> None:
    assert row_of(**{column: typed}).normalised()[column] == normal


@pytest.mark.parametrize(
    ("column", "typed"),
    [
        ("name", "12345"),
        ("name", "--"),
        ("name", "=cmd()"),
        ("name", "+Ana"),
        ("name", "-Ana"),
        ("name", "@SUM(A1)"),
        ("name", "Zo\udce9"),
        ("email", "zo\udce9@example.org"),
        ("name", "Ana\u202eanA"),
        ("name", "Ana\nAndromeda"),
        ("name", "A" * (MAX_CELL_CHARACTERS + 1)),
        ("email", "ana"),
        ("email", "ana@example"),
        ("email", "ana@example..org"),
        ("email", "a@b.org, c@d.org"),
        ("email", "Ana <ana@example.org>"),
        ("email", "ana@@example.org"),
        ("email", "a" * 65 + "@example.org"),
        ("email", "ana@" + "a." * 130 + "org"),
        ("learner_id", "42"),
        ("learner_id", "mailto:ana@example.org"),
        ("learner_id", "javascript:alert(1)"),
        ("learner_id", "did:key:"),
        ("learner_id", "did:example:é"),
        ("learner_id", "https://wallet.example.org/a b"),
        ("awarded", "30/09/2026"),
        ("awarded", "2026-9-30"),
        ("awarded", "20260930"),
        ("awarded", "2026-W40-3"),
        ("awarded", "2026-02-30"),
        ("awarded", "2026-09-30T00:00:00Z"),
        ("score", "A"),
        ("score", "-1"),
        ("score", "1e3"),
        ("score", "1,234.5"),
        ("score", "87 %"),
        ("score", "1" * 10),
        ("credits", "0"),
        ("credits", "0,00"),
        ("credits", "٣"),
    ],
)
def test_a_cell_that_cannot_be_read_is_a_problem_of_its_column(column: str, typed: str) -> None:
    assert problems_of(Record(7, {"name": "Ana", column: typed})) == [(7, column)]


def test_all_problems_are_found_at_once_in_the_order_of_the_lines() -> None:
    assert problems_of(
        Record(2, {"name": "1", "email": "x", "score": "y"}),
        LineProblem(3, None, "cannot be cut into cells"),
        Record(4, {"email": "ana@example.org"}),
        Record(5, {"name": "Bo", "started": "2026-09-02", "ended": "2026-09-01"}),
    ) == [(2, "name"), (2, "email"), (2, "score"), (3, None), (4, "name"), (5, "ended")]


def test_the_message_names_every_problem_with_its_place() -> None:
    with pytest.raises(RosterError) as caught:
        read_rows([Record(2, {"name": "Ana", "score": "A"}), Record(3, {})])
    assert caught.value.code == "bad-roster"
    assert "line 2, column score: 'A' is not a number" in caught.value.message
    assert "line 3, column name: is empty" in caught.value.message


@pytest.mark.parametrize(
    ("first", "second", "column"),
    [
        ({"learner_id": "did:a:1"}, {"name": "Bo", "learner_id": "did:a:1"}, "learner_id"),
        ({"email": "Ana@x.org"}, {"name": "Bo", "email": "ana@X.org"}, "email"),
        ({"email": "a@x.org"}, {"email": "a@x.org", "learner_id": "did:a:1"}, "email"),
        ({}, {"name": "ANA"}, "name"),
        ({"score": "1"}, {"score": "2"}, "name"),
    ],
)
def test_one_learner_stands_once(
    first: dict[str, str], second: dict[str, str], column: str
) -> None:
    records = [Record(2, {"name": "Ana", **first}), Record(5, {"name": "Ana", **second})]
    assert problems_of(*records) == [(5, column)]


def test_namesakes_are_told_apart_by_an_email_or_an_id() -> None:
    rows = read_rows(
        Record(line, {"name": "Ana", **more})
        for line, more in enumerate([{}, {"email": "a@x.org"}, {"learner_id": "did:a:1"}], 2)
    )
    assert len(rows) == 3


def test_a_roster_has_at_least_one_learner() -> None:
    assert problems_of() == [(1, None)]


def test_a_roster_has_at_most_so_many_learners() -> None:
    def records(count: int) -> Iterator[Record]:
        return (Record(n + 2, {"name": f"Ana {n}"}) for n in range(count))

    assert len(read_rows(records(MAX_ROWS))) == MAX_ROWS
    assert problems_of(*records(MAX_ROWS + 5)) == [(MAX_ROWS + 2, None)]


def test_reading_ends_after_enough_problems() -> None:
    found = problems_of(*(Record(line, {}) for line in range(2, 5 * MAX_PROBLEMS)))
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1] == (MAX_PROBLEMS + 1, None)


def test_the_message_is_a_screenful_and_the_error_has_all_problems() -> None:
    with pytest.raises(RosterError) as caught:
        read_rows(Record(line, {}) for line in range(2, 102))
    assert len(caught.value.problems) == 100
    first, *lines, last = caught.value.message.splitlines()
    assert first == "the roster has 100 problems:"
    assert len(lines) == SHOWN_PROBLEMS
    assert last == "  and 80 more; --report FILE lists them all"


def test_columns_are_known_and_named_once() -> None:
    assert check_columns(list(COLUMNS), 1) == []
    found = check_columns(["email", "Nom", "email", "name"], 3)
    assert [(problem.line, problem.column) for problem in found] == [(3, "Nom"), (3, "email")]


@pytest.mark.parametrize("columns", [["email", "Nom"], [], ["name"] * (MAX_COLUMNS + 1)])
def test_columns_without_a_name_or_beyond_all_bounds_end_the_reading(columns: list[str]) -> None:
    with pytest.raises(RosterError):
        check_columns(columns, 1)


def test_what_a_stranger_wrote_cannot_move_the_cursor() -> None:
    (problem,) = check_columns(["name", "\x1b[2J\n\u202egap"], 1)
    assert str(problem).startswith(r"line 1, column \x1b[2J\n\u202egap: no such column")


def test_a_score_that_does_not_fit_is_found_with_all_the_rest() -> None:
    records = [Record(2, {"name": "Ana", "score": "7"}), Record(3, {}), Record(4, {"name": "Bo"})]
    with pytest.raises(RosterError) as caught:
        read_rows(records, check_score=lambda score: "is odd" if score == "7" else None)
    assert [str(problem) for problem in caught.value.problems] == [
        "line 2, column score: is odd",
        "line 3, column name: is empty",
    ]


def test_a_row_has_every_column_and_says_only_what_is_filled(row: Row) -> None:
    assert list(row.normalised()) == list(COLUMNS)
    assert row_of().normalised() == {"name": "Ana"}


def test_a_rows_identity_is_the_digest_of_issuer_template_and_row(row: Row) -> None:
    expected = ["did:example:issuer", DIGEST.hex(), row.normalised()]
    assert row_identity("did:example:issuer", DIGEST, row) == sha256(canonical_bytes(expected))


def test_the_same_award_has_the_same_identity_however_it_is_typed() -> None:
    typed = row_of(score="87,50", email="ana@EXAMPLE.org")
    again = read_rows([Record(9, {"name": " Ana ", "score": "87.5", "email": "ana@example.org"})])
    assert row_identity("did:a", DIGEST, typed) == row_identity("did:a", DIGEST, again[0])


def test_another_issuer_template_or_cell_is_another_award() -> None:
    awards = [
        ("did:a", DIGEST, row_of()),
        ("did:b", DIGEST, row_of()),
        ("did:a", sha256(b""), row_of()),
        ("did:a", DIGEST, row_of(score="1")),
        ("did:a", DIGEST, row_of(credits="1")),
    ]
    assert len({row_identity(*award) for award in awards}) == len(awards)

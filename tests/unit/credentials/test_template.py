"""Templates: what a TOML file says, and everything that is wrong with it."""

import random
from dataclasses import replace
from importlib.resources import files

import pytest

from ledger.credentials.template import (
    MAX_TEMPLATE_BYTES,
    Grade,
    Link,
    Outcome,
    Template,
    TemplateError,
    parse_template,
    template_digest,
)
from ledger.credentials.template_table import MAX_ITEMS, MAX_TEXT_CHARACTERS
from ledger.errors import MalformedInputError

SMALLEST = """
format = "ledger-template/1"
title = "First aid"
description = "What to do before help comes."
url = "https://academy.example.org/first-aid"
language = "en"
criteria = "Answer six questions of ten."
workload_minutes = 5
assessments = ["quiz"]
participation = "online"
quality = "institution"

[[outcomes]]
text = "Call for help"
"""

FULL = """
format = "ledger-template/1"
title = "First aid"
description = "What to do before help comes."
url = "https://academy.example.org/first-aid"
language = "en-GB"
version = "2"
criteria = '''
Answer six questions of ten.
  Then show it once.
'''
prerequisites = "None"
field = "0913"
tags = ["health", "safety"]
valid_days = 365
workload_minutes = 90
ects = 0.10
eqf = 2
cycle = "short"
assessments = ["quiz", "practical"]
supervision = "supervised"
participation = "blended"
quality = "programme"

[[outcomes]]
text = "Call for help"
url = "http://data.europa.eu/esco/skill/1"
framework = "ESCO"

[[outcomes]]
text = "Stop a bleeding"

[grade]
name = "Final mark"
unit = "points"
lowest = 0
highest = 20.0
required = 12.5

[[stacks_to]]
name = "First responder"
url = "https://academy.example.org/responder"

[[recognised_by]]
name = "The Red Umbrella"
url = "https://umbrella.example.org"

[[further]]
name = "Handbook"
url = "https://academy.example.org/handbook.pdf"
"""


def problems_of(text: str) -> dict[str, str]:
    with pytest.raises(TemplateError) as caught:
        parse_template(text.encode())
    assert caught.value.code == "bad-template"
    return {problem.path: problem.message for problem in caught.value.problems}


def test_a_template_says_what_its_keys_say() -> None:
    assert parse_template(FULL.encode()) == Template(
        title="First aid",
        description="What to do before help comes.",
        url="https://academy.example.org/first-aid",
        language="en-GB",
        version="2",
        criteria="Answer six questions of ten.\nThen show it once.",
        prerequisites="None",
        field="0913",
        tags=("health", "safety"),
        valid_days=365,
        outcomes=(
            Outcome("Call for help", "http://data.europa.eu/esco/skill/1", "ESCO"),
            Outcome("Stop a bleeding", None, None),
        ),
        workload_minutes=90,
        ects="0.1",
        eqf=2,
        cycle="short",
        assessments=("quiz", "practical"),
        supervision="supervised",
        participation="blended",
        quality="programme",
        grade=Grade("Final mark", "points", "0", "20", "12.5"),
        stacks_to=(Link("First responder", "https://academy.example.org/responder"),),
        recognised_by=(Link("The Red Umbrella", "https://umbrella.example.org"),),
        further=(Link("Handbook", "https://academy.example.org/handbook.pdf"),),
    )


def test_what_is_optional_may_be_left_out() -> None:
    template = parse_template(SMALLEST.encode())
    assert (template.version, template.grade, template.recognised_by) == (None, None, ())


def test_an_empty_template_lacks_what_annex_i_requires() -> None:
    assert problems_of("") == dict.fromkeys(
        [
            "format",
            "title",
            "description",
            "url",
            "language",
            "criteria",
            "outcomes",
            "workload_minutes",
            "assessments",
            "participation",
            "quality",
        ],
        "is missing",
    )


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ('format = "ledger-template/2"', "format"),
        ('title = ""', "title"),
        ("title = 7", "title"),
        ('title = "a\\u202eb"', "title"),
        ('title = "' + "a" * (MAX_TEXT_CHARACTERS + 1) + '"', "title"),
        ('url = "academy.example.org"', "url"),
        ('url = "ftp://academy.example.org"', "url"),
        ('url = "javascript:alert(1)"', "url"),
        ('url = "https://exämple.org"', "url"),
        ('url = "https://user@example.org/"', "url"),
        ('url = "https://[::1"', "url"),
        ('language = "french"', "language"),
        ('language = "FR"', "language"),
        ('field = "law"', "field"),
        ("field = 421", "field"),
        ('tags = "law"', "tags"),
        ('tags = ["law", 7]', "tags[2]"),
        (f"tags = {['a'] * (MAX_ITEMS + 1)}", "tags"),
        ("valid_days = 0", "valid_days"),
        ("valid_days = 1.5", "valid_days"),
        ("workload_minutes = true", "workload_minutes"),
        ("workload_minutes = 0", "workload_minutes"),
        ("ects = -1", "ects"),
        ("ects = nan", "ects"),
        ("ects = inf", "ects"),
        ("ects = 301", "ects"),
        ("ects = false", "ects"),
        ("ects = 2026-01-01", "ects"),
        ("eqf = 9", "eqf"),
        ('cycle = "fourth"', "cycle"),
        ("assessments = []", "assessments"),
        ('assessments = ["quiz", "magic"]', "assessments[2]"),
        ('participation = ["online"]', "participation"),
        ("outcomes = 7", "outcomes"),
        ("outcomes = []", "outcomes"),
        ("outcomes = [7]", "outcomes[1]"),
        ("outcomes = [{}]", "outcomes[1].text"),
        ('outcomes = [{text = "a"}, {text = "b", link = "c"}]', "outcomes[2].link"),
        ("grade = 7", "grade"),
        ('recognised_by = [{name = "A"}]', "recognised_by[1].url"),
        ('recognized_by = [{name = "A", url = "https://a.example"}]', "recognized_by"),
        ('credentialSubject = "x"', "credentialSubject"),
    ],
)
def test_a_wrong_key_is_named_with_its_path(line: str, path: str) -> None:
    key = line.partition(" ")[0]
    kept = SMALLEST.partition("[[outcomes]]")[0].splitlines()
    kept = [other for other in kept if not other.startswith(f"{key} ")]
    outcomes = [] if key == "outcomes" else ["[[outcomes]]", 'text = "Call for help"']
    assert list(problems_of("\n".join([*kept, line, *outcomes]))) == [path]


@pytest.mark.parametrize(
    ("grade", "path"),
    [
        ("lowest = 0\nhighest = 0", "grade.highest"),
        ("lowest = 10\nhighest = 9.5", "grade.highest"),
        ("lowest = 0\nhighest = 10\nrequired = 10.5", "grade.required"),
        ("lowest = 1\nhighest = 10\nrequired = 0", "grade.required"),
        ("lowest = 1", "grade.highest"),
    ],
)
def test_a_grade_that_nobody_can_get_is_refused(grade: str, path: str) -> None:
    text = f'{SMALLEST}\n[grade]\nname = "Mark"\nunit = "points"\n{grade}\n'
    assert list(problems_of(text)) == [path]


def test_all_problems_are_found_at_once() -> None:
    text = SMALLEST.replace("quiz", "magic").replace("= 5", "= 0") + 'link = "x"\n'
    assert list(problems_of(text)) == ["outcomes[1].link", "workload_minutes", "assessments[1]"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"title = ", "not-toml"),
        (b"a = 1\na = 2\n", "not-toml"),
        (b'{"format": "ledger-template/1"}', "not-toml"),
        (b"a = " + b"[" * 10_000, "not-toml"),
        (b"title = '\xe9'", "not-utf-8"),
        (b"#" * (MAX_TEMPLATE_BYTES + 1), "too-large"),
    ],
)
def test_what_is_no_toml_is_malformed(data: bytes, code: str) -> None:
    with pytest.raises(MalformedInputError) as caught:
        parse_template(data)
    assert caught.value.code == code


def test_garbage_gives_our_own_errors_only() -> None:
    source = random.Random(7)
    pieces = [*FULL.split(" "), "\n", "[", "]", "{", "}", '"', "=", "\x00", "é", "nan", "1e400"]
    for _ in range(2_000):
        text = " ".join(source.choices(pieces, k=source.randrange(30)))
        with pytest.raises(MalformedInputError):
            parse_template(text.encode())


def test_the_digest_is_that_of_what_the_template_says() -> None:
    digest = template_digest(parse_template(FULL.encode()))
    reordered = "# A comment.\r\n" + FULL.replace('version = "2"\n', "").replace(
        'language = "en-GB"\n', 'version  =  "2"\nlanguage="en-GB"\n'
    )
    assert template_digest(parse_template(reordered.encode())) == digest
    # A published template keeps its digest, or its learners would be issued twice.
    assert digest.hex() == "0f4328f35378b9503a2fd7c2b2e055ffca2e32ca28ffff11f632a96ce0986a18"


@pytest.mark.parametrize(
    "changed",
    [
        {"title": "Another"},
        {"version": None},
        {"valid_days": 366},
        {"tags": ()},
        {"outcomes": (Outcome("Call for help", None, None),)},
        {"grade": None},
    ],
)
def test_another_template_has_another_digest(changed: dict[str, object]) -> None:
    template = parse_template(FULL.encode())
    assert template_digest(replace(template, **changed)) != template_digest(template)  # type: ignore[arg-type]


def test_the_bundled_template_is_sound() -> None:
    template = parse_template((files("ledger.credentials") / "examples" / "rgpd.toml").read_bytes())
    assert (template.language, template.workload_minutes) == ("fr", 5)
    assert template.recognised_by == ()

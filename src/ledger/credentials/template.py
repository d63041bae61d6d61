"""What every badge of one course says: a TOML file that its issuer writes.

The keys follow Annex I of the EU Council Recommendation on micro-credentials, in plain
words; docs/reference/template.md explains each. What belongs to a learner is in the
roster, and what belongs to the issuer in its profile.

The digest of a template is SHA-256 of the RFC 8785 form of what it says. Comments,
spacing and the order of keys do not count, and a key that is left out counts as if the
format did not have it.

Source: EU Council Recommendation of 16 June 2022 on a European approach to
micro-credentials, Annex I.
"""

import json
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Final

from ledger.credentials.canonical import canonical_bytes
from ledger.credentials.problems import describe_problems
from ledger.credentials.template_table import (
    TableReader,
    TemplateProblem,
    integer,
    matching,
    number,
    one_of,
    text,
    web_address,
)
from ledger.credentials.vocabulary import (
    ASSESSMENTS,
    CYCLES,
    PARTICIPATIONS,
    QUALITIES,
    SUPERVISIONS,
)
from ledger.errors import MalformedInputError
from ledger.primitives import Hash32, sha256

FORMAT: Final = "ledger-template/1"

MAX_TEMPLATE_BYTES: Final = 64 << 10
"""Ours: every badge carries what the template says."""

_LANGUAGE: Final = r"[a-z]{2,4}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?"
"""As the Open Badges 3.0 schema has it (BCP 47 without its rarer parts)."""

_MAX_WORKLOAD_MINUTES: Final = 60 * 10_000
_MAX_VALID_DAYS: Final = 36_525
_MAX_ECTS: Final = 300
_MAX_SCORE: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Link:
    """Something with a name and a page."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the learner now knows, understands or can do."""

    text: str
    url: str | None
    """Its entry in a framework such as ESCO."""
    framework: str | None


@dataclass(frozen=True, slots=True)
class Grade:
    """How a learner's `score` is read. Numbers are decimals with a point."""

    name: str
    unit: str
    """`percent` or `points`."""
    lowest: str
    highest: str
    required: str | None
    """What it takes to earn the badge."""

    def problem_of(self, score: str) -> str | None:
        """Return why nobody with this score, a decimal, gets the badge; None when all is well."""
        if not Decimal(self.lowest) <= Decimal(score) <= Decimal(self.highest):
            return f"{score} is not from {self.lowest} to {self.highest}"
        if self.required is not None and Decimal(score) < Decimal(self.required):
            return f"{score} is below {self.required}, which the template requires"
        return None


@dataclass(frozen=True, slots=True)
class Template:
    """What every badge of one course says."""

    title: str
    description: str
    url: str
    """The page of the course; also the id of the achievement."""
    language: str
    version: str | None
    criteria: str
    """What a learner did to earn it."""
    prerequisites: str | None
    field: str | None
    """Two to four digits of ISCED-F 2013."""
    tags: tuple[str, ...]
    valid_days: int | None
    """How long a badge holds; None: for ever."""
    outcomes: tuple[Outcome, ...]
    workload_minutes: int
    ects: str | None
    """European credits of the whole course, a decimal with a point."""
    eqf: int | None
    cycle: str | None
    assessments: tuple[str, ...]
    """Words of the vocabulary, as are the next three."""
    supervision: str | None
    participation: str
    quality: str
    grade: Grade | None
    stacks_to: tuple[Link, ...]
    """The larger credentials that this one counts towards."""
    recognised_by: tuple[Link, ...]
    """Who, by the issuer's word, recognises it; empty when nobody does."""
    further: tuple[Link, ...]

    def score_problem(self, score: str) -> str | None:
        """Return why a learner with this score gets no badge; None when all is well."""
        if self.grade is None:
            return "the template has no [grade]: add one, or remove the column"
        return self.grade.problem_of(score)


class TemplateError(MalformedInputError):
    """A template that cannot be issued from, with everything that is wrong in it."""

    def __init__(self, problems: Iterable[TemplateProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("bad-template", describe_problems("the template", self.problems))


def parse_template(data: bytes) -> Template:
    """Return the template that a TOML file holds.

    Raises:
        MalformedInputError: more than `MAX_TEMPLATE_BYTES`, or no TOML in UTF-8.
        TemplateError: keys are missing, unknown or wrong; every one is named.

    """
    return read_template(_parse_toml(data))


def read_template(values: dict[str, Any]) -> Template:
    """Return the template that parsed TOML or JSON holds.

    Raises:
        MalformedInputError: more than `MAX_TEMPLATE_BYTES` as JSON.
        TemplateError: as `parse_template`.

    """
    _check_size(len(json.dumps(values, ensure_ascii=False, default=str)))
    problems: list[TemplateProblem] = []
    table = TableReader(values, problems)
    table.get("format", one_of([FORMAT]))
    template = _read_template(table)
    table.close()
    if not problems and template.grade:
        problems += _check_grade(template.grade)
    if problems:
        raise TemplateError(problems)
    return template


def normalised_template(template: Template) -> dict[str, Any]:
    """Return what `template` says, as JSON: its keys that are not empty."""
    return {"format": FORMAT, **_without_empty(asdict(template))}


def template_digest(template: Template) -> Hash32:
    """Return the digest of what `template` says."""
    return sha256(canonical_bytes(normalised_template(template)))


def _parse_toml(data: bytes) -> dict[str, Any]:
    _check_size(len(data))
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise MalformedInputError(
            "not-utf-8", f"byte {error.start} is not UTF-8: save the template as UTF-8"
        ) from None
    except (ValueError, RecursionError) as error:
        raise MalformedInputError(
            "not-toml", f"the template is not TOML: {str(error)[:120]}"
        ) from None


def _check_size(size: int) -> None:
    if size > MAX_TEMPLATE_BYTES:
        raise MalformedInputError(
            "too-large", f"{size} bytes; a template has at most {MAX_TEMPLATE_BYTES}"
        )


def _read_template(table: TableReader) -> Template:
    return Template(
        title=table.get("title", text),
        description=table.get("description", text),
        url=table.get("url", web_address),
        language=table.get("language", matching(_LANGUAGE, "fr")),
        version=table.find("version", text),
        criteria=table.get("criteria", text),
        prerequisites=table.find("prerequisites", text),
        field=table.find("field", matching(r"[0-9]{2,4}", "0421")),
        tags=table.items("tags", text),
        valid_days=table.find("valid_days", integer(1, _MAX_VALID_DAYS)),
        outcomes=table.tables("outcomes", _read_outcome, least=1),
        workload_minutes=table.get("workload_minutes", integer(1, _MAX_WORKLOAD_MINUTES)),
        ects=table.find("ects", number(_MAX_ECTS)),
        eqf=table.find("eqf", integer(1, 8)),
        cycle=table.find("cycle", one_of(CYCLES)),
        assessments=table.items("assessments", one_of(ASSESSMENTS), least=1),
        supervision=table.find("supervision", one_of(SUPERVISIONS)),
        participation=table.get("participation", one_of(PARTICIPATIONS)),
        quality=table.get("quality", one_of(QUALITIES)),
        grade=table.find_table("grade", _read_grade),
        stacks_to=table.tables("stacks_to", _read_link),
        recognised_by=table.tables("recognised_by", _read_link),
        further=table.tables("further", _read_link),
    )


def _read_outcome(table: TableReader) -> Outcome:
    return Outcome(
        table.get("text", text), table.find("url", web_address), table.find("framework", text)
    )


def _read_grade(table: TableReader) -> Grade:
    return Grade(
        name=table.get("name", text),
        unit=table.get("unit", one_of(["percent", "points"])),
        lowest=table.get("lowest", number(_MAX_SCORE)),
        highest=table.get("highest", number(_MAX_SCORE)),
        required=table.find("required", number(_MAX_SCORE)),
    )


def _read_link(table: TableReader) -> Link:
    return Link(table.get("name", text), table.get("url", web_address))


def _check_grade(grade: Grade) -> list[TemplateProblem]:
    lowest, highest = Decimal(grade.lowest), Decimal(grade.highest)
    if lowest >= highest:
        return [TemplateProblem("grade.highest", "is not above `lowest`")]
    if grade.required is not None and not lowest <= Decimal(grade.required) <= highest:
        return [TemplateProblem("grade.required", "is not from `lowest` to `highest`")]
    return []


def _without_empty(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {key: _without_empty(kept) for key, kept in value.items() if kept not in (None, ())}
    return [_without_empty(kept) for kept in value] if isinstance(value, tuple) else value

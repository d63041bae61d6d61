"""`template new`, `check`, `show`: write what every badge of a course says, and look at it."""

import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ledger.cli.files import read_file
from ledger.cli.options import Json
from ledger.cli.output import show as print_line
from ledger.cli.output import show_json
from ledger.errors import ConflictError

if TYPE_CHECKING:
    from ledger.credentials.template import Grade, Link, Template

EXAMPLE: Final = "template.toml"

_WIDTH: Final = 88
_INDENT: Final = " " * 16

TemplateFile = Annotated[Path, typer.Argument(metavar="FILE", help="A template, as TOML.")]

template = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    app.add_typer(template, name="template", help="Write, check and show templates of badges.")


@template.command()
def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")],
) -> None:
    """Write an example to edit, with every key explained.

    It is a good template as it stands. A file that exists is never overwritten.
    """
    from importlib import resources

    example = resources.files("ledger.credentials").joinpath("examples", EXAMPLE).read_bytes()
    try:
        with file.open("xb") as opened:
            opened.write(example)
    except FileExistsError:
        raise ConflictError("file-exists", f"{file} exists: name another") from None
    except OSError as error:
        raise ConflictError("unwritable", f"{file}: {error.strerror}") from None
    print_line(f"Wrote {file}.")
    print_line(f"Next: edit it, then run `ledger template check {file}`.")


@template.command()
def check(file: TemplateFile, as_json: Json = False) -> None:
    """Name everything that is wrong in a template.

    Exit code 0: nothing is. 2: something is.
    """
    from ledger.credentials.template import TemplateError, parse_template, template_digest

    try:
        parsed = parse_template(read_file(file))
    except TemplateError as error:
        if not as_json:
            raise
        problems = [{"path": one.path, "message": one.message} for one in error.problems]
        show_json({"problems": problems, "digest": None})
        raise typer.Exit(error.exit_code) from None
    digest = template_digest(parsed).hex()
    if as_json:
        show_json({"problems": [], "digest": digest})
    else:
        print_line(f"{file} is a good template: {parsed.title}")
        print_line(f"Digest  {digest}")


@template.command("show")
def show_template(file: TemplateFile, as_json: Json = False) -> None:
    """Show a template as a person reads it.

    With --json, in its normalised form, which its digest is of.
    """
    from ledger.credentials.template import normalised_template, parse_template, template_digest

    parsed = parse_template(read_file(file))
    digest = template_digest(parsed).hex()
    if as_json:
        show_json({"digest": digest, "template": normalised_template(parsed)})
        return
    for line in _described(parsed):
        print_line(line)
    print_line()
    print_line(f"{'Digest':<16}{digest}")


def _described(template: "Template") -> Iterator[str]:
    from ledger.credentials.achievement import recognition

    yield template.title
    yield "=" * len(template.title)
    yield from textwrap.wrap(template.description, _WIDTH)
    yield ""
    for label, text in _facts(template):
        if text is not None:
            yield from _entry(label, text)
    yield ""
    yield from textwrap.wrap(recognition(template), _WIDTH)


def _facts(template: "Template") -> Iterator[tuple[str, str | None]]:
    """Give every key in the order of reading; None for what the template does not say."""
    from ledger.credentials import vocabulary

    yield "Page", template.url
    yield "Language", template.language
    yield "Version", template.version
    yield "Criteria", template.criteria
    yield "Prerequisites", template.prerequisites
    for outcome in template.outcomes:
        source = " ".join(filter(None, (outcome.framework, outcome.url)))
        yield "Outcome", f"{outcome.text} ({source})" if source else outcome.text
    yield "Workload", f"{template.workload_minutes} minutes"
    yield "Credits", f"{template.ects} ECTS" if template.ects else None
    yield "Level", f"EQF {template.eqf}" if template.eqf else None
    yield "Cycle", vocabulary.CYCLES[template.cycle] if template.cycle else None
    yield (
        "Assessment",
        ", ".join(vocabulary.ASSESSMENTS[word].label for word in template.assessments),
    )
    if template.supervision:
        yield "Supervision", vocabulary.SUPERVISIONS[template.supervision].label
    yield "Participation", vocabulary.PARTICIPATIONS[template.participation].label
    yield "Quality", vocabulary.QUALITIES[template.quality].label
    yield "Grade", _grade(template.grade) if template.grade else None
    yield "Field", f"ISCED-F {template.field}" if template.field else None
    yield "Tags", ", ".join(template.tags) or None
    yield "Holds", f"{template.valid_days} days" if template.valid_days else "for ever"
    yield from _links("Stacks to", template.stacks_to)
    yield from _links("Recognised by", template.recognised_by)
    yield from _links("Further", template.further)


def _grade(grade: "Grade") -> str:
    unit = "%" if grade.unit == "percent" else " points"
    required = f", {grade.required} required" if grade.required else ""
    return f"{grade.name}: {grade.lowest} to {grade.highest}{unit}{required}"


def _links(label: str, links: Iterable["Link"]) -> Iterator[tuple[str, str]]:
    for link in links:
        yield label, f"{link.name} ({link.url})"


def _entry(label: str, text: str) -> Iterator[str]:
    lines = [
        part
        for line in text.splitlines()
        for part in textwrap.wrap(line, _WIDTH - len(_INDENT), break_on_hyphens=False) or [""]
    ]
    yield f"{label:<{len(_INDENT)}}{lines[0]}"
    yield from (f"{_INDENT}{line}".rstrip() for line in lines[1:])

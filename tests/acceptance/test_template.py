"""`ledger template`: a new one is good, a bad one is told everything, and all of it is shown."""

import json
import re
from pathlib import Path

import pytest

from ledger.credentials.template import parse_template, template_digest

from .conftest import Run

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "template.md"


@pytest.fixture
def longest(tmp_path: Path) -> Path:
    """The template of the reference that has every key."""
    file = tmp_path / "longest.toml"
    file.write_text(
        re.findall(r"^```toml\n(.*?)^```$", REFERENCE.read_text("utf-8"), re.DOTALL | re.MULTILINE)[
            1
        ]
    )
    return file


def test_a_new_template_is_good_and_replaces_nothing(ledger: Run, tmp_path: Path) -> None:
    file = tmp_path / "cours.toml"
    assert ledger("template", "new", file).returncode == 0
    checked = ledger("template", "check", file, "--json")
    digest = template_digest(parse_template(file.read_bytes())).hex()
    assert json.loads(checked.stdout) == {"problems": [], "digest": digest}
    assert digest in ledger("template", "check", file).stdout
    file.write_text("mine")
    again = ledger("template", "new", file)
    assert (again.returncode, "[file-exists]" in again.stderr) == (5, True)
    assert file.read_text() == "mine"


def test_every_key_that_is_commented_out_may_be_used(ledger: Run, tmp_path: Path) -> None:
    """What is a comment by its `# key =` or `# [table]` is a good line without its mark."""
    file = tmp_path / "cours.toml"
    ledger("template", "new", file)
    text = file.read_text("utf-8")
    file.write_text(re.sub(r"^# (?=[a-z_]+ = |\[)", "", text, flags=re.MULTILINE), "utf-8")
    assert ledger("template", "check", file).returncode == 0
    template = parse_template(file.read_bytes())
    missing = [name for name in template.__slots__ if getattr(template, name) in (None, ())]
    assert missing == []


def test_every_problem_is_named(ledger: Run, longest: Path) -> None:
    longest.write_text(longest.read_text().replace("eqf = 3", 'eqf = 9\n"\\u001b[2J" = 1'))
    done = ledger("template", "check", longest)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "ledger: the template has 2 problems: [bad-template]",
        "  eqf is not a whole number from 1 to 8",
        next(line for line in done.stderr.splitlines() if line.startswith(r"  \x1b[2J is no key")),
    ]
    as_json = ledger("template", "check", longest, "--json")
    assert as_json.returncode == 2
    problems = json.loads(as_json.stdout)["problems"]
    assert [one["path"] for one in problems] == ["eqf", "\x1b[2J"]


def test_a_thousand_problems_are_a_screenful(ledger: Run, longest: Path) -> None:
    keys = "".join(f"key{n} = 1\n" for n in range(1_000))
    longest.write_text(keys + longest.read_text())
    done = ledger("template", "check", longest)
    assert done.stderr.count("\n") == 22
    assert done.stderr.endswith("  and 980 more\n")


def test_everything_a_template_says_is_shown(ledger: Run, longest: Path) -> None:
    shown = " ".join(ledger("template", "show", longest).stdout.split())
    normalised = json.loads(ledger("template", "show", longest, "--json").stdout)
    template = parse_template(longest.read_bytes())
    assert normalised["digest"] == template_digest(template).hex()
    assert normalised["digest"] in shown
    words = {"short": "Short cycle", "quiz": "quiz", "practical": "practical assessment"}
    words |= {"supervised-with-id": "Supervised with ID verification", "blended": "Blended"}
    words |= {"programme": "Program Quality Assurance", "ledger-template/1": ""}

    def texts(value: object) -> list[str]:
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            return [text for one in value for text in texts(one)]
        return [words.get(str(value), " ".join(str(value).split()))]

    for text in texts(normalised["template"]):
        assert text in shown

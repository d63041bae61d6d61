"""What the documents list is what the code has: error codes, settings, commands."""

import ast
import re
import runpy
from dataclasses import fields
from pathlib import Path

from ledger import errors
from ledger.batches.credential_status import REASONS
from ledger.chain.artifact import load_artifact
from ledger.config import ENVIRONMENT, Settings
from ledger.errors import LedgerError

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "ledger"
REFERENCE = ROOT / "docs" / "reference"


def our_error_classes() -> set[str]:
    """Return the names of every class below LedgerError, wherever it is defined."""
    bases: dict[str, set[str]] = {}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = {base.id for base in node.bases if isinstance(base, ast.Name)}
    found = {LedgerError.__name__}
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return found


def codes_in_the_source() -> set[str]:
    """Return every literal code that one of our errors is made with."""
    ours = our_error_classes()
    codes = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called, first = node.func, node.args[0]
            is_error = isinstance(called, ast.Name) and called.id in ours
            is_base = (
                isinstance(called, ast.Attribute)
                and called.attr == "__init__"
                and ast.unparse(called.value) == "super()"
            )
            if (is_error or is_base) and isinstance(first, ast.Constant):
                codes.add(first.value)
    return {code for code in codes if isinstance(code, str) and re.fullmatch(r"[a-z0-9-]+", code)}


def test_every_error_code_is_documented_and_no_other() -> None:
    table = (REFERENCE / "errors.md").read_text()
    documented = re.findall(r"^\| `([a-z0-9-]+)` \|", table, re.MULTILINE)
    assert len(documented) == len(set(documented))
    assert set(documented) == codes_in_the_source()


def test_every_error_class_has_its_exit_code_in_the_table() -> None:
    table = (REFERENCE / "errors.md").read_text()
    documented = dict(re.findall(r"^\| `(\w+Error)` \| (\d+) \|", table, re.MULTILINE))
    classes = {c.__name__: str(c.exit_code) for c in LedgerError.__subclasses__()}
    assert documented.items() <= classes.items()
    assert set(vars(errors)) & set(classes) == set(documented)


def test_every_setting_is_documented_and_no_other() -> None:
    table = (REFERENCE / "settings.md").read_text()
    documented = set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE))
    assert documented == {field.name for field in fields(Settings)} - {"home"}


def test_every_environment_variable_is_documented_and_no_other() -> None:
    table = (REFERENCE / "settings.md").read_text()
    documented = set(re.findall(r"^\| `(LEDGER_[A-Z_]+)` \|", table, re.MULTILINE))
    read = set(re.findall(r'"(LEDGER_[A-Z_]+)"', (SOURCE / "config.py").read_text()))
    assert documented == read
    assert set(ENVIRONMENT) <= read


def test_only_the_configuration_reads_the_environment() -> None:
    readers = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if re.search(r"os\.(environ|getenv)", path.read_text())
    }
    assert readers == {"config.py"}


def test_every_link_between_documents_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page}: {target}"


def test_every_command_in_the_readme_exists() -> None:
    from ledger.cli.main import app

    commands = {command.name or command.callback.__name__ for command in app.registered_commands}  # type: ignore[union-attr]
    groups = {group.name for group in app.registered_groups}
    used = set(re.findall(r"\bledger ([a-z]+)", (ROOT / "README.md").read_text()))
    assert used - {"verify", "anchor"}
    assert used <= commands | groups | {"COMMAND"}


def test_everything_of_the_contract_is_in_its_reference() -> None:
    page = (REFERENCE / "contract.md").read_text()
    named = set(re.findall(r"`([A-Za-z]+)[`(]", page))
    entries = {entry.get("name", "fallback") for entry in load_artifact().abi}
    assert entries <= named


def test_every_test_that_the_threat_model_names_exists() -> None:
    page = (REFERENCE / "contract.md").read_text()
    named = set(re.findall(r"\[`((?:test|invariant)\w+)`\]", page))
    sources = [path.read_text() for path in (ROOT / "contracts" / "test").rglob("*.sol")]
    assert len(named) > 10
    assert all(any(f"function {name}(" in source for source in sources) for name in named)


def test_the_reasons_are_those_of_the_contract_reference() -> None:
    page = (REFERENCE / "contract.md").read_text()
    rows = re.findall(r"^\| (\d+) \| ([a-z-]+) \|", page, re.MULTILINE)
    assert {word: int(number) for number, word in rows} == REASONS


def test_the_page_of_commands_is_what_help_says() -> None:
    write = runpy.run_path(str(ROOT / "scripts" / "write_commands.py"))
    told = "run python scripts/write_commands.py"
    assert (REFERENCE / "commands.md").read_text() == write["page"](), told


def test_every_event_of_the_log_is_documented_and_no_other() -> None:
    page = (REFERENCE / "logs.md").read_text()
    documented = set(re.findall(r"^\| `([a-z ]+)` \|", page, re.MULTILINE))
    said = {
        event
        for path in SOURCE.rglob("*.py")
        for event in re.findall(r'(?:\.log\.\w+|tell)\(\s*"([a-z ]+)"', path.read_text())
    }
    assert documented == said

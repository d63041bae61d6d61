"""The reference pages say what the code does."""

import json
import re
from pathlib import Path

from ledger.chain.registry.lookup import MAX_SPANS
from ledger.verification.policy import (
    MAX_ACCREDITORS,
    MAX_ENDPOINTS,
    TrustPolicy,
    format_policy,
    parse_policy,
)
from ledger.verification.reasons import Reason
from ledger.verification.report import CODES, EXIT_CODES, Basis, Outcome
from tests.unit.verification_world import World

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
VERIFICATION = (REFERENCE / "verification.md").read_text("utf-8")
POLICY = (REFERENCE / "policy.md").read_text("utf-8")


def rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the table that begins with the column `heading`."""
    table = page.split(f"\n| {heading} |", 1)[1].split("\n\n", 1)[0]
    lines = table.splitlines()[2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def block(page: str, language: str) -> str:
    """Return the first block of code in `language`."""
    return page.split(f"```{language}\n", 1)[1].split("```", 1)[0]


def test_every_reason_is_explained_in_the_order_of_the_code() -> None:
    assert [row[0] for row in rows(VERIFICATION, "reason")] == list(Reason)


def test_every_outcome_in_the_table_of_reasons_is_one() -> None:
    for row in rows(VERIFICATION, "reason"):
        assert set(re.findall(r"[a-z]+", row[2])) <= {"failed", "unknown", "skipped"}


def test_every_check_is_explained() -> None:
    assert [row[:2] for row in rows(VERIFICATION, "number")] == [
        [str(number), code] for number, code in CODES.items()
    ]


def test_outcomes_bases_and_exit_codes_are_those_of_the_code() -> None:
    assert [row[0] for row in rows(VERIFICATION, "outcome")] == list(Outcome)
    assert [row[0] for row in rows(VERIFICATION, "basis")] == list(Basis)
    codes = {row[0]: int(row[2]) for row in rows(VERIFICATION, "verdict")}
    assert codes == {str(verdict): code for verdict, code in EXIT_CODES.items()}


def test_the_report_shown_is_one() -> None:
    shown, found = json.loads(block(VERIFICATION, "json")), World().verify().as_json()
    assert list(shown) == list(found)
    for member in ("as_of", "anchor", "credential"):
        assert shown[member] == found[member]
    assert list(shown["checks"][0]) == list(found["checks"][7])
    assert shown["checks"][0]["basis"] == found["checks"][7]["basis"]


def test_the_policy_shown_is_one_and_uses_every_key() -> None:
    text = block(POLICY, "toml")
    assert format_policy(parse_policy(text)).split() == text.split()
    keys = [row[0] for row in rows(POLICY, "key")]
    keys += [row[0] for row in rows(POLICY.split("[[registries]]` is", 1)[1], "key")]
    assert keys == re.findall(r"^(\w+) =", text, re.MULTILINE)


def test_the_defaults_named_are_those_of_the_code() -> None:
    written = format_policy(TrustPolicy(registries=()))
    for name, default, *_ in rows(POLICY, "key"):
        if default not in {"required", "none", "no limit"}:
            assert f"{name} = {default}" in written


def test_the_bounds_named_are_those_of_the_code() -> None:
    assert f"at most {MAX_ACCREDITORS}." in POLICY
    assert f"at most {MAX_ENDPOINTS}," in POLICY
    assert f"newest {MAX_SPANS} accreditations" in VERIFICATION


def test_every_attempt_at_laundering_is_a_test_and_each_test_is_told() -> None:
    page = (REFERENCE / "attempts.md").read_text("utf-8")
    told = re.findall(r"\| `([a-z_]+)` \|$", page, re.MULTILINE)
    tests = (Path(__file__).parent / "test_verification_laundering.py").read_text("utf-8")
    assert told == re.findall(r"^def test_(\w+)\(", tests, re.MULTILINE)

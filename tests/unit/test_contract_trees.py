"""The contract's tests are its specification: a tree for each function, a test for each leaf.

A tree names a function; its branches are conditions, and each condition that has an outcome
is one forge test, in the contract that is called after the function:

    revoke                                      contract RevokeTest
    |- given the caller may not
    |  `- when the caller is a stranger         test_RevertWhen_TheCallerIsAStranger
    |     `- it should revert with MissingRole.
    `- given the batch is revoked               test_GivenTheBatchIsRevoked
       `- it should change the bits.
"""

import re
from pathlib import Path

import pytest

from ledger.chain.artifact import load_artifact

TESTS = Path(__file__).parents[2] / "contracts" / "test"
TREES = TESTS / "trees"

WITHOUT_TREE = {"MerklePath", "Gas", "Storage", "AccreditationFuzz", "StatusFuzz"}
"""Contracts of tests that are about no single function."""

_BRANCH = re.compile(r"(?P<indent>(?:│   |    )*)(?:├|└)── (?P<words>.+)")
_CONTRACT = re.compile(
    r"^(?P<abstract>abstract )?contract (?P<name>\w+)(?: is (?P<bases>[\w, ]+))? \{$", re.MULTILINE
)
_TEST = re.compile(r"^    function (test_\w+)\(", re.MULTILINE)


def external_functions() -> set[str]:
    """Every function that anybody can call, and the fallback."""
    kinds = {"function", "fallback"}
    return {e.get("name", e["type"]) for e in load_artifact().abi if e["type"] in kinds}


def forge_name(condition: str, outcome: str) -> str:
    kind, _, rest = condition.partition(" ")
    title = "".join(word[0].upper() + word[1:] for word in rest.split())
    prefix = f"Revert{kind.capitalize()}_" if outcome.startswith("it should revert") else ""
    return f"test_{prefix or kind.capitalize()}{title}"


def leaves_of(tree: str) -> tuple[str, list[str]]:
    """Return what a tree is named, and the names of the tests that it asks for."""
    head, *lines = tree.splitlines()
    above: list[str] = []
    names: list[str] = []
    for line in lines:
        branch = _BRANCH.fullmatch(line)
        assert branch, f"{head}: not a branch: {line!r}"
        depth, words = len(branch["indent"]) // 4, branch["words"]
        above[depth:] = [words]
        if words.startswith("it should "):
            assert words.endswith("."), f"{head}: no full stop: {words!r}"
            name = forge_name(above[depth - 1], words)
            # A condition may have several outcomes; they are one test.
            if not names or names[-1] != name:
                names.append(name)
        else:
            assert words.startswith(("when ", "given ")), f"{head}: no condition: {words!r}"
    return head, names


def forge_tests() -> dict[str, set[str]]:
    """Return the tests of every contract that forge runs, inherited ones included."""
    own: dict[str, set[str]] = {}
    bases: dict[str, list[str]] = {}
    concrete = []
    for path in sorted(TESTS.glob("*.t.sol")):
        text = path.read_text("utf-8")
        found = list(_CONTRACT.finditer(text))
        assert found, f"{path.name} holds no contract that can be read"
        for contract, following in zip(found, [*found[1:], None], strict=True):
            body = text[contract.end() : following.start() if following else len(text)]
            own[contract["name"]] = set(_TEST.findall(body))
            bases[contract["name"]] = (contract["bases"] or "").split(", ")
            if not contract["abstract"]:
                concrete.append(contract["name"])

    def inherited(name: str) -> set[str]:
        above = (inherited(base) for base in bases.get(name, []))
        return own.get(name, set()).union(*above)

    return {name: inherited(name) for name in concrete if inherited(name)}


def function_of(contract: str) -> str:
    """Return what `contract` tests: its name without Test, beginning small."""
    name = contract.removesuffix("Test")
    return name[0].lower() + name[1:]


def test_every_external_function_has_a_tree_and_no_other_has() -> None:
    assert {path.stem for path in TREES.glob("*.tree")} == external_functions()


def test_every_external_function_has_its_contract_of_tests() -> None:
    found = {c for c in forge_tests() if c.removesuffix("Test") not in WITHOUT_TREE}
    assert {function_of(contract) for contract in found} == external_functions()


@pytest.mark.parametrize("function", sorted(external_functions()))
def test_every_leaf_is_a_test_and_every_test_a_leaf(function: str) -> None:
    head, leaves = leaves_of((TREES / f"{function}.tree").read_text("utf-8"))
    assert head == function
    assert sorted(leaves) == sorted(set(leaves))
    assert set(leaves) == forge_tests()[f"{function[0].upper()}{function[1:]}Test"]


@pytest.mark.parametrize("function", sorted(external_functions()))
def test_every_condition_leads_to_an_outcome(function: str) -> None:
    lines = (TREES / f"{function}.tree").read_text("utf-8").splitlines()[1:]
    depths = [len(_BRANCH.fullmatch(line)["indent"]) for line in lines]  # type: ignore[index]
    for line, depth, following in zip(lines, depths, [*depths[1:], 0], strict=True):
        assert ("it should " in line) != (following > depth), line

"""Bad input through the installed command: one line, its code, and never a crash."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.verification.policy import format_policy
from tests.unit.chain_rpc_node import running_node
from tests.unit.proof_file_inputs import DETACHED, DOCUMENT, INPUTS, WORLD, Input
from tests.unit.verification_world import POLICY, encode, serve

from .conftest import Run

LONGER_THAN_ANY_CHAIN_STOOD_STILL = 40_000 * 86_400


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a trust policy whose one endpoint is a node on this machine."""
    with running_node() as node:
        serve(node, WORLD)
        registries = (replace(POLICY.registries[0], rpc=(node.url,)),)
        trusted = replace(
            POLICY,
            registries=registries,
            max_state_age_seconds=LONGER_THAN_ANY_CHAIN_STOOD_STILL,
        )
        file = tmp_path_factory.mktemp("policy") / "trust.toml"
        file.write_text(format_policy(trusted))
        yield file


def verify(
    ledger: Run, folder: Path, policy: Path, data: bytes, document: bytes | None
) -> tuple[int, str, str]:
    """Return exit code, output and errors of `ledger verify`."""
    file = folder / "badge.json"
    file.write_bytes(data)
    arguments: list[object] = ["verify", file, "--policy", policy, "--json"]
    if document is not None:
        beside = folder / "document"
        beside.write_bytes(document)
        arguments += ["--document", beside]
    done = ledger(*arguments, cwd=folder)
    return done.returncode, done.stdout, done.stderr


def test_what_the_inputs_are_made_from_is_valid(ledger: Run, tmp_path: Path, policy: Path) -> None:
    for data, document in ((WORLD.embedded, None), (encode(DETACHED), DOCUMENT)):
        code, output, errors = verify(ledger, tmp_path, policy, data, document)
        assert (code, errors) == (0, "")
        assert json.loads(output)["verdict"] == "valid"


ONE_OF_EACH = list({given.outcome: given for given in INPUTS}.values())
"""A process for each costs more than all the rest; the library is asked about every one."""


@pytest.mark.parametrize("given", ONE_OF_EACH, ids=lambda given: given.name)
def test_each_input_comes_to_what_it_must(
    ledger: Run, tmp_path: Path, policy: Path, given: Input
) -> None:
    code, output, errors = verify(ledger, tmp_path, policy, given.data, given.document)
    assert code == given.exit_code, errors
    kind, reason = given.outcome
    if kind == "refused":
        assert output == ""
        assert errors.startswith("ledger: ")
        assert errors.endswith(f"[{reason}]\n")
        assert errors.count("\n") == 1
    else:
        assert errors == ""
        reasons = {check["code"]: check["reason"] for check in json.loads(output)["checks"]}
        assert reasons[kind] == reason

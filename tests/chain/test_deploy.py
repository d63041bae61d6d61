"""One address and one code hash, whoever deploys: the command, the forge script, forge's build."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from ledger.chain import devchain
from ledger.chain.artifact import (
    DEPLOYER,
    SALT,
    code_hash,
    deployment_calldata,
    load_artifact,
    registry_address,
)
from ledger.chain.devchain import DevChain, fund
from ledger.chain.keystore import KeyName
from ledger.chain.rpc import JsonRpc, Rpc
from ledger.cli.installation import Installation
from ledger.cli.setup import create_installation, deploy_registry, migrate_database
from ledger.config import change_settings
from ledger.errors import ConflictError
from ledger.primitives import Hash32, format_address, keccak256, sha256

from .conftest import Chain

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guide" / "deploy.md"
REGISTRY = format_address(registry_address())
EMPTY = "0x"


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[str]:
    """The URL of a chain without the registry; Anvil brings the deterministic deployer."""
    running = DevChain.start(tmp_path / "anvil", port=devchain.free_port())
    yield running.url
    running.stop()


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation to copy."""
    folder = tmp_path_factory.mktemp("pattern")
    password = folder / "password"
    password.write_text("correct horse\n")
    home = folder / "home"
    nowhere = ["http://127.0.0.1:9"]
    create_installation(
        home, rpc=nowhere, chain=devchain.CHAIN, password_file=password, light_keys=True
    )
    migrate_database(home)
    return home


@pytest.fixture
def installation(pattern: Path, tmp_path: Path, bare: str) -> Iterator[Installation]:
    home = tmp_path / "home"
    shutil.copytree(pattern, home)
    change_settings(home, rpc=[bare])
    opened = Installation.open(home)
    fund(bare, [opened.keystore.address(KeyName.OWNER)])
    yield opened
    opened.close()


def state_of(rpc: JsonRpc) -> tuple[str, str, str]:
    """The code hash and nonce at the registry's address, and how often the deployer created."""
    ours = rpc.call("eth_getProof", [REGISTRY, [], "latest"])
    deployer = rpc.call("eth_getProof", [format_address(DEPLOYER), [], "latest"])
    return ours["codeHash"], ours["nonce"], deployer["nonce"]


def forge_script(url: str, folder: Path) -> dict[str, Any]:
    """Run the script as the guide says; return what it says of itself."""
    forge = shutil.which("forge") or shutil.which("forge", path=str(ROOT / "node_modules" / ".bin"))
    assert forge is not None
    key = sha256(b"the key of one who deploys with forge")
    with Rpc(url) as rpc:
        rpc.call("anvil_setBalance", [Account.from_key(key).address, hex(10**18)])
    ended = subprocess.run(
        [
            *(forge, "script", "contracts/script/Deploy.s.sol", "--json", "--rpc-url", url),
            *("--broadcast", "--private-key", "0x" + key.hex()),
        ],
        cwd=ROOT,
        env=os.environ | {"FOUNDRY_BROADCAST": str(folder)},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    lines = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
    returned = next(line["returns"] for line in lines if "returns" in line)
    return {name: entry["value"] for name, entry in returned.items()}


def test_deploying_twice_says_so_and_changes_nothing(installation: Installation) -> None:
    assert deploy_registry(installation)
    before = state_of(installation.rpc)
    owner = format_address(installation.keystore.address(KeyName.OWNER))
    sent = installation.rpc.call("eth_getTransactionCount", [owner, "pending"])
    assert before[0] == "0x" + code_hash().hex()
    assert not deploy_registry(installation)
    assert state_of(installation.rpc) == before
    assert installation.rpc.call("eth_getTransactionCount", [owner, "pending"]) == sent == "0x1"


def test_the_forge_script_and_the_command_agree(
    bare: str, installation: Installation, tmp_path: Path
) -> None:
    expected = {"registry": REGISTRY, "codeHash": "0x" + code_hash().hex()}
    first = forge_script(bare, tmp_path / "first")
    assert first == expected | {"deployed": "true"}
    before = state_of(installation.rpc)
    assert before[0] == expected["codeHash"]
    assert not deploy_registry(installation)
    assert forge_script(bare, tmp_path / "second") == expected | {"deployed": "false"}
    assert state_of(installation.rpc) == before
    assert_what_forge_built_is_the_artifact()


def assert_what_forge_built_is_the_artifact() -> None:
    built = json.loads((ROOT / "out/CredentialRegistry.sol/CredentialRegistry.json").read_text())
    creation = bytes.fromhex(built["bytecode"]["object"][2:])
    assert creation == load_artifact().creation_code
    assert bytes.fromhex(built["deployedBytecode"]["object"][2:]) == load_artifact().runtime_code
    address = keccak256(b"\xff" + DEPLOYER + SALT + keccak256(creation))[12:]
    assert format_address(address) == REGISTRY


def test_the_deployer_itself_answers_with_the_address(bare: str) -> None:
    with Rpc(bare) as rpc:
        call = {"to": format_address(DEPLOYER), "data": "0x" + deployment_calldata().hex()}
        assert rpc.call("eth_call", [call, "latest"]) == REGISTRY.lower()


def test_other_code_at_the_address_is_told(installation: Installation) -> None:
    installation.rpc.call("anvil_setCode", [REGISTRY, "0x00"])
    with pytest.raises(ConflictError, match="other code") as caught:
        deploy_registry(installation)
    assert caught.value.code == "other-code"


def test_a_chain_without_the_deployer_gets_it_as_the_guide_says(
    installation: Installation,
) -> None:
    rpc, deployer = installation.rpc, format_address(DEPLOYER)
    usual = rpc.call("eth_getCode", [deployer, "latest"])
    rpc.batch([("anvil_setCode", [deployer, EMPTY]), ("anvil_setNonce", [deployer, "0x0"])])
    with pytest.raises(ConflictError, match=r"docs/guide/deploy\.md") as caught:
        deploy_registry(installation)
    assert caught.value.code == "no-deployer"
    (raw,) = (word for word in GUIDE.read_text("utf-8").split() if word.startswith("0xf8a5"))
    signer = Account.recover_transaction(raw)
    assert signer in GUIDE.read_text("utf-8")
    # Enough for its 100,000 gas at 100 gwei, and no more, as the guide says.
    rpc.call("anvil_setBalance", [signer, hex(10**16)])
    rpc.call("anvil_setNonce", [signer, "0x0"])
    rpc.call("eth_sendRawTransaction", [raw])
    rpc.call("anvil_mine", ["0x1"])
    assert rpc.call("eth_getCode", [deployer, "latest"]) == usual
    assert deploy_registry(installation)


def test_the_deployed_code_is_the_one_that_the_policy_pins(chain: Chain, pattern: Path) -> None:
    (line,) = (
        line
        for line in (pattern / "policy.toml").read_text("utf-8").splitlines()
        if line.startswith("code_hash")
    )
    code = bytes(chain.web3.eth.get_code(chain.contract.address))
    assert Hash32(keccak256(code)).hex() in line


def test_the_guide_has_the_figures_of_this_release(bare: str) -> None:
    text = GUIDE.read_text("utf-8")
    for figure in (REGISTRY, code_hash().hex(), format_address(DEPLOYER)):
        assert f"`{figure}`" in text
    assert sha256(b"ledger CredentialRegistry 1") == SALT
    call = {"to": format_address(DEPLOYER), "data": "0x" + deployment_calldata().hex()}
    with Rpc(bare) as rpc:
        gas = int(rpc.call("eth_estimateGas", [call]), 16)
    assert f"| Cost | about {round(gas, -5):,} gas" in text

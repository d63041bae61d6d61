"""A badge with its state, on a machine without a network."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.chain.rpc import Rpc

from .conftest import Demo, Run, command_path, make_demo

pytestmark = pytest.mark.xdist_group("demo-offline")

NO_NETWORK = """
import os, socket, sys

def refuse(*_arguments, **_named):
    with open(os.environ["NETWORK_LOG"], "a") as log:
        log.write("asked for the network\\n")
    raise OSError("there is no network here")

socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = refuse
socket.create_connection = socket.getaddrinfo = socket.gethostbyname = refuse
"""
"""Read by Python before anything else: every way out is closed, and every try is noted."""

Cut = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("offline")
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(NO_NETWORK)
    return folder


@pytest.fixture(scope="module")
def network_log(folder: Path) -> Path:
    return folder / "network.log"


@pytest.fixture(scope="module")
def cut(folder: Path, network_log: Path) -> Cut:
    """Runs the installed command without a network."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LEDGER_")}
    environment |= {"PYTHONPATH": str(folder / "site"), "NETWORK_LOG": str(network_log)}

    def run(*arguments: object) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(command_path()), *map(str, arguments)],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
        )

    return run


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A demo of its own: others change statuses, and what was kept before is then not given out."""
    return make_demo(tmp_path_factory.mktemp("demo") / "demo")


@pytest.fixture(scope="module")
def running(demo: Demo) -> Iterator[Demo]:
    with demo.chain():
        yield demo


@pytest.fixture(scope="module")
def kept(cut: Cut, demo: Demo, folder: Path, network_log: Path) -> tuple[Path, str]:
    """What is made of a good badge's kept state, as nobody answers."""
    found = proof_of(cut, demo, demo.badges[0], folder)
    assert network_log.exists(), "the chain was asked first"
    network_log.unlink()
    return found


def proof_of(run: Run | Cut, demo: Demo, badge: Path, tmp_path: Path) -> tuple[Path, str]:
    """Return the file that `ledger proof --state` makes, and the block that it names."""
    done = run("proof", badge.stem, "--state", "--home", demo.home)
    assert done.returncode == 0, done.stderr
    file = tmp_path / f"{badge.stem}.proof.json"
    file.write_text(done.stdout)
    return file, done.stderr.split()[-1]


def failed_checks(output: str) -> list[str]:
    return [c["code"] for c in json.loads(output)["checks"] if c["outcome"] == "failed"]


def test_a_badge_with_its_state_verifies_with_the_chain_stopped(
    kept: tuple[Path, str], cut: Cut, network_log: Path
) -> None:
    """What the service kept makes the proof, and the proof alone is verified."""
    file, block = kept
    done = cut("verify", file, "--offline", "--trust", block, "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert (report["verdict"], report["as_of"]["chain"]) == ("valid", "eip155:31337")
    assert not network_log.exists(), "nobody is asked"


def test_a_revoked_badge_does_not(demo: Demo, cut: Cut, network_log: Path, tmp_path: Path) -> None:
    """The demo revoked it after its state was kept: what is kept knows."""
    file, block = proof_of(cut, demo, demo.badges[1], tmp_path)
    network_log.unlink()
    done = cut("verify", file, "--offline", "--trust", block, "--json")
    assert done.returncode == 1
    assert failed_checks(done.stdout) == ["status"]


def test_a_fresh_proof_is_of_a_later_block(
    running: Demo, ledger: Run, cut: Cut, kept: tuple[Path, str], tmp_path: Path
) -> None:
    old, old_block = kept
    before = json.loads(old.read_text())
    with Rpc(running.manifest["rpc"]) as rpc:
        rpc.call("anvil_mine", ["0x3"])  # so that a later block is final
    new, new_block = proof_of(ledger, running, running.badges[0], tmp_path)
    fresh = json.loads(new.read_text())
    assert old_block != new_block
    assert {**before, "state": fresh["state"]} == fresh
    done = cut("verify", new, "--offline", "--trust", old_block, "--trust", new_block)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("change", "options", "code"),
    [
        ("none", ["--trust", "eip155:1=BLOCK"], 3),
        ("none", ["--trust", "eip155:31337=0x" + "11" * 32], 3),
        ("cut", ["--trust", "eip155:31337=BLOCK"], 3),
        ("drop", ["--trust", "eip155:31337=BLOCK"], 3),
        ("none", ["--trust", "eip155:31337=BLOCK", "--rpc", "http://127.0.0.1:1"], 2),
        ("none", ["--trust", "BLOCK"], 2),
        ("none", [], 2),
    ],
)
def test_what_cannot_be_told_offline_is_never_valid(
    kept: tuple[Path, str],
    cut: Cut,
    network_log: Path,
    tmp_path: Path,
    change: str,
    options: list[str],
    code: int,
) -> None:
    file, block = kept
    content = json.loads(file.read_text())
    if change == "cut":
        # The last ones may prove an accreditation, which nobody asks for here.
        del content["state"]["nodes"][0]
    if change == "drop":
        del content["state"]
    file = tmp_path / "changed.json"
    file.write_text(json.dumps(content))
    hash_ = block.partition("=")[2]
    options = [option.replace("BLOCK", hash_) for option in options]
    done = cut("verify", file, "--offline", *options)
    assert done.returncode == code, done.stdout + done.stderr
    assert not network_log.exists()


def test_trust_without_offline_is_refused(demo: Demo, cut: Cut) -> None:
    done = cut("verify", demo.badges[0], "--trust", "eip155:1=0x" + "11" * 32)
    assert (done.returncode, "[bad-trust]" in done.stderr) == (2, True)


def test_verifying_offline_loads_no_http_no_database_and_no_web3(
    kept: tuple[Path, str],
) -> None:
    file, block = kept
    code = (
        "import sys\n"
        "from ledger.cli.main import app\n"
        "try:\n"
        "    app(['verify', sys.argv[1], '--offline', '--trust', sys.argv[2]])\n"
        "except SystemExit as ended:\n"
        "    assert ended.code == 0, ended.code\n"
        "heavy = {'sqlalchemy', 'web3', 'eth_account', 'alembic', 'rich', 'httpx2', 'ssl'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(file), block], check=True, capture_output=True)

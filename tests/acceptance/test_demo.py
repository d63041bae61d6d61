"""The three journeys, told by `ledger demo` and then typed by hand."""

import hashlib
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from ledger.chain.devchain import free_port
from ledger.chain.registry import calls
from ledger.chain.rpc import Rpc, parse_quantity
from ledger.primitives import hash32

from .conftest import ROWS, Demo, Run

# One worker makes the demo and runs its chain for all of them.
pytestmark = pytest.mark.xdist_group("demo")


def test_the_demo_tells_the_whole_story(demo: Demo) -> None:
    for words in (
        "VALID",
        "INVALID",
        "UNKNOWN",
        "the issuer revoked it",
        "the proof is about this file",
        "an accreditor of the trust policy vouched",
        "was stolen before it did",
        "lead to every head on chain",
        "gas a badge",
        "lead to every head",
        "chain start",
    ):
        assert words in demo.output
    assert demo.manifest["ready"] is True
    assert len(demo.badges) == ROWS


def test_the_manifest_says_where_everything_is(demo: Demo) -> None:
    assert set(demo.manifest) == {
        "ready",
        "home",
        "rpc",
        "registry",
        "issuer",
        "policy",
        "badges",
        "database",
    }
    for name in ("home", "policy", "badges"):
        path = Path(demo.manifest[name])
        assert path.is_absolute()
        assert path.exists()


def test_nobody_else_can_read_the_installation(demo: Demo) -> None:
    for path in (demo.home, demo.home / "keystore", demo.folder / "password"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def test_a_demo_replaces_a_demo_and_nothing_else(ledger: Run, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    refused = ledger("demo", "--dir", mine)
    assert refused.returncode == 5
    assert (mine / "thesis.txt").read_text() == "years of work"


def test_verdicts_and_their_exit_codes(running: Demo, ledger: Run) -> None:
    """`ledger chain start` brings the chain back, and what the demo printed works."""
    good = ledger("verify", running.badges[0], "--home", running.home)
    assert (good.returncode, good.stderr) == (0, "")
    tampered = ledger("verify", running.folder / "scenes" / "tampered.json", "--home", running.home)
    assert tampered.returncode == 1
    laundered = ledger(
        "verify", running.folder / "scenes" / "laundered.json", "--home", running.home, "--json"
    )
    assert laundered.returncode == 1
    report = json.loads(laundered.stdout)
    assert [c["code"] for c in report["checks"] if c["outcome"] == "failed"] == ["issuer"]
    revoked = ledger("verify", running.badges[1], "--home", running.home, "--json")
    assert revoked.returncode == 1
    report = json.loads(revoked.stdout)
    assert [c["code"] for c in report["checks"] if c["outcome"] == "failed"] == ["status"]


def test_a_verifier_without_an_installation_needs_only_an_endpoint(
    running: Demo, ledger: Run, tmp_path: Path
) -> None:
    """The badge is signed by its issuer's did:key, and the signature covers the home."""
    done = ledger(
        "verify", running.badges[0], "--rpc", running.manifest["rpc"], "--json", cwd=tmp_path
    )
    report = json.loads(done.stdout)
    assert (done.returncode, report["verdict"]) == (0, "valid")
    assert next(c for c in report["checks"] if c["code"] == "issuer")["basis"] == "signed"


def test_a_chain_that_is_down_is_unknown(demo: Demo, ledger: Run) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    down = ledger("verify", demo.badges[0], "--home", demo.home, "--rpc", nobody, "--json")
    assert down.returncode == 3
    assert json.loads(down.stdout)["verdict"] == "unknown"


def test_revoking_by_hand_shows_at_once(running: Demo, ledger: Run) -> None:
    badge = running.badges[-1]
    assert ledger("verify", badge, "--home", running.home).returncode == 0
    done = ledger("revoke", badge.stem, "--reason", "superseded", "--home", running.home)
    assert done.returncode == 0, done.stderr
    assert ledger("verify", badge, "--home", running.home).returncode == 1
    again = ledger("revoke", badge.stem, "--home", running.home)
    assert (again.returncode, again.stdout) == (0, "Nothing to do: the chain says so already.\n")


def test_the_same_roster_issued_twice_issues_once(running: Demo, ledger: Run) -> None:
    again = ledger(
        "issue",
        running.folder / "learners.csv",
        "--template",
        running.folder / "template.toml",
        "--home",
        running.home,
        "--json",
    )
    assert json.loads(again.stdout) == {"issuer": 1, "issued": 0, "known": ROWS}
    nothing = ledger("anchor", "--home", running.home)
    assert "Nothing waits" in nothing.stdout


def test_a_proof_file_proves_what_the_badge_proves(
    running: Demo, ledger: Run, tmp_path: Path
) -> None:
    printed = ledger("proof", running.badges[0].stem, "--home", running.home)
    detached = tmp_path / "proof.json"
    detached.write_text(printed.stdout)
    assert ledger("verify", detached, "--home", running.home).returncode == 0


def test_deploying_again_changes_nothing(running: Demo, ledger: Run) -> None:
    assert "already" in ledger("deploy", "--home", running.home).stdout


def fold(badge: dict[str, Any]) -> str:
    """Fold a badge to its root with the standard library alone.

    Good for documents whose members are sorted by code point as by UTF-16, and whose numbers
    are integers: then `json.dumps` writes the RFC 8785 form.
    """
    proof = next(p for p in badge["proof"] if p["type"] == "LedgerAnchorProof")
    document = badge | {"proof": [p for p in badge["proof"] if p is not proof]}
    jcs = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    node = hashlib.sha256(b"\0" + hashlib.sha256(jcs.encode()).digest()).digest()
    index, last = proof["inclusion"]["index"], proof["anchor"]["size"] - 1
    path = [bytes.fromhex(sibling) for sibling in proof["inclusion"]["path"]]
    while last:
        if index & 1:
            node = hashlib.sha256(b"\1" + path.pop(0) + node).digest()
        elif index < last:
            node = hashlib.sha256(b"\1" + node + path.pop(0)).digest()
        index, last = index >> 1, last >> 1
    assert not path
    return node.hex()


def test_an_independent_fold_gives_the_root_that_the_chain_has(running: Demo) -> None:
    with Rpc(running.manifest["rpc"]) as rpc:
        for file in running.badges:
            badge = json.loads(file.read_text())
            proof = next(p for p in badge["proof"] if p["type"] == "LedgerAnchorProof")
            root = fold(badge)
            assert root == proof["anchor"]["root"]
            issuer = proof["anchor"]["issuer"].to_bytes(32, "big")
            data = calls.selector("anchorOf(uint256,bytes32)") + issuer + bytes.fromhex(root)
            call = {"to": running.manifest["registry"], "data": "0x" + data.hex()}
            answer = bytes.fromhex(rpc.call("eth_call", [call, "latest"])[2:])
            # Beside the badges, a file that is no badge.
            assert int.from_bytes(answer[64:96], "big") == ROWS + 1


def test_the_contract_agrees_with_every_badge(running: Demo) -> None:
    """`verify` on chain: Active (8) for good badges, Revoked (6) for the revoked one."""
    with Rpc(running.manifest["rpc"]) as rpc:
        standings = []
        for file in running.badges[:3]:
            proof = json.loads(file.read_text())["proof"][-1]
            data = calls.verify(
                proof["anchor"]["issuer"],
                hash32(proof["anchor"]["root"]),
                hash32(proof["digest"]["value"]),
                proof["inclusion"]["index"],
                [hash32(sibling) for sibling in proof["inclusion"]["path"]],
            )
            call = {"to": running.manifest["registry"], "data": "0x" + data.hex()}
            answer = rpc.call("eth_call", [call, "latest"])
            standings.append(parse_quantity(hex(int(answer, 16))))
    assert standings == [8, 6, 8]


def test_a_suspended_badge_is_good_again_when_reinstated(
    running: Demo, ledger: Run, tmp_path: Path
) -> None:
    badge = running.badges[2]
    ids = tmp_path / "ids.csv"
    ids.write_text(f"id,note\n{badge.stem},x\n")
    done = ledger("suspend", "--ids", ids, "--reason", "under-review", "--home", running.home)
    assert done.returncode == 0, done.stderr
    assert ledger("verify", badge, "--home", running.home).returncode == 1
    assert ledger("reinstate", badge.stem, "--home", running.home).returncode == 0
    assert ledger("verify", badge, "--home", running.home).returncode == 0


def test_an_id_that_is_not_there_changes_nothing(running: Demo, ledger: Run) -> None:
    done = ledger("revoke", running.badges[3].stem, "no-such-id", "--home", running.home)
    assert done.returncode == 4
    assert ledger("verify", running.badges[3], "--home", running.home).returncode == 0


def test_accrediting_and_taking_it_back(running: Demo, ledger: Run) -> None:
    """Issuer 2 is the stranger of the demo."""
    assert ledger("issuer", "accredit", 2, "--home", running.home).returncode == 0
    twice = ledger("issuer", "accredit", 2, "--home", running.home)
    assert (twice.returncode, "AlreadyAccredited" in twice.stderr) == (5, True)
    assert ledger("issuer", "unaccredit", 2, "--home", running.home).returncode == 0

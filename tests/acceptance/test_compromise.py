"""A stolen anchor key, with the installed command: report it, replace it, anchor again."""

import json
from pathlib import Path
from typing import Any

from .conftest import Run, make_demo


def test_holders_keep_their_files_when_the_anchor_key_was_stolen(
    tmp_path: Path, ledger: Run
) -> None:
    stricken = make_demo(tmp_path / "demo")  # what is done here cannot be undone
    home, badge = stricken.home, stricken.badges[0]

    def run(*arguments: object, code: int = 0) -> str:
        done = ledger(*arguments, "--home", home)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def status(*arguments: object) -> dict[str, Any]:
        described: dict[str, Any] = json.loads(run("status", *arguments, "--json"))
        return described

    def operators() -> dict[str, tuple[str | None, list[str], str | None]]:
        (issuer,) = json.loads(run("operator", "list", "--json"))["issuers"]
        assert issuer["complete"]
        return {
            one["address"]: (one["key"], one["roles"], one["compromised_since"])
            for one in issuer["operators"]
        }

    before = badge.read_bytes()
    with stricken.chain():
        (batch,) = status()["batches"]
        assert (batch["status"], batch["trusted"]) == ("final", True)
        assert batch["cost_wei"] > 0
        stolen, since = batch["operator"], batch["anchored"]
        before_it = operators()
        assert before_it[stolen] == ("anchor", ["anchor"], None)
        owner = run("operator", "list").splitlines()[1]
        assert ("owner" in owner, "own it" in owner) == (True, True)

        told = run("operator", "compromised", stolen, "--since", since)
        assert "1 batch must be anchored again" in told
        assert "ledger operator rotate anchor" in told
        assert run("operator", "compromised", stolen, "--since", since) == told
        assert "INVALID" in run("verify", badge, code=1)
        assert "`ledger anchor --again`" in run("status")
        assert status(badge.stem)["trusted"] is False
        assert "KeyCompromised" in run("anchor", "--again", code=5)

        assert "kept in" in run("operator", "rotate", "anchor")
        kept = home / "keystore" / f"anchor.{stolen.removeprefix('0x').lower()}.json"
        assert json.loads(kept.read_text())["address"].lower() in kept.name
        assert "insufficient-funds" in run("anchor", "--again", code=5)
        run("chain", "fund")
        assert "Batch 1 is final" in run("anchor", "--again")

        (again,) = status()["batches"]
        assert (again["status"], again["trusted"]) == ("final", True)
        assert again["operator"] != stolen
        after_it = operators()
        assert after_it[stolen] == (None, [], since)
        assert after_it[again["operator"]] == ("anchor", ["anchor"], None)
        assert f"compromised since {since}" in run("operator", "list")
        assert again["cost_wei"] > batch["cost_wei"]
        assert again["root"] == batch["root"]
        assert "VALID" in run("verify", badge)
        assert "Nothing waits" in run("anchor", "--again")
        assert "0 alarms cleared" in run("resume")
        assert "not-waiting" in run("cancel", 1, code=5)
        assert "no-credential" in run("status", "nobody", code=4)
    assert badge.read_bytes() == before

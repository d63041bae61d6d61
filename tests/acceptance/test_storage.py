"""Save, bring back and check an installation with the installed command."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from ledger.chain.devchain import free_port
from tests.postgres import PostgresServer

from .conftest import ROWS, Demo, Run, command_path, run_ledger

# One worker makes the demo and runs its chain for all of them.
pytestmark = pytest.mark.xdist_group("demo")


@pytest.fixture(scope="session")
def backup(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backups")
    done = run_ledger("backup", folder, "--home", demo.home, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["rows"]["credentials"] >= ROWS
    return Path(said["file"])


@pytest.fixture(scope="session")
def restored(backup: Path, running: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("restored") / "home"
    done = run_ledger("restore", backup, "--home", home, "--rpc", running.manifest["rpc"], "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "home": str(home),
        "adopted": [],
        "rebuilt": [],
        "lost": [],
    }
    return home


@pytest.fixture
def copy(restored: Path, tmp_path: Path) -> Path:
    """The demo's installation again, restored while its chain runs; nobody has it open."""
    return shutil.copytree(restored, tmp_path / "copy")


def test_what_the_demo_left_is_whole(running: Demo, ledger: Run) -> None:
    done = ledger("fsck", "--chain", "--home", running.home)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Everything is as it must be.\n"


def test_a_backup_is_for_its_owner_alone(backup: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600
    assert backup.name.startswith("ledger-")


def test_what_was_restored_is_whole_and_says_the_same(
    copy: Path, running: Demo, ledger: Run
) -> None:
    done = ledger("fsck", "--chain", "--home", copy, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["findings"] == []
    one, other = (
        json.loads(ledger("status", "--home", home, "--json").stdout)
        for home in (running.home, copy)
    )
    assert one == other
    badge = running.badges[0].stem
    assert (
        ledger("proof", badge, "--home", copy).stdout
        == ledger("proof", badge, "--home", running.home).stdout
    )


def flip_byte(home: Path, table: str, column: str, where: str) -> None:
    """Change one byte of one value in the database's file."""
    with sqlite3.connect(home / "ledger.db") as database:
        query = f"SELECT rowid, {column} FROM {table} WHERE {where}"  # noqa: S608
        ((row, value),) = database.execute(query).fetchall()
        changed = value + 1000 if isinstance(value, int) else bytes([value[0] ^ 1]) + value[1:]
        change = f"UPDATE {table} SET {column} = ? WHERE rowid = ?"  # noqa: S608
        database.execute(change, (changed, row))
    database.close()


@pytest.mark.parametrize(
    ("table", "column", "where", "code", "subject"),
    [
        ("credentials", "document", "batch_id = 1 AND leaf_index = 3", "digest", "credential "),
        ("credentials", "leaf_index", "batch_id = 1 AND leaf_index = 3", "leaf-index", "batch 1"),
        ("tiles", "hashes", "batch_id = 1 AND level = 0", "tile", "batch 1 tile 0/0"),
        ("batches", "root", "id = 1", "root", "batch 1"),
        ("batches", "size", "id = 1", "size", "batch 1"),
        ("attempts", "raw", "id = 1", "signed-bytes", "transaction 0x"),
    ],
)
def test_one_changed_byte_is_named(
    copy: Path, ledger: Run, table: str, column: str, where: str, code: str, subject: str
) -> None:
    flip_byte(copy, table, column, where)
    done = ledger("fsck", "--home", copy, "--json")
    assert done.returncode == 1
    (finding,) = json.loads(done.stdout)["findings"]
    assert finding["code"] == code
    assert finding["subject"].startswith(subject)


def test_a_chain_that_does_not_answer_is_unknown(copy: Path, ledger: Run) -> None:
    config = copy / "config.toml"
    lines = config.read_text().splitlines()
    dead = f'rpc = ["http://127.0.0.1:{free_port()}"]'
    config.write_text("\n".join(dead if line.startswith("rpc") else line for line in lines))
    done = ledger("fsck", "--chain", "--home", copy, "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["chain"] == "unknown"


def test_a_finding_is_one_line(copy: Path, ledger: Run) -> None:
    flip_byte(copy, "batches", "size", "id = 1")
    done = ledger("fsck", "--home", copy)
    assert (done.returncode, done.stdout.count("\n")) == (1, 1)
    assert done.stdout.startswith("batch 1: ")
    assert done.stdout.endswith(" [size]\n")


def test_backups_during_an_issue_hold_all_of_it_or_nothing(
    copy: Path, ledger: Run, running: Demo, tmp_path: Path
) -> None:
    rows = 1_000
    roster = tmp_path / "roster.csv"
    lines = [f"Learner {n},{n}@a.example,2026-09-20" for n in range(rows)]
    roster.write_text("\n".join(["name,email,awarded", *lines]) + "\n")
    template = tmp_path / "template.toml"
    template.write_bytes((files("ledger.credentials") / "examples" / "rgpd.toml").read_bytes())
    issuing = subprocess.Popen(
        [command_path(), "issue", roster, "--template", template, "--home", copy],
        stdout=subprocess.DEVNULL,
    )
    saved: list[Path] = []
    while issuing.poll() is None:
        saved.append(tmp_path / f"{len(saved)}.zip")
        done = ledger("backup", saved[-1], "--home", copy)
        assert done.returncode == 0, done.stderr
    assert issuing.returncode == 0
    saved.append(tmp_path / "last.zip")
    assert ledger("backup", saved[-1], "--home", copy).returncode == 0
    waiting = set()
    for path in (saved[0], saved[-2], saved[-1]):
        home = tmp_path / f"home-{path.stem}"
        assert ledger("restore", path, "--home", home).returncode == 0
        assert ledger("fsck", "--home", home).returncode == 0
        waiting.add(json.loads(ledger("status", "--home", home, "--json").stdout)["waiting"])
    before = json.loads(ledger("status", "--home", running.home, "--json").stdout)["waiting"]
    assert waiting == {before, before + rows}


def test_a_backup_that_is_killed_leaves_no_backup(copy: Path, tmp_path: Path, ledger: Run) -> None:
    target = tmp_path / "killed.zip"
    process = subprocess.Popen([command_path(), "backup", target, "--home", copy])
    part = tmp_path / "killed.zip.part"
    while not part.exists() and process.poll() is None:
        os.sched_yield()
    process.send_signal(signal.SIGKILL)
    process.wait()
    if not target.exists():
        again = ledger("backup", target, "--home", copy)
        assert again.returncode == 5
        assert str(part) in again.stderr
        part.unlink()
        assert ledger("backup", target, "--home", copy).returncode == 0


def test_a_restore_without_a_chain_is_finished_later(
    backup: Path, running: Demo, ledger: Run, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    dead = f"http://127.0.0.1:{free_port()}"
    done = ledger("restore", backup, "--home", home, "--rpc", dead)
    assert done.returncode == 3
    assert "ledger restore" in done.stderr
    assert done.stderr.count("\n") == 1
    config = home / "config.toml"
    config.write_text(config.read_text().replace(dead, running.manifest["rpc"]))
    alarms = json.loads(ledger("status", "--home", home, "--json").stdout)["alarms"]
    assert [(alarm["code"], alarm["stops_sending"]) for alarm in alarms] == [("restored", True)]
    refused = ledger("resume", "--home", home)
    assert (refused.returncode, refused.stderr.endswith("[restored]\n")) == (5, True)
    done = ledger("restore", "--home", home)
    assert done.returncode == 0, done.stderr
    assert ledger("restore", "--home", home).returncode == 5


def test_an_installation_moves_to_postgresql(
    backup: Path, running: Demo, ledger: Run, postgres: PostgresServer, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    roster = tmp_path / "roster.csv"
    roster.write_text("name,email,awarded\nZoé,zoe@a.example,2026-09-20\n")
    template = tmp_path / "template.toml"
    template.write_bytes((files("ledger.credentials") / "examples" / "rgpd.toml").read_bytes())
    rpc = running.manifest["rpc"]
    with postgres.database(empty=True) as url:
        done = ledger("restore", backup, "--home", home, "--rpc", rpc, "--database", url)
        assert (done.returncode, done.stderr) == (0, "")
        assert not (home / "ledger.db").exists()
        issued = ledger("issue", roster, "--template", template, "--home", home)
        assert issued.returncode == 0, issued.stderr
        assert ledger("seal", "--home", home).returncode == 0
        checked = ledger("fsck", "--chain", "--home", home)
        assert (checked.returncode, checked.stderr) == (0, "")
        batches = json.loads(ledger("status", "--home", home, "--json").stdout)["batches"]
        assert [batch["status"] for batch in batches][-1] == "sealed"
        shown = json.loads(ledger("config", "--home", home, "--json").stdout)["database"]
        assert shown.startswith("postgresql://")
        assert "ledger_test" not in shown


def test_restoring_over_something_is_refused(
    backup: Path, running: Demo, ledger: Run, tmp_path: Path
) -> None:
    done = ledger("restore", backup, "--home", running.home)
    assert done.returncode == 5
    assert "not empty" in done.stderr
    (tmp_path / "text").write_text("no backup")
    done = ledger("restore", tmp_path / "text", "--home", tmp_path / "new")
    assert done.returncode == 2
    assert not (tmp_path / "new").exists()


def test_a_database_is_named_without_its_password(ledger: Run, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("a long password\n")
    arguments = ["init", "--home", tmp_path / "home", "--password-file", password, "--database"]
    secret = "hunter2"
    for url, exit_code in (
        (f"postgresql://me:{secret}@127.0.0.1/x", 2),
        (f"postgresql://me@127.0.0.1/x?password={secret}", 2),
        (f"mysql://me@127.0.0.1/{secret}", 2),
        (f"postgresql://me@127.0.0.1:{free_port()}/x", 3),
    ):
        done = ledger(*arguments, url)
        assert done.returncode == exit_code, done.stderr
        assert secret not in done.stderr + done.stdout
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "home" / "config.toml").exists()

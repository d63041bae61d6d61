"""The command without a chain: help, errors, exit codes, what it loads."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Demo, Run, command_path

SOME_COMMANDS = [[], ["verify"], ["issuer", "register"]]
"""The reference of commands, compared elsewhere, has the help of all."""


@pytest.mark.parametrize("command", SOME_COMMANDS, ids=" ".join)
def test_a_command_explains_itself(ledger: Run, command: list[str]) -> None:
    done = ledger(*command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: ledger" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["verify", "no-such-file.json"], 2, "no-such-file.json"),
        (["verify", "."], 2, "directory"),
        (["digest", "/dev/zero"], 2, "64 MiB"),
        (["digest", "\x1b[2J\n\u202e"], 2, r"\x1b[2J"),
        (["template", "check", "no-such-file"], 2, "no-such-file"),
        (["template", "new", "nowhere/a.toml"], 5, "nowhere"),
        (["template", "new", "."], 5, "exists"),
        (["verify"], 2, "Missing argument"),
        (["no-such-command"], 2, "No such command"),
        (["status", "--home", "nowhere"], 4, "ledger init"),
        (["issue", "x.csv", "--template", "y.toml", "--home", "nowhere"], 4, "ledger init"),
        (["init", "--chain", "mainnet"], 2, "eip155:1"),
        (["init", "--rpc", "ftp://x", "--password-file", "p"], 2, "http"),
        (["init", "--password-file", "no-such-file"], 4, "no-such-file"),
        (["demo", "--rows", "1"], 2, "--rows"),
        (["demo", "--rows", "many"], 2, "--rows"),
        (["restore", "/dev/zero", "--home", "x"], 2, "stream"),
        (["serve", "--port", "65536"], 2, "--port"),
        (["demo", "--dir", "/proc/nowhere"], 5, "/proc/nowhere"),
    ],
)
def test_an_error_is_one_line_with_its_exit_code(
    ledger: Run, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    done = ledger(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert done.stderr.startswith("ledger: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


@pytest.mark.parametrize("arguments", ["verify {badge} --home {home}", "status --home {home}"])
@pytest.mark.xdist_group("demo")
def test_a_reader_that_leaves_is_told_no_verdict(demo: Demo, arguments: str) -> None:
    words = arguments.format(badge=demo.badges[0], home=demo.home).split()
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [command_path(), *words], check=False, stdout=writing, stderr=subprocess.PIPE
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_full_disk_is_told_as_such() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [command_path(), "--help"], check=False, stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 5
    assert done.stderr == b"ledger: No space left on device [system-refused]\n"


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-"])
def test_a_closed_stream_is_no_bug(closed: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    command = f"exec {command_path()} digest file {closed}"
    done = subprocess.run(["sh", "-c", command], check=False, cwd=tmp_path, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.xdist_group("demo")
def test_a_proof_is_utf_8_in_every_locale(demo: Demo) -> None:
    plain = {"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [command_path(), "proof", demo.badges[0].stem, "--home", demo.home],
        check=True,
        capture_output=True,
        env=plain | {"PYTHONCOERCECLOCALE": "0"},
    )
    assert "Université de Démonstration" in done.stdout.decode("utf-8")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[]", b'{"format": "ledger-proof/1"}', b"%PDF-1.7", b"[" * 100_000],
)
def test_what_is_no_badge_is_malformed_and_never_a_verdict(
    ledger: Run, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    done = ledger("verify", file)
    assert done.returncode == 2, done.stdout
    assert done.stderr.startswith("ledger: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.xdist_group("demo")
def test_verifying_loads_neither_sqlalchemy_nor_web3(demo: Demo) -> None:
    code = (
        "import sys\n"
        "from ledger.cli.main import app\n"
        "try:\n"
        "    app(['verify', sys.argv[1], '--home', sys.argv[2]])\n"
        "except SystemExit as ended:\n"
        "    assert ended.code in (0, 3), ended.code\n"
        "heavy = {'sqlalchemy', 'web3', 'eth_account', 'alembic', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(demo.badges[0]), str(demo.home)],
        check=True,
        capture_output=True,
    )


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "import ledger.cli.main\n"
        "heavy = {'sqlalchemy', 'web3', 'httpx2', 'cryptography', 'orjson', 'rfc8785', 'Crypto',\n"
        "         'rich', 'jsonschema', 'coincurve'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_a_digest_needs_no_installation(ledger: Run, tmp_path: Path) -> None:
    file = tmp_path / "diploma.pdf"
    file.write_bytes(b"%PDF")
    done = ledger("digest", file, "--json", cwd=tmp_path)
    assert json.loads(done.stdout) == {
        "algorithm": "sha-256",
        "canonicalization": "none",
        "value": hashlib.sha256(b"%PDF").hexdigest(),
    }


def test_settings_show_no_secret(ledger: Run, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("a long password\n")
    home = tmp_path / "home"
    done = ledger(
        "init",
        "--home",
        home,
        "--rpc",
        "https://user:hunter2@rpc.example/v3/k3y?key=k3y",
        "--password-file",
        password,
    )
    assert done.returncode == 0, done.stderr
    shown = ledger("config", "--home", home)
    assert "rpc.example" in shown.stdout
    for secret in ("hunter2", "k3y"):
        assert secret not in shown.stdout + done.stdout
    again = ledger("init", "--home", home)
    assert again.returncode == 0, again.stderr


def test_a_wrong_password_is_denied_and_says_nothing_more(ledger: Run, tmp_path: Path) -> None:
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text("the right password\n")
    wrong.write_text("the wrong password\n")
    home = tmp_path / "home"
    assert ledger("init", "--home", home, "--password-file", right).returncode == 0
    done = ledger("issuer", "register", "--name", "X", "--home", home, "--password-file", wrong)
    assert done.returncode == 6
    assert "wrong password" not in done.stderr

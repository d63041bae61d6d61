"""The auditor's journey with the installed command, on what the demo left."""

import json
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from .conftest import Demo, Run, command_path

# One worker makes the demo and runs its chain for all of them.
pytestmark = pytest.mark.xdist_group("demo")


def copied(demo: Demo, path: Path, statement: str = "") -> Path:
    """Copy the demo's database, and spoil the copy."""
    with (
        closing(sqlite3.connect(demo.home / "ledger.db")) as source,
        closing(sqlite3.connect(path)) as copy,
    ):
        source.backup(copy)
        if statement:
            copy.executescript(statement)
            copy.commit()
    return path


def test_nothing_is_found_in_a_sound_history(running: Demo, ledger: Run) -> None:
    done = ledger("audit", "--home", running.home, "--proofs", running.badges[0].parent, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert report["proved"]
    assert report["findings"] == []
    assert report["database"]["batches"] >= 1
    assert report["proofs"]["files"] == len(running.badges)
    assert [issuer["number"] for issuer in report["issuers"]][:2] == [1, 2]


def test_an_endpoint_alone_is_enough(running: Demo, ledger: Run) -> None:
    done = ledger("audit", "--rpc", running.manifest["rpc"])
    assert (done.returncode, done.stderr) == (0, "")
    assert "The history is complete" in done.stdout


SPOILS = {
    "anchor-unknown": "PRAGMA foreign_keys = OFF; DELETE FROM batches;",
    "leaves-differ": "UPDATE credentials SET digest = zeroblob(32) WHERE leaf_index = 3;",
    "status-unknown": "DELETE FROM status_changes;",
    "change-unknown": "UPDATE attempts SET hash = zeroblob(32) WHERE transaction_id = "
    "(SELECT id FROM transactions WHERE purpose = 'register');",
    "issuer-differs": "UPDATE issuers SET did = 'did:example:other';",
}


@pytest.mark.parametrize("code", SPOILS)
def test_books_that_differ_are_findings(
    running: Demo, ledger: Run, tmp_path: Path, code: str
) -> None:
    books = copied(running, tmp_path / "books.db", SPOILS[code])
    done = ledger("audit", "--rpc", running.manifest["rpc"], "--database", books, "--json")
    assert done.returncode == 1
    assert code in {finding["code"] for finding in json.loads(done.stdout)["findings"]}


def test_a_published_summary_says_what_was_found(
    running: Demo, ledger: Run, tmp_path: Path
) -> None:
    books = copied(running, tmp_path / "books.db", "DELETE FROM status_changes;")
    ask = ("audit", "--rpc", running.manifest["rpc"])
    told = json.loads(ledger(*ask, "--database", books, "--publish", "--json").stdout)
    with closing(sqlite3.connect(books)) as opened:
        kept = dict(opened.execute("SELECT issuer, summary FROM audits").fetchall())
    summary = json.loads(kept[running.manifest["issuer"]])
    assert (summary["block"], summary["proved"]) == (told["block"]["number"], True)
    assert [one["code"] for one in summary["findings"]] == ["status-unknown"]
    (ours,) = (i for i in told["issuers"] if i["number"] == running.manifest["issuer"])
    assert summary.items() >= {name: ours[name] for name in ("head", "events", "anchors")}.items()


def test_a_report_is_the_same_bytes_for_the_same_block(
    running: Demo, ledger: Run, tmp_path: Path
) -> None:
    rpc = running.manifest["rpc"]
    books = copied(running, tmp_path / "books.db")
    ask = ("audit", "--rpc", rpc, "--database", books, "--json")
    block = json.loads(ledger(*ask).stdout)["block"]["number"]
    for name in ("one", "two"):
        done = ledger(*ask, "--block", block, "--report", tmp_path / name)
        assert done.returncode == 0, done.stderr
    for name in ("report.json", "report.html"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == [
        "report.html",
        "report.json",
    ]


def test_a_recording_is_exported_and_audited(running: Demo, ledger: Run, tmp_path: Path) -> None:
    rpc = running.manifest["rpc"]
    logs = tmp_path / "logs.jsonl"
    exported = ledger("audit", "export", logs, "--rpc", rpc)
    assert (exported.returncode, exported.stderr) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["logs.jsonl"]
    assert ledger("audit", "--logs", logs, "--rpc", rpc).returncode == 0
    lines = logs.read_text().splitlines(keepends=True)
    fourth = [line for line in lines if '"topics"' in line][3]
    logs.write_text("".join(line for line in lines if line != fourth))
    shortened = ledger("audit", "--logs", logs, "--rpc", rpc)
    assert shortened.returncode == 1
    assert "event-" in shortened.stdout
    logs.write_text("my thesis\n")
    refused = ledger("audit", "--logs", logs, "--rpc", rpc)
    assert refused.returncode == 2
    assert "[bad-recording]" in refused.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--rpc", "http://127.0.0.1:9"), 3, "rpc-unreachable"),
        ((), 2, "usage"),
        (("--rpc", "http://127.0.0.1:9", "--logs", "a", "--cursor", "b"), 2, "usage"),
        (("--rpc", "http://127.0.0.1:9", "--logs", "a", "--watch"), 2, "usage"),
        (("--rpc", "http://127.0.0.1:9", "--webhook", "https://example.org"), 2, "usage"),
        (
            ("--rpc", "http://127.0.0.1:9", "--watch", "--webhook", "http://example.org"),
            2,
            "bad-webhook",
        ),
        (("--rpc", "http://127.0.0.1:9", "--registry", "0x1"), 2, "not-an-address"),
        (("--rpc", "http://127.0.0.1:9", "--chain", "1"), 2, "not-a-chain"),
        (("--rpc", "http://127.0.0.1:9", "--database", "/no/such"), 2, "no-file"),
        (("--home", "/no/such"), 4, "no-installation"),
    ],
)
def test_what_cannot_be_audited_is_one_line(
    ledger: Run, words: tuple[str, ...], code: int, said: str
) -> None:
    done = ledger("audit", *words)
    assert done.returncode == code
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"[{said}]" in done.stderr


def test_a_file_that_is_no_database_is_one_line(running: Demo, ledger: Run, tmp_path: Path) -> None:
    (tmp_path / "books.db").write_text("my thesis " * 1_000)
    done = ledger("audit", "--rpc", running.manifest["rpc"], "--database", tmp_path / "books.db")
    assert done.returncode not in {0, 1, 70}
    assert done.stderr.count("\n") == 1


@contextmanager
def webhook() -> Iterator[tuple[str, list[Any]]]:
    """Give the URL of a web hook, and what it was told."""
    heard: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/alarm", heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_first_finding_ends_the_watch_and_raises_the_alarm(
    running: Demo, tmp_path: Path
) -> None:
    books = copied(running, tmp_path / "books.db")
    with webhook() as (url, heard):
        watching = subprocess.Popen(
            [
                *(str(command_path()), "audit", "--rpc", running.manifest["rpc"], "--watch"),
                *("--database", str(books), "--every", "1", "--webhook", url, "--json"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert watching.stderr is not None
        try:
            assert "nothing found" in watching.stderr.readline()
            with closing(sqlite3.connect(books)) as spoiled:
                spoiled.executescript(SPOILS["anchor-unknown"])
            printed, _ = watching.communicate(timeout=60)
        finally:
            watching.kill()
            watching.wait()
    assert watching.returncode == 1
    (alarm,) = heard
    assert alarm["format"] == "ledger-alarm/1"
    assert alarm["findings"] == json.loads(printed)["findings"]
    assert alarm["findings"][0]["code"] == "anchor-unknown"

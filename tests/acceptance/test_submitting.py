"""Credentials, files and digests made elsewhere, from the command line to a verdict."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from .conftest import Demo, Run

pytestmark = pytest.mark.xdist_group("demo")

PDF = b"%PDF-1.7 diploma"


def made_elsewhere(demo: Demo, **changes: Any) -> dict[str, Any]:
    """An unsigned credential of the demo's issuer, as another program makes them."""
    issuer = json.loads(demo.badges[0].read_text("utf-8"))["issuer"]
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": issuer,
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:zoé"},
        **changes,
    }


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    return path


def test_what_is_submitted_is_anchored_given_back_and_verified(
    running: Demo, ledger: Run, tmp_path: Path
) -> None:
    credential = write(tmp_path / "credential.json", made_elsewhere(running))
    lone = write(tmp_path / "lone.json", made_elsewhere(running, proof={"type": "Other"}))
    pdf = tmp_path / "diploma.pdf"
    pdf.write_bytes(PDF)
    listed = tmp_path / "digests.txt"
    listed.write_text(f"{hashlib.sha256(b'elsewhere').hexdigest()}\n")
    home = ["--home", running.home]

    done = ledger("submit", credential, lone, pdf, *home)
    assert done.returncode == 0, done.stderr
    ids, files = zip(*(line.split("  ") for line in done.stdout.splitlines()), strict=True)
    assert files == (str(credential), str(lone), str(pdf))
    assert done.stderr.startswith("Accepted 3; 0 had been accepted before.\n")
    more = ledger("submit", "--digests", listed, "--canonicalization", "none", "--json", *home)
    (digest_id,) = json.loads(more.stdout)["ids"]

    given = tmp_path / "given"
    anchored = ledger("anchor", "--badges", given, *home)
    assert anchored.returncode == 0, anchored.stderr
    badge, lone_proof, file_proof = (
        given / f"{ids[0]}.json",
        given / f"{ids[1]}.proof.json",
        given / f"{ids[2]}.proof.json",
    )
    assert (given / f"{digest_id}.proof.json").exists()
    assert ledger("verify", badge, *home).returncode == 0
    assert ledger("verify", lone_proof, *home).returncode == 0
    assert ledger("verify", file_proof, "--document", pdf, *home).returncode == 0
    pdf.write_bytes(PDF + b"!")
    assert ledger("verify", file_proof, "--document", pdf, *home).returncode == 1

    # Each of them is known now, the badge with its new proof inside too.
    pdf.write_bytes(PDF)
    again = ledger("submit", badge, lone, pdf, "--json", *home)
    assert json.loads(again.stdout) == {"issuer": 1, "accepted": 0, "known": 3, "ids": list(ids)}


def test_a_badge_issued_here_keeps_its_id(demo: Demo, ledger: Run) -> None:
    done = ledger("submit", demo.badges[0], "--json", "--home", demo.home)
    assert json.loads(done.stdout)["ids"] == [demo.badges[0].stem]


def test_every_bad_file_is_named_and_nothing_is_accepted(
    demo: Demo, ledger: Run, tmp_path: Path
) -> None:
    good = tmp_path / "good.pdf"
    good.write_bytes(b"never accepted")
    files = {
        "other-issuer": write(tmp_path / "a.json", made_elsewhere(demo, issuer="did:example:x")),
        "no-issuer-id": write(tmp_path / "b.json", made_elsewhere(demo, issuer={})),
        "other-home": write(
            tmp_path / "c.json",
            made_elsewhere(
                demo,
                issuer={
                    "id": made_elsewhere(demo)["issuer"]["id"],
                    "otherIdentifier": [
                        {"identifierType": "ext:ledgerIssuer", "identifier": "eip155:1:0x:1"}
                    ],
                },
            ),
        ),
        "failed-signature": write(
            tmp_path / "d.json", json.loads(demo.badges[0].read_text("utf-8")) | {"name": "X"}
        ),
        "no-file": tmp_path / "\x1b[2J.json",
        "unreadable": tmp_path,
    }
    truncated = tmp_path / "e.json"
    truncated.write_bytes(demo.badges[0].read_bytes()[:-20])
    done = ledger("submit", good, *files.values(), truncated, "--home", demo.home)
    assert (done.returncode, done.stdout) == (2, "")
    first, *lines = done.stderr.splitlines()
    assert first == "ledger: the submission has 7 problems: [bad-submission]"
    for line, code in zip(lines, [*files, "not-json"], strict=True):
        assert line.endswith(f"[{code}]")
    status = json.loads(ledger("status", "--home", demo.home, "--json").stdout)
    assert status["waiting"] == 0


def test_every_bad_line_is_named_and_reported(demo: Demo, ledger: Run, tmp_path: Path) -> None:
    listed, report = tmp_path / "digests.txt", tmp_path / "report.csv"
    listed.write_text("".join(f"{n:064x}\n=1+{n}\n" for n in range(30)))
    options = ["--digests", listed, "--canonicalization", "rfc8785", "--report", report]
    done = ledger("submit", *options, "--home", demo.home)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("ledger: the list of digests has 30 problems: [bad-digests]\n")
    assert done.stderr.endswith("  and 10 more; --report FILE lists them all\n")
    assert len(report.read_text("utf-8-sig").splitlines()) == 31
    status = json.loads(ledger("status", "--home", demo.home, "--json").stdout)
    assert status["waiting"] == 0


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "which files?"),
        (["--canonicalization", "none"], "which files?"),
        (["x", "--canonicalization", "none"], "which files?"),
        (["--digests", "x"], "--canonicalization"),
        (["x", "--digests", "x", "--canonicalization", "none"], "no other files"),
        (["--digests", "x", "--canonicalization", "md5"], "canonicalization"),
        (["--digests", "no-such-file", "--canonicalization", "none"], "no-such-file"),
        (["--digests", ".", "--canonicalization", "none"], "directory"),
    ],
)
def test_words_that_do_not_go_together_are_refused(
    demo: Demo, ledger: Run, arguments: list[str], word: str
) -> None:
    done = ledger("submit", *arguments, "--home", demo.home)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert word in done.stderr


def test_a_name_that_is_no_text_is_kept_as_escapes(demo: Demo, ledger: Run, tmp_path: Path) -> None:
    """Linux allows any bytes in a name; a database and a terminal do not."""
    home = tmp_path / "home"
    shutil.copytree(demo.home, home)
    file = os.fsencode(tmp_path) + b"/caf\xe9\n\x1b[2J.pdf"
    with open(file, "wb") as opened:  # noqa: PTH123 - a name in bytes
        opened.write(b"x")
    done = ledger("submit", os.fsdecode(file), "--home", home)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("caf\\udce9\\n\\x1b[2J.pdf\n")

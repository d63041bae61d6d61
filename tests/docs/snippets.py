"""Run the shell snippets of a document as its reader would, one after the other.

Every `sh` block of a page is run, in one shell, in one folder. A `text` block that follows
one shows what it prints: each of its lines must be among the printed ones, in order, where
`…` stands for anything. What cannot be run here (a real chain, another computer) is written in
a `console` block.
"""

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ledger.chain.devchain import free_port

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 240
LANGUAGES = {"sh", "text", "console", "json", "toml", "csv", "python", "solidity", "javascript"}

PRELUDE = """
set -euo pipefail
# The demo has been made, and the tests are running.
make() { :; }
# A reader sees the chain answer before typing on.
start_chain() {
    mkfifo chain.pipe
    ledger chain start "$@" >chain.pipe &
    grep -q 'answers at' chain.pipe
    rm chain.pipe
}
"""

PORTS = ("8400", "8401", "8545")
"""Stand in the documents for ports, which are others in each run."""

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_START = re.compile(r"^(?:\S*/)?ledger chain start (.*)&$", re.MULTILINE)


@dataclass
class Snippet:
    """One `sh` block, and the lines of the `text` block right after it."""

    commands: str
    printed: list[str]


def languages_of(page: str) -> set[str]:
    return {language for language, _ in _FENCE.findall(page)}


def snippets_of(page: str) -> list[Snippet]:
    snippets: list[Snippet] = []
    last = ""
    for language, text in _FENCE.findall(page):
        if language == "sh":
            snippets.append(Snippet(text, []))
        elif language == "text" and last == "sh":
            snippets[-1].printed = text.splitlines()
        last = language
    return snippets


def script_of(snippets: list[Snippet], *, chain_is_up: bool) -> str:
    start = ":" if chain_is_up else r"start_chain \1"
    parts = [PRELUDE]
    for number, snippet in enumerate(snippets):
        parts += [f"echo '##{number}'", _START.sub(start, snippet.commands)]
    return "\n".join(parts)


def _with_free_ports(script: str) -> str:
    for port in PORTS:
        script = script.replace(port, str(free_port()))
    return script


def run_page(page: Path, folder: Path, *, chain_is_up: bool) -> None:
    """Run the snippets of `page` in `folder`; fail when one does, or prints something else."""
    snippets = snippets_of(page.read_text("utf-8"))
    assert snippets, f"{page} has no snippet"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LEDGER_")}
    installed = [Path(sys.prefix) / "bin", ROOT / "node_modules" / ".bin"]
    environment["PATH"] = ":".join([*map(str, installed), environment["PATH"]])
    (folder / ".venv").symlink_to(sys.prefix)
    script = script_of(snippets, chain_is_up=chain_is_up)
    said, complained = folder / "said", folder / "complained"
    with said.open("w") as output, complained.open("w") as errors:
        process = subprocess.Popen(
            ["bash", "-c", _with_free_ports(script)],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            # Not pipes: what the page left running would keep them open.
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
        try:
            code = process.wait(TIMEOUT_SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
    printed = said.read_text("utf-8")
    assert code == 0, f"{page}:\n{printed[-2000:]}\n{complained.read_text('utf-8')[-2000:]}"
    _check_printed(page, snippets, printed)


def _check_printed(page: Path, snippets: list[Snippet], output: str) -> None:
    outputs = re.split(r"^##\d+$", output, flags=re.MULTILINE)[1:]
    for snippet, said in zip(snippets, outputs, strict=True):
        lines = iter(said.splitlines())
        for expected in snippet.printed:
            pattern = ".*".join(re.escape(part) for part in expected.rstrip().split("…"))
            assert any(re.fullmatch(pattern, line.rstrip()) for line in lines), (
                f"{page} says that this is printed:\n{expected}\nand this was:\n{said}"
            )

"""The installed command, run as a user runs it, and one demo left by it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROWS = 12

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def run_ledger(*arguments: object, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LEDGER_")}
    return subprocess.run(
        [str(command_path()), *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=180,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
    )


def command_path() -> Path:
    return Path(sys.executable).parent / "ledger"


@pytest.fixture
def ledger() -> Run:
    return run_ledger


class Demo:
    """What `ledger demo` left, and its chain on demand."""

    def __init__(self, folder: Path, output: str) -> None:
        self.folder = folder
        self.output = output
        self.manifest: dict[str, Any] = json.loads((folder / "demo.json").read_text())
        self.home = Path(self.manifest["home"])
        self.badges = sorted(Path(self.manifest["badges"]).glob("*-*.json"))

    @contextmanager
    def chain(self) -> Iterator[None]:
        """Run `ledger chain start` as long as the block lasts, and end it as Ctrl-C does."""
        process = subprocess.Popen(
            [str(command_path()), "chain", "start", "--home", str(self.home)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            assert "answers at" in process.stdout.readline()
            yield
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
            process.stdout.close()


def make_demo(folder: Path) -> Demo:
    done = run_ledger("demo", "--dir", folder, "--rows", ROWS)
    assert done.returncode == 0, done.stderr
    return Demo(folder, done.stdout)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo of a group of tests. Making one takes 40 seconds, mostly waiting for blocks."""
    return make_demo(tmp_path_factory.mktemp("demo") / "demo")


@pytest.fixture(scope="session")
def running(demo: Demo) -> Iterator[Demo]:
    with demo.chain():
        yield demo

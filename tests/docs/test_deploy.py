"""What `deploy/` tells service managers to run is what the command can do."""

import json
import re
import shlex
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import typer

from ledger.cli.main import app
from ledger.cli.serving import GRACE_SECONDS
from ledger.config import ENVIRONMENT, Settings
from ledger.web.app import openapi_document
from ledger.web.bulk import MAX_BYTES
from ledger.web.limits import MAX_BODY_BYTES

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
TIMERS = sorted((DEPLOY / "systemd").glob("*.timer"))
INSTALLED = "/opt/ledger/bin/ledger"
GUIDE = (ROOT / "docs" / "guide" / "operator.md").read_text()

Unit = dict[str, list[str]]


def read_unit(path: Path) -> Unit:
    """Return what every key of a unit is set to, in order, as systemd reads it."""
    found: Unit = defaultdict(list)
    for line in path.read_text().splitlines():
        if line and not line.startswith(("#", "[")):
            name, _, value = line.partition("=")
            found[name].append(value)
    return found


def check_command(words: list[str]) -> None:
    """Return when `words` is a command of ours with options and arguments that it takes."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        if command.invoke_without_command and words[0].startswith("--"):
            break
        name, *words = words
        command = command.commands[name]
    command.make_context(command.name, words)


def variables_of(unit: Unit) -> dict[str, str]:
    return dict(one.split("=", 1) for one in unit["Environment"])


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_every_unit_starts_a_command_that_exists(path: Path) -> None:
    unit = read_unit(path)
    (line,) = unit["ExecStart"]
    program, *words = shlex.split(line)
    assert program == INSTALLED
    check_command(words)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_every_variable_of_a_unit_is_a_setting(path: Path) -> None:
    unit = read_unit(path)
    variables = variables_of(unit)
    assert set(variables) <= {"LEDGER_HOME", *ENVIRONMENT}
    credentials = {one.partition(":")[0] for one in unit["LoadCredential"]}
    used = {value.removeprefix("%d/") for value in variables.values() if value.startswith("%d/")}
    assert used == credentials


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_every_unit_may_write_its_folders_only(path: Path) -> None:
    unit = read_unit(path)
    assert (unit["ProtectSystem"], unit["NoNewPrivileges"]) == (["strict"], ["yes"])
    assert unit["User"] == ["ledger"]
    (states,) = unit["StateDirectory"]
    folders = {f"/var/lib/{name}" for name in states.split()}
    named = set(re.findall(r"/var/lib/[a-z-]+", path.read_text()))
    assert named == folders


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_every_file_that_a_unit_names_is_made_in_the_guide(path: Path) -> None:
    unit = read_unit(path)
    for name in [INSTALLED, *(one.partition(":")[2] for one in unit["LoadCredential"])]:
        assert name in GUIDE
    assert path.name.partition("@")[0].removesuffix(".service") in GUIDE


def test_every_timer_has_its_service() -> None:
    assert TIMERS
    for timer in TIMERS:
        assert timer.with_suffix(".service") in UNITS
        assert timer.name in GUIDE


def test_what_serves_has_longer_to_stop_than_its_answers() -> None:
    stopping = [read_unit(path)["TimeoutStopSec"] for path in UNITS if "@" in path.name]
    stopping.append(read_unit(DEPLOY / "systemd" / "ledger-api.service")["TimeoutStopSec"])
    assert all(int(seconds) > GRACE_SECONDS for (seconds,) in stopping)


def test_the_proxy_asks_the_port_of_the_unit_and_lets_through_what_the_service_takes() -> None:
    proxy = (DEPLOY / "nginx.conf").read_text()
    (line,) = read_unit(DEPLOY / "systemd" / "ledger-api.service")["ExecStart"]
    host, port = re.search(r"--host (\S+) --port (\d+)", line).groups()  # type: ignore[union-attr]
    assert f"server {host}:{port};" in proxy
    assert f'trusted_proxies = ["{host}"]' in proxy
    assert "trusted_proxies" in Settings.__dataclass_fields__
    plain, bulk = (int(size) for size in re.findall(r"client_max_body_size (\d+)m", proxy))
    assert plain * 2**20 == MAX_BODY_BYTES
    assert bulk * 2**20 >= MAX_BYTES
    assert re.findall(r"X-Forwarded-For (\S+);", proxy) == ["$remote_addr"]


def test_the_proxy_streams_what_the_service_streams() -> None:
    proxy = (DEPLOY / "nginx.conf").read_text()
    (pattern,) = re.findall(r'location ~ "(\S+)" \{\n\s+proxy_buffering off;', proxy)
    streams = {
        path
        for path, methods in openapi_document()["paths"].items()
        for operation in methods.values()
        if "text/event-stream" in operation["responses"].get("200", {}).get("content", {})
    }
    assert streams
    assert all(re.match(pattern, path.replace("{batch}", "12")) for path in streams)


def test_the_image_starts_what_exists_and_is_made_of_what_is_there() -> None:
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    orders = [line.split(maxsplit=1) for line in text.splitlines() if re.match("[A-Z]+ ", line)]
    by_name = defaultdict(list)
    for name, rest in orders:
        by_name[name].append(rest)
    assert json.loads(by_name["ENTRYPOINT"][-1]) == ["ledger"]
    words = json.loads(by_name["CMD"][-1])
    check_command(words)
    assert f":{words[-1]}/healthz" in by_name["HEALTHCHECK"][-1]
    assert by_name["EXPOSE"] == [words[-1]]
    copied = [rest.split()[:-1] for rest in by_name["COPY"] if not rest.startswith("--from")]
    assert all((ROOT / name).exists() for names in copied for name in names)
    assert by_name["USER"] == ["10001:10001"]
    assert set(re.findall(r"LEDGER_[A-Z_]+", text)) == {"LEDGER_HOME"}

"""The worker inside `ledger serve`: it ends with the service, and the service with it."""

import signal
import socket
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from ledger.cli import working
from ledger.cli.readiness import tell_ready
from ledger.cli.serving import configured, working_beside
from ledger.errors import ConflictError


def installation(home: Path, **other: Any) -> Any:
    settings = SimpleNamespace(database="sqlite:///x.db", home=home)
    return SimpleNamespace(**{"has_password_file": True, "settings": settings} | other)


def use(monkeypatch: pytest.MonkeyPatch, run: Any) -> None:
    monkeypatch.setattr(working, "open_worker", lambda _installation: SimpleNamespace(run=run))


def test_the_worker_ends_with_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = Event()

    def run(stop: Event) -> None:
        assert stop.wait(60)
        ended.set()

    use(monkeypatch, run)
    with working_beside(installation(tmp_path)):
        assert not ended.is_set()
    assert ended.is_set()


def test_a_worker_that_breaks_ends_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_to_end = Event()
    before = signal.signal(signal.SIGTERM, lambda *_: asked_to_end.set())

    def run(_stop: Event) -> None:
        raise ZeroDivisionError

    use(monkeypatch, run)
    try:
        with pytest.raises(ZeroDivisionError), working_beside(installation(tmp_path)):
            assert asked_to_end.wait(60)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_second_worker_on_one_database_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, lambda stop: stop.wait(60))
    with (
        working_beside(installation(tmp_path)),
        pytest.raises(ConflictError, match="another worker"),
        working_beside(installation(tmp_path)),
    ):
        pass


def test_a_service_without_keys_does_no_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(_stop: Event) -> None:
        raise AssertionError

    use(monkeypatch, run)
    with working_beside(installation(tmp_path, has_password_file=False)):
        pass
    assert not (tmp_path / "worker.lock").exists()


async def who_asks(scope: Scope, receive: Receive, send: Send) -> None:
    client = Request(scope).client
    await PlainTextResponse(client.host if client else "-")(scope, receive, send)


@pytest.mark.parametrize(
    ("proxies", "said", "believed"),
    [
        ((), "192.0.2.7", "127.0.0.1"),
        (("10.0.0.0/8",), "192.0.2.7", "127.0.0.1"),
        (("127.0.0.1/32",), "192.0.2.7", "192.0.2.7"),
        (("127.0.0.0/8",), "192.0.2.66, 192.0.2.7, 127.0.0.9", "192.0.2.7"),
        (("127.0.0.1/32",), "", "127.0.0.1"),
    ],
)
def test_only_a_trusted_proxy_says_for_whom_it_asks(
    proxies: tuple[str, ...], said: str, believed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    config = configured(who_asks, proxies)
    config.load()
    client = TestClient(config.loaded_app, client=("127.0.0.1", 50_000))
    assert client.get("/", headers={"X-Forwarded-For": said}).text == believed


def test_a_service_manager_hears_when_work_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    tell_ready()
    address = tmp_path / "notify"
    monkeypatch.setenv("NOTIFY_SOCKET", str(address))
    tell_ready()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        tell_ready()
        assert manager.recv(64) == b"READY=1"

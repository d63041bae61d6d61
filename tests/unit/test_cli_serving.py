"""The worker inside `ledger serve`: it ends with the service, and the service with it."""

import signal
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from ledger.cli import working
from ledger.cli.serving import working_beside
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

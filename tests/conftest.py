"""Rules for the whole suite."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from ledger.database import Database, migrate
from tests.postgres import PostgresServer, postgres_server

# A machine that is busy with something else makes no test fail.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


def pytest_xdist_auto_num_workers() -> int:
    """Two a processor: the long tests wait for blocks most of the time."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with the tables of this release; a test that asks for it runs on both."""
    if request.param == "postgresql":
        with request.getfixturevalue("postgres").database() as url:
            yield url
        return
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    database = Database(url)
    migrate(database)
    database.close()
    yield url


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where the suite must be whole, a test that was skipped is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter and reporter.stats.get("skipped"):
        reporter.write_line("a test was skipped, and with CI=true none may be")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED

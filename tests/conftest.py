"""Rules for the whole suite."""

import os

import pytest


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where the suite must be whole, a test that was skipped is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter and reporter.stats.get("skipped"):
        reporter.write_line("a test was skipped, and with CI=true none may be")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED

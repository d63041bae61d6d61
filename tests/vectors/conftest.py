"""Where the conformance data of other projects is."""

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).parents[3] / "shared" / "vectors"


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of vectors; without it the test is skipped, and fails in CI."""
    folder = Path(os.environ.get("LEDGER_VECTORS") or BESIDE)
    if folder.is_dir():
        return folder
    reason = f"no vectors in {folder}: set LEDGER_VECTORS to their folder"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)

"""A roster is issued whole or not at all, once, and a dry run says what would happen."""

from importlib.resources import files
from types import ModuleType
from unittest.mock import patch

import pytest

from ledger.credentials import issuing, signing
from ledger.credentials.issuing import Issued, Signatory, find_new_rows, issue
from ledger.credentials.profile import IssuerProfile
from ledger.credentials.roster import RosterError, Row
from ledger.credentials.signature import SigningKey
from ledger.credentials.store import count_waiting
from ledger.credentials.template import parse_template
from ledger.database import Database

from .conftest import ISSUER

TEMPLATE = parse_template((files("ledger.credentials") / "examples" / "rgpd.toml").read_bytes())
KEY = SigningKey(bytes(32))
SIGNATORY = Signatory(ISSUER, IssuerProfile(KEY.did, "A"), KEY)
ROWS = [Row(line=n, name=f"Ana {n}", score="70") for n in range(2, 12)]


class Crash(BaseException):
    """Stands for `kill -9`: not an Exception, so no handler can tidy up."""


def counted(issued: Issued) -> tuple[int, int]:
    assert len(set(issued.ids)) == issued.new + issued.known
    return issued.new, issued.known


def waiting(database: Database) -> int:
    with database.read() as tx:
        return count_waiting(tx, ISSUER)


def test_issuing_again_issues_what_is_new(database: Database) -> None:
    assert counted(issue(database, SIGNATORY, TEMPLATE, ROWS[:4], now=1)) == (4, 0)
    assert counted(issue(database, SIGNATORY, TEMPLATE, ROWS, now=2)) == (6, 4)
    assert counted(issue(database, SIGNATORY, TEMPLATE, ROWS, now=3)) == (0, 10)
    assert waiting(database) == 10


@pytest.mark.parametrize(("module", "step"), [(issuing, "add_credentials"), (signing, "sign")])
def test_a_crash_issues_nothing_and_issuing_again_issues_all(
    database: Database, module: ModuleType, step: str
) -> None:
    with patch.object(module, step, side_effect=Crash), pytest.raises(Crash):
        issue(database, SIGNATORY, TEMPLATE, ROWS, now=1)
    assert waiting(database) == 0
    assert counted(issue(database, SIGNATORY, TEMPLATE, ROWS, now=1)) == (10, 0)


def test_a_dry_run_stores_nothing_and_names_what_issuing_would_issue(database: Database) -> None:
    def new() -> list[Row]:
        return find_new_rows(database, ISSUER, KEY.did, TEMPLATE, ROWS)

    assert new() == ROWS
    assert waiting(database) == 0
    issue(database, SIGNATORY, TEMPLATE, ROWS[::2], now=1)
    assert new() == ROWS[1::2]


def test_a_score_that_does_not_fit_issues_nothing(database: Database) -> None:
    with pytest.raises(RosterError):
        issue(database, SIGNATORY, TEMPLATE, [*ROWS, Row(20, "Bo", score="59")], now=1)
    assert waiting(database) == 0

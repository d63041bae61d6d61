"""A long roster is signed and stored a page at a time, and still whole or not at all."""

from importlib.resources import files

import pytest
import sqlalchemy as sa

from ledger.credentials.canonical import canonical_bytes
from ledger.credentials.did_key import parse_did_key
from ledger.credentials.document import read_document
from ledger.credentials.issuing import Signatory, issue
from ledger.credentials.profile import IssuerProfile
from ledger.credentials.roster import Row
from ledger.credentials.signature import SignedDocument, SigningKey, verify_proof
from ledger.credentials.store import credentials
from ledger.credentials.template import Template, parse_template
from ledger.database import Database
from ledger.primitives import Address, Home
from ledger.strict_json import parse

from .conftest import ISSUER, counted

NOW = 1_790_000_000
KEY = SigningKey(bytes(range(32)))
HOME = Home(31337, Address(bytes(range(20))), ISSUER)
SIGNATORY = Signatory(ISSUER, IssuerProfile(KEY.did, "School", homes=(HOME,)), KEY)


class Crash(BaseException):
    """Stands for `kill -9`: not an Exception, so no handler can tidy up."""


@pytest.fixture
def template() -> Template:
    return parse_template((files("ledger.credentials") / "examples" / "rgpd.toml").read_bytes())


def roster(rows: int) -> list[Row]:
    return [
        Row(line=2 + n, name=f"Zoé {n}", email=f"zoe.{n}@example.org", score="87.5", credits="0.5")
        for n in range(rows)
    ]


def stored_documents(database: Database) -> list[tuple[bytes, bytes]]:
    with database.read() as tx:
        query = sa.select(credentials.c.digest, credentials.c.document).order_by(credentials.c.id)
        return [(bytes(digest), bytes(document)) for digest, document in tx.execute(query)]


def test_what_is_stored_is_canonical_signed_and_has_its_digest(
    database: Database, template: Template
) -> None:
    issue(database, SIGNATORY, template, roster(3), now=NOW)
    stored = stored_documents(database)
    assert len(stored) == 3
    for digest, document in stored:
        credential = parse(document, max_bytes=1 << 20)
        assert canonical_bytes(credential) == document
        assert read_document(document).digest == digest
        verify_proof(SignedDocument(credential), credential["proof"][0], parse_did_key(KEY.did))


def test_a_thousand_rows_more_cost_two_statements_more(
    database: Database, template: Template
) -> None:
    with counted(database) as few:
        issue(database, SIGNATORY, template, roster(1), now=NOW)
    with counted(database) as many:
        issue(database, SIGNATORY, template, roster(4_002)[1:], now=NOW)
    # A page is looked up, and inserted; COPY is not seen by the engine.
    a_page = 1 if database.is_postgresql else 2
    assert len(many) == len(few) + a_page * 4


def test_every_row_is_counted_once(database: Database, template: Template) -> None:
    counts: list[int] = []
    issue(database, SIGNATORY, template, roster(2), now=NOW)
    issue(database, SIGNATORY, template, roster(1_500), now=NOW, on_row=counts.append)
    assert sum(counts) == 1_500


@pytest.mark.parametrize("at", [1, 1_000, 1_001, 1_499])
def test_a_crash_at_any_row_issues_nothing(database: Database, template: Template, at: int) -> None:
    seen = 0

    def die(count: int) -> None:
        nonlocal seen
        seen += count
        if seen >= at:
            raise Crash

    with pytest.raises(Crash):
        issue(database, SIGNATORY, template, roster(1_500), now=NOW, on_row=die)
    assert stored_documents(database) == []
    assert issue(database, SIGNATORY, template, roster(1_500), now=NOW).new == 1_500

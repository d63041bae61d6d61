"""What two processes issue and write is what one does, and it is still whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
import sqlalchemy as sa

from ledger import second_process
from ledger.batches.delivery import deliver
from ledger.credentials.did_key import parse_did_key
from ledger.credentials.document import read_document
from ledger.credentials.issuing import issue
from ledger.credentials.signature import SignedDocument, verify_proof
from ledger.credentials.store import PAGE_ROWS, credentials, find_credentials
from ledger.credentials.template import Template
from ledger.database import Database
from ledger.errors import ConflictError

from .conftest import ISSUER
from .test_delivery import is_delivered, sealed
from .test_issuing_pages import HOME, KEY, NOW, SIGNATORY, Crash, roster, stored_documents
from .test_issuing_pages import template as template  # noqa: PLC0414 - a fixture

ROWS = 2 * PAGE_ROWS + 3


@contextmanager
def processes(count: int) -> Iterator[None]:
    """Work in so many processes, however little there is to do."""
    with (
        patch.object(second_process, "LEAST", 0),
        patch.object(os, "cpu_count", return_value=count),
    ):
        yield


def test_a_roster_signed_in_a_second_process_is_that_roster(
    database: Database, template: Template
) -> None:
    rows = roster(ROWS)
    known = issue(database, SIGNATORY, template, rows[5:ROWS:700], now=NOW)
    counts: list[int] = []
    with processes(2):
        issued = issue(database, SIGNATORY, template, rows, now=NOW, on_row=counts.append)
    assert (issued.new, issued.known) == (ROWS - len(known.ids), len(known.ids))
    assert issued.ids[5:ROWS:700] == known.ids
    assert sum(counts) == ROWS
    with database.read() as tx:
        stored = find_credentials(tx, ISSUER, issued.ids)
    for row, public_id in zip(rows, issued.ids, strict=True):
        badge = stored[public_id]
        assert badge.document is not None
        read = read_document(badge.document)
        assert read.credential is not None
        assert read.digest == badge.digest
        assert read.credential["id"] == f"urn:uuid:{public_id}"
        assert read.credential["credentialSubject"]["identifier"][0]["identityHash"] == row.name
        document = SignedDocument(read.credential)
        verify_proof(document, read.credential["proof"][0], parse_did_key(KEY.did))


def test_credentials_wait_in_the_order_of_the_rows(database: Database, template: Template) -> None:
    with processes(2):
        issued = issue(database, SIGNATORY, template, roster(ROWS), now=NOW)
    with database.read() as tx:
        waiting = tx.execute(sa.select(credentials.c.public_id).order_by(credentials.c.id))
        assert tuple(waiting.scalars()) == issued.ids


@pytest.mark.parametrize("at", [1, PAGE_ROWS, PAGE_ROWS + 1, ROWS])
def test_a_crash_beside_the_second_process_issues_nothing(
    database: Database, template: Template, at: int
) -> None:
    counts: list[int] = []

    def die(count: int) -> None:
        counts.append(count)
        if sum(counts) == at:
            raise Crash

    with processes(2), pytest.raises(Crash):
        issue(database, SIGNATORY, template, roster(ROWS), now=NOW, on_row=die)
    assert stored_documents(database) == []


def test_badges_written_by_two_processes_are_those_of_one(
    database: Database, template: Template, tmp_path: Path
) -> None:
    issue(database, SIGNATORY, template, roster(ROWS), now=NOW)
    batch = sealed(database)
    folders = []
    for count in (1, 2):
        folder = tmp_path / str(count)
        with processes(count):
            assert deliver(database, batch, HOME, folder, now=3) == ROWS
        folders.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert len(folders[0]) == ROWS + 1
    assert folders[0] == folders[1]


def test_what_the_second_process_cannot_write_is_one_line(
    database: Database, template: Template, tmp_path: Path
) -> None:
    issued = issue(database, SIGNATORY, template, roster(ROWS), now=NOW)
    batch = sealed(database)
    (tmp_path / f"{issued.ids[PAGE_ROWS]}.json").mkdir()
    with processes(2), pytest.raises(ConflictError, match="Is a directory") as caught:
        deliver(database, batch, HOME, tmp_path, now=3)
    assert caught.value.code == "unwritable"
    assert not is_delivered(database, batch)
    assert not list(tmp_path.glob(".*"))
    assert not list(tmp_path.glob("*.csv"))

"""An issuer has one schedule, and what waits is counted from the oldest."""

import uuid

from ledger.batches.schedules.schedule import Schedule, Waiting
from ledger.batches.schedules.store import find_schedule, set_schedule
from ledger.batches.sealing import find_waiting, seal
from ledger.credentials.store import NewCredential, add_credentials
from ledger.database import Database
from ledger.primitives import Canonicalization, sha256

from .conftest import ISSUER

HOURLY = Schedule(5, cron="0 * * * *", zone="Europe/Paris", at_waiting=7)


def test_the_last_schedule_that_was_set_is_the_one(database: Database) -> None:
    for wanted in (HOURLY, Schedule(6, every_seconds=900), None, HOURLY):
        with database.write() as tx:
            set_schedule(tx, ISSUER, wanted)
        with database.read() as tx:
            assert find_schedule(tx, ISSUER) == wanted


def accept(database: Database, text: bytes, now: int) -> None:
    new = NewCredential(str(uuid.uuid4()), sha256(text), Canonicalization.NONE, None, None)
    with database.write() as tx:
        add_credentials(tx, ISSUER, [new], now=now)


def test_what_waits_is_counted_from_the_oldest_that_is_in_no_batch(database: Database) -> None:
    for text, now in ((b"a", 10), (b"b", 20), (b"c", 30)):
        accept(database, text, now)
    with database.read() as tx:
        assert find_waiting(tx, ISSUER) == Waiting(3, 10)
        assert find_waiting(tx, ISSUER + 1) is None
    seal(database, ISSUER, now=40)
    accept(database, b"d", 50)
    with database.read() as tx:
        assert find_waiting(tx, ISSUER) == Waiting(1, 50)

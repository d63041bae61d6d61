"""Two at the same work at the same moment: each thing is done once, and nobody fails."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from threading import Barrier, Event
from typing import TypeVar

from ledger.batches import sealing
from ledger.chain.nonces import store as nonces
from ledger.credentials.issuing import Signatory, issue
from ledger.credentials.profile import IssuerProfile
from ledger.credentials.roster import Row
from ledger.credentials.signature import SigningKey
from ledger.credentials.store import count_waiting, read_batch
from ledger.credentials.template import parse_template
from ledger.database import Database
from ledger.primitives import Address, Home

from .conftest import ISSUER
from .test_sealing import accept

KEY = SigningKey(bytes(range(32)))
PROFILE = IssuerProfile(
    KEY.did, "A", "https://a.example", homes=(Home(31337, Address(bytes(20)), ISSUER),)
)
TEMPLATE = parse_template((files("ledger.credentials") / "examples" / "rgpd.toml").read_bytes())
SENDER = Address(bytes(range(20)))

T = TypeVar("T")


def together(*works: Callable[[], T]) -> list[T]:
    """Do all of it in threads that start at the same moment."""
    start = Barrier(len(works))

    def work(todo: Callable[[], T]) -> T:
        start.wait()
        return todo()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(work, works))


def roster(count: int) -> list[Row]:
    return [
        Row(line=n + 2, name=f"Learner {n}", email=f"{n}@a.example", awarded="2026-09-20")
        for n in range(count)
    ]


def issue_all(database: Database, rows: list[Row], on_row: Callable[[int], None]) -> int:
    signatory = Signatory(ISSUER, PROFILE, KEY)
    return issue(database, signatory, TEMPLATE, rows, now=2, on_row=on_row).new


def test_a_roster_that_two_issue_at_once_is_issued_once(database: Database) -> None:
    rows = roster(50)
    first_is_signing = Event()

    def first() -> int:
        return issue_all(database, rows, lambda _count: first_is_signing.set())

    def second() -> int:
        assert first_is_signing.wait(60)
        return issue_all(database, rows[::-1], lambda _count: None)

    assert together(first, second) == [50, 0]
    with database.read() as tx:
        assert count_waiting(tx, ISSUER) == 50


def test_rosters_that_overlap_are_issued_once_together(database: Database) -> None:
    rows = roster(60)
    new = together(
        lambda: issue_all(database, rows[:40], lambda _count: None),
        lambda: issue_all(database, rows[:19:-1], lambda _count: None),
    )
    assert sum(new) == 60
    with database.read() as tx:
        assert count_waiting(tx, ISSUER) == 60


def test_what_two_seal_at_once_is_in_one_batch(database: Database) -> None:
    digests = accept(database, 1_500)
    first_is_placing = Event()

    def first() -> int | None:
        batch = sealing.seal(
            database, ISSUER, now=2, on_leaves=lambda _count: first_is_placing.set()
        )
        return batch.id if batch else None

    def second() -> int | None:
        assert first_is_placing.wait(60)
        batch = sealing.seal(database, ISSUER, now=2)
        return batch.id if batch else None

    sealed, nothing = together(first, second)
    assert nothing is None
    assert sealed is not None
    with database.read() as tx:
        assert [row.digest for row in read_batch(tx, sealed)] == digests


def test_what_is_accepted_while_it_is_sealed_waits_for_the_next_batch(database: Database) -> None:
    first = accept(database, 1_500)
    sealing_has_begun = Event()

    def seal() -> int:
        batch = sealing.seal(
            database, ISSUER, now=2, on_leaves=lambda _count: sealing_has_begun.set()
        )
        assert batch is not None
        return batch.size

    def take_more() -> int:
        assert sealing_has_begun.wait(60)
        return len(accept(database, 100, start=1_500))

    size, more = together(seal, take_more)
    with database.read() as tx:
        assert size + count_waiting(tx, ISSUER) == len(first) + more


def test_first_users_of_a_key_get_nonces_of_their_own(database: Database) -> None:
    def take() -> int:
        with database.write() as tx:
            return nonces.take_nonce(tx, SENDER, chain_nonce=7)

    assert sorted(together(take, take, take, take)) == [7, 8, 9, 10]

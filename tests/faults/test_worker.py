"""A worker whose database, disk, clock or key fails goes on when that is mended.

A round that cannot be finished ends early and says why; the rounds after it find in the
database what is left to do.
"""

import contextlib
import resource
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from ledger import database as database_module
from ledger.backup.restoring import restore
from ledger.batches import anchoring, delivery, sealing, store
from ledger.batches.fsck.stored import check_database
from ledger.batches.status import BatchStatus
from ledger.chain import store as chain_store
from ledger.chain.alarms.store import list_alarms
from ledger.chain.nonces import store as nonces
from ledger.chain.outbox import Outbox
from ledger.chain.registry import calls
from ledger.config import load_settings
from ledger.database import Database, migrate
from ledger.worker import LEASE_SECONDS
from tests.chain.conftest import Chain
from tests.postgres import LocalServer, PostgresServer, local_server

from .test_batch_life import no_blocks, send_past_the_database, transaction_of
from .working import Rounds, Works

HOUR, DAY = 3_600, 86_400

STEPS: list[tuple[object, str]] = [
    (sealing, "place_in_batch"),
    (store, "lease_next"),
    (nonces, "take_nonce"),
    (chain_store, "add_transaction"),
    (store, "submit_batch"),
    (chain_store, "mark_sent"),
    (chain_store, "write_checkpoint"),
    (store, "move_batch"),
    (store, "note_record"),
    (store, "mark_delivered"),
]
"""What a round writes, in order."""

at_every_step = pytest.mark.parametrize(("owner", "step"), STEPS, ids=[step for _, step in STEPS])


@contextlib.contextmanager
def once_before(owner: object, step: str, act: Callable[[], object]) -> Iterator[None]:
    """Do something right before a step is taken for the first time."""
    function = getattr(owner, step)
    is_done = False

    def act_and_run(*arguments: Any, **named: Any) -> Any:
        nonlocal is_done
        if not is_done:
            is_done = True
            act()
        return function(*arguments, **named)

    with patch.object(owner, step, act_and_run):
        yield
    assert is_done


@pytest.fixture
def works(chain: Chain, outbox: Outbox, tmp_path: Path) -> Works:
    return Works(chain, outbox, tmp_path)


# ------------------------------------------------------------------------ PostgreSQL goes away


END_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@at_every_step
def test_a_worker_whose_sessions_are_ended_goes_on(
    chain: Chain, postgres: PostgresServer, tmp_path: Path, owner: object, step: str
) -> None:
    with postgres.database() as url:
        database = Database(url)
        works = Works(chain, chain.outbox(database), tmp_path)
        works.accept(b"more")
        with once_before(owner, step, lambda: postgres.execute(url, END_SESSIONS)):
            works.work()
        assert works.troubles() == ["database-unreachable"]
        works.check()
        database.close()


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[LocalServer]:
    """A server that nobody else uses."""
    with local_server() as server:
        yield server


@pytest.mark.parametrize("step", ["submit_batch", "move_batch"])
def test_a_worker_outlives_a_restart_of_the_server(
    chain: Chain, own_postgres: LocalServer, tmp_path: Path, step: str
) -> None:
    with own_postgres.database() as url:
        database = Database(url)
        works = Works(chain, chain.outbox(database), tmp_path)
        works.accept(b"more")
        with once_before(store, step, own_postgres.restart):
            works.work()
        assert works.troubles() == ["database-unreachable"]
        works.check()
        database.close()


# ------------------------------------------------------------------------ SQLite is locked


@pytest.mark.parametrize("turn", range(1, 13))
def test_a_worker_that_another_writer_keeps_out_for_too_long_goes_on(
    chain: Chain, tmp_path: Path, turn: int
) -> None:
    """Another process has the lock from before one of the worker's transactions on."""
    file = tmp_path / "ledger.db"
    with patch.object(database_module, "BUSY_TIMEOUT_SECONDS", 0):
        database = Database(f"sqlite:///{file}")
        migrate(database)
        works = Works(chain, chain.outbox(database), tmp_path)
        works.accept(b"more")
        other = sqlite3.connect(file, isolation_level=None)
        write, writes = Database.write, 0

        def locked(ours: Database) -> Any:
            nonlocal writes
            writes += 1
            if writes == turn:
                other.execute("BEGIN IMMEDIATE")
            return write(ours)

        def release() -> None:
            if other.in_transaction:
                other.execute("ROLLBACK")

        with patch.object(Database, "write", locked):
            works.work(between=release)
        assert works.troubles() == ["database-busy"]
        works.check()
        other.close()
        database.close()


# ------------------------------------------------------------------------ the disk is full


class Disk:
    """A folder on a small disk of its own where the user may mount one, else under a quota."""

    def __init__(self, path: Path) -> None:
        path.mkdir()
        self.path = path
        mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(path)]
        self.is_mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
        self._filler = path / "filler"
        self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    @property
    def code(self) -> str:
        """Return what SQLite's refusal is called here: it knows of full disks, not of quotas."""
        return "database-full" if self.is_mounted else "database-unreachable"

    def fill(self) -> None:
        if not self.is_mounted:
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, self._limits[1]))
            return
        with contextlib.suppress(OSError), self._filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def make_room(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)
        self._filler.unlink(missing_ok=True)

    def close(self) -> None:
        self.make_room()
        if self.is_mounted:
            subprocess.run(["umount", "--lazy", str(self.path)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path / "disk")
    yield disk
    disk.close()


@at_every_step
def test_a_worker_whose_database_has_no_room_does_nothing_half_and_goes_on(
    chain: Chain, disk: Disk, tmp_path: Path, owner: object, step: str
) -> None:
    database = Database(f"sqlite:///{disk.path / 'ledger.db'}")
    migrate(database)
    works = Works(chain, chain.outbox(database), tmp_path)
    works.accept(b"more")

    def look_and_make_room() -> None:
        with database.read() as tx:
            assert list(check_database(tx)) == []
        disk.make_room()

    with once_before(owner, step, disk.fill):
        works.work(between=look_and_make_room)
    assert set(works.troubles()) == {disk.code}
    works.check()
    database.close()


def test_a_worker_that_has_no_room_for_badges_writes_them_when_it_has(
    works: Works, disk: Disk
) -> None:
    works.badges = disk.path / "badges"
    works.accept(*(b"badge %d" % n for n in range(40)))
    # Only what is written there: the database is on the large disk, and a quota is for both.
    with once_before(delivery, "open_folder", disk.fill):
        works.work(between=disk.make_room)
    assert "unwritable" in works.troubles()
    works.check()
    assert not list(works.badges.glob(".*"))


NO_ROOM = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END
$$;
CREATE TRIGGER no_room BEFORE INSERT OR UPDATE OR DELETE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION no_room();
"""
MAKE_ROOM = "DROP FUNCTION IF EXISTS no_room CASCADE"


@pytest.mark.parametrize("table", ["credentials", "tiles", "senders", "attempts", "batches"])
def test_a_worker_whose_server_has_no_room_does_nothing_half_and_goes_on(
    chain: Chain, postgres: PostgresServer, tmp_path: Path, table: str
) -> None:
    """The server itself says so, as it does of a full disk, at the first write to a table."""
    with postgres.database() as url:
        database = Database(url)
        works = Works(chain, chain.outbox(database), tmp_path)
        works.accept(b"more", b"and more")

        def look_and_make_room() -> None:
            with database.read() as tx:
                assert list(check_database(tx)) == []
            postgres.execute(url, MAKE_ROOM)

        postgres.execute(url, NO_ROOM.format(table=table))
        works.work(between=look_and_make_room)
        assert works.troubles() == ["database-full"]
        works.check()
        database.close()


# ------------------------------------------------------------------------ the clock jumps


@pytest.mark.parametrize("jump", [-HOUR, DAY])
def test_a_clock_that_jumps_while_a_transaction_waits_keeps_nothing_waiting(
    works: Works, jump: int
) -> None:
    worker = works.worker()
    with no_blocks(works.chain):
        worker.round()
        # The node has lost it, and nobody but us can send it again.
        works.chain.rpc.call("anvil_dropAllTransactions", [])
        works.now += jump
        worker.round()
        works.chain.mine()
        worker.round()
    assert works.load().status is BatchStatus.CONFIRMED
    works.work()
    assert works.troubles() == []
    works.check()


@pytest.mark.parametrize("jump", [-HOUR, DAY])
def test_a_clock_that_jumps_between_rounds_loses_nothing_and_anchors_nothing_twice(
    works: Works, jump: int
) -> None:
    rounds = 0

    def jump_and_accept() -> None:
        nonlocal rounds
        rounds += 1
        if rounds <= 6:
            works.accept(b"of round %d" % rounds)
            works.now += jump if rounds % 2 else -jump

    works.work(between=jump_and_accept)
    assert works.troubles() == []
    works.check()


@pytest.mark.parametrize("jump", [-HOUR, DAY])
def test_what_a_dead_worker_had_leased_is_taken_over_after_the_clock_jumped(
    works: Works, jump: int
) -> None:
    with works.outbox.database.write() as tx:
        leased = store.lease_next(
            tx, works.issuer.number, BatchStatus.SEALED, now=works.now, seconds=LEASE_SECONDS
        )
    assert leased is not None
    works.work(rounds=1)
    assert works.load().status is BatchStatus.SEALED
    works.now += jump
    works.work(rounds=1)
    works.check()


# ------------------------------------------------------------------------ finality breaks


def test_a_worker_stops_when_what_was_final_is_no_more_until_a_person_resumes(
    works: Works,
) -> None:
    works.work()
    anchored_in = transaction_of(works).block_number
    chain = works.chain
    newest = int(chain.rpc.call("eth_blockNumber", []), 16)
    assert anchored_in is not None
    with no_blocks(chain):
        chain.rpc.call("anvil_reorg", [newest - anchored_in + 1, []])
        works.accept(b"more")
        works.worker().run(Rounds(works, 3, lambda: None))
        assert set(works.troubles()) == {"final-reorg"}
        assert works.anchored() == {}
    works.outbox.accept_chain()
    anchoring.review_final(works.outbox, chain.registry)
    works.work()
    works.check()


# ------------------------------------------------------------------------ keys and backups


def test_a_worker_whose_key_is_used_elsewhere_sends_nothing_until_a_person_resumes(
    works: Works,
) -> None:
    works.work()
    send_past_the_database(works, works.sender, calls.name_bare_issuer(works.issuer.number), 1)
    works.accept(b"more")
    works.work()
    # Said once, whatever the number of rounds.
    assert works.troubles() == ["nonce-ahead"]
    assert works.chain.count(works.sender) == 2
    works.outbox.accept_chain()
    works.work()
    works.check()


def test_a_worker_whose_nonce_was_stolen_anchors_the_batch_with_the_next(works: Works) -> None:
    """A thief at the nonce of a transaction that waits wins it."""
    worker, chain = works.worker(), works.chain
    with no_blocks(chain):
        worker.round()
        assert transaction_of(works).nonce == 0
        chain.rpc.call("anvil_dropAllTransactions", [])
        data = calls.name_bare_issuer(works.issuer.number)
        send_past_the_database(works, works.sender, data, 0)
        worker.round()
    with works.outbox.database.read() as tx:
        assert [alarm.code for alarm in list_alarms(tx)] == ["foreign-nonce"]
    works.work()
    works.check()


@pytest.mark.parametrize("early", [(), (b"accepted too early",)], ids=["sealed", "waiting"])
def test_a_worker_on_an_old_backup_sends_nothing_until_the_chain_was_asked(
    works: Works, early: tuple[bytes, ...]
) -> None:
    """The key signed nothing before the backup: its own anchors look like a stranger's."""
    if early:
        works.accept(b"waits at the backup")
    backup = works.save()
    works.work()
    before = works.anchored()
    home = works.folder / "restored"
    restore(backup, home, None, now=works.now)
    database = Database(load_settings(home).database)
    works.use(works.chain.outbox(database))
    works.accept(*early)
    works.work()
    assert set(works.troubles()) == {"sending-stopped"}
    assert works.anchored() == before
    works.replay(works.outbox)
    works.accept(b"after the restore")
    works.work()
    works.check()
    # What waited at the backup was not sealed a second time, with what came after it.
    assert len(works.anchored()) == len(before) + 1
    database.close()

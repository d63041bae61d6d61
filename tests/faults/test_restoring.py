"""An old backup, restored: nothing is sent twice, and what it cannot know is said."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from ledger.backup import replay as replay_module
from ledger.backup.replay import Replay, replay
from ledger.backup.restoring import restore
from ledger.backup.saving import save
from ledger.batches import anchoring, sealing, store
from ledger.batches.fsck.finding import Finding
from ledger.batches.status import BatchStatus
from ledger.batches.store import Batch
from ledger.chain.nonces.store import list_senders
from ledger.chain.outbox import Outbox
from ledger.chain.registry import calls
from ledger.chain.rpc import Rpc
from ledger.config import load_settings, write_settings
from ledger.credentials.store import NewCredential, add_credentials, count_waiting
from ledger.database import Database
from ledger.errors import ChainError, ConflictError
from ledger.primitives import Canonicalization, format_address, format_chain, sha256
from tests.chain.conftest import Chain

from .invariants import findings
from .test_anchoring import Setup, mined
from .test_batch_life import other_operator, send_past_the_database


class World(Setup):
    """An installation with one sealed batch, and its backups."""

    def __init__(self, chain: Chain, outbox: Outbox, folder: Path) -> None:
        super().__init__(chain, outbox)
        self.folder = folder
        (folder / "home").mkdir()
        write_settings(
            folder / "home",
            chain=format_chain(chain.chain_id),
            rpc=[chain.rpc_url],
            registry=format_address(chain.registry),
        )

    def accept(self, *contents: bytes) -> None:
        new = [
            NewCredential(str(uuid.uuid4()), sha256(content), Canonicalization.NONE, None, None)
            for content in contents
        ]
        with self.outbox.database.write() as tx:
            add_credentials(tx, self.issuer.number, new, now=1)

    def seal_waiting(self) -> Batch:
        batch = sealing.seal(self.outbox.database, self.issuer.number, now=2)
        assert batch is not None
        return batch

    def save(self) -> Path:
        path = self.folder / f"{uuid.uuid4()}.zip"
        save(self.outbox.database, load_settings(self.folder / "home"), path, now=10)
        return path

    @contextmanager
    def restored(self, backup: Path) -> Iterator[Outbox]:
        home = self.folder / f"restored-{backup.stem}"
        restore(backup, home, None, now=11)
        database = Database(load_settings(home).database)
        yield self.chain.outbox(database)
        database.close()

    def replay(self, outbox: Outbox) -> Replay:
        keys = [self.owner.address, self.sender.address]
        return replay(outbox, self.chain.registry, self.chain.rpc, keys, now=12)

    def anchor_all(self, outbox: Outbox) -> None:
        with mined(self.chain):
            anchoring.advance(outbox, self.chain.registry)
            anchoring.submit_all(outbox, self.sender, self.chain.registry, self.issuer.number)
            anchoring.follow(outbox, self.chain.registry, self.issuer.number, timeout_seconds=30)

    def findings(self, outbox: Outbox) -> list[Finding]:
        return findings(outbox, self.chain.registry)


@pytest.fixture
def unsent(chain: Chain, outbox: Outbox, tmp_path: Path) -> World:
    return World(chain, outbox, tmp_path)


@pytest.fixture
def world(unsent: World) -> World:
    """The same, with its first batch final."""
    unsent.run_to_the_end()
    return unsent


def test_a_backup_of_now_only_has_to_look(world: World) -> None:
    with world.restored(world.save()) as outbox:
        assert world.replay(outbox) == Replay(adopted=[], rebuilt=[], lost=[])
        assert world.findings(outbox) == []


def test_what_was_anchored_since_is_taken_over_made_again_or_named(world: World) -> None:
    sealed = world.seal(b"sealed")
    world.accept(b"waiting", b"waiting too")
    backup = world.save()
    waiting = world.seal_waiting()
    world.anchor_all(world.outbox)
    lost = world.seal(b"accepted later")
    world.anchor_all(world.outbox)
    before = world.anchored()

    with world.restored(backup) as outbox:
        replayed = world.replay(outbox)
        assert replayed.adopted == [sealed.id]
        assert len(replayed.rebuilt) == 1
        assert [(anchor.root, anchor.size) for anchor in replayed.lost] == [(lost.root, 1)]
        with outbox.database.read() as tx:
            rebuilt = store.get_batch(tx, replayed.rebuilt[0])
            assert (rebuilt.root, rebuilt.size) == (waiting.root, 2)
            assert count_waiting(tx, world.issuer.number) == 0
        world.anchor_all(outbox)
        assert world.anchored() == before
        with outbox.database.read() as tx:
            everything = list(store.read_batches(tx))
        assert {batch.status for batch in everything} == {BatchStatus.FINAL}
        assert world.findings(outbox) == []


def test_a_restored_installation_goes_on_from_the_nonces_of_the_chain(world: World) -> None:
    backup = world.save()
    world.seal(b"later")
    world.anchor_all(world.outbox)
    with world.restored(backup) as outbox:
        world.replay(outbox)
        with outbox.database.read() as tx:
            assert list_senders(tx)[world.sender.address] == world.chain.count(world.sender)
        world.outbox = outbox
        new = world.seal(b"after the restore")
        world.anchor_all(outbox)
        assert world.anchored()[new.root] == 1
        assert world.findings(outbox) == []


def test_a_batch_submitted_before_the_backup_and_anchored_since_is_taken_over(
    world: World,
) -> None:
    world.batch = world.seal(b"submitted")
    world.submit()
    backup = world.save()
    world.follow()
    with world.restored(backup) as outbox:
        replayed = world.replay(outbox)
        assert replayed.adopted == [world.batch.id]
        world.anchor_all(outbox)
        assert world.anchored()[world.batch.root] == 1
        assert world.findings(outbox) == []


def test_a_key_that_first_signed_after_the_backup_is_known_as_ours(unsent: World) -> None:
    backup = unsent.save()
    unsent.anchor_all(unsent.outbox)
    with unsent.restored(backup) as outbox:
        assert unsent.replay(outbox).adopted == [unsent.batch.id]
        unsent.anchor_all(outbox)
        assert unsent.anchored() == {unsent.batch.root: 1}


def test_nothing_is_sent_before_the_chain_was_asked(world: World) -> None:
    waiting = world.seal(b"sealed")
    backup = world.save()
    with world.restored(backup) as outbox:
        with pytest.raises(ConflictError, match="restore"):
            anchoring.submit(outbox, world.sender, world.chain.registry, waiting)
        dead = Outbox(outbox.database, Rpc("http://127.0.0.1:1"), (), world.chain.chain_id)
        with pytest.raises(ChainError):
            replay(dead, world.chain.registry, Rpc("http://127.0.0.1:1"), [], now=12)
        with pytest.raises(ConflictError, match="restore"):
            anchoring.submit(outbox, world.sender, world.chain.registry, waiting)
        world.replay(outbox)
        with pytest.raises(ConflictError) as raised:
            world.replay(outbox)
        assert raised.value.code == "not-restored"
        world.anchor_all(outbox)
        assert world.anchored()[waiting.root] == 1


def test_a_chain_that_lost_an_anchor_is_named(world: World) -> None:
    with world.outbox.database.write() as tx:
        tx.execute(store.batches.update().values(anchored_at=5))
    (finding,) = world.findings(world.outbox)
    assert (finding.code, finding.subject) == ("anchor", f"batch {world.batch.id}")
    with world.outbox.database.write() as tx:
        tx.execute(store.batches.update().values(issuer=world.issuer.number, root=sha256(b"other")))
    codes = {finding.code for finding in world.findings(world.outbox)}
    assert codes == {"root", "anchor"}


@pytest.mark.parametrize("backup_has", ["batch", "members"])
def test_a_batch_that_was_sealed_again_after_the_backup_has_the_same_root_again(
    world: World, backup_has: str
) -> None:
    """Its extra leaf follows from its members, so nothing is anchored under a third root."""
    other = other_operator(world)
    world.accept(b"taken", b"taken too")
    if backup_has == "members":
        backup = world.save()
    taken = world.seal_waiting()
    if backup_has == "batch":
        backup = world.save()
    data = calls.anchor(taken.issuer, taken.root, taken.size)
    send_past_the_database(world, other, data, nonce=0)
    world.anchor_all(world.outbox)
    with world.outbox.database.read() as tx:
        resealed = store.get_batch(tx, taken.id)
    assert resealed.root != taken.root
    before = world.anchored()

    with world.restored(backup) as outbox:
        assert world.replay(outbox).lost == []
        world.anchor_all(outbox)
        with outbox.database.read() as tx:
            (again,) = [b for b in store.read_batches(tx) if b.size == resealed.size]
        assert (again.root, again.status) == (resealed.root, BatchStatus.FINAL)
        assert world.anchored() == before
        assert world.findings(outbox) == []


def test_an_event_that_is_seen_twice_is_one_anchor(world: World) -> None:
    """Once in each of two branches, from a node that never says `removed`."""
    world.accept(b"waiting")
    backup = world.save()
    world.seal_waiting()
    world.anchor_all(world.outbox)
    lost = world.seal(b"accepted later")
    world.anchor_all(world.outbox)
    read_logs = replay_module._read_logs

    def doubled(*arguments: Any) -> Iterator[Any]:
        for log in read_logs(*arguments):
            yield log
            yield log._replace(block_hash=sha256(b"another branch"))

    with world.restored(backup) as outbox:
        with patch.object(replay_module, "_read_logs", doubled):
            replayed = world.replay(outbox)
        assert len(replayed.rebuilt) == 1
        assert [anchor.root for anchor in replayed.lost] == [lost.root]
        world.anchor_all(outbox)
        assert world.findings(outbox) == []

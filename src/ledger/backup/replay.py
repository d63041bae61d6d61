"""After a restore: learn from the chain what the backup cannot know, then let sending go on.

    0. the keystore's keys are known as ours                    committed by itself
    1. anchors since the backup, from the registry's events     nothing stored
    2. batches rebuilt from what still waits, when the root
       of exactly those credentials was anchored                each committed by itself
    3. batches moved to where the chain has them                committed together
    4. batches sealed again under the root that was anchored    each committed by itself,
                                                                then moved like the others
    5. nonces taken on from the chain, the stop lifted          committed together

Each step may be done again, so a process that dies anywhere begins anew. Until 5 nothing
is sent: an old nonce signed again, or a root anchored twice, cannot happen.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

from ledger.batches import store
from ledger.batches.anchoring import adopt_anchored, advance
from ledger.batches.resealing import reseal_as_anchored
from ledger.batches.sealing import seal_as_anchored
from ledger.batches.status import SUBMITTABLE
from ledger.chain.alarms.store import RESTORED, list_alarms
from ledger.chain.logs import LogReader
from ledger.chain.nonces.store import add_sender
from ledger.chain.outbox import Outbox
from ledger.chain.registry.events import Log, decode_event
from ledger.chain.rpc import Rpc
from ledger.chain.state import read_blocks
from ledger.chain.store import read_checkpoint
from ledger.errors import ConflictError
from ledger.issuers.store import list_issuers
from ledger.primitives import Address, Hash32


@dataclass(frozen=True, slots=True)
class LaterAnchor:
    """An anchor of ours that the backup does not know."""

    issuer: int
    root: Hash32
    size: int
    time: int
    transaction: Hash32


@dataclass(frozen=True, slots=True)
class Replay:
    """What the chain had to tell."""

    adopted: list[int]
    """Batches of the backup that were anchored since, under the root they had or another."""
    rebuilt: list[int]
    """Batches that were sealed and anchored since, of credentials that wait in the backup."""
    lost: list[LaterAnchor]
    """Anchors of batches of which at least one credential was accepted after the backup."""


def replay(
    outbox: Outbox, registry: Address, endpoint: Rpc, keys: Iterable[Address], *, now: int
) -> Replay:
    """Bring a restored installation to where the chain is, and let it send again.

    `endpoint` is asked for the registry's events; what is done about them follows from the
    registry's storage, as the endpoints that are read agree on it. `keys` are those of the
    keystore: one that signed nothing before the backup may have since.

    Raises:
        ConflictError: it was not restored, or was replayed already.
        ChainError: the chain could not be asked; sending stays stopped.

    """
    with outbox.database.read() as tx:
        if not any(alarm.code == RESTORED for alarm in list_alarms(tx)):
            raise ConflictError("not-restored", "this installation waits for no replay")
    with outbox.database.write() as tx:
        for key in keys:
            add_sender(tx, key, nonce=0)
    later = list(_later_anchors(outbox, registry, endpoint))
    rebuilt = []
    for anchor in list(later):
        batch = seal_as_anchored(
            outbox.database, anchor.issuer, root=anchor.root, size=anchor.size, now=now
        )
        if batch is not None:
            rebuilt.append(batch.id)
            later.remove(anchor)
    moves = advance(outbox, registry)
    later = [anchor for anchor in later if not _resealed(outbox, anchor, now=now)]
    moves += adopt_anchored(outbox, registry)
    outbox.accept_chain()
    adopted = sorted({batch_id for batch_id, _ in moves} - set(rebuilt))
    return Replay(adopted=adopted, rebuilt=rebuilt, lost=later)


def _resealed(outbox: Outbox, anchor: LaterAnchor, *, now: int) -> bool:
    """Seal again the waiting batch whose members and extra leaves the anchor is of, if any is."""
    with outbox.database.read() as tx:
        waiting = store.list_batches(tx, anchor.issuer, SUBMITTABLE)
    return any(
        reseal_as_anchored(outbox.database, batch, root=anchor.root, size=anchor.size, now=now)
        for batch in waiting
    )


def _later_anchors(outbox: Outbox, registry: Address, endpoint: Rpc) -> Iterator[LaterAnchor]:
    """Give the anchors of our issuers whose roots no batch has, oldest first."""
    with outbox.database.read() as tx:
        issuers = {issuer.number for issuer in list_issuers(tx)}
        # What was final before the backup, it knows.
        checkpoint = read_checkpoint(tx, outbox.chain)
    seen: set[tuple[int, Hash32]] = set()
    (newest,) = read_blocks(outbox.rpc, ["latest"], chain=outbox.chain)
    for log in _read_logs(endpoint, registry, checkpoint[0] if checkpoint else 0, newest.number):
        event = decode_event(log)
        if event.name != "Anchored" or event.issuer not in issuers:
            continue
        root, size, time = (event.values[name] for name in ("root", "size", "time"))
        anchor = LaterAnchor(
            event.issuer, cast(Hash32, root), cast(int, size), cast(int, time), log.transaction
        )
        with outbox.database.read() as tx:
            is_known = store.has_root(tx, anchor.issuer, anchor.root)
        # A node may give an event of two branches.
        if not is_known and (anchor.issuer, anchor.root) not in seen:
            seen.add((anchor.issuer, anchor.root))
            yield anchor


def _read_logs(endpoint: Rpc, registry: Address, first: int, last: int) -> Iterator[Log]:
    reader = LogReader([endpoint], registry)
    try:
        while first <= last:
            reached, (logs,) = reader.read(first, last)
            yield from logs
            first = reached + 1
    finally:
        reader.close()

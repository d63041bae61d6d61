"""A worker in this process, on a real chain and a real database, and a judge of what it did."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from structlog.testing import LogCapture

from ledger.batches.schedules.schedule import Schedule
from ledger.batches.schedules.store import set_schedule
from ledger.batches.states.keeping import StateSource
from ledger.chain.outbox import Outbox
from ledger.primitives import Home, sha256
from ledger.worker import LEASE_SECONDS, Worker
from tests.chain.conftest import Chain

from .invariants import check_all_is_well
from .test_anchoring import mined
from .test_restoring import World

ROUNDS = 12


class Rounds(threading.Event):
    """Stops a worker after so many rounds; what it would have slept passes on its clock."""

    def __init__(self, works: "Works", count: int, between: Callable[[], object]) -> None:
        super().__init__()
        self._works, self._left, self._between = works, count, between

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self._works.now += int(timeout) + LEASE_SECONDS
        self._left -= 1
        if self._left == 0:
            self.set()
        self._between()
        return self.is_set()


class Works(World):
    """An issuer whose schedule seals what waits at once, and the worker of it."""

    def __init__(self, chain: Chain, outbox: Outbox, folder: Path) -> None:
        super().__init__(chain, outbox, folder)
        self.now = int(outbox.clock())
        self.said = LogCapture()
        self.accepted = [sha256(content) for content in (b"a", b"b")]
        self.badges = folder / "badges"
        self.status_sender = self.sender
        self.use(outbox)
        with outbox.database.write() as tx:
            set_schedule(tx, self.issuer.number, Schedule(self.now, at_waiting=1))

    def use(self, outbox: Outbox) -> None:
        """Work with this outbox from now on, at the time that the test says."""
        self.outbox = Outbox(
            outbox.database, outbox.rpc, outbox.endpoints, outbox.chain, clock=lambda: self.now
        )

    def accept(self, *contents: bytes) -> None:
        super().accept(*contents)
        self.accepted += map(sha256, contents)

    def worker(self) -> Worker:
        registry, chain = self.chain.registry, self.chain.chain_id
        log: Any = structlog.wrap_logger(structlog.PrintLogger(), processors=[self.said])
        return Worker(
            outbox=self.outbox,
            home=Home(chain, registry, 0),
            badges=self.badges,
            sender=self.sender,
            log=log,
            status_sender=self.status_sender,
            states=StateSource(self.chain.rpc, chain, registry, "finalized", lambda _issuer: ()),
        )

    def work(self, *, between: Callable[[], object] = lambda: None, rounds: int = ROUNDS) -> None:
        """Run a worker for some rounds, on a chain that is final at every look."""
        with mined(self.chain):
            self.worker().run(Rounds(self, rounds, between))

    def troubles(self) -> list[str]:
        """Return the codes of the rounds that ended early and of refused batches, in order."""
        return [said["code"] for said in self.said.entries if "code" in said]

    def check(self) -> None:
        """Every credential in one batch, each anchored once and delivered; no nonce missing."""
        check_all_is_well(
            self.outbox,
            self.chain.registry,
            anchored=self.anchored(self.own_keys()),
            counts={self.sender.address: self.chain.count(self.sender)},
            accepted=self.accepted,
            badges=self.badges,
        )

"""A year of an hourly schedule, hour after hour, by the worker itself on a clock of ours.

LEDGER_TEST_HOURS says how many hours; the default is for every day. The node is down for
some, blocks are reorganised, transactions get lost, and in some hours nothing comes in.
"""

import os
import random
from contextlib import suppress
from unittest.mock import patch

import structlog
from structlog.testing import LogCapture

from ledger import worker as worker_module
from ledger.batches import delivery
from ledger.batches.schedules.schedule import Schedule
from ledger.batches.schedules.store import set_schedule
from ledger.batches.states.keeping import StateSource
from ledger.errors import ChainError
from ledger.primitives import Home
from ledger.worker import Worker
from tests.simulated_chain import CHAIN

from .test_batch_life import ISSUER, REGISTRY, BatchLife

HOURS = int(os.environ.get("LEDGER_TEST_HOURS", "100"))
HOUR = 3_600
START = 1_767_225_600
"""The first second of 2026."""


class Year(BatchLife):
    """An installation with an hourly schedule, and its worker."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        with self.database.write() as tx:
            hourly = Schedule(START, cron="0 * * * *", zone="Europe/Paris")
            set_schedule(tx, ISSUER, hourly)
        self.worker = Worker(
            outbox=self.outbox,
            home=Home(CHAIN, REGISTRY, 0),
            badges=self.folder / "badges",
            sender=self.sender,
            log=structlog.wrap_logger(structlog.PrintLogger(), processors=[LogCapture()]),
            status_sender=self.sender,
            states=StateSource(self.chain, CHAIN, REGISTRY, "finalized", lambda _issuer: ()),
        )

    def work(self) -> None:
        with suppress(ChainError):
            self.worker.round()
        self.chain.mine(3)
        self.now += 5

    def hour(self, chosen: random.Random) -> bool:
        """Let an hour pass; return whether something came in."""
        self.chain.is_down = chosen.random() < 0.05
        if chosen.random() < 0.1:
            self.chain.reorganise(1, keeps=[self.sender.address])
        if chosen.random() < 0.05:
            self.chain.pool.clear()
        count = chosen.randint(0, 3)
        self.now += chosen.randint(1, HOUR - 1)
        self.accept(count)
        self.work()
        self.now += HOUR - self.now % HOUR
        self.work()
        self.work()
        self.chain.forget(20)
        return count > 0


def test_a_year_of_an_hourly_schedule_makes_a_batch_an_hour_and_loses_nothing() -> None:
    chosen, year = random.Random(HOURS), Year()
    # The simulated chain proves no states, and a sync of the whole machine proves nothing here.
    with (
        patch.object(worker_module, "keep_states", return_value=[]),
        patch.object(delivery, "sync"),
    ):
        busy = sum(year.hour(chosen) for _ in range(HOURS))
        year.chain.is_down = False
        for _ in range(3):
            year.now += HOUR
            year.worker.round()
            year.chain.mine(3)
    batches = year.batches()
    assert len(batches) == busy
    assert all(batch.sealed_at % HOUR == 0 for batch in batches)
    assert all(batch.delivered_at for batch in batches)
    assert len(list((year.folder / "badges").glob("*.json"))) == len(year.accepted)
    year.teardown()

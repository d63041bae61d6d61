"""An issuer whose receiver listens, on a real database, and the courier that sends."""

import json
from itertools import islice
from typing import Any

import sqlalchemy as sa
import structlog
from structlog.testing import LogCapture

from ledger.batches import sealing, store
from ledger.batches.events.store import EventKind, note_status
from ledger.batches.status import BatchStatus
from ledger.batches.status_changes.store import add_status_changes
from ledger.batches.store import Batch
from ledger.chain import store as chain_store
from ledger.chain.keystore import Secret
from ledger.chain.store import Outcome, Purpose, TransactionState, transactions
from ledger.credentials.store import read_batch
from ledger.database import Database
from ledger.fetching import PublicWeb
from ledger.primitives import Address, Hash32, Home
from ledger.webhooks.courier import Courier
from ledger.webhooks.deliveries.store import Delivery, page_of_deliveries
from ledger.webhooks.registering import register_webhook
from ledger.webhooks.store import Webhook
from tests.receiver import Receiver

from .conftest import ISSUER
from .test_sealing import accept

HOME = Home(31337, Address(bytes(range(20))), 0)
KEY = Secret(bytes(range(32)))


class Works:
    """What a test of webhooks works with; its clock stands still until told."""

    def __init__(
        self, database: Database, receiver: Receiver, webhook: Webhook | None = None
    ) -> None:
        self.database, self.receiver = database, receiver
        self.now = 1_000_000
        self.said = LogCapture()
        self.accepted = 0
        self.signed = 0
        self.webhook = webhook or self.listen(receiver)

    def listen(self, receiver: Receiver, *kinds: EventKind) -> Webhook:
        with self.database.write() as tx:
            return register_webhook(
                tx,
                ISSUER,
                url=receiver.url,
                kinds=kinds or tuple(EventKind),
                internal={receiver.place},
                now=self.now,
            )

    def courier(self, *, internal: frozenset[str] | None = None, seconds: float = 5.0) -> Courier:
        log: Any = structlog.wrap_logger(structlog.PrintLogger(), processors=[self.said])
        allowed = frozenset({self.receiver.place}) if internal is None else internal
        return Courier(
            database=self.database,
            home=HOME,
            key=lambda: KEY,
            post=PublicWeb(internal=allowed, timeout_seconds=seconds).post,
            clock=lambda: self.now,
            log=log,
            spread=lambda: 1.0,
        )

    def run(self, **named: Any) -> None:
        """Send all that is due now."""
        courier = self.courier(**named)
        while courier.round():
            pass

    def seal(self, count: int = 1) -> Batch:
        accept(self.database, count, start=self.accepted)
        self.accepted += count
        batch = sealing.seal(self.database, ISSUER, now=self.now)
        assert batch is not None
        return batch

    def move(self, batch: Batch, after: BatchStatus) -> None:
        with self.database.write() as tx:
            store.move_batch(tx, store.lock_batch(tx, batch.id), after, now=self.now)

    def final_batch(self, count: int = 1) -> Batch:
        batch = self.seal(count)
        self.move(batch, BatchStatus.CONFIRMED)
        self.move(batch, BatchStatus.FINAL)
        return batch

    def change_status(self, batch: Batch, count: int) -> int:
        """Store a transaction that revokes the first credentials of a batch; 0: all of it."""
        self.signed += 1
        with self.database.write() as tx:
            row = chain_store.add_transaction(
                tx,
                purpose=Purpose.STATUS,
                sender=Address(bytes([7]) * 20),
                nonce=self.signed,
                transaction_hash=Hash32(bytes([self.signed]) * 32),
                raw=b"signed",
                now=self.now,
            )
            if count:
                add_status_changes(
                    tx,
                    [member.id for member in islice(read_batch(tx, batch.id), count)],
                    action="revoke",
                    reason=1,
                    transaction_id=row,
                )
            note_status(tx, batch.id, row, action="revoke", reason=1, now=self.now)
        return row

    def settle(self, row: int, outcome: Outcome) -> None:
        with self.database.write() as tx:
            tx.execute(
                sa.update(transactions)
                .where(transactions.c.id == row)
                .values(state=TransactionState.FINAL, outcome=outcome, block_number=9)
            )

    def told(self) -> list[dict[str, Any]]:
        return [json.loads(one.body) for one in self.receiver.received]

    def deliveries(self, webhook: Webhook | None = None) -> list[Delivery]:
        with self.database.read() as tx:
            found = (webhook or self.webhook).id
            return page_of_deliveries(tx, found, before=None, limit=1000)

"""Do all that needs nobody: seal on schedule, anchor, follow, write the badges.

A round:

    1. issuers whose schedule is due are sealed    one database transaction an issuer
    2. sealed batches are submitted                crash-ordered by `Outbox.submit`
    3. the chain is looked at, batches are moved   `anchoring.advance`
    4. what waits is sent again, or replaced       `Outbox.resend`, `Outbox.replace`
    5. requested status changes are carried out    `carry_out_requested_changes`
    6. badges of final batches are written         `delivery.deliver`, the same files again
                                                   after a crash
    7. the state of final batches is kept          `keeping.keep_states`; nothing waits for it

Beside the rounds, in threads of their own, `ledger.webhooks.courier` tells of what has come
about: no receiver keeps a batch waiting.

Nothing is remembered from one round to the next, so a worker may die at any line: the next
round, of this worker or of another, finds in the database what is left to do. Any number
of workers may share a PostgreSQL database: a batch to submit or to deliver is leased by one,
and the others take the next. Where two want the same step, the database lets one of them do
it and the other sees that it is done.

What is refused for one batch is told and noted beside it, and the others go on. A chain or
a database that does not answer, or an alarm that stops all sending, ends the round, and the
pause before the next one doubles, up to a minute. A batch that is held is left to a person.
"""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ledger.batches import store
from ledger.batches.anchoring import Patience, advance, submit
from ledger.batches.delivery import deliver
from ledger.batches.requests.carrying_out import carry_out_requested_changes
from ledger.batches.requests.store import list_waiting
from ledger.batches.schedules.schedule import due_at
from ledger.batches.schedules.store import find_schedule
from ledger.batches.sealing import find_waiting, seal
from ledger.batches.states.keeping import StateSource, keep_states
from ledger.batches.status import UNDER_WAY, BatchStatus
from ledger.batches.store import Batch
from ledger.chain.outbox import Outbox
from ledger.chain.state import RpcState, read_blocks
from ledger.errors import ChainError, ConflictError, StorageError
from ledger.issuers.store import list_issuers
from ledger.primitives import Home
from ledger.webhooks.courier import Courier, couriers

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from ledger.chain.sender import Sender

BUSY_SECONDS: Final = 1.0
"""Between two rounds while something waits for the chain."""

IDLE_SECONDS: Final = 5.0
"""Between two rounds while nothing does; no schedule is late by more."""

MAX_PAUSE_SECONDS: Final = 60.0
"""Between two rounds while nobody answers."""

LEASE_SECONDS: Final = 30
"""How long a batch that a worker submits or delivers is left alone, also when that failed."""

_PASSING: Final = {"database-busy", "no-such-move", "sealed-again"}
"""Conflicts that mean that somebody else was faster, or will be done soon."""


@dataclass(frozen=True)
class Worker:
    """The worker of one installation."""

    outbox: Outbox
    home: Home
    """Where the installation's registry is; the issuer in it does not count."""
    badges: Path
    sender: "Sender"
    """The anchor key, opened."""
    log: "FilteringBoundLogger"
    status_sender: "Sender"
    """The status key, opened."""
    states: StateSource
    patience: Patience | None = None
    courier: Courier | None = None
    """Sends messages to webhooks; None where there is no key to sign them with."""

    def run(self, stop: threading.Event) -> None:
        """Do rounds until `stop` is set, couriers beside; what has begun is finished."""
        with couriers(self.courier, stop):
            self._run(stop)

    def send_messages(self) -> None:
        """Send every message that is due now, once."""
        while self.courier and self.courier.round():
            pass

    def _run(self, stop: threading.Event) -> None:
        failures = 0
        while not stop.is_set():
            try:
                is_busy = self.round()
                failures = 0
                pause = BUSY_SECONDS if is_busy else IDLE_SECONDS
            except (ChainError, ConflictError, StorageError) as error:
                failures += 1
                pause = min(MAX_PAUSE_SECONDS, BUSY_SECONDS * 2**failures)
                self.log.warning(
                    "round ended early", code=error.code, reason=error.message, pause_seconds=pause
                )
            stop.wait(pause)

    def round(self) -> bool:
        """Do all that can be done now; return whether something waits for the chain.

        Raises:
            ChainError, StorageError: nobody answered; what was done by then is done.
            ConflictError: sending is stopped until a person resumes it.

        """
        with self.outbox.database.read() as tx:
            issuers = [issuer.number for issuer in list_issuers(tx)]
        for issuer in issuers:
            self._seal_what_is_due(issuer)
        for issuer in issuers:
            self._submit_sealed(issuer)
        self._follow()
        self._change_statuses()
        for issuer in issuers:
            self._deliver_final(issuer)
        for batch in keep_states(self.outbox.database, self.states):
            self.log.info("state kept", batch=batch)
        with self.outbox.database.read() as tx:
            is_changing = bool(list_waiting(tx, limit=1))
            return is_changing or any(
                store.list_batches(tx, issuer, UNDER_WAY) for issuer in issuers
            )

    def _seal_what_is_due(self, issuer: int) -> None:
        with self.outbox.database.read() as tx:
            schedule = find_schedule(tx, issuer)
            due = due_at(schedule, find_waiting(tx, issuer)) if schedule else None
        if due is None or due > self.outbox.clock():
            return
        batch = seal(self.outbox.database, issuer, now=self.outbox.clock())
        if batch is not None:
            self.log.info(
                "batch sealed",
                batch=batch.id,
                issuer=issuer,
                size=batch.size,
                root=batch.root.hex(),
            )

    def _submit_sealed(self, issuer: int) -> None:
        base_fee_wei: int | None = None
        while (batch := self._lease_next(issuer, BatchStatus.SEALED)) is not None:
            if self.patience:
                base_fee_wei = base_fee_wei or self.sender.market().base_fee_wei
                if self.patience.waits(batch, base_fee_wei=base_fee_wei, now=self.outbox.clock()):
                    continue
            try:
                submit(self.outbox, self.sender, self.home.registry, batch)
            except ConflictError as error:
                self._tell_refusal(batch, error)
            else:
                self.log.info("batch submitted", batch=batch.id, issuer=issuer)

    def _tell_refusal(self, batch: Batch, error: ConflictError) -> None:
        """Say once, and not at every round, that a batch is refused for this reason."""
        is_known = (batch.reason or "").endswith(f"[{error.code}]")
        if error.code not in _PASSING and not is_known:
            self.log.warning("batch refused", batch=batch.id, code=error.code, reason=error.message)

    def _follow(self) -> None:
        for batch, status in advance(self.outbox, self.home.registry):
            tell = self.log.warning if status is BatchStatus.HELD else self.log.info
            tell("batch moved", batch=batch, status=str(status))
        # In this order: bytes that offer too little are refused again before they are replaced.
        for sender in (self.sender, self.status_sender):
            for transaction in self.outbox.replace(sender):
                self.log.info("transaction replaced", transaction_id=transaction)
        self.outbox.resend()

    def _change_statuses(self) -> None:
        with self.outbox.database.read() as tx:
            if not list_waiting(tx, limit=1):
                return
        (newest,) = read_blocks(self.outbox.rpc, ["latest"], chain=self.outbox.chain)
        ended = carry_out_requested_changes(
            self.outbox,
            self.status_sender,
            self.home.registry,
            RpcState(self.outbox.rpc, self.outbox.chain, newest),
        )
        if ended:
            self.log.info("status changes ended", count=ended)

    def _deliver_final(self, issuer: int) -> None:
        home = Home(self.home.chain, self.home.registry, issuer)
        while (batch := self._lease_next(issuer, BatchStatus.FINAL)) is not None:
            count = deliver(self.outbox.database, batch, home, self.badges, now=self.outbox.clock())
            self.log.info("badges written", batch=batch.id, issuer=issuer, count=count)

    def _lease_next(self, issuer: int, status: BatchStatus) -> Batch | None:
        now = self.outbox.clock()
        with self.outbox.database.write() as tx:
            return store.lease_next(tx, issuer, status, now=now, seconds=LEASE_SECONDS)

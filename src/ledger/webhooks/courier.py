"""Send what waits to whoever listens, beside everything else and in nobody's way.

    1. events become messages            one transaction an event, `messages.tell_next`
    2. a webhook is leased               its receiver gets one message at a time
    3. signed and posted                 nothing stored: after a crash it is sent again
    4. what came of it is noted          committed before the next message is sent
    5. the webhook is given back

So a message is sent at least once, and always under the same id. A receiver that fails rests,
longer each time, up to `MAX_REST_SECONDS`; a message that was not taken waits longer each
time, up to `MAX_DELAY_SECONDS`, until it is given up. Any number of couriers may share a
database, in one process or many; each is at one receiver at a time, for a bounded time.
"""

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.batches.events.store import has_event
from ledger.clock import Clock
from ledger.database import Database
from ledger.errors import ConflictError, StorageError
from ledger.fetching import FetchError
from ledger.primitives import Home
from ledger.webhook_signature import sign_message
from ledger.webhooks import store
from ledger.webhooks.deliveries.store import (
    DeliveryState,
    DueMessage,
    find_due,
    forget_messages,
    give_up_old,
    note_attempt,
)
from ledger.webhooks.messages import tell_next
from ledger.webhooks.secrets import signing_secrets
from ledger.webhooks.store import Webhook

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from ledger.chain.keystore import Secret

COURIERS: Final = 4
"""Receivers that one worker is at, at once."""

POST_SECONDS: Final = 10.0
"""In which a receiver must have answered."""

TURN_SECONDS: Final = 10
"""How long one receiver is sent to before others have their turn."""

LEASE_SECONDS: Final = 30
"""More than a turn and the post that ends it."""

FIRST_REST_SECONDS: Final = 15
MAX_REST_SECONDS: Final = 300

FIRST_DELAY_SECONDS: Final = 5
MAX_DELAY_SECONDS: Final = 6 * 3600

KEPT_SECONDS: Final = 30 * 86_400
"""What was delivered or given up is kept as long."""

PAUSE_SECONDS: Final = 2.0
"""Between two looks while nothing is due; no message is late by more."""

Post = Callable[[str, bytes, Mapping[str, str]], int]
"""Sends a body with headers to a URL and returns the HTTP status, or raises `FetchError`."""


@dataclass(frozen=True)
class Courier:
    """Sends the messages of one installation."""

    database: Database
    home: Home
    """Where the installation's registry is; the issuer in it does not count."""
    key: "Callable[[], Secret]"
    """Opens the installation's webhook key, or gives it when it is open."""
    post: Post
    clock: Clock
    log: "FilteringBoundLogger"
    spread: Callable[[], float] = lambda: random.uniform(0.8, 1.2)  # noqa: S311 - no secret
    """What a delay is multiplied by, so that receivers are not all called at one moment."""

    def run(self, stop: threading.Event) -> None:
        """Do rounds until `stop` is set; a turn that has begun is finished."""
        while not stop.is_set():
            try:
                is_busy = self.round()
            except (ConflictError, StorageError) as error:
                self.log.warning("courier stopped early", code=error.code, reason=error.message)
                is_busy = False
            if not is_busy:
                stop.wait(PAUSE_SECONDS)

    def round(self) -> bool:
        """Turn every event into messages, then give one webhook its turn; False: none was due.

        Raises:
            ConflictError, StorageError: the database did not answer; what was done is done.

        """
        self._tell()
        webhook = self._lease()
        if webhook is None:
            return False
        failures, rests_until = webhook.failures, None
        ends_at = self.clock() + TURN_SECONDS
        while self.clock() < ends_at and (due := self._find_due(webhook)) is not None:
            if self._deliver(webhook, due):
                failures = 0
                continue
            failures += 1
            rests_until = self.clock() + min(
                MAX_REST_SECONDS, FIRST_REST_SECONDS * 2 ** min(failures - 1, 10)
            )
            break
        with self.database.write() as tx:
            store.release_webhook(tx, webhook.id, failures=failures, rests_until=rests_until)
        return True

    def _tell(self) -> None:
        with self.database.read() as tx:
            if not has_event(tx):
                return
        is_told = True
        while is_told:
            with self.database.write() as tx:
                is_told = tell_next(tx, self.home, now=self.clock())
        # What comes makes room for itself.
        with self.database.write() as tx:
            forget_messages(tx, before=self.clock() - KEPT_SECONDS)

    def _lease(self) -> Webhook | None:
        now = self.clock()
        bounds = {"now": now, "seconds": LEASE_SECONDS, "longest_rest": MAX_REST_SECONDS}
        with self.database.read() as tx:
            if not store.is_one_due(tx, **bounds):
                return None
        with self.database.write() as tx:
            webhook = store.lease_webhook(tx, **bounds)
            given_up = give_up_old(tx, webhook.id, now=now) if webhook else 0
        if webhook and given_up:
            self.log.warning("messages given up", webhook=webhook.public_id, count=given_up)
        return webhook

    def _find_due(self, webhook: Webhook) -> DueMessage | None:
        with self.database.read() as tx:
            return find_due(tx, webhook.id, now=self.clock())

    def _deliver(self, webhook: Webhook, due: DueMessage) -> bool:
        """Send one message and note what came of it; return whether it was taken."""
        is_taken, answer = self._post(webhook, due)
        now = self.clock()
        next_at = now + self._delay(due.attempts)
        state = DeliveryState.DELIVERED if is_taken else DeliveryState.WAITING
        if not is_taken and next_at >= due.give_up_at:
            state = DeliveryState.GIVEN_UP
        with self.database.write() as tx:
            note_attempt(tx, due, state=state, answer=answer, next_at=next_at, now=now)
        named = {"webhook": webhook.public_id, "message": due.message, "answer": answer}
        if is_taken:
            self.log.info("message delivered", **named)
        elif state is DeliveryState.GIVEN_UP:
            self.log.warning("message given up", **named)
        else:
            self.log.warning("message not taken", **named, attempts=due.attempts + 1)
        return is_taken

    def _post(self, webhook: Webhook, due: DueMessage) -> tuple[bool, str]:
        now = self.clock()
        secrets = signing_secrets(self.key(), webhook, now=now)
        headers = sign_message(secrets, due.message, due.body, now=now)
        try:
            status = self.post(webhook.url, due.body, headers)
        except FetchError as error:
            return False, error.code
        return 200 <= status < 300, f"HTTP {status}"

    def _delay(self, attempts: int) -> int:
        seconds = min(MAX_DELAY_SECONDS, FIRST_DELAY_SECONDS * 4 ** min(attempts, 10))
        return int(seconds * self.spread())


@contextmanager
def couriers(courier: Courier | None, stop: threading.Event) -> Iterator[None]:
    """Let `COURIERS` of them run beside the block, until it ends.

    Raises:
        Exception: what one of them broke with, a bug; it sets `stop`.

    """
    broken: list[Exception] = []
    is_over = threading.Event()

    def work(one: Courier) -> None:
        try:
            one.run(is_over)
        except Exception as error:  # noqa: BLE001 - raised again below, by the main thread
            broken.append(error)
            stop.set()

    count = COURIERS if courier else 0
    threads = [
        threading.Thread(target=work, args=(courier,), name=f"courier {number}")
        for number in range(count)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    if broken:
        raise broken[0]

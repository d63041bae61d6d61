"""Bring requested status changes to the chain, so that dying at any line does nothing twice.

    1. looked at the newest block      nothing stored     the next run looks again
    2. signed bytes committed, and
       with them whom they serve       waiting            the outbox sends these very bytes
    3. broadcast                       waiting            no run begins before a block has them
    4. the chain says so, finally      done

The chain itself says what is left to do: what is so already is not sent again. While a
transaction of this kind is in no block yet, that cannot be told, so nothing new is sent.
Two processes may be at it: the database lets one of them store a request's transaction.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ledger.batches.credential_status import StatusChange, change_status, revoke_batch
from ledger.batches.requests import store
from ledger.batches.requests.store import StatusRequest
from ledger.batches.store import get_batch
from ledger.chain.outbox import Outbox
from ledger.chain.state import ChainState
from ledger.chain.store import Purpose, TransactionState, list_unfinished
from ledger.chain.transaction import WouldRevertError
from ledger.credentials.store import StoredCredential, get_credentials
from ledger.database import Connection
from ledger.errors import ConflictError
from ledger.primitives import Address

if TYPE_CHECKING:
    from ledger.chain.sender import Sender

REQUESTS_IN_A_RUN: Final = 100

_PASSING: Final = {"not-anchored-yet", "no-such-move"}
"""A reorganisation took the anchor away, which comes back; or another process was faster."""


@dataclass(slots=True)
class _Touched:
    """What this run has sent transactions for; the chain does not show it yet."""

    credentials: set[int] = field(default_factory=set)
    batches: set[int | None] = field(default_factory=set)
    """Of those credentials."""
    whole_batches: set[int | None] = field(default_factory=set)

    def allows(self, request: StatusRequest, members: list[StoredCredential]) -> bool:
        """Return whether what the chain shows is all there is of what `request` is about."""
        if request.batch_id is not None:
            return request.batch_id not in self.batches | self.whole_batches
        return not any(
            one.id in self.credentials or one.batch_id in self.whole_batches for one in members
        )

    def add(self, request: StatusRequest, members: list[StoredCredential]) -> None:
        if request.batch_id is not None:
            self.whole_batches.add(request.batch_id)
        self.credentials.update(one.id for one in members)
        self.batches.update(one.batch_id for one in members)


def carry_out_requested_changes(
    outbox: Outbox, sender: "Sender", registry: Address, state: ChainState
) -> int:
    """Carry out the oldest requests as far as it goes now; return how many have ended.

    Call it after `outbox.settle()`, with the newest `state` the chain has.

    Raises:
        ConflictError: the key cannot pay, gas is too dear, or sending is stopped; the requests
            go on waiting.
        ChainError: the node did not answer; the same.

    """
    with outbox.database.read() as tx:
        under_way = list_unfinished(tx, [Purpose.STATUS])
        waiting = store.list_waiting(tx, limit=REQUESTS_IN_A_RUN)
    if any(transaction.state is TransactionState.STORED for transaction in under_way):
        return 0
    ended, touched = 0, _Touched()
    for request in waiting:
        with outbox.database.read() as tx:
            members = get_credentials(tx, store.list_members(tx, request.id))
        if not touched.allows(request, members):
            continue
        try:
            is_sent = _send(outbox, sender, registry, state, request, members)
        except WouldRevertError as error:
            _end(outbox, request, problem=error.message, now=outbox.clock())
            ended += 1
            continue
        except ConflictError as error:
            if error.code not in _PASSING:
                raise
            continue
        if is_sent:
            touched.add(request, members)
        elif _is_final(outbox, request):
            _end(outbox, request, problem=None, now=outbox.clock())
            ended += 1
    return ended


def _send(
    outbox: Outbox,
    sender: "Sender",
    registry: Address,
    state: ChainState,
    request: StatusRequest,
    members: list[StoredCredential],
) -> bool:
    """Send what the chain does not say yet; return whether there was any."""
    with outbox.database.read() as tx:
        known = len(store.list_sendings(tx, request.id))

    def note(tx: Connection, row: int) -> None:
        nonlocal known
        store.add_sending(tx, request.id, row, known=known)
        known += 1

    if request.batch_id is None:
        change = StatusChange(request.action, request.reason)
        return bool(change_status(outbox, sender, registry, state, members, change, on_stored=note))
    with outbox.database.read() as tx:
        batch = get_batch(tx, request.batch_id)
    row = revoke_batch(
        outbox, sender, registry, state, batch, reason=request.reason, on_stored=note
    )
    return row is not None


def _is_final(outbox: Outbox, request: StatusRequest) -> bool:
    with outbox.database.read() as tx:
        return all(sending.is_final for sending in store.list_sendings(tx, request.id))


def _end(outbox: Outbox, request: StatusRequest, *, problem: str | None, now: int) -> None:
    with outbox.database.write() as tx:
        store.end_request(tx, request.id, problem=problem, now=now)

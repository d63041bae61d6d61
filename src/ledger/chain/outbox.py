"""Send a transaction so that dying at any line neither loses it nor sends it twice.

    1. looked and tried: `Sender.prepare`   nothing stored    the next run starts over
    2. nonce taken, bytes signed, both
       committed with what they are for     STORED            `resend` sends these very bytes
    3. broadcast to every endpoint          STORED            sent again they are "already known"
    4. noted as sent                        STORED            left alone for `resend_seconds`
    5. found in a block                     INCLUDED          looked at again at every `settle`
    6. its nonce used in a final block      FINAL

Signing another call after 2 would spend a second nonce and do the thing twice, so only
stored bytes are ever sent, and what replaces them has the same nonce and is stored
before it is sent, too. A reorganisation takes a transaction from 5 back to 4. A block
that was final never changes; if one does, all sending stops until a person resumes.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.chain import settlement, store
from ledger.chain.alarms.store import (
    LOW_BALANCE,
    NOT_TAKEN,
    Alarm,
    check_sending,
    clear_alarm,
    raise_alarm,
)
from ledger.chain.broadcasting import broadcast
from ledger.chain.fees import Fees, is_below_market, replacement_fees
from ledger.chain.nonces import store as nonces
from ledger.chain.rpc import JsonRpc
from ledger.chain.settlement import Settlement
from ledger.chain.store import Attempt, Outcome, Purpose, StoredTransaction, TransactionState
from ledger.chain.transaction import Call, SignedTransaction
from ledger.clock import Clock, now
from ledger.database import Connection, Database
from ledger.errors import ChainError, ConflictError
from ledger.primitives import format_address

if TYPE_CHECKING:
    from ledger.chain.sender import Prepared, Sender

POLL_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Outbox:
    """The way to the chain for one installation's transactions."""

    database: Database
    rpc: JsonRpc
    """What is read: one endpoint, or several that must agree."""
    endpoints: tuple[JsonRpc, ...]
    """Where signed bytes are sent: to all."""
    chain: int
    finality: str = "finalized"
    """The block tag that makes a transaction final."""
    confirmations: int = 1
    """How many blocks, its own included, make an anchor confirmed."""
    resend_seconds: int = 30
    """How long bytes are left alone that an endpoint took and no block has."""
    replace_seconds: int = 120
    """How long an attempt has before one with higher fees may follow it."""
    low_balance_transactions: int = 0
    """An alarm is raised when a key can pay for fewer transactions than this."""
    clock: Clock = now

    def submit(
        self,
        sender: "Sender",
        call: Call,
        purpose: Purpose,
        *,
        on_stored: Callable[[Connection, int], None] = lambda _tx, _id: None,
    ) -> int:
        """Sign, store and broadcast `call`; return its transaction's row id.

        `on_stored` runs in the database transaction that stores the signed bytes, so that
        whatever the transaction is for knows of it at the same moment.

        Raises:
            WouldRevertError, ConflictError: as `Sender.prepare`; or sending is stopped, or the
                chain knows more transactions of this key than the database. Nothing was stored.
            ChainError: no endpoint answered. If the bytes were stored by then, the next
                `resend` sends them again.

        """
        with self.database.read() as tx:
            # Before the chain is asked: to know of its answer, somebody must have looked into
            # what stops us.
            check_sending(tx)
        prepared = sender.prepare(call)
        with self.database.write() as tx:
            check_sending(tx)
            nonce = nonces.take_nonce(tx, sender.address, chain_nonce=prepared.chain_nonce)
            signed = sender.sign(prepared, nonce=nonce)
            row = store.add_transaction(
                tx,
                purpose=purpose,
                sender=sender.address,
                nonce=nonce,
                transaction_hash=signed.hash,
                raw=signed.raw,
                now=self.clock(),
            )
            on_stored(tx, row)
            self._watch_balance(tx, sender, prepared)
        if refusal := self._send_newest([row]):
            raise refusal
        return row

    def settle(self) -> Settlement:
        """Bring every unfinished transaction to where the chain says it is.

        The number of requests does not grow with the number of transactions.

        Raises:
            ConflictError: a block that was final is no more (`final-reorg`): sending is stopped.
            ChainError: the chain could not be asked, or the endpoint is behind what it, or
                another, said before. Nothing changed.

        """
        return settlement.settle(
            self.database,
            self.rpc,
            chain=self.chain,
            finality=self.finality,
            confirmations=self.confirmations,
            now=self.clock(),
        )

    def accept_chain(self) -> list[Alarm]:
        """Take the chain as it is now, for a person who knows why; return the cleared alarms.

        Raises:
            ChainError: as `settlement.accept_chain`.

        """
        return settlement.accept_chain(
            self.database, self.rpc, chain=self.chain, finality=self.finality
        )

    def resend(self) -> None:
        """Broadcast again what no block has, oldest nonce first.

        What an endpoint took is left alone for `resend_seconds`. What every endpoint refuses
        raises an alarm.

        Raises:
            ConflictError: sending is stopped.
            ChainError: no endpoint could be asked about some; the others were sent.

        """
        with self.database.read() as tx:
            waiting = [t for t in store.list_unfinished(tx) if t.state is TransactionState.STORED]
            rows = [
                t.id
                for t in waiting
                if self._is_past(t.attempts[-1].sent_at or 0, self.resend_seconds)
            ]
            if rows:
                check_sending(tx)
        self._send_newest(rows)

    def replace(self, sender: "Sender") -> list[int]:
        """Offer more for what waits too long below the market; return those transactions' ids.

        Nothing is replaced while the market would take what was offered, nor beyond the
        sender's limits: those bytes are sent again as they are.

        Raises:
            ConflictError: sending is stopped, or as `Sender.market`.
            ChainError: no endpoint answered.

        """
        with self.database.read() as tx:
            waiting = [t for t in store.list_unfinished(tx) if _waits(t, sender)]
        slow = [t for t in waiting if self._is_past(t.attempts[-1].stored_at, self.replace_seconds)]
        market = sender.market() if slow else None
        replaced = []
        for transaction in slow:
            assert market is not None  # noqa: S101 - something is slow
            offered = _fees_of(transaction.attempts[-1])
            if not is_below_market(offered, market, sender.limits):
                continue
            fees = replacement_fees(offered, market, sender.limits)
            if fees is not None and self._store_attempt(sender, transaction, fees, empty=False):
                replaced.append(transaction.id)
        self._send_newest(replaced)
        return replaced

    def cancel(self, sender: "Sender", transaction_id: int) -> None:
        """Replace a transaction that waits with an empty one at the same nonce.

        Which of the two a block takes is decided by the chain alone.

        Raises:
            ConflictError: it is in a block already, or another key's, or the limits forbid to
                offer more; or sending is stopped.
            ChainError: no endpoint answered.

        """
        with self.database.read() as tx:
            transaction = store.get_transaction(tx, transaction_id)
        if not _waits(transaction, sender):
            raise ConflictError(
                "not-waiting", "it is too late: the transaction is in a block, or not this key's"
            )
        offered = _fees_of(transaction.attempts[-1])
        fees = replacement_fees(offered, sender.market(), sender.limits)
        if fees is None:
            raise ConflictError(
                "fees-too-high",
                "cancelling must offer a tenth more than was offered, and the ceilings forbid it",
            )
        if self._store_attempt(sender, transaction, fees, empty=True):
            self._send_newest([transaction_id])

    def wait(
        self,
        transaction_ids: Iterable[int],
        *,
        state: TransactionState,
        timeout_seconds: float,
        on_poll: Callable[[], None] = lambda: None,
    ) -> list[StoredTransaction]:
        """Settle until all these transactions have come to `state`, and return them.

        Raises:
            ConflictError: one was reverted or lost its nonce, or the time ran out; nothing is
                lost. Or as `settle`.
            ChainError: the node stopped answering.

        """
        ids = list(transaction_ids)
        deadline = time.monotonic() + timeout_seconds
        while True:
            self.settle()
            on_poll()
            with self.database.read() as tx:
                found = [store.get_transaction(tx, row) for row in ids]
            for transaction in found:
                _check_outcome(transaction)
            if all(t.state in {state, TransactionState.FINAL} for t in found):
                return found
            if time.monotonic() > deadline:
                raise ConflictError(
                    "not-yet", "the chain has not come that far yet: run the command again later"
                )
            self.resend()
            time.sleep(POLL_SECONDS)

    def _is_past(self, moment: int, seconds: int) -> bool:
        """Return whether `moment` is so long ago, or to come: then the clock was set back."""
        now = self.clock()
        return not now - seconds < moment <= now

    def _watch_balance(self, tx: Connection, sender: "Sender", prepared: "Prepared") -> None:
        """Raise the alarm when the key can soon pay no more, and end it when it can again."""
        address = format_address(sender.address)
        if prepared.left >= self.low_balance_transactions:
            clear_alarm(tx, LOW_BALANCE, address)
            return
        message = f"{address} can pay for {prepared.left} more transactions like the last: fund it"
        alarm = Alarm(LOW_BALANCE, address, message, self.clock(), stops_sending=False)
        raise_alarm(tx, alarm)

    def _store_attempt(
        self, sender: "Sender", transaction: StoredTransaction, fees: Fees, *, empty: bool
    ) -> bool:
        """Sign and store other bytes for a nonce; False when somebody else was faster.

        1. nothing stored      the next run looks again
        2. bytes committed     `resend` sends them, and never the older ones again
        """
        newest = transaction.attempts[-1]
        with self.database.write() as tx:
            check_sending(tx)
            nonces.lock_sender(tx, sender.address)
            current = store.get_transaction(tx, transaction.id)
            if not _waits(current, sender) or current.attempts[-1].id != newest.id:
                return False
            # What was cancelled stays cancelled: only its fees are raised.
            is_empty = empty or newest.is_empty
            signed = _sign_attempt(sender, current, fees, is_empty=is_empty)
            store.add_attempt(
                tx,
                transaction.id,
                transaction_hash=signed.hash,
                raw=signed.raw,
                is_empty=is_empty,
                now=self.clock(),
            )
        return True

    def _send_newest(self, transaction_ids: Iterable[int]) -> ChainError | None:
        """Broadcast the newest attempt of each, note which were taken, and tell of the others.

        One that is refused must not keep the others from being sent: it raises an alarm, and
        the last refusal is returned.

        Raises:
            ChainError: no endpoint could be asked about some; the others were sent.

        """
        silent: ChainError | None = None
        taken: list[StoredTransaction] = []
        refused: list[tuple[StoredTransaction, ChainError]] = []
        with self.database.read() as tx:
            found = [store.get_transaction(tx, row) for row in transaction_ids]
        for transaction in found:
            try:
                if broadcast(self.endpoints, transaction.attempts[-1].raw):
                    taken.append(transaction)
            except ChainError as error:
                if error.code == NOT_TAKEN:
                    refused.append((transaction, error))
                else:
                    silent = silent or error
        if taken or refused:
            with self.database.write() as tx:
                store.mark_sent(tx, [t.attempts[-1].id for t in taken], now=self.clock())
                for transaction in taken:
                    clear_alarm(tx, NOT_TAKEN, transaction.name)
                for transaction, refusal in refused:
                    alarm = Alarm(NOT_TAKEN, transaction.name, refusal.message, self.clock(), False)
                    raise_alarm(tx, alarm)
        if silent is not None:
            raise silent
        return refused[-1][1] if refused else None


def _waits(transaction: StoredTransaction, sender: "Sender") -> bool:
    is_ours = transaction.sender == sender.address
    return is_ours and transaction.state is TransactionState.STORED


def _fees_of(attempt: Attempt) -> Fees:
    from ledger.chain.sender import fees_of

    return fees_of(attempt.raw)


def _sign_attempt(
    sender: "Sender", transaction: StoredTransaction, fees: Fees, *, is_empty: bool
) -> SignedTransaction:
    if is_empty:
        return sender.sign_empty(transaction.nonce, fees)
    return sender.sign_again(transaction.attempts[-1].raw, fees)


def _check_outcome(transaction: StoredTransaction) -> None:
    match transaction.outcome:
        case Outcome.REVERTED:
            raise ConflictError(
                "reverted",
                f"the chain reverted transaction 0x{transaction.hash.hex()}: "
                "look it up, mend the cause, then try again",
            )
        case Outcome.CANCELLED | Outcome.FOREIGN:
            raise ConflictError(
                "nonce-lost",
                f"another transaction took nonce {transaction.nonce} ({transaction.outcome}): "
                "nothing was done; run the command again",
            )
        case _:
            return

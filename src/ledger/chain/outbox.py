"""Send a transaction so that dying at any line neither loses it nor sends it twice.

    1. tried: `eth_call`, gas, fees    nothing stored     the next run starts over
    2. nonce taken, bytes signed,
       both committed in one go        STORED             `settle` sends these very bytes
    3. broadcast                       STORED             sent again they are "already known"
    4. found in a block                INCLUDED           looked at again at every settle
    5. the block is final              FINAL

Signing again after 2 would spend a second nonce and do the thing twice, so the
stored bytes are the only ones that are ever sent for their nonce. A reorganisation
takes a transaction from 4 back to 3.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ledger.chain import store
from ledger.chain.rpc import JsonRpc, parse_hash, parse_quantity
from ledger.chain.store import Purpose, StoredTransaction, TransactionState
from ledger.chain.transaction import Call
from ledger.clock import now
from ledger.database import Connection, Database
from ledger.errors import ChainError, ConflictError
from ledger.primitives import Hash32

if TYPE_CHECKING:
    from ledger.chain.sender import Sender

POLL_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Outbox:
    """The way to the chain for one installation's transactions."""

    database: Database
    rpc: JsonRpc
    endpoints: tuple[str, ...]
    """Where signed bytes are sent: to all."""
    finality: str
    """The block tag that makes a transaction final."""

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
            WouldRevertError: the contract would refuse it; nothing was stored.
            ConflictError: the key cannot pay, gas is too dear, or the chain knows more
                transactions of this key than the database; nothing was stored.
            ChainError: the node did not answer. If the bytes were stored by then, the next
                `settle` sends them again.

        """
        gas, fees = sender.prepare(call)
        chain_nonce = sender.transaction_count()
        with self.database.write() as tx:
            nonce = store.take_nonce(tx, sender.address, chain_nonce=chain_nonce)
            signed = sender.sign(call, nonce=nonce, gas=gas, fees=fees)
            row = store.add_transaction(
                tx,
                purpose=purpose,
                sender=sender.address,
                nonce=nonce,
                transaction_hash=signed.hash,
                raw=signed.raw,
                now=now(),
            )
            on_stored(tx, row)
        self._broadcast(signed.raw)
        return row

    def settle(self) -> None:
        """Bring every unfinished transaction to where the chain says it is.

        Three requests, whatever the number of transactions; what no block has is sent again.

        Raises:
            ChainError: the node did not answer; nothing changed.

        """
        with self.database.read() as tx:
            waiting = store.list_unfinished(tx)
        if not waiting:
            return
        final, *receipts = self.rpc.batch(
            [
                ("eth_getBlockByNumber", [self.finality, False]),
                *(("eth_getTransactionReceipt", ["0x" + t.hash.hex()]) for t in waiting),
            ]
        )
        receipts = [_receipt(value) for value in receipts]
        final_number = parse_quantity(final.get("number")) if isinstance(final, dict) else 0
        canonical = self._canonical_hashes(receipts)
        with self.database.write() as tx:
            for transaction, receipt in zip(waiting, receipts, strict=True):
                _record(tx, transaction, receipt, canonical, final_number)
        for transaction, receipt in zip(waiting, receipts, strict=True):
            if receipt is None:
                self._broadcast(transaction.raw)

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
            ConflictError: one was reverted, or the time ran out; nothing is lost.
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
                if transaction.succeeded is False:
                    raise ConflictError(
                        "reverted",
                        f"the chain reverted transaction 0x{transaction.hash.hex()}: "
                        "look it up, mend the cause, then try again",
                    )
            if all(t.state in {state, TransactionState.FINAL} for t in found):
                return found
            if time.monotonic() > deadline:
                raise ConflictError(
                    "not-yet", "the chain has not come that far yet: run the command again later"
                )
            time.sleep(POLL_SECONDS)

    def _broadcast(self, raw: bytes) -> None:
        from ledger.chain.sender import broadcast

        broadcast(self.endpoints, raw)

    def _canonical_hashes(self, receipts: list[Any]) -> dict[int, Hash32]:
        """Return the hash of every block that a receipt names by number."""
        numbers = sorted({parse_quantity(r.get("blockNumber")) for r in receipts if r})
        blocks = self.rpc.batch([("eth_getBlockByNumber", [hex(n), False]) for n in numbers])
        return {
            n: parse_hash(block.get("hash"))
            for n, block in zip(numbers, blocks, strict=True)
            if block
        }


def _receipt(value: object) -> dict[str, Any] | None:
    if value is not None and not isinstance(value, dict):
        raise ChainError("rpc-malformed", "the node gave no receipt for a receipt")
    return value


def _record(
    tx: Connection,
    transaction: StoredTransaction,
    receipt: dict[str, Any] | None,
    canonical: dict[int, Hash32],
    final_number: int,
) -> None:
    """Write what one receipt says; a receipt from a block that is no more says nothing."""
    if receipt is None or not _is_canonical(receipt, canonical):
        if transaction.state is TransactionState.INCLUDED:
            store.forget_receipt(tx, transaction.id)
        return
    number = parse_quantity(receipt.get("blockNumber"))
    store.record_receipt(
        tx,
        transaction.id,
        state=TransactionState.FINAL if number <= final_number else TransactionState.INCLUDED,
        succeeded=parse_quantity(receipt.get("status")) == 1,
        block_number=number,
        block_hash=parse_hash(receipt.get("blockHash")),
        gas_used=parse_quantity(receipt.get("gasUsed")),
        gas_price_wei=parse_quantity(receipt.get("effectiveGasPrice")),
    )


def _is_canonical(receipt: dict[str, Any], canonical: dict[int, Hash32]) -> bool:
    number = parse_quantity(receipt.get("blockNumber"))
    return canonical.get(number) == parse_hash(receipt.get("blockHash"))

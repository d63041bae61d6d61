"""Look where the chain has our transactions, and write it down.

    1. the newest and the final block, to which enough endpoints have come
    2. the checkpoint's block again, every attempt's receipt, and how many transactions of
       each key the final block counts
    3. the hash that every block named by a receipt has now
    4. one database transaction with all of it, and the final block as the new checkpoint

A process that dies before 4 has changed nothing. A receipt counts only when its block
is still the one of its number. Who won a nonce is decided when it is final: a key's
final count is above the nonce, and no attempt of ours is in a block.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ledger.chain import store
from ledger.chain.alarms.store import NOT_TAKEN, Alarm, clear_alarm, list_alarms, raise_alarm
from ledger.chain.nonces import store as nonces
from ledger.chain.rpc import Call, JsonRpc, parse_hash, parse_quantity
from ledger.chain.state import Block, read_blocks
from ledger.chain.store import Inclusion, Outcome, StoredTransaction, TransactionState
from ledger.database import Connection, Database
from ledger.errors import ChainError, ConflictError
from ledger.primitives import Address, Hash32, format_address

PAGE_TRANSACTIONS: Final = 100
"""Final transactions looked at again at once."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """The blocks at which the chain was looked at; everything else is in the database."""

    latest: Block
    confirmed: Block
    """The newest with enough blocks on top, itself included, to count on."""
    final: Block


@dataclass(frozen=True, slots=True)
class _Answers:
    """What the chain says of some transactions."""

    inclusions: dict[int, Inclusion]
    """By transaction id."""
    final_counts: dict[Address, int]
    checkpoint: Hash32 | None


def settle(
    database: Database, rpc: JsonRpc, *, chain: int, finality: str, confirmations: int, now: int
) -> Settlement:
    """Bring every unfinished transaction to where the chain says it is.

    Raises:
        ConflictError: the block that was final last time is no more; sending is stopped.
        ChainError: the chain could not be asked, or is behind what was final last time.

    """
    with database.read() as tx:
        waiting = store.list_unfinished(tx)
        checkpoint = store.read_checkpoint(tx, chain)
    latest, final = read_blocks(rpc, ["latest", finality], chain=chain)
    if checkpoint and latest.number < checkpoint[0]:
        raise ChainError(
            "stale-node",
            f"the endpoint is at block {latest.number}, and block {checkpoint[0]} was final "
            "already: it lags, or its chain was started anew",
        )
    number = checkpoint[0] if checkpoint else None
    answers = _ask(rpc, waiting, latest=latest, final=final, checkpoint=number)
    if checkpoint and answers.checkpoint != checkpoint[1]:
        raise _stop(database, checkpoint, now=now)
    with database.write() as tx:
        # Another process may have been faster, or have stored an attempt nobody asked about.
        current = {t.id: t for t in store.list_unfinished(tx)}
        for transaction in waiting:
            if current.get(transaction.id) == transaction:
                _record(tx, transaction, answers, final=final, now=now)
        if checkpoint is None or final.number > checkpoint[0]:
            store.write_checkpoint(tx, chain, final.number, final.hash)
    confirmed = _below(rpc, latest, confirmations - 1)
    return Settlement(latest=latest, confirmed=confirmed, final=final)


def _below(rpc: JsonRpc, latest: Block, depth: int) -> Block:
    """Return the block `depth` blocks below the newest."""
    if depth == 0:
        return latest
    (block,) = read_blocks(rpc, [hex(max(0, latest.number - depth))])
    return block


def accept_chain(database: Database, rpc: JsonRpc, *, chain: int, finality: str) -> list[Alarm]:
    """Take the chain as it is now, and clear every alarm; return what was cleared.

    For a person who has looked into the alarms, and for nobody else. Forgets what blocks
    said that are no more although they were final, and goes on from where the chain is
    with every key that was used elsewhere.

    Raises:
        ChainError: the chain could not be asked; nothing changed.

    """
    (final,) = read_blocks(rpc, [finality], chain=chain)
    while _forget_lost(database, rpc):
        pass
    with database.read() as tx:
        keys = nonces.list_senders(tx)
    calls: list[Call] = [
        ("eth_getTransactionCount", [format_address(key), "pending"]) for key in keys
    ]
    counts = rpc.ask(calls, lambda results: [parse_quantity(result) for result in results])
    with database.write() as tx:
        for key, count in zip(keys, counts, strict=True):
            if count > nonces.lock_sender(tx, key):
                nonces.accept_nonce(tx, key, count)
        store.write_checkpoint(tx, chain, final.number, final.hash)
        cleared = list_alarms(tx)
        for alarm in cleared:
            clear_alarm(tx, alarm.code, alarm.subject)
    return cleared


def _forget_lost(database: Database, rpc: JsonRpc) -> bool:
    """Forget what the newest blocks said of us that are no more; return whether to go on below.

    Below a block that is still there, all are.
    """
    with database.read() as tx:
        newest = store.list_newest_final(tx, limit=PAGE_TRANSACTIONS)
    hashes = _block_hashes(rpc, {t.block_number for t in newest if t.block_number is not None})
    lost = [t for t in newest if hashes.get(t.block_number or 0) != t.block_hash]
    if lost:
        with database.write() as tx:
            for transaction in lost:
                store.forget_inclusion(tx, transaction.id)
    return bool(lost) and len(lost) == len(newest)


def _stop(database: Database, checkpoint: tuple[int, Hash32], *, now: int) -> ConflictError:
    message = f"block {checkpoint[0]} was final with hash 0x{checkpoint[1].hex()} and is no more"
    with database.write() as tx:
        raise_alarm(tx, Alarm("final-reorg", str(checkpoint[0]), message, now, True))
    return ConflictError(
        "final-reorg", f"{message}. Nothing is sent: look into it, then run `ledger resume`"
    )


def _ask(
    rpc: JsonRpc,
    waiting: Sequence[StoredTransaction],
    *,
    latest: Block,
    final: Block,
    checkpoint: int | None,
) -> _Answers:
    hashes = [(t, attempt) for t in waiting for attempt in t.attempts]
    keys = sorted({t.sender for t in waiting})
    at_final = {"blockHash": "0x" + final.hash.hex(), "requireCanonical": True}
    calls: list[Call] = [
        ("eth_getBlockByNumber", [hex(checkpoint or 0), False]),
        *(("eth_getTransactionReceipt", ["0x" + a.hash.hex()]) for _, a in hashes),
        *(("eth_getTransactionCount", [format_address(key), at_final]) for key in keys),
    ]

    def parse(results: list[Any]) -> tuple[Any, list[Any], list[int]]:
        receipts = [_receipt(value, latest) for value in results[1 : 1 + len(hashes)]]
        counts = [parse_quantity(value) for value in results[1 + len(hashes) :]]
        return _hash_of(results[0]), receipts, counts

    found, receipts, counts = rpc.ask(calls, parse)
    canonical = _block_hashes(rpc, {receipt[0] for receipt in receipts if receipt})
    inclusions = {}
    for (transaction, attempt), receipt in zip(hashes, receipts, strict=True):
        if receipt and canonical.get(receipt[0]) == receipt[1]:
            number, block_hash, succeeded, gas_used, gas_price_wei = receipt
            inclusions[transaction.id] = Inclusion(
                hash=attempt.hash,
                outcome=_outcome(is_empty=attempt.is_empty, succeeded=succeeded),
                block_number=number,
                block_hash=block_hash,
                gas_used=gas_used,
                gas_price_wei=gas_price_wei,
            )
    return _Answers(inclusions, dict(zip(keys, counts, strict=True)), found)


def _outcome(*, is_empty: bool, succeeded: bool) -> Outcome:
    if is_empty:
        return Outcome.CANCELLED
    return Outcome.DONE if succeeded else Outcome.REVERTED


def _receipt(value: object, latest: Block) -> tuple[int, Hash32, bool, int, int] | None:
    """Read a receipt; one from beyond the newest agreed block is not there yet."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ChainError("rpc-malformed", "the node gave no receipt for a receipt")
    number = parse_quantity(value.get("blockNumber"))
    if number > latest.number:
        return None
    return (
        number,
        parse_hash(value.get("blockHash")),
        parse_quantity(value.get("status")) == 1,
        parse_quantity(value.get("gasUsed")),
        parse_quantity(value.get("effectiveGasPrice")),
    )


def _hash_of(block: object) -> Hash32 | None:
    return parse_hash(block.get("hash")) if isinstance(block, dict) else None


def _block_hashes(rpc: JsonRpc, numbers: Iterable[int]) -> dict[int, Hash32 | None]:
    """Return the hash that the chain has now at each of these heights."""
    asked = sorted(numbers)
    calls: list[Call] = [("eth_getBlockByNumber", [hex(number), False]) for number in asked]
    hashes = rpc.ask(calls, lambda blocks: [_hash_of(block) for block in blocks])
    return dict(zip(asked, hashes, strict=True))


def _record(
    tx: Connection, transaction: StoredTransaction, answers: _Answers, *, final: Block, now: int
) -> None:
    """Write what the chain says of one transaction."""
    inclusion = answers.inclusions.get(transaction.id)
    if inclusion is not None:
        is_final = inclusion.block_number <= final.number
        store.record_inclusion(tx, transaction.id, inclusion, is_final=is_final)
        clear_alarm(tx, NOT_TAKEN, transaction.name)
    elif answers.final_counts[transaction.sender] > transaction.nonce:
        store.record_foreign_winner(tx, transaction.id)
        clear_alarm(tx, NOT_TAKEN, transaction.name)
        raise_alarm(tx, _foreign_winner(transaction, now=now))
    elif transaction.state is TransactionState.INCLUDED:
        store.forget_inclusion(tx, transaction.id)


def _foreign_winner(transaction: StoredTransaction, *, now: int) -> Alarm:
    address = format_address(transaction.sender)
    return Alarm(
        "foreign-nonce",
        transaction.name,
        f"nonce {transaction.nonce} of {address} was used by a transaction that was not signed "
        "here: the key is shared or stolen",
        now,
        stops_sending=False,
    )

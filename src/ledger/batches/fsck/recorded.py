"""Compare what is stored with what the registry has: the last step of all.

Anchors that are final here are looked up at the final block, confirmed ones at the
newest. What the chain has and this installation does not yet know of is no finding: the
next `ledger anchor` learns it.
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from ledger.batches import store
from ledger.batches.fsck.finding import Finding, about
from ledger.batches.records import RecordReader
from ledger.batches.status import BatchStatus
from ledger.batches.store import Batch
from ledger.chain.nonces.store import list_senders
from ledger.chain.registry.slots import AnchorRecord
from ledger.chain.rpc import JsonRpc, parse_quantity
from ledger.chain.state import Block, read_blocks
from ledger.database import Connection
from ledger.primitives import Address, format_address


def check_chain(
    tx: Connection, rpc: JsonRpc, *, chain: int, registry: Address, finality: str
) -> Iterator[Finding]:
    """Check every anchored batch against its record, and every key's nonces.

    Raises:
        ChainError: the chain could not be asked.

    """
    own = list_senders(tx)
    yield from _check_counts(rpc, own)
    latest, final = read_blocks(rpc, ["latest", finality], chain=chain)
    reader = RecordReader(rpc, chain, registry)
    for status, block in ((BatchStatus.FINAL, final), (BatchStatus.CONFIRMED, latest)):
        anchored = store.read_batches(tx, [status])
        while page := list(islice(anchored, store.PAGE_BATCHES)):
            yield from _check_records(reader, page, block, latest, own.keys())


def _check_counts(rpc: JsonRpc, own: dict[Address, int]) -> Iterator[Finding]:
    counts = rpc.batch([("eth_getTransactionCount", [format_address(k), "latest"]) for k in own])
    for (key, next_nonce), count in zip(own.items(), map(parse_quantity, counts), strict=True):
        if count > next_nonce:
            yield Finding(
                "nonce-ahead",
                f"key {format_address(key)}",
                f"the chain has {count} transactions of it, and {next_nonce} were signed here",
            )


def _check_records(
    reader: RecordReader,
    page: Sequence[Batch],
    block: Block,
    latest: Block,
    own: Collection[Address],
) -> Iterator[Finding]:
    records = reader.records(page, block)
    makers = {(b.issuer, records[b.id].operator) for b in page if b.id in records}
    operators = reader.operators(makers, latest)
    for batch in page:
        record = records.get(batch.id)
        if record is None:
            yield about(
                batch, "anchor", f"the registry has no anchor of it at block {block.number}"
            )
            continue
        yield from _check_record(batch, record, own)
        if not operators[batch.issuer, record.operator].is_trusted_at(record.time):
            yield about(
                batch,
                "compromised",
                "a key that was compromised anchored it: run `ledger anchor --again`",
            )


def _check_record(
    batch: Batch, record: AnchorRecord, own: Collection[Address]
) -> Iterator[Finding]:
    if record.size != batch.size:
        yield about(batch, "anchor", f"it is anchored with size {record.size}, not {batch.size}")
    if record.operator not in own:
        maker = format_address(record.operator)
        yield about(batch, "anchor", f"{maker} anchored it, a key that never signed here")
    if record.time != batch.anchored_at:
        yield about(
            batch, "anchor", f"it is anchored at time {record.time}, not {batch.anchored_at}"
        )

"""All checks of an installation, one after the other.

`ledger fsck` runs them, and every test that makes something fail ends in them.
"""

from collections.abc import Iterator
from pathlib import Path

from ledger.batches.fsck.delivered import check_badges
from ledger.batches.fsck.finding import Finding
from ledger.batches.fsck.recorded import check_chain
from ledger.batches.fsck.stored import check_database
from ledger.chain.rpc import JsonRpc
from ledger.database import Connection
from ledger.primitives import Address


def check_registry(
    tx: Connection,
    rpc: JsonRpc | None,
    *,
    chain: int,
    registry: Address,
    finality: str,
    badges: Path | None,
) -> Iterator[Finding]:
    """Check what is stored; with `rpc`, what the chain has of it; with `badges`, what is there.

    Raises:
        ChainError: the chain could not be asked.
        MalformedInputError: there is no folder `badges`.

    """
    yield from check_database(tx)
    if badges is not None:
        yield from check_badges(tx, badges, chain=chain, registry=registry)
    if rpc is not None:
        yield from check_chain(tx, rpc, chain=chain, registry=registry, finality=finality)

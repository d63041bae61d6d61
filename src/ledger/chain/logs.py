"""The registry's events as nodes give them in receipts and log queries."""

from typing import Any

from ledger.chain.registry.events import Event, Log, decode_event
from ledger.chain.rpc import JsonRpc, parse_data, parse_hash, parse_quantity
from ledger.errors import ChainError
from ledger.primitives import Address, Hash32


def parse_log(value: dict[str, Any]) -> Log:
    """Read one log object of the JSON-RPC interface.

    Raises:
        ChainError: a field is missing or is not what the interface says.

    """
    try:
        return Log(
            address=Address(parse_data(value["address"])),
            topics=tuple(parse_hash(topic) for topic in value["topics"]),
            data=parse_data(value["data"]),
            block_number=parse_quantity(value["blockNumber"]),
            block_hash=parse_hash(value["blockHash"]),
            transaction=parse_hash(value["transactionHash"]),
            index=parse_quantity(value["logIndex"]),
        )
    except (KeyError, TypeError):
        raise ChainError("rpc-malformed", "the node gave a log without its fields") from None


def read_events(rpc: JsonRpc, registry: Address, transaction: Hash32) -> list[Event]:
    """Return the registry's events of one included transaction, in order.

    Raises:
        ChainError: the node does not have its receipt.

    """
    receipt = rpc.call("eth_getTransactionReceipt", ["0x" + transaction.hex()])
    if not isinstance(receipt, dict) or "logs" not in receipt:
        raise ChainError("no-receipt", "the node has no receipt of a transaction it included")
    logs = [parse_log(log) for log in receipt["logs"]]
    return [decode_event(log) for log in logs if log.address == registry]

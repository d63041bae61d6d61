"""Why the chain reverted a transaction, in words for people."""

from collections.abc import Iterable

from ledger.chain.registry.calls import Revert, decode_revert
from ledger.chain.rpc import JsonRpc, RpcError, parse_data
from ledger.chain.transaction import Call
from ledger.errors import ChainError
from ledger.primitives import Address, format_address


def explain_revert(
    endpoints: Iterable[JsonRpc], call: Call, *, sender: Address, block_number: int
) -> str:
    """Return why `call` fails on the state that a block left, as the first endpoint says.

    A receipt has no reason in it, so the call is run again. The words are for a person;
    nothing is decided by them, and so no endpoint has to agree with another.
    """
    asked = {
        "from": format_address(sender),
        "to": format_address(call.to),
        "data": "0x" + call.data.hex(),
    }
    for rpc in endpoints:
        try:
            rpc.call("eth_call", [asked, hex(block_number)])
        except RpcError as error:
            return f"the chain reverted it: {find_revert(error.node_data) or error.node_message}"
        except ChainError:
            continue
        return "the chain reverted it, and would not now: perhaps it ran out of gas"
    return "the chain reverted it; no endpoint could say why"


def find_revert(data: object) -> Revert | None:
    """Read the registry's own error out of what a node gives beside its words."""
    try:
        return decode_revert(parse_data(data))
    except ChainError:
        return None

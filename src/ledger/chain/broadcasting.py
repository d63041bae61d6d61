"""Give signed bytes to every endpoint, and tell what none of them took.

What a refusal means is in `ledger.chain.refusals`. A broadcast is no proof of anything:
only the chain tells what became of the bytes.
"""

from collections.abc import Iterable

from ledger.chain.refusals import PENDING, TAKEN, Refusal, classify
from ledger.chain.rpc import JsonRpc, RpcError
from ledger.errors import ChainError


def broadcast(endpoints: Iterable[JsonRpc], raw: bytes) -> bool:
    """Give signed bytes to every endpoint; return whether one took them or has them already.

    Raises:
        ChainError: none took them, and one has another reason than that their time has not
            come. They may have arrived all the same: the next look at the chain tells.

    """
    refused: ChainError | None = None
    is_taken = False
    for rpc in endpoints:
        try:
            rpc.call("eth_sendRawTransaction", ["0x" + raw.hex()])
            is_taken = True
        except RpcError as error:
            refusal = classify(error.node_message)
            is_taken = is_taken or refusal in TAKEN
            if refusal not in PENDING:
                refused = refused or _not_taken(refusal, error)
        except ChainError as error:
            refused = refused or error
    if not is_taken and refused is not None:
        raise refused
    return is_taken


def _not_taken(refusal: Refusal, error: RpcError) -> ChainError:
    return ChainError(
        "not-taken",
        f"the transaction is stored, and no endpoint took it ({refusal}): {error.message}; "
        "it is sent again at the next run",
    )

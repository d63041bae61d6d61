"""Find out who has ever accredited an issuer: the contract keeps no list, its events do.

Each accreditation is the accreditor's event, so the issuer's own history does not have it.
What a node says here only decides what is asked next; the words themselves are proved.
"""

from ledger.chain.logs import parse_log
from ledger.chain.registry.events import TOPIC, decode_event
from ledger.chain.registry.slots import word
from ledger.chain.rpc import JsonRpc
from ledger.errors import ChainError
from ledger.primitives import Address, format_address


def list_accreditors(rpc: JsonRpc, registry: Address, issuer: int, *, until: int) -> list[int]:
    """Return who has accredited `issuer` up to block `until`, as far as the node says.

    Lowest numbers first: whoever registers many issuers to crowd out others comes last.

    Raises:
        ChainError: the node does not answer, or not for so many blocks.
        MalformedInputError: it gives other events than were asked for.

    """
    asked = {
        "address": format_address(registry),
        "fromBlock": "0x0",
        "toBlock": hex(until),
        "topics": ["0x" + TOPIC["Accredited"].hex(), None, "0x" + word(issuer).hex()],
    }
    logs = rpc.call("eth_getLogs", [asked])
    if not isinstance(logs, list):
        raise ChainError("rpc-malformed", "the node gave no list of logs")
    return sorted({decode_event(parse_log(log)).issuer for log in logs})

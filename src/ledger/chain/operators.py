"""Find out which keys may work for an issuer: its events name them, its words say what they may.

The contract keeps no list. What a node leaves out of the events is not shown; what is shown
comes from the registry's own words at one block.
"""

from collections.abc import Collection
from dataclasses import dataclass

from ledger.chain.logs import parse_log
from ledger.chain.registry.events import TOPIC, decode_event
from ledger.chain.registry.slots import (
    OperatorRecord,
    decode_operator,
    operator_slot,
    owner_slot,
    word,
)
from ledger.chain.rpc import JsonRpc
from ledger.chain.state import RpcState
from ledger.errors import ChainError
from ledger.primitives import Address, format_address


@dataclass(frozen=True, slots=True)
class Operators:
    """Who may do what for one issuer, at one block."""

    owner: Address
    records: dict[Address, OperatorRecord]
    """What the registry has of each key: of those that were asked for, and of every other."""
    is_complete: bool
    """Whether the node searched the issuer's events; else other keys may have roles."""


def read_operators(
    rpc: JsonRpc, state: RpcState, registry: Address, issuer: int, known: Collection[Address]
) -> Operators:
    """Return what `known` keys, and all that the issuer's events name, may do for the issuer.

    Raises:
        ChainError: the node does not answer for the registry's words.

    """
    try:
        named = _list_named(rpc, registry, issuer, until=state.block.number)
        is_complete = True
    except ChainError:
        # Many nodes search a few thousand blocks only.
        named, is_complete = [], False
    keys = list(dict.fromkeys([*known, *named]))
    slots = [owner_slot(issuer), *(operator_slot(issuer, key) for key in keys)]
    owner, *words = state.slots(registry, slots)
    records = {key: decode_operator(stored) for key, stored in zip(keys, words, strict=True)}
    return Operators(Address(owner[12:]), records, is_complete)


def _list_named(rpc: JsonRpc, registry: Address, issuer: int, *, until: int) -> list[Address]:
    asked = {
        "address": format_address(registry),
        "fromBlock": "0x0",
        "toBlock": hex(until),
        "topics": ["0x" + TOPIC["OperatorSet"].hex(), "0x" + word(issuer).hex()],
    }
    logs = rpc.call("eth_getLogs", [asked])
    if not isinstance(logs, list):
        raise ChainError("rpc-malformed", "the node gave no list of logs")
    named = (decode_event(parse_log(log)).values["operator"] for log in logs)
    return [Address(key) for key in named if isinstance(key, bytes)]

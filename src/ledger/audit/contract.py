"""What the contract itself stores at the audited block, as each endpoint shows it.

Code and heads come with a proof under the block's hash, on which the endpoints agreed: whoever
lies about them must lie about the whole block. Endpoints that cannot prove are believed only when
the auditor says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledger.audit.endpoints import Endpoint, ask_each
from ledger.audit.findings import Finding, FindingCode, Place
from ledger.audit.meeting import Meeting
from ledger.audit.replay import Heads
from ledger.chain.artifact import code_hash
from ledger.chain.proved import ProvedState
from ledger.chain.registry.slots import ISSUER_COUNT_SLOT, head_slot
from ledger.chain.state import Block, ChainState, RpcState
from ledger.errors import ChainError
from ledger.primitives import Address, Hash32

HEADS_AT_ONCE: Final = 16
"""Asked for together with how many issuers there are, which is mostly less: a round trip
saved, and a proof, which a node takes longer to make than all the rest."""

MAX_ISSUERS: Final = 1_000_000
"""Ours: a node that says there are more is not asked for the head of each."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the endpoints show of the contract, and what is wrong with it."""

    heads: list[Heads] | None
    """Each endpoint's. One that does not prove its own is held to what another proved: the
    block is the same for all. None when no endpoint proved any."""
    findings: list[Finding]


def read_stored(meeting: Meeting, registry: Address, *, proved: bool) -> Stored:
    """Read the registry's code and heads from every endpoint.

    Raises:
        ChainError: an endpoint does not answer, or cannot prove at all.

    """

    def read(endpoint: Endpoint) -> tuple[Hash32, Heads] | None:
        try:
            code, heads = _read(endpoint, meeting, registry, proved=proved)
        except ChainError as error:
            if error.code != "not-proved":
                raise
            return None
        return code, Heads(endpoint.name, meeting.block.number, heads)

    found = ask_each(meeting.endpoints, read)
    findings = [
        finding
        for endpoint, answer in zip(meeting.endpoints, found, strict=True)
        if (finding := _judge(endpoint, meeting.block, answer and answer[0]))
    ]
    told = [answer[1] for answer in found if answer]
    heads = [answer[1] if answer else told[0] for answer in found] if told else None
    return Stored(heads, findings + _compare(told))


def _read(
    endpoint: Endpoint, meeting: Meeting, registry: Address, *, proved: bool
) -> tuple[Hash32, list[Hash32]]:
    """Return the code's hash and the heads of issuers 1, 2, ..., as one endpoint gives them."""
    state: ChainState = RpcState(endpoint.rpc, meeting.chain, meeting.block)
    if proved:
        state = ProvedState.of(endpoint.rpc, meeting.chain, meeting.block)
    first = [head_slot(number) for number in range(1, HEADS_AT_ONCE + 1)]
    code, (stored, *heads) = state.code_and_slots(registry, [ISSUER_COUNT_SLOT, *first])
    count = int.from_bytes(stored, "big")
    if count > MAX_ISSUERS:
        raise ChainError("rpc-malformed", f"{endpoint.name} tells of {count} issuers")
    rest = [head_slot(number) for number in range(HEADS_AT_ONCE + 1, count + 1)]
    return code, heads[:count] + (state.slots(registry, rest) if rest else [])


def _judge(endpoint: Endpoint, block: Block, code: Hash32 | None) -> Finding | None:
    """Return what is wrong with an endpoint that showed this code; None when it proved none."""
    if code is None:
        return _unproved(endpoint, block)
    if code == code_hash():
        return None
    return Finding(
        FindingCode.OTHER_CODE,
        "the code at the address is not that of the registry, or there is none",
        Place(block=block.number),
        (f"the code by {endpoint.name}", "the registry of this release"),
    )


def _unproved(endpoint: Endpoint, block: Block) -> Finding:
    return Finding(
        FindingCode.HEADS_UNPROVED,
        "the endpoint does not prove what it says the contract stores",
        Place(block=block.number),
        (
            f"the proof of the heads by {endpoint.name}",
            f"block {block.number}, 0x{block.hash.hex()}, by {endpoint.name}",
        ),
    )


def _compare(told: Sequence[Heads]) -> list[Finding]:
    """Hold every endpoint's heads against the first one's."""
    findings = []
    for first, other in ((told[0], other) for other in told[1:]):
        if len(other.heads) != len(first.heads):
            findings.append(_disagree(first.count(), other.count()))
        for number, (a, b) in enumerate(zip(first.heads, other.heads, strict=False), start=1):
            if a != b:
                findings.append(_disagree(first.of(number), other.of(number), number))
    return findings


def _disagree(one: str, other: str, issuer: int | None = None) -> Finding:
    return Finding(
        FindingCode.HEADS_DISAGREE,
        "two endpoints tell differently what the contract stores",
        Place(issuer),
        (other, one),
    )

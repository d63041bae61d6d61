"""What the contract itself stores at the audited block, as each endpoint shows it.

A head comes with a proof under the block's hash, on which the endpoints agreed: whoever lies
about it must lie about the whole block. Endpoints that cannot prove are believed only when
the auditor says so.
"""

from collections.abc import Sequence
from typing import Final

from ledger.audit.endpoints import Endpoint, ask_each
from ledger.audit.findings import Finding, FindingCode, Place
from ledger.audit.meeting import Meeting
from ledger.audit.replay import Heads
from ledger.chain.artifact import code_hash
from ledger.chain.proved import ProvedState
from ledger.chain.registry.slots import ISSUER_COUNT_SLOT, head_slot
from ledger.chain.state import Block, ChainState, CodeHash, RpcReader, RpcState
from ledger.errors import ChainError
from ledger.primitives import Address, Hash32

MAX_ISSUERS: Final = 1_000_000
"""Ours: a node that says there are more is not asked for the head of each."""


def check_code(meeting: Meeting, registry: Address) -> list[Finding]:
    """Return a finding for each endpoint that has other code than the registry's there.

    Raises:
        ChainError: an endpoint does not answer.

    """
    question = CodeHash(meeting.block, registry)
    answers = ask_each(
        meeting.endpoints, lambda e: RpcReader(e.rpc, meeting.chain).read([question])[question]
    )
    return [
        Finding(
            FindingCode.OTHER_CODE,
            "the code at the address is not that of the registry, or there is none",
            Place(block=meeting.block.number),
            (f"the code by {endpoint.name}", "the registry of this release"),
        )
        for endpoint, found in zip(meeting.endpoints, answers, strict=True)
        if found != code_hash()
    ]


def read_heads(
    meeting: Meeting, registry: Address, findings: list[Finding], *, proved: bool
) -> list[Heads] | None:
    """Return each endpoint's heads, and add what is wrong with them to `findings`.

    An endpoint that does not prove its heads is held to what another proved: the block is the
    same for all. None when no endpoint proved any.

    Raises:
        ChainError: an endpoint does not answer, or cannot prove at all.

    """

    def read(endpoint: Endpoint) -> Heads | None:
        try:
            heads = _read(endpoint, meeting, registry, proved=proved)
        except ChainError as error:
            if error.code != "not-proved":
                raise
            return None
        return Heads(endpoint.name, meeting.block.number, heads)

    found = ask_each(meeting.endpoints, read)
    for endpoint, heads in zip(meeting.endpoints, found, strict=True):
        if heads is None:
            findings.append(_unproved(endpoint, meeting.block))
    told = [heads for heads in found if heads is not None]
    findings += _compare(told)
    return [heads or told[0] for heads in found] if told else None


def _read(endpoint: Endpoint, meeting: Meeting, registry: Address, *, proved: bool) -> list[Hash32]:
    """Return the heads of issuers 1, 2, ..., as one endpoint gives them."""
    block = meeting.block
    state: ChainState = RpcState(endpoint.rpc, meeting.chain, block)
    if proved:
        state = ProvedState.at(endpoint.rpc, meeting.chain, hex(block.number))
        if state.block != block:
            raise ChainError("no-block", f"{endpoint.name} gave two blocks {block.number}")
    (stored,) = state.slots(registry, [ISSUER_COUNT_SLOT])
    count = int.from_bytes(stored, "big")
    if count > MAX_ISSUERS:
        raise ChainError("rpc-malformed", f"{endpoint.name} tells of {count} issuers")
    return state.slots(registry, [head_slot(number) for number in range(1, count + 1)])


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

"""What was final once is still there, whoever remembers it.

An audit remembers the last block it took, its cursor every one, and an issuer's database the
newest that the worker saw. The first two asked the same endpoints, so one that is behind
them answers with an old block. The worker may have asked others, which are never equally
far: there an endpoint is behind when it lacks the block, or calls final one that is much
older.
"""

from dataclasses import dataclass

from ledger.audit.endpoints import Endpoint, ask_each, read_block
from ledger.audit.findings import Finding, FindingCode, Place
from ledger.audit.meeting import MAX_LAG_SECONDS, Meeting
from ledger.chain.state import Block
from ledger.errors import ChainError
from ledger.primitives import Hash32


@dataclass(frozen=True, slots=True)
class Remembered:
    """A block that was final before."""

    number: int
    hash: Hash32
    by: str
    """Who remembers it, in words."""

    def __str__(self) -> str:
        return f"block {self.number} is 0x{self.hash.hex()} and final, in {self.by}"


def is_there(meeting: Meeting, known: Remembered) -> bool:
    """Return whether every endpoint still has this block, and calls it final."""
    if known.number > meeting.block.number:
        return False
    blocks = ask_each(meeting.endpoints, lambda e: read_block(e, known.number))
    return all(block.hash == known.hash for block in blocks)


def name_gone(meeting: Meeting, known: Remembered) -> Finding:
    """Say what became of a block that is not there."""
    if known.number > meeting.block.number:
        finals = (f"block {final.number} is final for {name}" for name, final in meeting.finals)
        return _went_back(known, meeting.block, *finals)
    now = ask_each(meeting.endpoints, lambda e: (e.name, read_block(e, known.number)))
    return _broken(known, *(f"it is 0x{block.hash.hex()}, by {name}" for name, block in now))


def hold_against(meeting: Meeting, known: Remembered) -> list[Finding]:
    """Hold each endpoint against a block that others saw final.

    Raises:
        ChainError: an endpoint does not answer.

    """
    finals = dict(meeting.finals)

    def judge(endpoint: Endpoint) -> Finding | None:
        final = finals[endpoint.name]
        told = f"block {final.number} is final for {endpoint.name}"
        block = _find_block(endpoint, known.number)
        if block is None:
            return _went_back(known, final, f"{told}, which has no block {known.number}")
        if block.hash != known.hash:
            return _broken(known, f"it is 0x{block.hash.hex()}, by {endpoint.name}")
        if block.time - final.time > MAX_LAG_SECONDS:
            return _went_back(known, final, told)
        return None

    return [finding for finding in ask_each(meeting.endpoints, judge) if finding]


def _find_block(endpoint: Endpoint, number: int) -> Block | None:
    try:
        return read_block(endpoint, number)
    except ChainError as error:
        if error.code != "no-block":
            raise
        return None


def _went_back(known: Remembered, final: Block, *told: str) -> Finding:
    return Finding(
        FindingCode.FINALITY_WENT_BACK,
        f"block {known.number} was final before, and now only {final.number} is: "
        "the answer is an old one",
        Place(block=known.number),
        (*told, str(known)),
    )


def _broken(known: Remembered, *told: str) -> Finding:
    return Finding(
        FindingCode.FINALITY_BROKEN,
        f"block {known.number} was final before, and now another block stands there",
        Place(block=known.number),
        (*told, str(known)),
    )

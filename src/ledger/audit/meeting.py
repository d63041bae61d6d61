"""Find one chain and one final block that all endpoints tell of alike.

Endpoints are never equally far, so the block is the newest that all of them call final.
One that is on another chain, or has another block at that height, is named and left out:
what it says of logs and heads is about something else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledger.audit.endpoints import Endpoint, ask_each, read_block, read_standing
from ledger.audit.findings import Finding, FindingCode, Place
from ledger.chain import devchain
from ledger.chain.state import Block
from ledger.clock import format_time
from ledger.errors import ConflictError
from ledger.primitives import format_chain

MAX_LAG_SECONDS: Final = 1_800
"""Between what two endpoints call final; Ethereum finalises every six minutes or so."""

MAX_HEAD_AGE_SECONDS: Final = 7_200
"""Of a final block by this machine's clock. On Ethereum and its rollups a block is final after
a quarter of an hour; more than two hours is rare, and worth a look."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """What the endpoints agree on."""

    chain: int
    block: Block
    """The block to audit."""
    endpoints: list[Endpoint]
    """Those that agree."""
    finals: list[tuple[str, Block]]
    """The newest final block of each."""
    findings: list[Finding]


def meet(
    endpoints: Sequence[Endpoint],
    *,
    chain: int | None,
    block: int | None,
    now: int,
    max_head_age: int | None = None,
) -> Meeting:
    """Ask the endpoints for their chain and their final block.

    The chain is `chain`, else the first endpoint's; the block has the number `block`, else it
    is the newest that all call final. A final block may be `max_head_age` seconds old, or of
    any age when that is 0; None stands for `MAX_HEAD_AGE_SECONDS`, and for 0 on a development
    chain, which stands still while nobody uses it.

    Raises:
        ChainError: an endpoint does not answer.
        ConflictError: no endpoint is on `chain` (`no-such-chain`), or one of them does not
            call `block` final yet (`not-final`).

    """
    findings: list[Finding] = []
    standings = ask_each(endpoints, read_standing)
    chains = [on for on, _ in standings]
    expected = chain if chain is not None else chains[0]
    staying = _on_chain(endpoints, chains, expected, findings, is_given=chain is not None)
    finals = [final for on, final in standings if on == expected]
    if max_head_age is None:
        max_head_age = 0 if expected == devchain.CHAIN else MAX_HEAD_AGE_SECONDS
    findings += _laggards(staying, finals)
    findings += _old_heads(staying, finals, now=now, max_age=max_head_age)
    number = min(final.number for final in finals)
    if block is not None and block > number:
        raise ConflictError("not-final", f"block {block} is not final yet, block {number} is")
    number = number if block is None else block
    blocks = _blocks_at(number, staying, finals)
    for endpoint, theirs in zip(staying, blocks, strict=True):
        if theirs.hash != blocks[0].hash:
            findings.append(_other_block(staying[0], blocks[0], endpoint, theirs))
    agreeing = [e for e, b in zip(staying, blocks, strict=True) if b.hash == blocks[0].hash]
    named = [(e.name, final) for e, final in zip(staying, finals, strict=True)]
    return Meeting(expected, blocks[0], agreeing, named, findings)


def _blocks_at(number: int, endpoints: Sequence[Endpoint], finals: Sequence[Block]) -> list[Block]:
    """Return each endpoint's block of this number; those that told of it are not asked again."""
    told = {endpoint.name: final for endpoint, final in zip(endpoints, finals, strict=True)}

    def read(endpoint: Endpoint) -> Block:
        final = told[endpoint.name]
        return final if final.number == number else read_block(endpoint, number)

    return ask_each(endpoints, read)


def _on_chain(
    endpoints: Sequence[Endpoint],
    chains: Sequence[int],
    expected: int,
    findings: list[Finding],
    *,
    is_given: bool,
) -> list[Endpoint]:
    """Return the endpoints on the `expected` chain; the others become findings."""
    staying = []
    told = f"eip155:{expected} was asked for" if is_given else f"the chain of {endpoints[0].name}"
    for endpoint, chain in zip(endpoints, chains, strict=True):
        if chain == expected:
            staying.append(endpoint)
        else:
            findings.append(
                Finding(
                    FindingCode.OTHER_CHAIN,
                    f"an endpoint serves {format_chain(chain)}, not {format_chain(expected)}",
                    answers=(f"the chain of {endpoint.name}", told),
                )
            )
    if not staying:
        raise ConflictError(
            "no-such-chain",
            f"no endpoint is on {format_chain(expected)}, {endpoints[0].name} is on "
            f"{format_chain(chains[0])}",
        )
    return staying


def _laggards(endpoints: Sequence[Endpoint], finals: Sequence[Block]) -> list[Finding]:
    newest = max(finals, key=lambda final: final.time)
    ahead = endpoints[finals.index(newest)]
    return [
        Finding(
            FindingCode.ENDPOINT_BEHIND,
            f"an endpoint's final block is {newest.time - final.time} seconds older than another's",
            Place(block=final.number),
            (_final_of(endpoint, final), _final_of(ahead, newest)),
        )
        for endpoint, final in zip(endpoints, finals, strict=True)
        if newest.time - final.time > MAX_LAG_SECONDS
    ]


def _old_heads(
    endpoints: Sequence[Endpoint], finals: Sequence[Block], *, now: int, max_age: int
) -> list[Finding]:
    """Hold every final block against the clock: who serves an old one may hide what came since."""
    return [
        Finding(
            FindingCode.ENDPOINT_BEHIND,
            f"an endpoint's final block is {now - final.time} seconds old, and {max_age} may be",
            Place(block=final.number),
            (_final_of(endpoint, final), f"{format_time(now)}, by the clock of this machine"),
        )
        for endpoint, final in zip(endpoints, finals, strict=True)
        if max_age and now - final.time > max_age
    ]


def _final_of(endpoint: Endpoint, final: Block) -> str:
    return f"block {final.number} of {format_time(final.time)}, final for {endpoint.name}"


def _other_block(a: Endpoint, here: Block, b: Endpoint, there: Block) -> Finding:
    return Finding(
        FindingCode.BLOCKS_DISAGREE,
        f"two endpoints call different blocks of number {here.number} final",
        Place(block=here.number),
        (f"0x{there.hash.hex()} by {b.name}", f"0x{here.hash.hex()} by {a.name}"),
    )

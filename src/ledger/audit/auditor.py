"""One audit of one registry, which can go on as the chain does.

    1. the endpoints are on one chain, and have one block at the height that all call final
    2. what was audited before is still there: finality was not broken
    3. the logs up to that block, replayed; meanwhile
    4. the code at the address is the registry's, and the heads that it stores at that block
    5. the replay leads to the heads, for every issuer

What does not hold is a finding and names both answers. An endpoint that does not answer
ends the audit with a `ChainError`; it can be taken up again where it stood.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from ledger.audit.contract import read_stored
from ledger.audit.cursor import Cursor
from ledger.audit.endpoints import Endpoint, read_block
from ledger.audit.finality import Remembered, hold_against, is_there, name_gone
from ledger.audit.findings import Finding
from ledger.audit.history import History
from ledger.audit.meeting import Meeting, meet
from ledger.audit.recording import Header, Mark, read_recording
from ledger.audit.world import World
from ledger.chain.logs import LogReader
from ledger.chain.registry.events import Log
from ledger.chain.state import Block
from ledger.clock import Clock, now
from ledger.errors import MalformedInputError
from ledger.primitives import Address

CHUNK_LOGS: Final = 1_000
"""Of a file, replayed at once."""

OnBlock = Callable[[int, int], None]
"""Called with the last block that was read, and the last that will be."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be audited."""

    registry: Address
    chain: int | None = None
    """What the endpoints must be on; None takes the first one's word."""
    block: int | None = None
    """Up to which final block; None is the newest that all endpoints have."""
    from_block: int = 0
    """Where to begin reading logs; what was left out before it would show."""
    logs: Path | None = None
    """A recording to read the logs from, instead of asking for them."""
    state_proof: bool = True
    """Whether the endpoints must prove the heads; some cannot."""
    cursor: Path | None = None
    """A recording to go on from, and to keep."""
    max_head_age: int | None = None
    """How many seconds old an endpoint's final block may be, as in `meet`."""


@dataclass(slots=True)
class Audit:
    """What came out."""

    chain: int
    block: Block
    endpoints: list[tuple[str, Block]]
    """Each endpoint's newest final block."""
    world: World
    findings: list[Finding]
    heads_proved: bool
    """Whether the endpoints had to prove the heads; else they are their word."""
    is_proved: bool = False
    """Whether the replay led to every head in the contract."""


class Auditor:
    """An audit that every `advance` takes further."""

    def __init__(
        self, endpoints: Sequence[Endpoint], question: Question, *, clock: Clock = now
    ) -> None:
        self._endpoints = endpoints
        self._question = question
        self._clock = clock
        self._history: History | None = None
        self._cursor: Cursor | None = None
        self._next = question.from_block
        self._meeting: Meeting | None = None
        self._last: Remembered | None = None

    def close(self) -> None:
        """Close the connections and the cursor."""
        if self._cursor is not None:
            self._cursor.close()
        for endpoint in self._endpoints:
            endpoint.rpc.close()

    def advance(self, on_block: OnBlock = lambda _read, _last: None) -> Audit:
        """Audit up to the newest block that all endpoints call final, or the one asked for.

        Raises:
            ChainError: an endpoint does not answer.
            ConflictError: as `meet`.
            MalformedInputError: a recording is none, or of another registry.

        """
        asked = self._question
        meeting = self._meeting = meet(
            self._endpoints,
            chain=asked.chain,
            block=asked.block,
            now=self._clock(),
            max_head_age=asked.max_head_age,
        )
        audit = Audit(
            meeting.chain,
            meeting.block,
            meeting.finals,
            World(meeting.chain, asked.registry),
            meeting.findings,
            asked.state_proof,
        )
        if self._history is not None and self._last is not None:
            if not is_there(meeting, self._last):
                audit.findings.append(name_gone(meeting, self._last))
            if audit.findings:
                audit.world = self._history.world
                return audit
        history = self._history or self._begin(meeting, audit.findings)
        self._history = history
        self._replay(history, meeting, audit, on_block)
        return audit

    def hold_against(self, known: Remembered) -> list[Finding]:
        """Hold the endpoints, as they last stood, against a block that others saw final.

        Raises:
            ChainError: an endpoint does not answer.

        """
        return hold_against(self._meeting, known) if self._meeting else []

    def _begin(self, meeting: Meeting, findings: list[Finding]) -> History:
        asked = self._question
        header = Header(meeting.chain, asked.registry)
        if asked.logs is not None:
            history = History.begin(header, [str(asked.logs)])
            _take(history, _read_file(asked.logs, header, last=meeting.block.number))
            return history
        history = History.begin(header, [endpoint.name for endpoint in meeting.endpoints])
        if asked.cursor is None:
            return history
        self._cursor = Cursor(asked.cursor, header)

        def remembered(mark: Mark) -> Remembered:
            return Remembered(mark.through, mark.hash, f"the cursor {asked.cursor}")

        mark = self._cursor.find_mark(lambda known: is_there(meeting, remembered(known)))
        if self._cursor.marks and mark != self._cursor.marks[-1]:
            findings.append(name_gone(meeting, remembered(self._cursor.marks[-1])))
        _take(history, self._cursor.resume(mark))
        if mark is not None:
            self._next = mark.through + 1
        return history

    def _replay(self, history: History, meeting: Meeting, audit: Audit, on_block: OnBlock) -> None:
        asked = self._question
        with ThreadPoolExecutor(1, thread_name_prefix="heads") as beside:
            # While logs are replayed: the proof takes the node long, and this process nothing.
            reading = beside.submit(read_stored, meeting, asked.registry, proved=asked.state_proof)
            if asked.logs is None:
                self._read_logs(history, meeting, on_block)
            stored = reading.result()
        audit.findings += stored.findings
        if stored.heads is not None:
            audit.findings += history.close(stored.heads)
        audit.is_proved = not audit.findings
        audit.world = history.world
        if self._cursor is not None:
            self._cursor.conclude(meeting.block, proved=audit.is_proved)
        self._last = Remembered(meeting.block.number, meeting.block.hash, "this audit's memory")

    def _read_logs(self, history: History, meeting: Meeting, on_block: OnBlock) -> None:
        reader = LogReader([e.rpc for e in meeting.endpoints], self._question.registry)
        last = meeting.block.number
        try:
            while self._next <= last:
                through, told = reader.read(self._next, last)
                # All that may fail comes first: logs that were taken are never asked for again.
                end = read_block(meeting.endpoints[0], through) if self._cursor else None
                history.take(told)
                self._next = through + 1
                if self._cursor and end and history.agrees:
                    self._cursor.add(told[0], end)
                on_block(through, last)
        finally:
            reader.close()


def _take(history: History, logs: Iterable[Log]) -> None:
    """Replay logs that all sources tell alike."""
    remaining = iter(logs)
    while chunk := list(islice(remaining, CHUNK_LOGS)):
        history.take([chunk] * len(history.names))


def _read_file(path: Path, header: Header, *, last: int) -> Iterator[Log]:
    """Give the logs of a recording up to block `last`.

    Raises:
        MalformedInputError: as `read_recording`, or it says that it is of something else.

    """
    for line in read_recording(path):
        if isinstance(line, Header) and line != header:
            raise MalformedInputError(
                "bad-recording", f"{path} says that it is of another registry or chain"
            )
        if isinstance(line, Log) and line.block_number <= last:
            yield line

"""Where an audit stands: a recording that grows with it (see `ledger.audit.recording`).

A cursor remembers the hash of every block it marks. When it is opened, the newest mark that
is still on the chain counts, and everything behind it is dropped. Only final blocks are
marked, so that a mark that is gone is a finding.

A lie is not kept: when the audit finds something wrong, the cursor goes back to the last
mark that was proved.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ledger.audit.recording import Header, Mark, Recorder, read_marks, read_recording
from ledger.chain.registry.events import Log
from ledger.chain.state import Block
from ledger.errors import MalformedInputError


class Cursor:
    """One recording, to go on from."""

    def __init__(self, path: Path, header: Header) -> None:
        self._path = path
        self._header = header
        self._proved: Mark | None = None
        self._recorder: Recorder | None = None
        self.marks: list[Mark] = []
        if path.exists() and path.stat().st_size:
            found, self.marks = read_marks(path)
            if found != header:
                raise MalformedInputError(
                    "bad-recording", f"{path} is of another registry or chain: name another file"
                )

    def find_mark(self, is_there: Callable[[Mark], bool]) -> Mark | None:
        """Return the newest mark that is still on the chain; those before it then are too."""
        low, high = 0, len(self.marks)
        while low < high:
            # The newest first: it is there, unless something is very wrong.
            middle = high - 1 if low == 0 and high == len(self.marks) else (low + high) // 2
            if is_there(self.marks[middle]):
                low = middle + 1
            else:
                high = middle
        return self.marks[low - 1] if low else None

    def resume(self, mark: Mark | None) -> Iterator[Log]:
        """Drop what stands behind `mark`, and give the logs before it."""
        self.close()
        self._proved = None
        if mark is None:
            self._recorder = Recorder.begin(self._path, self._header)
            return
        kept = [known for known in self.marks if known.offset <= mark.offset]
        self._proved = next((known for known in reversed(kept) if known.proved), None)
        self._recorder = Recorder.resume(self._path, mark)
        for line in read_recording(self._path):
            if isinstance(line, Log):
                yield line

    def add(self, logs: Iterable[Log], through: Block) -> None:
        """Keep logs, which are whole up to the block `through`."""
        if self._recorder is not None:
            self._recorder.add(logs)
            self._recorder.mark(through)

    def conclude(self, block: Block, *, proved: bool) -> None:
        """Note that the history is proved up to `block`, or forget what was not proved."""
        if self._recorder is None:
            return
        if proved:
            self._proved = self._recorder.mark(block, proved=True)
            return
        self.close()
        if self._proved is None:
            self._recorder = Recorder.begin(self._path, self._header)
        else:
            self._recorder = Recorder.resume(self._path, self._proved)

    def close(self) -> None:
        """Close the file; what was marked stays."""
        if self._recorder is not None:
            self._recorder.close()
            self._recorder = None

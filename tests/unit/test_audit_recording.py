"""Recordings: a round trip, every garbage refused, and cursors that survive any death."""

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.audit.cursor import Cursor
from ledger.audit.recording import FORMAT, Header, Mark, Recorder, read_marks, read_recording
from ledger.chain.logs import format_log
from ledger.chain.registry.events import Log
from ledger.chain.state import Block
from ledger.errors import ConflictError, MalformedInputError
from ledger.primitives import sha256

from .audit_history import CHAIN, REGISTRY, whole_history

LOGS = whole_history().logs
HEADER = Header(CHAIN, REGISTRY)


def block(number: int) -> Block:
    return Block(number, sha256(b"block %d" % number), number)


def record(path: Path) -> None:
    """Write the history in three parts, of which the second was proved."""
    recorder = Recorder.begin(path, HEADER)
    for first, last in ((0, 5), (6, 10), (11, 20)):
        recorder.add(log for log in LOGS if first <= log.block_number <= last)
        recorder.mark(block(last), proved=last == 10)
    recorder.close()


def logs_in(path: Path) -> list[Log]:
    return [line for line in read_recording(path) if isinstance(line, Log)]


def test_what_is_recorded_is_read(tmp_path: Path) -> None:
    record(tmp_path / "logs")
    assert logs_in(tmp_path / "logs") == LOGS
    header, marks = read_marks(tmp_path / "logs")
    assert header == HEADER
    assert [(mark.through, mark.proved) for mark in marks] == [(5, False), (10, True), (20, False)]


def test_what_a_node_answers_is_a_recording(tmp_path: Path) -> None:
    beside = {"removed": False, "transactionIndex": "0x0", "blockTimestamp": "0x1"}
    lines = [json.dumps(format_log(log) | beside) for log in LOGS]
    (tmp_path / "logs").write_text("\n".join(lines) + "\n")
    assert logs_in(tmp_path / "logs") == LOGS


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        "{",
        "7",
        "{}",
        '{"topics": 7}',
        '{"topics": [7]}',
        '{"through": -1, "hash": "0x' + "0" * 64 + '"}',
        '{"through": true, "hash": "0x' + "0" * 64 + '"}',
        '{"through": 1, "hash": "' + "0" * 64 + '"}',
        '{"through": 1}',
        '{"format": "ledger-logs/2", "chain": "eip155:1", "registry": "0x"}',
        '{"format": "ledger-logs/1"}',
        '{"format": "ledger-logs/1", "chain": "eip155:01", "registry": "0x"}',
        " " * 20_000,
        "\ud800",
    ],
)
def test_every_other_line_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "logs"
    good = json.dumps(format_log(LOGS[0]))
    path.write_bytes(f"{good}\n{line}\n".encode(errors="surrogatepass"))
    with pytest.raises(MalformedInputError, match="line 2") as caught:
        list(read_recording(path))
    assert caught.value.code == "bad-recording"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("address", "0x12"),
        ("topics", ["0x12"]),
        ("data", "0x1"),
        ("data", None),
        ("blockNumber", 7),
        ("blockNumber", "0x01"),
        ("logIndex", "7"),
        ("removed", True),
    ],
)
def test_a_log_that_is_none_is_refused(tmp_path: Path, member: str, value: Any) -> None:
    path = tmp_path / "logs"
    path.write_text(json.dumps(format_log(LOGS[0]) | {member: value}) + "\n")
    with pytest.raises(MalformedInputError, match="line 1"):
        list(read_recording(path))


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(MalformedInputError, match="there is no file"):
        list(read_recording(tmp_path / "none"))
    with pytest.raises(MalformedInputError):
        list(read_recording(tmp_path))


def test_a_cursor_goes_on_from_the_newest_mark_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "cursor"
    record(path)
    for there, kept in ((20, 20), (19, 10), (10, 10), (5, 5), (4, None)):
        record(path)
        cursor = Cursor(path, HEADER)
        mark = cursor.find_mark(lambda known, there=there: known.through <= there)  # type: ignore[misc]
        assert (mark.through if mark else None) == kept
        logs = list(cursor.resume(mark))
        assert logs == [log for log in LOGS if log.block_number <= (kept or -1)]
        assert logs_in(path) == logs
        cursor.close()


def test_a_cursor_goes_back_to_what_was_proved(tmp_path: Path) -> None:
    path = tmp_path / "cursor"
    record(path)
    cursor = Cursor(path, HEADER)
    list(cursor.resume(cursor.marks[-1]))
    cursor.add(LOGS[-1:], block(30))
    cursor.conclude(block(30), proved=False)
    assert logs_in(path) == [log for log in LOGS if log.block_number <= 10]
    cursor.add([log for log in LOGS if log.block_number > 10], block(40))
    cursor.conclude(block(40), proved=True)
    assert logs_in(path) == LOGS
    cursor.close()
    assert Cursor(path, HEADER).marks[-1].proved


def test_a_cursor_survives_a_death_at_any_byte(tmp_path: Path) -> None:
    path = tmp_path / "cursor"
    record(path)
    whole = path.read_bytes()
    marks = read_marks(path)[1]
    header_end = whole.index(b"\n") + 1
    for length in range(header_end, len(whole), 7):
        path.write_bytes(whole[:length])
        cursor = Cursor(path, HEADER)
        assert cursor.marks == [mark for mark in marks if mark.offset <= length]
        mark = cursor.find_mark(lambda _: True)
        through = mark.through if mark else -1
        assert list(cursor.resume(mark)) == [log for log in LOGS if log.block_number <= through]
        cursor.close()


def test_a_cursor_of_another_registry_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cursor"
    record(path)
    with pytest.raises(MalformedInputError, match="another registry"):
        Cursor(path, Header(1, REGISTRY))
    path.write_text(json.dumps({"format": FORMAT}) + "\n")
    with pytest.raises(MalformedInputError):
        Cursor(path, HEADER)
    path.write_text("my thesis\n")
    with pytest.raises(MalformedInputError):
        Cursor(path, HEADER)
    assert path.read_text() == "my thesis\n"


def test_a_mark_knows_where_its_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "logs"
    recorder = Recorder.begin(path, HEADER)
    mark = recorder.mark(block(3))
    recorder.close()
    assert mark == Mark(3, block(3).hash, proved=False, offset=path.stat().st_size)


def test_a_place_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConflictError, match="No such file"):
        list(Cursor(tmp_path / "none" / "cursor", HEADER).resume(None))

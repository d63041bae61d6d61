"""Several sources, of which some lie: the heads tell which, and what was done is named."""

import pytest

from ledger.audit.findings import FindingCode
from ledger.audit.history import History
from ledger.audit.recording import Header
from ledger.audit.replay import Heads
from ledger.chain.registry.events import Log

from .audit_history import CHAIN, REGISTRY, whole_history

EMITTER = whole_history()
LOGS, HEADS = EMITTER.logs, EMITTER.heads


def lie(kind: str, n: int) -> list[Log]:
    """Return the history with one lie about its n-th log, which tells what is asked for."""
    log, after = LOGS[n], LOGS[n + 1]
    match kind:
        case "event-missing":
            middle = [after]
        case "event-extra":
            middle = [log, log._replace(log_index=9), after]
        case "event-reordered":
            middle = [
                after._replace(block_number=log.block_number),
                log._replace(block_number=after.block_number),
            ]
        case _:
            middle = [log._replace(data=bytes(len(log.data))), after]
    return [*LOGS[:n], *middle, *LOGS[n + 2 :]]


def history_of(*told: list[Log], windows: int = 3) -> History:
    names = [f"rpc {n}" for n, _ in enumerate(told, start=1)]
    history = History.begin(Header(CHAIN, REGISTRY), names)
    last = LOGS[-1].block_number
    for first in range(0, last + 1, windows):
        window = range(first, first + windows)
        history.take([[log for log in logs if log.block_number in window] for logs in told])
    return history


def heads(*names: str) -> list[Heads]:
    return [Heads(name, 100, HEADS) for name in names]


KINDS = ["event-missing", "event-extra", "event-reordered", "event-altered"]


def test_sources_that_agree_are_one_history() -> None:
    history = history_of(LOGS, LOGS, LOGS)
    assert history.agrees
    assert history.close(heads("1", "2", "3")) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("liar", [0, 1, 2])
@pytest.mark.parametrize("windows", [1, 3, 100])
def test_one_liar_among_three_is_named_with_its_lie(kind: str, liar: int, windows: int) -> None:
    n = 8
    told = [LOGS, LOGS, LOGS]
    told[liar] = lie(kind, n)
    history = history_of(*told, windows=windows)
    (found,) = history.close(heads("1", "2", "3"))
    assert history.world.issuers[2].head == HEADS[1]
    by, against = found.answers
    assert by == f"the logs of rpc {liar + 1}"
    assert f"rpc {liar + 1}" not in against
    assert found.place.block in {LOGS[n].block_number, LOGS[n + 1].block_number}
    if windows == 100:
        assert found.code == kind
        assert found.place.issuer == 2


def test_a_place_that_only_one_source_tells_is_named() -> None:
    told = [*LOGS[:8], LOGS[8]._replace(transaction=LOGS[0].transaction), *LOGS[9:]]
    (found,) = history_of(LOGS, told).close(heads("1", "2"))
    assert found.code is FindingCode.PLACE_ALTERED


def test_two_liars_who_tell_different_lies_are_both_named() -> None:
    told = [lie("event-missing", 6), LOGS, lie("event-altered", 12)]
    found = history_of(*told).close(heads("1", "2", "3"))
    assert {f.answers[0] for f in found} == {"the logs of rpc 1", "the logs of rpc 3"}
    assert {f.code for f in found} == {FindingCode.EVENT_MISSING, FindingCode.EVENT_ALTERED}


def test_when_all_lie_each_lie_is_told() -> None:
    found = history_of(lie("event-missing", 6), lie("event-altered", 12)).close(heads("1", "2"))
    assert {f.answers[0] for f in found} == {"the logs of rpc 1", "the logs of rpc 2"}

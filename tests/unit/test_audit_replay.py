"""A replay accepts the one true history, and names the first event that is not of it."""

from random import Random
from typing import Any

import pytest

from ledger.audit.findings import FindingCode
from ledger.audit.replay import Heads, Replay
from ledger.chain.registry.events import EVENT_TYPES, TOPIC, Log, decode_event
from ledger.chain.registry.slots import Role, Span
from ledger.primitives import Hash32, keccak256, sha256

from .audit_history import (
    AGAIN,
    BARE,
    CHAIN,
    HEIR,
    KEY,
    OWNER,
    REGISTRY,
    ROOT,
    STOLEN,
    Emitter,
    flipped,
    replayed,
    whole_history,
)

HISTORY = whole_history()
LOGS, HEADS = HISTORY.logs, HISTORY.heads
FOLDED = [n for n, log in enumerate(LOGS) if log.topics[0] not in
          {TOPIC["IssuerRegistered"], TOPIC["IssuerDid"]}]  # fmt: skip


def codes(replay: Replay) -> list[FindingCode]:
    return [finding.code for finding in replay.findings]


def position_in_issuer(n: int) -> int:
    """Return the position of the n-th log in its issuer's history."""
    issuer = LOGS[n].topics[1]
    return sum(log.topics[1] == issuer and log.topics[0] != TOPIC["IssuerDid"] for log in LOGS[:n])


def test_the_history_has_every_event() -> None:
    assert {decode_event(log).name for log in LOGS} == {kind.name for kind in EVENT_TYPES}


def test_the_true_history_is_complete() -> None:
    replay = replayed(LOGS, HEADS)
    assert replay.findings == []
    accreditor, issuer = (replay.world.issuers[n] for n in (1, 2))
    assert (issuer.owner, issuer.did, issuer.head) == (HEIR, "did:example:é", HEADS[1])
    assert {a: r.roles for a, r in issuer.operators.items()} == {KEY: Role(3), STOLEN: Role(0)}
    assert issuer.anchors[ROOT].revoked == {3: 1 << 231, 0: 5}
    assert issuer.anchors[ROOT].suspended == {2: 2}
    assert issuer.anchors[BARE].batch_revoked
    assert (issuer.anchors[AGAIN].operator, issuer.anchors[AGAIN].times_anchored) == (KEY, 2)
    assert replay.world.bare_issuers == {KEY: 2}
    withdrawn, running = accreditor.spans[2]
    assert withdrawn == Span(withdrawn.start, withdrawn.start + 12)
    assert running == Span(running.start, running.start - 12 + 1_000)


def test_nothing_is_complete_only_where_the_contract_has_nothing() -> None:
    assert replayed([], []).findings == []
    assert codes(replayed([], HEADS)) == [FindingCode.EVENT_MISSING] * 2
    assert codes(replayed(LOGS, [])) == [FindingCode.EVENT_EXTRA] * 2


@pytest.mark.parametrize("n", range(len(LOGS)))
def test_an_event_that_is_hidden_shows(n: int) -> None:
    replay = replayed(LOGS[:n] + LOGS[n + 1 :], HEADS)
    assert replay.findings
    if n in FOLDED:
        (found,) = replay.findings
        issuer = int.from_bytes(LOGS[n].topics[1], "big")
        assert found.code in {FindingCode.EVENT_MISSING, FindingCode.EVENT_UNLINKED}
        assert (found.place.issuer, found.place.position) == (issuer, position_in_issuer(n))


def test_every_bit_of_every_event_counts() -> None:
    random = Random(7)
    for n, log in enumerate(LOGS):
        for bit in random.sample(range(8 * (32 * len(log.topics) + len(log.data))), 40):
            forged = [*LOGS[:n], flipped(log, bit), *LOGS[n + 1 :]]
            assert replayed(forged, HEADS).findings, (n, bit)


@pytest.mark.parametrize("n", FOLDED)
def test_an_event_that_stands_twice_is_named(n: int) -> None:
    again = LOGS[n]._replace(log_index=5)
    found = replayed([*LOGS[: n + 1], again, *LOGS[n + 1 :]], HEADS).findings[0]
    assert found.code is FindingCode.EVENT_EXTRA
    assert found.place.log_index == 5


@pytest.mark.parametrize("n", FOLDED)
def test_an_event_altered_in_its_head_alone_is_named(n: int) -> None:
    altered = LOGS[n]._replace(data=LOGS[n].data[:-1] + bytes([LOGS[n].data[-1] ^ 1]))
    found = replayed([*LOGS[:n], altered, *LOGS[n + 1 :]], HEADS).findings[0]
    assert found.code is FindingCode.EVENT_ALTERED
    assert found.place.position == position_in_issuer(n)


def test_two_swapped_anchors_are_named() -> None:
    n = next(n for n in FOLDED if LOGS[n].topics[0] == TOPIC["Anchored"])
    first, second = LOGS[n : n + 2]
    # The liar gives each the other's place, so that blocks go up.
    moved = [
        second._replace(block_number=first.block_number),
        first._replace(block_number=second.block_number),
    ]
    (found,) = replayed([*LOGS[:n], *moved, *LOGS[n + 2 :]], HEADS).findings
    assert found.code is FindingCode.EVENT_REORDERED
    assert found.place.position == position_in_issuer(n)
    assert (found.place.block, found.place.log_index) == (first.block_number, first.log_index)


def test_a_forged_event_between_two_is_named() -> None:
    n = FOLDED[6]
    forged = LOGS[n]._replace(topics=(*LOGS[n].topics[:2], sha256(b"x"), LOGS[n].topics[3]))
    forged = forged._replace(data=forged.data[:-32] + sha256(b"head"), log_index=3)
    (found,) = replayed([*LOGS[: n + 1], forged, *LOGS[n + 1 :]], HEADS).findings
    assert found.code is FindingCode.EVENT_EXTRA
    assert found.place.log_index == 3


def test_events_after_the_contracts_head_are_extra_or_the_head_is_old() -> None:
    emitter = whole_history()
    old = list(emitter.heads)
    emitter.emit("Anchored", 2, sha256(b"late"), KEY, 4)
    (found,) = replayed(emitter.logs, old).findings
    assert found.code is FindingCode.EVENT_EXTRA
    assert "an old one" in found.message
    assert found.answers == ("the logs of A", "the head of issuer 2 at block 100, by B")


def test_a_history_of_another_chain_is_not_this_ones() -> None:
    replay = Replay(1, REGISTRY, "A")
    for log in LOGS:
        replay.apply(log)
    replay.close(Heads("B", 100, HEADS))
    assert codes(replay) == [FindingCode.EVENT_ALTERED] * 2
    assert "chain" in replay.findings[0].message


def test_another_contracts_log_is_extra() -> None:
    foreign = LOGS[0]._replace(address=OWNER)
    assert codes(replayed([foreign, *LOGS], HEADS)) == [FindingCode.EVENT_EXTRA]


def test_an_altered_did_is_named() -> None:
    data = LOGS[1].data.replace(b"accreditor", b"Accreditor")
    found = replayed([LOGS[0], LOGS[1]._replace(data=data), *LOGS[2:]], HEADS).findings
    assert [f.code for f in found][:1] == [FindingCode.DID_MISMATCH]


def test_a_did_that_is_never_told_is_missed() -> None:
    emitter = Emitter()
    emitter.register("did:example:a")
    (found,) = replayed(emitter.logs[:1], emitter.heads).findings
    assert (found.code, found.place.issuer) == (FindingCode.EVENT_MISSING, 1)


def test_an_issuer_registered_twice_is_named() -> None:
    again = LOGS[0]._replace(block_number=LOGS[-1].block_number + 1)
    (found,) = replayed([*LOGS, again], HEADS).findings
    assert (found.code, found.place.issuer, found.place.position) == (
        FindingCode.EVENT_EXTRA, 1, 0,
    )  # fmt: skip


def test_places_that_go_back_are_named() -> None:
    n = FOLDED[0]
    late = LOGS[n]._replace(block_number=LOGS[n + 1].block_number)
    (found,) = replayed([*LOGS[:n], late, *LOGS[n + 1 :]], HEADS).findings
    assert found.code is FindingCode.PLACE_ALTERED


def test_garbage_is_a_finding_and_never_an_error() -> None:
    random = Random(3)
    for _ in range(300):
        topics = tuple(
            random.choice([LOGS[0].topics[0], random.randbytes(32), LOGS[7].topics[0]])
            for _ in range(random.randrange(5))
        )
        garbage = Log(
            REGISTRY, topics, random.randbytes(random.choice([0, 31, 32, 96])), 1,
            Hash32(bytes(32)), Hash32(bytes(32)), 0,
        )  # fmt: skip
        assert replayed([garbage], []).findings


def other_root() -> Hash32:
    return keccak256(b"other")


IMPOSSIBLE: list[tuple[str, int, tuple[Any, ...], str]] = [
    ("OwnershipTransferStarted", 2, (bytes(20),), "offered to that address already"),
    ("OwnershipTransferred", 2, (OWNER,), "never offered"),
    ("OwnershipTransferred", 2, (bytes(20),), "never offered"),
    ("OperatorSet", 2, (bytes(20), 1), "no such operator"),
    ("OperatorSet", 2, (HEIR, 4), "no such operator or role"),
    ("OperatorSet", 2, (KEY, 3), "these roles already"),
    ("OperatorSet", 2, (HEIR, 0), "these roles already"),
    ("OperatorSet", 2, (STOLEN, 1), "can have no role again"),
    ("OperatorCompromised", 2, (STOLEN, 1), "refused"),
    ("OperatorCompromised", 2, (KEY, 0), "refused"),
    ("OperatorCompromised", 2, (KEY, 2**40 - 1), "refused"),
    ("BareIssuerNamed", 2, (OWNER,), "may not anchor"),
    ("BareIssuerNamed", 2, (KEY,), "this issuer already"),
    ("Anchored", 2, (bytes(32), KEY, 4), "not zero"),
    ("Anchored", 2, (other_root(), HEIR, 4), "may not anchor"),
    ("Anchored", 2, (other_root(), STOLEN, 4), "may not anchor"),
    ("Anchored", 1, (other_root(), KEY, 4), "may not anchor"),
    ("Anchored", 2, (ROOT, KEY, 1000), "trusted anchor already"),
    ("Revoked", 2, (ROOT, 1, HEIR, 1, 0), "may not set status"),
    ("Revoked", 2, (other_root(), 1, KEY, 1, 0), "is not anchored"),
    ("Revoked", 2, (ROOT, 3, KEY, 1 << 232, 0), "at or above the size"),
    ("Revoked", 2, (ROOT, 4, KEY, 1, 0), "at or above the size"),
    ("Revoked", 2, (BARE, 0, KEY, 1, 0), "at or above the size"),
    ("Revoked", 2, (ROOT, 0, KEY, 0, 0), "stood so already"),
    ("Revoked", 2, (ROOT, 0, KEY, 3, 0), "stood so already"),
    ("Suspended", 2, (ROOT, 2, KEY, 2, 0), "stood so already"),
    ("Suspended", 2, (ROOT, 9, KEY, 2, 0), "at or above the size"),
    ("Reinstated", 2, (ROOT, 2, KEY, 1, 0), "stood so already"),
    ("Reinstated", 2, (other_root(), 2, KEY, 1, 0), "is not anchored"),
    ("BatchRevoked", 2, (BARE, KEY, 0), "revoked already"),
    ("BatchRevoked", 2, (ROOT, HEIR, 0), "may not set status"),
    ("Accredited", 1, (9, 0, 0), "no issuer 9"),
    ("Accredited", 1, (2, 1, 0), "out of order"),
    ("Accredited", 1, (2, 2, 0), "still runs"),
    ("Accredited", 2, (1, 0, 5), "ends before it begins"),
    ("AccreditationWithdrawn", 1, (2, 0), "does not run"),
    ("AccreditationWithdrawn", 2, (1, 0), "does not run"),
]


@pytest.mark.parametrize(("name", "issuer", "members", "why"), IMPOSSIBLE)
def test_what_the_contract_cannot_emit_is_named(
    name: str, issuer: int, members: tuple[Any, ...], why: str
) -> None:
    """A whole forged history, heads included, breaks on the contract's own rules."""
    emitter: Emitter = whole_history()
    log = emitter.emit(name, issuer, *members)
    (found,) = replayed(emitter.logs, emitter.heads).findings
    assert found.code is FindingCode.EVENT_IMPOSSIBLE
    assert why in found.message
    assert (found.place.issuer, found.place.block) == (issuer, log.block_number)


def test_a_bare_root_needs_its_issuer_named() -> None:
    emitter = Emitter()
    issuer = emitter.register("did:example:a")
    emitter.emit("OperatorSet", issuer, KEY, 1)
    emitter.emit("Anchored", issuer, ROOT, KEY, 0)
    (found,) = replayed(emitter.logs, emitter.heads).findings
    assert "has not named this issuer" in found.message


def test_anchoring_again_keeps_the_size() -> None:
    emitter = Emitter()
    issuer = emitter.register("did:example:a")
    emitter.emit("OperatorSet", issuer, STOLEN, 1)
    emitter.emit("OperatorSet", issuer, KEY, 1)
    emitter.emit("Anchored", issuer, ROOT, STOLEN, 5)
    emitter.emit("OperatorCompromised", issuer, STOLEN, 1)
    emitter.emit("Anchored", issuer, ROOT, KEY, 6)
    (found,) = replayed(emitter.logs, emitter.heads).findings
    assert "another size" in found.message


def test_a_million_forgeries_do_not_fill_the_memory() -> None:
    replay = Replay(CHAIN, REGISTRY, "A")
    for n in range(3_000):
        replay.apply(LOGS[0]._replace(address=OWNER, log_index=n))
    assert len(replay.findings) <= 1_000

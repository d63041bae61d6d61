"""Checks 1 to 7, each failing alone: what the registry says of a proof."""

from dataclasses import replace
from typing import Any

import pytest

from ledger.chain.registry import slots
from ledger.chain.state import NO_CODE
from ledger.errors import ChainError
from ledger.merkle.inclusion import InclusionProof
from ledger.primitives import Address, Home, keccak256, sha256
from ledger.verification.policy import MAX_STATE_AGE_SECONDS
from ledger.verification.report import Verdict
from tests.unit.verification_world import (
    ACCREDITOR_HOME,
    ANCHORED,
    DAY,
    HOME,
    ISSUER,
    NEWEST,
    OTHER_OPERATOR,
    POLICY,
    World,
    check,
    described,
    outcomes,
)


def test_a_badge_with_everything_in_order_is_valid() -> None:
    report = World().verify()
    assert (report.verdict, outcomes(report)) == (Verdict.VALID, "ppppppppppp")
    assert report.as_of == {"chain": "eip155:1", "block": 100, "time": "2027-01-15T07:45:00Z"}


def test_the_three_forms_of_one_badge_get_the_same_checks() -> None:
    world = World()
    badge = world.embedded
    reports = [
        world.verify(badge),
        world.verify(world.carrying),
        world.verify(world.detached, document=badge),
    ]
    assert [report.checks for report in reports] == [reports[0].checks] * 3


@pytest.mark.parametrize("accreditors", [(), (ACCREDITOR_HOME,)])
@pytest.mark.parametrize("finality", ["finalized", "latest"])
def test_a_verification_costs_three_round_trips(accreditors: Any, finality: Any) -> None:
    world = World()
    world.accredit((1, 2), (3, 0))
    world.verify(accreditors=accreditors, finality=finality)
    assert world.chain.round_trips == 3


def test_without_the_document_only_the_proof_is_checked() -> None:
    world = World()
    report = world.verify(world.detached)
    assert (report.verdict, outcomes(report)) == (Verdict.UNKNOWN, "pupppppuuuu")
    assert described(report, 2) == ("unknown", "no-document")
    assert report.credential is None


def test_another_document_fails_the_digest() -> None:
    world = World()
    world.badge = {**world.badge, "name": "Brain surgery"}
    report = world.verify()
    assert report.verdict is Verdict.INVALID
    assert described(report, 2) == ("failed", "digest-differs")
    assert described(report, 3) == ("passed", None)


def test_an_unknown_format_is_unknown_and_leaves_the_credential_to_be_checked() -> None:
    world = World()
    later = world.embedded.replace(b"ledger-proof/1", b"ledger-proof/9")
    report = world.verify(later)
    assert (report.verdict, outcomes(report)) == (Verdict.UNKNOWN, "uuuuuuuuppp")
    assert described(report, 1) == ("unknown", "unknown-format")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"index": 4}, "bad-index"),
        ({"index": 2}, "root-mismatch"),
        ({"path": ()}, "bad-path-length"),
        ({"path": (sha256(b"a"), sha256(b"b"))}, "root-mismatch"),
    ],
)
def test_a_path_that_does_not_lead_to_the_root_fails_inclusion(
    changes: dict[str, Any], reason: str
) -> None:
    world = World()
    old = world.proof.inclusion
    inclusion = InclusionProof(changes.get("index", old.index), changes.get("path", old.path))
    world.proof = replace(world.proof, inclusion=inclusion)
    report = world.verify()
    assert report.verdict is Verdict.INVALID
    assert described(report, 3) == ("failed", reason)


def test_the_size_is_believed_from_the_chain_only() -> None:
    world = World()
    world.anchor(size=5)
    report = world.verify()
    assert described(report, 3) == ("failed", "size-differs")
    assert report.anchor is not None
    assert report.anchor["size"] == 5


def test_a_bare_root_leaves_inclusion_unknown() -> None:
    world = World()
    world.anchor(size=0)
    report = world.verify()
    assert (report.verdict, outcomes(report)) == (Verdict.UNKNOWN, "ppupppppppp")
    assert described(report, 3) == ("unknown", "bare-root")


def test_a_root_that_nobody_anchored_is_invalid() -> None:
    world = World()
    world.drop_anchor()
    report = world.verify()
    assert (report.verdict, outcomes(report)) == (Verdict.INVALID, "ppsfssspppp")
    assert described(report, 4) == ("failed", "not-anchored")
    assert described(report, 7) == ("skipped", "not-anchored")


def test_an_anchor_of_another_issuer_is_none_of_this_one() -> None:
    world = World()
    world.drop_anchor()
    world.chain.put(slots.anchor_slot(ISSUER + 1, world.root), ANCHORED << 160 | 4 << 200)
    assert described(world.verify(), 4) == ("failed", "not-anchored")


def test_an_anchor_in_the_newest_blocks_only_is_not_final() -> None:
    world = World()
    world.drop_anchor(only_final=True)
    report = world.verify()
    assert (report.verdict, outcomes(report)) == (Verdict.UNKNOWN, "ppppupppppp")
    assert described(report, 5) == ("unknown", "not-final")
    assert report.as_of is not None
    assert report.as_of["block"] == NEWEST.number


def test_an_anchor_of_an_issuer_registered_a_minute_ago_is_not_final() -> None:
    world = World()
    world.chain.final.clear()
    assert outcomes(world.verify()) == "ppppupppppp"


def test_a_policy_may_believe_the_newest_block() -> None:
    world = World()
    world.drop_anchor(only_final=True)
    assert world.verify(finality="latest").verdict is Verdict.VALID


def test_a_chain_that_stands_still_cannot_rule_out_bad_news() -> None:
    world = World()
    still = NEWEST.time + MAX_STATE_AGE_SECONDS
    assert world.verify(now=still).verdict is Verdict.VALID
    report = world.verify(now=still + 1)
    assert report.verdict is Verdict.UNKNOWN
    assert described(report, 5) == ("unknown", "stale-state")
    assert world.verify(max_state_age_seconds=5).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(("since", "reason"), [(ANCHORED, "compromised"), (ANCHORED + 1, None)])
@pytest.mark.parametrize("only_newest", [False, True])
def test_an_anchor_counts_when_its_key_was_stolen_afterwards(
    since: int, reason: str | None, *, only_newest: bool
) -> None:
    world = World()
    world.report_compromise(since, only_newest=only_newest)
    report = world.verify()
    assert described(report, 6) == ("failed" if reason else "passed", reason)
    assert report.verdict is (Verdict.INVALID if reason else Verdict.VALID)


def test_an_anchor_made_again_after_a_compromise_counts_from_then() -> None:
    world = World()
    world.report_compromise(ANCHORED - DAY)
    world.anchor(operator=OTHER_OPERATOR, time=ANCHORED + DAY)
    report = world.verify()
    assert report.verdict is Verdict.VALID
    assert report.anchor is not None
    assert report.anchor["time"] == "2026-12-17T08:10:00Z"


def test_an_anchor_made_again_is_not_believed_before_it_is_final() -> None:
    world = World()
    world.report_compromise(ANCHORED - DAY)
    world.anchor(operator=OTHER_OPERATOR, time=NEWEST.time, only_newest=True)
    assert described(world.verify(), 6) == ("failed", "compromised")


def test_a_key_stolen_again_does_not_count_either() -> None:
    world = World()
    world.anchor(operator=OTHER_OPERATOR, time=ANCHORED + DAY)
    world.report_compromise(ANCHORED + DAY, OTHER_OPERATOR)
    assert described(world.verify(), 6) == ("failed", "compromised")


@pytest.mark.parametrize("only_newest", [False, True])
@pytest.mark.parametrize(
    ("slot", "reason"),
    [(slots.revoked_slot, "revoked"), (slots.suspended_slot, "suspended")],
)
def test_bad_news_counts_before_it_is_final(slot: Any, reason: str, *, only_newest: bool) -> None:
    world = World()
    world.set_status(slot, [1], only_newest=only_newest)
    report = world.verify()
    assert report.verdict is Verdict.INVALID
    assert described(report, 7) == ("failed", reason)
    assert outcomes(report) == "ppppppfpppp"


@pytest.mark.parametrize("slot", [slots.revoked_slot, slots.suspended_slot])
def test_bad_news_of_a_neighbour_is_none_of_ours(slot: Any) -> None:
    world = World()
    world.set_status(slot, [0, 2, 3, 255])
    assert world.verify().verdict is Verdict.VALID


def test_good_news_counts_when_it_is_final_only() -> None:
    world = World()
    world.set_status(slots.suspended_slot, [1])
    world.set_status(slots.suspended_slot, [], only_newest=True)
    assert described(world.verify(), 7) == ("failed", "suspended")
    world.set_status(slots.suspended_slot, [])
    assert world.verify().verdict is Verdict.VALID


@pytest.mark.parametrize("only_newest", [False, True])
def test_a_revoked_batch_revokes_all_of_it(*, only_newest: bool) -> None:
    world = World()
    world.anchor(flags=1, only_newest=only_newest)
    assert described(world.verify(), 7) == ("failed", "batch-revoked")


@pytest.mark.parametrize(
    "home",
    [replace(HOME, chain=5), replace(HOME, registry=Address(b"\x99" * 20))],
    ids=["another chain", "another registry"],
)
def test_a_proof_that_points_outside_the_policy_is_unknown(home: Home) -> None:
    world = World()
    world.proof = replace(world.proof, anchor=replace(world.proof.anchor, home=home))
    report = world.verify(world.detached)
    assert (report.verdict, outcomes(report)) == (Verdict.UNKNOWN, "puuuuuuuuuu")
    assert described(report, 4) == ("unknown", "untrusted-registry")
    assert world.chain.round_trips == 0


def test_without_an_endpoint_nothing_can_be_asked() -> None:
    world = World()
    report = world.verify(registries=(replace(POLICY.registries[0], rpc=()),))
    assert (report.verdict, outcomes(report)) == (Verdict.UNKNOWN, "ppuuuuuuppp")
    assert described(report, 3) == ("unknown", "no-endpoint")


@pytest.mark.parametrize(
    "code",
    ["rpc-unreachable", "rpc-timeout", "rpcs-disagree", "wrong-chain", "rpc-error", "no-block"],
)
def test_a_chain_that_cannot_be_asked_makes_nothing_invalid(code: str) -> None:
    world = World()
    world.chain.down = ChainError(code, "the node is away")
    report = world.verify()
    assert (report.verdict, outcomes(report)) == (Verdict.UNKNOWN, "ppuuuuuuppp")
    assert described(report, 3) == ("unknown", code)
    assert "the node is away" in check(report, 7).message
    assert report.as_of is None
    assert report.anchor is not None
    assert report.anchor["time"] is None


def test_a_failure_of_the_chain_that_has_no_name_yet_is_told_all_the_same() -> None:
    world = World()
    world.chain.down = ChainError("never-heard-of", "what was that")
    assert described(world.verify(), 4) == ("unknown", "chain-error")


def test_a_forged_badge_is_invalid_even_while_the_chain_is_down() -> None:
    world = World()
    world.badge = {**world.badge, "name": "Brain surgery"}
    world.chain.down = ChainError("rpc-timeout", "the node is away")
    report = world.verify()
    assert (report.verdict, outcomes(report)) == (Verdict.INVALID, "pfuuuuuufpp")


@pytest.mark.parametrize(
    ("code", "reason"), [(NO_CODE, "no-registry"), (keccak256(b"other"), "other-code")]
)
def test_another_contract_at_the_address_is_not_believed(code: Any, reason: str) -> None:
    world = World()
    world.chain.code = code
    report = world.verify()
    assert (report.verdict, outcomes(report)) == (Verdict.UNKNOWN, "ppuuuuuuppp")
    assert described(report, 4) == ("unknown", reason)


def test_an_anchor_from_the_future_is_a_lie_of_the_node() -> None:
    world = World()
    world.anchor(time=NEWEST.time + 1)
    assert described(world.verify(), 4) == ("unknown", "rpc-malformed")

"""Check 8: who the issuer is, and the ways to pass for somebody else."""

from dataclasses import replace
from typing import Any

import pytest

from ledger.chain.registry import slots
from ledger.chain.registry.lookup import MAX_SPANS
from ledger.primitives import Address, Canonicalization, Home, sha256
from ledger.verification.report import Verdict
from tests.unit.verification_world import (
    ACCREDITOR,
    ACCREDITOR_HOME,
    ANCHORED,
    CHAIN,
    DAY,
    HOME,
    ISSUER,
    KEY,
    World,
    check,
    credential,
    described,
    outcomes,
    proof_of,
    signed,
)

STRANGER = ISSUER + 1
STRANGERS_HOME = replace(HOME, issuer=STRANGER)


def homeless() -> dict[str, Any]:
    return signed(credential(homes=()))


def test_a_signature_that_covers_the_home_is_a_basis() -> None:
    assert str(check(World().verify(), 8).basis) == "signed"


def test_a_home_that_nobody_vouches_for_is_unknown() -> None:
    report = World(homeless()).verify()
    assert (report.verdict, outcomes(report)) == (Verdict.UNKNOWN, "pppppppuppp")
    assert described(report, 8) == ("unknown", "no-basis")


@pytest.mark.parametrize("badge", [homeless(), credential(homes=()), credential()])
def test_the_policy_can_know_the_home(badge: dict[str, Any]) -> None:
    report = World(badge).verify(homes=(HOME,))
    assert report.verdict is Verdict.VALID
    assert str(check(report, 8).basis) == "policy"


def test_the_home_alone_without_a_signature_is_no_basis() -> None:
    report = World(credential()).verify()
    assert outcomes(report) == "pppppppuspp"
    assert report.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("spans", "is_held"),
    [
        ([(ANCHORED, 0)], True),
        ([(ANCHORED - DAY, ANCHORED + 1)], True),
        ([(ANCHORED - DAY, ANCHORED)], False),
        ([(ANCHORED + 1, 0)], False),
        ([(ANCHORED - 9 * DAY, ANCHORED - 8 * DAY), (ANCHORED - DAY, 0)], True),
        ([], False),
    ],
    ids=["from then", "until just after", "withdrawn before", "too late", "again", "never"],
)
def test_an_accreditation_counts_at_the_time_of_the_anchor(
    spans: list[tuple[int, int]], *, is_held: bool
) -> None:
    world = World(homeless())
    world.accredit(*spans)
    report = world.verify(accreditors=(ACCREDITOR_HOME,))
    assert described(report, 8) == (("passed", None) if is_held else ("unknown", "no-basis"))
    assert (str(check(report, 8).basis) == "accredited") == is_held


def test_an_accreditation_withdrawn_afterwards_still_counts() -> None:
    world = World(homeless())
    world.accredit((ANCHORED - DAY, ANCHORED + DAY))
    assert world.verify(accreditors=(ACCREDITOR_HOME,)).verdict is Verdict.VALID


@pytest.mark.parametrize(
    "believed",
    [
        (),
        (replace(ACCREDITOR_HOME, issuer=ACCREDITOR + 1),),
        (replace(ACCREDITOR_HOME, chain=CHAIN + 1),),
        (replace(ACCREDITOR_HOME, registry=Address(b"\x99" * 20)),),
    ],
    ids=["nobody", "another", "its twin elsewhere", "its twin in another registry"],
)
def test_an_accreditor_that_the_policy_does_not_believe_is_no_basis(
    believed: tuple[Home, ...],
) -> None:
    world = World(homeless())
    world.accredit((1, 0))
    assert described(world.verify(accreditors=believed), 8) == ("unknown", "no-basis")


def test_an_accreditation_is_believed_when_it_is_final() -> None:
    world = World(homeless())
    world.accredit((1, 0))
    world.chain.put(slots.span_count_slot(ACCREDITOR, ISSUER), 0)
    world.chain.put(slots.span_count_slot(ACCREDITOR, ISSUER), 1, only_newest=True)
    assert described(world.verify(accreditors=(ACCREDITOR_HOME,)), 8) == ("unknown", "no-basis")


def test_of_very_many_accreditations_the_last_are_read() -> None:
    past = [(n, n + 1) for n in range(MAX_SPANS)]
    world = World(homeless())
    world.accredit(*past, (ANCHORED, 0))
    assert world.verify(accreditors=(ACCREDITOR_HOME,)).verdict is Verdict.VALID
    world.accredit((ANCHORED, ANCHORED + 1), *past)
    report = world.verify(accreditors=(ACCREDITOR_HOME,))
    assert described(report, 8) == ("unknown", "too-many-spans")
    assert world.chain.round_trips == 6


def test_a_file_needs_the_policy_or_an_accreditor() -> None:
    content = b"%PDF-1.7 a diploma"
    world = World()
    world.proof = proof_of(sha256(content), canonicalization=Canonicalization.NONE)
    world.anchor()

    def verify(**policy: Any) -> Any:
        return world.verify(world.detached, document=content, **policy)

    report = verify()
    assert (report.verdict, outcomes(report)) == (Verdict.UNKNOWN, "pppppppusss")
    assert str(report.subject) == "file"
    assert verify(homes=(HOME,)).verdict is Verdict.VALID
    world.accredit((1, 0))
    assert verify(accreditors=(ACCREDITOR_HOME,)).verdict is Verdict.VALID
    assert verify(homes=(HOME,), require_signature=True).verdict is Verdict.UNKNOWN


def test_an_issuer_that_is_a_plain_string_is_compared_too() -> None:
    assert World(credential(issuer=KEY.did)).verify(homes=(HOME,)).verdict is Verdict.VALID

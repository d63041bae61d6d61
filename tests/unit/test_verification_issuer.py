"""Check 8: who the issuer is, and the ways to pass for somebody else."""

from dataclasses import replace
from typing import Any

import pytest

from ledger.chain.registry import slots
from ledger.chain.registry.lookup import MAX_SPANS
from ledger.errors import ChainError, MalformedInputError
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
    POLICY,
    STRANGERS_KEY,
    World,
    check,
    credential,
    described,
    encode,
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


# Laundering: a badge that its issuer revoked, or never gave, comes back under another anchor.


def laundered(badge: dict[str, Any], home: Home = STRANGERS_HOME) -> World:
    """Return a world where a stranger registered the issuer's DID and anchored its badge."""
    return World(badge, home=home)


def test_a_stranger_who_registers_the_same_did_launders_nothing_that_names_its_home() -> None:
    report = laundered(signed(credential())).verify()
    assert (report.verdict, outcomes(report)) == (Verdict.INVALID, "pppppppfppp")
    assert described(report, 8) == ("failed", "other-home")


def test_a_stranger_who_registers_the_same_did_proves_nothing_for_one_that_names_none() -> None:
    report = laundered(homeless()).verify()
    assert (report.verdict, described(report, 8)) == (Verdict.UNKNOWN, ("unknown", "no-basis"))


def test_a_stranger_with_its_own_did_fails() -> None:
    world = laundered(homeless())
    world.register(STRANGER, STRANGERS_KEY.did)
    report = world.verify()
    assert (report.verdict, described(report, 8)) == (Verdict.INVALID, ("failed", "other-did"))


def test_the_policy_knowing_a_home_does_not_lend_it_another_did() -> None:
    world = laundered(homeless())
    world.register(STRANGER, STRANGERS_KEY.did)
    assert described(world.verify(homes=(STRANGERS_HOME,)), 8) == ("failed", "other-did")


def test_the_policy_knowing_a_home_does_not_lend_it_credentials_that_name_another() -> None:
    report = laundered(signed(credential())).verify(homes=(STRANGERS_HOME,))
    assert described(report, 8) == ("failed", "other-home")


def test_a_strangers_signature_over_its_own_home_fails() -> None:
    badge = signed(credential(homes=[str(STRANGERS_HOME)]), STRANGERS_KEY)
    report = laundered(badge).verify()
    assert report.verdict is Verdict.INVALID
    assert described(report, 9) == ("failed", "other-signer")
    assert described(report, 8) == ("unknown", "no-basis")


def test_the_issuers_home_on_a_testnet_is_another_home() -> None:
    testnet = replace(HOME, chain=CHAIN + 1)
    world = World(signed(credential()), home=testnet)
    world.chain.chain = testnet.chain
    registries = (replace(POLICY.registries[0], chain=None),)
    assert described(world.verify(registries=registries), 8) == ("failed", "other-home")


def test_a_testnet_anchor_is_nothing_to_a_policy_of_the_main_chain() -> None:
    world = World(homeless(), home=replace(HOME, chain=CHAIN + 1))
    report = world.verify()
    assert report.verdict is Verdict.UNKNOWN
    assert described(report, 8) == ("unknown", "untrusted-registry")
    assert world.chain.round_trips == 0


@pytest.mark.parametrize(
    "spelled",
    [
        str(HOME).lower().replace("0x", "0X"),
        str(HOME) + " ",
        str(HOME).replace(":7", ":07"),
        "",
        None,
        7,
        ["eip155:1"],
    ],
)
def test_a_home_in_another_spelling_is_another_home(spelled: object) -> None:
    report = World(signed(credential(homes=[spelled]))).verify()
    assert described(report, 8) == ("failed", "other-home")


def test_one_of_several_homes_is_enough() -> None:
    badge = signed(credential(homes=[str(STRANGERS_HOME), str(HOME)]))
    assert World(badge).verify().verdict is Verdict.VALID


def test_a_home_added_after_signing_is_found_by_the_signature() -> None:
    badge = homeless()
    named = credential()
    badge["issuer"] = named["issuer"]
    report = World(badge).verify()
    assert report.verdict is Verdict.INVALID
    assert described(report, 9) == ("failed", "bad-signature")
    assert described(report, 8) == ("unknown", "no-basis")


@pytest.mark.parametrize("issuer", [None, {}, {"id": 7}, [], {"name": "A school"}])
def test_a_credential_without_an_issuer_is_nobodys(issuer: object) -> None:
    report = World(credential(issuer=issuer)).verify(homes=(HOME,))
    assert described(report, 8) == ("unknown", "no-issuer-id")


def test_an_issuer_that_is_a_plain_string_is_compared_too() -> None:
    assert World(credential(issuer=KEY.did)).verify(homes=(HOME,)).verdict is Verdict.VALID


def test_a_credential_digested_as_a_file_is_refused() -> None:
    world = World()
    bytes_of_it = encode(world.badge)
    world.proof = proof_of(
        sha256(bytes_of_it), home=STRANGERS_HOME, canonicalization=Canonicalization.NONE
    )
    with pytest.raises(MalformedInputError) as caught:
        world.verify(world.detached, document=bytes_of_it, homes=(STRANGERS_HOME,))
    assert caught.value.code == "wrong-canonicalization"


def test_another_home_is_found_without_the_chain() -> None:
    world = laundered(signed(credential()))
    world.chain.down = ChainError("rpc-timeout", "the node is away")
    assert described(world.verify(), 8) == ("failed", "other-home")

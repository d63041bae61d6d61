"""Verifying with nothing but a file and the hash of a block."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ledger.chain.registry import slots
from ledger.credentials.canonical import embed
from ledger.errors import MalformedInputError
from ledger.primitives import Hash32, Home, sha256
from ledger.proofs.file import StateProof, format_embedded
from ledger.verification.checks import verify
from ledger.verification.offline import TrustedBlock, parse_trusted_block
from ledger.verification.report import Report, Verdict

from .state_world import TIME, Ethereum, ethereum_of
from .test_verification_did_web import badge as did_web_badge
from .test_verification_did_web import document as did_document
from .test_verification_did_web import world_of as did_web_world
from .verification_world import (
    ACCREDITOR,
    ACCREDITOR_HOME,
    CHAIN,
    DAY,
    HOME,
    ISSUED,
    NOW,
    OPERATOR,
    POLICY,
    World,
    credential,
    described,
    encode,
    outcomes,
)

ACCREDITORS = (ACCREDITOR, 3, 4)


class OfflineWorld:
    """A world, its only block, and a badge that carries its state."""

    def __init__(self, world: World, **changes: Any) -> None:
        self.world = world
        self.ethereum: Ethereum = ethereum_of(world, **changes)
        self.state: StateProof | None = self.ethereum.prove(world.proof, ACCREDITORS)

    def verify(
        self,
        trusted: list[TrustedBlock] | None = None,
        *,
        now: int = NOW,
        **changes: Any,
    ) -> Report:
        proof = replace(self.world.proof, state=self.state)
        blocks = [TrustedBlock(CHAIN, self.ethereum.hash)] if trusted is None else trusted
        return verify(
            encode(embed(self.world.badge, format_embedded(proof))),
            policy=replace(POLICY, **changes),
            now=now,
            trusted=blocks,
            fetch=self.world.fetch,
        )


def test_a_badge_with_its_state_is_valid_as_of_the_trusted_block() -> None:
    report = OfflineWorld(World()).verify()
    assert (report.verdict, outcomes(report)) == (Verdict.VALID, "ppppppppppp")
    assert report.as_of is not None
    assert (report.as_of["chain"], report.as_of["block"]) == ("eip155:1", 100)
    assert "as of block 100 of eip155:1" in report.as_text()


def revoke(world: World) -> None:
    world.set_status(slots.revoked_slot, [1])


def suspend(world: World) -> None:
    world.set_status(slots.suspended_slot, [1])


def revoke_batch(world: World) -> None:
    world.anchor(flags=1)


def revoke_a_neighbour(world: World) -> None:
    world.set_status(slots.revoked_slot, [0, 2, 3])


def forget_the_anchor(world: World) -> None:
    world.drop_anchor()


def steal_the_key(world: World) -> None:
    world.report_compromise(ISSUED, OPERATOR)


def register_another_did(world: World) -> None:
    world.register(HOME.issuer, "did:example:somebody-else")


def anchor_another_size(world: World) -> None:
    world.anchor(size=5)


def anchor_bare(world: World) -> None:
    world.anchor(size=0)


def accredit(world: World) -> None:
    world.accredit((1, 2), (3, 0))


def accredit_too_late(world: World) -> None:
    world.accredit((NOW, 0))


def change_nothing(_world: World) -> None:
    pass


@pytest.mark.parametrize("names_home", [True, False])
@pytest.mark.parametrize(
    "change",
    [
        change_nothing,
        revoke,
        suspend,
        revoke_batch,
        revoke_a_neighbour,
        forget_the_anchor,
        steal_the_key,
        register_another_did,
        anchor_another_size,
        anchor_bare,
        accredit,
        accredit_too_late,
    ],
)
def test_a_state_proof_says_what_the_chain_says(
    change: Callable[[World], None], *, names_home: bool
) -> None:
    """Whatever a chain answers at one block, its state proof answers offline."""
    world = World(credential(homes=[str(HOME)] if names_home else []))
    change(world)
    world.chain.final = dict(world.chain.newest)
    world.chain.final_block = world.chain.newest_block
    believed = (ACCREDITOR_HOME,)
    online = world.verify(accreditors=believed)
    offline = OfflineWorld(world).verify(accreditors=believed)
    assert outcomes(offline) == outcomes(online)
    assert offline.verdict == online.verdict
    reasons = [
        (ours.reason, theirs.reason)
        for ours, theirs in zip(offline.checks, online.checks, strict=True)
    ]
    # Not to be accredited and not to be shown to be are told apart offline only.
    assert all(ours == theirs for ours, theirs in reasons if ours != "unproved-accreditation")


def test_an_accreditation_is_a_basis_when_it_is_proved() -> None:
    world = World(credential(homes=[]))
    accredit(world)
    offline = OfflineWorld(world)
    report = offline.verify(accreditors=(ACCREDITOR_HOME,))
    assert (report.verdict, report.checks[7].basis) == (Verdict.VALID, "accredited")
    assert described(offline.verify(), 8) == ("unknown", "no-basis")
    offline.state = offline.ethereum.prove(world.proof)
    report = offline.verify(accreditors=(ACCREDITOR_HOME,))
    assert report.verdict is Verdict.UNKNOWN
    assert described(report, 8) == ("unknown", "unproved-accreditation")
    assert str(ACCREDITOR_HOME) in report.checks[7].message
    assert offline.verify(accreditors=(ACCREDITOR_HOME,), homes=(HOME,)).verdict is Verdict.VALID


def test_a_did_document_is_no_basis_as_it_would_have_to_be_fetched() -> None:
    world = did_web_world(did_web_badge(key=None, named=False), did_document(home=str(HOME)))
    online, offline = world.verify(), OfflineWorld(world)
    assert (online.verdict, len(world.fetched)) == (Verdict.VALID, 1)
    assert described(offline.verify(), 8) == ("unknown", "no-basis")
    assert offline.verify(homes=(HOME,)).verdict is Verdict.VALID
    assert len(world.fetched) == 1


def test_an_accreditor_of_another_registry_is_not_asked() -> None:
    world = World(credential(homes=[]))
    accredit(world)
    elsewhere = Home(CHAIN + 1, ACCREDITOR_HOME.registry, ACCREDITOR)
    assert described(OfflineWorld(world).verify(accreditors=(elsewhere,)), 8) == (
        "unknown",
        "no-basis",
    )


def assert_unknown(report: Report, reason: str) -> None:
    assert report.verdict is Verdict.UNKNOWN
    assert report.as_of is None
    for number in range(3, 9):
        assert described(report, number) == ("unknown", reason)


def test_an_old_block_says_nothing_about_today() -> None:
    offline = OfflineWorld(World())
    age = NOW - TIME
    assert offline.verify(max_state_age_seconds=age).verdict is Verdict.VALID
    report = offline.verify(max_state_age_seconds=age - 1)
    assert (report.verdict, described(report, 5)) == (Verdict.UNKNOWN, ("unknown", "stale-state"))
    assert offline.verify(now=TIME + 30 * DAY + 1).verdict is Verdict.UNKNOWN
    assert offline.verify(now=TIME + 30 * DAY).verdict is Verdict.VALID


def test_bad_news_stays_bad_news_however_old_the_block_is() -> None:
    world = World()
    revoke(world)
    assert OfflineWorld(world).verify(now=NOW + 1000 * DAY).verdict is Verdict.INVALID


def test_a_file_without_a_state_proof_is_unknown() -> None:
    offline = OfflineWorld(World())
    offline.state = None
    assert_unknown(offline.verify(), "no-state-proof")


def test_a_block_is_trusted_on_its_own_chain_only() -> None:
    offline = OfflineWorld(World())
    here, elsewhere = (TrustedBlock(chain, offline.ethereum.hash) for chain in (CHAIN, CHAIN + 1))
    assert_unknown(offline.verify([elsewhere]), "no-trusted-block")
    assert_unknown(offline.verify([]), "no-trusted-block")
    assert offline.verify([elsewhere, here]).verdict is Verdict.VALID


def test_a_block_that_was_not_named_is_not_trusted() -> None:
    offline = OfflineWorld(World())
    other = TrustedBlock(CHAIN, sha256(b"another block"))
    assert_unknown(offline.verify([other]), "untrusted-block")
    assert offline.ethereum.hash.hex() in offline.verify([other]).checks[3].message
    both = [other, TrustedBlock(CHAIN, offline.ethereum.hash)]
    assert offline.verify(both).verdict is Verdict.VALID


def test_a_state_proof_that_was_changed_is_unknown_and_not_invalid() -> None:
    world = World()
    revoke(world)
    offline = OfflineWorld(world)
    assert offline.verify().verdict is Verdict.INVALID
    assert offline.state is not None
    whole = offline.state
    for nodes in (whole.nodes[:-1], (*whole.nodes, b"\xc0"), whole.nodes[::-1], ()):
        offline.state = replace(whole, nodes=nodes)
        assert_unknown(offline.verify(), "bad-state-proof")


def test_a_contract_with_other_code_is_not_believed() -> None:
    offline = OfflineWorld(World(), code_hash=sha256(b"other code"))
    report = offline.verify()
    assert (report.verdict, described(report, 4)) == (Verdict.UNKNOWN, ("unknown", "other-code"))


def test_an_address_without_a_contract_is_no_registry() -> None:
    world = World()
    offline = OfflineWorld(world, registry=sha256(b"elsewhere")[:20])
    report = offline.verify()
    assert (report.verdict, described(report, 4)) == (Verdict.UNKNOWN, ("unknown", "no-registry"))


def test_a_registry_outside_the_policy_stays_unknown() -> None:
    assert_unknown(OfflineWorld(World()).verify(registries=()), "untrusted-registry")


def test_a_policy_without_endpoints_is_enough() -> None:
    registries = tuple(replace(known, rpc=()) for known in POLICY.registries)
    assert OfflineWorld(World()).verify(registries=registries).verdict is Verdict.VALID


def test_a_trusted_block_has_one_spelling() -> None:
    block = TrustedBlock(31337, Hash32(bytes(range(32))))
    assert parse_trusted_block("eip155:31337=0x" + bytes(range(32)).hex()) == block


@pytest.mark.parametrize(
    "text",
    [
        "",
        "eip155:1",
        "eip155:1=",
        "0x" + "00" * 32,
        "eip155:1=" + "00" * 32,
        "eip155:1=0x" + "00" * 31,
        "eip155:1=0x" + "AA" * 32,
        "eip155:01=0x" + "00" * 32,
        "eip155:1 =0x" + "00" * 32,
        "eip155:1=0x" + "00" * 32 + "=",
        "eip155:1==0x" + "00" * 32,
    ],
)
def test_any_other_spelling_of_a_trusted_block_is_refused(text: str) -> None:
    with pytest.raises(MalformedInputError) as caught:
        parse_trusted_block(text)
    assert caught.value.code == "bad-trust"

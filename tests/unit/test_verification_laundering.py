"""Attempts to pass off a badge that was revoked, forged or never given, and their verdicts.

docs/reference/attempts.md lists the same attempts. What an attacker can do: register
anything, anchor anything under its own issuer, copy roots, make files of any content, hold
badges of its own, and run a node.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from ledger.chain.registry import slots
from ledger.credentials.canonical import embed
from ledger.credentials.document import document_of
from ledger.errors import ChainError, MalformedInputError
from ledger.merkle.inclusion import InclusionProof
from ledger.merkle.tree import leaf_hash
from ledger.primitives import Canonicalization, Hash32, Home, sha256
from ledger.proofs.file import format_proof_file
from ledger.verification.checks import open_chain, verify
from ledger.verification.report import Report, Verdict
from tests.unit.chain_rpc_node import Node, running_node
from tests.unit.verification_world import (
    ACCREDITOR_HOME,
    ANCHORED,
    CHAIN,
    DAY,
    HOME,
    ISSUER,
    KEY,
    NEWEST,
    NOW,
    OTHER_OPERATOR,
    POLICY,
    REGISTRY,
    STRANGERS_KEY,
    World,
    anchor_word,
    check,
    credential,
    described,
    encode,
    proof_of,
    serve,
    signed,
)

STRANGER = ISSUER + 1
STRANGERS_HOME = replace(HOME, issuer=STRANGER)


def homeless() -> dict[str, Any]:
    """Return a badge that names no home, so that less ties it to one."""
    return signed(credential(homes=()))


def laundered(badge: dict[str, Any], home: Home = STRANGERS_HOME) -> World:
    """Return a world where a stranger registered the issuer's DID and anchored its badge."""
    return World(badge, home=home)


def expect(report: Report, verdict: Verdict, number: int, reason: str) -> None:
    """Return when the verdict is as expected, because of that one check alone.

    The shape, which decides nothing here, does not count.
    """
    outcome = "failed" if verdict is Verdict.INVALID else "unknown"
    assert (report.verdict, described(report, number)) == (verdict, (outcome, reason))
    decisive = [
        c.number for c in report.checks if c.outcome == outcome and c.number not in (number, 11)
    ]
    assert decisive == []


def refused(world: World, data: bytes, document: bytes | None = None, **policy: Any) -> str:
    """Return the code with which a submission is refused."""
    with pytest.raises(MalformedInputError) as caught:
        world.verify(data, document=document, **policy)
    return caught.value.code


# Another issuer's name.


def test_the_same_did_registered_by_a_stranger_for_a_badge_that_names_its_home() -> None:
    expect(laundered(signed(credential())).verify(), Verdict.INVALID, 8, "other-home")


def test_the_same_did_registered_by_a_stranger_for_a_badge_that_names_no_home() -> None:
    expect(laundered(homeless()).verify(), Verdict.UNKNOWN, 8, "no-basis")


def test_the_same_did_registered_by_a_stranger_whom_the_policy_lists() -> None:
    # Whoever lists a home vouches for it, but not for badges that name another one.
    report = laundered(signed(credential())).verify(homes=(STRANGERS_HOME,))
    expect(report, Verdict.INVALID, 8, "other-home")


def test_a_stranger_with_its_own_did() -> None:
    world = laundered(homeless())
    world.register(STRANGER, STRANGERS_KEY.did)
    for homes in ((), (STRANGERS_HOME,)):
        expect(world.verify(homes=homes), Verdict.INVALID, 8, "other-did")


def test_a_strangers_root_copied_from_the_issuers_transaction() -> None:
    # The same root and the same path, under the stranger's number, where nothing is revoked.
    world = World(signed(credential()))
    world.set_status(slots.revoked_slot, [1])
    world.register(STRANGER)
    world.chain.put(slots.anchor_slot(STRANGER, world.root), anchor_word())
    world.proof = replace(world.proof, anchor=replace(world.proof.anchor, home=STRANGERS_HOME))
    expect(world.verify(), Verdict.INVALID, 8, "other-home")


def test_a_strangers_signature_over_its_own_home() -> None:
    badge = signed(credential(homes=[str(STRANGERS_HOME)]), STRANGERS_KEY)
    report = laundered(badge).verify()
    assert (report.verdict, described(report, 9)) == (Verdict.INVALID, ("failed", "other-signer"))
    assert described(report, 8) == ("unknown", "no-basis")


def test_a_strangers_signature_beside_the_issuers() -> None:
    badge = signed(signed(credential()), STRANGERS_KEY)
    expect(World(badge).verify(), Verdict.INVALID, 9, "other-signer")


def test_a_home_added_after_signing() -> None:
    badge = homeless()
    badge["issuer"] = credential(homes=[str(STRANGERS_HOME)])["issuer"]
    report = laundered(badge).verify()
    assert (report.verdict, described(report, 9)) == (Verdict.INVALID, ("failed", "bad-signature"))
    assert described(report, 8) == ("unknown", "no-basis")


def test_the_home_taken_out_together_with_the_signature() -> None:
    badge = credential(homes=())
    expect(laundered(badge).verify(), Verdict.UNKNOWN, 8, "no-basis")


@pytest.mark.parametrize("homes", [[STRANGERS_HOME, HOME], [HOME, STRANGERS_HOME]])
def test_a_badge_that_names_several_homes_is_at_home_in_each(homes: list[Home]) -> None:
    # Its issuer signed that it lives in both, so both may anchor it.
    badge = signed(credential(homes=[str(home) for home in homes]))
    assert World(badge).verify().verdict is Verdict.VALID
    assert laundered(badge).verify().verdict is Verdict.VALID
    third = replace(HOME, issuer=STRANGER + 1)
    expect(laundered(badge, third).verify(), Verdict.INVALID, 8, "other-home")


@pytest.mark.parametrize(
    "spelled",
    [
        str(HOME).lower().replace("0x", "0X"),
        str(HOME) + " ",
        str(HOME).replace(":7", ":07"),
        str(HOME).replace("eip155:1", "eip155:01"),
        "",
        None,
        7,
        ["eip155:1"],
    ],
)
def test_a_home_in_another_spelling_is_another_home(spelled: object) -> None:
    expect(World(signed(credential(homes=[spelled]))).verify(), Verdict.INVALID, 8, "other-home")


@pytest.mark.parametrize("issuer", [None, {}, {"id": 7}, [], [{"id": KEY.did}], {"name": "A"}])
def test_a_badge_without_an_issuer_is_nobodys(issuer: object) -> None:
    report = World(credential(issuer=issuer)).verify(homes=(HOME,))
    expect(report, Verdict.UNKNOWN, 8, "no-issuer-id")


# Another chain, another registry.


def test_a_testnet_anchor_for_a_badge_of_the_main_chain() -> None:
    testnet = replace(HOME, chain=CHAIN + 1)
    world = World(signed(credential()), home=testnet)
    world.chain.chain = testnet.chain
    everywhere = (replace(POLICY.registries[0], chain=None),)
    expect(world.verify(registries=everywhere), Verdict.INVALID, 8, "other-home")


def test_a_testnet_anchor_to_a_policy_of_the_main_chain() -> None:
    world = World(homeless(), home=replace(HOME, chain=CHAIN + 1))
    report = world.verify(homes=(HOME,))
    assert (report.verdict, described(report, 4)) == (
        Verdict.UNKNOWN,
        ("unknown", "untrusted-registry"),
    )
    assert world.chain.round_trips == 0


def test_a_contract_of_the_attackers_at_an_address_that_is_not_in_the_policy() -> None:
    lookalike = replace(HOME, registry=type(REGISTRY)(b"\x99" * 20))
    world = World(signed(credential(homes=[str(lookalike)])), home=lookalike)
    report = world.verify()
    assert (report.verdict, described(report, 4)) == (
        Verdict.UNKNOWN,
        ("unknown", "untrusted-registry"),
    )


# Not as a credential.


def test_a_credential_submitted_as_raw_bytes() -> None:
    world = World()
    content = encode(world.badge)
    world.proof = proof_of(
        sha256(content), home=STRANGERS_HOME, canonicalization=Canonicalization.NONE
    )
    homes = (STRANGERS_HOME,)
    assert refused(world, world.detached, content, homes=homes) == "wrong-canonicalization"
    inside = {**format_proof_file(world.proof), "credential": world.badge}
    assert refused(world, encode(inside), homes=homes) == "wrong-value"


@pytest.mark.parametrize(
    "respelled",
    [
        lambda text: text + b"{}",
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.decode().encode("utf-16"),
        lambda text: text.replace(b'"type"', b'"type": [], "type"', 1),
        lambda text: text.replace(b'"name"', b'"score": NaN, "name"', 1),
        lambda text: text.replace(b'"type"', b'"@type"', 1),
        lambda text: text.replace(b'"type"', b'"Type"', 1),
        lambda text: b"/* a comment */" + text,
        lambda text: text.replace(
            b'["VerifiableC', b'["https://www.w3.org/2018/credentials#VerifiableC'
        ),
        lambda text: text.replace(b'["VerifiableCredential", ', b"["),
        lambda text: text.replace(b'"type": ["VerifiableC', b'"kind": ["VerifiableC').replace(
            b'"@context": [', b'"@context": [{"kind": "@type"}, '
        ),
    ],
    ids=[
        "junk",
        "mark",
        "utf-16",
        "twice",
        "NaN",
        "alias",
        "case",
        "comment",
        "IRI",
        "less",
        "own",
    ],
)
def test_a_credential_respelled_until_it_is_none(respelled: Callable[[bytes], bytes]) -> None:
    world = World()
    content = respelled(encode(world.badge))
    world.proof = proof_of(
        sha256(content), home=STRANGERS_HOME, canonicalization=Canonicalization.NONE
    )
    world.register(STRANGER)
    world.chain.put(slots.anchor_slot(STRANGER, world.root), anchor_word())
    assert refused(world, world.detached, content, homes=(STRANGERS_HOME,))


def test_the_proof_of_a_file_for_a_credential_and_the_reverse() -> None:
    world = World()
    raw = replace(world.proof, canonicalization=Canonicalization.NONE)
    assert refused(world, encode(format_proof_file(raw)), encode(world.badge)) == (
        "wrong-canonicalization"
    )
    assert refused(world, world.detached, b"%PDF-1.7") == "wrong-canonicalization"


def test_something_unread_hidden_in_the_proof_beside_a_second_one() -> None:
    world = World()
    hidden = {"type": "LedgerAnchorProof", "achievement": "Doctor of medicine"}
    document = embed(world.badge, hidden)
    assert document_of(document).digest == world.proof.digest
    assert refused(world, world.detached, encode(document)) == "missing-member"


# Another place in the tree.


def test_the_proof_of_a_neighbour_in_a_tree_of_the_same_shape() -> None:
    world = World()
    neighbour = signed(credential(5))
    # Its neighbour's index and path, and the root they lead to: all true, of another badge.
    world.badge = neighbour
    expect(world.verify(), Verdict.INVALID, 2, "digest-differs")
    # And with its own digest written into the proof.
    world.proof = replace(world.proof, digest=document_of(neighbour).digest)
    expect(world.verify(), Verdict.INVALID, 3, "root-mismatch")


@pytest.mark.parametrize("index", [0, 2, 3])
def test_a_revoked_leaf_under_the_index_of_another(index: int) -> None:
    world = World()
    world.set_status(slots.revoked_slot, [1])
    world.proof = replace(world.proof, inclusion=replace(world.proof.inclusion, index=index))
    expect(world.verify(), Verdict.INVALID, 3, "root-mismatch")


@pytest.mark.parametrize("index", [4, 1 + 256, 2**47])
def test_a_revoked_leaf_under_an_index_that_no_status_covers(index: int) -> None:
    world = World()
    world.set_status(slots.revoked_slot, [1])
    world.proof = replace(world.proof, inclusion=replace(world.proof.inclusion, index=index))
    expect(world.verify(), Verdict.INVALID, 3, "bad-index")


def test_a_size_that_makes_another_index_fit_the_same_path() -> None:
    # In a tree of 4 the path of leaf 1 has two hashes, and so has that of leaf 1 in one of 3.
    world = World()
    world.proof = replace(world.proof, anchor=replace(world.proof.anchor, size=3))
    expect(world.verify(), Verdict.INVALID, 3, "size-differs")


def test_an_inner_node_as_a_leaf() -> None:
    # The digest is chosen so that without the prefixes of RFC 9162 it would be a node.
    world = World()
    left, right = leaf_hash(world.proof.digest), world.proof.inclusion.path[0]
    pair = sha256(right + left)
    badge_path = world.proof.inclusion.path[1:]
    world.proof = replace(world.proof, digest=pair, inclusion=InclusionProof(0, badge_path))
    report = world.verify(world.detached)
    assert (report.verdict, described(report, 3)) == (
        Verdict.INVALID,
        ("failed", "bad-path-length"),
    )


# A key that was stolen.


@pytest.mark.parametrize("only_newest", [False, True])
def test_an_anchor_of_a_stolen_key(*, only_newest: bool) -> None:
    world = World()
    world.report_compromise(ANCHORED, only_newest=only_newest)
    expect(world.verify(), Verdict.INVALID, 6, "compromised")


def test_an_anchor_from_before_the_key_was_stolen() -> None:
    world = World()
    world.report_compromise(ANCHORED + 1)
    assert world.verify().verdict is Verdict.VALID


def anchored_again(badge: dict[str, Any]) -> World:
    """Return a world where a stolen key's batch was anchored again, a day later."""
    world = World(badge)
    world.report_compromise(ANCHORED - DAY)
    world.anchor(operator=OTHER_OPERATOR, time=ANCHORED + DAY)
    return world


def test_a_batch_anchored_again_counts_from_then() -> None:
    report = anchored_again(signed(credential())).verify()
    assert report.verdict is Verdict.VALID
    assert report.anchor is not None
    assert report.anchor["time"] == "2026-12-17T08:10:00Z"


@pytest.mark.parametrize(
    ("span", "is_held"),
    [
        ((ANCHORED - DAY, ANCHORED + DAY), False),
        ((ANCHORED - DAY, ANCHORED + DAY + 1), True),
        ((ANCHORED + 1, 0), True),
        ((ANCHORED + DAY + 1, 0), False),
    ],
    ids=["withdrawn before the second", "held at the second", "given between", "given after"],
)
def test_an_accreditation_is_judged_at_the_time_of_the_second_anchor(
    span: tuple[int, int], *, is_held: bool
) -> None:
    world = anchored_again(homeless())
    world.accredit(span)
    report = world.verify(accreditors=(ACCREDITOR_HOME,))
    if is_held:
        assert (report.verdict, str(check(report, 8).basis)) == (Verdict.VALID, "accredited")
    else:
        expect(report, Verdict.UNKNOWN, 8, "no-basis")


def test_a_batch_anchored_again_by_a_stolen_key() -> None:
    world = anchored_again(signed(credential()))
    world.report_compromise(ANCHORED + DAY, OTHER_OPERATOR)
    expect(world.verify(), Verdict.INVALID, 6, "compromised")


def test_a_status_outlives_the_second_anchor() -> None:
    world = anchored_again(signed(credential()))
    world.set_status(slots.revoked_slot, [1])
    expect(world.verify(), Verdict.INVALID, 7, "revoked")


# An accreditation that was lost.


def test_an_accreditation_withdrawn_before_the_anchor() -> None:
    world = World(homeless())
    world.accredit((ANCHORED - DAY, ANCHORED))
    report = world.verify(accreditors=(ACCREDITOR_HOME,))
    expect(report, Verdict.UNKNOWN, 8, "no-basis")


def test_an_accreditation_withdrawn_after_the_anchor() -> None:
    world = World(homeless())
    world.accredit((ANCHORED - DAY, ANCHORED + 1))
    assert world.verify(accreditors=(ACCREDITOR_HOME,)).verdict is Verdict.VALID


def test_an_accreditation_by_an_accreditor_of_the_attackers() -> None:
    world = World(homeless())
    world.accredit((1, 0))
    expect(world.verify(accreditors=(STRANGERS_HOME,)), Verdict.UNKNOWN, 8, "no-basis")


# News that is old, new, or told differently.


@pytest.mark.parametrize("only_newest", [False, True], ids=["final", "newest"])
@pytest.mark.parametrize(
    ("slot", "reason"), [(slots.revoked_slot, "revoked"), (slots.suspended_slot, "suspended")]
)
def test_bad_news_of_the_newest_block(
    slot: Callable[..., Hash32], reason: str, *, only_newest: bool
) -> None:
    world = World()
    world.set_status(slot, [1], only_newest=only_newest)
    expect(world.verify(), Verdict.INVALID, 7, reason)


@pytest.mark.parametrize("only_newest", [False, True], ids=["final", "newest"])
def test_a_batch_revoked_whole(*, only_newest: bool) -> None:
    world = World()
    world.anchor(flags=1, only_newest=only_newest)
    expect(world.verify(), Verdict.INVALID, 7, "batch-revoked")


def test_a_bare_anchor_and_a_path_of_any_size() -> None:
    world = World()
    world.anchor(size=0)
    expect(world.verify(), Verdict.UNKNOWN, 3, "bare-root")


def test_an_anchor_in_the_newest_block_only() -> None:
    world = World()
    world.drop_anchor(only_final=True)
    expect(world.verify(), Verdict.UNKNOWN, 5, "not-final")


def test_an_anchor_in_no_block() -> None:
    world = World()
    world.drop_anchor()
    expect(world.verify(), Verdict.INVALID, 4, "not-anchored")


def test_a_chain_that_was_stopped_before_the_bad_news() -> None:
    world = World()
    report = world.verify(now=NEWEST.time + POLICY.max_state_age_seconds + 1)
    expect(report, Verdict.UNKNOWN, 5, "stale-state")


def test_a_node_that_cannot_be_asked_does_not_clear_another_home() -> None:
    world = laundered(signed(credential()))
    world.chain.down = ChainError("rpc-timeout", "the node is away")
    report = world.verify()
    assert (report.verdict, described(report, 8)) == (Verdict.INVALID, ("failed", "other-home"))


@pytest.fixture
def nodes() -> Iterator[list[Node]]:
    """Three nodes; the last one hides that the badge was revoked."""
    told, hidden = World(), World()
    told.set_status(slots.revoked_slot, [1])
    with ExitStack() as stack:
        started = [stack.enter_context(running_node()) for _ in range(3)]
        for node, world in zip(started, (told, told, hidden), strict=True):
            serve(node, world)
        yield started


@pytest.mark.parametrize(
    ("asked", "quorum", "verdict"),
    [
        ((0, 1), 2, Verdict.INVALID),
        ((0, 2), 2, Verdict.UNKNOWN),
        ((0, 1, 2), 2, Verdict.INVALID),
        ((0, 1, 2), 3, Verdict.UNKNOWN),
    ],
)
def test_a_node_that_hides_a_revocation(
    nodes: list[Node], asked: tuple[int, ...], quorum: int, verdict: Verdict
) -> None:
    urls = tuple(nodes[n].url for n in asked)
    registries = (replace(POLICY.registries[0], rpc=urls, quorum=quorum),)
    report = verify(
        World().embedded,
        policy=replace(POLICY, registries=registries),
        now=NOW,
        open_chain=open_chain,
        fetch=None,
    )
    assert report.verdict is verdict
    expected = ("failed", "revoked") if verdict is Verdict.INVALID else ("unknown", "rpcs-disagree")
    assert described(report, 7) == expected

"""Reading a real node: blocks, slots and code at a block hash; and whole verifications."""

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ledger.chain.artifact import code_hash
from ledger.chain.outbox import Outbox
from ledger.chain.quorum import Quorum
from ledger.chain.registry import slots
from ledger.chain.rpc import Rpc, RpcError
from ledger.chain.state import NO_CODE, CodeHash, RpcReader, RpcState, Slot, read_blocks
from ledger.clock import now
from ledger.credentials.canonical import embed
from ledger.credentials.document import document_of
from ledger.errors import ChainError
from ledger.primitives import Address, Hash32, Home, format_address, format_chain
from ledger.proofs.file import ProofFile, format_embedded
from ledger.verification.checks import verify
from ledger.verification.policy import TrustPolicy, default_policy
from ledger.verification.report import Report, Verdict
from tests.unit.verification_world import (
    KEY,
    STRANGERS_KEY,
    credential,
    described,
    encode,
    outcomes,
    proof_of,
    signed,
)

from .conftest import Chain

NOBODY = Address(b"\x99" * 20)


@pytest.fixture
def rpc(chain: Chain) -> Iterator[Rpc]:
    with Rpc(chain.rpc_url) as rpc:
        yield rpc


def test_blocks_come_with_what_the_node_says_of_them(chain: Chain, rpc: Rpc) -> None:
    chain.mine(5)
    final, newest = read_blocks(rpc, ["finalized", "latest"], chain=chain.chain_id)
    assert final.number < newest.number
    for block in (final, newest):
        theirs = chain.web3.eth.get_block(block.number)
        assert bytes(theirs["hash"]) == block.hash
        assert theirs["timestamp"] == block.time


def test_the_wrong_chain_is_noticed(rpc: Rpc) -> None:
    with pytest.raises(ChainError) as caught:
        read_blocks(rpc, ["latest"], chain=1)
    assert caught.value.code == "wrong-chain"


def test_code_and_slots_are_those_of_the_contract(chain: Chain, rpc: Rpc) -> None:
    (block,) = read_blocks(rpc, ["latest"])
    here, nowhere = CodeHash(block, chain.registry), CodeHash(block, NOBODY)
    count = Slot(block, chain.registry, slots.ISSUER_COUNT_SLOT)
    answers = RpcReader(rpc, chain.chain_id).read([here, nowhere, count])
    assert answers[here] == code_hash()
    assert answers[nowhere] == NO_CODE
    issuers = chain.contract.functions.issuerCount().call(block_identifier=block.number)
    assert int.from_bytes(answers[count]) == issuers


def test_a_block_keeps_its_answers_while_the_chain_goes_on(
    chain: Chain, outbox: Outbox, rpc: Rpc
) -> None:
    (before,) = read_blocks(rpc, ["latest"])
    state = RpcState(rpc, chain.chain_id, before)
    (old,) = state.slots(chain.registry, [slots.ISSUER_COUNT_SLOT])
    chain.send(outbox, chain.sender(), chain.encode("registerIssuer", "did:example:later"))
    assert state.slots(chain.registry, [slots.ISSUER_COUNT_SLOT]) == [old]
    (after,) = read_blocks(rpc, ["latest"])
    (new,) = RpcState(rpc, chain.chain_id, after).slots(chain.registry, [slots.ISSUER_COUNT_SLOT])
    assert int.from_bytes(new) == int.from_bytes(old) + 1


def test_a_block_that_the_node_does_not_have_has_no_answers(chain: Chain, rpc: Rpc) -> None:
    (block,) = read_blocks(rpc, ["latest"])
    elsewhere = replace(block, hash=Hash32(bytes(32)))
    with pytest.raises(RpcError):
        RpcState(rpc, chain.chain_id, elsewhere).slots(chain.registry, [slots.ISSUER_COUNT_SLOT])


def test_three_connections_to_one_node_agree(chain: Chain) -> None:
    with Quorum([Rpc(chain.rpc_url) for _ in range(3)], 3) as quorum:
        final, newest = read_blocks(quorum, ["finalized", "latest"], chain=chain.chain_id)
        assert final.number <= newest.number
        (word,) = RpcState(quorum, chain.chain_id, final).slots(
            chain.registry, [slots.ISSUER_COUNT_SLOT]
        )
        assert int.from_bytes(word) >= 0


class Issuer:
    """A registered issuer on the real chain, and one badge of its only batch."""

    def __init__(self, chain: Chain, outbox: Outbox, *, did: str = KEY.did) -> None:
        self.chain, self.outbox = chain, outbox
        self.owner, self.key = chain.sender(), chain.sender()
        transaction = self.send(self.owner, "registerIssuer", did)
        receipt = chain.rpc.call("eth_getTransactionReceipt", ["0x" + transaction.hex()])
        self.number = int(receipt["logs"][0]["topics"][1], 16)
        self.home = Home(chain.chain_id, chain.registry, self.number)
        self.send(self.owner, "setOperator", self.number, format_address(self.key.address), 3)

    def send(self, sender: object, function: str, *arguments: object) -> bytes:
        data = self.chain.encode(function, *arguments)
        return self.chain.send(self.outbox, sender, data)  # type: ignore[arg-type]

    def anchor(self, proof: ProofFile) -> None:
        self.send(self.key, "anchor", self.number, proof.anchor.root, proof.anchor.size)


@pytest.fixture
def issuer(chain: Chain, outbox: Outbox) -> Issuer:
    return Issuer(chain, outbox)


def badge_of(home: Home) -> tuple[bytes, ProofFile]:
    """Return a signed badge that names `home`, and its proof."""
    badge = signed(
        credential(
            int.from_bytes(os.urandom(4)), homes=[str(home)], validFrom="2026-01-01T00:00:00Z"
        ),
        created=now() - 60,
    )
    proof = proof_of(document_of(badge).digest, home=home)
    return encode(embed(badge, format_embedded(proof))), proof


def verified(chain: Chain, data: bytes, policy: TrustPolicy | None = None) -> Report:
    trusting = (policy or default_policy()).with_rpcs([chain.rpc_url])
    return verify(data, policy=trusting, now=now())


def test_a_badge_is_valid_from_its_anchor_until_it_is_revoked(chain: Chain, issuer: Issuer) -> None:
    data, proof = badge_of(issuer.home)
    report = verified(chain, data)
    assert (report.verdict, described(report, 4)) == (
        Verdict.INVALID,
        ("failed", "not-anchored"),
    )
    issuer.anchor(proof)
    report = verified(chain, data)
    assert (report.verdict, outcomes(report)) == (Verdict.VALID, "ppppppppppp")
    assert report.anchor is not None
    assert report.anchor["operator"] == format_address(issuer.key.address)
    issuer.send(issuer.key, "revoke", issuer.number, proof.anchor.root, 0, 0b0010, 1)
    report = verified(chain, data)
    assert (report.verdict, described(report, 7)) == (Verdict.INVALID, ("failed", "revoked"))


def test_a_stolen_key_takes_its_anchors_with_it_until_they_are_made_again(
    chain: Chain, issuer: Issuer
) -> None:
    data, proof = badge_of(issuer.home)
    issuer.anchor(proof)
    thief = format_address(issuer.key.address)
    issuer.send(issuer.owner, "reportCompromise", issuer.number, thief, 1)
    assert described(verified(chain, data), 6) == ("failed", "compromised")
    issuer.key = chain.sender()
    issuer.send(issuer.owner, "setOperator", issuer.number, format_address(issuer.key.address), 1)
    issuer.anchor(proof)
    assert verified(chain, data).verdict is Verdict.VALID


def test_an_accreditation_on_chain_is_a_basis(chain: Chain, outbox: Outbox, issuer: Issuer) -> None:
    accreditor = Issuer(chain, outbox, did=STRANGERS_KEY.did)
    accreditor.send(accreditor.owner, "accredit", accreditor.number, issuer.number, 0)
    data, proof = badge_of(issuer.home)
    issuer.anchor(proof)
    policy = replace(default_policy(), accreditors=(accreditor.home,))
    report = verified(chain, data, policy)
    assert str(report.checks[7].basis) == "accredited"


def test_a_node_of_another_chain_knows_nothing(chain: Chain, issuer: Issuer) -> None:
    data, _ = badge_of(replace(issuer.home, chain=1))
    report = verified(chain, data)
    assert (report.verdict, described(report, 4)) == (Verdict.UNKNOWN, ("unknown", "wrong-chain"))
    assert format_chain(1) in report.checks[3].message

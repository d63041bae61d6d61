"""Anchoring with a signature that somebody else brings: eth-account signs, the contract reads."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak
from web3.exceptions import ContractCustomError, ContractLogicError

from ledger.chain.outbox import Outbox
from ledger.chain.registry.calls import Revert, decode_revert
from ledger.chain.sender import Sender
from ledger.database import Database, migrate
from ledger.primitives import Hash32, format_address, sha256

from .conftest import Chain

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Of secp256k1: (r, s) and (r, ORDER - s) are one signature in two spellings."""

FOR_EVER = 2**255
TYPES = {
    "Anchor": [
        {"name": "issuer", "type": "uint256"},
        {"name": "root", "type": "bytes32"},
        {"name": "size", "type": "uint48"},
        {"name": "deadline", "type": "uint256"},
    ]
}


@dataclass(frozen=True)
class Order:
    """What an operator signs, and where it is meant to be read."""

    chain: int
    registry: str
    issuer: int
    root: Hash32
    size: int = 1000
    deadline: int = FOR_EVER

    def typed(self) -> dict[str, Any]:
        return {
            "domain_data": {
                "name": "CredentialRegistry",
                "version": "1",
                "chainId": self.chain,
                "verifyingContract": self.registry,
            },
            "message_types": TYPES,
            "message_data": {
                "issuer": self.issuer,
                "root": bytes(self.root),
                "size": self.size,
                "deadline": self.deadline,
            },
        }

    def digest(self) -> bytes:
        """Return what eth-account signs."""
        message = encode_typed_data(**self.typed())
        return keccak(b"\x19" + message.version + message.header + message.body)

    def sign(self, signer: LocalAccount) -> bytes:
        return bytes(signer.sign_typed_data(**self.typed()).signature)


@dataclass
class Relay:
    """An issuer with one operator who signs, and a relayer who pays."""

    chain: Chain
    outbox: Outbox
    owner: Sender
    relayer: Sender
    operator: LocalAccount
    issuer: int

    def order(self, name: str) -> Order:
        registry = format_address(self.chain.registry)
        return Order(self.chain.chain_id, registry, self.issuer, sha256(name.encode()))

    def calldata(self, order: Order, signature: bytes) -> bytes:
        arguments = (order.issuer, order.root, order.size, order.deadline, signature)
        return self.chain.encode("anchorBySig", *arguments)

    def bring(self, order: Order, signature: bytes) -> None:
        self.chain.send(self.outbox, self.relayer, self.calldata(order, signature))

    def refusal(self, order: Order, signature: bytes) -> Revert:
        """Return the error that the contract would answer the relayer with."""
        data = self.calldata(order, signature)
        call = {
            "from": format_address(self.relayer.address),
            "to": self.chain.contract.address,
            "data": data,
        }
        with pytest.raises((ContractCustomError, ContractLogicError)) as caught:
            self.chain.web3.eth.call(call)  # type: ignore[arg-type]
        returned = caught.value.data
        assert isinstance(returned, str)
        revert = decode_revert(bytes.fromhex(returned[2:]))
        assert revert is not None
        return revert

    def set_roles(self, operator: LocalAccount, roles: int) -> None:
        data = self.chain.encode("setOperator", self.issuer, operator.address, roles)
        self.chain.send(self.outbox, self.owner, data)


def key(name: str) -> LocalAccount:
    account: LocalAccount = Account.from_key(sha256(name.encode()))
    return account


@pytest.fixture(scope="module")
def relay(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Any:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('relay') / 'ledger.db'}")
    migrate(database)
    outbox = chain.outbox(database)
    owner = chain.sender()
    sent = chain.send(outbox, owner, chain.encode("registerIssuer", "did:example:relay"))
    receipt = chain.rpc.call("eth_getTransactionReceipt", ["0x" + sent.hex()])
    issuer = int(receipt["logs"][0]["topics"][1], 16)
    relay = Relay(chain, outbox, owner, chain.sender(), key("operator"), issuer)
    relay.set_roles(relay.operator, 1)
    yield relay
    database.close()


def test_the_contract_hashes_what_eth_account_signs(relay: Relay) -> None:
    for order in (
        relay.order("any"),
        replace(relay.order("largest"), issuer=2**256 - 1, size=2**48 - 1, deadline=2**256 - 1),
        replace(relay.order("smallest"), issuer=0, size=0, deadline=0),
    ):
        digest = relay.chain.contract.functions.anchorDigest(
            order.issuer, order.root, order.size, order.deadline
        ).call()
        assert bytes(digest) == order.digest()


def test_a_signed_order_is_anchored_once_in_its_signers_name(relay: Relay) -> None:
    order = relay.order("good")
    signature = order.sign(relay.operator)
    relay.bring(order, signature)
    view = relay.chain.contract.functions
    operator, time, size, flags = view.anchorOf(order.issuer, order.root).call()
    assert (operator, size, flags) == (relay.operator.address, order.size, 0)
    replayed = relay.refusal(order, signature)
    assert replayed == Revert(
        "AlreadyAnchored",
        (str(relay.issuer), order.root.hex(), operator, str(time), str(order.size)),
    )


def test_a_strangers_signature_has_no_role(relay: Relay) -> None:
    stranger = key("stranger")
    order = relay.order("stranger")
    expected = Revert("MissingRole", (str(relay.issuer), stranger.address, "1"))
    assert relay.refusal(order, order.sign(stranger)) == expected


@pytest.mark.parametrize(
    "meant",
    [
        lambda order: replace(order, chain=1),
        lambda order: replace(order, registry=format_address(bytes(range(20)))),
        lambda order: replace(order, size=999),
        lambda order: replace(order, root=sha256(b"another")),
        lambda order: replace(order, issuer=order.issuer + 1),
        lambda order: replace(order, deadline=FOR_EVER - 1),
    ],
    ids=["chain", "registry", "size", "root", "issuer", "deadline"],
)
def test_an_order_meant_otherwise_is_nobodys_here(
    relay: Relay, meant: Callable[[Order], Order]
) -> None:
    order = relay.order("meant otherwise")
    signature = meant(order).sign(relay.operator)
    # Over other words the same signature belongs to a key that nobody has.
    nobody = Account._recover_hash(order.digest(), signature=signature)
    assert nobody != relay.operator.address
    expected = Revert("MissingRole", (str(relay.issuer), nobody, "1"))
    assert relay.refusal(order, signature) == expected


def test_an_order_past_its_deadline_is_refused(relay: Relay) -> None:
    now = relay.chain.web3.eth.get_block("latest")["timestamp"]
    order = replace(relay.order("late"), deadline=now - 1)
    refused = relay.refusal(order, order.sign(relay.operator))
    assert refused == Revert("DeadlinePassed", (str(now - 1),))


def test_a_signature_has_one_spelling(relay: Relay) -> None:
    order = relay.order("spelling")
    signature = order.sign(relay.operator)
    r, s, v = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64]
    high_s = r + (ORDER - s).to_bytes(32, "big") + bytes([55 - v])
    # Both are the same key's word: it is the contract that accepts only one.
    assert Account._recover_hash(order.digest(), signature=high_s) == relay.operator.address
    for other in (
        high_s,
        *(signature[:64] + bytes([bad]) for bad in (0, 1, 26, 29, 255)),
        signature[:64],
        signature + b"\0",
        b"",
        bytes(64) + b"\x1b",
    ):
        assert relay.refusal(order, other) == Revert("InvalidSignature", ())
    relay.bring(order, signature)


def test_an_ended_role_ends_its_signatures(relay: Relay) -> None:
    former = key("former")
    relay.set_roles(former, 1)
    order = relay.order("ended")
    signature = order.sign(former)
    relay.set_roles(former, 2)
    expected = Revert("MissingRole", (str(relay.issuer), former.address, "1"))
    assert relay.refusal(order, signature) == expected


def test_a_compromised_key_says_so(relay: Relay) -> None:
    stolen = key("stolen")
    relay.set_roles(stolen, 3)
    order = relay.order("stolen")
    signature = order.sign(stolen)
    report = relay.chain.encode("reportCompromise", relay.issuer, stolen.address, 5)
    relay.chain.send(relay.outbox, relay.owner, report)
    expected = Revert("KeyCompromised", (str(relay.issuer), stolen.address, "5"))
    assert relay.refusal(order, signature) == expected

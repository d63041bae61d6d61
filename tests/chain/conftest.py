"""A real Anvil with the registry on it, shared by the tests of one process."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from web3 import HTTPProvider, Web3
from web3.contract import Contract

from ledger.chain import devchain
from ledger.chain.artifact import (
    DEPLOYER,
    code_hash,
    deployment_calldata,
    load_artifact,
    registry_address,
)
from ledger.chain.fees import FeeLimits
from ledger.chain.keystore import Secret, address_of
from ledger.chain.outbox import Outbox
from ledger.chain.rpc import Rpc
from ledger.chain.sender import Sender
from ledger.chain.signer import KeySigner
from ledger.chain.store import Purpose, TransactionState
from ledger.chain.transaction import Call
from ledger.database import Database, migrate
from ledger.primitives import Address, format_address, sha256


@dataclass
class Chain:
    """A running Anvil with the registry deployed."""

    rpc_url: str
    chain_id: int
    rpc: Rpc
    web3: Web3
    registry: Address
    contract: Contract
    drawn: int = 0

    def mine(self, blocks: int = 1) -> None:
        """Make blocks now instead of waiting for them; three make everything before final."""
        self.rpc.call("anvil_mine", [hex(blocks)])

    def sender(self) -> Sender:
        """Return a funded key that nothing else uses."""
        self.drawn += 1
        key = Secret(sha256(b"test key %d" % self.drawn))
        devchain.fund(self.rpc_url, [address_of(key)])
        return Sender(
            [self.rpc],
            chain=self.chain_id,
            signer=KeySigner(key),
            limits=FeeLimits(cap_wei=10**12, tip_wei=10**11),
            codes={self.registry: code_hash()},
        )

    def outbox(self, database: Database) -> Outbox:
        """Return the way to this chain; what no block has is sent again at every look."""
        return Outbox(database, self.rpc, (self.rpc,), self.chain_id, resend_seconds=0)

    def count(self, sender: Sender) -> int:
        """Return how many transactions of a key the chain knows, waiting ones included."""
        return int(
            self.rpc.call("eth_getTransactionCount", [format_address(sender.address), "pending"]),
            16,
        )

    def send(self, outbox: Outbox, sender: Sender, data: bytes) -> bytes:
        """Send calldata to the registry and return its transaction's hash, when it is final."""
        row = outbox.submit(sender, Call(self.registry, data), Purpose.OPERATOR)
        self.mine(3)
        (sent,) = outbox.wait([row], state=TransactionState.FINAL, timeout_seconds=30)
        return sent.hash

    def encode(self, function: str, *arguments: object) -> bytes:
        """Return the calldata that web3 makes."""
        return bytes.fromhex(self.contract.encode_abi(function, args=list(arguments))[2:])


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    running = devchain.DevChain.start(tmp_path_factory.mktemp("anvil"), port=devchain.free_port())
    web3 = Web3(HTTPProvider(running.url))
    registry = registry_address()
    chain = Chain(
        rpc_url=running.url,
        chain_id=devchain.CHAIN,
        rpc=Rpc(running.url),
        web3=web3,
        registry=registry,
        contract=web3.eth.contract(
            address=Web3.to_checksum_address(format_address(registry)), abi=load_artifact().abi
        ),
    )
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('deployer') / 'ledger.db'}")
    migrate(database)
    outbox = chain.outbox(database)
    row = outbox.submit(chain.sender(), Call(DEPLOYER, deployment_calldata()), Purpose.DEPLOY)
    chain.mine()
    outbox.wait([row], state=TransactionState.INCLUDED, timeout_seconds=30)
    database.close()
    yield chain
    chain.rpc.close()
    running.stop()


@pytest.fixture
def outbox(chain: Chain, tmp_path: Path) -> Iterator[Outbox]:
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    migrate(database)
    yield chain.outbox(database)
    database.close()

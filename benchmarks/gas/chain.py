"""One Anvil that mines when told, and what a transaction on it costs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from eth_abi.abi import encode
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3

from ledger.chain.devchain import DevChain, free_port, fund
from ledger.chain.rpc import Rpc
from ledger.primitives import format_address, parse_address, sha256

GAS_LIMIT = 16_000_000
"""Below what one transaction may use since the Osaka fork."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A running Anvil whose accounts need no signature."""

    rpc: Rpc
    url: str

    def account(self, name: str) -> LocalAccount:
        """Return a funded account, the same for the same name."""
        account: LocalAccount = Account.from_key(sha256(name.encode()))
        fund(self.url, [parse_address(account.address)])
        self.rpc.call("anvil_impersonateAccount", [account.address])
        return account

    def send(self, sender: LocalAccount, to: str | None, data: bytes) -> dict[str, Any]:
        """Send a transaction in a block of its own, and return its receipt.

        A reverted one ends the run: its gas is no figure.
        """
        asked: dict[str, str] = {"from": sender.address, "data": "0x" + data.hex()}
        asked["gas"] = hex(GAS_LIMIT)
        if to is not None:
            asked["to"] = to
        sent = self.rpc.call("eth_sendTransaction", [asked])
        self.rpc.call("anvil_mine", ["0x1"])
        receipt: dict[str, Any] = self.rpc.call("eth_getTransactionReceipt", [sent])
        if receipt["status"] != "0x1":
            raise RuntimeError(f"a transaction to {to} reverted")
        return receipt

    def gas(self, sender: LocalAccount, to: str | None, data: bytes) -> int:
        """Send a transaction and return the gas its sender pays for."""
        return int(self.send(sender, to, data)["gasUsed"], 16)

    def deploy(self, sender: LocalAccount, creation: bytes) -> str:
        """Deploy a contract and return its address."""
        address: str = self.send(sender, None, creation)["contractAddress"]
        return format_address(bytes.fromhex(address[2:]))

    def read(self, to: str, data: bytes) -> bytes:
        """Return what a call answers."""
        answer: str = self.rpc.call("eth_call", [{"to": to, "data": "0x" + data.hex()}, "latest"])
        return bytes.fromhex(answer[2:])

    def hardfork(self) -> str:
        """Return the name of the rules that this chain follows."""
        name: str = self.rpc.call("anvil_nodeInfo", [])["hardFork"]
        return name


@contextmanager
def running_chain() -> Iterator[Chain]:
    """Run an Anvil for as long as the block lasts."""
    with TemporaryDirectory() as folder:
        process = DevChain.start(Path(folder), port=free_port())
        try:
            with Rpc(process.url) as rpc:
                yield Chain(rpc, process.url)
        finally:
            process.stop()


def encode_call(abi: list[dict[str, Any]], function: str, *arguments: object) -> bytes:
    """Return the calldata of a function."""
    text: str = Web3().eth.contract(abi=abi).encode_abi(function, args=list(arguments))
    return bytes.fromhex(text[2:])


def encode_arguments(types: list[str], *arguments: object) -> bytes:
    """Return a constructor's arguments, as they follow its creation code."""
    return encode(types, arguments)

"""What is to be done on chain, before and after it is signed."""

from dataclasses import dataclass

from ledger.chain.registry.calls import Revert
from ledger.errors import ConflictError
from ledger.primitives import Address, Hash32


@dataclass(frozen=True, slots=True)
class Call:
    """Calldata for one contract; no ether goes with it."""

    to: Address
    data: bytes


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """Bytes that can be broadcast, and the hash they will be known by."""

    raw: bytes
    hash: Hash32


class WouldRevertError(ConflictError):
    """The contract would refuse the call as the chain stands."""

    def __init__(self, revert: Revert | None, said: str) -> None:
        super().__init__(
            "would-revert", f"the contract refuses: {revert or said}. Nothing was sent"
        )
        self.revert = revert

"""What is to be done on chain, before and after it is signed."""

from dataclasses import dataclass
from typing import Final

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


_ADVICE: Final = {
    "MissingRole": "give the key its role with `ledger operator set`",
    "KeyCompromised": "the key was reported as compromised: `ledger operator rotate` makes another",
    "UnknownIssuer": "the registry does not know the issuer: is this the right chain?",
    "NotOwner": "the owner key of this installation does not own the issuer",
}
"""What to do about the errors of the registry that a person can mend."""


class WouldRevertError(ConflictError):
    """The contract would refuse the call as the chain stands."""

    def __init__(self, revert: Revert | None, said: str) -> None:
        advice = _ADVICE.get(revert.name) if revert else None
        what = f"the contract refuses: {revert or said}. Nothing was sent"
        super().__init__("would-revert", f"{what}; {advice}" if advice else what)
        self.revert = revert

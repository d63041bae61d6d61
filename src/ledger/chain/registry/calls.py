"""The calldata of the registry's functions, and the errors it answers with.

A call is the first four bytes of keccak256 of the signature, then one 32-byte word
for each static argument. A dynamic argument (text, bytes, a list of words) stands
after all words, and its own word holds where it begins.

Source: Solidity, "Contract ABI Specification"; `ICredentialRegistry.sol`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from ledger.chain.registry.slots import Role, address_word, word
from ledger.primitives import Address, Hash32, format_address, keccak256


class _Dynamic(bytes):
    """A dynamic argument: its length and content, as it stands after all words."""


def selector(signature: str) -> bytes:
    """Return the four bytes that name a function or an error."""
    return keccak256(signature.encode())[:4]


def _bytes(data: bytes) -> _Dynamic:
    return _Dynamic(word(len(data)) + data + bytes(-len(data) % 32))


def _words(items: Sequence[bytes]) -> _Dynamic:
    return _Dynamic(word(len(items)) + b"".join(items))


def _encode(signature: str, *arguments: bytes) -> bytes:
    """Encode a call; each argument is one word, or `_Dynamic`."""
    heads, tails = [], []
    offset = 32 * len(arguments)
    for argument in arguments:
        if isinstance(argument, _Dynamic):
            heads.append(word(offset))
            tails.append(argument)
            offset += len(argument)
        else:
            heads.append(argument)
    return b"".join((selector(signature), *heads, *tails))


def register_issuer(did: str) -> bytes:
    """Encode the registration of a new issuer."""
    return _encode("registerIssuer(string)", _bytes(did.encode()))


def set_operator(issuer: int, operator: Address, roles: Role) -> bytes:
    """Encode giving `operator` exactly these roles; none ends them."""
    return _encode(
        "setOperator(uint256,address,uint8)", word(issuer), address_word(operator), word(roles)
    )


def report_compromise(issuer: int, operator: Address, since: int) -> bytes:
    """Encode the report that `operator` is in other hands since Unix second `since`."""
    return _encode(
        "reportCompromise(uint256,address,uint40)",
        word(issuer),
        address_word(operator),
        word(since),
    )


def name_bare_issuer(issuer: int) -> bytes:
    """Encode the sender's choice of the issuer its bare roots belong to."""
    return _encode("nameBareIssuer(uint256)", word(issuer))


def anchor(issuer: int, root: Hash32, size: int) -> bytes:
    """Encode the anchoring of a batch."""
    return _encode("anchor(uint256,bytes32,uint48)", word(issuer), root, word(size))


class StatusAction(StrEnum):
    """What is done to the status of credentials, by the name of the contract's function."""

    REVOKE = "revoke"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"


def change_status(
    action: StatusAction, issuer: int, root: Hash32, masks: Mapping[int, int], reason: int
) -> bytes:
    """Encode a change of the bits in `masks`, by word number, 256 indexes a word."""
    if len(masks) == 1:
        ((number, mask),) = masks.items()
        # Cheaper by a thousand gas than the bulk call for one word.
        return _encode(
            f"{action}(uint256,bytes32,uint256,uint256,uint8)",
            word(issuer),
            root,
            word(number),
            word(mask),
            word(reason),
        )
    return _encode(
        f"{action}Many(uint256,bytes32,uint256[],uint256[],uint8)",
        word(issuer),
        root,
        _words([word(number) for number in masks]),
        _words([word(mask) for mask in masks.values()]),
        word(reason),
    )


def revoke_batch(issuer: int, root: Hash32, reason: int) -> bytes:
    """Encode the revocation of a whole batch."""
    return _encode("revokeBatch(uint256,bytes32,uint8)", word(issuer), root, word(reason))


def accredit(accreditor: int, issuer: int, until: int) -> bytes:
    """Encode vouching for `issuer` from now until before Unix second `until`; 0 is open."""
    return _encode("accredit(uint256,uint256,uint40)", word(accreditor), word(issuer), word(until))


def withdraw_accreditation(accreditor: int, issuer: int) -> bytes:
    """Encode ending the running accreditation of `issuer` now."""
    return _encode("withdrawAccreditation(uint256,uint256)", word(accreditor), word(issuer))


def verify(issuer: int, root: Hash32, digest: Hash32, index: int, path: Sequence[Hash32]) -> bytes:
    """Encode the question whether `digest` is proved and of what standing."""
    signature = "verify(uint256,bytes32,bytes32,uint256,bytes32[])"
    return _encode(signature, word(issuer), root, digest, word(index), _words(path))


@dataclass(frozen=True, slots=True)
class Revert:
    """An error of the registry, with its arguments in words people read."""

    name: str
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.arguments)})"


ERROR_SIGNATURES: Final = (
    "UnknownIssuer(uint256)",
    "NotOwner(uint256,address)",
    "NotPendingOwner(uint256,address)",
    "ZeroAddress()",
    "InvalidDid(uint256)",
    "InvalidRoles(uint8)",
    "MissingRole(uint256,address,uint8)",
    "KeyCompromised(uint256,address,uint40)",
    "InvalidSince(uint40,uint40)",
    "NothingChanges()",
    "ZeroRoot()",
    "ZeroSize()",
    "AlreadyAnchored(uint256,bytes32,address,uint40,uint48)",
    "SizeDiffers(uint256,bytes32,uint48,uint48)",
    "NotAnchored(uint256,bytes32)",
    "BitsBeyondSize(uint256,uint256,uint48)",
    "LengthsDiffer(uint256,uint256)",
    "DeadlinePassed(uint256)",
    "InvalidSignature()",
    "BadCalldata(uint256)",
    "NoBareIssuer(address)",
    "InvalidUntil(uint40)",
    "AlreadyAccredited(uint256,uint256)",
    "NotAccredited(uint256,uint256)",
)


@cache
def _errors() -> dict[bytes, str]:
    # Hashed at first use: most commands never see a revert.
    return {selector(signature): signature for signature in ERROR_SIGNATURES}


def decode_revert(data: bytes) -> Revert | None:
    """Read what a reverted call returned; None when it is no error of the registry."""
    signature = _errors().get(data[:4])
    if signature is None:
        return None
    name, _, kinds = signature[:-1].partition("(")
    types = kinds.split(",") if kinds else []
    if len(data) != 4 + 32 * len(types):
        return None
    words = [data[4 + 32 * n :][:32] for n in range(len(types))]
    return Revert(name, tuple(_show(kind, w) for kind, w in zip(types, words, strict=True)))


def _show(kind: str, stored: bytes) -> str:
    if kind == "address":
        return format_address(stored[12:])
    if kind == "bytes32":
        return stored.hex()
    return str(int.from_bytes(stored, "big"))

"""Values that every other module speaks in, each with its only way in and out.

    Hash32    32 bytes; as text 64 lower-case hex digits without `0x`
    Address   20 bytes; as text `0x` and 40 hex digits in EIP-55 spelling
    chain     a positive EIP-155 chain id; as text `eip155:<id>` (CAIP-2)
    Home      an issuer's place; as text `eip155:<chain>:<registry>:<issuer>`

Inside the package these values are bytes and integers; only the functions here
see their text. One value has one spelling, so that files compare byte by byte.

Source: EIP-55, EIP-155, CAIP-2.
"""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from types import ModuleType
from typing import Final, NewType

from ledger.errors import MalformedInputError

HASH_BYTES: Final = 32
ADDRESS_BYTES: Final = 20
MAX_UINT256: Final = 2**256 - 1

Hash32 = NewType("Hash32", bytes)
"""A 32-byte digest or hash, never hex."""

Address = NewType("Address", bytes)
"""An Ethereum address: exactly 20 bytes, never hex."""


class Canonicalization(StrEnum):
    """How a document becomes the bytes that are digested."""

    RFC8785 = "rfc8785"
    """A JSON credential: its RFC 8785 form without its anchor proof."""

    NONE = "none"
    """Any other file: its bytes as they are."""


_HEX = frozenset("0123456789abcdef")
_CHAIN = re.compile(r"eip155:([1-9][0-9]{0,17})", re.ASCII)
_ISSUER = re.compile(r"[1-9][0-9]{0,77}", re.ASCII)


def hash32(text: str) -> Hash32:
    """Parse 64 lower-case hex digits, with no `0x` prefix.

    Raises:
        MalformedInputError: `text` has another length, alphabet or case.

    """
    if len(text) != 2 * HASH_BYTES or not _HEX.issuperset(text):
        raise MalformedInputError("not-a-digest", f"not 64 lower-case hex digits: {text[:80]!r}")
    return Hash32(bytes.fromhex(text))


def prefixed_hash32(text: str) -> Hash32:
    """Parse `0x` and 64 lower-case hex digits, the spelling of block and transaction hashes.

    Raises:
        MalformedInputError: `text` is spelled otherwise.

    """
    if not text.startswith("0x"):
        raise MalformedInputError("not-a-hash", f"not 0x and 64 hex digits: {text[:80]!r}")
    return hash32(text[2:])


def sha256(data: bytes) -> Hash32:
    """Return the SHA-256 of `data`."""
    return Hash32(hashlib.sha256(data).digest())


def keccak256(data: bytes) -> Hash32:
    """Return the Keccak-256 of `data`: Ethereum's hash, not NIST's SHA3-256."""
    return Hash32(_keccak().new(digest_bits=256, data=data).digest())


@cache
def _keccak() -> ModuleType:
    # Imported at first use: it costs a sixth of a second, and `--help` needs none of it.
    from Crypto.Hash import keccak

    return keccak


@lru_cache(maxsize=1024)
def format_address(address: bytes) -> str:
    """Return `address` in its EIP-55 spelling."""
    # Remembered: it costs a keccak, and a program meets the same few addresses again and again.
    digits = address.hex()
    mask = keccak256(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if nibble >= "8" else digit
        for digit, nibble in zip(digits, mask, strict=False)
    )


def parse_address(text: str) -> Address:
    """Parse an address in its EIP-55 spelling.

    Raises:
        MalformedInputError: `text` is no address, or its letters have other cases.

    """
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", text, re.ASCII):
        raise MalformedInputError("not-an-address", f"not 0x and 40 hex digits: {text[:80]!r}")
    address = Address(bytes.fromhex(text[2:]))
    if text != format_address(address):
        raise MalformedInputError(
            "not-an-address",
            f"the letters of {text} do not have the cases of EIP-55; "
            f"if no digit is wrong, write {format_address(address)}",
        )
    return address


def parse_chain(text: str) -> int:
    """Return the chain id of `eip155:<id>`.

    Raises:
        MalformedInputError: `text` is spelled otherwise.

    """
    match = _CHAIN.fullmatch(text)
    if match is None:
        raise MalformedInputError("not-a-chain", f"not a chain such as eip155:1: {text[:80]!r}")
    return int(match[1])


def format_chain(chain: int) -> str:
    """Return chain id `chain` as `eip155:<id>`."""
    return f"eip155:{chain}"


@dataclass(frozen=True, slots=True)
class Home:
    """An issuer's place: one number in one registry on one chain."""

    chain: int
    registry: Address
    issuer: int

    def __str__(self) -> str:
        return f"{format_chain(self.chain)}:{format_address(self.registry)}:{self.issuer}"


def parse_home(text: str) -> Home:
    """Parse `eip155:<chain id>:<registry in EIP-55>:<issuer id>`.

    Raises:
        MalformedInputError: a part is missing or spelled otherwise.

    """
    parts = text.rsplit(":", 2)
    if len(parts) != 3 or not _ISSUER.fullmatch(parts[2]) or int(parts[2]) > MAX_UINT256:
        raise MalformedInputError(
            "not-a-home", f"not a home such as eip155:1:0x<address>:1: {text[:160]!r}"
        )
    return Home(parse_chain(parts[0]), parse_address(parts[1]), int(parts[2]))


def counted(number: int, one: str, several: str | None = None) -> str:
    """Return a number with its noun: "1 batch", "1,000 batches"; `several` when no "s" will do."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"

"""The compiled registry that this release carries, and where CREATE2 puts it.

The contract has no constructor argument and no immutable variable, so its address
follows from its creation code and one published salt, and its code hash from its
runtime code: both are the same on every chain. `scripts/build_artifact.py` writes
the file, and the checks compare it with a fresh compile.

Source: EIP-1014 (CREATE2).
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from ledger.errors import ConflictError
from ledger.primitives import (
    Address,
    Hash32,
    format_address,
    keccak256,
    parse_address,
    sha256,
)

DEPLOYER: Final = parse_address("0x4e59b44847b379578588920cA78FbF26c0B4956C")
"""The deterministic deployer that stands at this address on most chains: it takes
salt and creation code as calldata."""

SALT: Final = sha256(b"ledger CredentialRegistry 1")


@dataclass(frozen=True, slots=True)
class Artifact:
    """The compiler's output for the registry."""

    abi: list[dict[str, Any]]
    creation_code: bytes
    runtime_code: bytes
    storage_layout: dict[str, Any]


@cache
def load_artifact() -> Artifact:
    """Read the artifact from the package."""
    text = resources.files("ledger.chain").joinpath("CredentialRegistry.json").read_text("utf-8")
    found = json.loads(text)
    return Artifact(
        abi=found["abi"],
        creation_code=bytes.fromhex(found["creation_code"]),
        runtime_code=bytes.fromhex(found["runtime_code"]),
        storage_layout=found["storage_layout"],
    )


@cache
def registry_address() -> Address:
    """Return where this release's registry is, on every chain that has it."""
    creation = keccak256(load_artifact().creation_code)
    return Address(keccak256(b"\xff" + DEPLOYER + SALT + creation)[12:])


@cache
def code_hash() -> Hash32:
    """Return keccak256 of this release's runtime code, which trust policies pin."""
    return keccak256(load_artifact().runtime_code)


def deployment_calldata() -> bytes:
    """Return what to send to `DEPLOYER` so that the registry comes to its address."""
    return SALT + load_artifact().creation_code


def check_code(contract: Address, code: bytes, expected: Hash32) -> None:
    """Return when the code that stands at a contract's address is the expected one.

    Raises:
        ConflictError: there is none, or another.

    """
    if not code:
        raise ConflictError(
            "no-registry",
            f"no contract stands at {format_address(contract)}: run `ledger deploy`, or mend "
            "`registry` in the settings",
        )
    if keccak256(code) != expected:
        raise ConflictError(
            "other-code", f"other code than the registry's stands at {format_address(contract)}"
        )

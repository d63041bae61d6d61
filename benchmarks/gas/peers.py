"""What others publish, on the same chain.

EAS is taken as published: the bytecode in its npm package, compiled by its authors. A
Blockcerts issuer sends a transaction to itself with the root as its data; that needs no
contract.
"""

import json
from pathlib import Path
from typing import Any

from benchmarks.gas.chain import Chain, encode_arguments, encode_call
from benchmarks.gas.figures import Figure
from ledger.primitives import sha256

PACKAGES = Path(__file__).parents[2] / "node_modules"
EAS = "@ethereum-attestation-service/eas-contracts"
OPENZEPPELIN = "@openzeppelin/contracts"

NOBODY = "0x" + 40 * "0"
MANY = 256


def version_of(package: str) -> str:
    """Return name and version of an installed npm package."""
    installed = json.loads((PACKAGES / package / "package.json").read_text("utf-8"))
    return f"{package} {installed['version']}"


def measure(chain: Chain) -> list[Figure]:
    """Measure a Blockcerts-style anchor and EAS."""
    issuer = chain.account("blockcerts")
    bare = chain.gas(issuer, issuer.address, sha256(b"root"))
    return [
        Figure("bare self-send", bare, note="Blockcerts: the root as data, no contract"),
        *_measure_eas(chain),
    ]


def _measure_eas(chain: Chain) -> list[Figure]:
    issuer = chain.account("eas")
    schemas, eas = _published("SchemaRegistry"), _published("EAS")
    registry = chain.deploy(issuer, bytes.fromhex(schemas["bytecode"][2:]))
    address = chain.deploy(
        issuer, bytes.fromhex(eas["bytecode"][2:]) + encode_arguments(["address"], registry)
    )
    register = encode_call(schemas["abi"], "register", "bytes32 root", NOBODY, True)
    schema = chain.send(issuer, registry, register)["logs"][0]["topics"][1]

    def gas(function: str, *arguments: object) -> int:
        return chain.gas(issuer, address, encode_call(eas["abi"], function, *arguments))

    claim = (NOBODY, 0, True, bytes(32), bytes(sha256(b"root")), 0)
    # An issuer in service has attested before.
    gas("attest", (schema, claim))
    many = [bytes(sha256(b"%d" % number)) for number in range(MANY)]
    return [
        Figure("EAS timestamp", gas("timestamp", sha256(b"root")), note="says not by whom"),
        Figure("EAS attest", gas("attest", (schema, claim)), note="32 bytes of data"),
        Figure("EAS revokeOffchain", gas("revokeOffchain", sha256(b"one")), note="one digest"),
        Figure(
            f"EAS multiRevokeOffchain of {MANY}",
            gas("multiRevokeOffchain", many),
            note="in one transaction",
        ),
    ]


def _published(contract: str) -> dict[str, Any]:
    """Return ABI and bytecode of one of EAS's contracts."""
    path = PACKAGES / EAS / "artifacts" / "contracts" / f"{contract}.sol" / f"{contract}.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found

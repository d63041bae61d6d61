"""Compile the registry through py-solc-x and write, or with --check compare, its artifact."""

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import solcx

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "contracts" / "src"
ARTIFACT = ROOT / "src" / "ledger" / "chain" / "CredentialRegistry.json"


# A struct's type name ends in its number in the syntax tree: t_struct(Anchor)120_storage.
_AST_ID = re.compile(r"\)[0-9]+_(?=storage)")


def compile_registry() -> str:
    """Return the artifact's text, compiled with the settings of foundry.toml."""
    profile = tomllib.loads((ROOT / "foundry.toml").read_text())["profile"]["default"]
    settings = {
        "evmVersion": profile["evm_version"],
        "viaIR": profile["via_ir"],
        "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
        "metadata": {
            "bytecodeHash": profile["bytecode_hash"],
            "appendCBOR": profile["cbor_metadata"],
        },
        "outputSelection": {
            "*": {
                "CredentialRegistry": [
                    "abi",
                    "evm.bytecode.object",
                    "evm.deployedBytecode.object",
                    "storageLayout",
                ]
            }
        },
    }
    sources = {
        path.relative_to(ROOT).as_posix(): {"content": path.read_text()}
        for path in sorted(SOURCES.glob("*.sol"))
    }
    output: dict[str, Any] = solcx.compile_standard(
        {"language": "Solidity", "sources": sources, "settings": settings},
        solc_binary=str(ROOT / "scripts" / "solc"),
    )
    found = output["contracts"]["contracts/src/CredentialRegistry.sol"]["CredentialRegistry"]
    layout = [
        {name: entry[name] for name in ("label", "slot", "offset", "type")}
        for entry in found["storageLayout"]["storage"]
    ]
    artifact = {
        "contract": "CredentialRegistry",
        "abi": found["abi"],
        "creation_code": found["evm"]["bytecode"]["object"],
        "runtime_code": found["evm"]["deployedBytecode"]["object"],
        "storage_layout": {"storage": layout, "types": found["storageLayout"]["types"]},
    }
    return json.dumps(_without_ast_ids(artifact), indent=1, sort_keys=True) + "\n"


def _without_ast_ids(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Drop the numbers that change with comments and other files."""
    if isinstance(value, dict):
        return {
            _without_ast_ids(key): _without_ast_ids(item)
            for key, item in value.items()
            if key != "astId"
        }
    if isinstance(value, list):
        return [_without_ast_ids(item) for item in value]
    if isinstance(value, str):
        return _AST_ID.sub(")_", value)
    return value


def main() -> int:
    """Write the artifact; with --check, fail when it is not what the sources compile to."""
    fresh = compile_registry()
    if "--check" not in sys.argv[1:]:
        ARTIFACT.write_text(fresh)
        return 0
    if ARTIFACT.read_text() == fresh:
        return 0
    print("CredentialRegistry.json is not what contracts/src compiles to: run make contracts")
    return 1


if __name__ == "__main__":
    sys.exit(main())

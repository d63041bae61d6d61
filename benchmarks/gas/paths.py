"""Inclusion paths of 20 siblings, checked in a contract.

Each checker stands behind one external function, and a gauge calls it and measures the
gas that its code uses: what a contract that asks it pays, without the transaction and
without the calldata. OpenZeppelin hashes pairs sorted by value, with keccak256 or with a
function that it is given: both are measured, the second with SHA-256.
"""

import tomllib
from pathlib import Path
from typing import Any

import solcx

from benchmarks.gas.chain import Chain, encode_call
from benchmarks.gas.figures import Figure
from benchmarks.gas.ours import MILLION, REGISTRY, Issuer, calldata
from benchmarks.gas.peers import OPENZEPPELIN, PACKAGES
from ledger.merkle.inclusion import InclusionProof, root_from
from ledger.merkle.tree import leaf_hash
from ledger.primitives import Hash32, keccak256, sha256

ROOT = Path(__file__).parents[2]
INDEX = 711_349
DEPTH = 20

SOURCE = """
pragma solidity 0.8.30;
import {MerklePath} from "contracts/src/MerklePath.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

contract Ours {
    function check(
        bytes32 root, uint256 size, bytes32 digest, uint256 index, bytes32[] calldata path
    ) external view returns (bool) {
        return MerklePath.check(root, size, digest, index, path) == MerklePath.Result.Included;
    }
}

contract Keccak {
    function check(bytes32 root, bytes32 leaf, bytes32[] calldata path)
        external pure returns (bool)
    {
        return MerkleProof.verifyCalldata(path, root, leaf);
    }
}

contract Sha256 {
    function check(bytes32 root, bytes32 leaf, bytes32[] calldata path)
        external view returns (bool)
    {
        return MerkleProof.verifyCalldata(path, root, leaf, _hash);
    }

    function _hash(bytes32 a, bytes32 b) private view returns (bytes32) {
        return a < b ? sha256(abi.encode(a, b)) : sha256(abi.encode(b, a));
    }
}

contract Gauge {
    function measure(address target, bytes calldata question)
        external view returns (uint256, bytes memory)
    {
        bytes memory data = question;
        // The target of a transaction is warm.
        require(target.code.length != 0);
        uint256 before = gasleft();
        (bool done, bytes memory answer) = target.staticcall(data);
        uint256 spent = before - gasleft();
        require(done);
        return (spent, answer);
    }
}

contract Nothing {
    fallback() external {}
}
"""


class Gauge:
    """Measures what a call uses, less what the asking costs."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._sender = chain.account("paths")
        self._compiled = _compile()
        self._at = self.deploy("Gauge")
        # Calling the contract that does nothing: the price of the call itself.
        self._call_gas, _ = self._measure(self.deploy("Nothing"), b"\0")

    def deploy(self, contract: str) -> str:
        """Deploy one of the contracts above."""
        code = self._compiled[contract]["evm"]["bytecode"]["object"]
        return self._chain.deploy(self._sender, bytes.fromhex(code))

    def encode(self, contract: str, *arguments: object) -> bytes:
        """Return the calldata of a contract's `check`."""
        return encode_call(self._compiled[contract]["abi"], "check", *arguments)

    def gas(self, target: str, data: bytes, *, answer: int) -> int:
        """Return what `target` uses; it must answer `answer`, or the run ends."""
        spent, answered = self._measure(target, data)
        if answered != answer:
            raise RuntimeError(f"{target} answered {answered}, not {answer}")
        return spent - self._call_gas

    def _measure(self, target: str, data: bytes) -> tuple[int, int]:
        abi = self._compiled["Gauge"]["abi"]
        answer = self._chain.read(self._at, encode_call(abi, "measure", target, data))
        return int.from_bytes(answer[:32], "big"), int.from_bytes(answer[96:], "big")


def _compile() -> dict[str, Any]:
    """Compile the contracts above with the registry's settings."""
    profile = tomllib.loads((ROOT / "foundry.toml").read_text("utf-8"))["profile"]["default"]
    cryptography = PACKAGES / OPENZEPPELIN / "utils" / "cryptography"
    sources = {
        f"{OPENZEPPELIN}/utils/cryptography/{name}.sol": (cryptography / f"{name}.sol").read_text()
        for name in ("MerkleProof", "Hashes")
    }
    ours = "contracts/src/MerklePath.sol"
    sources |= {"paths.sol": SOURCE, ours: (ROOT / ours).read_text("utf-8")}
    settings = {
        "evmVersion": profile["evm_version"],
        "viaIR": profile["via_ir"],
        "optimizer": {"enabled": True, "runs": profile["optimizer_runs"]},
        "outputSelection": {"paths.sol": {"*": ["abi", "evm.bytecode.object"]}},
    }
    output = solcx.compile_standard(
        {
            "language": "Solidity",
            "sources": {name: {"content": text} for name, text in sources.items()},
            "settings": settings,
        },
        solc_binary=str(ROOT / "scripts" / "solc"),
    )
    found: dict[str, Any] = output["contracts"]["paths.sol"]
    return found


def measure(issuer: Issuer) -> list[Figure]:
    """Measure our path check, our `verify` and OpenZeppelin's."""
    gauge = Gauge(issuer.chain)
    digest = sha256(b"digest")
    path = [sha256(b"sibling %d" % level) for level in range(DEPTH)]
    root = root_from(leaf_hash(digest), InclusionProof(INDEX, tuple(path)), MILLION)
    issuer.act(issuer.operator, "anchor", 1, root, MILLION)
    ours = gauge.encode("Ours", root, MILLION, digest, INDEX, path)
    verify = calldata("verify", 1, root, digest, INDEX, path)
    figures = [
        Figure("check a path", gauge.gas(gauge.deploy("Ours"), ours, answer=1), 12_000),
        Figure("verify, status included", gauge.gas(REGISTRY, verify, answer=8), 20_000),
    ]
    for contract, hashed in (("Keccak", keccak256), ("Sha256", sha256)):
        theirs = _sorted_root(digest, path, hashed)
        data = gauge.encode(contract, theirs, digest, path)
        spent = gauge.gas(gauge.deploy(contract), data, answer=1)
        figures.append(Figure(f"OpenZeppelin MerkleProof, {contract.lower()}", spent))
    return figures


def _sorted_root(leaf: Hash32, path: list[Hash32], hashed: Any) -> Hash32:  # noqa: ANN401 - bytes to Hash32
    """Return the root where each pair is hashed smaller first, as OpenZeppelin does."""
    node = leaf
    for sibling in path:
        node = hashed(min(node, sibling) + max(node, sibling))
    return node

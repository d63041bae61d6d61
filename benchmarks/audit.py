"""How fast a history is audited, beside its raw logs alone and beside web3.

    python -m benchmarks.audit [--full]

Two parts, each in one run, so that the ratios hold on any machine:

* recorded logs: a recording of anchors and changes of status is written, then read, decoded,
  folded into heads, checked against the contract's rules and applied. Peak memory is that of a
  process that does nothing else.
* one Anvil with anchors and status bits on it: the whole audit (blocks, code, heads with state
  proofs, logs, replay) and the raw `eth_getLogs` of the same blocks without reading them, both in
  a process of their own (`benchmarks.audit_alone`), and web3's `contract.events.X.get_logs` for
  every event over the same blocks, which only decodes.

Without `--full` it takes about two minutes: 50,000 recorded anchors, 2,000 anchors and 100,000
status bits on Anvil. With it: 100,000, 20,000 and 1,000,000.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from web3 import HTTPProvider, Web3

from benchmarks.audit_alone import timed
from benchmarks.gas.chain import Chain, encode_call, running_chain
from ledger.audit.recording import Header, Recorder, read_recording
from ledger.audit.replay import Heads, Replay
from ledger.chain.artifact import load_artifact, registry_address
from ledger.chain.registry.events import TOPIC, Log, first_head, fold
from ledger.chain.registry.slots import address_word, word
from ledger.chain.rpc import parse_quantity
from ledger.chain.state import Block
from ledger.primitives import Address, Hash32, format_address, keccak256, parse_address, sha256

CHAIN = 31337
KEY = Address(b"\x07" * 20)
DID = b"did:example:benchmark"
SIZE = 1_000
"""Leaves of every batch."""

WORDS_A_CALL = 100
SENT_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Scale:
    """How much there is to audit."""

    recorded: int
    anchors: int
    bits: int


SHORT = Scale(50_000, 2_000, 100_000)
FULL = Scale(100_000, 20_000, 1_000_000)


def computed(work: Callable[[], object]) -> float:
    """Return how many seconds of a processor `work` takes: others may use the machine too."""
    started = time.process_time()
    work()
    return time.process_time() - started


def show(label: str, count: int, seconds: float) -> None:
    """Print one figure."""
    print(f"{label:<52} {count:>9,} in {seconds:>7.2f} s  {count / seconds:>10,.0f} /s", flush=True)


class Emitter:
    """Makes the logs that the registry would emit."""

    def __init__(self, registry: Address) -> None:
        self.registry = registry
        self.head = first_head(
            chain=CHAIN, registry=registry, issuer=1, owner=KEY, did_hash=keccak256(DID), time=1
        )
        self.count = 0
        self._time = 1

    def begin(self) -> list[Log]:
        """Return the registration and the operator's roles."""
        data = keccak256(DID) + word(1) + self.head
        did = word(32) + word(len(DID)) + DID + bytes(-len(DID) % 32)
        return [
            self._log((TOPIC["IssuerRegistered"], word(1), address_word(KEY)), data),
            self._log((TOPIC["IssuerDid"], word(1)), did),
            self.emit("OperatorSet", (address_word(KEY),), word(3)),
        ]

    def emit(self, name: str, topics: tuple[bytes, ...], body: bytes) -> Log:
        """Return one folded event of issuer 1."""
        self._time += 12
        all_topics = (TOPIC[name], word(1), *topics)
        data = body + word(self._time)
        self.head = fold(self.head, all_topics, data + bytes(32))
        return self._log(all_topics, data + self.head)

    def _log(self, topics: tuple[bytes, ...], data: bytes) -> Log:
        self.count += 1
        block = self.count // 100
        name = sha256(b"%d" % self.count)
        return Log(self.registry, topics, data, block, sha256(b"b%d" % block), name, self.count)


def record(path: Path, anchors: int) -> tuple[int, Hash32]:
    """Write a recording; return how many logs it has, and the last head."""
    emitter = Emitter(registry_address())
    recorder = Recorder.begin(path, Header(CHAIN, emitter.registry))
    recorder.add(emitter.begin())
    for n in range(anchors):
        root = sha256(b"root %d" % n)
        recorder.add(
            [emitter.emit("Anchored", (root, address_word(KEY)), word(SIZE))]
            + (
                [
                    emitter.emit(
                        "Revoked",
                        (root, word(0)),
                        address_word(KEY) + word(2**256 - 1) + word(1),
                    )
                ]
                if n % 4 == 0
                else []
            )
        )
    recorder.mark(Block(10**6, sha256(b"end"), 1))
    recorder.close()
    return emitter.count, emitter.head


def measure_recorded(path: Path, head: Hash32) -> None:
    """Replay a recording, and say how fast."""
    logs: list[Log] = []
    reading = computed(
        lambda: logs.extend(line for line in read_recording(path) if isinstance(line, Log))
    )
    show("recorded logs read and parsed (processor time)", len(logs), reading)
    replay = Replay(CHAIN, registry_address(), "the recording")

    def apply() -> None:
        for log in logs:
            replay.apply(log)

    show("decoded, folded, checked, applied (processor time)", len(logs), computed(apply))
    replay.close(Heads("the benchmark", 1, [head]))
    _check_sound(replay.findings)


def measure_memory(path: Path, head: Hash32) -> None:
    """Stream a recording through a replay, and print what this process, otherwise idle, took."""
    replay = Replay(CHAIN, registry_address(), "the recording")
    replay.close(Heads("the benchmark", 1, []))
    before = _peak_bytes()
    for line in read_recording(path):
        if isinstance(line, Log):
            replay.apply(line)
    replay.close(Heads("the benchmark", 1, [head]))
    _check_sound(replay.findings)
    peak, anchors = _peak_bytes(), len(replay.world.issuers[1].anchors)
    print(
        f"{'peak memory of that, streamed':<52} {anchors:>9,} anchors: {peak / 2**20:,.0f} MiB, "
        f"{(peak - before) / anchors:,.0f} bytes an anchor",
        flush=True,
    )


def _peak_bytes() -> int:
    # The peak of this process alone: `getrusage` would inherit that of its parent.
    status = Path("/proc/self/status").read_text("ascii")
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def _check_sound(findings: list[Any]) -> None:
    if findings:
        raise RuntimeError(f"the benchmark's history is not sound: {findings[0]}")


def fill(chain: Chain, scale: Scale) -> Address:
    """Deploy a registry and put anchors and status bits on it."""
    artifact = load_artifact()
    key = chain.account("benchmark")
    registry = chain.deploy(key, artifact.creation_code)

    def call(function: str, *arguments: object) -> bytes:
        return encode_call(artifact.abi, function, *arguments)

    chain.send(key, registry, call("registerIssuer", DID.decode()))
    chain.send(key, registry, call("setOperator", 1, key.address, 3))
    anchor = call("anchor", 1, bytes(32), SIZE)
    roots = [sha256(b"root %d" % n) for n in range(scale.anchors)]
    _send_all(chain, key.address, registry, [anchor[:36] + r + anchor[68:] for r in roots], 100_000)
    # The first root again, of a batch that holds every bit.
    big = sha256(b"big")
    chain.send(key, registry, call("anchor", 1, big, scale.bits))
    words = scale.bits // 256
    revocations = [
        call(
            "revokeMany",
            1,
            big,
            list(range(first, min(first + WORDS_A_CALL, words))),
            [2**256 - 1] * (min(first + WORDS_A_CALL, words) - first),
            1,
        )
        for first in range(0, words, WORDS_A_CALL)
    ]
    _send_all(chain, key.address, registry, revocations, 5_000_000)
    chain.rpc.call("anvil_mine", ["0x3"])
    return parse_address(registry)


def _send_all(chain: Chain, sender: str, to: str, calls: list[bytes], gas: int) -> None:
    """Send many transactions of one sender, and mine them all."""
    block_room = 30_000_000 // gas
    nonce = parse_quantity(chain.rpc.call("eth_getTransactionCount", [sender, "pending"]))
    at_once = min(SENT_AT_ONCE, block_room)
    for first in range(0, len(calls), at_once):
        chain.rpc.batch(
            [
                (
                    "eth_sendTransaction",
                    [
                        {
                            "from": sender,
                            "to": to,
                            "gas": hex(gas),
                            "nonce": hex(nonce + first + n),
                            "data": "0x" + data.hex(),
                        }
                    ],
                )
                for n, data in enumerate(calls[first : first + at_once])
            ]
        )
        chain.rpc.call("anvil_mine", ["0x1"])
    while parse_quantity(chain.rpc.call("eth_getTransactionCount", [sender, "latest"])) < (
        nonce + len(calls)
    ):
        chain.rpc.call("anvil_mine", ["0x1"])


def measure_chain(chain: Chain, registry: Address) -> None:
    """Audit what is on Anvil, and do the two things beside it."""
    block: dict[str, str] = chain.rpc.call("eth_getBlockByNumber", ["finalized", False])
    last = parse_quantity(block["number"])
    alone = [sys.executable, "-m", "benchmarks.audit_alone"]
    asked = [chain.url, format_address(registry), str(last)]
    told = subprocess.run([*alone, *asked], check=True, capture_output=True).stdout
    figures = json.loads(told)
    events, ours, raw = figures["events"], figures["audit"], figures["raw"]
    show("the whole audit of one Anvil", events, ours)
    show("its raw logs fetched, and not read", events, raw)
    contract: Any = Web3(HTTPProvider(chain.url)).eth.contract(
        address=Web3.to_checksum_address("0x" + registry.hex()), abi=load_artifact().abi
    )
    decoded = 0

    def theirs() -> None:
        nonlocal decoded
        for event in contract.events:
            decoded += len(event().get_logs(from_block=0, to_block=last))

    web3_seconds = timed(theirs)
    show("web3's contract.events.*.get_logs, decoding alone", decoded, web3_seconds)
    if decoded != events:
        raise RuntimeError(f"web3 found {decoded} events, the audit {events}")
    print(f"  {web3_seconds / ours:.1f} times as fast as web3")
    print(f"  {ours / raw:.2f} times the raw logs")


def main() -> None:
    """Measure both parts."""
    if sys.argv[1:2] == ["--memory"]:
        measure_memory(Path(sys.argv[2]), Hash32(bytes.fromhex(sys.argv[3])))
        return
    scale = FULL if "--full" in sys.argv else SHORT
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "logs.jsonl"
        _, head = record(path, scale.recorded)
        measure_recorded(path, head)
        memory = ["-m", "benchmarks.audit", "--memory", str(path), head.hex()]
        subprocess.run([sys.executable, *memory], check=True)
    with running_chain() as chain:
        measure_chain(chain, fill(chain, scale))


if __name__ == "__main__":
    main()

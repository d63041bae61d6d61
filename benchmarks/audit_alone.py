"""Time the whole audit of a chain, and its raw logs, in a process that does nothing else.

    python -m benchmarks.audit_alone URL REGISTRY BLOCK

What `benchmarks.audit` runs: what a process has imported slows all that makes many objects,
and web3 imports much. Prints the events, and the seconds of both.
"""

import json
import sys
import time
from collections.abc import Callable

from ledger.audit.auditor import Auditor, Question
from ledger.audit.endpoints import open_endpoints
from ledger.chain.rpc import Rpc
from ledger.primitives import Address, parse_address

TURNS = 7


def audit(url: str, registry: Address, block: int) -> int:
    """Audit up to a block, and return how many events there are."""
    auditor = Auditor(open_endpoints([url]), Question(registry, block=block))
    found = auditor.advance()
    auditor.close()
    if found.findings:
        raise RuntimeError(f"the benchmark's history is not sound: {found.findings[0]}")
    return found.world.events


def fetch_raw(rpc: Rpc, registry: Address, last: int) -> None:
    """Fetch all logs, and read none."""
    query = {"address": "0x" + registry.hex(), "fromBlock": "0x0", "toBlock": hex(last)}
    rpc.call("eth_getLogs", [query])


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Measure both in turns, the best of each: others may use the machine too."""
    url, registry, last = sys.argv[1], parse_address(sys.argv[2]), int(sys.argv[3])
    with Rpc(url) as rpc:
        turns = [
            (
                timed(lambda: audit(url, registry, last)),
                timed(lambda: fetch_raw(rpc, registry, last)),
            )
            for _ in range(TURNS)
        ]
    ours, raw = (min(seconds) for seconds in zip(*turns, strict=True))
    print(json.dumps({"events": audit(url, registry, last), "audit": ours, "raw": raw}))


if __name__ == "__main__":
    main()

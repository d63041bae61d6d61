"""Every lie a node can tell an auditor is found, and the report says who contradicts whom."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ledger.audit.auditor import Auditor, Question
from ledger.audit.endpoints import open_endpoints
from ledger.audit.findings import Finding, FindingCode
from ledger.audit.meeting import MAX_HEAD_AGE_SECONDS, MAX_LAG_SECONDS, meet
from ledger.chain import devchain
from ledger.chain.logs import format_log, parse_log
from ledger.chain.registry.events import TOPIC, Log, fold
from ledger.chain.registry.slots import word
from ledger.chain.rpc import Rpc
from ledger.chain.settlement import settle
from ledger.chain.store import read_checkpoint, write_checkpoint
from ledger.cli.auditing import Examiner
from ledger.database import Database, migrate
from ledger.errors import ChainError
from ledger.primitives import Hash32, sha256
from tests.chain.audited import audited, live_a_life
from tests.chain.conftest import Chain

from .lying_node import LyingNode, lying_node


@pytest.fixture(scope="module")
def issuer(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('lies') / 'ledger.db'}")
    migrate(database)
    outbox = chain.outbox(database)
    yield live_a_life(chain, outbox, "lied about")
    database.close()


@pytest.fixture
def liar(chain: Chain) -> Iterator[LyingNode]:
    with lying_node(chain.rpc_url) as node:
        yield node


def topic(name: str) -> str:
    return "0x" + TOPIC[name].hex()


def is_of(log: dict[str, Any], issuer: int, name: str) -> bool:
    topics: list[str] = log["topics"]
    return topics[:2] == [topic(name), "0x" + word(issuer).hex()]


Logs = list[dict[str, Any]]


def about_logs(liar: LyingNode, lie: Callable[[Logs], Logs]) -> None:
    """Tell one and the same lie about the whole history, whatever part of it is asked for."""
    whole = {"fromBlock": "0x0", "toBlock": "latest"}
    liar.questions["eth_getLogs"] = lambda params: [params[0] | whole]

    def part(params: list[Any], logs: Logs) -> Logs:
        first, last = (int(params[0][end], 16) for end in ("fromBlock", "toBlock"))
        return [log for log in lie(logs) if first <= int(log["blockNumber"], 16) <= last]

    liar.lies["eth_getLogs"] = part


def told_by(finding: Finding, number: int) -> bool:
    return any(f"rpc {number} (" in answer for answer in finding.answers)


def hide(issuer: int, name: str) -> Callable[[Logs], Logs]:
    def lie(logs: Logs) -> Logs:
        first = next((log for log in logs if is_of(log, issuer, name)), None)
        return [log for log in logs if log is not first]

    return lie


def swap_anchors(issuer: int) -> Callable[[Logs], Logs]:
    def lie(logs: Logs) -> Logs:
        at = [n for n, log in enumerate(logs) if is_of(log, issuer, "Anchored")]
        a, b = at[0], at[1]
        place = ("blockNumber", "blockHash", "transactionHash", "logIndex")
        first = logs[b] | {name: logs[a][name] for name in place}
        second = logs[a] | {name: logs[b][name] for name in place}
        swapped = dict(enumerate(logs)) | {a: first, b: second}
        return list(swapped.values())

    return lie


def forge_anchor(issuer: int) -> Callable[[Logs], Logs]:
    """Put in one more anchor after a real one, with the head that would follow."""

    def lie(logs: Logs) -> Logs:
        n = next(n for n, log in enumerate(logs) if is_of(log, issuer, "Anchored"))
        real = parse_log(logs[n])
        topics = (*real.topics[:2], sha256(b"forged"), real.topics[3])
        head = fold(Hash32(real.data[-32:]), topics, real.data)
        place = (real.block_number, real.block_hash, real.transaction, real.log_index + 1)
        forged = Log(real.address, topics, real.data[:-32] + head, *place)
        return [*logs[: n + 1], format_log(forged), *logs[n + 1 :]]

    return lie


LIES = [
    ("hides an anchor", lambda n: hide(n, "Anchored"), FindingCode.EVENT_MISSING),
    ("hides a revocation", lambda n: hide(n, "Revoked"), FindingCode.EVENT_MISSING),
    ("hides a compromise", lambda n: hide(n, "OperatorCompromised"), FindingCode.EVENT_MISSING),
    ("hides an issuer", lambda n: hide(n, "IssuerRegistered"), FindingCode.EVENT_MISSING),
    ("hides a DID", lambda n: hide(n, "IssuerDid"), FindingCode.EVENT_MISSING),
    ("answers an empty range", lambda _: lambda _logs: [], FindingCode.EVENT_MISSING),
    ("swaps two anchors", swap_anchors, FindingCode.EVENT_REORDERED),
    ("forges a log", forge_anchor, FindingCode.EVENT_EXTRA),
]


@pytest.mark.parametrize(("lie", "code"), [x[1:] for x in LIES], ids=[x[0] for x in LIES])
def test_a_lie_about_logs_is_named_beside_an_honest_node(
    chain: Chain, issuer: int, liar: LyingNode, lie: Any, code: FindingCode
) -> None:
    about_logs(liar, lie(issuer))
    audit = audited(chain, chain.rpc_url, liar.url)
    (found,) = audit.findings
    assert found.code is code
    by, against = found.answers
    assert by == f"the logs of rpc 2 ({liar.url[7:]})"
    assert against.startswith(f"the logs of rpc 1 ({chain.rpc_url[7:]})")
    assert len(audit.world.issuers[issuer].anchors) == 3


@pytest.mark.parametrize(("lie", "code"), [x[1:] for x in LIES], ids=[x[0] for x in LIES])
def test_a_lie_about_logs_is_found_without_another_node(
    chain: Chain, issuer: int, liar: LyingNode, lie: Any, code: FindingCode
) -> None:
    """The contract's own heads contradict it."""
    about_logs(liar, lie(issuer))
    audit = audited(chain, liar.url)
    assert not audit.is_proved
    found = audit.findings[-1]
    assert found.code in {code, FindingCode.EVENT_UNLINKED}
    assert found.answers[0] == f"the logs of rpc 1 ({liar.url[7:]})"


def at_block(block: int) -> Callable[[list[Any]], list[Any]]:
    return lambda params: [*params[:-1], hex(block)]


def test_an_old_head_is_not_proved(chain: Chain, issuer: int, liar: LyingNode) -> None:
    state = audited(chain).world.issuers[issuer]
    old = next(iter(state.anchors.values())).block
    liar.questions["eth_getProof"] = at_block(old)
    (found,) = audited(chain, liar.url).findings
    assert found.code is FindingCode.HEADS_UNPROVED
    assert told_by(found, 1)
    (found,) = audited(chain, chain.rpc_url, liar.url).findings
    assert found.code is FindingCode.HEADS_UNPROVED
    assert told_by(found, 2)


def test_an_old_head_contradicts_the_logs_without_a_proof(
    chain: Chain, issuer: int, liar: LyingNode
) -> None:
    state = audited(chain).world.issuers[issuer]
    anchor = next(iter(state.anchors.values()))
    liar.questions["eth_getStorageAt"] = at_block(anchor.block)
    (found,) = audited(chain, liar.url, state_proof=False).findings
    assert (found.code, found.place.position) == (FindingCode.EVENT_EXTRA, anchor.position + 1)
    assert "the head of issuer" in found.answers[1]
    both = audited(chain, chain.rpc_url, liar.url, state_proof=False).findings
    assert both[0].code is FindingCode.HEADS_DISAGREE
    assert told_by(both[0], 1)
    assert told_by(both[0], 2)


@pytest.mark.usefixtures("issuer")
def test_an_old_block_is_remembered(chain: Chain, liar: LyingNode, tmp_path: Path) -> None:
    cursor = tmp_path / "cursor"
    now = audited(chain, liar.url, cursor=cursor).block
    liar.questions["eth_getBlockByNumber"] = lambda params: (
        [hex(now.number - 5), False] if params[0] == "finalized" else params
    )
    (found,) = audited(chain, liar.url, cursor=cursor).findings
    assert found.code is FindingCode.FINALITY_WENT_BACK
    assert str(cursor) in found.answers[-1]


def serve_old(liar: LyingNode, old: int) -> None:
    """Let a node know nothing that is newer than the block `old`."""

    def is_number(params: list[Any]) -> bool:
        return str(params[0]).startswith("0x")

    liar.questions["eth_getBlockByNumber"] = lambda params: (
        params if is_number(params) else [hex(old), False]
    )
    liar.lies["eth_getBlockByNumber"] = lambda params, block: (
        None if is_number(params) and int(params[0], 16) > old else block
    )


@pytest.mark.usefixtures("issuer")
def test_an_old_block_is_older_than_the_clock_allows(chain: Chain, liar: LyingNode) -> None:
    """One endpoint, alone, asked for the first time."""
    chain.rpc.call("evm_increaseTime", [10])
    chain.mine(5)
    now = audited(chain).block
    old = chain.rpc.call("eth_getBlockByNumber", [hex(now.number - 5), False])
    age = now.time - int(old["timestamp"], 16)
    serve_old(liar, now.number - 5)

    def findings(url: str, may_be: int | None) -> list[Finding]:
        return audited(chain, url, clock=lambda: now.time, max_head_age=may_be).findings

    (found,) = findings(liar.url, age - 1)
    assert found.code is FindingCode.ENDPOINT_BEHIND
    told, clock = found.answers
    assert told.startswith(f"block {now.number - 5} of ")
    assert told.endswith(f"final for rpc 1 ({liar.url[7:]})")
    assert clock.endswith("by the clock of this machine")
    assert findings(chain.rpc_url, age - 1) == []
    for may_be in (age, 0, None):
        assert findings(liar.url, may_be) == []


def test_only_a_development_chain_may_stand_still(chain: Chain, liar: LyingNode) -> None:
    final = audited(chain).block
    late = final.time + MAX_HEAD_AGE_SECONDS + 600
    assert audited(chain, clock=lambda: late).findings == []
    liar.lies["eth_chainId"] = lambda _params, _result: "0x1"
    (endpoint,) = open_endpoints([liar.url])
    old = meet([endpoint], chain=1, block=final.number, now=late).findings
    new = meet([endpoint], chain=1, block=final.number, now=late - 1_200).findings
    endpoint.rpc.close()
    assert [found.code for found in old] == [FindingCode.ENDPOINT_BEHIND]
    assert new == []


@dataclass
class Installation:
    """A database whose worker has just looked at the chain."""

    url: str
    chain: Chain
    database: Database

    def final(self) -> tuple[int, Hash32]:
        with self.database.read() as tx:
            return read_checkpoint(tx, self.chain.chain_id) or (0, Hash32(b""))

    def examine(self, rpc: str) -> list[Finding]:
        with Examiner([rpc], Question(self.chain.registry), self.url, None) as examiner:
            return examiner.examine().findings


@pytest.fixture
def installation(chain: Chain, tmp_path: Path) -> Iterator[Installation]:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    database = Database(url)
    migrate(database)
    settle(database, chain.rpc, chain=chain.chain_id, finality="finalized", confirmations=1, now=1)
    yield Installation(url, chain, database)
    database.close()


@pytest.mark.usefixtures("issuer")
def test_an_old_block_contradicts_the_database(liar: LyingNode, installation: Installation) -> None:
    """One endpoint, alone, without a cursor: what the worker saw final is not there."""
    number, block_hash = installation.final()
    serve_old(liar, number - 1)
    (found,) = installation.examine(liar.url)
    assert found.code is FindingCode.FINALITY_WENT_BACK
    assert found.answers == (
        f"block {number - 1} is final for rpc 1 ({liar.url[7:]}), which has no block {number}",
        f"block {number} is 0x{block_hash.hex()} and final, in the database",
    )
    # It has the block, and calls final one that is a little older: it lags.
    liar.lies.clear()
    assert installation.examine(liar.url) == []
    serve_old(liar, number + 1)
    assert installation.examine(liar.url) == []


@pytest.mark.usefixtures("issuer")
def test_an_old_block_beside_a_new_one_contradicts_the_database(
    chain: Chain, liar: LyingNode, installation: Installation
) -> None:
    """It serves every block, and calls final one of long ago."""
    number, _ = installation.final()
    liar.questions["eth_getBlockByNumber"] = lambda params: (
        params if params[0].startswith("0x") else [hex(number - 3), False]
    )
    age = MAX_LAG_SECONDS + 60
    old = chain.rpc.call("eth_getBlockByNumber", [hex(number), False])["timestamp"]

    def later(params: list[Any], block: Any) -> Any:
        is_known = params[0] == hex(number)
        return block | {"timestamp": hex(int(old, 16) + age)} if is_known else block

    liar.lies["eth_getBlockByNumber"] = later
    (found,) = installation.examine(liar.url)
    assert found.code is FindingCode.FINALITY_WENT_BACK
    assert found.answers[0] == f"block {number - 3} is final for rpc 1 ({liar.url[7:]})"


@pytest.mark.usefixtures("issuer")
def test_another_history_contradicts_the_database(chain: Chain, installation: Installation) -> None:
    number, _ = installation.final()
    with installation.database.write() as tx:
        write_checkpoint(tx, chain.chain_id, number, sha256(b"elsewhere"))
    (found,) = installation.examine(chain.rpc_url)
    assert found.code is FindingCode.FINALITY_BROKEN
    assert f"rpc 1 ({chain.rpc_url[7:]})" in found.answers[0]
    assert found.answers[1].endswith("in the database")


@pytest.mark.usefixtures("issuer")
def test_a_node_that_stands_still_is_named(chain: Chain, liar: LyingNode) -> None:
    old = audited(chain).block.number
    chain.rpc.call("evm_increaseTime", [7200])
    chain.mine(5)
    liar.questions["eth_getBlockByNumber"] = lambda params: (
        [hex(old), False] if params[0] == "finalized" else params
    )
    (found,) = audited(chain, chain.rpc_url, liar.url).findings
    assert found.code is FindingCode.ENDPOINT_BEHIND
    assert "rpc 2 (" in found.answers[0]
    assert "rpc 1 (" in found.answers[1]


@pytest.mark.usefixtures("issuer")
def test_another_chain_is_named(chain: Chain, liar: LyingNode) -> None:
    liar.lies["eth_chainId"] = lambda _params, _result: "0x1"
    (found,) = audited(chain, chain.rpc_url, liar.url).findings
    assert found.code is FindingCode.OTHER_CHAIN
    assert found.answers == (
        f"the chain of rpc 2 ({liar.url[7:]})",
        f"the chain of rpc 1 ({chain.rpc_url[7:]})",
    )
    # Alone it must show logs of a chain that they are not of.
    found, *_ = audited(chain, liar.url).findings
    assert found.code is FindingCode.EVENT_ALTERED
    assert "eip155:1" in found.message


@pytest.mark.usefixtures("issuer")
def test_another_chain_of_the_same_number_is_named(chain: Chain, tmp_path: Path) -> None:
    other = devchain.DevChain.start(tmp_path / "anvil", port=devchain.free_port())
    try:
        with Rpc(other.url) as rpc:
            rpc.call("anvil_mine", ["0x400"])
        findings = audited(chain, chain.rpc_url, other.url).findings
    finally:
        other.stop()
    found = next(found for found in findings if found.code is FindingCode.BLOCKS_DISAGREE)
    assert "rpc 2 (" in found.answers[0]
    assert "rpc 1 (" in found.answers[1]


@pytest.mark.usefixtures("issuer")
def test_history_that_changes_after_it_was_final_is_named(chain: Chain, tmp_path: Path) -> None:
    """The chain itself drops blocks that it had called final."""
    cursor = tmp_path / "cursor"
    before = audited(chain, cursor=cursor).block
    snapshot = chain.rpc.call("evm_snapshot", [])
    chain.mine(5)
    audited(chain, cursor=cursor)
    auditor = Auditor(open_endpoints([chain.rpc_url]), Question(chain.registry))
    assert auditor.advance().findings == []
    chain.rpc.call("evm_revert", [snapshot])
    chain.rpc.call("evm_increaseTime", [7])
    chain.mine(9)
    (found,) = auditor.advance().findings
    auditor.close()
    assert found.code is FindingCode.FINALITY_BROKEN
    (found,) = audited(chain, cursor=cursor).findings
    assert found.code is FindingCode.FINALITY_BROKEN
    assert found.place.block is not None
    assert found.place.block > before.number
    assert f"rpc 1 ({chain.rpc_url[7:]})" in found.answers[0]
    assert str(cursor) in found.answers[1]
    # It went back to what is still there, and goes on from that.
    assert audited(chain, cursor=cursor).findings == []


@pytest.mark.usefixtures("issuer")
def test_a_lie_is_not_kept_in_the_cursor(chain: Chain, liar: LyingNode, tmp_path: Path) -> None:
    cursor = tmp_path / "cursor"
    about_logs(liar, lambda _: [])
    assert audited(chain, liar.url, cursor=cursor).findings
    liar.lies.clear()
    liar.questions.clear()
    assert audited(chain, liar.url, cursor=cursor).findings == []


@pytest.mark.usefixtures("issuer")
def test_an_outage_in_the_middle_is_taken_up_where_it_was(
    chain: Chain, liar: LyingNode, tmp_path: Path
) -> None:
    """Logs that were replayed are not replayed again, which would look like a forgery."""
    answered = 0

    def fails_at(failing: int) -> Callable[[list[Any], Any], Any]:
        def lie(_params: list[Any], result: Any) -> Any:
            nonlocal answered
            answered += 1
            return None if answered == failing else result

        return lie

    for failing in range(1, 12):
        answered = 0
        for method in ("eth_getBlockByNumber", "eth_getLogs", "eth_getProof", "eth_getCode"):
            liar.lies[method] = fails_at(failing)
        question = Question(chain.registry, cursor=tmp_path / f"cursor {failing}")
        auditor = Auditor(open_endpoints([liar.url]), question)
        with suppress(ChainError):
            auditor.advance()
        liar.lies.clear()
        audit = auditor.advance()
        auditor.close()
        assert audit.findings == []
        assert audit.is_proved

"""Audits of a real chain: the replay says what the contract says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.audit.auditor import Auditor, Question
from ledger.audit.endpoints import open_endpoints
from ledger.audit.findings import FindingCode
from ledger.chain.logs import FIRST_WINDOW_BLOCKS, WINDOWS_AT_ONCE
from ledger.chain.outbox import Outbox
from ledger.database import Database, migrate
from ledger.errors import ChainError, ConflictError, MalformedInputError
from ledger.primitives import Address, format_address
from tests.faults.lying_node import lying_node

from .audited import ROOT, audited, live_a_life
from .conftest import Chain


@pytest.fixture(scope="module")
def issuer(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('audited') / 'ledger.db'}")
    migrate(database)
    outbox = chain.outbox(database)
    yield live_a_life(chain, outbox, "audited")
    database.close()


@pytest.mark.usefixtures("issuer")
def test_the_replay_says_what_the_contract_says(chain: Chain) -> None:
    audit = audited(chain)
    assert audit.findings == []
    assert audit.is_proved
    view = chain.contract.functions
    assert len(audit.world.issuers) == view.issuerCount().call()
    for number, state in audit.world.issuers.items():
        owner, pending, did_hash, head = view.issuerOf(number).call()
        assert (format_address(state.owner), format_address(state.pending_owner)) == (
            owner,
            pending,
        )
        assert (state.did_hash, state.head) == (did_hash, head)
        for root, anchor in state.anchors.items():
            operator, time, size, flags = view.anchorOf(number, root).call()
            assert (format_address(anchor.operator), anchor.time) == (operator, time)
            assert (anchor.size, anchor.batch_revoked) == (size, bool(flags))
        for address, record in state.operators.items():
            said = view.operatorOf(number, format_address(address)).call()
            assert [record.roles, record.compromised_since] == said
        for holder, spans in state.spans.items():
            for n, span in enumerate(spans):
                said = view.accreditationSpan(number, holder, n).call()
                assert [span.start, span.until] == said
    for address, number in audit.world.bare_issuers.items():
        assert view.bareIssuerOf(format_address(address)).call() == number


def test_every_status_bit_is_the_contracts(chain: Chain, issuer: int) -> None:
    anchor = audited(chain).world.issuers[issuer].anchors[ROOT]
    for index in (0, 1, 2, 3, 255, 256, 511, 512, 513, 514, 998, 999):
        word, bit = index // 256, 1 << index % 256
        standing = 8
        if anchor.suspended.get(word, 0) & bit:
            standing = 7
        if anchor.revoked.get(word, 0) & bit:
            standing = 6
        assert chain.contract.functions.statusOf(issuer, ROOT, index).call() == standing


@pytest.mark.usefixtures("issuer")
def test_a_recording_is_audited_like_the_chain(chain: Chain, tmp_path: Path) -> None:
    recording = tmp_path / "logs.jsonl"
    live = audited(chain, cursor=recording)
    recorded = audited(chain, logs=recording, block=live.block.number)
    assert recorded.findings == []
    assert recorded.world == live.world
    lines = recording.read_text().splitlines(keepends=True)
    recording.write_text("".join(lines[:5] + lines[6:]))
    (found,) = audited(chain, logs=recording, block=live.block.number).findings
    assert found.answers[0] == f"the logs of {recording}"


def test_an_older_block_is_audited_as_it_was(chain: Chain, issuer: int) -> None:
    state = audited(chain).world.issuers[issuer]
    before = audited(chain, block=state.anchors[ROOT].block - 1)
    assert before.findings == []
    assert before.world.issuers[issuer].anchors == {}
    with pytest.raises(ConflictError, match="not final"):
        audited(chain, block=before.block.number + 10**6)


@pytest.mark.usefixtures("issuer")
def test_an_audit_goes_on_where_it_was(chain: Chain, outbox: Outbox) -> None:
    auditor = Auditor(open_endpoints([chain.rpc_url]), Question(registry=chain.registry))
    first = auditor.advance()
    chain.send(outbox, chain.sender(), chain.encode("registerIssuer", "did:example:later"))
    second = auditor.advance()
    auditor.close()
    assert second.findings == []
    assert second.block.number > first.block.number
    assert len(second.world.issuers) == chain.contract.functions.issuerCount().call()


def test_an_audit_asks_little_beside_the_logs(chain: Chain, issuer: int) -> None:
    """Block and chain in one request, the header in one, code and heads in one proof."""
    del issuer
    with lying_node(chain.rpc_url) as counting:
        audit = audited(chain, counting.url)
        methods = [method for methods in counting.asked for method in methods]
    beside = [methods for methods in counting.asked if "eth_getLogs" not in methods]
    assert sorted(beside) == [
        ["eth_chainId", "eth_getBlockByNumber"],
        ["eth_getBlockByHash"],
        ["eth_getProof"],
    ]
    windows, blocks = methods.count("eth_getLogs"), audit.block.number + 1
    assert (windows - WINDOWS_AT_ONCE) * FIRST_WINDOW_BLOCKS <= blocks


def test_a_late_start_shows(chain: Chain, issuer: int) -> None:
    audit = audited(chain)
    assert not audited(chain, from_block=1).findings
    late = audit.world.issuers[issuer].anchors[ROOT].block
    assert FindingCode.EVENT_MISSING in {f.code for f in audited(chain, from_block=late).findings}


def test_an_address_without_the_registry_is_a_finding(chain: Chain) -> None:
    auditor = Auditor(open_endpoints([chain.rpc_url]), Question(registry=Address(b"\x01" * 20)))
    (found,) = auditor.advance().findings
    auditor.close()
    assert found.code is FindingCode.OTHER_CODE


def test_who_cannot_answer_is_no_finding(chain: Chain) -> None:
    with pytest.raises(ChainError):
        audited(chain, chain.rpc_url, "http://127.0.0.1:9")
    auditor = Auditor(open_endpoints([chain.rpc_url]), Question(chain.registry, chain=1))
    with pytest.raises(ConflictError, match="no endpoint is on eip155:1,"):
        auditor.advance()
    auditor.close()
    with pytest.raises(MalformedInputError):
        audited(chain, "file:///etc/passwd")

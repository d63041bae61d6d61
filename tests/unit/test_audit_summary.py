"""A summary tells an issuer what was found of it, and nothing of what others did."""

from ledger.audit.auditor import Audit
from ledger.audit.findings import Finding, FindingCode, Place
from ledger.audit.report import Report
from ledger.audit.summaries.summary import summarise
from ledger.audit.world import World
from ledger.chain.state import Block
from ledger.primitives import Address, Hash32

REGISTRY = Address(bytes(20))


def found(code: FindingCode, issuer: int | None) -> Finding:
    return Finding(code, "message", Place(issuer=issuer))


def test_findings_of_other_issuers_are_left_out() -> None:
    findings = [
        found(FindingCode.OTHER_CODE, None),
        found(FindingCode.ANCHOR_UNKNOWN, 1),
        found(FindingCode.ANCHOR_UNKNOWN, 1),
        found(FindingCode.STATUS_UNKNOWN, 2),
    ]
    block = Block(7, Hash32(bytes(32)), 1_790_000_000)
    report = Report(Audit(1, block, [], World(1, REGISTRY), findings, heads_proved=False))
    counts = {
        issuer: {one["code"]: one["count"] for one in summarise(report, issuer)["findings"]}
        for issuer in (1, 2)
    }
    assert counts == {
        1: {"anchor-unknown": 2, "other-code": 1},
        2: {"other-code": 1, "status-unknown": 1},
    }
    assert summarise(report, 1)["heads"] == "told"
    assert summarise(report, 1)["head"] is None

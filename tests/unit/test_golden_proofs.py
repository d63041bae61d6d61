"""Proof files of earlier releases get the verdicts that they always got: tests/golden/README.md."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger.chain.state import NO_CODE, Block, CodeHash, Question
from ledger.primitives import Hash32, Home, hash32, parse_address, parse_chain
from ledger.verification.checks import verify
from ledger.verification.offline import TrustedBlock
from ledger.verification.policy import TrustedRegistry, TrustPolicy, default_policy
from ledger.verification.report import Report

from .verification_world import described

GOLDEN = Path(__file__).parents[1] / "golden" / "ledger-proof-1"
NODE = "http://the-recorded-node.test"


class RecordedChain:
    """A chain on which there is the registry of `registry.json`, and nothing else."""

    def __init__(self, record: dict[str, Any]) -> None:
        self.chain = parse_chain(record["chain"])
        self.registry = parse_address(record["registry"])
        self.code_hash = hash32(record["code_hash"])
        self.final, self.newest = (_block(record[tag]) for tag in ("finalized", "latest"))
        self.storage = {hash32(key): hash32(word) for key, word in record["storage"].items()}

    def blocks(self, tags: Sequence[str]) -> list[Block]:
        return [self.newest if tag == "latest" else self.final for tag in tags]

    def read(self, questions: Iterable[Question]) -> dict[Question, Hash32]:
        return {question: self._word(question) for question in questions}

    def _word(self, question: Question) -> Hash32:
        assert question.block in (self.final, self.newest)
        ours = question.contract == self.registry
        if isinstance(question, CodeHash):
            return self.code_hash if ours else NO_CODE
        return self.storage.get(question.key, Hash32(bytes(32))) if ours else Hash32(bytes(32))


def _block(value: dict[str, Any]) -> Block:
    return Block(value["number"], hash32(value["hash"]), value["time"])


@pytest.fixture
def chain() -> RecordedChain:
    return RecordedChain(json.loads((GOLDEN / "registry.json").read_text("utf-8")))


def judge(
    chain: RecordedChain, name: str, document: str | None = None, **trust: tuple[Home, ...]
) -> Report:
    """Verify a golden file as on the day on which it was made, with this release's defaults."""

    @contextmanager
    def open_chain(asked: int, registry: TrustedRegistry) -> Iterator[RecordedChain]:
        assert (asked, registry.rpc) == (chain.chain, (NODE,))
        yield chain

    def fetch(url: str) -> bytes:
        pytest.fail(f"a golden file sent for {url}")

    policy: TrustPolicy = replace(default_policy().with_rpcs([NODE]), **trust)  # type: ignore[arg-type]
    return verify(
        (GOLDEN / name).read_bytes(),
        document=(GOLDEN / document).read_bytes() if document else None,
        policy=policy,
        now=chain.newest.time,
        open_chain=open_chain,
        fetch=fetch,
    )


def home(chain: RecordedChain, issuer: int) -> Home:
    return Home(chain.chain, chain.registry, issuer)


@pytest.mark.parametrize("name", ["badge.json", "carrying.proof.json", "lone.json"])
def test_a_golden_badge_is_valid(chain: RecordedChain, name: str) -> None:
    report = judge(chain, name)
    assert report.verdict == "valid"
    assert {check.outcome for check in report.checks} == {"passed"}
    assert report.checks[7].basis == "signed"


def test_a_golden_badge_is_accredited(chain: RecordedChain) -> None:
    report = judge(chain, "lone.json", accreditors=(home(chain, 2),))
    assert (report.verdict, report.checks[7].basis) == ("valid", "accredited")


def test_a_golden_file_is_valid_where_its_home_is_believed(chain: RecordedChain) -> None:
    assert judge(chain, "document.proof.json", "document.txt").verdict == "unknown"
    report = judge(chain, "document.proof.json", "document.txt", homes=(home(chain, 2),))
    assert (report.verdict, report.checks[7].basis) == ("valid", "policy")


@pytest.mark.parametrize(
    ("name", "document", "number", "reason"),
    [
        ("revoked.json", None, 7, "revoked"),
        ("suspended.json", None, 7, "suspended"),
        ("disowned.proof.json", "document.txt", 6, "compromised"),
    ],
)
def test_what_was_taken_back_stays_taken_back(
    chain: RecordedChain, name: str, document: str | None, number: int, reason: str
) -> None:
    report = judge(chain, name, document, homes=(home(chain, 1), home(chain, 2)))
    assert report.verdict == "invalid"
    assert described(report, number) == ("failed", reason)
    others = {check.number for check in report.checks if check.outcome == "failed"} - {number}
    assert not others


def test_the_verdicts_come_from_the_recorded_words(chain: RecordedChain) -> None:
    chain.storage.clear()
    report = judge(chain, "badge.json")
    assert (report.verdict, described(report, 4)) == ("invalid", ("failed", "not-anchored"))


STATE = GOLDEN.parent / "ledger-proof-1-state"
LIVE = "6b54b74ca7e9c959bf69a517d53f87596953df5020f43496640f65c9d37b1f60"
TAKEN_BACK = "264a5ce42f0e18a962e3469474d6c11fd9bc20580dc5608c6e4eecd96c7de685"
MADE_AT = 1_795_619_310
"""The day of the state proofs: they say nothing of much later ones."""


@pytest.mark.parametrize(
    ("name", "block", "verdict"),
    [
        ("badge.proof.json", LIVE, "valid"),
        ("revoked.proof.json", TAKEN_BACK, "invalid"),
        ("badge.proof.json", TAKEN_BACK, "unknown"),
    ],
)
def test_a_golden_state_proof_needs_no_node(name: str, block: str, verdict: str) -> None:
    report = verify(
        (STATE / name).read_bytes(),
        policy=default_policy(),
        now=MADE_AT,
        trusted=[TrustedBlock(31337, hash32(block))],
    )
    assert report.verdict == verdict

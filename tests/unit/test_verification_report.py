"""The verdict is one function of the outcomes; the report has one shape."""

import itertools
import json
import subprocess
import sys

import pytest

from ledger.verification.policy import TrustPolicy
from ledger.verification.reasons import SENTENCES, Reason
from ledger.verification.report import (
    CODES,
    Check,
    Outcome,
    Report,
    Subject,
    Verdict,
    judge,
)
from tests.unit.verification_world import World, credential, encode, signed

TRUSTING = TrustPolicy(registries=())
STRICT = TrustPolicy(registries=(), require_signature=True, require_shape=True)


def checks(**outcomes: Outcome) -> tuple[Check, ...]:
    """Return eleven checks that passed, but for those given by code."""
    return tuple(
        Check(number, outcomes.get(code, Outcome.PASSED), "") for number, code in CODES.items()
    )


def test_all_passed_is_valid() -> None:
    for subject, policy in itertools.product(Subject, (TRUSTING, STRICT)):
        assert judge(checks(), subject, policy) is Verdict.VALID


@pytest.mark.parametrize("code", list(CODES.values())[:8])
def test_the_first_eight_are_mandatory_always(code: str) -> None:
    for subject in Subject:
        verdicts = {o: judge(checks(**{code: o}), subject, TRUSTING) for o in Outcome}
        assert verdicts == {
            Outcome.PASSED: Verdict.VALID,
            Outcome.FAILED: Verdict.INVALID,
            Outcome.UNKNOWN: Verdict.UNKNOWN,
            Outcome.SKIPPED: Verdict.UNKNOWN,
        }


@pytest.mark.parametrize(
    ("code", "subject", "policy", "failed", "other"),
    [
        ("signature", Subject.CREDENTIAL, TRUSTING, "invalid", "valid"),
        ("signature", Subject.CREDENTIAL, STRICT, "invalid", "unknown"),
        ("validity", Subject.CREDENTIAL, TRUSTING, "invalid", "unknown"),
        ("validity", Subject.FILE, TRUSTING, "valid", "valid"),
        ("shape", Subject.CREDENTIAL, TRUSTING, "valid", "valid"),
        ("shape", Subject.CREDENTIAL, STRICT, "invalid", "unknown"),
    ],
)
def test_the_others_are_mandatory_where_it_is_said(
    code: str, subject: Subject, policy: TrustPolicy, failed: str, other: str
) -> None:
    assert judge(checks(**{code: Outcome.FAILED}), subject, policy) == failed
    for outcome in (Outcome.UNKNOWN, Outcome.SKIPPED):
        assert judge(checks(**{code: outcome}), subject, policy) == other


def test_what_failed_outweighs_what_is_unknown() -> None:
    mixed = checks(anchor=Outcome.UNKNOWN, digest=Outcome.FAILED, status=Outcome.SKIPPED)
    assert judge(mixed, Subject.FILE, TRUSTING) is Verdict.INVALID


@pytest.mark.parametrize(("verdict", "code"), [("valid", 0), ("invalid", 1), ("unknown", 3)])
def test_every_verdict_has_its_exit_code(verdict: str, code: int) -> None:
    report = Report(Verdict(verdict), Subject.FILE, None, checks(), None, None)
    assert report.exit_code == code


def test_the_json_has_the_members_that_readers_count_on() -> None:
    found = World().verify().as_json()
    assert json.loads(json.dumps(found)) == found
    assert list(found) == ["verdict", "subject", "as_of", "checks", "anchor", "credential"]
    assert list(found["as_of"]) == ["chain", "block", "time"]
    members = ["number", "code", "outcome", "reason", "basis", "message"]
    assert [list(check) for check in found["checks"]] == [members] * 11
    assert [check["number"] for check in found["checks"]] == list(range(1, 12))
    assert [check["code"] for check in found["checks"]] == list(CODES.values())
    assert {check["outcome"] for check in found["checks"]} == {"passed"}


def test_a_check_has_a_reason_exactly_when_it_did_not_pass() -> None:
    world = World()
    for report in (world.verify(), world.verify(world.detached), world.verify(finality="latest")):
        for check in report.checks:
            assert (check.reason is None) == (check.outcome is Outcome.PASSED)
            assert check.message


def test_the_text_shows_the_anchors_time_beside_the_credentials_dates() -> None:
    lines = World().verify().as_text().splitlines()
    assert lines[0] == "VALID: a credential, as of block 100 of eip155:1, 2027-01-15T07:45:00Z"
    assert [line[:13].strip() for line in lines[2:13]] == [
        f"{number} {code}" for number, code in CODES.items()
    ]
    start = lines.index("anchored     2026-12-16T08:10:00Z")
    assert lines[start + 1 : start + 3] == [
        "valid from   2026-12-16T08:00:00Z",
        "signed       2026-12-16T08:00:00Z",
    ]


def test_what_a_credential_says_cannot_steer_the_terminal() -> None:
    name = "\x1b[2J\x9b31mVALID\u202e\r\nVALID\u2028 caf\u00e9 \u0645\u06cc\u200c\u062e"
    text = World(signed(credential(name=name))).verify().as_text()
    assert "<U+001B>[2J<U+009B>31mVALID<U+202E>  VALID  caf\u00e9 \u0645\u06cc\u200c\u062e" in text
    assert not any(line.startswith("VALID") for line in text.splitlines()[1:])


def test_a_braced_text_in_a_credential_is_no_template() -> None:
    badge = signed(credential(issuer={"id": "{0}{found!r:>99}", "type": ["Profile"]}))
    assert "{0}{found!r:>99}" in World(badge).verify().as_text()


def test_every_reason_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Reason)


def test_verifying_loads_neither_the_database_nor_the_sender() -> None:
    badge = encode(World().badge)
    program = (
        "import sys\n"
        "from ledger.verification.checks import verify\n"
        "from ledger.verification.policy import default_policy\n"
        f"verify({badge!r}, policy=default_policy(), now=1)\n"
        "print(*{'sqlalchemy', 'web3', 'eth_account', 'httpx2', 'rich'} & set(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""

"""What a verification found: the checks, and the one verdict that follows from them.

    failed     one of the mandatory checks, or 9, failed     invalid
    else       a mandatory check is unknown or skipped        unknown
    else                                                      valid

Mandatory are 1 to 8, 10 for credentials, and 9 and 11 where the trust policy says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ledger.verification.policy import TrustPolicy
from ledger.verification.reasons import Finding, Reason

CODES: Final = {
    1: "file",
    2: "digest",
    3: "inclusion",
    4: "anchor",
    5: "finality",
    6: "operator",
    7: "status",
    8: "issuer",
    9: "signature",
    10: "validity",
    11: "shape",
}
"""The checks by number; both are stable."""

ALWAYS_MANDATORY: Final = frozenset(range(1, 9))


class Outcome(StrEnum):
    """What one check came to."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It could not be asked, or is not known to be believed."""
    SKIPPED = "skipped"
    """There was nothing to ask."""


class Subject(StrEnum):
    """What was verified."""

    CREDENTIAL = "credential"
    FILE = "file"


class Verdict(StrEnum):
    """What all checks come to."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"
    """Nobody could tell; it must not be taken for valid."""


class Basis(StrEnum):
    """Why an issuer is believed to be who it says (check 8)."""

    POLICY = "policy"
    """The trust policy lists its home."""
    ACCREDITED = "accredited"
    """A believed accreditor vouched for it when it anchored."""
    SIGNED = "signed"
    """Its signature covers the name of its home."""
    DOCUMENT = "document"
    """Its DID document lists the home."""


_JOINERS: Final = "\u200c\u200d"
"""Invisible, harmless, and part of how Persian and Indic names are written."""

EXIT_CODES: Final = {Verdict.VALID: 0, Verdict.INVALID: 1, Verdict.UNKNOWN: 3}
"""What a command that verified ends with."""


@dataclass(frozen=True, slots=True)
class Check:
    """One numbered question and its answer."""

    number: int
    outcome: Outcome
    message: str
    reason: Reason | None = None
    """None only when it passed."""
    basis: Basis | None = None

    @classmethod
    def passed(cls, number: int, message: str, basis: Basis | None = None) -> "Check":
        """Return a check that passed."""
        return cls(number, Outcome.PASSED, message, basis=basis)

    @classmethod
    def not_passed(cls, number: int, outcome: Outcome, finding: Finding) -> "Check":
        """Return a check that came to `outcome` because of `finding`."""
        return cls(number, outcome, finding.message, reason=finding.reason)

    @property
    def code(self) -> str:
        """Return the check's stable name."""
        return CODES[self.number]

    def as_json(self) -> dict[str, Any]:
        """Return the check as JSON."""
        return {
            "number": self.number,
            "code": self.code,
            "outcome": str(self.outcome),
            "reason": self.reason and str(self.reason),
            "basis": self.basis and str(self.basis),
            "message": self.message,
        }


def judge(checks: Sequence[Check], subject: Subject, policy: TrustPolicy) -> Verdict:
    """Return the verdict, by the table at the top of this module."""
    mandatory = set(ALWAYS_MANDATORY)
    mandatory |= {10} if subject is Subject.CREDENTIAL else set()
    mandatory |= {9} if policy.require_signature else set()
    mandatory |= {11} if policy.require_shape else set()
    outcomes = {check.number: check.outcome for check in checks}
    if any(outcomes[number] is Outcome.FAILED for number in mandatory | {9}):
        return Verdict.INVALID
    if any(outcomes[number] is not Outcome.PASSED for number in mandatory):
        return Verdict.UNKNOWN
    return Verdict.VALID


@dataclass(frozen=True, slots=True)
class Report:
    """All that a verification found."""

    verdict: Verdict
    subject: Subject
    as_of: dict[str, Any] | None
    """The block that the facts are of; None when no registry was read."""
    checks: tuple[Check, ...]
    anchor: dict[str, Any] | None
    """Where it is anchored; what comes from the registry is null when that was not read."""
    credential: dict[str, Any] | None
    """What the credential says of itself; null for a file, or when it was not given."""

    @property
    def exit_code(self) -> int:
        """Return what a command ends with."""
        return EXIT_CODES[self.verdict]

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON: the shape that docs/reference/verification.md fixes."""
        return {
            "verdict": str(self.verdict),
            "subject": str(self.subject),
            "as_of": self.as_of,
            "checks": [check.as_json() for check in self.checks],
            "anchor": self.anchor,
            "credential": self.credential,
        }

    def as_text(self) -> str:
        """Return the report for people: the verdict, a line a check, the times side by side."""
        value = self.as_json()
        return "\n".join(_printable(line) for line in _lines(value, self.checks))


def _lines(value: dict[str, Any], checks: Sequence[Check]) -> list[str]:
    as_of = value["as_of"]
    read = f", as of block {as_of['block']} of {as_of['chain']}, {as_of['time']}" if as_of else ""
    lines = [f"{value['verdict'].upper()}: a {value['subject']}{read}", ""]
    for check in checks:
        basis = f" [{check.basis}]" if check.basis else ""
        reason = f" [{check.reason}]" if check.reason else ""
        lines.append(
            f"{check.number:>2} {check.code:<9}  {check.outcome:<7}  {check.message}{basis}{reason}"
        )
    anchor, credential = value["anchor"] or {}, value["credential"] or {}
    facts = [
        ("anchored", anchor.get("time")),
        ("valid from", credential.get("validFrom")),
        ("valid until", credential.get("validUntil")),
        ("signed", ", ".join(credential.get("created", []))),
        ("name", credential.get("name")),
        ("issuer", credential.get("issuer")),
        ("home", anchor.get("home")),
    ]
    return [*lines, "", *(f"{name:<11}  {fact}" for name, fact in facts if fact)]


def _printable(line: str) -> str:
    """Return `line` with what could steer a terminal, or reverse its text, made visible."""
    return "".join(map(_visible, line))


def _visible(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    return " " if character.isspace() else f"<U+{ord(character):04X}>"

"""Make Open Badges 3.0 credentials: one template and one issuer, a badge for each row.

What every badge of a template shares is made once, and every badge refers to it: treat a
badge as a value, and copy before changing anything inside.

A badge has a random id of 122 bits and its e-mail is hashed with a random salt, so that
nobody can compute the digest, or the e-mail, of a learner's badge from another's.

Source: 1EdTech Open Badges 3.0, W3C VC Data Model 2.0.
"""

import hashlib
import secrets
import uuid
from collections.abc import Iterable
from typing import Any, Final

from ledger.clock import format_time
from ledger.credentials.achievement import (
    format_achievement,
    json_number,
    recognition,
    result_id,
)
from ledger.credentials.canonical import Shared
from ledger.credentials.problems import LineProblem
from ledger.credentials.profile import IssuerProfile, format_profile
from ledger.credentials.roster import RosterError, Row
from ledger.credentials.template import Template

CONTEXTS: Final = (
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    # Without this one `1EdTechJsonSchemaValidator2019` is no term.
    "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
)
TYPES: Final = ("VerifiableCredential", "OpenBadgeCredential")
SCHEMA: Final = (
    "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"
)
_DAY_SECONDS: Final = 86_400


def draw_id() -> str:
    """Draw the id of a credential: a random (version 4) `urn:uuid:`."""
    return uuid.UUID(bytes=secrets.token_bytes(16), version=4).urn


def draw_salt() -> str:
    """Draw the salt of one learner's e-mail: 128 bits in hex."""
    return secrets.token_hex(16)


class Builder:
    """Makes the badges of one template and one issuer."""

    def __init__(self, template: Template, profile: IssuerProfile) -> None:
        self._template = template
        self._profile = profile
        self._result_id = result_id(template)
        self._shared: dict[str, Any] = {
            "@context": list(CONTEXTS),
            "type": list(TYPES),
            "name": template.title,
            "description": recognition(template),
            "issuer": Shared(format_profile(profile)),
            "credentialSchema": [{"id": SCHEMA, "type": "1EdTechJsonSchemaValidator2019"}],
        }
        self._achievement = Shared(format_achievement(template))

    def __reduce__(self) -> "tuple[type[Builder], tuple[Template, IssuerProfile]]":
        # In another process, what is shared is made and written once more.
        return Builder, (self._template, self._profile)

    def check_rows(self, rows: Iterable[Row]) -> None:
        """Return when the scores of `rows` fit the template's grade.

        Raises:
            RosterError: a row has a score and the template has no grade, or it is outside
                the grade's bounds, or below what is required.

        """
        problems = [
            LineProblem(row.line, "score", problem)
            for row in rows
            if row.score is not None and (problem := self._template.score_problem(row.score))
        ]
        if problems:
            raise RosterError(problems)

    def build(self, row: Row, *, credential_id: str, salt: str, valid_from: int) -> dict[str, Any]:
        """Return the unsigned badge of `row`, valid from this Unix time.

        `credential_id` is from `draw_id`, and `salt` from `draw_salt`.
        """
        badge = {
            **self._shared,
            "id": credential_id,
            "validFrom": format_time(valid_from),
            "credentialSubject": self._subject(row, salt),
        }
        if self._template.valid_days is not None:
            until = valid_from + _DAY_SECONDS * self._template.valid_days
            badge["validUntil"] = format_time(until)
        if row.awarded:
            badge["awardedDate"] = _midnight(row.awarded)
        return badge

    def _subject(self, row: Row, salt: str) -> dict[str, Any]:
        subject: dict[str, Any] = {
            "type": ["AchievementSubject"],
            "identifier": _identifiers(row, salt),
            "achievement": self._achievement,
        }
        if row.learner_id:
            subject["id"] = row.learner_id
        if row.started:
            subject["activityStartDate"] = _midnight(row.started)
        if row.ended:
            subject["activityEndDate"] = _midnight(row.ended)
        if row.credits:
            subject["creditsEarned"] = json_number(row.credits)
        if row.score:
            subject["result"] = [
                {"type": ["Result"], "resultDescription": self._result_id, "value": row.score}
            ]
        return subject


def _identifiers(row: Row, salt: str) -> list[dict[str, Any]]:
    identifiers: list[dict[str, Any]] = [
        {
            "type": "IdentityObject",
            "hashed": False,
            "identityHash": row.name,
            "identityType": "name",
        }
    ]
    if row.email:
        hashed = hashlib.sha256((row.email + salt).encode()).hexdigest()
        identifiers.append(
            {
                "type": "IdentityObject",
                "hashed": True,
                "identityHash": f"sha256${hashed}",
                "identityType": "emailAddress",
                "salt": salt,
            }
        )
    return identifiers


def _midnight(day: str) -> str:
    return f"{day}T00:00:00Z"

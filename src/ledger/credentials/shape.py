"""Whether a credential has the shape of an Open Badges 3.0 `OpenBadgeCredential`.

Required members and the types of those that verifiers and wallets read, as the 1EdTech
schema has them; members that it does not know are welcome. Two members are refused which
the schema allows: `endorsementJwt` and `jti` at the top, because the 3.0.3 context changed
their meaning under its fixed address.

A shape is a function from a value and its path to the problems found; objects, arrays and
alternatives are made of smaller ones below.

Source: 1EdTech ob_v3p0_achievementcredential_schema.json.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from ledger.credentials.timestamps import parse_time
from ledger.errors import MalformedInputError

Shape = Callable[[object, str], Iterator[str]]
"""Gives a sentence for each problem of the value at the path."""

FORBIDDEN: Final = ("endorsementJwt", "jti")

MAX_PROBLEMS: Final = 50
"""Ours: nobody reads more, and an array of a million wrong items has as many."""

_CONTEXT: Final = "https://www.w3.org/ns/credentials/v2"
_OPEN_BADGES_CONTEXT: Final = re.compile(
    r"https://purl\.imsglobal\.org/spec/ob/v3p0/context(-3\.\d\.\d)*\.json", re.ASCII
)


def _text(value: object, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{path} is not a string"


def _number(value: object, path: str) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        yield f"{path} is not a number"


def _flag(value: object, path: str) -> Iterator[str]:
    if not isinstance(value, bool):
        yield f"{path} is not true or false"


def _time(value: object, path: str) -> Iterator[str]:
    try:
        parse_time(value)
    except MalformedInputError:
        yield f"{path} is not a time with a zone such as 2026-10-01T09:00:00Z"


def _exactly(word: str) -> Shape:
    def check(value: object, path: str) -> Iterator[str]:
        if value != word:
            yield f"{path} is not {word!r}"

    return check


def _both(*shapes: Shape) -> Shape:
    def check(value: object, path: str) -> Iterator[str]:
        for shape in shapes:
            yield from shape(value, path)

    return check


def _any_of(*words: str) -> Shape:
    def check(value: object, path: str) -> Iterator[str]:
        if isinstance(value, list) and not any(word in value for word in words):
            yield f"{path} has no {' or '.join(words)}"

    return check


def _types(word: str) -> Shape:
    """Return the shape of an array of strings that has `word`."""
    return _both(_array(_text), _any_of(word))


def _array(of: Shape) -> Shape:
    def check(value: object, path: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{path} is not an array"
            return
        for index, item in enumerate(value):
            yield from of(item, f"{path}[{index}]")

    return check


def _object(required: Mapping[str, Shape], optional: Mapping[str, Shape] | None = None) -> Shape:
    members = {**required, **(optional or {})}

    def check(value: object, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path} is not an object"
            return
        for name, shape in members.items():
            if name in value:
                yield from shape(value[name], f"{path}.{name}")
            elif name in required:
                yield f"{path}.{name} is missing"

    return check


def _contexts(value: object, path: str) -> Iterator[str]:
    yield from _array(_context)(value, path)
    if not isinstance(value, list):
        return
    if value[:1] != [_CONTEXT]:
        yield f"{path} does not begin with {_CONTEXT}"
    second = value[1] if len(value) > 1 else None
    if not isinstance(second, str) or not _OPEN_BADGES_CONTEXT.fullmatch(second):
        yield f"{path} does not have the Open Badges 3.0 context as its second"


def _context(value: object, path: str) -> Iterator[str]:
    if not isinstance(value, (str, dict)):
        yield f"{path} is neither an address nor an object"


def _named(value: object, path: str) -> Iterator[str]:
    if isinstance(value, dict) and "id" not in value and not value.get("identifier"):
        yield f"{path} has neither an id nor an identifier: it is about nobody"


_REFERENCE: Final = _object({"id": _text, "type": _text})
_IMAGE: Final = _object({"id": _text, "type": _exactly("Image")}, {"caption": _text})
_IDENTITY: Final = _object(
    {
        "type": _exactly("IdentityObject"),
        "hashed": _flag,
        "identityHash": _text,
        "identityType": _text,
    },
    {"salt": _text},
)
_IDENTIFIER: Final = _object(
    {"type": _exactly("IdentifierEntry"), "identifier": _text, "identifierType": _text}
)
_PROFILE: Final = _object(
    {"id": _text, "type": _types("Profile")},
    {
        "name": _text,
        "url": _text,
        "email": _text,
        "description": _text,
        "image": _IMAGE,
        "address": _object({"type": _types("Address")}),
        "otherIdentifier": _array(_IDENTIFIER),
    },
)


def _issuer(value: object, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield from _PROFILE(value, path)


_ALIGNMENT: Final = _object(
    {"type": _types("Alignment"), "targetName": _text, "targetUrl": _text},
    {
        "targetType": _text,
        "targetCode": _text,
        "targetFramework": _text,
        "targetDescription": _text,
    },
)
_RESULT_DESCRIPTION: Final = _object(
    {"id": _text, "type": _types("ResultDescription"), "name": _text, "resultType": _text}
)
_ACHIEVEMENT: Final = _object(
    {
        "id": _text,
        "type": _types("Achievement"),
        "name": _text,
        "description": _text,
        "criteria": _object({}, {"id": _text, "narrative": _text}),
    },
    {
        "achievementType": _text,
        "alignment": _array(_ALIGNMENT),
        "creator": _PROFILE,
        "creditsAvailable": _number,
        "image": _IMAGE,
        "inLanguage": _text,
        "resultDescription": _array(_RESULT_DESCRIPTION),
        "tag": _array(_text),
        "version": _text,
    },
)
_SUBJECT: Final = _both(
    _object(
        {"type": _types("AchievementSubject"), "achievement": _ACHIEVEMENT},
        {
            "id": _text,
            "activityStartDate": _text,
            "activityEndDate": _text,
            "creditsEarned": _number,
            "identifier": _array(_IDENTITY),
            "image": _IMAGE,
            "result": _array(_object({"type": _types("Result")}, {"value": _text})),
        },
    ),
    _named,
)


def _forbidden(value: object, path: str) -> Iterator[str]:
    for name in FORBIDDEN:
        if isinstance(value, dict) and name in value:
            yield f"{path}.{name} has had two meanings under one context: leave it out"


_CREDENTIAL: Final = _both(
    _object(
        {
            "@context": _contexts,
            "id": _text,
            "type": _both(
                _types("VerifiableCredential"),
                _any_of("OpenBadgeCredential", "AchievementCredential"),
            ),
            "issuer": _issuer,
            "validFrom": _time,
            "credentialSubject": _SUBJECT,
        },
        {
            "name": _text,
            "description": _text,
            "image": _IMAGE,
            "validUntil": _time,
            "awardedDate": _time,
            "proof": _array(_object({"type": _text})),
            "evidence": _array(_object({"type": _types("Evidence")})),
            "credentialSchema": _array(_REFERENCE),
            "credentialStatus": _REFERENCE,
            "refreshService": _REFERENCE,
            "endorsement": _array(_object({"type": _types("EndorsementCredential")})),
        },
    ),
    _forbidden,
)


def check_shape(credential: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what is wrong with the shape of a credential; empty when nothing is."""
    return tuple(islice(_CREDENTIAL(credential, "credential"), MAX_PROBLEMS))

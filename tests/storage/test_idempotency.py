"""One request is done once on both databases, whoever sends it how often at what moment."""

from threading import Event

import pytest
from pydantic import BaseModel

from ledger.database import Connection, Database
from ledger.errors import ConflictError, MalformedInputError
from ledger.issuers.api_keys import Scope, authenticate, create_key
from ledger.primitives import sha256
from ledger.web.idempotency import Asked, once

from .conftest import ISSUER
from .test_side_by_side import together


class Answer(BaseModel):
    number: int


class Installed:
    """As much of a service as answering takes."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def now(self) -> int:
        return 2


def asked(database: Database, said: bytes = b"this") -> Asked:
    with database.write() as tx:
        key = create_key(tx, issuer=ISSUER, scopes={Scope.SUBMIT}, label="test", now=1)
        return Asked(authenticate(tx, key, now=1), "0b5a1d0e", sha256(said))


def test_two_equal_requests_at_once_are_done_once(database: Database) -> None:
    service, request = Installed(database), asked(database)
    first_is_at_it = Event()
    done: list[int] = []

    def do(_tx: Connection) -> Answer:
        done.append(1)
        first_is_at_it.set()
        return Answer(number=len(done))

    def second() -> bytes:
        assert first_is_at_it.wait(60)
        return bytes(once(service, request, do).body)  # type: ignore[arg-type]

    answers = together(lambda: bytes(once(service, request, do).body), second)  # type: ignore[arg-type]
    assert answers == [b'{"number":1}'] * 2
    assert done == [1]


def test_what_failed_is_asked_anew(database: Database) -> None:
    service, request = Installed(database), asked(database)

    def fail(_tx: Connection) -> Answer:
        raise ConflictError("not-yet", "not yet")

    with pytest.raises(ConflictError):
        once(service, request, fail)  # type: ignore[arg-type]
    answer = once(service, request, lambda _tx: Answer(number=5))  # type: ignore[arg-type]
    assert answer.body == b'{"number":5}'


def test_another_request_under_the_same_key_is_refused(database: Database) -> None:
    service, request = Installed(database), asked(database)
    once(service, request, lambda _tx: Answer(number=1))  # type: ignore[arg-type]
    other = Asked(request.by, request.key, sha256(b"that"))
    with pytest.raises(MalformedInputError, match="another request"):
        once(service, other, lambda _tx: Answer(number=2))  # type: ignore[arg-type]

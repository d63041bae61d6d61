"""One request is done once on both databases, whoever sends it how often at what moment."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from threading import Event

import pytest
import sqlalchemy as sa
from pydantic import BaseModel

from ledger.database import Connection, Database
from ledger.errors import ConflictError, MalformedInputError
from ledger.issuers.api_keys import Scope, authenticate, create_key
from ledger.primitives import sha256
from ledger.web.idempotency import Asked, once, once_together
from ledger.web.service import Service

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


def test_small_requests_share_a_commit_and_each_is_done_once(
    database: Database, service: Service
) -> None:
    first = asked(database)
    requests = [replace(first, key=f"key {n % 10}") for n in range(12)]
    commits: list[object] = []
    sa.event.listen(database.engine, "commit", commits.append)

    def answering(number: int) -> Callable[[Connection], Answer]:
        return lambda _tx: Answer(number=number)

    async def ask() -> list[bytes]:
        asking = [
            once_together(service, one, answering(number)) for number, one in enumerate(requests)
        ]
        return [bytes(answer.body) for answer in await asyncio.gather(*asking)]

    # The last two are the first two again.
    assert asyncio.run(ask()) == [b'{"number":%d}' % (n % 10) for n in range(12)]
    # Those that had come when the first was begun are one group.
    assert len(commits) <= 2

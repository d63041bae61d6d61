"""Do what a request asks once, however often it is sent: the header `Idempotency-Key`.

    first          done, and the answer stored, in one database transaction
    again          the stored answer, nothing done
    at once, twice the second waits for the first, then is the one above
    another body   refused: a client that reuses a key has lost track of what it asked
    an error       nothing stored: the key is as good as new

Keys are one API key's own. An answer is kept `KEPT_SECONDS`, and dropped when the service
starts next.

Source: draft-ietf-httpapi-idempotency-key-header.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from ledger.database import Connection, Turn, take_turn
from ledger.errors import MalformedInputError
from ledger.issuers.api_keys import ApiKey
from ledger.primitives import Hash32, sha256
from ledger.web.auth import KeyOf
from ledger.web.service import Service
from ledger.web.store import StoredAnswer, add_answer, find_answer, forget_answers

KEPT_SECONDS: Final = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: who sent it, under which idempotency key, and what it says."""

    by: ApiKey
    key: str
    hash: Hash32
    """Of the method, the path and the body."""


async def asked_of(
    request: Request,
    by: KeyOf,
    idempotency_key: Annotated[
        str,
        Header(
            min_length=1,
            max_length=255,
            pattern="^[!-~]+$",
            description="Drawn by the client for this request; the same when it is sent again.",
            examples=["0b5a1d0e-6a0e-4f52-8d7b-0a4f6f6f2b11"],
        ),
    ],
) -> Asked:
    """Return what tells this request from others of the same API key."""
    said = f"{request.method} {request.url.path}\n".encode() + await request.body()
    return Asked(by, idempotency_key, sha256(said))


AskedOnce = Annotated[Asked, Depends(asked_of)]


def once(
    service: Service, asked: Asked, do: Callable[[Connection], BaseModel], *, status: int = 202
) -> Response:
    """Do what is asked in one transaction and return its answer, or that of the first time.

    Raises:
        MalformedInputError: this idempotency key was used for another request.

    """
    with service.database.write() as tx:
        answer = _answer_in(tx, service, asked, do, status)
    return _response(asked, answer)


async def once_together(
    service: Service, asked: Asked, do: Callable[[Connection], BaseModel], *, status: int = 202
) -> Response:
    """Do the same for something small, in one transaction with others that wait for their turn.

    Raises:
        MalformedInputError: as `once`.

    """
    writes = service.writes(asked.by.issuer or 0)
    answer = await writes.ask(lambda tx: _answer_in(tx, service, asked, do, status))
    return _response(asked, answer)


def _answer_in(
    tx: Connection,
    service: Service,
    asked: Asked,
    do: Callable[[Connection], BaseModel],
    status: int,
) -> StoredAnswer:
    take_turn(tx, Turn.ANSWERING, _number(asked))
    answer = find_answer(tx, asked.by.id, asked.key)
    if answer is None:
        body = do(tx).model_dump_json().encode()
        answer = StoredAnswer(asked.hash, status, body)
        add_answer(tx, asked.by.id, asked.key, answer, now=service.now())
    return answer


def _response(asked: Asked, answer: StoredAnswer) -> Response:
    if answer.request_hash != asked.hash:
        raise MalformedInputError(
            "idempotency-key-reused",
            "this Idempotency-Key was used for another request: draw a new one for each",
        )
    return Response(answer.body, answer.status, media_type="application/json")


def forget_old(service: Service) -> None:
    """Drop the answers that are older than they are kept; done whenever the service starts."""
    with service.database.write() as tx:
        forget_answers(tx, before=service.now() - KEPT_SECONDS)


def _number(asked: Asked) -> int:
    """Return what stands for the keys of a request where only 48 bits may; a rare clash waits."""
    return int.from_bytes(sha256(f"{asked.by.id} {asked.key}".encode())[:6])

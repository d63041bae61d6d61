"""Hand in up to a million digests in one request."""

from collections.abc import Iterator
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from ledger.credentials.submitting import Offer, accept
from ledger.issuers.api_keys import Scope, check_scope
from ledger.primitives import Canonicalization
from ledger.web.auth import KeyOf, ServiceOf
from ledger.web.bulk import BINARY, LINES, DigestSpool, receive
from ledger.web.documented import problems
from ledger.web.fields import Number
from ledger.web.routes.digests import AcceptedIds
from ledger.web.service import Service

PATH: Final = "/v1/digests/bulk"

DIGESTS_IN_A_TRANSACTION: Final = 20_000
"""Half a second, after which other writers have their turn."""

_IN_MEMORY_BYTES: Final = 1 << 20
_ANSWER_BYTES: Final = 1 << 16

router = APIRouter(tags=["digests"])

BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            BINARY: {"schema": {"type": "string", "format": "binary"}},
            LINES: {
                "schema": {"type": "string"},
                "example": f'"{"5b" * 32}"\n"{"6c" * 32}"\n',
            },
        },
    }
}


@router.post(
    PATH,
    operation_id="submitDigestsInBulk",
    summary="Hand in up to a million digests",
    status_code=202,
    response_model=AcceptedIds,
    responses=problems(401, 403, 408, 409, 413, 422, 429, 503),
    openapi_extra=BODY,
)
async def post_bulk(
    request: Request,
    service: ServiceOf,
    key: KeyOf,
    issuer: Annotated[Number, Query()],
    canonicalization: Annotated[Canonicalization, Query()],
) -> StreamingResponse:
    """Accept a stream of digests: binary, 32 bytes each, or one JSON string a line.

    The body is checked whole before anything is accepted; then it is accepted in parts. Durable
    when answered, with the ids in the order of the request. No idempotency key is needed: when no
    answer came, send the same again, and what was accepted keeps its ids.
    """
    check_scope(key, Scope.SUBMIT, issuer=issuer)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    with service.bulk.slot(), DigestSpool(media_type) as spool:
        await receive(request, spool)
        answer = await run_in_threadpool(_accept, service, issuer, canonicalization, spool)
    return StreamingResponse(answer, 202, media_type="application/json")


def _accept(
    service: Service, issuer: int, canonicalization: Canonicalization, spool: DigestSpool
) -> Iterator[bytes]:
    """Store the digests part by part and return the answer, which waits in a file."""
    answer = SpooledTemporaryFile[bytes](_IN_MEMORY_BYTES)
    answer.write(b'{"accepted":%d,"ids":[' % spool.count)
    separator = b'"'

    def keep(ids: list[str]) -> None:
        nonlocal separator
        answer.write(separator + '","'.join(ids).encode() + b'"')
        separator = b',"'

    left = spool.digests()
    while part := list(islice(left, DIGESTS_IN_A_TRANSACTION)):
        offers = (Offer(digest, canonicalization) for digest in part)
        accept(service.database, issuer, offers, now=service.now(), on_ids=keep)
    answer.write(b"]}")
    answer.seek(0)
    return _chunks(answer)


def _chunks(file: SpooledTemporaryFile[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_ANSWER_BYTES):
            yield chunk

"""Hand in digests of what was made elsewhere."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from ledger.credentials.submitting import Offer, accept_in
from ledger.database import Connection
from ledger.issuers.api_keys import Scope, check_scope
from ledger.primitives import Canonicalization, hash32
from ledger.web.auth import ServiceOf
from ledger.web.documented import problems
from ledger.web.fields import Body, HexDigest, StrictNumber
from ledger.web.idempotency import AskedOnce, once, once_together
from ledger.web.strict_route import StrictRoute

MAX_DIGESTS = 100_000
"""In one body of JSON; what is more goes to the bulk route."""

FEW = 100
"""In a request that shares a transaction with others, which wait for all of it."""

router = APIRouter(prefix="/v1", tags=["digests"], route_class=StrictRoute)


class Digests(Body):
    """Digests for one issuer's next batch."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"issuer": 1, "canonicalization": "rfc8785", "digests": ["5b" * 32]}]
        }
    )

    issuer: StrictNumber
    canonicalization: Canonicalization = Field(
        description="`rfc8785` for JSON credentials, `none` for the bytes of any file."
    )
    digests: Annotated[
        list[HexDigest], Field(min_length=1, max_length=MAX_DIGESTS, description="SHA-256, in hex.")
    ]


class AcceptedIds(BaseModel):
    """What was accepted, durably."""

    accepted: int = Field(description="How many ids follow.", examples=[1])
    ids: list[str] = Field(
        description="The credentials' UUIDs in the order of the request; what this issuer had "
        "already keeps its id.",
        examples=[["4f3c2b1a-0d9e-4c8b-a7f6-5e4d3c2b1a09"]],
    )


@router.post(
    "/digests",
    operation_id="submitDigests",
    summary="Hand in digests",
    status_code=202,
    response_model=AcceptedIds,
    responses=problems(400, 401, 403, 408, 409, 413, 422, 429, 503),
)
async def post_digests(service: ServiceOf, asked: AskedOnce, body: Digests) -> Response:
    """Accept digests; they wait for the issuer's next batch.

    Durable when answered. The ids come in the order of the request, and `GET /v1/proofs/{id}` gives
    each one's proof once the batch is anchored. A digest that this issuer has already gets the id
    that it has. All are accepted, or none.
    """
    check_scope(asked.by, Scope.SUBMIT, issuer=body.issuer)

    def do(tx: Connection) -> AcceptedIds:
        ids: list[str] = []
        offers = (Offer(hash32(digest), body.canonicalization) for digest in body.digests)
        accept_in(tx, body.issuer, offers, now=service.now(), on_ids=ids.extend)
        return AcceptedIds(accepted=len(ids), ids=ids)

    if len(body.digests) > FEW:
        return await run_in_threadpool(once, service, asked, do)
    return await once_together(service, asked, do)

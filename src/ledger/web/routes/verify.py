"""Verify a proof file or a badge, for anyone."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from ledger.verification.checks import verify
from ledger.web.auth import LimitedService
from ledger.web.documented import problems

router = APIRouter(prefix="/v1", tags=["verify"])


async def body_of(request: Request) -> bytes:
    """Return the body, which the middleware has read and bounded."""
    return await request.body()


@router.post(
    "/verify",
    operation_id="verify",
    summary="Verify a proof file or a badge",
    responses=problems(408, 413, 422, 429, 503),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "application/vnd.ledger.proof+json": {"schema": {"type": "object"}},
            },
        }
    },
)
def post_verify(service: LimitedService, body: Annotated[bytes, Depends(body_of)]) -> JSONResponse:
    """Give the report with every check named.

    It is this server's word: it believes what its own trust policy says and asks the nodes that it
    names. Whoever doubts it runs `ledger verify` himself. What could not be asked is `unknown`.
    """
    with service.verifying.slot():
        report = verify(
            body, policy=service.policy(), now=service.now(), open_chain=service.chains.reader
        )
    content: dict[str, Any] = {**report.as_json(), "by": "this server, under its own trust policy"}
    return JSONResponse(json.loads(json.dumps(content)))

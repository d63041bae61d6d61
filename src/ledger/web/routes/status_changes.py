"""Ask for revocations, suspensions and reinstatements, and how far they are."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ledger.batches.credential_status import REASONS, StatusChange
from ledger.batches.requests.requesting import request_change, request_revocation_of_batch
from ledger.batches.requests.store import RequestState, StatusRequest, get_request, list_sendings
from ledger.chain.registry.calls import StatusAction
from ledger.clock import format_time
from ledger.database import Connection
from ledger.errors import MalformedInputError
from ledger.issuers.api_keys import Scope, check_scope
from ledger.web.auth import ServiceOf, issuer_with
from ledger.web.documented import problems
from ledger.web.fields import Body, Number, StrictNumber, check_public_id
from ledger.web.idempotency import AskedOnce, once
from ledger.web.strict_route import StrictRoute

MAX_CREDENTIALS = 10_000

_REASON_NAMES = {number: name for name, number in REASONS.items()}

router = APIRouter(prefix="/v1", tags=["status"], route_class=StrictRoute)

Changer = Annotated[int, Depends(issuer_with(Scope.STATUS))]


class StatusChangeRequest(Body):
    """What is to happen to which credentials, or to which whole batch."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "issuer": 1,
                    "action": "revoke",
                    "reason": "issued-in-error",
                    "credentials": ["4f3c2b1a-0d9e-4c8b-a7f6-5e4d3c2b1a09"],
                }
            ],
            "oneOf": [{"required": ["credentials"]}, {"required": ["batch"]}],
        }
    )

    issuer: StrictNumber
    action: StatusAction
    reason: str = Field(
        default="unspecified", json_schema_extra={"enum": list(REASONS)}, max_length=64
    )
    credentials: Annotated[list[str], Field(min_length=1, max_length=MAX_CREDENTIALS)] | None = (
        Field(default=None, description="UUIDs.")
    )
    batch: StrictNumber | None = Field(default=None, description="Revoke this batch whole.")

    @model_validator(mode="after")
    def _one_of_both(self) -> "StatusChangeRequest":
        if (self.credentials is None) is (self.batch is None):
            message = "give either credentials or a batch"
            raise ValueError(message)
        return self


class StatusChangeView(BaseModel):
    """How far a requested change is."""

    id: int
    issuer: int
    action: StatusAction
    reason: str
    credentials: int = Field(description="How many credentials are named; 0 for a whole batch.")
    batch: int | None
    requested: str = Field(examples=["2026-10-01T09:00:00Z"])
    state: str = Field(
        description="`waiting`: no transaction yet. `sent`: its transactions are on their way. "
        "`done`: the chain says so, finally. `refused`: the contract refuses.",
        examples=["waiting"],
    )
    problem: str | None = Field(description="Why it is refused.")
    transactions: list[str]


@router.post(
    "/status-changes",
    operation_id="requestStatusChange",
    summary="Revoke, suspend or reinstate",
    status_code=202,
    response_model=StatusChangeView,
    responses=problems(400, 401, 403, 404, 408, 409, 413, 422, 429, 503),
)
def post_status_change(service: ServiceOf, asked: AskedOnce, body: StatusChangeRequest) -> Response:
    """Store the request, durably; the worker, which holds the key for it, carries it out.

    Until the state is `done`, verifiers may still find the credential as it was.
    """
    check_scope(asked.by, Scope.STATUS, issuer=body.issuer)
    if body.reason not in REASONS:
        raise MalformedInputError("bad-reason", f"the reason is one of {', '.join(REASONS)}")
    for public_id in body.credentials or ():
        check_public_id(public_id)

    def do(tx: Connection) -> StatusChangeView:
        return _view(_store(tx, body, service.now()), [])

    return once(service, asked, do)


def _store(tx: Connection, body: StatusChangeRequest, now: int) -> StatusRequest:
    change = StatusChange(body.action, REASONS[body.reason])
    if body.batch is not None:
        return request_revocation_of_batch(tx, body.issuer, body.batch, change, now=now)
    return request_change(tx, body.issuer, body.credentials or (), change, now=now)


@router.get(
    "/status-changes/{id}",
    operation_id="getStatusChange",
    summary="How far is a status change?",
    responses=problems(401, 403, 404, 422, 429, 503),
)
def get_status_change(
    service: ServiceOf, issuer: Changer, number: Annotated[Number, Path(alias="id")]
) -> StatusChangeView:
    """Give the state of a request of the key's issuer, with its transactions."""
    with service.database.read() as tx:
        request = get_request(tx, issuer, number)
        hashes = [f"0x{sending.hash.hex()}" for sending in list_sendings(tx, number)]
    return _view(request, hashes)


def _view(request: StatusRequest, transactions: list[str]) -> StatusChangeView:
    is_sent = request.state is RequestState.WAITING and transactions
    return StatusChangeView(
        id=request.id,
        issuer=request.issuer,
        action=request.action,
        reason=_REASON_NAMES[request.reason],
        credentials=request.credentials,
        batch=request.batch_id,
        requested=format_time(request.requested_at),
        state="sent" if is_sent else request.state,
        problem=request.problem,
        transactions=transactions,
    )

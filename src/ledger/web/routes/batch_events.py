"""Follow a batch until it is final."""

from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from ledger.batches.status import BatchStatus
from ledger.batches.store import Batch, find_batches
from ledger.chain.store import read_checkpoint
from ledger.errors import NotFoundError
from ledger.primitives import sha256
from ledger.web.auth import KeyOf, ServiceOf
from ledger.web.documented import problems
from ledger.web.fields import Number
from ledger.web.progress import MEDIA_TYPE, Moment, Progress
from ledger.web.routes.batches import BatchView, Reader, view
from ledger.web.service import Service
from ledger.web.strict_route import StrictRoute

router = APIRouter(prefix="/v1", tags=["batches"], route_class=StrictRoute)

EXAMPLE = (
    "id: 6f1d0c3b9a27e854\n"
    "event: submitted\n"
    'data: {"batch":7,"issuer":1,"status":"submitted",...,"reason":null,"blocks_left":null}\n\n'
)


class BatchMoment(BatchView):
    """Where a batch stands, as its stream says it."""

    reason: str | None
    """Why it is held or waits."""
    blocks_left: int | None
    """How many blocks must become final until the batch is, once a block has its anchor."""


@router.get(
    "/batches/{batch}/events",
    operation_id="followBatch",
    summary="Follow a batch until it is final",
    response_class=Response,
    responses={
        200: {
            "description": "Server-sent events: where the batch stands now, then each change. "
            "The event is the status (`sealed`, `submitted`, `confirmed`, `final`, `held`), the "
            "data the batch as `getBatch` gives it, with `reason` and `blocks_left`. The "
            "stream ends after `final`, or after 15 minutes; clients then come again.",
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": EXAMPLE}},
        },
        204: {"description": "The client has seen `final`: there is nothing more to follow."},
        **problems(401, 403, 404, 422, 429, 503),
    },
)
async def follow_batch(
    request: Request,
    service: ServiceOf,
    key: KeyOf,
    issuer: Reader,
    batch: Annotated[Number, Path()],
    last_event_id: Annotated[
        str | None,
        Header(max_length=200, description="The id that was seen last; it is not said again."),
    ] = None,
) -> Response:
    """Follow one batch of the key's issuer; another's is not found."""
    found = await run_in_threadpool(_look, service, [batch])
    if batch not in found or found[batch][0].issuer != issuer:
        raise NotFoundError("no-batch", f"there is no batch {batch}")
    first = found[batch][1]
    if first.is_last and first.id == last_event_id:
        return Response(status_code=204)
    progress: Progress = request.app.state.progress
    return progress.follow(batch, key=key.id, first=first, seen=last_event_id)


def progress_of(service: Service) -> Progress:
    """Return what follows the batches of a service."""

    def look(numbers: Collection[int]) -> dict[int, Moment]:
        return {number: moment for number, (_, moment) in _look(service, numbers).items()}

    return Progress(look)


def _look(service: Service, numbers: Collection[int]) -> dict[int, tuple[Batch, Moment]]:
    with service.database.read() as tx:
        batches = find_batches(tx, numbers)
        checkpoint = read_checkpoint(tx, service.settings.chain)
    final_block = checkpoint[0] if checkpoint else None
    return {batch.id: (batch, _moment(batch, final_block)) for batch in batches}


def _moment(batch: Batch, final_block: int | None) -> Moment:
    left = None
    if batch.status is BatchStatus.CONFIRMED and batch.block_number and final_block is not None:
        left = max(0, batch.block_number - final_block)
    shown = BatchMoment(**view(batch).model_dump(), reason=batch.reason, blocks_left=left)
    data = shown.model_dump_json()
    return Moment(
        id=sha256(data.encode()).hex()[:16],
        event=str(batch.status),
        data=data,
        is_last=batch.status is BatchStatus.FINAL,
    )

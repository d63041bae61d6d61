"""Where an issuer's batches stand."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from ledger.batches.sealing import find_waiting
from ledger.batches.store import Batch, get_batch, page_of_batches
from ledger.clock import format_time
from ledger.errors import NotFoundError
from ledger.issuers.api_keys import Scope
from ledger.web.auth import ServiceOf, issuer_with
from ledger.web.documented import problems
from ledger.web.fields import Number
from ledger.web.strict_route import StrictRoute

router = APIRouter(prefix="/v1", tags=["batches"], route_class=StrictRoute)

Reader = Annotated[int, Depends(issuer_with(Scope.READ))]


class BatchView(BaseModel):
    """One batch."""

    batch: int
    issuer: int
    status: str = Field(examples=["final"])
    root: str = Field(description="64 hex digits.")
    size: int
    sealed: str = Field(examples=["2026-10-01T09:00:00Z"])
    transaction: str | None
    block: int | None
    gas: int | None


class BatchPage(BaseModel):
    """Some batches, newest first, and how to get the next ones."""

    waiting: int = Field(description="Credentials that are in no batch yet.")
    batches: list[BatchView]
    next: int | None = Field(description="Give it as `before` to get the next page.")


@router.get(
    "/batches",
    operation_id="listBatches",
    summary="List an issuer's batches",
    responses=problems(401, 403, 422, 429, 503),
)
def list_batches(
    service: ServiceOf,
    issuer: Reader,
    before: Annotated[Number | None, Query(description="The `next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> BatchPage:
    """Give the newest batches first."""
    with service.database.read() as tx:
        found = page_of_batches(tx, issuer, before=before, limit=limit)
        waiting = find_waiting(tx, issuer)
    return BatchPage(
        waiting=waiting.count if waiting else 0,
        batches=[view(batch) for batch in found],
        next=found[-1].id if len(found) == limit else None,
    )


@router.get(
    "/batches/{batch}",
    operation_id="getBatch",
    summary="Get one batch",
    responses=problems(401, 403, 404, 422, 429, 503),
)
def get_one(service: ServiceOf, issuer: Reader, batch: Annotated[Number, Path()]) -> BatchView:
    """Give one batch of the key's issuer; another's is not found."""
    with service.database.read() as tx:
        found = get_batch(tx, batch)
    if found.issuer != issuer:
        raise NotFoundError("no-batch", f"there is no batch {batch}")
    return view(found)


def view(batch: Batch) -> BatchView:
    """Return a batch as the service shows it."""
    values: dict[str, Any] = {
        "batch": batch.id,
        "issuer": batch.issuer,
        "status": str(batch.status),
        "root": batch.root.hex(),
        "size": batch.size,
        "sealed": format_time(batch.sealed_at),
        "transaction": f"0x{batch.transaction.hex()}" if batch.transaction else None,
        "block": batch.block_number,
        "gas": batch.gas_used,
    }
    return BatchView(**values)

"""Is the process up, and can it do its work?"""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from ledger.database import check_migrated
from ledger.web.auth import ServiceOf

router = APIRouter(tags=["health"])


@router.get("/healthz", operation_id="getHealth", summary="Is the process up?")
def get_health() -> dict[str, str]:
    """Answer as long as the process can; nothing else is asked."""
    return {"status": "up"}


@router.get(
    "/readyz",
    operation_id="getReadiness",
    summary="Can it do its work?",
    responses={503: {"description": "The database cannot be used."}},
)
def get_readiness(service: ServiceOf) -> JSONResponse:
    """Ask the database; an error says what is missing."""
    check_migrated(service.database)
    return JSONResponse({"status": "ready"})

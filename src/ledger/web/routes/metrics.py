"""What monitoring reads, for an admin's key."""

from fastapi import APIRouter, Response

from ledger.web.auth import Admin, ServiceOf
from ledger.web.documented import problems
from ledger.web.metrics import format_metrics

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

router = APIRouter(tags=["health"])


@router.get(
    "/metrics",
    operation_id="getMetrics",
    summary="How much waits, and what is wrong?",
    response_class=Response,
    responses={
        200: {
            "description": "Gauges in the text format of Prometheus.",
            "content": {MEDIA_TYPE: {}},
        },
        **problems(401, 403, 429, 503),
    },
)
def get_metrics(service: ServiceOf, _admin: Admin) -> Response:
    """Give every gauge, taken from the database now."""
    return Response(format_metrics(service), media_type=MEDIA_TYPE)

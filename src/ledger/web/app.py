"""The service as one ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.types import Lifespan

from ledger.web.documented import Problem
from ledger.web.headers import SecurityHeaders
from ledger.web.idempotency import forget_old
from ledger.web.limits import BoundedBody
from ledger.web.problems import add_handlers
from ledger.web.routes import (
    api_keys,
    batch_events,
    batches,
    bulk,
    credentials,
    digests,
    health,
    issuers,
    metrics,
    page,
    proofs,
    status_changes,
    verify,
    webhooks,
)
from ledger.web.service import Service

DESCRIPTION: Final = """Issuers push digests and get proofs; anyone verifies.

Every error is a problem detail (RFC 9457) with a stable `code`. What could not be asked is
`unknown`, never `valid` and never `invalid`.
"""

ROUTES: Final = (
    proofs,
    digests,
    verify,
    credentials,
    bulk,
    batches,
    batch_events,
    status_changes,
    webhooks,
    issuers,
    api_keys,
    health,
    metrics,
    page,
)
"""Looked through in this order: what is asked most stands first."""


def create_app(service: Service) -> FastAPI:
    """Return the application that serves one installation."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        forget_old(service)
        yield
        await app.state.progress.close()
        service.close()

    app = _routed(lifespan)
    app.state.service = service
    app.state.progress = batch_events.progress_of(service)
    add_handlers(app)
    app.add_middleware(BoundedBody, streamed={bulk.PATH})
    app.add_middleware(SecurityHeaders)
    return app


def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI document, which is the same for every installation."""
    return _routed().openapi()


def _routed(lifespan: Lifespan[FastAPI] | None = None) -> FastAPI:
    app = FastAPI(
        title="ledger",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    for routes in ROUTES:
        app.include_router(routes.router)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(problem.pop("$defs"))
        schemas["Problem"] = problem
        app.openapi_schema = schema
    return app.openapi_schema

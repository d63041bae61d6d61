"""Everything that goes wrong as one kind of answer: problem details with a stable code.

    {"type": "urn:ledger:error:CODE", "title": "…", "status": 422, "detail": "…", "code": "…"}

`code` is the code of `ledger.errors`, or one of the few that only HTTP has (below). One table
maps error classes to statuses; routes have no `try`.

Source: RFC 9457.
"""

import math
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ledger.credentials.problems import LinesError
from ledger.credentials.submitting import SubmissionError
from ledger.credentials.template import TemplateError
from ledger.errors import (
    ChainError,
    ConflictError,
    DeniedError,
    LedgerError,
    LimitError,
    MalformedInputError,
    NotFoundError,
    ProofError,
    StorageError,
)
from ledger.fetching import FetchError

MAX_PLACES: Final = 100
"""Places that one answer names."""

MEDIA_TYPE: Final = "application/problem+json"

STATUS: Final[dict[type[LedgerError], int]] = {
    MalformedInputError: 422,
    ProofError: 422,
    NotFoundError: 404,
    ConflictError: 409,
    DeniedError: 403,
    LimitError: 429,
    ChainError: 503,
    StorageError: 503,
    FetchError: 503,
}
"""HTTP status by error class; a subclass has its nearest ancestor's."""

STATUS_OF_CODE: Final = {
    "bad-key": 401,
    "no-api-key-given": 401,
    "too-large": 413,
    "too-slow": 408,
    "too-busy": 503,
    # Nothing about the request: the service cannot, for the moment or until somebody acts.
    "database-busy": 503,
    "no-database": 503,
    "other-schema": 503,
}
"""Where one code of a class has a status of its own."""

OF_HTTP: Final = {
    404: ("no-such-path", "there is nothing under this path"),
    405: ("method-not-allowed", "this path does not take this method"),
    400: ("bad-request", "the request cannot be read"),
}
"""Code and detail of what the framework refuses by itself."""


def status_of(error: LedgerError) -> int:
    """Return the HTTP status of `error`; 500 for a class the table lacks."""
    if error.code in STATUS_OF_CODE:
        return STATUS_OF_CODE[error.code]
    return next((STATUS[c] for c in type(error).__mro__ if c in STATUS), 500)


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    headers: dict[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> JSONResponse:
    """Return the answer that says what is wrong, and in `errors` where."""
    content = {
        "type": f"urn:ledger:error:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        **({"errors": errors} if errors else {}),
    }
    return JSONResponse(content, status, headers=headers, media_type=MEDIA_TYPE)


def problem_of(error: LedgerError) -> JSONResponse:
    """Return the answer that an error of ours is."""
    status = status_of(error)
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="ledger"'
    if isinstance(error, LimitError) and error.retry_after_seconds is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_seconds)))
    places = _places_of(error)
    detail = _detail_of(places) if places else error.message
    return problem(status, error.code, detail, headers=headers, errors=places)


def _detail_of(places: list[dict[str, str]]) -> str:
    more = f" (and {len(places) - 1} more)" if len(places) > 1 else ""
    return f"{places[0]['at']}: {places[0]['is']}{more}"


def _places_of(error: LedgerError) -> list[dict[str, str]]:
    """Return every place that an error names, as in the body of the request."""
    match error:
        case LinesError():
            found = [
                (f"rows/{one.line - 1}" + (f"/{one.column}" if one.column else ""), one.message)
                for one in error.problems[:MAX_PLACES]
            ]
        case TemplateError():
            found = [(f"template/{one.path}", one.message) for one in error.problems[:MAX_PLACES]]
        case SubmissionError():
            found = [(one.label, str(one.error)) for one in error.problems[:MAX_PLACES]]
        case _:
            found = []
    return [{"at": at, "is": message} for at, message in found]


def add_handlers(app: FastAPI) -> None:
    """Let `app` answer every error with problem details."""

    @app.exception_handler(LedgerError)
    def _ours(_request: Request, error: LedgerError) -> JSONResponse:
        return problem_of(error)

    @app.exception_handler(RequestValidationError)
    def _validation(_request: Request, error: RequestValidationError) -> JSONResponse:
        # Where and what, never the value: it may be a secret in the wrong place.
        places = [
            {"at": "/".join(map(str, found["loc"])), "is": found["msg"]}
            for found in error.errors()[:MAX_PLACES]
        ]
        return problem(422, "bad-request", _detail_of(places), errors=places)

    @app.exception_handler(HTTPException)
    def _http(_request: Request, error: HTTPException) -> JSONResponse:
        if isinstance(error.__cause__, LedgerError):
            # The framework wraps what reading a body raises.
            return problem_of(error.__cause__)
        code, detail = OF_HTTP.get(error.status_code, ("refused", str(error.detail)))
        headers = dict(error.headers) if error.headers else None
        return problem(error.status_code, code, detail, headers=headers)

    @app.exception_handler(Exception)
    def _unexpected(_request: Request, _error: Exception) -> JSONResponse:
        return problem(500, "unexpected", "this is a bug of the service; its log says more")

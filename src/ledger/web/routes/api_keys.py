"""Make, list and revoke API keys; for the installation's own keys."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from ledger.clock import format_time
from ledger.issuers.api_keys import ApiKey, Scope, create_key, list_keys
from ledger.issuers.store import get_issuer, revoke_api_key
from ledger.web.auth import Admin, ServiceOf
from ledger.web.documented import problems
from ledger.web.fields import Body, Number, StrictNumber
from ledger.web.strict_route import StrictRoute

MAX_DAYS = 36_525

router = APIRouter(prefix="/v1", tags=["API keys"], route_class=StrictRoute)


class NewApiKey(Body):
    """What a new key is for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"issuer": 1, "scopes": ["submit", "read"], "label": "our LMS"}]
        }
    )

    issuer: StrictNumber | None = Field(default=None, description="None for the scope `admin`.")
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope))
    label: str = Field(min_length=1, max_length=100)
    expires_in_days: Annotated[int, Field(ge=1, le=MAX_DAYS, strict=True)] | None = None


class MadeApiKey(BaseModel):
    """The key, which nobody can show again."""

    key: str = Field(examples=["ledger_7_…"])


class ApiKeyView(BaseModel):
    """A key without its secret."""

    id: int
    issuer: int | None
    scopes: list[Scope]
    label: str
    created: str = Field(examples=["2026-10-01T09:00:00Z"])
    expires: str | None
    revoked: str | None


class ApiKeyList(BaseModel):
    """Keys, oldest first."""

    keys: list[ApiKeyView]


@router.get(
    "/api-keys",
    operation_id="listApiKeys",
    summary="List API keys",
    responses=problems(401, 403, 422, 429, 503),
)
def get_api_keys(
    service: ServiceOf,
    _admin: Admin,
    issuer: Annotated[Number | None, Query(description="Without one: the admin keys.")] = None,
) -> ApiKeyList:
    """Give the keys of an issuer, or of the installation."""
    with service.database.read() as tx:
        return ApiKeyList(keys=[_view(one) for one in list_keys(tx, issuer)])


@router.post(
    "/api-keys",
    operation_id="createApiKey",
    summary="Make an API key",
    status_code=201,
    responses=problems(400, 401, 403, 404, 408, 413, 422, 429, 503),
)
def post_api_key(service: ServiceOf, _admin: Admin, body: NewApiKey) -> MadeApiKey:
    """Make a key and show it, once: only a hash of it is stored.

    There is no idempotency key here, for an answer that is kept would be the secret. Who did not
    hear the answer revokes what was made and asks again.
    """
    now = service.now()
    with service.database.write() as tx:
        if body.issuer is not None:
            get_issuer(tx, body.issuer)
        text = create_key(
            tx,
            issuer=body.issuer,
            scopes=body.scopes,
            label=body.label,
            now=now,
            expires_at=now + body.expires_in_days * 86_400 if body.expires_in_days else None,
        )
    return MadeApiKey(key=text)


@router.delete(
    "/api-keys/{id}",
    operation_id="revokeApiKey",
    summary="Revoke an API key",
    status_code=204,
    response_class=Response,
    responses=problems(401, 403, 404, 422, 429, 503),
)
def delete_api_key(
    service: ServiceOf, _admin: Admin, number: Annotated[Number, Path(alias="id")]
) -> None:
    """End a key, at once and for ever; one that has ended stays as it is."""
    with service.database.write() as tx:
        revoke_api_key(tx, number, now=service.now())


def _view(key: ApiKey) -> ApiKeyView:
    return ApiKeyView(
        id=key.id,
        issuer=key.issuer,
        scopes=sorted(key.scopes),
        label=key.label,
        created=format_time(key.created_at),
        expires=format_time(key.expires_at) if key.expires_at else None,
        revoked=format_time(key.revoked_at) if key.revoked_at else None,
    )

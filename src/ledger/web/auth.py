"""Who asks: the API key of a request, and what it may do."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from ledger.errors import DeniedError
from ledger.issuers.api_keys import ApiKey, Scope, check_scope
from ledger.web.service import Service

bearer = HTTPBearer(
    auto_error=False, scheme_name="apiKey", description="An API key: `ledger_<id>_<secret>`."
)


async def service_of(request: Request) -> Service:
    """Return the service that answers this request."""
    service: Service = request.app.state.service
    return service


ServiceOf = Annotated[Service, Depends(service_of)]


async def limited(request: Request) -> Service:
    """Return the service, for one token of the address that asks: for routes without a key."""
    # A dependency of a dependency costs as much as a statement.
    service: Service = request.app.state.service
    take_of_address(request, service)
    return service


LimitedService = Annotated[Service, Depends(limited)]


def take_of_address(request: Request, service: Service) -> None:
    """Take one token of the address that asks.

    Raises:
        LimitError: it asks too often.

    """
    service.rates.take(f"address {request.client.host if request.client else '-'}")


async def key_of(
    request: Request,
    presented: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> ApiKey:
    """Return the API key of a request.

    Raises:
        DeniedError: there is none, or it is not in force.
        LimitError: it, or an address that guesses, asks too often.

    """
    service: Service = request.app.state.service
    if presented is None:
        take_of_address(request, service)
        raise DeniedError(
            "no-api-key-given", "this needs an API key: Authorization: Bearer ledger_..."
        )
    try:
        key = await service.keys.ask(presented.credentials)
    except DeniedError:
        take_of_address(request, service)
        raise
    request.state.api_key = key.id
    service.rates.take(f"key {key.id}")
    return key


KeyOf = Annotated[ApiKey, Depends(key_of)]


async def admin_of(key: KeyOf) -> ApiKey:
    """Return the key of a request when it is the installation's own.

    Raises:
        DeniedError: it is an issuer's.

    """
    check_scope(key, Scope.ADMIN, issuer=None)
    return key


Admin = Annotated[ApiKey, Depends(admin_of)]


def issuer_with(scope: Scope) -> Callable[[ApiKey], Awaitable[int]]:
    """Return a dependency that gives the issuer of a key with `scope`."""

    async def issuer_of(key: KeyOf) -> int:
        check_scope(key, scope, issuer=key.issuer)
        if key.issuer is None:
            raise DeniedError("not-allowed", "this API key works for no issuer")
        return key.issuer

    return issuer_of

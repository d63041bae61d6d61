"""The service of the demo's installation, asked in process; its chain is real."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from ledger.cli.installation import Installation
from ledger.cli.serving import open_service
from ledger.clock import now
from ledger.issuers.api_keys import Scope, create_key
from ledger.web.app import create_app
from ledger.web.limits import RateLimiter
from ledger.web.service import Service
from tests.acceptance.conftest import Demo, demo, running  # noqa: F401 - fixtures


@pytest.fixture(scope="session")
def service(running: Demo) -> Service:  # noqa: F811
    # All tests come from one address and use few keys.
    rates = RateLimiter(per_second=10_000, burst=100_000)
    return replace(open_service(Installation.open(running.home)), rates=rates)


@pytest.fixture(scope="session")
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service), raise_server_exceptions=False) as client:
        yield client


def make_key(service: Service, *scopes: Scope, issuer: int | None, lasts: int | None = None) -> str:
    """Return the header of a new API key."""
    with service.database.write() as tx:
        key = create_key(
            tx,
            issuer=issuer,
            scopes=scopes,
            label="test",
            now=now(),
            expires_at=None if lasts is None else now() + lasts,
        )
    return f"Bearer {key}"


@pytest.fixture(scope="session")
def reader(service: Service, running: Demo) -> dict[str, str]:  # noqa: F811
    return {"Authorization": make_key(service, Scope.READ, issuer=running.manifest["issuer"])}

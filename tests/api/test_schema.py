"""The service against its own OpenAPI document: what it says is what it does.

Every operation is asked what the document allows and what it does not, with a key that opens
it. An answer that is not documented, or a 5xx that is none of ours, fails.
"""

import os
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import InvalidArgument, Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ledger.batches.requests.store import end_request, list_waiting
from ledger.batches.schedules.store import set_schedule
from ledger.clock import now
from ledger.issuers.api_keys import Scope
from ledger.web.app import create_app, openapi_document
from ledger.web.service import Service
from ledger.webhooks.store import list_webhooks, remove_webhook
from tests.acceptance.conftest import Demo

from .conftest import make_key

pytestmark = pytest.mark.xdist_group("demo-api")

ROOT = Path(__file__).parents[2]
EXAMPLES = int(os.environ.get("LEDGER_TEST_EXAMPLES", "15"))
"""Requests of each kind for one operation; `make soak` asks for more."""

ADMINS = {"getMetrics", "listIssuers", "setSchedule", "dropSchedule", "listApiKeys", "createApiKey"}
NOT_ASKED = {"revokeApiKey", "followBatch"}
"""Would revoke the keys that the others are asked with, or not end."""


def test_the_committed_document_is_the_one_that_is_served() -> None:
    write = runpy.run_path(str(ROOT / "scripts" / "write_openapi.py"))
    committed = (ROOT / "docs" / "reference" / "openapi.json").read_text("utf-8")
    assert committed == write["page"](), "run python scripts/write_openapi.py"


def operations() -> list[tuple[str, str, str]]:
    return [
        (method.upper(), path, operation["operationId"])
        for path, methods in openapi_document()["paths"].items()
        for method, operation in methods.items()
        if operation["operationId"] not in NOT_ASKED
    ]


@pytest.fixture(scope="module")
def keys(service: Service, running: Demo) -> Iterator[dict[bool, str]]:
    issuer = running.manifest["issuer"]
    yield {
        True: make_key(service, Scope.ADMIN, issuer=None),
        False: make_key(service, *(set(Scope) - {Scope.ADMIN}), issuer=issuer),
    }
    with service.database.write() as tx:
        set_schedule(tx, issuer, None)
        for webhook in list_webhooks(tx, issuer):
            remove_webhook(tx, webhook)
        # What was made up must not be carried out on the chain that other tests share.
        for request in list_waiting(tx, limit=10_000):
            end_request(tx, request.id, problem="made up", now=now())


@pytest.fixture(scope="module")
def schema(service: Service) -> Any:
    return schemathesis.openapi.from_asgi("/openapi.json", create_app(service))


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("method", "path", "name"), operations(), ids=lambda value: value)
def test_an_operation_answers_as_it_says(
    schema: Any, keys: dict[bool, str], method: str, path: str, name: str, mode: GenerationMode
) -> None:
    headers = {"Authorization": keys[name in ADMINS]}
    operation = schema[path][method]

    @given(operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        response = case.call(headers=headers)
        case.validate_response(
            response,
            checks=[
                not_a_server_error,
                status_code_conformance,
                content_type_conformance,
                response_schema_conformance,
            ],
        )

    try:
        ask()
    except (Unsatisfiable, InvalidArgument):
        # Nothing about this operation can be wrong.
        assert mode is GenerationMode.NEGATIVE, name

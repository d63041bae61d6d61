"""What monitoring reads is what the database has, for an admin only, and is documented."""

import re
import uuid
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from ledger.batches.sealing import find_waiting
from ledger.credentials.store import NewCredential, add_credentials
from ledger.issuers.api_keys import Scope
from ledger.primitives import Canonicalization, sha256
from ledger.web.metrics import METRICS
from ledger.web.service import Service
from tests.acceptance.conftest import Demo

from .conftest import make_key

pytestmark = pytest.mark.xdist_group("demo-api")
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"


def samples(client: TestClient, service: Service) -> dict[tuple[str, ...], float]:
    key = make_key(service, Scope.ADMIN, issuer=None)
    answer = client.get("/metrics", headers={"Authorization": key})
    assert answer.status_code == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_what_waits_is_counted(client: TestClient, service: Service, running: Demo) -> None:
    issuer = str(running.manifest["issuer"])
    before = samples(client, service)
    waits = str(uuid.uuid4())
    new = NewCredential(waits, sha256(waits.encode()), Canonicalization.NONE, None, None)
    with service.database.write() as tx:
        add_credentials(tx, int(issuer), [new], now=1)
    with service.database.read() as tx:
        found = find_waiting(tx, int(issuer))
    now = service.now()
    after = samples(client, service)
    name = "ledger_waiting_credentials"
    assert after[name, issuer] == before[name, issuer] + 1
    assert found is not None
    assert after["ledger_oldest_waiting_seconds", issuer] >= now - found.oldest_at
    assert after["ledger_batches", issuer, "final"] >= 1
    assert after["ledger_batches", issuer, "held"] == 0


def test_an_issuers_key_reads_no_metrics(client: TestClient, reader: dict[str, str]) -> None:
    assert client.get("/metrics", headers=reader).json()["code"] == "not-allowed"


def test_every_metric_is_documented_with_its_labels_and_no_other() -> None:
    row = r"^\| `(ledger_\w+)` \| ([a-z, ]*)\|"
    rows = re.findall(row, PAGE.read_text("utf-8"), re.MULTILINE)
    documented = {name: re.findall("[a-z]+", labels) for name, labels in rows}
    assert documented == {name: labels for name, (_, labels) in METRICS.items()}

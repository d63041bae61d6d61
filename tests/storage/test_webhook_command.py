"""`ledger webhook`, from the first webhook to the last message, as an operator types it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ledger.batches.events.store import EventKind
from ledger.cli.installation import Installation
from ledger.cli.main import app
from ledger.config import write_settings
from ledger.database import Database
from ledger.errors import LedgerError
from ledger.webhook_signature import parse_secret
from ledger.webhooks.store import list_webhooks
from tests.receiver import receiving

from .conftest import ISSUER
from .webhook_works import KEY, Works

REGISTRY = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_webhook_is_made_looked_at_and_removed(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Installation, "webhook_key", lambda _installation: KEY)

    def ledger(*words: str) -> str:
        done = CliRunner().invoke(app, ["webhook", *words, "--home", str(tmp_path)])
        if done.exception is not None:
            raise done.exception
        return done.output

    with receiving() as receiver:
        write_settings(
            tmp_path,
            chain="eip155:1",
            rpc=["http://127.0.0.1:1"],
            registry=REGISTRY,
            database=database.engine.url.render_as_string(),
            internal_receivers=[receiver.place],
        )
        name, secret = ledger("add", receiver.url, "--events", "batch.final").split()
        with database.read() as tx:
            (webhook,) = list_webhooks(tx, ISSUER)
        assert (webhook.public_id, webhook.kinds) == (name, (EventKind.BATCH_FINAL,))
        (listed,) = json.loads(ledger("list", "--json"))
        assert (listed["url"], listed["failures"]) == (receiver.url, 0)
        assert name in ledger("list")

        works = Works(database, receiver, webhook)
        works.now = webhook.created_at
        receiver.answer = 500
        works.final_batch()
        works.run()
        (delivery,) = json.loads(ledger("deliveries", name, "--json"))
        assert (delivery["state"], delivery["answer"]) == ("waiting", "HTTP 500")
        assert delivery["message"] in ledger("deliveries", name)
        assert ledger("redeliver", name).startswith("1 message will be sent")
        assert ledger("redeliver", name, delivery["message"]).startswith("1 message will be sent")
        assert parse_secret(ledger("rotate", name).strip()) != parse_secret(secret)

        ledger("remove", name)
        assert json.loads(ledger("list", "--json")) == []
        for words in (
            ["remove", name],
            ["add", "http://a.example/"],
            ["add", "x", "--events", "y"],
        ):
            with pytest.raises(LedgerError):
                ledger(*words)

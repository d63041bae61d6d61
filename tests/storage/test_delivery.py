"""Badges are written whole, once more when asked, and from tiles read once."""

import csv
import json
import os
from pathlib import Path
from unittest.mock import patch

import pytest

from ledger.batches import delivery, store
from ledger.batches.delivery import deliver
from ledger.batches.sealing import seal
from ledger.batches.status import BatchStatus
from ledger.batches.store import Batch
from ledger.batches.trees import store as trees
from ledger.credentials.document import read_document
from ledger.credentials.issuing import issue
from ledger.credentials.template import Template
from ledger.database import Database
from ledger.errors import ConflictError
from ledger.merkle.inclusion import verify
from ledger.merkle.tree import leaf_hash
from ledger.proofs.file import parse_embedded, parse_proof_file

from .conftest import ISSUER
from .test_issuing_pages import HOME, NOW, SIGNATORY, Crash, roster
from .test_issuing_pages import template as template  # noqa: PLC0414 - a fixture
from .test_sealing import accept


def sealed(database: Database) -> Batch:
    """Seal what waits, and take it for final."""
    batch = seal(database, ISSUER, now=2)
    assert batch is not None
    with database.write() as tx:
        tx.execute(
            store.batches.update()
            .where(store.batches.c.id == batch.id)
            .values(status=BatchStatus.FINAL)
        )
        return store.get_batch(tx, batch.id)


def is_delivered(database: Database, batch: Batch) -> bool:
    with database.read() as tx:
        return store.get_batch(tx, batch.id).delivered_at is not None


@pytest.fixture
def batch(database: Database, template: Template) -> Batch:
    issue(database, SIGNATORY, template, roster(600), now=NOW)
    return sealed(database)


def test_every_badge_verifies_and_the_index_says_whose_it_is(
    database: Database, batch: Batch, tmp_path: Path
) -> None:
    folder = tmp_path / "badges"
    assert deliver(database, batch, HOME, folder, now=3) == 600
    with (folder / f"batch-{batch.id}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["leaf"]) for row in rows] == list(range(600))
    assert {row["file"] for row in rows} == {path.name for path in folder.glob("*.json")}
    assert len(list(folder.iterdir())) == 601
    for row in rows:
        data = (folder / row["file"]).read_bytes()
        document = read_document(data)
        assert document.credential is not None
        proof = parse_embedded(document.credential["proof"][1])
        assert proof.digest == document.digest
        verify(leaf_hash(document.digest), proof.inclusion, size=batch.size, anchored=batch.root)
        name = document.credential["credentialSubject"]["identifier"][0]["identityHash"]
        assert row["name"] == name
    assert is_delivered(database, batch)


def test_a_badge_can_be_read_by_people(database: Database, batch: Batch, tmp_path: Path) -> None:
    deliver(database, batch, HOME, tmp_path / "badges", now=3)
    text = next((tmp_path / "badges").glob("*.json")).read_text("utf-8")
    assert text == json.dumps(json.loads(text), ensure_ascii=False, indent=2) + "\n"


def test_a_digest_alone_gets_a_proof_file(database: Database, tmp_path: Path) -> None:
    digests = accept(database, 3)
    deliver(database, sealed(database), HOME, tmp_path / "badges", now=3)
    proofs = [parse_proof_file(p.read_bytes()) for p in (tmp_path / "badges").glob("*.json")]
    assert {proof.digest for proof in proofs} == set(digests)


def test_each_tile_is_read_once(database: Database, batch: Batch, tmp_path: Path) -> None:
    with patch.object(trees, "read_tile", wraps=trees.read_tile) as reads:
        deliver(database, batch, HOME, tmp_path / "badges", now=3)
    tiles = [call.args[2:] for call in reads.call_args_list]
    assert sorted(tiles) == [(0, 0), (0, 1), (0, 2), (1, 0)]


def test_each_batch_has_an_index_of_its_own(database: Database, tmp_path: Path) -> None:
    for count in (2, 3):
        accept(database, count, start=10 * count)
        deliver(database, sealed(database), HOME, tmp_path / "badges", now=3)
    indexes = sorted((tmp_path / "badges").glob("*.csv"))
    assert [len(index.read_text().splitlines()) for index in indexes] == [3, 4]


def test_badges_written_again_are_the_same_files(
    database: Database, batch: Batch, tmp_path: Path
) -> None:
    folder = tmp_path / "badges"
    deliver(database, batch, HOME, folder, now=3)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    deliver(database, batch, HOME, folder, now=4)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("call", ["open", "write", "close", "rename", "sync"])
def test_a_crash_leaves_whole_files_and_the_batch_undelivered(
    database: Database, batch: Batch, tmp_path: Path, call: str
) -> None:
    folder = tmp_path / "badges"
    real, calls = getattr(os, call), []

    def die_at_the_fifth(*args: object, **options: object) -> object:
        calls.append(args)
        if len(calls) == 5 or call == "sync":
            raise Crash
        return real(*args, **options)

    with patch.object(os, call, die_at_the_fifth), pytest.raises(Crash):
        deliver(database, batch, HOME, folder, now=3)
    for path in folder.glob("*.json"):
        read_document(path.read_bytes())
    assert not is_delivered(database, batch)
    deliver(database, batch, HOME, folder, now=4)
    assert len(list(folder.glob("*.json"))) == 600


def test_files_are_on_the_disk_before_the_batch_is_noted_as_delivered(
    database: Database, batch: Batch, tmp_path: Path
) -> None:
    def look() -> None:
        assert len(list((tmp_path / "badges").glob("*.json"))) == 600
        assert (tmp_path / "badges" / f"batch-{batch.id}.csv").exists()
        assert not is_delivered(database, batch)

    with patch.object(delivery, "sync", side_effect=look) as synced:
        deliver(database, batch, HOME, tmp_path / "badges", now=3)
    assert synced.call_count == 1


def test_a_full_disk_is_one_line(database: Database, batch: Batch, tmp_path: Path) -> None:
    full = OSError(28, "No space left on device")
    with (
        patch.object(os, "write", side_effect=full),
        pytest.raises(ConflictError, match="No space left on device") as caught,
    ):
        deliver(database, batch, HOME, tmp_path / "badges", now=3)
    assert caught.value.code == "unwritable"
    assert not list((tmp_path / "badges").iterdir())


def test_a_file_in_the_folders_place_is_one_line(
    database: Database, batch: Batch, tmp_path: Path
) -> None:
    (tmp_path / "badges").write_text("")
    with pytest.raises(ConflictError) as caught:
        deliver(database, batch, HOME, tmp_path / "badges", now=3)
    assert caught.value.code == "unwritable"

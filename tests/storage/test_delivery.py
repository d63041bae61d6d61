"""Badges are written whole, once more when asked, and from tiles read once."""

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from ledger.batches import delivery, store
from ledger.batches.delivery import deliver
from ledger.batches.fsck.delivered import check_badges
from ledger.batches.sealing import seal
from ledger.batches.status import BatchStatus
from ledger.batches.store import Batch
from ledger.batches.trees import store as trees
from ledger.credentials.document import read_document
from ledger.credentials.issuing import issue
from ledger.credentials.template import Template
from ledger.database import Database
from ledger.errors import ConflictError, MalformedInputError
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


# ------------------------------------------------------------------------ checked afterwards


def wrong(database: Database, folder: Path) -> dict[str, str]:
    """Return what is wrong with which badge, by its subject."""
    with database.read() as tx:
        found = list(check_badges(tx, folder, chain=HOME.chain, registry=HOME.registry))
    assert {finding.code for finding in found} <= {"badge"}
    return {finding.subject: finding.message for finding in found}


def change_json(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    value = json.loads(path.read_bytes())
    change(value)
    path.write_text(json.dumps(value))


def test_badges_as_they_were_delivered_are_no_finding(
    database: Database, batch: Batch, tmp_path: Path
) -> None:
    folder = tmp_path / "badges"
    folder.mkdir()
    assert wrong(database, folder) == {}  # nothing was delivered yet
    deliver(database, batch, HOME, folder, now=3)
    (folder / "notes.json").write_text("of somebody else")
    assert wrong(database, folder) == {}


def test_every_badge_that_differs_is_named(
    database: Database, batch: Batch, tmp_path: Path
) -> None:
    folder = tmp_path / "badges"
    deliver(database, batch, HOME, folder, now=3)
    one, two, three, four, five, six, seven, *_ = sorted(folder.glob("*.json"))

    def proof(value: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = value["proof"][1]
        return found

    one.unlink()
    two.write_bytes(b"")
    change_json(three, lambda value: value.update(name="Other"))
    change_json(four, lambda value: proof(value)["inclusion"].update(index=0))
    change_json(five, lambda value: proof(value)["inclusion"]["path"].reverse())
    change_json(six, lambda value: value["proof"].pop())
    change_json(seven, lambda value: proof(value)["anchor"].update(transaction="0x" + "ab" * 32))
    found = wrong(database, folder)
    spoiled = [f"badge {path.stem}" for path in (one, two, three, four, five, six)]
    assert sorted(found) == sorted(spoiled)
    assert "No such file" in found[spoiled[0]]
    assert "document" in found[spoiled[2]]
    assert "proof" in found[spoiled[3]]
    (folder / f"batch-{batch.id}.csv").unlink()
    assert list(wrong(database, folder)) == [f"batch {batch.id}"]  # said once, not 600 times
    # What was found is mended by writing them again.
    deliver(database, batch, HOME, folder, now=4)
    assert wrong(database, folder) == {}


def test_proof_files_without_documents_are_checked_too(database: Database, tmp_path: Path) -> None:
    accept(database, 3)
    batch = sealed(database)
    folder = tmp_path / "badges"
    deliver(database, batch, HOME, folder, now=3)
    assert wrong(database, folder) == {}
    first, second, _ = sorted(folder.glob("*.proof.json"))
    second.write_bytes(first.read_bytes())
    assert list(wrong(database, folder)) == [f"badge {second.name.removesuffix('.proof.json')}"]


def test_a_folder_that_is_not_there_is_no_finding_but_an_error(
    database: Database, tmp_path: Path
) -> None:
    with pytest.raises(MalformedInputError) as raised:
        wrong(database, tmp_path / "none")
    assert raised.value.code == "no-file"

"""What is saved comes back, into either database, or not at all."""

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger.backup import store as backup_store
from ledger.backup.archive import MANIFEST
from ledger.backup.restoring import restore
from ledger.backup.saving import save
from ledger.batches import sealing
from ledger.batches.fsck.stored import check_database
from ledger.batches.states.store import state_proofs
from ledger.chain.alarms.store import RESTORED, check_sending, clear_alarm, list_alarms
from ledger.chain.nonces.store import list_senders
from ledger.config import Settings, load_settings, write_settings
from ledger.credentials.store import NewCredential, add_credentials, count_waiting
from ledger.database import Database, check_migrated, migrate, upgrade
from ledger.errors import ConflictError, LedgerError, MalformedInputError
from ledger.primitives import Canonicalization, sha256

from .conftest import ISSUER
from .test_sealing import accept
from .test_side_by_side import together

SET_ASIDE = f"anchor.{'0a' * 20}.json"
"""Where a key is kept that another has followed."""

REGISTRY = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """An installation on the database, with files that stand for its keys."""
    home = tmp_path / "home"
    (home / "keystore").mkdir(parents=True)
    (home / "keystore" / "anchor.json").write_text('{"crypto": "encrypted"}')
    (home / "keystore" / SET_ASIDE).write_text('{"crypto": "older"}')
    (home / "policy.toml").write_text("# what is believed\n")
    write_settings(
        home,
        chain="eip155:1",
        rpc=["https://rpc.example/KEY"],
        registry=REGISTRY,
        database=database_url,
        devchain_port=1234,
    )
    return load_settings(home)


@pytest.fixture(params=["into sqlite", "into postgresql"])
def target_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Where a backup is restored to; None is a file in the new installation."""
    if request.param == "into sqlite":
        yield None
        return
    with request.getfixturevalue("postgres").database(empty=True) as url:
        yield url


def fill(database: Database) -> None:
    """Documents in UTF-8, bytes that are no text, and credentials with and without a batch."""
    accept(database, 700)
    batch = sealing.seal(database, ISSUER, now=2)
    assert batch is not None
    with database.write() as tx:
        # A value of every kind is in some row; here JSON.
        tx.execute(
            sa.insert(state_proofs).values(
                batch_id=batch.id, block_number=7, header=b"\xf9\x02", accreditors=[1, 2]
            )
        )
    documents = ['{"name": "Zoé \\u0000 \\n 学"}'.encode(), bytes(range(256)), b""]
    with database.write() as tx:
        add_credentials(
            tx,
            ISSUER,
            [
                NewCredential(f"id-{n}", sha256(d), Canonicalization.RFC8785, None, d)
                for n, d in enumerate(documents)
            ],
            now=3,
        )


def rows_of(database: Database) -> dict[str, list[object]]:
    with database.read() as tx:
        return {
            table.name: list(backup_store.read_rows(tx, table))
            for table in backup_store.find_tables(tx)
        }


def restored(home: Path) -> Database:
    return Database(load_settings(home).database)


def test_every_row_comes_back_in_either_database(
    database: Database, settings: Settings, target_url: str | None, tmp_path: Path
) -> None:
    fill(database)
    save(database, settings, tmp_path / "backup.zip", now=10)
    new = tmp_path / "new"
    changed = {"database": target_url} if target_url else {}
    restore(tmp_path / "backup.zip", new, target_url, changed=changed, now=11)
    copy = restored(new)
    check_migrated(copy)
    before, after = rows_of(database), rows_of(copy)
    assert len(after.pop("alarms")) == 1
    assert before.pop("alarms") == []
    assert after == before
    assert len(before["credentials"]) == 703
    with copy.read() as tx:
        assert list(check_database(tx)) == []
    # The numbers that the database gives out go on from there.
    accept(copy, 5, start=10_000)
    with pytest.raises(ConflictError, match="ledger restore"):
        sealing.seal(copy, ISSUER, now=12)
    with copy.write() as tx:  # as when the chain was asked
        clear_alarm(tx, RESTORED, "10")
    batch = sealing.seal(copy, ISSUER, now=12)
    assert batch is not None
    assert (batch.id, batch.size) == (2, 8)
    copy.close()


def test_settings_policy_and_keys_come_back_and_the_database_is_named_anew(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    save(database, settings, tmp_path / "backup.zip", now=10)
    assert (tmp_path / "backup.zip").stat().st_mode & 0o777 == 0o600
    new = tmp_path / "new"
    restore(tmp_path / "backup.zip", new, None, changed={"rpc": ["http://other:8545"]}, now=11)
    found = load_settings(new)
    assert found.chain == settings.chain
    assert found.registry == settings.registry
    assert found.rpc == ("http://other:8545",)
    assert found.devchain_port is None
    assert found.database == f"sqlite:///{new / 'ledger.db'}"
    assert (new / "keystore" / "anchor.json").read_text() == '{"crypto": "encrypted"}'
    assert (new / "keystore" / "anchor.json").stat().st_mode & 0o777 == 0o600
    assert (new / "keystore" / SET_ASIDE).read_text() == '{"crypto": "older"}'
    assert (new / "policy.toml").read_text() == "# what is believed\n"
    assert new.stat().st_mode & 0o777 == 0o700


def test_the_url_of_the_database_is_not_in_the_backup(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    save(database, settings, tmp_path / "backup.zip", now=10)
    with zipfile.ZipFile(tmp_path / "backup.zip") as archive:
        assert b"sqlite" not in archive.read("files/config.toml")
        assert b"postgresql" not in archive.read("files/config.toml")


def test_a_restored_installation_sends_nothing(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    save(database, settings, tmp_path / "backup.zip", now=10)
    restore(tmp_path / "backup.zip", tmp_path / "new", None, now=11)
    copy = restored(tmp_path / "new")
    with copy.read() as tx:
        assert [alarm.code for alarm in list_alarms(tx)] == [RESTORED]
        with pytest.raises(ConflictError, match="restore"):
            check_sending(tx)
    copy.close()


def test_a_backup_is_one_moment_while_others_write(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    """Every writer adds ten and seals them; in between nothing is whole."""
    fill(database)

    def write() -> None:
        for number in range(8):
            accept(database, 10, start=20_000 + 10 * number)
            sealing.seal(database, ISSUER, now=4)

    def save_often() -> None:
        for number in range(4):
            save(database, settings, tmp_path / f"{number}.zip", now=10)

    together(write, save_often)
    for number in range(4):
        restore(tmp_path / f"{number}.zip", tmp_path / f"new{number}", None, now=11)
        copy = restored(tmp_path / f"new{number}")
        with copy.read() as tx:
            assert list(check_database(tx)) == []
            assert count_waiting(tx, ISSUER) in {0, 3, 10, 13}
        copy.close()


def test_a_backup_overwrites_nothing_and_leaves_nothing_half_done(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "backup.zip"
    path.write_text("mine")
    with pytest.raises(ConflictError) as raised:
        save(database, settings, path, now=10)
    assert raised.value.code == "backup-exists"
    assert path.read_text() == "mine"
    with pytest.raises(ConflictError) as raised:
        save(database, settings, tmp_path / "nowhere" / "backup.zip", now=10)
    assert raised.value.code == "backup-unwritable"
    assert not list(tmp_path.glob("*.part"))


def test_what_is_not_empty_is_not_restored_into(
    database: Database, database_url: str, settings: Settings, tmp_path: Path
) -> None:
    save(database, settings, tmp_path / "backup.zip", now=10)
    new = tmp_path / "new"
    with pytest.raises(ConflictError) as raised:
        restore(tmp_path / "backup.zip", new, database_url, now=11)
    assert raised.value.code == "not-empty"
    assert list(new.iterdir()) == []
    (new / "mine").write_text("mine")
    with pytest.raises(ConflictError) as raised:
        restore(tmp_path / "backup.zip", new, None, now=11)
    assert raised.value.code == "not-empty"
    assert [path.name for path in new.iterdir()] == ["mine"]
    with pytest.raises(ConflictError) as raised:
        restore(tmp_path / "backup.zip", new / "mine", None, now=11)
    assert raised.value.code == "restore-unwritable"


def rewritten(path: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """Write an archive anew, with each entry as `change` gives it."""
    other = path.with_name("other.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return other


def changed_manifest(**members: object) -> Callable[[str, bytes], bytes]:
    def change(name: str, content: bytes) -> bytes:
        return json.dumps(json.loads(content) | members).encode() if name == MANIFEST else content

    return change


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    database = Database(f"sqlite:///{tmp_path / 'saved.db'}")
    home = tmp_path / "saved"
    home.mkdir()
    write_settings(home, chain="eip155:1", rpc=["http://a"], registry=REGISTRY)
    migrate(database)
    save(database, load_settings(home), tmp_path / "backup.zip", now=10)
    database.close()
    return tmp_path / "backup.zip"


@pytest.mark.parametrize(
    "change",
    [
        lambda name, content: content + b"[]\n" if name == "tables/senders.jsonl" else content,
        lambda name, content: None if name == "tables/senders.jsonl" else content,
        lambda name, content: None if name == MANIFEST else content,
        lambda name, content: b"{" if name == MANIFEST else content,
        lambda name, content: b"[" * 100_000 if name == MANIFEST else content,
        changed_manifest(format="ledger-backup/2"),
        changed_manifest(schema=7),
        changed_manifest(entries=[]),
        changed_manifest(entries=[{"name": "files/../../etc/passwd", "bytes": 0, "sha256": ""}]),
        changed_manifest(entries=[5]),
        changed_manifest(entries=None),
        changed_manifest(more="members"),
    ],
)
def test_a_damaged_backup_is_refused_and_nothing_is_written(
    saved: Path, tmp_path: Path, change: Callable[[str, bytes], bytes | None]
) -> None:
    with pytest.raises(MalformedInputError) as raised:
        restore(rewritten(saved, change), tmp_path / "new", None, now=11)
    assert raised.value.code == "bad-backup"
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("version", ["0001", "0005"])
def test_a_backup_of_an_older_release_is_brought_to_this_one(
    saved: Path, tmp_path: Path, version: str
) -> None:
    old = Database(f"sqlite:///{tmp_path / 'old.db'}")
    with old.write() as tx:
        upgrade(tx, version)
        tx.exec_driver_sql("INSERT INTO senders (address, next_nonce) VALUES (x'01', 7)")
    save(old, load_settings(tmp_path / "saved"), tmp_path / "old.zip", now=10)
    old.close()
    restore(tmp_path / "old.zip", tmp_path / "new", None, now=11)
    copy = restored(tmp_path / "new")
    check_migrated(copy)
    with copy.read() as tx:
        assert list_senders(tx) == {b"\x01": 7}
    copy.close()
    assert saved.exists()


def test_a_backup_of_a_newer_release_is_refused(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(ConflictError) as raised:
        restore(rewritten(saved, changed_manifest(schema="9999")), tmp_path / "new", None, now=11)
    assert raised.value.code == "newer-backup"


def test_no_changed_byte_of_a_backup_is_restored(saved: Path, tmp_path: Path) -> None:
    whole = saved.read_bytes()
    other = tmp_path / "other.zip"
    restore(saved, tmp_path / "good", None, now=11)
    good = (tmp_path / "good" / "config.toml").read_bytes()
    refused = 0
    for at in range(0, len(whole), 97):
        other.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        new = tmp_path / f"new{at}"
        try:
            restore(other, new, None, now=11)
        except LedgerError:
            refused += 1
            assert not (new / "config.toml").exists()
        else:
            # A byte of the archive's own book-keeping, such as the time of an entry.
            assert (new / "config.toml").read_bytes() == good
            copy = restored(new)
            assert {name for name, rows in rows_of(copy).items() if rows} == {"alarms"}
            copy.close()
    assert refused > len(whole) / 97 / 3


@pytest.mark.parametrize("content", [b"", b"PK", b"not a backup" * 100])
def test_a_file_that_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(MalformedInputError):
        restore(tmp_path / "file", tmp_path / "new", None, now=11)
    with pytest.raises(MalformedInputError):
        restore(tmp_path / "no-such-file", tmp_path / "new", None, now=11)

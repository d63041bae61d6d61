"""Make an installation from a backup.

    1. every sum is checked                       nothing written
    2. tables made, rows written, sending
       stopped, all in one transaction            the database is whole, or empty
    3. policy and keys                            no installation yet: no settings
    4. settings                                   an installation that sends nothing
    5. `ledger.backup.replay`                     it may send

A process that dies before 4 leaves a folder that no command takes for an installation;
it is removed by hand, and the database emptied, before the next try.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from ledger.backup import store
from ledger.backup.archive import Manifest
from ledger.backup.reading import BackupReader, open_backup
from ledger.chain.alarms.store import RESTORED, Alarm, raise_alarm
from ledger.config import CONFIG_FILE, change_settings
from ledger.database import Connection, Database, schema_versions, upgrade
from ledger.errors import ConflictError, MalformedInputError


def restore(
    path: Path,
    home: Path,
    url: str | None,
    *,
    changed: Mapping[str, str | list[str]] | None = None,
    now: int,
) -> Manifest:
    """Make an installation in the empty folder `home`, on the empty database of `url`.

    Without `url` the database is a new file in the folder. `changed` are settings that are
    other than in the backup.

    Raises:
        MalformedInputError: the file is no backup, or is damaged; nothing was written.
        ConflictError: the folder or the database is not empty, the folder cannot be written,
            or the backup is of a newer release.
        StorageError, DeniedError, NotFoundError: the database cannot be used.

    """
    with open_backup(path) as backup:
        if backup.manifest.schema not in schema_versions():
            raise ConflictError(
                "newer-backup",
                f"the backup was made by release {backup.manifest.release}, whose tables are "
                f"newer (version {backup.manifest.schema}): restore it with that release",
            )
        backup.check()
        _make_folder(home)
        database = Database(url or f"sqlite:///{home / 'ledger.db'}")
        try:
            _write_tables(database, backup, now=now)
        finally:
            database.close()
        try:
            _write_files(backup, home)
        except OSError as error:
            raise _unwritable(home, error) from None
        if changed:
            change_settings(home, **changed)
        return backup.manifest


def _make_folder(home: Path) -> None:
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_empty = not any(home.iterdir())
    except OSError as error:
        raise _unwritable(home, error) from None
    if not is_empty:
        raise ConflictError(
            "not-empty", f"{home} is not empty: restore into a new folder, named with --home"
        )


def _unwritable(home: Path, error: OSError) -> ConflictError:
    return ConflictError("restore-unwritable", f"{home}: {error.strerror}")


def _write_tables(database: Database, backup: BackupReader, *, now: int) -> None:
    with database.write() as tx:
        store.check_empty(tx)
        upgrade(tx, backup.manifest.schema)
        for table in store.find_tables(tx):
            entry = backup.find_table(table.name)
            if entry is None or not set(entry.columns or ()) <= set(store.column_names(table)):
                raise MalformedInputError(
                    "bad-backup", f"the backup's table {table.name} is not that of its version"
                )
            written = store.write_rows(tx, table, entry.columns or [], backup.read_rows(entry))
            if written != entry.rows:
                raise MalformedInputError(
                    "bad-backup", f"the backup has {written} rows of {table.name}, not {entry.rows}"
                )
        upgrade(tx)
        _stop_sending(tx, backup.manifest, now=now)


def _stop_sending(tx: Connection, manifest: Manifest, *, now: int) -> None:
    message = (
        "restored from a backup, and the chain was not asked yet: "
        "run `ledger restore` without a file"
    )
    alarm = Alarm(RESTORED, str(manifest.made_at), message, now, stops_sending=True)
    raise_alarm(tx, alarm)


def _write_files(backup: BackupReader, home: Path) -> None:
    """Write the settings last: they make the folder an installation."""
    files = sorted(backup.files(), key=lambda file: file[0] == CONFIG_FILE)
    for name, content in files:
        path = home / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)

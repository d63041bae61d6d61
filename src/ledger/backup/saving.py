"""Save a whole installation while others work with it.

One reading transaction gives every table as it was at one moment, on SQLite as on
PostgreSQL, and keeps nobody from writing. Keys go along as they are: encrypted.
"""

from importlib.metadata import version
from pathlib import Path
from typing import Final

from ledger.backup import store
from ledger.backup.archive import Manifest
from ledger.backup.writing import BackupWriter, new_backup
from ledger.config import CONFIG_FILE, Settings, format_settings, read_file_settings
from ledger.database import Database

LEFT_OUT: Final = ("database", "devchain_port")
"""Settings that belong to one machine. The database's URL may hold a password."""


def save(database: Database, settings: Settings, path: Path, *, now: int) -> Manifest:
    """Write the installation into a new file at `path` and return what is in it.

    Badges are left out: they are written again from the database. So is a local chain.

    Raises:
        ConflictError: the file is there already, or cannot be written.
        StorageError: the database cannot be read.

    """
    with new_backup(path) as backup, database.read() as tx:
        for table in store.find_tables(tx):
            columns = store.column_names(table)
            backup.add_rows(table.name, columns, store.read_rows(tx, table))
        _add_files(backup, settings)
        return backup.finish(
            made_at=now, release=version("ledger-registry"), schema=store.schema_version(tx)
        )


def _add_files(backup: BackupWriter, settings: Settings) -> None:
    kept = {k: v for k, v in read_file_settings(settings.home).items() if k not in LEFT_OUT}
    backup.add_file(CONFIG_FILE, format_settings(kept).encode())
    if settings.policy.exists():
        backup.add_file(settings.policy.name, settings.policy.read_bytes())
    for key in sorted(settings.keystore.glob("*.json")):
        backup.add_file(f"{settings.keystore.name}/{key.name}", key.read_bytes())

"""Migrations lead to the tables that the code describes."""

import importlib
import pkgutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import ledger
from ledger.database import Database, check_migrated, metadata, migrate
from ledger.errors import ConflictError, NotFoundError


def test_the_migrations_make_the_tables_of_the_code(database: Database) -> None:
    for module in pkgutil.walk_packages(ledger.__path__, "ledger."):
        if module.name.endswith(".store"):
            importlib.import_module(module.name)
    with database.read() as tx:
        assert compare_metadata(MigrationContext.configure(tx), metadata) == []


def test_migrating_twice_changes_nothing(database: Database) -> None:
    migrate(database)
    check_migrated(database)


def test_an_empty_database_says_what_to_do(tmp_path: Path) -> None:
    empty = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(NotFoundError, match="ledger init"):
        check_migrated(empty)
    empty.close()


def test_the_database_of_another_release_is_not_touched(database: Database) -> None:
    with database.write() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConflictError, match="9999"):
        check_migrated(database)

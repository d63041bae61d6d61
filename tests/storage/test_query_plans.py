"""How PostgreSQL finds rows in a table that has grown since it was last analysed."""

import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from ledger.credentials.store import NewCredential, add_credentials, find_credentials
from ledger.database import Database
from ledger.primitives import Canonicalization, sha256

from .conftest import ISSUER


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_credentials_are_found_by_their_ids_in_a_table_that_just_grew(database: Database) -> None:
    ids = [str(uuid.uuid4()) for _ in range(20_000)]
    asked: list[tuple[str, dict[str, str]]] = []
    with database.write() as tx:
        accepted = [
            NewCredential(one, sha256(one.encode()), Canonicalization.NONE, None, None)
            for one in ids
        ]
        add_credentials(tx, ISSUER, accepted, now=10)

    @sa.event.listens_for(database.engine, "before_cursor_execute")
    def note(_c: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        asked.append((statement, parameters))

    with database.read() as tx:
        assert set(find_credentials(tx, ISSUER, ids[:100])) == set(ids[:100])
        assert find_credentials(tx, ISSUER + 1, ids[:1]) == {}
        statement, parameters = asked[0]
        plan = "\n".join(tx.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars())
    assert " uq_credentials_public_id" in plan

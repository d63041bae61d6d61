"""Every credential or digest that was accepted, and where in which batch it is.

An accepted row has no batch until it is sealed into one; `batch_id` and `leaf_index`
are then set once and never changed. One issuer has one row for a digest and one for
the identity of a roster's row, so issuing twice issues once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import sqlalchemy as sa

from ledger.database import Id, insert_rows, metadata
from ledger.primitives import Canonicalization, Hash32

credentials: Final = sa.Table(
    "credentials",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("public_id", sa.Text, nullable=False, unique=True),
    sa.Column("issuer", sa.BigInteger, sa.ForeignKey("issuers.number"), nullable=False),
    sa.Column("digest", sa.LargeBinary(32), nullable=False),
    sa.Column("canonicalization", sa.Text, nullable=False),
    sa.Column("row_identity", sa.LargeBinary(32)),
    sa.Column("document", sa.LargeBinary),
    sa.Column("label", sa.Text),
    sa.Column("accepted_at", sa.BigInteger, nullable=False),
    sa.Column("batch_id", Id, sa.ForeignKey("batches.id")),
    sa.Column("leaf_index", sa.BigInteger),
    sa.UniqueConstraint("issuer", "digest"),
    sa.UniqueConstraint("issuer", "row_identity"),
    sa.UniqueConstraint("batch_id", "leaf_index"),
    sa.Index(
        "ix_credentials_waiting",
        "issuer",
        "id",
        sqlite_where=sa.text("batch_id IS NULL"),
        postgresql_where=sa.text("batch_id IS NULL"),
    ),
)

PAGE_ROWS: Final = 1_000
"""Rows read or written by one statement."""


_ACCEPTED_COLUMNS: Final = (
    "public_id",
    "issuer",
    "digest",
    "canonicalization",
    "row_identity",
    "document",
    "label",
    "accepted_at",
)


@dataclass(frozen=True, slots=True)
class NewCredential:
    """One credential or digest to accept."""

    public_id: str
    """A UUID that nobody can guess; the holder's name for it."""
    digest: Hash32
    canonicalization: Canonicalization
    row_identity: Hash32 | None
    """Of the roster row it was made from; None for what was made elsewhere."""
    document: bytes | None
    """The canonical bytes of a credential, without an anchor proof; None when there are none."""
    label: str | None = None
    """The name of the file it was submitted in."""


@dataclass(frozen=True, slots=True)
class StoredCredential:
    """An accepted credential."""

    id: int
    public_id: str
    issuer: int
    digest: Hash32
    canonicalization: Canonicalization
    document: bytes | None
    label: str | None
    batch_id: int | None
    leaf_index: int | None


_HASHES: Final = sa.ARRAY(sa.LargeBinary)

COLUMNS: Final = (
    credentials.c.id,
    credentials.c.public_id,
    credentials.c.issuer,
    credentials.c.digest,
    credentials.c.canonicalization,
    credentials.c.document,
    credentials.c.label,
    credentials.c.batch_id,
    credentials.c.leaf_index,
)
"""What `stored_credential` is made of."""

_SELECT: Final = sa.select(*COLUMNS)


def stored_credential(values: Sequence[Any]) -> StoredCredential:
    """Return the credential that the values of `COLUMNS` are."""
    row, public_id, issuer, digest, canonicalization, *others = values
    kind = Canonicalization(canonicalization)
    return StoredCredential(row, public_id, issuer, digest, kind, *others)


def find_known_rows(
    tx: sa.Connection, issuer: int, identities: Sequence[Hash32]
) -> dict[Hash32, str]:
    """Return the public ids of those of these roster rows that this issuer has issued."""
    return _find_known(tx, issuer, credentials.c.row_identity, identities)


def find_known_digests(
    tx: sa.Connection, issuer: int, digests: Sequence[Hash32]
) -> dict[Hash32, str]:
    """Return the public ids of those of these digests that this issuer has."""
    return _find_known(tx, issuer, credentials.c.digest, digests)


def _find_known(
    tx: sa.Connection, issuer: int, column: sa.Column[bytes], hashes: Sequence[Hash32]
) -> dict[Hash32, str]:
    known: dict[Hash32, str] = {}
    found: list[tuple[bytes, str]]
    for at in range(0, len(hashes), PAGE_ROWS):
        page = hashes[at : at + PAGE_ROWS]
        if tx.dialect.name == "postgresql":
            # Asked hash by hash, so that the plan is the unique index whatever PostgreSQL
            # believes of a table that grew since it was last analysed.
            wanted = sa.func.unnest(sa.bindparam("page", page, _HASHES)).column_valued("wanted")
            mine = sa.select(credentials.c.public_id).where(
                credentials.c.issuer == issuer, column == wanted
            )
            query = sa.select(wanted, mine.scalar_subquery())
            found = [(row[0], row[1]) for row in tx.execute(query) if row[1] is not None]
        else:
            # As the driver takes it: to make a statement of a thousand values takes longer
            # than to run it.
            places = ", ".join("?" * len(page))
            rows = tx.exec_driver_sql(
                f"SELECT {column.name}, public_id FROM credentials "  # noqa: S608 - our name
                f"WHERE issuer = ? AND {column.name} IN ({places})",
                (issuer, *page),
            )
            found = [(row[0], row[1]) for row in rows]
        known.update((Hash32(value), public_id) for value, public_id in found)
    return known


def add_credentials(
    tx: sa.Connection, issuer: int, accepted: Iterable[NewCredential], *, now: int
) -> None:
    """Store new credentials of `issuer`, in this order; they wait for a batch.

    That they are new was looked up in this same `tx`, after `take_turn` for ACCEPTING. They
    are taken, held and stored a page at a time.
    """
    left = iter(accepted)
    while page := list(islice(left, PAGE_ROWS)):
        insert_rows(
            tx,
            credentials,
            _ACCEPTED_COLUMNS,
            [
                (
                    new.public_id,
                    issuer,
                    new.digest,
                    str(new.canonicalization),
                    new.row_identity,
                    new.document,
                    new.label,
                    now,
                )
                for new in page
            ],
        )


def count_waiting(tx: sa.Connection, issuer: int) -> int:
    """Return how many of the issuer's credentials are in no batch."""
    return tx.execute(
        sa.select(sa.func.count())
        .select_from(credentials)
        .where(credentials.c.issuer == issuer, credentials.c.batch_id.is_(None))
    ).scalar_one()


def find_oldest_waiting(tx: sa.Connection, issuer: int) -> int | None:
    """Return when the oldest of the issuer's credentials in no batch was accepted."""
    return tx.execute(
        sa.select(credentials.c.accepted_at)
        .where(credentials.c.issuer == issuer, credentials.c.batch_id.is_(None))
        .order_by(credentials.c.id)
        .limit(1)
    ).scalar_one_or_none()


def read_waiting(tx: sa.Connection, issuer: int) -> Iterator[tuple[int, Hash32]]:
    """Give (id, digest) of the issuer's credentials that are in no batch, oldest first."""
    last = 0
    while True:
        page = tx.execute(
            sa.select(credentials.c.id, credentials.c.digest)
            .where(
                credentials.c.issuer == issuer,
                credentials.c.batch_id.is_(None),
                credentials.c.id > last,
            )
            .order_by(credentials.c.id)
            .limit(PAGE_ROWS)
        ).all()
        if not page:
            return
        for row in page:
            yield row.id, Hash32(row.digest)
        last = page[-1].id


def place_in_batch(
    tx: sa.Connection, batch_id: int, ids: Sequence[int], *, first_index: int
) -> None:
    """Give waiting credentials their places in a batch: consecutive ones from `first_index`."""
    tx.execute(
        sa.update(credentials)
        .where(credentials.c.id == sa.bindparam("row"))
        .values(batch_id=batch_id, leaf_index=sa.bindparam("place")),
        [{"row": row, "place": first_index + n} for n, row in enumerate(ids)],
    )


_CREDENTIAL: Final = _SELECT.where(credentials.c.public_id == sa.bindparam("public"))
"""Made once: for one row, making a statement takes longer than running it."""


def find_credential(tx: sa.Connection, public_id: str) -> StoredCredential | None:
    """Return the credential of this public id."""
    row = tx.execute(_CREDENTIAL, {"public": public_id}).one_or_none()
    return stored_credential(row) if row else None


def find_credentials(
    tx: sa.Connection, issuer: int, public_ids: Sequence[str]
) -> dict[str, StoredCredential]:
    """Return those of these credentials that this issuer has, by their public ids."""
    found = {}
    for at in range(0, len(public_ids), PAGE_ROWS):
        # The issuer is not asked for here: PostgreSQL may take its index for that, and then
        # compare every credential of the issuer with every id, three seconds a page.
        query = _SELECT.where(credentials.c.public_id.in_(public_ids[at : at + PAGE_ROWS]))
        rows = map(stored_credential, tx.execute(query))
        found.update({one.public_id: one for one in rows if one.issuer == issuer})
    return found


def get_credentials(tx: sa.Connection, ids: Sequence[int]) -> list[StoredCredential]:
    """Return the credentials of these row ids, which there are, in the order of the ids."""
    found = {}
    for at in range(0, len(ids), PAGE_ROWS):
        query = _SELECT.where(credentials.c.id.in_(ids[at : at + PAGE_ROWS]))
        found.update({one.id: one for one in map(stored_credential, tx.execute(query))})
    return [found[row] for row in ids]


def get_names(tx: sa.Connection, ids: Sequence[int]) -> list[tuple[str, Hash32]]:
    """Return the id that people use and the digest of each of these rows, in their order."""
    query = sa.select(credentials.c.id, credentials.c.public_id, credentials.c.digest)
    found = {row.id: row for row in tx.execute(query.where(credentials.c.id.in_(ids)))}
    return [(found[one].public_id, Hash32(bytes(found[one].digest))) for one in ids]


def read_batch(tx: sa.Connection, batch_id: int) -> Iterator[StoredCredential]:
    """Give the credentials of a batch in the order of their leaves."""
    last = -1
    while True:
        query = _SELECT.where(credentials.c.batch_id == batch_id, credentials.c.leaf_index > last)
        page = list(
            map(
                stored_credential,
                tx.execute(query.order_by(credentials.c.leaf_index).limit(PAGE_ROWS)),
            )
        )
        if not page:
            return
        yield from page
        last += len(page)


def read_leaves(tx: sa.Connection, batch_id: int) -> Iterator[tuple[int, Hash32]]:
    """Give (leaf index, digest) of a batch's credentials, by leaf index."""
    last = -1
    while True:
        page = tx.execute(
            sa.select(credentials.c.leaf_index, credentials.c.digest)
            .where(credentials.c.batch_id == batch_id, credentials.c.leaf_index > last)
            .order_by(credentials.c.leaf_index)
            .limit(PAGE_ROWS)
        ).all()
        if not page:
            return
        for row in page:
            yield row.leaf_index, Hash32(row.digest)
        last = page[-1].leaf_index


def read_all(tx: sa.Connection) -> Iterator[StoredCredential]:
    """Give every credential of every issuer, in the order of acceptance."""
    last = 0
    while True:
        query = _SELECT.where(credentials.c.id > last).order_by(credentials.c.id).limit(PAGE_ROWS)
        page = list(map(stored_credential, tx.execute(query)))
        if not page:
            return
        yield from page
        last = page[-1].id


def find_repeats(tx: sa.Connection) -> Iterator[tuple[str, str, str]]:
    """Give (what, public id, other public id) of what one issuer has twice."""
    for what, column in (
        ("digest", credentials.c.digest),
        ("row identity", credentials.c.row_identity),
    ):
        first, last = sa.func.min(credentials.c.public_id), sa.func.max(credentials.c.public_id)
        rows = tx.execute(
            sa.select(first, last)
            .where(column.is_not(None))
            .group_by(credentials.c.issuer, column)
            .having(sa.func.count() > 1)
        )
        yield from ((what, one, other) for one, other in rows)

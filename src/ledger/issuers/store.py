"""The issuers of this installation, and the API keys that work for them.

A row of `issuers` is written together with the signed transaction that registers the issuer; its
number is filled in when the registry's event has been read. A process that dies in
between finds the row without a number and goes on from there.
"""

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from ledger.database import Id, metadata
from ledger.errors import NotFoundError

issuers: Final = sa.Table(
    "issuers",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("number", sa.BigInteger, unique=True),
    sa.Column("did", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("url", sa.Text),
    sa.Column("country_code", sa.Text),
    sa.Column("region", sa.Text),
    sa.Column("transaction_id", Id, sa.ForeignKey("transactions.id"), nullable=False),
)

api_keys: Final = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("issuer", sa.BigInteger, sa.ForeignKey("issuers.number")),
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("secret_hash", sa.LargeBinary(32), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger),
    sa.Column("revoked_at", sa.BigInteger),
    sa.Index(None, "issuer"),
)


@dataclass(frozen=True, slots=True)
class Profile:
    """What an issuer's badges say of it."""

    did: str
    name: str
    url: str | None = None
    country_code: str | None = None
    """ISO 3166-1 alpha-2."""
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Issuer:
    """A registered issuer."""

    number: int
    """Its id in the registry, read from the event that registered it."""
    profile: Profile


@dataclass(frozen=True, slots=True)
class Registration:
    """An issuer whose registration was signed and whose number is not known yet."""

    id: int
    transaction_id: int
    profile: Profile


def add_registration(tx: sa.Connection, profile: Profile, *, transaction_id: int) -> None:
    """Store an issuer together with the transaction that registers it."""
    tx.execute(
        sa.insert(issuers).values(
            did=profile.did,
            name=profile.name,
            url=profile.url,
            country_code=profile.country_code,
            region=profile.region,
            transaction_id=transaction_id,
        )
    )


def find_registration(tx: sa.Connection) -> Registration | None:
    """Return the oldest registration that has no number yet."""
    row = tx.execute(
        sa.select(issuers).where(issuers.c.number.is_(None)).order_by(issuers.c.id).limit(1)
    ).one_or_none()
    return Registration(row.id, row.transaction_id, _profile(row)) if row else None


def complete_registration(tx: sa.Connection, registration: Registration, number: int) -> None:
    """Write the number that the registry gave."""
    tx.execute(sa.update(issuers).where(issuers.c.id == registration.id).values(number=number))


def drop_registration(tx: sa.Connection, registration: Registration) -> None:
    """Forget a registration that the chain reverted."""
    tx.execute(sa.delete(issuers).where(issuers.c.id == registration.id))


def _profile(row: sa.Row[tuple[object, ...]]) -> Profile:
    return Profile(row.did, row.name, row.url, row.country_code, row.region)


def list_issuers(tx: sa.Connection) -> list[Issuer]:
    """Return every registered issuer, oldest first."""
    rows = tx.execute(
        sa.select(issuers).where(issuers.c.number.is_not(None)).order_by(issuers.c.number)
    )
    return [Issuer(row.number, _profile(row)) for row in rows]


def get_issuer(tx: sa.Connection, number: int | None = None) -> Issuer:
    """Return the issuer of this number; without one, the only issuer there is.

    Raises:
        NotFoundError: there is none, or more than one and no number to choose by.

    """
    known = list_issuers(tx)
    chosen = [issuer for issuer in known if number in {None, issuer.number}]
    if len(chosen) == 1:
        return chosen[0]
    if number is not None:
        raise NotFoundError("no-issuer", f"issuer {number} is not one of this installation")
    if not known:
        raise NotFoundError("no-issuer", "no issuer yet: run `ledger issuer register`")
    numbers = ", ".join(str(issuer.number) for issuer in known)
    raise NotFoundError("no-issuer", f"which issuer? say --issuer with one of {numbers}")


@dataclass(frozen=True, slots=True)
class ApiKeyRow:
    """One row of `api_keys`."""

    id: int
    issuer: int | None
    scopes: str
    label: str
    secret_hash: bytes
    created_at: int
    expires_at: int | None
    revoked_at: int | None


def add_api_key(
    tx: sa.Connection,
    *,
    issuer: int | None,
    scopes: str,
    label: str,
    secret_hash: bytes,
    now: int,
    expires_at: int | None,
) -> int:
    """Store an API key and return its id."""
    row: int = tx.execute(
        sa.insert(api_keys)
        .values(
            issuer=issuer,
            scopes=scopes,
            label=label,
            secret_hash=secret_hash,
            created_at=now,
            expires_at=expires_at,
        )
        .returning(api_keys.c.id)
    ).scalar_one()
    return row


_API_KEY: Final = sa.select(api_keys).where(api_keys.c.id == sa.bindparam("key"))
"""Made once: every request of the service asks."""


def find_api_key(tx: sa.Connection, key_id: int) -> ApiKeyRow | None:
    """Return the API key of this id."""
    row = tx.execute(_API_KEY, {"key": key_id}).mappings().one_or_none()
    return ApiKeyRow(**row) if row else None


def list_api_keys(tx: sa.Connection, issuer: int | None) -> list[ApiKeyRow]:
    """Return the API keys of an issuer, or with None those of no issuer, oldest first."""
    query = sa.select(api_keys).where(api_keys.c.issuer.is_not_distinct_from(issuer))
    return [ApiKeyRow(**row) for row in tx.execute(query.order_by(api_keys.c.id)).mappings()]


def revoke_api_key(tx: sa.Connection, key_id: int, *, now: int) -> None:
    """End an API key; one that has ended stays as it is.

    Raises:
        NotFoundError: there is none of this id.

    """
    ended = sa.func.coalesce(api_keys.c.revoked_at, now)
    changed = tx.execute(
        sa.update(api_keys).where(api_keys.c.id == key_id).values(revoked_at=ended)
    )
    if changed.rowcount == 0:
        raise NotFoundError("no-api-key", f"there is no API key {key_id}")

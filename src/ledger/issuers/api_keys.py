"""API keys: who may do what for which issuer over HTTP.

A key is shown once, when it is made:

    ledger_<id>_<secret>    the row's id in decimal, and 64 hex digits of a random secret

Only SHA-256 of the secret is stored: it is random, so nothing slower is needed, and a stolen
database opens nothing. A key belongs to one issuer, or with the scope `admin` to the
installation.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ledger.database import Connection
from ledger.errors import DeniedError, MalformedInputError
from ledger.issuers import store
from ledger.primitives import Hash32

_KEY: Final = re.compile(r"ledger_([1-9][0-9]{0,17})_([0-9a-f]{64})", re.ASCII)
_SECRET_BYTES: Final = 32
_NOBODYS_HASH: Final = bytes(32)

MAX_LABEL_CHARACTERS: Final = 100


class Scope(StrEnum):
    """What a key may do."""

    SUBMIT = "submit"
    """Hand in credentials and digests."""
    READ = "read"
    """List the issuer's batches and credentials."""
    STATUS = "status"
    """Revoke, suspend, reinstate."""
    WEBHOOKS = "webhooks"
    """Say where the issuer is told of what has come about."""
    ADMIN = "admin"
    """Manage issuers and keys; belongs to no issuer."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A stored key, without its secret."""

    id: int
    issuer: int | None
    """None for the installation's own, which have the scope `admin`."""
    scopes: frozenset[Scope]
    label: str
    created_at: int
    expires_at: int | None
    revoked_at: int | None


def create_key(
    tx: Connection,
    *,
    issuer: int | None,
    scopes: Iterable[Scope],
    label: str,
    now: int,
    expires_at: int | None = None,
) -> str:
    """Store a new key and return its text, which nobody can show again.

    Raises:
        MalformedInputError: no scope, or scopes that do not go with `issuer`; a label that is
            too long or no plain text; an end that is not to come.

    """
    wanted = frozenset(scopes)
    if not wanted or (issuer is None) is not (wanted == {Scope.ADMIN}):
        raise MalformedInputError(
            "bad-scopes",
            "a key has the scope admin alone and no issuer, or an issuer and some of "
            "submit, read, status, webhooks",
        )
    if not label.isprintable() or not 0 < len(label) <= MAX_LABEL_CHARACTERS:
        raise MalformedInputError(
            "bad-label", f"a label has 1 to {MAX_LABEL_CHARACTERS} printable characters"
        )
    if expires_at is not None and expires_at <= now:
        raise MalformedInputError("bad-expiry", "the key's end is not to come")
    secret = secrets.token_hex(_SECRET_BYTES)
    row = store.add_api_key(
        tx,
        issuer=issuer,
        scopes=",".join(sorted(wanted)),
        label=label,
        secret_hash=_hash(secret),
        now=now,
        expires_at=expires_at,
    )
    return f"ledger_{row}_{secret}"


def authenticate(tx: Connection, presented: str, *, now: int) -> ApiKey:
    """Return the key that `presented` is the text of.

    A wrong secret, an unknown id, a revoked and an expired key are told alike, and compared in the
    same time.

    Raises:
        DeniedError: there is no such key, or not any more.

    """
    match = _KEY.fullmatch(presented)
    found = store.find_api_key(tx, int(match[1])) if match else None
    expected = found.secret_hash if found else _NOBODYS_HASH
    is_same = hmac.compare_digest(_hash(match[2] if match else ""), expected)
    if found is None or not is_same or not _is_open(found, now):
        raise DeniedError("bad-key", "no such API key, or it was revoked or has expired")
    return _api_key(found)


def check_scope(key: ApiKey, scope: Scope, *, issuer: int | None) -> None:
    """Return when `key` may do what `scope` covers for `issuer`.

    Raises:
        DeniedError: it may not.

    """
    if scope not in key.scopes or key.issuer != issuer:
        where = "" if issuer is None else f" for issuer {issuer}"
        raise DeniedError("not-allowed", f"this API key has not the scope {scope}{where}")


def list_keys(tx: Connection, issuer: int | None) -> list[ApiKey]:
    """Return the keys of an issuer, or with None the installation's own, oldest first."""
    return [_api_key(row) for row in store.list_api_keys(tx, issuer)]


def _is_open(row: store.ApiKeyRow, now: int) -> bool:
    return row.revoked_at is None and (row.expires_at is None or now < row.expires_at)


def _api_key(row: store.ApiKeyRow) -> ApiKey:
    return ApiKey(
        id=row.id,
        issuer=row.issuer,
        scopes=frozenset(Scope(scope) for scope in row.scopes.split(",")),
        label=row.label,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )


def _hash(secret: str) -> Hash32:
    return Hash32(hashlib.sha256(secret.encode()).digest())

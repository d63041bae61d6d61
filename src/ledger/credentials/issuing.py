"""Issue a roster: sign a credential for every row that this issuer has not issued yet.

All of it is stored in one database transaction, so a roster is issued whole or not at
all. A row is known by its identity (issuer, template, what the row says), so the same
roster issued twice issues once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ledger.credentials.canonical import canonical_bytes
from ledger.credentials.did_key import key_method
from ledger.credentials.openbadge import Builder, draw_id, draw_salt
from ledger.credentials.profile import IssuerProfile
from ledger.credentials.roster import Row, row_identity
from ledger.credentials.signature import SigningKey, sign
from ledger.credentials.store import NewCredential, add_credentials, find_known_rows
from ledger.credentials.template import Template, template_digest
from ledger.database import Connection, Database, Turn, take_turn
from ledger.errors import DeniedError
from ledger.primitives import Canonicalization, Hash32, sha256

URN_PREFIX = "urn:uuid:"


@dataclass(frozen=True, slots=True)
class Signatory:
    """Who issues, and with which key."""

    issuer: int
    """The number in the registry."""
    profile: IssuerProfile
    key: SigningKey


@dataclass(frozen=True, slots=True)
class Issued:
    """What issuing a roster came to."""

    new: int
    known: int
    """Rows that had been issued before."""
    ids: tuple[str, ...]
    """The public ids of all of them, in the order of the rows."""


def issue(
    database: Database,
    signatory: Signatory,
    template: Template,
    rows: Sequence[Row],
    *,
    now: int,
    on_row: Callable[[int], None] = lambda _count: None,
) -> Issued:
    """Sign and store a credential for every new row; `on_row` is told of each.

    Raises:
        RosterError: a score does not fit the template; nothing is issued.
        DeniedError: the signatory's key is not that of its DID.

    """
    with database.write() as tx:
        return issue_in(tx, signatory, template, rows, now=now, on_row=on_row)


def issue_in(
    tx: Connection,
    signatory: Signatory,
    template: Template,
    rows: Sequence[Row],
    *,
    now: int,
    on_row: Callable[[int], None] = lambda _count: None,
) -> Issued:
    """Do what `issue` does in a transaction of the caller's.

    Raises:
        RosterError, DeniedError: as `issue`.

    """
    profile, key = signatory.profile, signatory.key
    if key.did != profile.did:
        raise DeniedError(
            "other-key", f"the installation's key signs as {key.did}, the issuer is {profile.did}"
        )
    builder = Builder(template, profile)
    builder.check_rows(rows)
    identities = _identities(profile.did, template, rows)
    take_turn(tx, Turn.ACCEPTING, signatory.issuer)
    known = find_known_rows(tx, signatory.issuer, list(identities))
    ids: list[str] = []

    def new() -> Iterator[NewCredential]:
        for identity, row in identities.items():
            if identity in known:
                ids.append(known[identity])
            else:
                made = _credential(builder, key, row, identity, now)
                ids.append(made.public_id)
                yield made
            on_row(1)

    add_credentials(tx, signatory.issuer, new(), now=now)
    return Issued(new=len(identities) - len(known), known=len(known), ids=tuple(ids))


def find_new_rows(
    database: Database, issuer: int, did: str, template: Template, rows: Sequence[Row]
) -> list[Row]:
    """Return the rows that `issue` would make credentials of; nothing is stored."""
    identities = _identities(did, template, rows)
    with database.read() as tx:
        known = find_known_rows(tx, issuer, list(identities))
    return [row for identity, row in identities.items() if identity not in known]


def _identities(did: str, template: Template, rows: Sequence[Row]) -> dict[Hash32, Row]:
    digest = template_digest(template)
    return {row_identity(did, digest, row): row for row in rows}


def _credential(
    builder: Builder, key: SigningKey, row: Row, identity: Hash32, now: int
) -> NewCredential:
    urn = draw_id()
    badge = builder.build(row, credential_id=urn, salt=draw_salt(), valid_from=now)
    signed = sign(badge, key, created=now, verification_method=key_method(key.did))
    # Without an anchor proof in it yet, these are the bytes that the digest is of.
    document = canonical_bytes(signed)
    return NewCredential(
        public_id=urn.removeprefix(URN_PREFIX),
        digest=sha256(document),
        canonicalization=Canonicalization.RFC8785,
        row_identity=identity,
        document=document,
    )

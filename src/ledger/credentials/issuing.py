"""Issue a roster: sign a credential for every row that this issuer has not issued yet.

All of it is stored in one database transaction, so a roster is issued whole or not at
all. A row is known by its identity (issuer, template, what the row says), so the same
roster issued twice issues once.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from ledger.credentials.openbadge import Builder
from ledger.credentials.profile import IssuerProfile
from ledger.credentials.roster import Row, row_identity
from ledger.credentials.signature import SigningKey
from ledger.credentials.signing import PageSigner, SignedBadge
from ledger.credentials.store import PAGE_ROWS, NewCredential, add_credentials, find_known_rows
from ledger.credentials.template import Template, template_digest
from ledger.database import Connection, Database, Turn, take_turn
from ledger.errors import DeniedError
from ledger.primitives import Canonicalization, Hash32
from ledger.second_process import beside


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
    on_row(len(known))
    new = [identity for identity in identities if identity not in known]
    ids = dict(known)

    def made(badges: Iterable[SignedBadge]) -> Iterator[NewCredential]:
        for identity, badge in zip(new, badges, strict=True):
            ids[identity] = badge.public_id
            yield _credential(identity, badge)
            on_row(1)

    with beside(PageSigner(builder, key, now), items=len(new)) as signed:
        badges = chain.from_iterable(signed(_pages([identities[one] for one in new])))
        add_credentials(tx, signatory.issuer, made(badges), now=now)
    return Issued(len(new), len(known), tuple(ids[identity] for identity in identities))


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


def _pages(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for at in range(0, len(rows), PAGE_ROWS):
        yield rows[at : at + PAGE_ROWS]


def _credential(identity: Hash32, badge: SignedBadge) -> NewCredential:
    return NewCredential(
        public_id=badge.public_id,
        digest=badge.digest,
        canonicalization=Canonicalization.RFC8785,
        row_identity=identity,
        document=badge.document,
    )

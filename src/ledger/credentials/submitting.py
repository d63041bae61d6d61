"""Accept what was made elsewhere: ready credentials, files of any kind, and bare digests.

    a credential    its RFC 8785 digest; the document is kept, so that the badge can be
                    given back with its proof
    another file    the digest of its bytes and its name; the file itself is not kept
    a digest        nothing else is known, so its holder gets a proof file

All of a submission is stored in one database transaction, or nothing. One issuer has one
credential for a digest: what it has already keeps its id, however it came in.

A credential is refused when no verifier could ever call it valid under this issuer: its
`issuer.id` is another, it names other homes, or a signature on it fails.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

from ledger import strict_json
from ledger.credentials.canonical import canonical_bytes, find_anchor_proof, without_anchor_proof
from ledger.credentials.document import MAX_CREDENTIAL_BYTES, read_document
from ledger.credentials.problems import describe_problems
from ledger.credentials.profile import homes_of, issuer_id_of
from ledger.credentials.proof_check import Outcome, check_proofs
from ledger.credentials.public_id import draw_public_ids
from ledger.credentials.store import (
    PAGE_ROWS,
    NewCredential,
    add_credentials,
    find_known_digests,
)
from ledger.database import Connection, Database, Turn, take_turn
from ledger.errors import ConflictError, LedgerError, MalformedInputError
from ledger.primitives import (
    Canonicalization,
    Hash32,
    Home,
    format_address,
    format_chain,
)

MAX_KEPT_BYTES: Final = MAX_CREDENTIAL_BYTES - (16 << 10)
"""A credential must still be readable with its anchor proof in it: at most some 5 KB."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing to accept."""

    digest: Hash32
    canonicalization: Canonicalization
    document: bytes | None = None
    """The canonical bytes of a credential, without an anchor proof."""
    label: str | None = None
    """The name of its file, for its issuer's eyes."""
    is_anchored_here: bool = False
    """It carries an anchor proof that says this issuer anchored it."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a submission came to."""

    new: int
    known: int
    """Those that this issuer had already, or that stand in the submission twice."""


@dataclass(frozen=True, slots=True)
class FileProblem:
    """Why one file is not accepted."""

    label: str
    error: LedgerError

    def __str__(self) -> str:
        return f"{self.label}: {self.error.message} [{self.error.code}]"


class SubmissionError(MalformedInputError):
    """Files that cannot be submitted, each with its reason; nothing is accepted."""

    def __init__(self, problems: Iterable[FileProblem]) -> None:
        self.problems = tuple(problems)
        """In the order in which the files were given."""
        super().__init__("bad-submission", describe_problems("the submission", self.problems))


def read_offer(data: bytes, label: str, *, did: str, home: Home) -> Offer:
    """Return what the bytes of a file offer to the issuer `did` at `home`.

    Raises:
        MalformedInputError: as `read_document`; or a credential that could never be valid
            under this issuer, or cannot be kept so that it reads the same again.

    """
    document = read_document(data)
    credential = document.credential
    if credential is None:
        return Offer(document.digest, document.canonicalization, label=label)
    _check_issuer(credential, did, home)
    _check_signatures(credential)
    return Offer(
        document.digest,
        document.canonicalization,
        document=_kept_form(credential),
        label=label,
        is_anchored_here=_is_anchored_at(credential, home),
    )


def read_offers(credentials: Iterable[dict[str, Any]], *, did: str, home: Home) -> list[Offer]:
    """Return what parsed credentials offer to the issuer `did` at `home`, in their order.

    Raises:
        SubmissionError: some cannot be accepted; each is named by its place, from 0.

    """
    offers, problems = [], []
    for place, credential in enumerate(credentials):
        label = f"credentials/{place}"
        try:
            offers.append(read_offer(json.dumps(credential).encode(), label, did=did, home=home))
        except LedgerError as error:
            problems.append(FileProblem(label, error))
    if problems:
        raise SubmissionError(problems)
    return [replace(offer, label=None) for offer in offers]


def accept(
    database: Database,
    issuer: int,
    offers: Iterable[Offer],
    *,
    now: int,
    on_ids: Callable[[list[str]], None],
) -> Accepted:
    """Store what is new of `offers`; `on_ids` gets every offer's id, in order, page by page.

    Memory does not grow with their number. The ids hold once this returns.

    Raises:
        ConflictError: a credential says that this issuer anchored it, and this
            installation does not know it.

    """
    with database.write() as tx:
        return accept_in(tx, issuer, offers, now=now, on_ids=on_ids)


def accept_in(
    tx: Connection,
    issuer: int,
    offers: Iterable[Offer],
    *,
    now: int,
    on_ids: Callable[[list[str]], None],
) -> Accepted:
    """Do what `accept` does in a transaction of the caller's; the ids hold once it commits.

    Raises:
        ConflictError: as `accept`.

    """
    count = new = 0
    take_turn(tx, Turn.ACCEPTING, issuer)
    left = iter(offers)
    while page := list(islice(left, PAGE_ROWS)):
        count += len(page)
        new += _accept_page(tx, issuer, page, now, on_ids)
    return Accepted(new=new, known=count - new)


def _accept_page(
    tx: Connection,
    issuer: int,
    page: list[Offer],
    now: int,
    on_ids: Callable[[list[str]], None],
) -> int:
    ids = find_known_digests(tx, issuer, [offer.digest for offer in page])
    new: dict[Hash32, Offer] = {}
    for offer in page:
        if offer.digest not in ids and offer.digest not in new:
            _check_not_anchored(offer)
            new[offer.digest] = offer
    drawn = draw_public_ids(len(new), now=now)
    add_credentials(tx, issuer, map(_new_credential, drawn, new.values()), now=now)
    ids.update(zip(new, drawn, strict=True))
    on_ids([ids[offer.digest] for offer in page])
    return len(new)


def _new_credential(public_id: str, offer: Offer) -> NewCredential:
    return NewCredential(
        public_id=public_id,
        digest=offer.digest,
        canonicalization=offer.canonicalization,
        row_identity=None,
        document=offer.document,
        label=offer.label,
    )


def _check_not_anchored(offer: Offer) -> None:
    # A second anchor would survive the revocation of the first.
    if offer.is_anchored_here:
        raise ConflictError(
            "already-anchored",
            f"{offer.label} carries this issuer's anchor proof, and this installation did not "
            "make it: nothing is missing; `ledger verify` checks it",
        )


def _check_issuer(credential: dict[str, Any], did: str, home: Home) -> None:
    issuer = issuer_id_of(credential)
    if issuer is None:
        raise MalformedInputError(
            "no-issuer-id", "the credential does not say in `issuer.id` whose it is"
        )
    if issuer != did:
        raise MalformedInputError(
            "other-issuer", f"its issuer is {issuer[:160]!r}, and not {did}: it would be invalid"
        )
    named = homes_of(credential)
    if named and str(home) not in named:
        raise MalformedInputError(
            "other-home",
            f"it names the home {named[0][:160]!r}, and not {home}: it would be invalid",
        )


def _check_signatures(credential: dict[str, Any]) -> None:
    for proof in check_proofs(credential):
        if proof.outcome is Outcome.FAILED:
            raise MalformedInputError(
                "failed-signature", f"a signature on it fails ({proof.reason}): it would be invalid"
            )


def _kept_form(credential: dict[str, Any]) -> bytes:
    kept = canonical_bytes(without_anchor_proof(credential))
    try:
        # RFC 8785 writes 1e20 with all its digits, which strict readers do not take.
        strict_json.parse(kept, max_bytes=MAX_KEPT_BYTES)
    except MalformedInputError as error:
        raise MalformedInputError(error.code, f"its RFC 8785 form: {error.message}") from None
    return kept


def _is_anchored_at(credential: dict[str, Any], home: Home) -> bool:
    anchor = (find_anchor_proof(credential) or {}).get("anchor")
    place = {
        "chain": format_chain(home.chain),
        "registry": format_address(home.registry),
        "issuer": home.issuer,
    }
    return isinstance(anchor, dict) and place.items() <= anchor.items()

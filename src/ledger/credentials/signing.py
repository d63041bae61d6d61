"""Sign a badge for each row of a page: what may be done in a second process.

It needs no database, so that process loads none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledger.credentials.canonical import canonical_bytes
from ledger.credentials.did_key import key_method
from ledger.credentials.openbadge import Builder, draw_id, draw_salt
from ledger.credentials.roster import Row
from ledger.credentials.signature import SigningKey, sign
from ledger.primitives import Hash32, sha256

URN_PREFIX: Final = "urn:uuid:"


@dataclass(frozen=True, slots=True)
class SignedBadge:
    """A new badge."""

    public_id: str
    """The UUID in its `id`."""
    digest: Hash32
    document: bytes
    """Its canonical bytes."""


class PageSigner:
    """Signs a badge for each row of a page.

    Pickled, it has the seed of the key in it: for the pipe to a process of ours, nowhere else.
    """

    def __init__(self, builder: Builder, key: SigningKey, now: int) -> None:
        self._builder = builder
        self._key = key
        self._now = now

    def __reduce__(self) -> tuple[object, tuple[Builder, bytes, int]]:
        return _page_signer, (self._builder, self._key.reveal(), self._now)

    def __call__(self, rows: Sequence[Row]) -> list[SignedBadge]:
        """Return a signed badge for every row, in their order; ids and salts are drawn anew."""
        return [self._signed(row) for row in rows]

    def _signed(self, row: Row) -> SignedBadge:
        urn, key, now = draw_id(), self._key, self._now
        badge = self._builder.build(row, credential_id=urn, salt=draw_salt(), valid_from=now)
        signed = sign(badge, key, created=now, verification_method=key_method(key.did))
        # Without an anchor proof in it yet, these are the bytes that the digest is of.
        document = canonical_bytes(signed)
        return SignedBadge(urn.removeprefix(URN_PREFIX), sha256(document), document)


def _page_signer(builder: Builder, seed: bytes, now: int) -> PageSigner:
    return PageSigner(builder, SigningKey(seed), now)

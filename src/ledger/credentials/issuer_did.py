"""The DID that issued a credential: its keys, and its document, which is had at most once.

    did:key    is its own key; there is no document
    did:web    the document is on the web site that the DID names
    others     are not resolved here

Whether anything may be fetched is decided by whoever makes an `IssuerDid`; all that is fetched
is the one document, whatever a credential says.
"""

from ledger.credentials.did_document import DidDocument, parse_did_document
from ledger.credentials.did_key import is_did_key
from ledger.credentials.did_web import document_url, is_did_web
from ledger.errors import MalformedInputError
from ledger.fetching import Fetch, FetchError


class IssuerDid:
    """One DID, and what can be known of it."""

    def __init__(self, did: str | None, *, fetch: Fetch | None = None, now: int = 0) -> None:
        """Take the DID; `now` (Unix seconds) tells which keys have expired.

        Without `fetch` nothing is fetched, and there is no document.
        """
        self.did = did
        self.problem = ""
        """Why there is no document, once it was looked for; empty when there is one."""
        self._fetch = fetch
        self._now = now
        self._is_looked_up = False
        self._document: DidDocument | None = None

    def find_document(self) -> DidDocument | None:
        """Return the DID's document; None when it cannot be had, and `problem` says why.

        The first call may fetch it.
        """
        if not self._is_looked_up:
            self._is_looked_up = True
            try:
                self._document = self._look_up()
            except (FetchError, MalformedInputError) as error:
                self.problem = error.message
        return self._document

    def _look_up(self) -> DidDocument | None:
        if self.did is None or is_did_key(self.did):
            self.problem = "there is no DID document"
            return None
        if not is_did_web(self.did):
            self.problem = "identifiers of its kind are not resolved here"
            return None
        url = document_url(self.did)
        if self._fetch is None:
            self.problem = "the DID document was not fetched"
            return None
        return parse_did_document(self._fetch(url), self.did, now=self._now)

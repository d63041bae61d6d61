"""did:web: a DID whose document is on the web site that it names.

    did:web:<host>                      https://<host>/.well-known/did.json
    did:web:<host>:<part>:<part>        https://<host>/<part>/<part>/did.json
    did:web:<host>%3A<port>...          the same at another port

Nothing but the DID decides what is fetched. Only the plain spelling is read: a host name of
letters, digits and hyphens, lower-case, with a dot in it and no address in numbers; parts of
letters, digits, `.`, `_` and `-`, none of which steps up. A percent sign is part of the port's
mark alone, so there is no second spelling of a path.

Source: did:web method specification (W3C Credentials Community Group), section 3.2.
"""

import re
from typing import Final

from ledger.errors import MalformedInputError

MAX_DID_CHARACTERS: Final = 512
"""Ours: a host name has at most 253, and paths of DIDs are short."""

_PREFIX: Final = "did:web:"
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = rf"(?:{_LABEL}\.)+(?=[a-z]){_LABEL}"
"""The last label begins with a letter, which that of an IPv4 address never does."""
_DID: Final = re.compile(
    rf"did:web:({_HOST})(?:%3[Aa]([1-9][0-9]{{0,4}}))?((?::[A-Za-z0-9._-]+)*)", re.ASCII
)


def is_did_web(did: str) -> bool:
    """Return whether `did` is of the method did:web, however it is spelled."""
    return did.startswith(_PREFIX)


def document_url(did: str) -> str:
    """Return where the document of a did:web is.

    Raises:
        MalformedInputError: it is no did:web, or not in its plain spelling.

    """
    match = _DID.fullmatch(did) if len(did) <= MAX_DID_CHARACTERS else None
    if match is None:
        raise _not_a_did_web(did)
    host, port, path = match.groups()
    parts = path.split(":")[1:]
    if int(port or 1) > 0xFFFF or {".", ".."} & set(parts):
        raise _not_a_did_web(did)
    place = f"{host}:{port}" if port else host
    return f"https://{place}/{'/'.join(parts or ['.well-known'])}/did.json"


def _not_a_did_web(did: str) -> MalformedInputError:
    return MalformedInputError(
        "not-a-did-web", f"not a did:web such as did:web:univ.example.org: {did[:80]!r}"
    )

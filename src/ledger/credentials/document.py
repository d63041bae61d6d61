"""What a document is, decided by its bytes alone.

    a credential   strict I-JSON whose value is an object with `VerifiableCredential` in
                   `type`; its digest is that of its RFC 8785 form
    a file         anything else; its digest is that of its bytes
    refused        bytes that are neither to us, and a credential to another reader

The third kind exists because a revoked credential, respelled so that it does not parse
here, would otherwise be "a file" with a new digest, and still open in a wallet. Refused
are bytes that

* are not strict I-JSON of at most `MAX_CREDENTIAL_BYTES`, and, read as UTF-8, UTF-16 or
  UTF-32 of either byte order with undecodable bytes left out, have `{` as their first
  character after white space, control characters, byte order marks and comments
  (`//`, `/*`, `#`), and hold the word `VerifiableCredential`, be it spelled with the
  escapes of JSON or JSON5; or
* are strict I-JSON, no credential by the rule above, and an object with
  `VerifiableCredential` in `@type` or in `type` spelled with other cases: aliases to a
  JSON-LD processor and to readers that ignore case; or
* are the same, with a context of the W3C's credentials in `@context`, and anything in `type`
  but a presentation or an envelope. JSON-LD has as many names for a type as one likes, and a
  signature over its graph stays good under each of them; but a wallet needs that context.

A file that begins with a brace and mentions the word without being JSON, or has that context
for another purpose, is refused although it may be innocent; nothing else is.

Source: RFC 7493 (I-JSON), RFC 8259.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from ledger.credentials.canonical import (
    CREDENTIAL_TYPE,
    credential_digest,
    find_anchor_proof,
    is_credential,
    names_credential,
)
from ledger.errors import MalformedInputError
from ledger.primitives import Canonicalization, Hash32, sha256
from ledger.strict_json import parse

MAX_CREDENTIAL_BYTES: Final = 1 << 20
"""Ours: badges have about 4 KB, and a baked picture inside one some hundred."""

MAX_DOCUMENT_BYTES: Final = 16 << 20
"""Ours: the worst file of this size takes four seconds to tell from a credential."""

_CREDENTIAL_CONTEXTS: Final = frozenset(
    {"https://www.w3.org/ns/credentials/v2", "https://www.w3.org/2018/credentials/v1"}
)
_OTHER_TYPES: Final = frozenset(
    {
        "VerifiablePresentation",
        "EnvelopedVerifiableCredential",
        "EnvelopedVerifiablePresentation",
    }
)
"""What those contexts have besides credentials. They are protected: nobody can rename these."""

_ENCODINGS: Final = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
"""Those that JSON has had since RFC 4627."""

_INSIGNIFICANT: Final = re.compile(
    r"(?:[\s\x00-\x1f\ufeff\ufffe]|//[^\r\n]*+|/\*.*?\*/|\#[^\r\n]*+)*+", re.DOTALL
)
_HEAD_BYTES: Final = 4096


def _spelled(letter: str) -> str:
    """Return a pattern of the spellings that JSON and JSON5 have for an ASCII letter."""
    code = f"{ord(letter):x}"
    return rf"(?:\\?{letter}|(?i:\\u00{code}|\\x{code}|\\u\{{0*{code}\}}))"


_CREDENTIAL_WORD: Final = re.compile(
    # A backslash at the end of a line continues a JSON5 string on the next.
    r"(?:\\\r?\n)*".join(map(_spelled, CREDENTIAL_TYPE))
)


@dataclass(frozen=True, slots=True)
class Document:
    """What can be anchored: a credential, or a file of any kind."""

    credential: dict[str, Any] | None
    """The parsed credential with its proofs; None for a file."""
    digest: Hash32
    canonicalization: Canonicalization


def read_document(data: bytes) -> Document:
    """Return what `data` is, by the rule of this module.

    Raises:
        MalformedInputError: more than `MAX_DOCUMENT_BYTES`, or the third kind above, or a
            credential with several anchor proofs or a lone one.

    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise MalformedInputError(
            "too-large", f"{len(data)} bytes; a document has at most {MAX_DOCUMENT_BYTES}"
        )
    try:
        value = parse(data, max_bytes=MAX_CREDENTIAL_BYTES)
    except MalformedInputError as error:
        if _resembles_credential(data):
            raise MalformedInputError(
                error.code, f"this looks like a credential, but {error.message}"
            ) from None
        value = None
    if is_credential(value):
        return document_of(value)
    _check_no_alias(value)
    return Document(None, sha256(data), Canonicalization.NONE)


def document_of(credential: dict[str, Any]) -> Document:
    """Return the document that an already parsed credential is.

    Raises:
        MalformedInputError: it is no credential, has no RFC 8785 form, or has several
            anchor proofs or a lone one.

    """
    if not is_credential(credential):
        raise MalformedInputError(
            "not-a-credential", f"the object has no {CREDENTIAL_TYPE} in its `type`"
        )
    find_anchor_proof(credential)
    return Document(credential, credential_digest(credential), Canonicalization.RFC8785)


def _resembles_credential(data: bytes) -> bool:
    for encoding in _ENCODINGS:
        # Pictures and the like are told apart here, without decoding all of them.
        if _first_character(data[:_HEAD_BYTES].decode(encoding, errors="ignore")) not in "{/":
            continue
        text = data.decode(encoding, errors="ignore")
        if _first_character(text) == "{" and _CREDENTIAL_WORD.search(text):
            return True
    return False


def _first_character(text: str) -> str:
    """Return the first significant one; empty when there is none.

    A comment that does not end counts as one, so a piece of a text gives "/" or "" where
    the whole may give another.
    """
    match = _INSIGNIFICANT.match(text)
    return text[match.end() :][:1] if match else ""


def _check_no_alias(value: object) -> None:
    if not isinstance(value, dict):
        return
    for name, types in value.items():
        if name.casefold() in ("type", "@type") and names_credential(types):
            raise MalformedInputError(
                "type-alias", f"a credential names its type in `type`, not in {name[:20]!r}"
            )
    if _CREDENTIAL_CONTEXTS.intersection(_texts(value.get("@context"))):
        types = _texts(value.get("type"))
        if not types or not _OTHER_TYPES.issuperset(types):
            raise MalformedInputError(
                "type-alias",
                f"an object with the context of a credential names {CREDENTIAL_TYPE} in `type`",
            )


def _texts(value: object) -> list[str]:
    """Return the strings in an array, or the one string."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str)]

"""did:key for Ed25519: a DID that is its own public key.

    did:key:z<base58btc(0xed 0x01 || 32-byte public key)>

A key's verification method repeats it: `did:key:zX#zX`. One key has one spelling.

Source: did:key v0.9, Multibase and base58btc (draft-msporny-base58-03), Controlled
Identifiers 1.0 section 2.2.2 (Multikey).
"""

from functools import lru_cache
from typing import Final

from ledger.errors import MalformedInputError

KEY_BYTES: Final = 32
"""Of an Ed25519 seed and of its public key (RFC 8032)."""

_DID_PREFIX: Final = "did:key:"
_ED25519_PREFIX: Final = b"\xed\x01"
"""The multicodec of an Ed25519 public key."""

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PAIRS: Final = [high + low for high in _ALPHABET for low in _ALPHABET]
"""Two digits at a time halve the divisions of a long number."""

_VALUES: Final = {letter: value for value, letter in enumerate(_ALPHABET)}
_MAX_DECODED_BYTES: Final = 128
"""Ours: an Ed25519 signature has 64, and the cost of base58 grows with the square."""


def format_base58btc(data: bytes) -> str:
    """Return `data` as multibase base58btc: `z`, then a `1` for each leading zero byte."""
    number, pairs = int.from_bytes(data), []
    while number:
        number, pair = divmod(number, len(_PAIRS))
        pairs.append(_PAIRS[pair])
    digits = "".join(reversed(pairs)).lstrip(_ALPHABET[0])
    return "z" + "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


def parse_base58btc(text: str, *, length: int) -> bytes:
    """Return the `length` bytes, at most 128, that `text` spells in multibase base58btc.

    Raises:
        MalformedInputError: it does not begin with `z`, has a letter that base58btc has
            not, or spells another number of bytes.

    """
    digits = text[1:]
    # 1.4 digits a byte; zeros take one digit each.
    if not text.startswith("z") or len(digits) > 1.4 * _MAX_DECODED_BYTES:
        raise _not_base58btc(text)
    number = 0
    for letter in digits:
        if letter not in _VALUES:
            raise _not_base58btc(text)
        number = 58 * number + _VALUES[letter]
    zeros = len(digits) - len(digits.lstrip("1"))
    data = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)
    if len(data) != length:
        raise MalformedInputError(
            "not-base58btc", f"{text[:60]!r} spells {len(data)} bytes, not {length}"
        )
    return data


def _not_base58btc(text: str) -> MalformedInputError:
    return MalformedInputError("not-base58btc", f"not z and base58btc digits: {text[:60]!r}")


def format_did_key(public: bytes) -> str:
    """Return the did:key of a 32-byte Ed25519 public key."""
    return _DID_PREFIX + format_base58btc(_ED25519_PREFIX + public)


def parse_did_key(did: str) -> bytes:
    """Return the Ed25519 public key that a did:key is.

    Raises:
        MalformedInputError: it is no did:key, or one of another kind of key.

    """
    if not did.startswith(_DID_PREFIX):
        raise MalformedInputError("not-a-did-key", f"not a did:key: {did[:80]!r}")
    return parse_multikey(did.removeprefix(_DID_PREFIX))


# Remembered: base58 costs as much as a tenth of a signature, and issuers have few keys.
@lru_cache(maxsize=256)
def parse_multikey(text: str) -> bytes:
    """Return the Ed25519 public key that a Multikey spells: a did:key without `did:key:`.

    Raises:
        MalformedInputError: it is no base58btc, or a key of another kind.

    """
    data = parse_base58btc(text, length=2 + KEY_BYTES)
    if not data.startswith(_ED25519_PREFIX):
        raise MalformedInputError("not-ed25519", f"not the Multikey of an Ed25519 key: {text!r}")
    return data[2:]


def parse_key_method(method: str) -> bytes:
    """Return the public key of a did:key's verification method, the fragment may be missing.

    Raises:
        MalformedInputError: as `parse_did_key`, or the fragment names another key.

    """
    did, mark, fragment = method.partition("#")
    public = parse_did_key(did)
    if mark and fragment != did.removeprefix(_DID_PREFIX):
        raise MalformedInputError("not-a-did-key", f"{method[:160]!r} names no key of its did:key")
    return public


def key_method(did: str) -> str:
    """Return the verification method of a did:key."""
    return f"{did}#{did.removeprefix(_DID_PREFIX)}"


def is_did_key(did: str) -> bool:
    """Return whether `did` is of the method did:key, whatever kind of key it is."""
    return did.startswith(_DID_PREFIX)

"""Sign the messages of webhooks, and verify them where they arrive.

    webhook-id         the message's id: the same however often it is sent
    webhook-timestamp  Unix seconds of this attempt
    webhook-signature  one or more, a space between them: v1,<base64 of HMAC-SHA256>

What is signed is `id.timestamp.body`, byte for byte, with the bytes that the text
`whsec_<base64>` stands for. While a secret is being replaced there are two signatures, and
one that fits is enough.

Source: Standard Webhooks, version 1.0.0.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final

from ledger.errors import MalformedInputError, ProofError

SECRET_PREFIX: Final = "whsec_"
MIN_SECRET_BYTES: Final = 24
"""The convention's; an empty one would fit what anybody signs."""

TOLERANCE_SECONDS: Final = 300
"""How far the sender's clock and the receiver's may be apart, the way included."""

MAX_SIGNATURES: Final = 16
"""That are looked at in one header: ours has two at most."""

_VERSION: Final = "v1"


def format_secret(secret: bytes) -> str:
    """Return a secret as receivers are given it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def parse_secret(text: str) -> bytes:
    """Return the bytes of a secret.

    Raises:
        MalformedInputError: it is not spelled `whsec_<base64>`, or is too short. It is not
            repeated.

    """
    try:
        secret = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if not text.startswith(SECRET_PREFIX) or len(secret) < MIN_SECRET_BYTES:
        raise MalformedInputError("bad-webhook-secret", "a secret is spelled whsec_<base64>")
    return secret


def sign_message(
    secrets: Sequence[bytes], message_id: str, body: bytes, *, now: int
) -> dict[str, str]:
    """Return the three headers of a message, with a signature by each secret."""
    signatures = (_signature(secret, message_id, str(now), body) for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(now),
        "webhook-signature": " ".join(f"{_VERSION},{one}" for one in signatures),
    }


def verify_webhook(secret: str, headers: Mapping[str, str], body: bytes, *, now: int) -> str:
    """Return the id of a message that was signed with `secret` and is not stale, else raise.

    `headers` is what the framework gives, in whichever case; `body` the bytes as they came.
    Who has done what the id stands for already does nothing: it may come again.

    Raises:
        MalformedInputError: as `parse_secret`; or a header is missing or is not one of these.
        ProofError: `bad-webhook-signature` or `stale-webhook`.

    """
    key = parse_secret(secret)
    given = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, sent_at = given["webhook-id"], given["webhook-timestamp"]
        signatures = given["webhook-signature"].split(" ")[:MAX_SIGNATURES]
    except KeyError as missing:
        raise MalformedInputError("bad-webhook-headers", f"no header {missing.args[0]}") from None
    if not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) <= 15):
        raise MalformedInputError("bad-webhook-headers", "webhook-timestamp is no Unix time")
    expected = f"{_VERSION},{_signature(key, message_id, sent_at, body)}".encode()
    # Every one is compared, so that the time does not tell which one it was.
    fitting = [hmac.compare_digest(one.encode(), expected) for one in signatures]
    if not any(fitting):
        raise ProofError("bad-webhook-signature", "this message was not signed with this secret")
    if abs(now - int(sent_at)) > TOLERANCE_SECONDS:
        raise ProofError(
            "stale-webhook", f"sent more than {TOLERANCE_SECONDS} seconds ago, or not yet"
        )
    return message_id


def _signature(secret: bytes, message_id: str, sent_at: str, body: bytes) -> str:
    signed = f"{message_id}.{sent_at}.".encode() + body
    return base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()

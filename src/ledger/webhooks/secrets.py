"""What signs the messages of a webhook: derived, so that no database holds it.

    secret = HMAC-SHA256(the installation's webhook key, "ledger webhook/1 " || id || " " || n)

`id` is the webhook's, a random UUID, and `n` says how often its secret was replaced. The
key is a file of the keystore. For a day after a secret was replaced, its predecessor signs too.
"""

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from ledger.webhook_signature import format_secret
from ledger.webhooks.store import Webhook

if TYPE_CHECKING:
    from ledger.chain.keystore import Secret

OVERLAP_SECONDS: Final = 86_400


def secret_text(key: "Secret", webhook: Webhook) -> str:
    """Return the secret of a webhook as its receiver is given it; show it once."""
    return format_secret(_derive(key, webhook, webhook.generation))


def signing_secrets(key: "Secret", webhook: Webhook, *, now: int) -> list[bytes]:
    """Return what signs a webhook's messages now, newest first."""
    found = [_derive(key, webhook, webhook.generation)]
    if webhook.rotated_at is not None and now < webhook.rotated_at + OVERLAP_SECONDS:
        found.append(_derive(key, webhook, webhook.generation - 1))
    return found


def _derive(key: "Secret", webhook: Webhook, generation: int) -> bytes:
    named = f"ledger webhook/1 {webhook.public_id} {generation}".encode()
    return hmac.new(key.reveal(), named, hashlib.sha256).digest()

"""Make a webhook: where to, and of what, within bounds."""

import uuid
from collections.abc import Collection, Sequence
from typing import Final

from ledger.batches.events.store import EventKind
from ledger.database import Connection
from ledger.errors import LimitError, MalformedInputError, NotFoundError
from ledger.fetching import FetchError, check_url
from ledger.webhooks.deliveries.store import send_again
from ledger.webhooks.store import Webhook, add_webhook, list_webhooks, wake_webhook

MAX_WEBHOOKS: Final = 10
"""Of one issuer."""

MAX_URL_CHARACTERS: Final = 2_000


def register_webhook(
    tx: Connection,
    issuer: int,
    *,
    url: str,
    kinds: Sequence[EventKind],
    internal: Collection[str],
    now: int,
) -> Webhook:
    """Store a webhook; whether its host is at public addresses is looked at when it is sent to.

    Raises:
        MalformedInputError: not a URL that anything is sent to, or no kind.
        LimitError: the issuer has as many as it may.

    """
    try:
        check_url(url, internal)
    except FetchError:
        raise MalformedInputError(
            "bad-webhook",
            "a webhook is an https URL without user, password and fragment, or one whose "
            "HOST:PORT is among internal_receivers in the settings",
        ) from None
    if len(url) > MAX_URL_CHARACTERS or not kinds:
        raise MalformedInputError(
            "bad-webhook",
            f"a webhook has a URL of at most {MAX_URL_CHARACTERS} characters and some events",
        )
    if len(list_webhooks(tx, issuer)) >= MAX_WEBHOOKS:
        raise LimitError(
            "too-many-webhooks", f"an issuer has at most {MAX_WEBHOOKS} webhooks: remove one"
        )
    return add_webhook(tx, issuer, public_id=str(uuid.uuid4()), url=url, kinds=kinds, now=now)


def redeliver(tx: Connection, webhook: Webhook, message: str | None, *, now: int) -> int:
    """Have a message sent again, or all that was not delivered; return how many.

    Raises:
        NotFoundError: the webhook was never to be told of this message, or it is forgotten.

    """
    # The webhook first, as couriers lock: else each could wait for the other.
    wake_webhook(tx, webhook.id)
    count = send_again(tx, webhook.id, message, now=now)
    if message is not None and not count:
        raise NotFoundError("no-message", "the webhook has no message of this id")
    return count

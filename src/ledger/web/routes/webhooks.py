"""Where an issuer wants to be told of what has come about, and how the telling went."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from ledger.batches.events.store import EventKind
from ledger.chain.keystore import Secret
from ledger.clock import format_time
from ledger.errors import ConflictError
from ledger.issuers.api_keys import Scope
from ledger.web.auth import ServiceOf, issuer_with
from ledger.web.documented import problems
from ledger.web.fields import Body, Number
from ledger.web.service import Service
from ledger.web.strict_route import StrictRoute
from ledger.webhooks.deliveries.store import Delivery, DeliveryState, page_of_deliveries
from ledger.webhooks.registering import MAX_URL_CHARACTERS, redeliver, register_webhook
from ledger.webhooks.secrets import secret_text
from ledger.webhooks.store import (
    Webhook,
    get_webhook,
    list_webhooks,
    remove_webhook,
    rotate_webhook,
)

router = APIRouter(prefix="/v1", tags=["webhooks"], route_class=StrictRoute)

Owner = Annotated[int, Depends(issuer_with(Scope.WEBHOOKS))]

WebhookId = Annotated[
    str, Path(alias="id", pattern="^[0-9a-f-]{1,36}$", description="The webhook's UUID.")
]
MessageId = Annotated[
    str, Path(pattern="^msg_[0-9a-f]{1,32}$", description="The `webhook-id` of the message.")
]


class NewWebhook(Body):
    """Where to, and of what."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"url": "https://lms.example.org/hooks/ledger"}]}
    )

    url: str = Field(min_length=1, max_length=MAX_URL_CHARACTERS)
    events: list[EventKind] = Field(
        default=list(EventKind), min_length=1, max_length=len(EventKind)
    )


class WebhookView(BaseModel):
    """A webhook without its secret."""

    id: str
    url: str
    events: list[EventKind]
    created: str = Field(examples=["2026-10-01T09:00:00Z"])
    failures: int = Field(description="Attempts in a row that failed, whatever the message.")
    resting: str | None = Field(description="Nothing is sent before, because attempts failed.")


class MadeWebhook(BaseModel):
    """A webhook with its secret, which is shown this once."""

    webhook: WebhookView
    secret: str = Field(examples=["whsec_…"])


class WebhookList(BaseModel):
    """The webhooks of an issuer, oldest first."""

    webhooks: list[WebhookView]


class DeliveryView(BaseModel):
    """One message for one webhook, and how far it is."""

    message: str = Field(description="What the receiver sees as `webhook-id`.")
    event: EventKind
    made: str = Field(examples=["2026-10-01T09:00:00Z"])
    state: DeliveryState
    attempts: int
    answer: str | None = Field(description="`HTTP 500`, or the code of what went wrong.")
    tried: str | None
    next: str | None = Field(description="When it is sent next, while it waits.")


class DeliveryPage(BaseModel):
    """Some deliveries, newest first, and how to get the next ones."""

    deliveries: list[DeliveryView]
    next: int | None = Field(description="Give it as `before` to get the next page.")


class Redelivery(BaseModel):
    """How many messages were made due."""

    messages: int


@router.get(
    "/webhooks",
    operation_id="listWebhooks",
    summary="List an issuer's webhooks",
    responses=problems(401, 403, 422, 429, 503),
)
def get_webhooks(service: ServiceOf, issuer: Owner) -> WebhookList:
    """Give the webhooks of the key's issuer."""
    with service.database.read() as tx:
        return WebhookList(webhooks=[_view(one) for one in list_webhooks(tx, issuer)])


@router.post(
    "/webhooks",
    operation_id="createWebhook",
    summary="Be told of what comes about",
    status_code=201,
    responses=problems(400, 401, 403, 408, 409, 413, 422, 429, 503),
)
def post_webhook(service: ServiceOf, issuer: Owner, body: NewWebhook) -> MadeWebhook:
    """Make a webhook and show its secret, once.

    There is no idempotency key here, for an answer that is kept would hold the secret. Who did
    not hear the answer removes what was made and asks again.
    """
    key = _key(service)
    with service.database.write() as tx:
        made = register_webhook(
            tx,
            issuer,
            url=body.url,
            kinds=body.events,
            internal=service.settings.internal_receivers,
            now=service.now(),
        )
    return MadeWebhook(webhook=_view(made), secret=secret_text(key, made))


@router.delete(
    "/webhooks/{id}",
    operation_id="removeWebhook",
    summary="Be told no more",
    status_code=204,
    response_class=Response,
    responses=problems(401, 403, 404, 422, 429, 503),
)
def delete_webhook(service: ServiceOf, issuer: Owner, webhook: WebhookId) -> None:
    """Forget a webhook, with all that it was or was to be told."""
    with service.database.write() as tx:
        remove_webhook(tx, get_webhook(tx, issuer, webhook))


@router.post(
    "/webhooks/{id}/secret",
    operation_id="rotateWebhookSecret",
    summary="Replace a webhook's secret",
    responses=problems(401, 403, 404, 409, 422, 429, 503),
)
def post_secret(service: ServiceOf, issuer: Owner, webhook: WebhookId) -> MadeWebhook:
    """Show a new secret, once. For a day messages are signed with the old one too."""
    key = _key(service)
    with service.database.write() as tx:
        rotated = rotate_webhook(tx, get_webhook(tx, issuer, webhook), now=service.now())
    return MadeWebhook(webhook=_view(rotated), secret=secret_text(key, rotated))


@router.get(
    "/webhooks/{id}/deliveries",
    operation_id="listDeliveries",
    summary="What became of a webhook's messages?",
    responses=problems(401, 403, 404, 422, 429, 503),
)
def get_deliveries(
    service: ServiceOf,
    issuer: Owner,
    webhook: WebhookId,
    before: Annotated[Number | None, Query(description="The `next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DeliveryPage:
    """Give the newest deliveries first; what ended is kept for 30 days."""
    with service.database.read() as tx:
        known = get_webhook(tx, issuer, webhook)
        found = page_of_deliveries(tx, known.id, before=before, limit=limit)
    return DeliveryPage(
        deliveries=[_delivery(one) for one in found],
        next=found[-1].id if len(found) == limit else None,
    )


@router.post(
    "/webhooks/{id}/redeliveries",
    operation_id="redeliverAll",
    summary="Send all that was not delivered again",
    responses=problems(401, 403, 404, 422, 429, 503),
)
def post_redeliveries(service: ServiceOf, issuer: Owner, webhook: WebhookId) -> Redelivery:
    """Make due what waits and what was given up, such as when the receiver is back."""
    with service.database.write() as tx:
        known = get_webhook(tx, issuer, webhook)
        return Redelivery(messages=redeliver(tx, known, None, now=service.now()))


@router.post(
    "/webhooks/{id}/redeliveries/{message}",
    operation_id="redeliverOne",
    summary="Send one message again",
    responses=problems(401, 403, 404, 422, 429, 503),
)
def post_redelivery(
    service: ServiceOf, issuer: Owner, webhook: WebhookId, message: MessageId
) -> Redelivery:
    """Make a message due, even if it was delivered; its id stays the same."""
    with service.database.write() as tx:
        known = get_webhook(tx, issuer, webhook)
        return Redelivery(messages=redeliver(tx, known, message, now=service.now()))


def _key(service: Service) -> Secret:
    if service.webhook_key is None:
        raise ConflictError(
            "no-webhook-key",
            "this service was started without keys and cannot make a secret: start it with "
            "--password-file, or run `ledger webhook add`",
        )
    return service.webhook_key


def _view(webhook: Webhook) -> WebhookView:
    return WebhookView(
        id=webhook.public_id,
        url=webhook.url,
        events=list(webhook.kinds),
        created=format_time(webhook.created_at),
        failures=webhook.failures,
        resting=format_time(webhook.rests_until) if webhook.rests_until else None,
    )


def _delivery(one: Delivery) -> DeliveryView:
    waits = one.state is DeliveryState.WAITING
    return DeliveryView(
        message=one.message,
        event=EventKind(one.kind),
        made=format_time(one.made_at),
        state=one.state,
        attempts=one.attempts,
        answer=one.answer,
        tried=format_time(one.tried_at) if one.tried_at else None,
        next=format_time(one.next_at) if waits else None,
    )

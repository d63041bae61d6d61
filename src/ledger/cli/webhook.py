"""`ledger webhook`: whom to tell of what has come about, and how that went."""

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.installation import Installation
from ledger.cli.options import Home, IssuerNumber, Json, PasswordFile
from ledger.cli.output import show, show_json, show_table
from ledger.clock import format_time, now
from ledger.errors import MalformedInputError
from ledger.primitives import counted

if TYPE_CHECKING:
    from ledger.batches.events.store import EventKind
    from ledger.webhooks.deliveries.store import Delivery

DELIVERIES_SHOWN = 50

webhook = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Tell an issuer's programs over HTTP when batches are final and statuses change.",
)

WebhookId = Annotated[str, typer.Argument(metavar="ID", help="As `ledger webhook list` shows it.")]


def add_commands(app: typer.Typer) -> None:
    """Add this module's group to `app`."""
    app.add_typer(webhook, name="webhook")


@webhook.command()
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where messages are posted to.")],
    events: Annotated[
        str, typer.Option(help="Of what; separated by commas.")
    ] = "batch.final,credential.status",
    number: IssuerNumber = None,
    home: Home = None,
    password_file: PasswordFile = None,
) -> None:
    """Make a webhook; print its id, and its secret, once.

    The receiver needs the secret to tell our messages from forged ones.
    """
    from ledger.webhooks.registering import register_webhook
    from ledger.webhooks.secrets import secret_text

    installation = Installation.open(home, password_file)
    issuer = installation.issuer(number).number
    kinds = _kinds(events)
    key = installation.webhook_key()
    with installation.database.write() as tx:
        made = register_webhook(
            tx,
            issuer,
            url=url,
            kinds=kinds,
            internal=installation.settings.internal_receivers,
            now=now(),
        )
    show(made.public_id)
    show(secret_text(key, made))


def _kinds(text: str) -> "list[EventKind]":
    from ledger.batches.events.store import EventKind

    known = [str(kind) for kind in EventKind]
    wanted = [name.strip() for name in text.split(",")]
    if unknown := [name for name in wanted if name not in known]:
        raise MalformedInputError(
            "usage", f"no such event: {unknown[0]!r}; there are {', '.join(known)}"
        )
    return [EventKind(name) for name in wanted]


@webhook.command("list")
def list_(number: IssuerNumber = None, home: Home = None, as_json: Json = False) -> None:
    """List an issuer's webhooks, without their secrets."""
    from ledger.webhooks.store import list_webhooks

    installation = Installation.open(home)
    issuer = installation.issuer(number).number
    with installation.database.read() as tx:
        found = list_webhooks(tx, issuer)
    rows = [
        {
            "id": one.public_id,
            "url": one.url,
            "events": ",".join(one.kinds),
            "created": format_time(one.created_at),
            "failures": one.failures,
        }
        for one in found
    ]
    if as_json:
        show_json(rows)
        return
    show_table(
        ["id", "url", "events", "created", "failures"], [tuple(row.values()) for row in rows]
    )


@webhook.command()
def remove(webhook_id: WebhookId, number: IssuerNumber = None, home: Home = None) -> None:
    """Forget a webhook, with all that it was or was to be told."""
    from ledger.webhooks.store import get_webhook, remove_webhook

    installation = Installation.open(home)
    issuer = installation.issuer(number).number
    with installation.database.write() as tx:
        remove_webhook(tx, get_webhook(tx, issuer, webhook_id))
    show(f"Webhook {webhook_id} is told nothing any more.")


@webhook.command()
def rotate(
    webhook_id: WebhookId,
    number: IssuerNumber = None,
    home: Home = None,
    password_file: PasswordFile = None,
) -> None:
    """Replace a webhook's secret; print the new one, once.

    For a day messages are signed with the old one too.
    """
    from ledger.webhooks.secrets import secret_text
    from ledger.webhooks.store import get_webhook, rotate_webhook

    installation = Installation.open(home, password_file)
    issuer = installation.issuer(number).number
    key = installation.webhook_key()
    with installation.database.write() as tx:
        rotated = rotate_webhook(tx, get_webhook(tx, issuer, webhook_id), now=now())
    show(secret_text(key, rotated))


@webhook.command()
def deliveries(
    webhook_id: WebhookId, number: IssuerNumber = None, home: Home = None, as_json: Json = False
) -> None:
    """Show the newest messages of a webhook, and what came of each."""
    from ledger.webhooks.deliveries.store import page_of_deliveries
    from ledger.webhooks.store import get_webhook

    installation = Installation.open(home)
    issuer = installation.issuer(number).number
    with installation.database.read() as tx:
        known = get_webhook(tx, issuer, webhook_id)
        found = page_of_deliveries(tx, known.id, before=None, limit=DELIVERIES_SHOWN)
    rows = [_described(one) for one in found]
    if as_json:
        show_json(rows)
        return
    columns = ["message", "event", "made", "state", "attempts", "answer", "next"]
    cells = [tuple("-" if cell is None else cell for cell in row.values()) for row in rows]
    show_table(columns, cells)


@webhook.command()
def redeliver(
    webhook_id: WebhookId,
    message: Annotated[
        str | None, typer.Argument(metavar="[MESSAGE]", help="Else all that was not delivered.")
    ] = None,
    number: IssuerNumber = None,
    home: Home = None,
) -> None:
    """Have messages sent again, now, such as when a receiver is back."""
    from ledger.webhooks.registering import redeliver as send_again
    from ledger.webhooks.store import get_webhook

    installation = Installation.open(home)
    issuer = installation.issuer(number).number
    with installation.database.write() as tx:
        count = send_again(tx, get_webhook(tx, issuer, webhook_id), message, now=now())
    show(f"{counted(count, 'message')} will be sent by the worker, now.")


def _described(one: "Delivery") -> dict[str, str | int | None]:
    from ledger.webhooks.deliveries.store import DeliveryState

    waits = one.state is DeliveryState.WAITING
    return {
        "message": one.message,
        "event": one.kind,
        "made": format_time(one.made_at),
        "state": str(one.state),
        "attempts": one.attempts,
        "answer": one.answer,
        "next": format_time(one.next_at) if waits else None,
    }

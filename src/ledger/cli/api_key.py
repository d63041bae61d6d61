"""`ledger issuer key`: API keys for the HTTP service."""

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.installation import Installation
from ledger.cli.options import Home, IssuerNumber, Json
from ledger.cli.output import show, show_json, show_table
from ledger.clock import format_time, now, parse_duration
from ledger.errors import MalformedInputError

if TYPE_CHECKING:
    from ledger.issuers.api_keys import ApiKey

key = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Admin = Annotated[
    bool, typer.Option("--admin", help="Of the installation itself, not of an issuer.")
]


@key.command()
def create(
    label: Annotated[str, typer.Option(help="What it is for, such as the name of an LMS.")],
    scopes: Annotated[
        str,
        typer.Option(help="What it may do: submit, read, status, webhooks; separated by commas."),
    ] = "submit,read",
    expires: Annotated[
        str | None,
        typer.Option(metavar="T", help="When it ends from now, such as 90d; else never."),
    ] = None,
    admin: Admin = False,
    number: IssuerNumber = None,
    home: Home = None,
) -> None:
    """Make an API key and print it, once.

    Only a hash of it is stored: who loses it makes another.
    """
    from ledger.issuers.api_keys import Scope, create_key

    known = {str(scope) for scope in Scope}
    wanted = {"admin"} if admin else {name.strip() for name in scopes.split(",")}
    if unknown := sorted(wanted - known):
        raise MalformedInputError(
            "bad-scopes", f"no such scope: {unknown[0]!r}; there are {', '.join(sorted(known))}"
        )
    installation = Installation.open(home)
    issuer = None if admin else installation.issuer(number).number
    time = now()
    with installation.database.write() as tx:
        text = create_key(
            tx,
            issuer=issuer,
            scopes={Scope(name) for name in wanted},
            label=label,
            now=time,
            expires_at=time + parse_duration(expires) if expires else None,
        )
    show(text)


@key.command("list")
def list_(
    admin: Admin = False, number: IssuerNumber = None, home: Home = None, as_json: Json = False
) -> None:
    """List API keys, without their secrets."""
    from ledger.issuers.api_keys import list_keys

    installation = Installation.open(home)
    issuer = None if admin else installation.issuer(number).number
    with installation.database.read() as tx:
        found = list_keys(tx, issuer)
    if as_json:
        show_json([{"id": one.id, **_described(one)} for one in found])
        return
    show_table(
        ["id", "label", "scopes", "created", "expires", "revoked"],
        [(one.id, *(text or "-" for text in _described(one).values())) for one in found],
    )


@key.command()
def revoke(
    key_id: Annotated[int, typer.Argument(metavar="ID", help="The number after `ledger_`.")],
    home: Home = None,
) -> None:
    """End an API key, at once and for ever."""
    from ledger.issuers.store import revoke_api_key

    installation = Installation.open(home)
    with installation.database.write() as tx:
        revoke_api_key(tx, key_id, now=now())
    show(f"API key {key_id} opens nothing any more.")


def _described(one: "ApiKey") -> dict[str, str | None]:
    return {
        "label": one.label,
        "scopes": ",".join(sorted(one.scopes)),
        "created": format_time(one.created_at),
        "expires": format_time(one.expires_at) if one.expires_at else None,
        "revoked": format_time(one.revoked_at) if one.revoked_at else None,
    }

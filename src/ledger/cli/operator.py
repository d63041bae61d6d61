"""`ledger operator`: which keys may work for an issuer."""

from typing import Annotated

import typer

from ledger.cli.installation import Installation
from ledger.cli.options import Home, IssuerNumber, PasswordFile
from ledger.cli.output import show
from ledger.errors import MalformedInputError
from ledger.primitives import format_address, parse_address

operator = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    app.add_typer(operator, name="operator", help="Give keys their roles, and take them.")


@operator.command("set")
def set_(
    address: Annotated[str, typer.Argument(help="The key's address, in EIP-55 spelling.")],
    roles: Annotated[
        str, typer.Option(help="anchor, status, anchor,status or none: exactly these.")
    ],
    number: IssuerNumber = None,
    home: Home = None,
    password_file: PasswordFile = None,
) -> None:
    """Give a key exactly these roles for an issuer; none ends them."""
    from ledger.chain.keystore import KeyName
    from ledger.chain.registry.slots import Role
    from ledger.issuers.registration import give_roles

    wanted = Role(0)
    for name in roles.split(","):
        match name.strip():
            case "anchor":
                wanted |= Role.ANCHOR
            case "status":
                wanted |= Role.STATUS
            case "none":
                pass
            case other:
                raise MalformedInputError("bad-role", f"no such role: {other!r}")
    installation = Installation.open(home, password_file)
    key = parse_address(address)
    issuer = installation.issuer(number)
    owner = installation.sender(KeyName.OWNER)
    give_roles(installation.outbox, owner, installation.registry, issuer.number, key, wanted)
    show(f"{format_address(key)} now has for issuer {issuer.number}: {roles}")


@operator.command()
def bare(
    number: IssuerNumber = None, home: Home = None, password_file: PasswordFile = None
) -> None:
    """Name the issuer that roots sent as bare 32-byte calldata by our anchor key belong to."""
    from ledger.chain.keystore import KeyName
    from ledger.issuers.registration import name_bare_issuer

    installation = Installation.open(home, password_file)
    issuer = installation.issuer(number)
    anchorer = installation.sender(KeyName.ANCHOR)
    name_bare_issuer(installation.outbox, anchorer, installation.registry, issuer.number)
    show(f"Bare roots of {format_address(anchorer.address)} are those of issuer {issuer.number}")

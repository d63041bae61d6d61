"""`ledger issuer`: who issues."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli import api_key
from ledger.cli.installation import Installation
from ledger.cli.options import Home, IssuerNumber, Json, PasswordFile
from ledger.cli.output import show, show_json, show_table

if TYPE_CHECKING:
    from ledger.issuers.store import Issuer, Profile

issuer = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
issuer.add_typer(api_key.key, name="key", help="Let programs in over HTTP, and out again.")


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    app.add_typer(issuer, name="issuer", help="Register issuers and look at them.")


@issuer.command()
def register(
    name: Annotated[str, typer.Option(help="The issuer's name, as its badges show it.")],
    did: Annotated[
        str | None, typer.Option(help="Its DID; else the did:key of this installation.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="Its web site.")] = None,
    country: Annotated[
        str | None, typer.Option(metavar="CODE", help="Its country, such as FR.")
    ] = None,
    region: Annotated[str | None, typer.Option(help="Its region.")] = None,
    home: Home = None,
    password_file: PasswordFile = None,
) -> None:
    """Register an issuer and give this installation's keys their roles.

    Waits until the registration is final: the number it gives is signed into every badge.
    """
    from ledger.issuers.store import Profile

    installation = Installation.open(home, password_file)
    profile = Profile(did or installation.did(), name, url, country, region)
    registered = register_issuer(installation, profile)
    show(f"Issuer {registered.number}  {profile.name}")
    show(f"DID   {profile.did}")
    show(f"Home  {installation.home_of(registered.number)}")
    show("Next: `ledger issue ROSTER --template TEMPLATE`.")


def register_issuer(installation: Installation, profile: "Profile") -> "Issuer":
    """Register `profile`, give the installation's keys their roles, and trust its home."""
    from ledger.chain.keystore import KeyName
    from ledger.chain.registry.slots import Role
    from ledger.issuers.registration import give_roles, register

    owner = installation.sender(KeyName.OWNER)
    registered = register(installation.outbox, owner, installation.registry, profile)
    for key, role in ((KeyName.ANCHOR, Role.ANCHOR), (KeyName.STATUS, Role.STATUS)):
        operator = installation.address(key)
        give_roles(
            installation.outbox, owner, installation.registry, registered.number, operator, role
        )
    installation.trust_home(registered.number)
    return registered


@issuer.command()
def accredit(
    accredited: Annotated[int, typer.Argument(metavar="N", help="The issuer to vouch for.")],
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Until before this time; else open.")
    ] = None,
    number: IssuerNumber = None,
    home: Home = None,
    password_file: PasswordFile = None,
) -> None:
    """Vouch for another issuer, from now on.

    Verifiers whose policy names us as an accreditor then believe what it anchors meanwhile.
    """
    from ledger.chain.keystore import KeyName
    from ledger.credentials.timestamps import parse_time
    from ledger.issuers.registration import accredit as send

    end = parse_time(until) if until else 0
    installation = Installation.open(home, password_file)
    accreditor = installation.issuer(number)
    owner = installation.sender(KeyName.OWNER)
    send(
        installation.outbox,
        owner,
        installation.registry,
        accreditor.number,
        accredited,
        until=end,
    )
    span = f"until {until}" if until else "until withdrawn"
    show(f"Issuer {accreditor.number} vouches for issuer {accredited} {span}.")


@issuer.command()
def unaccredit(
    accredited: Annotated[int, typer.Argument(metavar="N", help="The issuer vouched for.")],
    number: IssuerNumber = None,
    home: Home = None,
    password_file: PasswordFile = None,
) -> None:
    """Stop vouching for an issuer.

    What it anchored before stays accredited.
    """
    from ledger.chain.keystore import KeyName
    from ledger.issuers.registration import withdraw_accreditation

    installation = Installation.open(home, password_file)
    accreditor = installation.issuer(number)
    owner = installation.sender(KeyName.OWNER)
    withdraw_accreditation(
        installation.outbox, owner, installation.registry, accreditor.number, accredited
    )
    show(f"Issuer {accreditor.number} no longer vouches for issuer {accredited}.")


@issuer.command("list")
def list_(home: Home = None, as_json: Json = False) -> None:
    """List the issuers of this installation."""
    from ledger.issuers.store import list_issuers

    installation = Installation.open(home)
    with installation.database.read() as tx:
        found = list_issuers(tx)
    if as_json:
        show_json([describe(installation, one) for one in found])
    else:
        show_table(
            ["issuer", "name", "DID"],
            [(one.number, one.profile.name, one.profile.did) for one in found],
        )


@issuer.command("show")
def show_one(number: IssuerNumber = None, home: Home = None, as_json: Json = False) -> None:
    """Show one issuer."""
    installation = Installation.open(home)
    described = describe(installation, installation.issuer(number))
    if as_json:
        show_json(described)
        return
    for member, value in described.items():
        show(f"{member:<8}  {'-' if value is None else value}")


def describe(installation: Installation, one: "Issuer") -> dict[str, Any]:
    """Return an issuer as JSON."""
    return {
        "issuer": one.number,
        "home": str(installation.home_of(one.number)),
        "did": one.profile.did,
        "name": one.profile.name,
        "url": one.profile.url,
        "country": one.profile.country_code,
        "region": one.profile.region,
    }

"""`ledger operator`: which keys may work for an issuer."""

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli import operator_list
from ledger.cli.installation import Installation
from ledger.cli.options import Home, IssuerNumber, PasswordFile
from ledger.cli.output import show
from ledger.errors import ConflictError, MalformedInputError
from ledger.primitives import Address, counted, format_address, parse_address

if TYPE_CHECKING:
    from pathlib import Path

    from ledger.chain.keystore import KeyName
    from ledger.chain.registry.slots import Role

operator = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
operator.command("list")(operator_list.list_)


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


@operator.command()
def compromised(
    address: Annotated[str, typer.Argument(help="The key's address, in EIP-55 spelling.")],
    since: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="Since when it is in other hands, such as "
            "2026-11-25T09:00:00Z; may later be moved to earlier only.",
        ),
    ],
    number: IssuerNumber = None,
    home: Home = None,
    password_file: PasswordFile = None,
) -> None:
    """Report that a key is in other hands. It cannot be taken back.

    The key loses its roles for ever, and nobody believes what it anchored since that
    time, until another key anchors it again: `ledger operator rotate anchor`, then
    `ledger anchor --again`. Holders keep their files.
    """
    from ledger.batches.compromise import find_untrusted
    from ledger.chain.keystore import KeyName
    from ledger.credentials.timestamps import parse_time
    from ledger.issuers.registration import report_compromise

    key, moment = parse_address(address), parse_time(since)
    installation = Installation.open(home, password_file)
    issuer = installation.issuer(number)
    owner = installation.sender(KeyName.OWNER)
    report_compromise(installation.outbox, owner, installation.registry, issuer.number, key, moment)
    untrusted = find_untrusted(installation.outbox, installation.registry, issuer.number)
    show(f"{format_address(key)} is compromised for issuer {issuer.number} since {since}.")
    show(f"{counted(len(untrusted), 'batch', 'batches')} must be anchored again, by another key.")
    for name in (KeyName.ANCHOR, KeyName.STATUS):
        if installation.address(name) == key:
            show(f"Next: `ledger operator rotate {name}`; it is this installation's {name} key.")
            return
    if untrusted:
        show("Next: `ledger anchor --again`.")


@operator.command()
def rotate(
    name: Annotated[str, typer.Argument(metavar="KEY", help="Which key: anchor or status.")],
    home: Home = None,
    password_file: PasswordFile = None,
) -> None:
    """Put a new key in the place of this installation's anchor or status key.

    The new one gets the old one's role for every issuer here, and the old one loses it. The
    old file is kept aside. Safe to stop and run again before it says that it is done.
    """
    from ledger.chain.keystore import KeyName
    from ledger.chain.registry.slots import Role

    roles = {KeyName.ANCHOR: Role.ANCHOR, KeyName.STATUS: Role.STATUS}
    if name not in roles:
        raise MalformedInputError("usage", f"anchor or status can be rotated, not {name!r}")
    chosen = KeyName(name)
    installation = Installation.open(home, password_file)
    old, new, aside = rotate_key(installation, chosen, roles[chosen])
    show(f"{chosen} key  {format_address(new)}; fund it.")
    show(f"The old one, {format_address(old)}, is kept in {aside}.")
    if chosen is KeyName.ANCHOR:
        show("Next: fund the key, then `ledger anchor`, with `--again` after a compromise.")


def rotate_key(
    installation: Installation, name: "KeyName", role: "Role"
) -> "tuple[Address, Address, Path]":
    """Put a new key in the place of `name`; return the old one, the new one, the old one's file.

    1. successor drawn and stored       the next run finds it
    2. it has the role on chain         the next run finds it so
    3. the old key has no role there    the same
    4. the files change places          done

    Raises:
        ConflictError: transactions of the old key are under way, and it is not compromised; or
            a signer program keeps it.
        ChainError: the node did not answer.

    """
    from ledger.batches.store import list_compromised
    from ledger.chain.keystore import KeyName
    from ledger.chain.registry.slots import Role
    from ledger.chain.store import list_unfinished
    from ledger.issuers.registration import give_roles
    from ledger.issuers.store import list_issuers

    if installation.signer_process is not None:
        raise ConflictError(
            "signer-keeps-key",
            "the signer program keeps the key: change it there, then `ledger operator set`",
        )
    keystore, outbox = installation.keystore, installation.outbox
    old = keystore.address(name)
    with installation.database.read() as tx:
        issuers = list_issuers(tx)
        under_way = [t for t in list_unfinished(tx) if t.sender == old]
        if under_way and old not in list_compromised(tx):
            raise ConflictError(
                "not-yet",
                f"{counted(len(under_way), 'transaction')} of {format_address(old)} under way "
                "would fail: run `ledger anchor` first, or report the key if it is compromised",
            )
    new = keystore.draw_successor(name)
    owner = installation.sender(KeyName.OWNER)
    for issuer in issuers:
        give_roles(outbox, owner, installation.registry, issuer.number, new, role)
        give_roles(outbox, owner, installation.registry, issuer.number, old, Role(0))
    return old, new, keystore.succeed(name)

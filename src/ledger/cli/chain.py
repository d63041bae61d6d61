"""`ledger chain`: the local chain of an installation."""

from typing import TYPE_CHECKING

import typer

from ledger.chain.keystore import KeyName
from ledger.cli.files import write_file
from ledger.cli.installation import Installation
from ledger.cli.options import Home
from ledger.cli.output import show
from ledger.config import Settings, change_settings
from ledger.errors import ConflictError

if TYPE_CHECKING:
    from ledger.chain.devchain import DevChain

chain = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    app.add_typer(chain, name="chain", help="Run a local chain to try everything on.")


@chain.command()
def start(home: Home = None) -> None:
    """Start the installation's local chain again, in the foreground, until interrupted."""
    installation = Installation.open(home)
    running = start_chain(installation.settings)
    show(f"The chain answers at {running.url}; Ctrl-C ends it and keeps its state.")
    try:
        running.wait()
    except KeyboardInterrupt:
        running.stop()


@chain.command()
def fund(home: Home = None) -> None:
    """Give the installation's keys ether out of nothing; only a local chain can."""
    fund_keys(Installation.open(home))
    show("Each key has 100 ether now.")


def fund_keys(installation: Installation) -> None:
    """Give each Ethereum key of the installation ether on a local chain."""
    from ledger.chain import devchain

    keys = (KeyName.OWNER, KeyName.ANCHOR, KeyName.STATUS)
    addresses = [installation.address(key) for key in keys]
    devchain.fund(installation.settings.rpc[0], addresses)


def start_chain(settings: Settings) -> "DevChain":
    """Start the local chain where it was; when its port is taken, move settings and policy.

    Raises:
        ConflictError: this installation has no local chain.

    """
    from ledger.chain.devchain import DevChain, free_port, is_free

    if settings.devchain_port is None:
        raise ConflictError("no-devchain", "this installation does not manage a local chain")
    port = settings.devchain_port
    if not is_free(port):
        port = free_port()
    running = DevChain.start(settings.devchain, port=port)
    if port != settings.devchain_port:
        _move(settings, running.url, port)
    return running


def _move(settings: Settings, url: str, port: int) -> None:
    from ledger.verification.policy import format_policy, parse_policy

    change_settings(settings.home, rpc=[url], devchain_port=port)
    policy = parse_policy(settings.policy.read_text("utf-8")).with_rpcs([url])
    write_file(settings.policy, format_policy(policy).encode())

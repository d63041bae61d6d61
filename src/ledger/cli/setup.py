"""Set-up: `init`, `deploy`, `config`."""

from pathlib import Path
from typing import Annotated

import typer

from ledger.chain.keystore import KeyName
from ledger.cli.files import write_file
from ledger.cli.installation import Installation, check_password, read_password
from ledger.cli.options import Home, Json, PasswordFile
from ledger.cli.output import show, show_json
from ledger.config import (
    CONFIG_FILE,
    check_no_password,
    home_folder,
    load_settings,
    public_url,
    write_settings,
)
from ledger.errors import ConflictError, MalformedInputError
from ledger.primitives import (
    format_address,
    format_chain,
    parse_address,
    parse_chain,
)

DEPLOY_SECONDS = 300
"""How long `deploy` waits for its block."""


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    app.command()(init)
    app.command()(deploy)
    app.command()(config)


def init(
    home: Home = None,
    rpc: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL", help="A JSON-RPC endpoint; repeat it for more. Local by default."
        ),
    ] = None,
    chain: Annotated[
        str, typer.Option(metavar="CHAIN", help="The chain, such as eip155:1.")
    ] = "eip155:31337",
    password_file: PasswordFile = None,
    registry: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Another registry than this release's."),
    ] = None,
    devchain: Annotated[
        bool,
        typer.Option("--devchain", help="Try it on a local chain: see `ledger chain start`."),
    ] = False,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="A database such as postgresql://USER@HOST/NAME, which must be there. "
            "Else a file in the installation.",
        ),
    ] = None,
) -> None:
    """Make an installation, with its keys.

    Writes settings, keys, database and trust policy into its folder.

    Run again, it brings the database to this release, draws keys that this release has new, and
    changes nothing else.
    """
    folder = home_folder(home)
    if not (folder / CONFIG_FILE).exists():
        port = _devchain_port(rpc) if devchain else None
        create_installation(
            folder,
            rpc=rpc or [f"http://127.0.0.1:{port or 8545}"],
            chain=parse_chain(chain),
            registry=registry,
            database=database,
            password_file=password_file,
            devchain_port=port,
        )
    installation = Installation.open(folder, password_file)
    installation.keystore.draw_missing()
    migrate_database(folder)
    show(f"Installation  {folder}")
    show_keys(installation)
    if installation.settings.devchain_port:
        show("Next: `ledger chain start` in another terminal, then `ledger chain fund`,")
    else:
        show("Next: fund the keys, unless they are funded,")
    show("      then `ledger deploy` if the chain has no registry yet,")
    show("      then `ledger issuer register`.")


def _devchain_port(rpc: list[str] | None) -> int:
    from ledger.chain.devchain import free_port

    if rpc:
        raise MalformedInputError("usage", "--devchain brings an endpoint of its own: omit --rpc")
    return free_port()


def create_installation(
    folder: Path,
    *,
    rpc: list[str],
    chain: int,
    registry: str | None = None,
    database: str | None = None,
    password_file: Path | None = None,
    devchain_port: int | None = None,
    light_keys: bool = False,
) -> None:
    """Write keys, policy and, last, the settings that make `folder` an installation.

    Light keys open at once and are easily guessed: for a chain on which nothing has a value.
    """
    from ledger.chain.artifact import code_hash, registry_address
    from ledger.chain.keystore import LIGHT_SCRYPT_N, SCRYPT_N, create_keys
    from ledger.verification.policy import TrustedRegistry, TrustPolicy, format_policy

    if not all(url.startswith(("http://", "https://")) for url in rpc):
        raise MalformedInputError("bad-endpoint", "an endpoint is an http or https URL")
    address = parse_address(registry) if registry else registry_address()
    password = read_password(password_file)
    check_password(password)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if database:
        check_database(database)
    if not (folder / "keystore").exists():
        scrypt_n = LIGHT_SCRYPT_N if light_keys else SCRYPT_N
        create_keys(folder / "keystore", password, scrypt_n=scrypt_n)
    trusted = TrustedRegistry(
        chain=chain, address=address, code_hash=code_hash(), rpc=tuple(rpc), quorum=1
    )
    policy = format_policy(TrustPolicy(registries=(trusted,)))
    write_file(folder / "policy.toml", policy.encode())
    optional: dict[str, str | int] = {"database": database} if database else {}
    if password_file:
        optional["password_file"] = str(password_file.absolute())
    if devchain_port:
        optional["devchain_port"] = devchain_port
    write_settings(
        folder, chain=format_chain(chain), rpc=rpc, registry=format_address(address), **optional
    )


def check_database(url: str) -> None:
    """Return when the database is there, and named without a password.

    Raises:
        MalformedInputError: it is named with one, or is no database of ours.
        StorageError, DeniedError, NotFoundError: it cannot be used.

    """
    from ledger.database import Database

    check_no_password(url)
    database = Database(url)
    with database.read():
        pass
    database.close()


def migrate_database(folder: Path) -> None:
    """Bring the installation's database to the tables of this release."""
    from ledger.database import Database, migrate

    database = Database(load_settings(folder).database)
    migrate(database)
    database.close()


def show_keys(installation: Installation) -> None:
    """Print the addresses of the installation's Ethereum keys."""
    for key, purpose in (
        (KeyName.OWNER, "registers issuers and gives roles; fund it"),
        (KeyName.ANCHOR, "anchors batches; fund it"),
        (KeyName.STATUS, "revokes; fund it"),
    ):
        show(f"{key:<6} key  {format_address(installation.address(key))}  {purpose}")


def deploy(home: Home = None, password_file: PasswordFile = None) -> None:
    """Bring the registry to the chain.

    Says so when it is there already, and changes nothing then.

    Its address is the same on every chain (CREATE2), whoever pays for it.
    """
    installation = Installation.open(home, password_file)
    if deploy_registry(installation):
        show(f"Deployed the registry at {format_address(installation.registry)}.")
    else:
        show(f"The registry is at {format_address(installation.registry)} already.")
    show("Next: `ledger issuer register --name NAME`.")


def deploy_registry(installation: Installation) -> bool:
    """Deploy unless the registry's code is there; return whether it was deployed now.

    Raises:
        ConflictError: another registry is configured, or the chain has no deterministic
            deployer, or other code stands at the address.
        ChainError: the node did not answer.

    """
    from ledger.chain.artifact import DEPLOYER, deployment_calldata, registry_address
    from ledger.chain.store import Purpose, TransactionState
    from ledger.chain.transaction import Call

    if installation.registry != registry_address():
        raise ConflictError(
            "other-registry", "the settings name a registry of their own; nothing to deploy"
        )
    if _is_deployed(installation):
        return False
    if installation.rpc.call("eth_getCode", [format_address(DEPLOYER), "latest"]) == "0x":
        raise ConflictError(
            "no-deployer",
            f"the chain has no deterministic deployer at {format_address(DEPLOYER)}: "
            "docs/guide/deploy.md says how to bring it there",
        )
    owner = installation.sender(KeyName.OWNER)
    row = installation.outbox.submit(owner, Call(DEPLOYER, deployment_calldata()), Purpose.DEPLOY)
    installation.outbox.wait([row], state=TransactionState.INCLUDED, timeout_seconds=DEPLOY_SECONDS)
    if not _is_deployed(installation):
        raise ConflictError("not-deployed", "the deployer ran and left no registry: out of gas?")
    return True


def _is_deployed(installation: Installation) -> bool:
    from ledger.chain.artifact import check_code, code_hash
    from ledger.chain.rpc import parse_data

    address = format_address(installation.registry)
    code = parse_data(installation.rpc.call("eth_getCode", [address, "latest"]))
    if code:
        check_code(installation.registry, code, code_hash())
    return bool(code)


def config(home: Home = None, as_json: Json = False) -> None:
    """Show the settings in force.

    Each from the file, the environment or its default; secrets in URLs are hidden.
    """
    settings = Installation.open(home).settings
    shown = {
        "home": str(settings.home),
        "chain": format_chain(settings.chain),
        "rpc": [public_url(url) for url in settings.rpc],
        "registry": format_address(settings.registry),
        "database": public_url(settings.database),
        "password_file": str(settings.password_file) if settings.password_file else None,
        "signer": list(settings.signer) or None,
        "devchain_port": settings.devchain_port,
        "max_fee_gwei": settings.max_fee_gwei,
        "max_tip_gwei": settings.max_tip_gwei,
        "max_market_multiple": settings.max_market_multiple,
        "replace_after_seconds": settings.replace_after_seconds,
        "patient_fee_gwei": settings.patient_fee_gwei,
        "patience_minutes": settings.patience_minutes,
        "low_balance_transactions": settings.low_balance_transactions,
        "finality": settings.finality,
        "confirmations": settings.confirmations,
        "read_quorum": settings.quorum,
        "internal_receivers": list(settings.internal_receivers) or None,
    }
    if as_json:
        show_json(shown)
        return
    for name, value in shown.items():
        text = ", ".join(value) if isinstance(value, list) else value
        show(f"{name:<24} {'-' if text is None else text}")

"""The settings of one installation: a folder, its `config.toml`, and the environment.

    LEDGER_HOME/
      config.toml     the settings below
      policy.toml     what `ledger verify` believes
      ledger.db       the database, unless `database` names another
      keystore/       one encrypted file a key
      badges/         the badges of finished batches
      devchain/       the local chain's state, when there is one

The environment wins over the file. This is the only module that reads the
environment. docs/reference/settings.md explains every setting.
"""

import json
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from ledger.errors import MalformedInputError, NotFoundError
from ledger.primitives import Address, parse_address, parse_chain

DEFAULT_HOME: Final = Path(".ledger")
CONFIG_FILE: Final = "config.toml"


@dataclass(frozen=True, slots=True)
class Settings:
    """What an installation was told; every path is absolute."""

    home: Path
    chain: int
    """The chain id that every endpoint must have."""
    rpc: tuple[str, ...]
    """JSON-RPC endpoints: transactions go to all, and `quorum` of them must agree."""
    registry: Address
    database: str
    """Its URL; a password may be in it, so it is only shown as `public_url`."""
    password_file: Path | None = None
    """A file whose first line opens the keystore; else it is asked for."""
    signer: tuple[str, ...] = ()
    """A program, with its arguments, that keeps the Ethereum keys; none: the keystore does."""
    devchain_port: int | None = None
    """The port of the local chain that this installation manages, if it does."""
    max_fee_gwei: int = 500
    """No transaction offers more than this for a unit of gas."""
    max_tip_gwei: int = 50
    """No transaction tips more than this for a unit of gas."""
    max_market_multiple: int = 3
    """No replacement offers more than this many times what the market asks."""
    replace_after_seconds: int = 120
    """How long a transaction waits before one that offers more may take its place."""
    patient_fee_gwei: int | None = None
    """While the base fee is above this, sealed batches wait; None: they never do."""
    patience_minutes: int = 720
    """How long after its sealing a batch waits for `patient_fee_gwei` at most."""
    low_balance_transactions: int = 50
    """An alarm is raised when a key can pay for fewer transactions than this."""
    finality: str = "finalized"
    """The block tag at or below which a batch is final."""
    confirmations: int = 1
    """How many blocks, its own included, make an anchor confirmed."""
    read_quorum: int | None = None
    """How many endpoints must give the same answer; None: more than half of them."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks whose word on who asks is believed by the HTTP service."""
    internal_receivers: tuple[str, ...] = ()
    """`HOST:PORT`s of webhooks that may be at private addresses and speak plain http."""

    @property
    def quorum(self) -> int:
        """Return how many endpoints must give the same answer."""
        return self.read_quorum or len(self.rpc) // 2 + 1

    @property
    def keystore(self) -> Path:
        """Return the folder of encrypted keys."""
        return self.home / "keystore"

    @property
    def policy(self) -> Path:
        """Return the installation's trust policy."""
        return self.home / "policy.toml"

    @property
    def badges(self) -> Path:
        """Return the folder that finished badges are written to."""
        return self.home / "badges"

    @property
    def devchain(self) -> Path:
        """Return the folder of the local chain."""
        return self.home / "devchain"


ENVIRONMENT: Final = {
    "LEDGER_RPC": "rpc",
    "LEDGER_DATABASE": "database",
    "LEDGER_PASSWORD_FILE": "password_file",
}
"""Environment variables and the settings they replace; `LEDGER_RPC` is split at commas."""


def home_folder(given: Path | None) -> Path:
    """Return the installation's folder: `given`, else LEDGER_HOME, else `./.ledger`."""
    return (given or Path(os.environ.get("LEDGER_HOME") or DEFAULT_HOME)).absolute()


def database_from_environment() -> str | None:
    """Return the database that the environment names, which wins over the file's."""
    return os.environ.get("LEDGER_DATABASE") or None


def notify_socket() -> str | None:
    """Return where a service manager such as systemd wants to hear that a process is ready."""
    return os.environ.get("NOTIFY_SOCKET") or None


def is_debugging() -> bool:
    """Return whether LEDGER_DEBUG asks for the traceback of an unexpected error."""
    return bool(os.environ.get("LEDGER_DEBUG"))


def load_settings(home: Path) -> Settings:
    """Read the settings of the installation in `home`.

    Raises:
        NotFoundError: there is no installation.
        MalformedInputError: a setting is unknown, missing or has a wrong type or value.

    """
    path = home / CONFIG_FILE
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise NotFoundError(
            "no-installation",
            f"there is no installation in {home}: run `ledger init`, or name another with --home",
        ) from None
    except (OSError, UnicodeDecodeError):
        raise MalformedInputError("bad-settings", f"{path} cannot be read as text") from None
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MalformedInputError("bad-settings", f"{path}: {error}") from None
    for variable, name in ENVIRONMENT.items():
        if value := os.environ.get(variable):
            found[name] = value.split(",") if name == "rpc" else value
    return _settings(home, found, path)


def _settings(home: Path, found: dict[str, Any], path: Path) -> Settings:
    known = set(_READERS)
    if unknown := sorted(found.keys() - known):
        raise MalformedInputError("bad-settings", f"{path}: no such setting: {', '.join(unknown)}")
    if missing := sorted({"chain", "rpc", "registry"} - found.keys()):
        raise MalformedInputError("bad-settings", f"{path}: missing: {', '.join(missing)}")
    values: dict[str, Any] = {"database": f"sqlite:///{home / 'ledger.db'}"}
    for name, value in found.items():
        reader, meaning = _READERS[name]
        try:
            values[name] = reader(value)
        except (TypeError, ValueError):
            found_one = "" if name in _MAY_HOLD_SECRETS else f", not {value!r}"
            raise MalformedInputError(
                "bad-settings", f"{path}: {name} must be {meaning}{found_one}"
            ) from None
        except MalformedInputError as error:
            raise MalformedInputError("bad-settings", f"{path}: {name}: {error}") from None
    if values.get("password_file"):
        values["password_file"] = home / values["password_file"]
    return Settings(home=home, **values)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError
    return value


def _endpoints(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise TypeError
    urls = tuple(_text(url) for url in value)
    if not all(url.startswith(("http://", "https://")) for url in urls):
        raise ValueError
    return urls


def _receivers(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    places = []
    for text in map(_text, value):
        parts = urlsplit(f"//{text}")
        if parts.hostname is None or parts.port is None or parts.netloc != text:
            raise ValueError
        places.append(f"{parts.hostname}:{parts.port}")
    return tuple(places)


def _database(value: object) -> str:
    url = _text(value)
    if not url.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise ValueError
    return url


def _command(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise TypeError
    return tuple(_text(part) for part in value)


def _positive(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise TypeError
    return value


def _networks(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(str(ip_network(_text(network))) for network in value)


def _finality(value: object) -> str:
    if value not in {"finalized", "safe", "latest"}:
        raise ValueError
    return str(value)


_READERS: Final[dict[str, tuple[Callable[[Any], Any], str]]] = {
    "chain": (lambda value: parse_chain(_text(value)), "a chain such as eip155:1"),
    "rpc": (_endpoints, "a list of http or https URLs"),
    "registry": (lambda value: parse_address(_text(value)), "an address"),
    "database": (_database, "sqlite:////PATH or postgresql://USER@HOST:PORT/NAME"),
    "password_file": (_text, "the name of a file"),
    "signer": (_command, "a list of words: a program and its arguments"),
    "devchain_port": (_positive, "a port"),
    "max_fee_gwei": (_positive, "a positive whole number"),
    "max_tip_gwei": (_positive, "a positive whole number"),
    "max_market_multiple": (_positive, "a positive whole number"),
    "replace_after_seconds": (_positive, "a positive whole number"),
    "patient_fee_gwei": (_positive, "a positive whole number"),
    "patience_minutes": (_positive, "a positive whole number"),
    "low_balance_transactions": (_positive, "a positive whole number"),
    "finality": (_finality, '"finalized", "safe" or "latest"'),
    "confirmations": (_positive, "a positive whole number"),
    "read_quorum": (_positive, "a positive whole number"),
    "trusted_proxies": (_networks, "a list of addresses and networks, such as 127.0.0.1"),
    "internal_receivers": (_receivers, "a list of HOST:PORT"),
}
"""How each setting is read from the file, and what it must be."""

_MAY_HOLD_SECRETS: Final = {"rpc", "database"}
"""Settings whose values no message repeats."""


def check_no_password(url: str) -> None:
    """Return when the URL of a database may be given on a command line.

    Raises:
        MalformedInputError: it has a password, which every user of the machine could read.

    """
    parts = urlsplit(url)
    if parts.password or "password" in parse_qs(parts.query):
        raise MalformedInputError(
            "password-in-url",
            "every user of this machine can read a command line: leave the password out of "
            "--database, and write it into ~/.pgpass or put the URL in LEDGER_DATABASE",
        )


def public_url(url: str) -> str:
    """Return `url` without what may be secret: user, password, path and query."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return url
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}" + ("/..." if parts.path.strip("/") or parts.query else "")


def format_settings(settings: Mapping[str, str | int | list[str]]) -> str:
    """Return the text of a `config.toml`; values are spelled as in the file."""
    # A JSON string, number or list of strings is spelled the same in TOML.
    return "".join(
        f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in settings.items()
    )


def write_settings(home: Path, **settings: str | int | list[str]) -> None:
    """Write a new `config.toml`."""
    path = home / CONFIG_FILE
    beside = path.with_suffix(".part")
    beside.unlink(missing_ok=True)
    # Endpoints and databases may be named with a key or a password.
    beside.touch(mode=0o600)
    beside.write_text(format_settings(settings), "utf-8")
    beside.replace(path)


def read_file_settings(home: Path) -> dict[str, Any]:
    """Return what stands in `config.toml`, which was read without a problem before."""
    return tomllib.loads((home / CONFIG_FILE).read_text("utf-8"))


def change_settings(home: Path, **settings: str | int | list[str]) -> None:
    """Write other values for some settings; the file's comments are lost."""
    write_settings(home, **(read_file_settings(home) | settings))

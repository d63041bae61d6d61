"""One installation, opened: its settings and, when first used, all that follows from them."""

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from ledger.chain.keystore import KeyName, Keystore, Secret
from ledger.cli.files import write_file
from ledger.config import Settings, home_folder, load_settings
from ledger.errors import MalformedInputError, NotFoundError
from ledger.primitives import Address, Home

if TYPE_CHECKING:
    from ledger.batches.anchoring import Patience
    from ledger.chain.outbox import Outbox
    from ledger.chain.rpc import JsonRpc, Rpc
    from ledger.chain.sender import Sender
    from ledger.chain.signer import Signer, SignerProcess
    from ledger.database import Database
    from ledger.issuers.store import Issuer

MIN_PASSWORD_CHARACTERS: Final = 8


class Installation:
    """What a command works with."""

    def __init__(self, settings: Settings, password_file: Path | None = None) -> None:
        self.settings = settings
        self._password_file = password_file or settings.password_file

    @classmethod
    def open(cls, home: Path | None, password_file: Path | None = None) -> "Installation":
        """Open the installation in `home`, LEDGER_HOME or `./.ledger`.

        Raises:
            NotFoundError, MalformedInputError: as `load_settings`.

        """
        return cls(load_settings(home_folder(home)), password_file)

    def close(self) -> None:
        """Close every connection that was opened."""
        opened = vars(self)
        for one in (
            opened.get("database"),
            opened.get("rpc"),
            opened.get("signer_process"),
            *opened.get("endpoints", ()),
        ):
            if one is not None:
                one.close()

    @cached_property
    def database(self) -> "Database":
        """Return the database, once its tables are those of this release."""
        from ledger.database import Database, check_migrated

        database = Database(self.settings.database)
        check_migrated(database)
        return database

    @cached_property
    def keystore(self) -> Keystore:
        """Return the keys; none is opened yet."""
        return Keystore(self.settings.keystore, lambda: read_password(self._password_file))

    @property
    def has_password_file(self) -> bool:
        """Return whether keys can be opened without asking anybody."""
        return self._password_file is not None

    @cached_property
    def rpc(self) -> "JsonRpc":
        """Return what is read: the endpoint, or as many that agree as the settings ask for."""
        from ledger.chain.quorum import open_endpoints

        return open_endpoints(self.settings.rpc, self.settings.quorum)

    @cached_property
    def endpoints(self) -> "tuple[Rpc, ...]":
        """Return every endpoint by itself: signed transactions go to all."""
        from ledger.chain.rpc import Rpc

        return tuple(Rpc(url) for url in self.settings.rpc)

    @cached_property
    def outbox(self) -> "Outbox":
        """Return the way to the chain for this installation's transactions."""
        from ledger.chain.outbox import Outbox

        return Outbox(
            self.database,
            self.rpc,
            self.endpoints,
            self.settings.chain,
            finality=self.settings.finality,
            confirmations=self.settings.confirmations,
            replace_seconds=self.settings.replace_after_seconds,
            low_balance_transactions=self.settings.low_balance_transactions,
        )

    @cached_property
    def signer_process(self) -> "SignerProcess | None":
        """Return the program that keeps the Ethereum keys, not started yet; None: we do."""
        from ledger.chain.signer import SignerProcess

        return SignerProcess(self.settings.signer) if self.settings.signer else None

    def signer(self, name: KeyName) -> "Signer":
        """Open an Ethereum key, here or in the signer program."""
        from ledger.chain.signer import ExternalSigner, KeySigner

        if self.signer_process is not None:
            return ExternalSigner(self.signer_process, name)
        return KeySigner(self.keystore.open(name))

    def address(self, name: KeyName) -> Address:
        """Return the address of an Ethereum key; one in the keystore is not opened for it."""
        if self.signer_process is not None:
            return self.signer(name).address
        return self.keystore.address(name)

    def sender(self, name: KeyName) -> "Sender":
        """Open a key and return what signs with it; nothing is asked of the chain yet."""
        from ledger.chain.artifact import code_hash
        from ledger.chain.fees import GWEI, FeeLimits
        from ledger.chain.sender import Sender

        return Sender(
            self.endpoints,
            chain=self.settings.chain,
            signer=self.signer(name),
            limits=FeeLimits(
                cap_wei=self.settings.max_fee_gwei * GWEI,
                tip_wei=self.settings.max_tip_gwei * GWEI,
                market_multiple=self.settings.max_market_multiple,
            ),
            codes={self.registry: code_hash()},
        )

    @property
    def patience(self) -> "Patience | None":
        """Return how long batches wait for cheaper gas; None: not at all."""
        from ledger.batches.anchoring import Patience
        from ledger.chain.fees import GWEI

        settings = self.settings
        if not settings.patient_fee_gwei:
            return None
        return Patience(settings.patient_fee_gwei * GWEI, 60 * settings.patience_minutes)

    def issuer(self, number: int | None) -> "Issuer":
        """Return the issuer of this number, or the only one there is.

        Raises:
            NotFoundError: as `get_issuer`.

        """
        from ledger.issuers.store import get_issuer

        with self.database.read() as tx:
            return get_issuer(tx, number)

    def signing_key(self) -> Secret:
        """Open the key that signs credentials."""
        return self.keystore.open(KeyName.SIGNING)

    def webhook_key(self) -> Secret:
        """Open the key that the secrets of webhooks are derived from."""
        return self.keystore.open(KeyName.WEBHOOK)

    def did(self) -> str:
        """Return the did:key of the key that signs credentials."""
        from ledger.credentials.signature import SigningKey

        return SigningKey(self.signing_key().reveal()).did

    def trust_home(self, issuer: int) -> None:
        """Add an issuer's home to the installation's trust policy."""
        from ledger.verification.policy import format_policy, parse_policy

        policy = parse_policy(self.settings.policy.read_text("utf-8"))
        home = self.home_of(issuer)
        if home not in policy.homes:
            trusting = replace(policy, homes=(*policy.homes, home))
            write_file(self.settings.policy, format_policy(trusting).encode())

    @property
    def registry(self) -> Address:
        """Return the registry's address."""
        return self.settings.registry

    def home_of(self, issuer: int) -> Home:
        """Return the place of an issuer."""
        return Home(self.settings.chain, self.settings.registry, issuer)


def read_password(file: Path | None) -> str:
    """Return the first line of `file`; without one, ask at the terminal.

    Raises:
        NotFoundError: there is no such file.
        MalformedInputError: it is empty, or is no text.

    """
    if file is None:
        answer: str = typer.prompt("Password of the keystore", hide_input=True, err=True)
        return answer
    try:
        lines = file.read_text("utf-8").splitlines()
    except FileNotFoundError:
        raise NotFoundError("no-password-file", f"there is no password file {file}") from None
    except (OSError, UnicodeDecodeError):
        raise MalformedInputError("bad-password-file", f"{file} cannot be read as text") from None
    if not lines or not lines[0]:
        raise MalformedInputError("bad-password-file", f"the first line of {file} is empty")
    return lines[0]


def check_password(password: str) -> None:
    """Return when `password` may protect new keys.

    Raises:
        MalformedInputError: it is too short.

    """
    if len(password) < MIN_PASSWORD_CHARACTERS:
        raise MalformedInputError(
            "weak-password", f"the password needs {MIN_PASSWORD_CHARACTERS} characters or more"
        )

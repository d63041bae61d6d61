"""Encrypted keys in files (Web3 Secret Storage, version 3).

One folder, one file a key, the password of all of them the same. Ethereum keys and
the Ed25519 seed that signs credentials are 32 bytes alike and are kept alike.

Source: Ethereum Wiki, "Web3 Secret Storage Definition".
"""

import json
import os
import secrets
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from ledger.errors import ConflictError, DeniedError, MalformedInputError, NotFoundError
from ledger.primitives import Address, keccak256

SCRYPT_N: Final = 262_144
"""What one guess at a password costs: half a second and 256 MiB, as in other people's wallets."""

LIGHT_SCRYPT_N: Final = 4_096
"""For keys that protect nothing, such as a demo's: their password lies beside them."""


class KeyName(StrEnum):
    """The keys of an installation, one purpose each."""

    OWNER = "owner"
    """Owns the issuers: registers them and gives roles."""
    ANCHOR = "anchor"
    """Anchors batches."""
    STATUS = "status"
    """Revokes, suspends and reinstates."""
    SIGNING = "signing"
    """Signs credentials; an Ed25519 seed, unknown to the chain."""
    WEBHOOK = "webhook"
    """What the secrets of webhooks are derived from; unknown to the chain."""


class Secret:
    """32 secret bytes that no message, log or traceback shows."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Secret(...)"

    def reveal(self) -> bytes:
        """Return the bytes; call it only where they are used."""
        return self._value


def address_of(secret: Secret) -> Address:
    """Return the Ethereum address of a secp256k1 key."""
    from coincurve import PrivateKey

    public = PrivateKey(secret.reveal()).public_key.format(compressed=False)
    return Address(keccak256(public[1:])[12:])


def create_keys(folder: Path, password: str, *, scrypt_n: int = SCRYPT_N) -> None:
    """Draw every key of an installation and store it, readable by its owner alone.

    `scrypt_n` is what opening one of them costs, and guessing its password.

    Raises:
        ConflictError: there are keys already; none is replaced.

    """
    if folder.exists():
        raise ConflictError("keys-exist", f"there are keys in {folder} already; none was replaced")
    folder.mkdir(mode=0o700, parents=True)
    for name in KeyName:
        _write(folder / f"{name}.json", _encrypt(Secret(_draw()), password, scrypt_n))


def _draw() -> bytes:
    # Below the order of secp256k1 with overwhelming probability; zero is no key.
    from coincurve import PrivateKey

    return PrivateKey(secrets.token_bytes(32)).secret


def _encrypt(secret: Secret, password: str, scrypt_n: int = SCRYPT_N) -> dict[str, Any]:
    from eth_keyfile.keyfile import create_keyfile_json

    return create_keyfile_json(
        secret.reveal(), password.encode(), kdf="scrypt", iterations=scrypt_n
    )


def _write(path: Path, content: dict[str, Any]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())


class Keystore:
    """The keys in a folder; the password is asked for once, when the first is opened."""

    def __init__(self, folder: Path, password: Callable[[], str]) -> None:
        self._folder = folder
        self._ask = password
        self._password: str | None = None
        self._opened: dict[KeyName, Secret] = {}

    def open(self, name: KeyName) -> Secret:
        """Decrypt a key; takes most of a second the first time.

        Raises:
            NotFoundError: there is no such key file.
            MalformedInputError: it is not a keystore file.
            DeniedError: the password is wrong.

        """
        if name not in self._opened:
            self._opened[name] = self._decrypt(self._read(name), name)
        return self._opened[name]

    def has(self, name: KeyName) -> bool:
        """Return whether there is such a key file."""
        return (self._folder / f"{name}.json").exists()

    def draw_missing(self) -> None:
        """Draw the keys that the release which made this keystore did not know.

        Raises:
            NotFoundError, MalformedInputError, DeniedError: as `open`.

        """
        for name in KeyName:
            if not self.has(name):
                self.open(KeyName.SIGNING)  # so that the password is the right one
                assert self._password is not None  # noqa: S101 - it opened the key
                _write(self._folder / f"{name}.json", _encrypt(Secret(_draw()), self._password))

    def address(self, name: KeyName) -> Address:
        """Return the address of an Ethereum key without opening it.

        Raises:
            NotFoundError, MalformedInputError: as `open`.

        """
        try:
            return Address(bytes.fromhex(self._read(name)["address"].removeprefix("0x")))
        except (AttributeError, KeyError, ValueError):
            raise self._malformed(name) from None

    def draw_successor(self, name: KeyName) -> Address:
        """Draw the key that is to follow `name`, unless an earlier run did; return its address.

        Raises:
            NotFoundError, MalformedInputError, DeniedError: as `open`.

        """
        self.open(name)  # so that the password is the right one
        path = self._folder / f"{name}.next.json"
        if not path.exists():
            assert self._password is not None  # noqa: S101 - it opened the key
            _write(path, _encrypt(Secret(_draw()), self._password))
        content = json.loads(path.read_text("utf-8"))
        return Address(bytes.fromhex(content["address"].removeprefix("0x")))

    def succeed(self, name: KeyName) -> Path:
        """Put the successor of `name` in its place; return where the old key is kept.

        1. the old file has a second name     the next run does the rest
        2. the successor has the first name   done
        """
        path = self._folder / f"{name}.json"
        aside = self._folder / f"{name}.{self.address(name).hex()}.json"
        if not aside.exists():
            aside.hardlink_to(path)
        (self._folder / f"{name}.next.json").replace(path)
        self._opened.pop(name, None)
        return aside

    def _read(self, name: KeyName) -> dict[str, Any]:
        path = self._folder / f"{name}.json"
        try:
            found = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            raise NotFoundError(
                "no-key", f"there is no key {path}: run `ledger init`, or restore the keystore"
            ) from None
        except (ValueError, RecursionError):
            raise self._malformed(name) from None
        if not isinstance(found, dict):
            raise self._malformed(name)
        return found

    def _decrypt(self, keyfile: dict[str, Any], name: KeyName) -> Secret:
        from eth_keyfile.keyfile import decode_keyfile_json

        if self._password is None:
            self._password = self._ask()
        try:
            return Secret(decode_keyfile_json(keyfile, self._password.encode()))
        except ValueError as error:
            if "MAC" in str(error):
                raise DeniedError(
                    "wrong-password", f"the password does not open {name}.json"
                ) from None
            raise self._malformed(name) from None
        except (KeyError, TypeError, NotImplementedError):
            raise self._malformed(name) from None

    def _malformed(self, name: KeyName) -> MalformedInputError:
        path = self._folder / f"{name}.json"
        return MalformedInputError("bad-key-file", f"{path} is not a keystore file of version 3")

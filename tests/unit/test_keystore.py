"""Keys at rest: encrypted, never replaced, never shown."""

import json
import stat
from pathlib import Path

import pytest
from eth_account import Account

from ledger.chain.keystore import (
    LIGHT_SCRYPT_N,
    KeyName,
    Keystore,
    Secret,
    address_of,
    create_keys,
)
from ledger.errors import ConflictError, DeniedError, MalformedInputError, NotFoundError

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys") / "keystore"
    create_keys(folder, PASSWORD, scrypt_n=LIGHT_SCRYPT_N)
    return folder


def test_guessing_a_password_is_slow_unless_nothing_is_protected(tmp_path: Path) -> None:
    create_keys(tmp_path / "keystore", PASSWORD)
    for path in (tmp_path / "keystore").iterdir():
        parameters = json.loads(path.read_text())["crypto"]["kdfparams"]
        assert (parameters["n"], parameters["r"], parameters["p"]) == (262_144, 8, 1)


def test_a_key_opens_with_its_password_and_has_the_address_in_its_file(folder: Path) -> None:
    keystore = Keystore(folder, lambda: PASSWORD)
    secret = keystore.open(KeyName.ANCHOR)
    assert address_of(secret) == keystore.address(KeyName.ANCHOR)
    assert Account.from_key(secret.reveal()).address.lower() == "0x" + address_of(secret).hex()


def test_the_password_is_asked_for_once(folder: Path) -> None:
    asked: list[None] = []

    def ask() -> str:
        asked.append(None)
        return PASSWORD

    keystore = Keystore(folder, ask)
    keystore.open(KeyName.OWNER)
    keystore.open(KeyName.STATUS)
    keystore.open(KeyName.OWNER)
    assert len(asked) == 1


def test_every_key_is_another_one(folder: Path) -> None:
    keystore = Keystore(folder, lambda: PASSWORD)
    assert len({keystore.open(name).reveal() for name in KeyName}) == len(KeyName)


def test_only_the_owner_may_read_them(folder: Path) -> None:
    for path in (folder, *folder.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def test_keys_are_never_replaced(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ConflictError):
        create_keys(folder, "another password")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_wrong_password_is_denied(folder: Path) -> None:
    with pytest.raises(DeniedError) as raised:
        Keystore(folder, lambda: "wrong").open(KeyName.OWNER)
    assert raised.value.code == "wrong-password"
    assert "wrong" not in raised.value.message


def test_a_missing_key_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="ledger init"):
        Keystore(tmp_path, lambda: PASSWORD).open(KeyName.OWNER)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"version": 3}',
        '{"version": 2, "crypto": {}}',
        '{"version": 3, "crypto": {"kdf": "md5", "kdfparams": {}}}',
        '{"address": 5}',
        '{"address": "0xzz"}',
        "[" * 10_000,
    ],
)
def test_what_is_no_key_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "owner.json").write_text(content)
    keystore = Keystore(tmp_path, lambda: PASSWORD)
    with pytest.raises(MalformedInputError):
        keystore.open(KeyName.OWNER)
    with pytest.raises(MalformedInputError):
        keystore.address(KeyName.OWNER)


def test_a_secret_is_shown_nowhere() -> None:
    secret = Secret(b"\x01" * 32)
    assert "01" not in repr(secret) + str(secret) + f"{secret}"


def test_no_key_file_holds_its_secret_in_clear(folder: Path) -> None:
    keystore = Keystore(folder, lambda: PASSWORD)
    for name in KeyName:
        text = (folder / f"{name}.json").read_text()
        assert keystore.open(name).reveal().hex() not in text
        assert json.loads(text)["crypto"]["kdf"] == "scrypt"


def test_a_key_that_an_older_release_did_not_know_is_drawn_once(folder: Path) -> None:
    (folder / "webhook.json").unlink()
    with pytest.raises(DeniedError):
        Keystore(folder, lambda: "wrong").draw_missing()
    keystore = Keystore(folder, lambda: PASSWORD)
    assert not keystore.has(KeyName.WEBHOOK)
    keystore.draw_missing()
    drawn = Keystore(folder, lambda: PASSWORD).open(KeyName.WEBHOOK).reveal()
    keystore.draw_missing()
    assert keystore.open(KeyName.WEBHOOK).reveal() == drawn

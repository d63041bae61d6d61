"""Settings: what is read, from where, and what is refused."""

from pathlib import Path

import pytest

from ledger.config import (
    change_settings,
    home_folder,
    load_settings,
    public_url,
    write_settings,
)
from ledger.errors import MalformedInputError, NotFoundError

REGISTRY = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
GOOD = {"chain": "eip155:1", "rpc": ["http://localhost:8545"], "registry": REGISTRY}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LEDGER_HOME", "LEDGER_RPC", "LEDGER_DATABASE", "LEDGER_PASSWORD_FILE"):
        monkeypatch.delenv(name, raising=False)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_settings(tmp_path, **GOOD, max_fee_gwei=7, password_file="p")  # type: ignore[arg-type]
    settings = load_settings(tmp_path)
    assert settings.chain == 1
    assert settings.rpc == ("http://localhost:8545",)
    assert settings.max_fee_gwei == 7
    assert settings.password_file == tmp_path / "p"
    assert settings.database == f"sqlite:///{tmp_path / 'ledger.db'}"


def test_a_change_keeps_the_other_settings(tmp_path: Path) -> None:
    write_settings(tmp_path, **GOOD)  # type: ignore[arg-type]
    change_settings(tmp_path, devchain_port=1234)
    settings = load_settings(tmp_path)
    assert (settings.chain, settings.devchain_port) == (1, 1234)


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_settings(tmp_path, **GOOD)  # type: ignore[arg-type]
    monkeypatch.setenv("LEDGER_RPC", "http://a:1,http://b:2")
    monkeypatch.setenv("LEDGER_DATABASE", "sqlite:////elsewhere.db")
    settings = load_settings(tmp_path)
    assert settings.rpc == ("http://a:1", "http://b:2")
    assert settings.database == "sqlite:////elsewhere.db"


def test_the_home_is_given_or_in_the_environment_or_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert home_folder(None) == tmp_path / ".ledger"
    monkeypatch.setenv("LEDGER_HOME", "/elsewhere")
    assert home_folder(None) == Path("/elsewhere")
    assert home_folder(Path("given")) == tmp_path / "given"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "missing: chain, registry, rpc"),
        ("chain = ", "config.toml"),
        ('chian = "eip155:1"', "no such setting: chian"),
    ],
)
def test_a_broken_file_says_where_and_why(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(MalformedInputError, match=words):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("chain", 1),
        ("chain", "mainnet"),
        ("rpc", []),
        ("rpc", "http://x"),
        ("rpc", ["ftp://x"]),
        ("rpc", [5]),
        ("registry", REGISTRY.lower()),
        ("database", ""),
        ("devchain_port", 0),
        ("devchain_port", True),
        ("max_fee_gwei", "7"),
        ("finality", "soon"),
        ("finality", []),
        ("internal_receivers", ["lms.internal"]),
        ("internal_receivers", ["http://lms.internal:80"]),
    ],
)
def test_a_wrong_value_names_its_setting(tmp_path: Path, name: str, value: object) -> None:
    write_settings(tmp_path, **(GOOD | {name: value}))  # type: ignore[arg-type]
    with pytest.raises(MalformedInputError, match=name):
        load_settings(tmp_path)


def test_receivers_inside_are_hosts_with_their_ports(tmp_path: Path) -> None:
    write_settings(tmp_path, **GOOD, internal_receivers=["LMS.internal:8080", "[::1]:9"])  # type: ignore[arg-type]
    assert load_settings(tmp_path).internal_receivers == ("lms.internal:8080", "::1:9")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(MalformedInputError):
        load_settings(tmp_path)


def test_no_installation_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="ledger init"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://localhost:8545", "http://localhost:8545"),
        ("https://u:p@rpc.example/v3/KEY?k=v", "https://rpc.example/..."),
        ("https://rpc.example/?k=v", "https://rpc.example/..."),
        ("postgresql+psycopg://u:p@db:5432/ledger", "postgresql+psycopg://db:5432/..."),
        ("sqlite:////var/ledger.db", "sqlite:////var/ledger.db"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert public_url(url) == shown


def test_proxies_are_addresses_and_networks(tmp_path: Path) -> None:
    write_settings(tmp_path, **GOOD, trusted_proxies=["127.0.0.1", "10.0.0.0/24"])  # type: ignore[arg-type]
    assert load_settings(tmp_path).trusted_proxies == ("127.0.0.1/32", "10.0.0.0/24")
    for wrong in (["proxy.example"], ["10.0.0.1/24"], ["*"], "127.0.0.1"):
        write_settings(tmp_path, **GOOD, trusted_proxies=wrong)  # type: ignore[arg-type]
        with pytest.raises(MalformedInputError, match="trusted_proxies must be a list"):
            load_settings(tmp_path)

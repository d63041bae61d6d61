"""`operator list`: the installation's keys, and what every key may do for its issuers."""

from typing import TYPE_CHECKING, Any

from ledger.cli.installation import Installation
from ledger.cli.options import Home, Json
from ledger.cli.output import note, show_json, show_table
from ledger.clock import format_time
from ledger.primitives import Address, format_address

if TYPE_CHECKING:
    from ledger.chain.operators import Operators


def list_(home: Home = None, as_json: Json = False) -> None:
    """List our keys, and what each key may do for our issuers.

    As the chain has it in its newest block, with keys that others gave a role, and former
    ones. Before an issuer is registered the chain is not asked.
    """
    installation = Installation.open(home)
    keys = _own_keys(installation)
    found = _read_all(installation, list(keys))
    issuers: list[dict[str, Any]] = [
        {"issuer": issuer, "complete": one.is_complete, "operators": _describe(one, keys)}
        for issuer, one in found.items()
    ]
    if as_json:
        named = [{"key": name, "address": format_address(key)} for key, name in keys.items()]
        show_json({"keys": named, "issuers": issuers})
        return
    rows = [
        (str(entry["issuer"]), one["key"] or "-", one["address"], _told(one))
        for entry in issuers
        for one in entry["operators"]
    ]
    if not issuers:
        rows = [("-", name, format_address(key), "-") for key, name in keys.items()]
    show_table(["issuer", "our key", "address", "may"], rows)
    if not all(one.is_complete for one in found.values()):
        note("The node does not search so many blocks: other keys may have roles, `ledger audit`.")


def _own_keys(installation: Installation) -> dict[Address, str]:
    """Return what each key of the installation that the chain knows is called."""
    from ledger.chain.keystore import KeyName

    names = (KeyName.OWNER, KeyName.ANCHOR, KeyName.STATUS)
    return {installation.address(name): str(name) for name in names}


def _read_all(installation: Installation, known: list[Address]) -> "dict[int, Operators]":
    from ledger.chain.operators import read_operators
    from ledger.chain.state import RpcState, read_blocks
    from ledger.issuers.store import list_issuers

    with installation.database.read() as tx:
        issuers = [issuer.number for issuer in list_issuers(tx)]
    if not issuers:
        return {}
    rpc, chain = installation.rpc, installation.settings.chain
    (newest,) = read_blocks(rpc, ["latest"], chain=chain)
    state = RpcState(rpc, chain, newest)
    return {
        issuer: read_operators(rpc, state, installation.registry, issuer, known)
        for issuer in issuers
    }


def _describe(found: "Operators", keys: dict[Address, str]) -> list[dict[str, Any]]:
    return [
        {
            "key": keys.get(key),
            "address": format_address(key),
            "owner": key == found.owner,
            "roles": [str(role.name).lower() for role in record.roles],
            "compromised_since": format_time(record.compromised_since)
            if record.compromised_since
            else None,
        }
        for key, record in found.records.items()
    ]


def _told(one: dict[str, Any]) -> str:
    if one["compromised_since"]:
        return f"nothing: compromised since {one['compromised_since']}"
    return ", ".join([*(["own it"] if one["owner"] else []), *one["roles"]]) or "nothing"

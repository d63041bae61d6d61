"""Our calldata and layouts against the compiled contract's ABI, with web3 as the oracle."""

from typing import Any

import pytest
from web3 import Web3

from ledger.chain.artifact import load_artifact
from ledger.chain.registry import calls, events, slots
from ledger.chain.registry.calls import StatusAction
from ledger.chain.registry.slots import Role
from ledger.primitives import Address, Hash32, format_address

OPERATOR = Address(bytes(range(1, 21)))
ROOT = Hash32(bytes(range(32)))
DIGEST = Hash32(bytes(range(1, 33)))


def signature(entry: dict[str, Any]) -> str:
    return f"{entry['name']}({','.join(member['type'] for member in entry['inputs'])})"


def entries(kind: str) -> list[dict[str, Any]]:
    return [entry for entry in load_artifact().abi if entry["type"] == kind]


@pytest.mark.parametrize(
    ("function", "arguments", "ours"),
    [
        ("registerIssuer", ["did:key:zé"], calls.register_issuer("did:key:zé")),
        (
            "setOperator",
            [7, format_address(OPERATOR), 3],
            calls.set_operator(7, OPERATOR, Role.ANCHOR | Role.STATUS),
        ),
        (
            "reportCompromise",
            [7, format_address(OPERATOR), 123],
            calls.report_compromise(7, OPERATOR, 123),
        ),
        ("nameBareIssuer", [2**200], calls.name_bare_issuer(2**200)),
        ("anchor", [7, ROOT, 1000], calls.anchor(7, ROOT, 1000)),
        (
            "revokeMany",
            [7, ROOT, [0, 3], [5, 2**255], 4],
            calls.change_status(StatusAction.REVOKE, 7, ROOT, {0: 5, 3: 2**255}, 4),
        ),
        (
            "revoke",
            [7, ROOT, 3, 2**255, 4],
            calls.change_status(StatusAction.REVOKE, 7, ROOT, {3: 2**255}, 4),
        ),
        (
            "suspendMany",
            [7, ROOT, [1, 2], [3, 4], 6],
            calls.change_status(StatusAction.SUSPEND, 7, ROOT, {1: 3, 2: 4}, 6),
        ),
        (
            "reinstate",
            [7, ROOT, 1, 3, 0],
            calls.change_status(StatusAction.REINSTATE, 7, ROOT, {1: 3}, 0),
        ),
        ("revokeBatch", [7, ROOT, 5], calls.revoke_batch(7, ROOT, 5)),
        ("accredit", [7, 8, 2**39], calls.accredit(7, 8, 2**39)),
        ("withdrawAccreditation", [7, 8], calls.withdraw_accreditation(7, 8)),
        (
            "verify",
            [7, ROOT, DIGEST, 5, [ROOT, DIGEST]],
            calls.verify(7, ROOT, DIGEST, 5, [ROOT, DIGEST]),
        ),
    ],
)
def test_calldata_is_what_web3_encodes(function: str, arguments: list[Any], ours: bytes) -> None:
    contract = Web3().eth.contract(abi=load_artifact().abi)
    assert "0x" + ours.hex() == contract.encode_abi(function, args=arguments)


def test_every_event_has_the_layout_of_the_abi() -> None:
    theirs = {
        signature(entry): [(m["name"], m["type"], m["indexed"]) for m in entry["inputs"]]
        for entry in entries("event")
    }
    ours = {
        kind.signature: [(*member, True) for member in kind.indexed]
        + [(*member, False) for member in kind.data]
        for kind in events.EVENT_TYPES
    }
    assert ours == theirs


def test_every_error_of_the_contract_can_be_read() -> None:
    assert {signature(entry) for entry in entries("error")} == set(calls.ERROR_SIGNATURES)


def test_a_revert_is_read_with_its_arguments() -> None:
    data = (
        calls.selector("SizeDiffers(uint256,bytes32,uint48,uint48)")
        + slots.word(1)
        + ROOT
        + slots.word(2)
        + slots.word(3)
    )
    assert str(calls.decode_revert(data)) == f"SizeDiffers(1, {ROOT.hex()}, 2, 3)"


@pytest.mark.parametrize("data", [b"", b"\0\0\0\0", calls.selector("ZeroRoot()") + b"\0"])
def test_what_is_no_error_of_the_registry_is_not_read_as_one(data: bytes) -> None:
    assert calls.decode_revert(data) is None


def test_no_state_changing_function_is_without_arguments() -> None:
    """Otherwise 32 bytes of calldata, a bare root, could call it."""
    changing = [e for e in entries("function") if e["stateMutability"] not in {"view", "pure"}]
    assert changing
    assert all(entry["inputs"] for entry in changing)


def test_the_storage_layout_is_the_frozen_one() -> None:
    layout = [
        (entry["label"], entry["slot"]) for entry in load_artifact().storage_layout["storage"]
    ]
    assert layout == [
        ("issuerCount", "0"),
        ("_issuers", "1"),
        ("_operators", "2"),
        ("_anchors", "3"),
        ("_revoked", "4"),
        ("_suspended", "5"),
        ("_spanCounts", "6"),
        ("_spans", "7"),
        ("bareIssuerOf", "8"),
    ]

"""The registry's storage, to the byte: state proofs in people's hands depend on it for ever."""

from collections.abc import Iterator
from typing import Any

from ledger.chain.artifact import load_artifact

GOLDEN = """\
slot 0 byte 0: issuerCount, uint256 of 32
slot 1 byte 0: _issuers, mapping(uint256 => struct CredentialRegistry.Issuer) of 32
slot 2 byte 0: _operators, \
mapping(uint256 => mapping(address => struct CredentialRegistry.Operator)) of 32
slot 3 byte 0: _anchors, mapping(bytes32 => struct CredentialRegistry.Anchor) of 32
slot 4 byte 0: _revoked, mapping(bytes32 => mapping(uint256 => uint256)) of 32
slot 5 byte 0: _suspended, mapping(bytes32 => mapping(uint256 => uint256)) of 32
slot 6 byte 0: _spanCounts, mapping(uint256 => mapping(uint256 => uint256)) of 32
slot 7 byte 0: _spans, mapping(uint256 => \
mapping(uint256 => mapping(uint256 => struct CredentialRegistry.Span))) of 32
slot 8 byte 0: bareIssuerOf, mapping(address => uint256) of 32
struct CredentialRegistry.Anchor of 32
  slot 0 byte 0: operator, address of 20
  slot 0 byte 20: time, uint40 of 5
  slot 0 byte 25: size, uint48 of 6
  slot 0 byte 31: flags, uint8 of 1
struct CredentialRegistry.Issuer of 128
  slot 0 byte 0: head, bytes32 of 32
  slot 1 byte 0: didHash, bytes32 of 32
  slot 2 byte 0: owner, address of 20
  slot 3 byte 0: pendingOwner, address of 20
struct CredentialRegistry.Operator of 32
  slot 0 byte 0: roles, uint8 of 1
  slot 0 byte 1: compromisedSince, uint40 of 5
struct CredentialRegistry.Span of 32
  slot 0 byte 0: from, uint40 of 5
  slot 0 byte 5: until, uint40 of 5
"""
"""Bytes are counted from the low end of a slot; "of" gives a type's length in bytes."""


def described(layout: dict[str, Any]) -> Iterator[str]:
    types = layout["types"]

    def place(entry: dict[str, Any]) -> str:
        kind = types[entry["type"]]
        return (
            f"slot {entry['slot']} byte {entry['offset']}: "
            f"{entry['label']}, {kind['label']} of {kind['numberOfBytes']}"
        )

    yield from map(place, layout["storage"])
    for kind in sorted(types.values(), key=lambda kind: str(kind["label"])):
        if "members" in kind:
            yield f"{kind['label']} of {kind['numberOfBytes']}"
            yield from (f"  {place(member)}" for member in kind["members"])


def test_every_variable_and_member_is_where_it_always_was() -> None:
    assert "\n".join(described(load_artifact().storage_layout)) + "\n" == GOLDEN

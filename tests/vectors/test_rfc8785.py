"""Canonical forms made by the author of RFC 8785."""

from pathlib import Path

from ledger.credentials.canonical import canonical_bytes
from ledger.strict_json import parse


def test_every_canonical_form_is_met_byte_for_byte(vectors: Path) -> None:
    inputs = sorted((vectors / "rfc8785" / "input").glob("*.json"))
    assert len(inputs) == 6
    for path in inputs:
        expected = (vectors / "rfc8785" / "output" / path.name).read_bytes()
        assert canonical_bytes(parse(path.read_bytes(), max_bytes=10_000)) == expected
        hexadecimal = (vectors / "rfc8785" / "outhex" / f"{path.stem}.txt").read_text()
        assert expected == bytes.fromhex(hexadecimal)

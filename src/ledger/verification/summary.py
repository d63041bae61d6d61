"""What a report repeats of the anchor, the credential and the block, as JSON."""

from typing import Any, Final

from ledger.credentials.profile import issuer_id_of
from ledger.credentials.proof_check import ProofOutcome
from ledger.primitives import format_address, format_chain
from ledger.proofs.file import ProofFile
from ledger.verification.facts import Facts
from ledger.verification.reasons import Finding, show_time
from ledger.verification.validity_check import FROM_MEMBERS, UNTIL_MEMBERS

SHOWN_CHARACTERS: Final = 300
"""Of a text that a credential says of itself."""


def summarize_block(facts: Facts | Finding) -> dict[str, Any] | None:
    """Return the block that the facts are of; None when there are none."""
    if isinstance(facts, Finding):
        return None
    return {
        "chain": format_chain(facts.proof.anchor.home.chain),
        "block": facts.as_of.number,
        "time": show_time(facts.as_of.time),
    }


def summarize_anchor(proof: ProofFile | Finding, facts: Facts | Finding) -> dict[str, Any] | None:
    """Return where it is anchored; size, operator and time are the registry's, null if not read.

    The other members are what the proof says.
    """
    if isinstance(proof, Finding):
        return None
    home, transaction = proof.anchor.home, proof.anchor.transaction
    anchor = None if isinstance(facts, Finding) else facts.anchor
    return {
        "home": str(home),
        "chain": format_chain(home.chain),
        "registry": format_address(home.registry),
        "issuer": home.issuer,
        "root": proof.anchor.root.hex(),
        "index": proof.inclusion.index,
        "transaction": f"0x{transaction.hex()}" if transaction else None,
        "size": anchor.size if anchor else None,
        "operator": format_address(anchor.operator) if anchor else None,
        "time": show_time(anchor.time) if anchor else None,
    }


def summarize_credential(
    credential: dict[str, Any] | None, proofs: tuple[ProofOutcome, ...]
) -> dict[str, Any] | None:
    """Return what a credential says of itself, believed or not; None for a file."""
    if credential is None:
        return None
    return {
        "id": _text(credential.get("id")),
        "name": _text(credential.get("name")),
        "issuer": _text(issuer_id_of(credential)),
        "validFrom": _first_text(credential, FROM_MEMBERS),
        "validUntil": _first_text(credential, UNTIL_MEMBERS),
        "created": [show_time(proof.created) for proof in proofs if proof.created is not None],
    }


def _text(value: object) -> str | None:
    return value[:SHOWN_CHARACTERS] if isinstance(value, str) else None


def _first_text(credential: dict[str, Any], members: tuple[str, ...]) -> str | None:
    return next((text for m in members if (text := _text(credential.get(m)))), None)

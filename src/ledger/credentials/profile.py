"""The issuer inside a credential, and the homes it claims under its signature.

    "issuer": {"id": "<DID>", "type": ["Profile"], "name": ..., "otherIdentifier": [
        {"type": "IdentifierEntry", "identifierType": "ext:ledgerIssuer",
         "identifier": "eip155:<chain id>:<registry>:<issuer id>"}]}

Source: Open Badges 3.0, class Profile.
"""

from dataclasses import dataclass
from typing import Any, Final

from ledger.primitives import Home

HOME_IDENTIFIER_TYPE: Final = "ext:ledgerIssuer"
"""The `identifierType` of an entry that names a home."""


@dataclass(frozen=True, slots=True)
class IssuerProfile:
    """What an issuer's credentials say of it."""

    did: str
    name: str
    url: str | None = None
    country_code: str | None = None
    """ISO 3166-1 alpha-2, of the country it issues from."""
    region: str | None = None
    homes: tuple[Home, ...] = ()
    """Its places; what anchors a credential must be one of those it names."""


def format_profile(profile: IssuerProfile) -> dict[str, Any]:
    """Return the `issuer` member of a credential."""
    issuer: dict[str, Any] = {"id": profile.did, "type": ["Profile"], "name": profile.name}
    if profile.url:
        issuer["url"] = profile.url
    if address := _address(profile):
        issuer["address"] = {"type": ["Address"], **address}
    if profile.homes:
        issuer["otherIdentifier"] = [
            {
                "type": "IdentifierEntry",
                "identifierType": HOME_IDENTIFIER_TYPE,
                "identifier": str(home),
            }
            for home in profile.homes
        ]
    return issuer


def _address(profile: IssuerProfile) -> dict[str, str]:
    address = {"addressCountryCode": profile.country_code, "addressRegion": profile.region}
    return {name: text for name, text in address.items() if text}


def issuer_id_of(credential: dict[str, Any]) -> str | None:
    """Return `issuer.id`, or `issuer` where that is a string; None when neither is one."""
    issuer = credential.get("issuer")
    identifier = issuer.get("id") if isinstance(issuer, dict) else issuer
    return identifier if isinstance(identifier, str) else None


def homes_of(credential: dict[str, Any]) -> tuple[str, ...]:
    """Return the homes that a credential names, as they are spelled there.

    An entry whose identifier is no string gives an empty one, which is nobody's home: the
    credential did name one.
    """
    issuer = credential.get("issuer")
    entries = issuer.get("otherIdentifier", []) if isinstance(issuer, dict) else []
    named = [
        entry.get("identifier")
        for entry in (entries if isinstance(entries, list) else [entries])
        if isinstance(entry, dict) and entry.get("identifierType") == HOME_IDENTIFIER_TYPE
    ]
    return tuple(home if isinstance(home, str) else "" for home in named)

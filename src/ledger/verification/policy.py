"""A trust policy: what a verifier believes. The proof has no say in it.

    format = "ledger-policy/1"
    homes = ["eip155:1:0x<registry>:7"]         issuers known to be who they say
    accreditors = ["eip155:1:0x<registry>:2"]   issuers whose accreditations are believed
    finality = "finalized"                      or "safe", "latest"
    max_state_age = "30d"                       an older newest block says nothing
    max_anchor_delay = "7d"                     from validFrom and signing to anchoring
    require_signature = false
    require_shape = false
    fetch_did_documents = true                  ask the web site that a did:web names

    [[registries]]
    chain = "eip155:1"                          or "any"
    address = "0x<EIP-55>"
    code_hash = "0x<64 hex>"                    keccak256 of the runtime code
    rpc = ["https://a.example", "https://b.example"]
    quorum = 2                                  of these, how many must agree; all when left out

Everything but `format` may be left out, and then means the least trust, or no limit
for `max_anchor_delay`. docs/reference/policy.md explains each line.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from ledger.chain.artifact import code_hash, registry_address
from ledger.chain.rpc import check_url
from ledger.clock import format_duration, parse_duration
from ledger.errors import MalformedInputError
from ledger.primitives import (
    Address,
    Hash32,
    Home,
    format_address,
    format_chain,
    parse_address,
    parse_chain,
    parse_home,
    prefixed_hash32,
)
from ledger.verification.policy_fields import (
    check_keys,
    parse_boolean,
    parse_text,
    parse_texts,
    parse_toml,
    parse_with,
    policy_error,
)

FORMAT: Final = "ledger-policy/1"

ANY_CHAIN: Final = "any"
"""The `chain` of a registry that is believed on every chain."""

DAY_SECONDS: Final = 86_400
MAX_STATE_AGE_SECONDS: Final = 30 * DAY_SECONDS
"""Unless a policy says otherwise: a chain that stood still for longer is not that chain."""

MAX_ENDPOINTS: Final = 16
"""Of one registry: each is asked by a thread of its own."""

MAX_ACCREDITORS: Final = 64
"""Of one policy: each costs a read or more in every verification."""


_TOP_KEYS: Final = {
    "format",
    "registries",
    "homes",
    "accreditors",
    "finality",
    "max_state_age",
    "max_anchor_delay",
    "require_signature",
    "require_shape",
    "fetch_did_documents",
}
_REGISTRY_KEYS: Final = {"chain", "address", "code_hash", "rpc", "quorum"}


class Finality(StrEnum):
    """The block tag at which good news is believed."""

    FINALIZED = "finalized"
    """The chain would have to break its own rules to drop it."""
    SAFE = "safe"
    LATEST = "latest"
    """May be gone a minute later."""


@dataclass(frozen=True, slots=True)
class TrustedRegistry:
    """A contract whose word is believed, and whom to ask for it."""

    chain: int | None
    """The chain id; None for any chain."""
    address: Address
    code_hash: Hash32
    rpc: tuple[str, ...] = ()
    quorum: int = 1
    """How many of `rpc` must agree."""


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """What a verifier believes; the defaults are the least trust."""

    registries: tuple[TrustedRegistry, ...]
    homes: tuple[Home, ...] = ()
    accreditors: tuple[Home, ...] = ()
    finality: Finality = Finality.FINALIZED
    max_state_age_seconds: int = MAX_STATE_AGE_SECONDS
    max_anchor_delay_seconds: int | None = None
    """None: any delay is believed."""
    require_signature: bool = False
    require_shape: bool = False
    fetch_did_documents: bool = True

    def find_registry(self, home: Home) -> TrustedRegistry | None:
        """Return the registry that `home` is in, if it is believed."""
        at_address = [known for known in self.registries if known.address == home.registry]
        exact = [known for known in at_address if known.chain == home.chain]
        anywhere = [known for known in at_address if known.chain is None]
        return next(iter(exact + anywhere), None)

    def accreditors_of(self, home: Home) -> tuple[Home, ...]:
        """Return the believed accreditors that can accredit `home`: those in its registry."""
        return tuple(
            accreditor
            for accreditor in self.accreditors
            if (accreditor.chain, accreditor.registry) == (home.chain, home.registry)
        )

    def with_rpcs(self, urls: Sequence[str]) -> "TrustPolicy":
        """Return this policy asking `urls`, which must all agree, instead of its own.

        They are asked for the chain that a proof names, and must be on it. No registry,
        home or accreditor becomes believed by this.

        Raises:
            MalformedInputError: as `check_endpoints`.

        """
        check_endpoints(urls)
        asked = tuple(
            replace(known, rpc=tuple(urls), quorum=len(urls)) for known in self.registries
        )
        return replace(self, registries=asked)


def check_endpoints(urls: Sequence[str]) -> None:
    """Return when `urls` can be asked together.

    Raises:
        MalformedInputError: there are none or too many, one stands twice, or one is no
            http or https URL.

    """
    if not 1 <= len(urls) <= MAX_ENDPOINTS:
        raise MalformedInputError(
            "bad-endpoint", f"{len(urls)} endpoints were given; 1 to {MAX_ENDPOINTS} can be asked"
        )
    if len(set(urls)) != len(urls):
        raise MalformedInputError(
            "bad-endpoint", "an endpoint stands twice: its word would count double"
        )
    for url in urls:
        check_url(url)


def default_policy() -> TrustPolicy:
    """Return the policy of a verifier that has none: this release's registry on any chain."""
    return TrustPolicy(
        registries=(TrustedRegistry(chain=None, address=registry_address(), code_hash=code_hash()),)
    )


def parse_policy(text: str) -> TrustPolicy:
    """Read a trust policy.

    Raises:
        MalformedInputError: no TOML, another `format`, a key that is unknown or missing, or
            a value that is not what the key needs; the message says where.

    """
    found = parse_toml(text)
    if found.get("format") != FORMAT:
        raise policy_error("format", f'must be "{FORMAT}"')
    check_keys("", found, known=_TOP_KEYS, needed={"format"})
    values: dict[str, Any] = {
        "registries": _registries(found.get("registries", [])),
        "homes": _homes("homes", found.get("homes", [])),
        "accreditors": _homes("accreditors", found.get("accreditors", [])),
    }
    if len(values["accreditors"]) > MAX_ACCREDITORS:
        raise policy_error("accreditors", f"has more than {MAX_ACCREDITORS} homes")
    if "finality" in found:
        values["finality"] = _finality(found["finality"])
    for name in ("max_state_age", "max_anchor_delay"):
        if name in found:
            values[f"{name}_seconds"] = parse_with(name, found[name], parse_duration)
    for name in ("require_signature", "require_shape", "fetch_did_documents"):
        if name in found:
            values[name] = parse_boolean(name, found[name])
    return TrustPolicy(**values)


def format_policy(policy: TrustPolicy) -> str:
    """Return `policy` as the text that `parse_policy` reads back."""
    delay = policy.max_anchor_delay_seconds
    lines = [
        f"format = {_spelled(FORMAT)}",
        f"homes = {_spelled([str(home) for home in policy.homes])}",
        f"accreditors = {_spelled([str(home) for home in policy.accreditors])}",
        f"finality = {_spelled(policy.finality)}",
        f"max_state_age = {_spelled(format_duration(policy.max_state_age_seconds))}",
        *([f"max_anchor_delay = {_spelled(format_duration(delay))}"] if delay is not None else []),
        f"require_signature = {_spelled(policy.require_signature)}",
        f"require_shape = {_spelled(policy.require_shape)}",
        f"fetch_did_documents = {_spelled(policy.fetch_did_documents)}",
    ]
    for registry in policy.registries:
        lines += ["", "[[registries]]", *_registry_lines(registry)]
    return "\n".join(lines) + "\n"


def _spelled(value: object) -> str:
    # A JSON string, list or boolean is spelled the same in TOML.
    return json.dumps(value)


def _registry_lines(registry: TrustedRegistry) -> list[str]:
    chain = ANY_CHAIN if registry.chain is None else format_chain(registry.chain)
    lines = [
        f"chain = {_spelled(chain)}",
        f"address = {_spelled(format_address(registry.address))}",
        f"code_hash = {_spelled('0x' + registry.code_hash.hex())}",
    ]
    if registry.rpc:
        lines += [f"rpc = {_spelled(list(registry.rpc))}", f"quorum = {registry.quorum}"]
    return lines


def _registries(value: object) -> tuple[TrustedRegistry, ...]:
    if not isinstance(value, list):
        raise policy_error("registries", "must be tables: write [[registries]]")
    found = tuple(_registry(f"registries[{n}].", item) for n, item in enumerate(value))
    if len({(registry.chain, registry.address) for registry in found}) != len(found):
        raise policy_error("registries", "has one registry twice")
    return found


def _registry(where: str, value: object) -> TrustedRegistry:
    if not isinstance(value, dict):
        raise policy_error("registries", "must be tables: write [[registries]]")
    check_keys(where, value, known=_REGISTRY_KEYS, needed={"chain", "address", "code_hash"})
    chain = parse_text(where + "chain", value["chain"])
    rpc = _endpoints(where + "rpc", value.get("rpc", []))
    quorum = value.get("quorum", max(1, len(rpc)))
    if type(quorum) is not int or not 1 <= quorum <= max(1, len(rpc)):
        raise policy_error(
            where + "quorum", f"must be from 1 to {max(1, len(rpc))}, the number of `rpc`"
        )
    return TrustedRegistry(
        chain=None if chain == ANY_CHAIN else parse_with(where + "chain", chain, parse_chain),
        address=parse_with(where + "address", value["address"], parse_address),
        code_hash=parse_with(where + "code_hash", value["code_hash"], prefixed_hash32),
        rpc=rpc,
        quorum=quorum,
    )


def _endpoints(where: str, value: object) -> tuple[str, ...]:
    urls = parse_texts(where, value)
    try:
        if urls:
            check_endpoints(urls)
    except MalformedInputError as error:
        raise policy_error(where, f"is refused: {error}") from None
    return urls


def _homes(where: str, value: object) -> tuple[Home, ...]:
    return tuple(
        parse_with(f"{where}[{n}]", text, parse_home)
        for n, text in enumerate(parse_texts(where, value))
    )


def _finality(value: object) -> Finality:
    if value not in list(Finality):
        raise policy_error("finality", f"must be one of {', '.join(Finality)}")
    return Finality(str(value))

"""Trust policies: one text, one meaning, and nothing believed by mistake."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain.artifact import code_hash, registry_address
from ledger.clock import format_duration
from ledger.errors import LedgerError, MalformedInputError
from ledger.primitives import Address, Hash32, Home, format_address
from ledger.verification.policy import (
    MAX_ACCREDITORS,
    MAX_ENDPOINTS,
    MAX_STATE_AGE_SECONDS,
    Finality,
    TrustedRegistry,
    TrustPolicy,
    default_policy,
    format_policy,
    parse_policy,
)

ADDRESS = Address(b"\x5a" * 20)
CODE = Hash32(b"\x01" * 32)
HOME = Home(1, ADDRESS, 7)
REGISTRY = TrustedRegistry(1, ADDRESS, CODE, ("https://a.example/key", "http://b.example"), 1)
HEAD = 'format = "ledger-policy/1"\n'
TABLE = f"""
[[registries]]
chain = "eip155:1"
address = "{format_address(ADDRESS)}"
code_hash = "0x{CODE.hex()}"
rpc = ["https://a.example/key", "http://b.example"]
"""

addresses = st.binary(min_size=20, max_size=20).map(Address)
homes = st.builds(Home, st.integers(1, 10**9), addresses, st.integers(1, 10**9))
seconds = st.integers(0, 10**8)
urls = st.lists(st.integers(0, 99).map("https://node-{}.example/v3/key".format), unique=True)


@st.composite
def registries(draw: Any) -> TrustedRegistry:
    rpc = tuple(draw(urls.filter(lambda found: len(found) <= MAX_ENDPOINTS)))
    return TrustedRegistry(
        chain=draw(st.none() | st.integers(1, 10**9)),
        address=draw(addresses),
        code_hash=Hash32(draw(st.binary(min_size=32, max_size=32))),
        rpc=rpc,
        quorum=draw(st.integers(1, max(1, len(rpc)))),
    )


policies = st.builds(
    TrustPolicy,
    registries=st.lists(
        registries(), unique_by=lambda known: (known.chain, known.address), max_size=3
    ).map(tuple),
    homes=st.lists(homes, max_size=3).map(tuple),
    accreditors=st.lists(homes, max_size=3).map(tuple),
    finality=st.sampled_from(Finality),
    max_state_age_seconds=seconds,
    max_anchor_delay_seconds=st.none() | seconds,
    require_signature=st.booleans(),
    require_shape=st.booleans(),
)


@given(policies)
def test_a_policy_written_is_read_back(policy: TrustPolicy) -> None:
    assert parse_policy(format_policy(policy)) == policy


def test_a_policy_that_says_nothing_believes_nothing() -> None:
    policy = parse_policy(HEAD)
    assert policy == TrustPolicy(registries=())
    assert policy.finality is Finality.FINALIZED
    assert policy.max_state_age_seconds == MAX_STATE_AGE_SECONDS


def test_without_a_quorum_all_endpoints_must_agree() -> None:
    (registry,) = parse_policy(HEAD + TABLE).registries
    assert registry == replace(REGISTRY, quorum=2)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "format"),
        ('format = "ledger-policy/2"', "format"),
        ("format = 1", "format"),
        ("=", "the file"),
        ("x = 1" + "0" * 5000, "the file"),
        ("x = " + "[" * 5000, "the file"),
        (HEAD + "trust = 'all'", "trust"),
        (HEAD + "Homes = []", "Homes"),
        (HEAD + "homes = 'eip155:1'", "homes"),
        (HEAD + "homes = [1]", "homes[0]"),
        (HEAD + f"homes = ['{HOME}', '{str(HOME).lower()}']", "homes[1]"),
        (HEAD + "accreditors = {}", "accreditors"),
        (HEAD + f"accreditors = {[str(HOME)] * (MAX_ACCREDITORS + 1)}", "accreditors"),
        (HEAD + "finality = 'soon'", "finality"),
        (HEAD + "finality = ['latest']", "finality"),
        (HEAD + "max_state_age = 30", "max_state_age"),
        (HEAD + "max_state_age = '30 d'", "max_state_age"),
        (HEAD + "max_state_age = '-1d'", "max_state_age"),
        (HEAD + "max_anchor_delay = '1w'", "max_anchor_delay"),
        (HEAD + "max_anchor_delay = '01d'", "max_anchor_delay"),
        (HEAD + "require_signature = 1", "require_signature"),
        (HEAD + "require_shape = 'yes'", "require_shape"),
        (HEAD + "registries = 1", "registries"),
        (HEAD + "registries = [1]", "registries"),
        (HEAD + TABLE + TABLE, "registries"),
        (HEAD + TABLE.replace("eip155:1", "1"), "registries[0].chain"),
        (HEAD + TABLE.replace('"eip155:1"', "1"), "registries[0].chain"),
        (HEAD + TABLE.replace("0x5a", "0x5A").replace("0x5A", "0X5a"), "registries[0].address"),
        (HEAD + TABLE.replace("0x01", "0x"), "registries[0].code_hash"),
        (HEAD + TABLE.replace("code_hash", "code-hash"), "registries[0].code-hash"),
        (HEAD + TABLE.replace("https://a", "ftp://a"), "registries[0].rpc"),
        (HEAD + TABLE.replace("http://b.example", "https://a.example/key"), "registries[0].rpc"),
        (HEAD + TABLE.replace("http://b.example", ""), "registries[0].rpc"),
        (HEAD + TABLE + "quorum = 0", "registries[0].quorum"),
        (HEAD + TABLE + "quorum = 3", "registries[0].quorum"),
        (HEAD + TABLE + "quorum = true", "registries[0].quorum"),
        (HEAD + '[[registries]]\nchain = "any"', "registries[0].address"),
    ],
)
def test_a_policy_that_could_be_misread_is_refused_where_it_is_wrong(text: str, where: str) -> None:
    with pytest.raises(MalformedInputError) as caught:
        parse_policy(text)
    assert caught.value.code == "bad-policy"
    assert caught.value.message.startswith(f"trust policy: {where} ")


@given(st.text() | st.text().map(lambda text: HEAD + text))
def test_garbage_is_refused_by_name(text: str) -> None:
    with suppress(LedgerError):
        parse_policy(text)


def test_without_a_policy_this_releases_registry_is_believed_on_any_chain() -> None:
    policy = default_policy()
    for chain in (1, 31337):
        known = policy.find_registry(Home(chain, registry_address(), 5))
        assert known is not None
        assert known.code_hash == code_hash()
        assert known.rpc == ()
    assert policy.find_registry(Home(1, ADDRESS, 5)) is None
    assert (policy.homes, policy.accreditors) == ((), ())


def test_a_registry_named_for_its_chain_comes_before_one_for_any() -> None:
    anywhere = replace(REGISTRY, chain=None, code_hash=Hash32(bytes(32)))
    policy = TrustPolicy(registries=(anywhere, REGISTRY))
    assert policy.find_registry(HOME) == REGISTRY
    assert policy.find_registry(replace(HOME, chain=2)) == anywhere


def test_other_endpoints_replace_urls_and_add_no_trust() -> None:
    policy = TrustPolicy(registries=(REGISTRY,), homes=(HOME,))
    asked = policy.with_rpcs(["http://c", "http://d", "http://e"])
    (registry,) = asked.registries
    assert (registry.rpc, registry.quorum) == (("http://c", "http://d", "http://e"), 3)
    assert replace(asked, registries=policy.registries) == policy
    assert TrustPolicy(registries=()).with_rpcs(["http://c"]).registries == ()


@pytest.mark.parametrize(
    "given_urls",
    [
        [],
        ["c"],
        ["file:///etc/passwd"],
        ["http://"],
        ["http://a", "http://a"],
        ["http://a b"],
        ["http://a:99999"],
        ["http://a\n"],
        [f"http://{n}" for n in range(MAX_ENDPOINTS + 1)],
    ],
)
def test_what_is_no_endpoint_is_refused(given_urls: list[str]) -> None:
    with pytest.raises(MalformedInputError) as caught:
        default_policy().with_rpcs(given_urls)
    assert caught.value.code == "bad-endpoint"


def test_durations_are_written_in_their_greatest_whole_unit() -> None:
    written = [format_duration(n) for n in (86_400, 90_000, 5_400, 61, 0)]
    assert written == ["1d", "25h", "90m", "61s", "0d"]

"""Where a did:web's document is: nothing but the DID says so, in one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.credentials.did_web import MAX_DID_CHARACTERS, document_url, is_did_web
from ledger.errors import MalformedInputError


@pytest.mark.parametrize(
    ("did", "url"),
    [
        ("did:web:univ.example.org", "https://univ.example.org/.well-known/did.json"),
        ("did:web:univ.example.org:badges", "https://univ.example.org/badges/did.json"),
        ("did:web:a.example:b:C_d.e-f", "https://a.example/b/C_d.e-f/did.json"),
        ("did:web:a.example%3A8443", "https://a.example:8443/.well-known/did.json"),
        ("did:web:a.example%3a8443:b", "https://a.example:8443/b/did.json"),
        ("did:web:xn--cole-9oa.example", "https://xn--cole-9oa.example/.well-known/did.json"),
        ("did:web:a.example:...", "https://a.example/.../did.json"),
    ],
)
def test_the_document_is_where_the_method_says(did: str, url: str) -> None:
    assert document_url(did) == url


@pytest.mark.parametrize(
    "did",
    [
        "",
        "did:web:",
        "did:key:z6Mk",
        "did:web:localhost",
        "did:web:127.0.0.1",
        "did:web:2130706433",
        "did:web:0x7f.0x1",
        "did:web:a.1",
        "did:web:[::1]",
        "did:web:Univ.example.org",
        "did:web:univ.example.org.",
        "did:web:.example.org",
        "did:web:-a.example",
        "did:web:a-.example",
        "did:web:a_b.example",
        "did:web:user@a.example",
        "did:web:a.example/b",
        "did:web:a.example#key-1",
        "did:web:a.example?x=1",
        "did:web:a.example:",
        "did:web:a.example::b",
        "did:web:a.example:..",
        "did:web:a.example:b:..:c",
        "did:web:a.example:.",
        "did:web:a.example:b%2F..%2Fc",
        "did:web:a.example:%2e%2e",
        "did:web:a.example%2Fb",
        "did:web:a.example%40b.example",
        "did:web:a.example%3A0",
        "did:web:a.example%3A65536",
        "did:web:a.example%3A08443",
        "did:web:a.example%3A",
        "did:web:a.example\n",
        "did:web:a.example:b\n",
        "did:web:\u00e9cole.example",
        "did:web:a.example:\u0660",
        f"did:web:{'a' * 64}.example",
        "did:web:a.example:" + "b" * MAX_DID_CHARACTERS,
    ],
)
def test_another_spelling_is_refused(did: str) -> None:
    with pytest.raises(MalformedInputError) as caught:
        document_url(did)
    assert caught.value.code == "not-a-did-web"


@given(st.text() | st.from_regex(r"did:web:[a-z.]+(%3A[0-9]+)?(:[^/]*)*", fullmatch=True))
def test_whatever_is_read_stays_at_its_host(did: str) -> None:
    try:
        url = document_url(did)
    except MalformedInputError:
        return
    host = did.split(":")[2].split("%", maxsplit=1)[0]
    scheme, empty, place, *path = url.split("/")
    assert (scheme, empty, place.split(":")[0]) == ("https:", "", host)
    assert path[-1] == "did.json"
    assert not {"", ".", ".."} & set(path)


def test_a_did_web_is_told_from_others() -> None:
    assert is_did_web("did:web:localhost")
    assert not is_did_web("did:key:z6Mk")

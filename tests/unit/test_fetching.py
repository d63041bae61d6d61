"""A URL that a stranger chose leads to the public internet, or nowhere."""

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.fetching import (
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    FetchError,
    PublicWeb,
    is_public,
    resolve_host,
)
from tests.receiver import receiving
from tests.unit.https_site import HOST, LOOPBACK, Site, http, https_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with https_site(tmp_path) as running:
        yield running


def refusal(web: PublicWeb, url: str) -> str:
    """Return the code with which a URL is not fetched."""
    with pytest.raises(FetchError) as caught:
        web.get(url)
    return caught.value.code


def test_the_body_is_fetched_with_one_plain_request(site: Site) -> None:
    site.answer = http(b'{"id": 1}')
    assert site.web().get(site.url("/a/did.json?x=1")) == b'{"id": 1}'
    (request,) = site.requests
    assert request.startswith(b"GET /a/did.json?x=1 HTTP/1.1\r\n")
    assert f"Host: {HOST}:{site.port}\r\n".encode() in request


def test_a_body_in_chunks_or_until_the_end_is_read_whole(site: Site) -> None:
    site.answer = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    )
    assert site.web().get(site.url()) == b"abc"
    site.answer = b"HTTP/1.0 200 OK\r\n\r\nabc"
    assert site.web().get(site.url()) == b"abc"


@pytest.mark.parametrize(
    "url",
    [
        "http://univ.example.org/",
        "ftp://univ.example.org/",
        "file:///etc/passwd",
        "https:///etc/passwd",
        "https://user@univ.example.org/",
        "https://user:word@univ.example.org/",
        "https://univ.example.org/#part",
        "https://univ.example.org/a b",
        "https://univ.example.org/\r\nHost: other",
        "https://univ.example.org/\u00e9",
        "https://univ.example.org:70000/",
        "https://[::1/",
        "univ.example.org",
        "",
    ],
)
def test_nothing_but_plain_https_is_fetched(url: str) -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        raise AssertionError("nothing is looked up")

    assert refusal(PublicWeb(resolve=resolve), url) == "fetch-refused"


NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104 - nothing is bound to it
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:93.184.216.34",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "3fff::1",
    "192.88.99.1",
    "2002:7f00:1::",
    "fc00::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "127.1",
    "0x7f.1",
    "localhost",
    "",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_not_everyone_can_reach_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111"])
def test_others_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_one_address_that_is_not_public_closes_the_whole_host(site: Site, address: str) -> None:
    if address == LOOPBACK:
        web = site.web(also_allowed=frozenset())
    else:
        web = site.web(addresses=(LOOPBACK, address))
    assert refusal(web, site.url()) == "fetch-refused"
    assert site.requests == []


def test_the_machines_own_names_are_refused(site: Site) -> None:
    assert LOOPBACK in resolve_host("localhost", site.port)
    assert refusal(PublicWeb(), f"https://localhost:{site.port}/") == "fetch-refused"
    assert refusal(PublicWeb(), f"https://{LOOPBACK}:{site.port}/") == "fetch-refused"
    assert refusal(PublicWeb(), f"https://2130706433:{site.port}/") == "fetch-refused"


def test_a_name_is_looked_up_once_and_the_address_that_was_checked_is_taken(site: Site) -> None:
    site.answer = http(b"{}")
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        # The second answer would be another one, as a hostile name server gives it.
        asked.append(host)
        return [LOOPBACK] if len(asked) == 1 else ["10.0.0.1"]

    web = PublicWeb(
        resolve=resolve, also_allowed=frozenset({LOOPBACK}), authorities=site.authorities
    )
    assert web.get(site.url()) == b"{}"
    assert asked == [HOST]


def test_an_address_that_refuses_does_not_hide_the_next(site: Site) -> None:
    site.answer = http(b"{}")
    deaf = "127.0.0.2"
    web = site.web(addresses=(deaf, LOOPBACK), also_allowed=frozenset({deaf, LOOPBACK}))
    assert web.get(site.url()) == b"{}"
    assert refusal(site.web(addresses=(deaf,), also_allowed=frozenset({deaf})), site.url()) == (
        "fetch-unreachable"
    )


def test_a_certificate_of_a_strange_authority_is_not_believed(site: Site) -> None:
    web = PublicWeb(resolve=lambda _host, _port: [LOOPBACK], also_allowed=frozenset({LOOPBACK}))
    assert refusal(web, site.url()) == "fetch-unreachable"
    assert site.requests == []


def test_a_certificate_of_another_host_is_not_believed(tmp_path: Path) -> None:
    with https_site(tmp_path, host="other.example.org") as site:
        assert refusal(site.web(), site.url()) == "fetch-unreachable"
        assert site.requests == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (http(b"", "302 Found", "Location: https://other.example.org/"), "fetch-http-status"),
        (http(b"", "301 Moved", "Location: http://169.254.169.254/"), "fetch-http-status"),
        (http(b"{}", "404 Not Found"), "fetch-http-status"),
        (http(b"{}", "500 No"), "fetch-http-status"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "fetch-http-status"),
        (http(bytes(MAX_BODY_BYTES + 1)), "fetch-too-large"),
        (http(bytes(MAX_BODY_BYTES + MAX_HEAD_BYTES)), "fetch-too-large"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", "fetch-unreachable"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab", "fetch-unreachable"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "fetch-unreachable"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "fetch-unreachable"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n", "fetch-unreachable"),
        (b"", "fetch-unreachable"),
    ],
    ids=range(13),
)
def test_another_answer_than_a_whole_200_is_told_by_name(
    site: Site, answer: bytes, code: str
) -> None:
    site.answer = answer
    assert refusal(site.web(), site.url()) == code


def test_a_body_is_read_up_to_its_bound(site: Site) -> None:
    site.answer = http(bytes(MAX_BODY_BYTES))
    assert len(site.web().get(site.url())) == MAX_BODY_BYTES


def test_an_endless_answer_is_cut_off(site: Site) -> None:
    def pour(connection: ssl.SSLSocket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(bytes(2**16))

    site.answer = pour
    assert refusal(site.web(), site.url()) == "fetch-too-large"


def test_a_byte_now_and_then_does_not_hold_it_for_ever(site: Site) -> None:
    is_over = threading.Event()

    def drip(connection: ssl.SSLSocket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not is_over.wait(0.02):
            connection.sendall(b" ")

    site.answer = drip
    try:
        assert refusal(site.web(timeout_seconds=0.5), site.url()) == "fetch-timeout"
    finally:
        is_over.set()


def test_a_server_that_never_greets_is_given_up() -> None:
    with socket.create_server((LOOPBACK, 0)) as listener:
        web = PublicWeb(
            resolve=lambda _host, _port: [LOOPBACK],
            also_allowed=frozenset({LOOPBACK}),
            timeout_seconds=0.2,
        )
        url = f"https://{HOST}:{listener.getsockname()[1]}/"
        assert refusal(web, url) == "fetch-timeout"


def test_a_resolver_that_does_not_answer_is_given_up() -> None:
    is_over = threading.Event()

    def resolve(_host: str, _port: int) -> list[str]:
        is_over.wait()
        return []

    try:
        web = PublicWeb(resolve=resolve, timeout_seconds=0.1)
        assert refusal(web, "https://univ.example.org/") == "fetch-timeout"
    finally:
        is_over.set()


@pytest.mark.parametrize("found", [[], OSError("no"), UnicodeError("label too long")])
def test_a_name_without_an_address_is_unreachable(found: list[str] | Exception) -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        if isinstance(found, Exception):
            raise found
        return found

    assert refusal(PublicWeb(resolve=resolve), "https://univ.example.org/") == "fetch-unreachable"


def test_a_message_names_the_host_and_nothing_else_of_the_url() -> None:
    web = PublicWeb(resolve=lambda _host, _port: ["10.0.0.1"])
    with pytest.raises(FetchError) as caught:
        web.get("https://univ.example.org/secret?token=k3y")
    assert HOST in caught.value.message
    assert "secret" not in caught.value.message
    assert "k3y" not in caught.value.message
    assert "10.0.0.1" not in caught.value.message


# ------------------------------------------------------------------------ sending


def test_a_body_is_posted_and_the_status_comes_back(site: Site) -> None:
    site.answer = http(b"thanks", "202 Accepted")
    assert site.web().post(site.url("/hooks?x=1"), b'{"a": 1}', {"webhook-id": "msg_1"}) == 202
    (request,) = site.requests
    assert request.startswith(b"POST /hooks?x=1 HTTP/1.1\r\n")
    for line in (b"Content-Type: application/json", b"Content-Length: 8", b"webhook-id: msg_1"):
        assert line + b"\r\n" in request


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "::1", "fe80::1"])
def test_nothing_is_posted_to_an_address_that_is_not_public(site: Site, address: str) -> None:
    with pytest.raises(FetchError) as caught:
        site.web(addresses=(LOOPBACK, address)).post(site.url(), b"{}", {})
    assert caught.value.code == "fetch-refused"
    assert site.requests == []


def test_what_is_posted_goes_to_the_address_that_was_checked(site: Site) -> None:
    site.answer = http(b"")
    answers = [[LOOPBACK], ["10.0.0.1"]]
    web = PublicWeb(
        resolve=lambda _host, _port: answers.pop(0),
        also_allowed=frozenset({LOOPBACK}),
        authorities=site.authorities,
    )
    assert web.post(site.url(), b"{}", {}) == 200
    assert answers == [["10.0.0.1"]]


def test_a_redirect_of_what_was_posted_is_its_status(site: Site) -> None:
    site.answer = http(b"", "307 Temporary Redirect", "Location: https://169.254.169.254/")
    assert site.web().post(site.url(), b"{}", {}) == 307
    assert len(site.requests) == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", "fetch-unreachable"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "fetch-unreachable"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: " + bytes(MAX_HEAD_BYTES), "fetch-too-large"),
    ],
)
def test_what_is_no_head_of_http_is_no_status(site: Site, answer: bytes, code: str) -> None:
    site.answer = answer
    with pytest.raises(FetchError) as caught:
        site.web().post(site.url(), b"{}", {})
    assert caught.value.code == code


def test_a_host_inside_is_asked_by_http_where_the_operator_names_its_port() -> None:
    with receiving() as receiver:
        internal = PublicWeb(internal=frozenset({receiver.place}))
        assert internal.post(receiver.url, b"{}", {}) == 204
        other = PublicWeb(internal=frozenset({f"{LOOPBACK}:1"}))
        with pytest.raises(FetchError) as caught:
            other.post(receiver.url, b"{}", {})
        assert caught.value.code == "fetch-refused"
        assert len(receiver.received) == 1

"""Ask the URL that a stranger chose, in the public internet and nowhere else.

Whoever can make a server fetch a URL can make it knock at doors that only it can reach:
its own loopback, the neighbours on its network, the metadata service of its cloud. So

1. the URL is `https`, with a host, and carries no user name, no password and no fragment;
2. the host is resolved once, and **every** address it has must be public;
3. the connection goes to an address that was checked, never to the name again, so the
   name's owner cannot change the answer in between;
4. the certificate must be the host's, and a redirect is an answer like any other: nobody
   follows it;
5. all of it, the resolving too, has one deadline, and the answer one bound.

No proxy is used. Who runs the program may name single hosts with their ports (`internal`) that
may be at any address and speak plain http; a stranger cannot.

    fetch-refused      rule 1 or 2
    fetch-unreachable  no such name, no connection, no trusted certificate, or no HTTP
    fetch-timeout      no whole answer in time
    fetch-http-status  another HTTP status than 200, where a body is asked for
    fetch-too-large    more than MAX_BODY_BYTES or MAX_HEAD_BYTES

Source: RFC 9110, RFC 9112; IANA IPv4 and IPv6 Special-Purpose Address Registries.
"""

import socket
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from ipaddress import IPv4Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ledger.errors import LedgerError

if TYPE_CHECKING:
    import ssl
    from http.client import HTTPResponse

TIMEOUT_SECONDS: Final = 5.0
"""From resolving the name to the last byte of the answer."""

MAX_BODY_BYTES: Final = 256 * 2**10
"""Ours: what is fetched here are small JSON documents."""

MAX_HEAD_BYTES: Final = 64 * 2**10
"""Ours: the head of an answer; chunk marks count here too."""

MAX_ADDRESSES: Final = 8
"""Of one host that are tried, in the resolver's order."""

DEFAULT_PORTS: Final = {"https": 443, "http": 80}

Fetch = Callable[[str], bytes]
"""Gives the body of an `https` URL, or raises `FetchError`."""

Resolve = Callable[[str, int], Sequence[str]]
"""Gives the addresses of a host, for a port."""

_UNICAST_V6: Final = IPv6Network("2000::/3")
"""All of IPv6 that is routed between networks: it has no mapped and no link-local address."""

_SPECIAL: Final = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",  # protocol assignments
            "192.88.99.0/24",  # 6to4 relays
            "240.0.0.0/4",  # reserved
            "2001::/23",  # protocol assignments, and Teredo, which wraps IPv4
            "2002::/16",  # 6to4, which wraps IPv4
            "3fff::/20",  # documentation
        ),
    )
)
"""What some releases of Python take for global; the rest of the registries they know."""

_CHUNK_BYTES: Final = 2**16


class FetchError(LedgerError):
    """What is at a URL could not be had, so nothing is known of it."""

    exit_code = 3


def resolve_host(host: str, port: int) -> list[str]:
    """Return the addresses that the machine's resolver has for `host`."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_public(address: str) -> bool:
    """Return whether `address` can be reached by everyone, as far as its number tells.

    False also for addresses that carry another one inside (6to4, Teredo, mapped IPv4):
    that one is whatever its maker liked.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if any(found in network for network in _SPECIAL):
        return False
    if isinstance(found, IPv4Address):
        return found.is_global and not found.is_multicast
    return found.is_global and found in _UNICAST_V6


@dataclass(frozen=True, slots=True)
class PublicWeb:
    """Fetches by the rules of this module."""

    resolve: Resolve = resolve_host
    also_allowed: frozenset[str] = frozenset()
    """Addresses that are taken for public; there are some in tests only."""
    internal: frozenset[str] = frozenset()
    """`HOST:PORT`s that may be anywhere and speak plain http."""
    authorities: "ssl.SSLContext | None" = None
    """Whose certificates are trusted; None: the machine's authorities."""
    timeout_seconds: float = TIMEOUT_SECONDS

    def get(self, url: str) -> bytes:
        """Return the body that a GET of `url` gives.

        Raises:
            FetchError: as the module says.

        """
        place = _parse_url(url, self.internal)
        deadline = _Deadline(place.host, self.timeout_seconds)
        with self._asked(place, _request("GET", place, _ACCEPT), deadline) as connection:
            return _body_of(_receive(connection, deadline), place.host)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Send a JSON `body` to `url` and return the HTTP status; the answer's body is not read.

        Raises:
            FetchError: as the module says. It may have been received all the same.

        """
        place = _parse_url(url, self.internal)
        deadline = _Deadline(place.host, self.timeout_seconds)
        described = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        request = _request("POST", place, described | dict(headers)) + body
        with self._asked(place, request, deadline) as connection:
            return _status_of(_receive_head(connection, deadline), place.host)

    @contextmanager
    def _asked(
        self, place: "_Place", request: bytes, deadline: "_Deadline"
    ) -> Iterator[socket.socket]:
        """Give a connection on which `request` was sent."""
        with _failures(place.host):
            addresses = self._addresses(place, deadline)
            with self._connect(place, addresses, deadline) as connection:
                connection.settimeout(deadline.left())
                connection.sendall(request)
                yield connection

    def _addresses(self, place: "_Place", deadline: "_Deadline") -> Sequence[str]:
        """Return the host's addresses, which are all public."""
        found = deadline.run(lambda: self.resolve(place.host, place.port))
        addresses = list(dict.fromkeys(found))
        for address in addresses:
            is_allowed = place.is_internal or address in self.also_allowed
            if not is_allowed and not is_public(address):
                # Which one is not said: a stranger could read a private name server this way.
                raise FetchError("fetch-refused", f"{place.host} is not at public addresses alone")
        if not addresses:
            raise FetchError("fetch-unreachable", f"{place.host} has no address")
        return addresses[:MAX_ADDRESSES]

    def _connect(
        self, place: "_Place", addresses: Sequence[str], deadline: "_Deadline"
    ) -> socket.socket:
        """Return a connection to the first address that takes one, its certificate checked."""
        import ssl

        plain = _open_first(addresses, place.port, deadline)
        if place.scheme == "http":
            return plain
        context = self.authorities or ssl.create_default_context()
        try:
            plain.settimeout(deadline.left())
            return context.wrap_socket(plain, server_hostname=place.host)
        except BaseException:
            plain.close()
            raise


def _open_first(addresses: Sequence[str], port: int, deadline: "_Deadline") -> socket.socket:
    refusal = OSError("nothing to connect to")
    for tried, address in enumerate(addresses):
        # A fair share of the time each: one that swallows everything must not hide the others.
        share_seconds = deadline.left() / (len(addresses) - tried)
        try:
            return socket.create_connection((address, port), timeout=share_seconds)
        except OSError as error:
            refusal = error
    raise refusal


@dataclass(frozen=True, slots=True)
class _Place:
    """What of a URL a request is made of."""

    scheme: str
    host: str
    port: int
    target: str
    is_internal: bool


def check_url(url: str, internal: Collection[str] = ()) -> None:
    """Return when `url` is one that may be asked, whatever its host's addresses are.

    Raises:
        FetchError: `fetch-refused`.

    """
    _parse_url(url, internal)


def _parse_url(url: str, internal: Collection[str]) -> _Place:
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        raise _refused_url() from None
    printable = url.isascii() and url.isprintable() and " " not in url
    is_plain = not (parts.username or parts.password or parts.fragment)
    is_internal = f"{parts.hostname}:{port}" in internal
    is_allowed = parts.scheme == "https" or (parts.scheme == "http" and is_internal)
    if not (printable and is_plain and is_allowed and parts.hostname):
        raise _refused_url()
    query = f"?{parts.query}" if parts.query else ""
    target = (parts.path or "/") + query
    return _Place(parts.scheme, parts.hostname, port, target, is_internal)


def _refused_url() -> FetchError:
    return FetchError("fetch-refused", "only plain https URLs with a host are asked")


_ACCEPT: Final = {"Accept": "application/did+json, application/json"}


def _request(method: str, place: _Place, headers: Mapping[str, str]) -> bytes:
    is_default = place.port == DEFAULT_PORTS[place.scheme]
    lines = (
        f"{method} {place.target} HTTP/1.1",
        f"Host: {place.host}" + ("" if is_default else f":{place.port}"),
        *(f"{name}: {value}" for name, value in headers.items()),
        "Accept-Encoding: identity",
        "User-Agent: ledger",
        "Connection: close",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("ascii")


def _receive_head(connection: socket.socket, deadline: "_Deadline") -> bytes:
    """Return at least the head of an answer, and no more than came with its last bytes."""
    received = bytearray()
    while b"\r\n\r\n" not in received:
        if len(received) > MAX_HEAD_BYTES:
            raise FetchError(
                "fetch-too-large", f"{deadline.host} answers with a head that never ends"
            )
        connection.settimeout(deadline.left())
        chunk = connection.recv(_CHUNK_BYTES)
        if not chunk:
            break
        received += chunk
    return bytes(received)


def _receive(connection: socket.socket, deadline: "_Deadline") -> bytes:
    """Return everything that is sent until the other side closes."""
    received = bytearray()
    while True:
        connection.settimeout(deadline.left())
        chunk = connection.recv(_CHUNK_BYTES)
        if not chunk:
            return bytes(received)
        received += chunk
        if len(received) > MAX_HEAD_BYTES + MAX_BODY_BYTES:
            raise _too_large(deadline.host)


class _Received:
    """Bytes that `http.client` reads like a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> BytesIO:
        return BytesIO(self._data)


def _body_of(received: bytes, host: str) -> bytes:
    with _readable(received, host) as response:
        # All of it is here already, so nothing more than that can be read.
        body = response.read()
    if response.status != 200:
        raise FetchError("fetch-http-status", f"{host} answers HTTP {response.status}")
    if len(body) > MAX_BODY_BYTES:
        raise _too_large(host)
    return body


def _status_of(head: bytes, host: str) -> int:
    with _readable(head, host) as response:
        return response.status


@contextmanager
def _readable(received: bytes, host: str) -> "Iterator[HTTPResponse]":
    """Give what was received as an answer of HTTP, its head read."""
    from http.client import HTTPException, HTTPResponse

    response = HTTPResponse(_Received(received))  # type: ignore[arg-type]
    try:
        response.begin()
        yield response
    except (HTTPException, ValueError):
        raise FetchError("fetch-unreachable", f"{host} gave no whole answer of HTTP") from None


def _too_large(host: str) -> FetchError:
    return FetchError("fetch-too-large", f"{host} answers with more than {MAX_BODY_BYTES} bytes")


class _Deadline:
    """The moment by which all must be done."""

    def __init__(self, host: str, timeout_seconds: float) -> None:
        self.host = host
        self._end = time.monotonic() + timeout_seconds

    def left(self) -> float:
        """Return how many seconds are left, more than none."""
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds

    def run(self, work: Callable[[], Sequence[str]]) -> Sequence[str]:
        """Return what `work` returns, or stop waiting for it: a resolver has no time limit."""
        import threading
        from queue import Empty, SimpleQueue

        done: SimpleQueue[Sequence[str] | Exception] = SimpleQueue()

        def put() -> None:
            try:
                done.put(work())
            except (OSError, UnicodeError) as error:
                done.put(error)

        threading.Thread(target=put, name="ledger-resolver", daemon=True).start()
        try:
            found = done.get(timeout=self.left())
        except Empty:
            raise TimeoutError from None
        if isinstance(found, Exception):
            raise OSError("no such name") from found
        return found


@contextmanager
def _failures(host: str) -> Iterator[None]:
    """Turn what a network does into a `FetchError` that names the host only."""
    import ssl

    try:
        yield
    except TimeoutError:
        raise FetchError("fetch-timeout", f"{host} gave no whole answer in time") from None
    except ssl.SSLError:
        raise FetchError(
            "fetch-unreachable", f"{host} shows no certificate that is trusted here"
        ) from None
    except OSError:
        raise FetchError("fetch-unreachable", f"{host} cannot be reached") from None

"""A real https server on this machine, with an authority that was made for it."""

import datetime as dt
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ledger.fetching import PublicWeb

HOST = "univ.example.org"
LOOPBACK = "127.0.0.1"

Answer = bytes | Callable[[ssl.SSLSocket], None]
"""What is sent for a request: bytes, or whatever the function does to the connection."""


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """Return an HTTP answer with its length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@dataclass
class Site:
    """The server; give it an answer, and see what it was asked."""

    port: int
    authorities: ssl.SSLContext
    answer: Answer = b""
    requests: list[bytes] = field(default_factory=list)

    def web(
        self,
        *,
        addresses: tuple[str, ...] = (LOOPBACK,),
        also_allowed: frozenset[str] = frozenset({LOOPBACK}),
        timeout_seconds: float = 30.0,
    ) -> PublicWeb:
        """Return a fetcher for which every host has `addresses`."""
        return PublicWeb(
            resolve=lambda _host, _port: addresses,
            also_allowed=also_allowed,
            authorities=self.authorities,
            timeout_seconds=timeout_seconds,
        )

    def url(self, path: str = "/") -> str:
        return f"https://{HOST}:{self.port}{path}"


@contextmanager
def https_site(folder: Path, *, host: str = HOST) -> Iterator[Site]:
    """Serve one answer a connection, with a certificate for `host`."""
    authority, chain = _make_certificate(folder, host)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    with socket.create_server((LOOPBACK, 0)) as listener:
        site = Site(listener.getsockname()[1], ssl.create_default_context(cafile=authority))
        server = threading.Thread(target=_serve, args=(listener, context, site))
        server.start()
        try:
            yield site
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            server.join()


def _serve(listener: socket.socket, context: ssl.SSLContext, site: Site) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        # The client may break off at any time; that is its test, not ours.
        with plain, suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
            site.requests.append(_read_request(connection))
            if isinstance(site.answer, bytes):
                connection.sendall(site.answer)
            else:
                site.answer(connection)


def _read_request(connection: ssl.SSLSocket) -> bytes:
    received, missing = b"", 1
    while missing > 0 and (chunk := connection.recv(4096)):
        received += chunk
        head, end, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"\r\nContent-Length: ([0-9]+)", head)
        missing = (int(length[1]) if length else 0) - len(body) if end else 1
    return received


def _make_certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """Return the files of an authority, and of the certificate and key that it made."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A throw-away authority")])
    now = dt.datetime.now(dt.UTC)

    def builder(subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False
            )
        )

    ca = (
        builder(ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .add_extension(
            x509.KeyUsage(False, False, False, False, False, True, True, False, False), True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), False)
        .sign(ca_key, hashes.SHA256())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    certificate = (
        builder(subject, key.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    authority, chain = folder / "authority.pem", folder / "chain.pem"
    authority.write_bytes(ca.public_bytes(pem))
    chain.write_bytes(
        certificate.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return authority, chain

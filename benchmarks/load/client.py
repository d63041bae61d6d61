"""Ask a server from many connections, and note how long each answer took."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Final

CLIENTS: Final = 8
"""Connections at once, by turns of the servers when there are several."""

_TICKS: Final = os.sysconf("SC_CLK_TCK")


def check(truth: bool, what: object) -> None:  # noqa: FBT001 - it reads as a sentence
    """Stop the benchmark: the service did not do what it said."""
    if not truth:
        raise AssertionError(what)


@dataclass(frozen=True)
class Server:
    """A server process, and where it listens."""

    pid: int
    port: int

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def peak_mib(self) -> float:
        """Return the most memory that it ever had."""
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024


@contextmanager
def served(kind: str, of: str | Path) -> Iterator[Server]:
    """Run a server as long as the block lasts; what it logs goes nowhere."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
        descriptor = listening.fileno()
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.load.server", kind, str(of), str(descriptor)],
            pass_fds=[descriptor],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        server = Server(process.pid, listening.getsockname()[1])
    try:
        yield server
    finally:
        process.terminate()
        process.wait(30)


class Connection:
    """A keep-alive connection, as cheap as it can be: it shares the processors with the server."""

    def __init__(self, server: Server) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=600)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> bytes:
        """Send one request and return the body of its answer, which must be a good one."""
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, said = received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0])
        while len(said) < length:
            said += self._more()
        check(head.split(b" ", 2)[1] in {b"200", b"202"}, said)
        return said

    def _more(self) -> bytes:
        received = self._socket.recv(1 << 16)
        check(received != b"", "the server hung up")
        return received

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


@dataclass(frozen=True)
class Figures:
    """What many requests took."""

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    """The servers' processor time for one."""


def measure(
    servers: Sequence[Server], requests: int, send: Callable[[Connection, int], None]
) -> Figures:
    """Send `requests` from `CLIENTS` connections, spread over `servers`.

    `send` verifies what it can at once. One request of each connection, with a number below 0,
    comes before the clock starts.
    """
    times: list[float] = []

    def ask(connection: Connection, first: int) -> None:
        for number in range(first, requests, CLIENTS):
            start = time.perf_counter()
            send(connection, number)
            times.append(time.perf_counter() - start)

    connections = [Connection(servers[n % len(servers)]) for n in range(CLIENTS)]
    for number, connection in enumerate(connections):
        send(connection, -1 - number)
    cpu = sum(server.cpu_seconds() for server in servers)
    start = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(ask, connections, range(CLIENTS)))
    took = time.perf_counter() - start
    cpu = sum(server.cpu_seconds() for server in servers) - cpu
    for connection in connections:
        connection.close()
    cuts = quantiles(times, n=100)
    return Figures(requests / took, cuts[49] * 1e3, cuts[98] * 1e3, cpu / requests * 1e6)

"""A node on a real socket that answers as the test says, well or badly."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = bytes | Callable[[list[dict[str, Any]]], Any]


class Node:
    """What the next requests are answered with, and what was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.results: dict[str, Any] = {}
        """The result, or a function of the parameters, by method."""
        self.reply: Reply | None = None
        """Instead of the results: raw bytes, or a function of the parsed request."""
        self.status = 200
        self.headers: dict[str, str] = {}
        self.stall_seconds = 0.0
        self.drip_seconds = 0.0
        """Between one byte and the next."""
        self.requests: list[list[dict[str, Any]]] = []
        self.seen_headers: list[dict[str, str]] = []

    def answer(self, asked: list[dict[str, Any]]) -> bytes:
        self.requests.append(asked)
        if isinstance(self.reply, bytes):
            return self.reply
        if self.reply is not None:
            return json.dumps(self.reply(asked)).encode()
        return json.dumps([self._one(call) for call in asked]).encode()

    def _one(self, call: dict[str, Any]) -> dict[str, Any]:
        result = self.results[call["method"]]
        if callable(result):
            result = result(*call["params"])
        return {"jsonrpc": "2.0", "id": call["id"], "result": result}


class _Handler(BaseHTTPRequestHandler):
    node: Node

    def do_POST(self) -> None:
        node = self.node
        node.seen_headers.append(dict(self.headers))
        body = node.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        time.sleep(node.stall_seconds)
        self.send_response(node.status)
        for name, value in ({"Content-Length": str(len(body))} | node.headers).items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self._write(body)
        except OSError:  # The client has hung up, which is what some tests are about.
            self.close_connection = True

    def _write(self, body: bytes) -> None:
        if not self.node.drip_seconds:
            self.wfile.write(body)
            return
        for byte in body:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(self.node.drip_seconds)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def running_node() -> Iterator[Node]:
    """Give a node that listens until the end of the block."""

    class Handler(_Handler):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    node = Handler.node = Node(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield node
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

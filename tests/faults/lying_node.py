"""A node between us and a real Anvil that passes everything on, and lies where it is told to."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ledger.chain.rpc import Rpc, RpcError

Lie = Callable[[list[Any], Any], Any]
"""Takes the parameters and the true result, and gives what is told instead."""


class LyingNode:
    """Its URL, and its lies."""

    def __init__(self, url: str, honest_url: str) -> None:
        self.url = url
        self.honest_url = honest_url
        self.lies: dict[str, Lie] = {}
        """About results, by method."""
        self.questions: dict[str, Callable[[list[Any]], list[Any]]] = {}
        """Other parameters to answer for, by method."""

    def answer(self, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
        with Rpc(self.honest_url) as rpc:
            return [self._one(rpc, call) for call in calls]

    def _one(self, rpc: Rpc, call: dict[str, Any]) -> dict[str, Any]:
        method, params = call["method"], call["params"]
        asked = self.questions[method](params) if method in self.questions else params
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": call["id"]}
        try:
            result = rpc.call(method, asked)
        except RpcError as error:
            return answer | {"error": {"code": error.node_code, "message": error.node_message}}
        lie = self.lies.get(method)
        return answer | {"result": lie(params, result) if lie else result}


@contextmanager
def lying_node(honest_url: str) -> Iterator[LyingNode]:
    """Give a node that listens until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        node: LyingNode

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(self.node.answer(asked)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    node = Handler.node = LyingNode(f"http://127.0.0.1:{server.server_port}", honest_url)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield node
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

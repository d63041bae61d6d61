"""A node between us and a real Anvil that passes everything on, and lies where it is told to."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ledger.chain.rpc import Rpc, RpcError

from .json_rpc_server import json_rpc_server

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
        self.asked: list[list[str]] = []
        """The methods of each request."""

    def answer(self, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self.asked.append([call["method"] for call in calls])
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

    def reply(asked: bytes) -> tuple[int, bytes]:
        return 200, json.dumps(node.answer(json.loads(asked))).encode()

    with json_rpc_server(reply) as url:
        node = LyingNode(url, honest_url)
        yield node

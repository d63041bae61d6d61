"""A node between us and a real Anvil that fails in the ways that real nodes do.

Anvil hides most of them. Each fault hits the next HTTP request with a call of its
method, once, and then the proxy is honest again.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import httpx2

from .json_rpc_server import json_rpc_server

ANSWER_SECONDS = 20.0


class Failure(StrEnum):
    """How one request goes wrong."""

    TIMEOUT_BEFORE = "timeout before delivery"
    TIMEOUT_AFTER = "timeout after delivery"
    TOO_MANY_REQUESTS = "429"
    SERVER_ERROR = "503"
    TRUNCATED = "truncated"
    WRONG_ID = "wrong id"
    NOT_JSON = "not JSON"
    DROPPED = "answered and dropped"
    """The node takes a transaction and loses it."""
    ALREADY_KNOWN = "already known"
    NONCE_TOO_LOW = "nonce too low"
    UNDERPRICED = "replacement transaction underpriced"
    LIMIT = "daily request limit exceeded"
    """An error of the node's, not of HTTP."""


UNDELIVERED = {
    Failure.TIMEOUT_BEFORE,
    Failure.TOO_MANY_REQUESTS,
    Failure.SERVER_ERROR,
    Failure.DROPPED,
    Failure.UNDERPRICED,
    Failure.LIMIT,
}
HTTP_STATUS = {Failure.TOO_MANY_REQUESTS: 429, Failure.SERVER_ERROR: 503}
REFUSALS = {
    Failure.ALREADY_KNOWN,
    Failure.NONCE_TOO_LOW,
    Failure.UNDERPRICED,
    Failure.LIMIT,
}


@dataclass
class Proxy:
    """Its URL, and what it does wrong next."""

    url: str
    honest_url: str
    method: str = ""
    failure: Failure | None = None
    replaced: dict[str, Any] | None = None
    """Results that are given instead of the true ones, by method, until it is None."""
    hits: int = 0
    heal: Callable[[], None] = lambda: None
    """Goes round the proxy from now on."""

    def fail_next(self, method: str, failure: Failure) -> None:
        self.method, self.failure, self.hits = method, failure, 0

    def take(self, calls: list[dict[str, Any]]) -> Failure | None:
        """Return the failure of this request, which is then used up."""
        if self.failure is None or self.method not in {call["method"] for call in calls}:
            return None
        failure, self.failure = self.failure, None
        self.hits += 1
        return failure

    def answer(self, body: bytes, failure: Failure | None) -> Any:
        calls = json.loads(body)
        if failure in UNDELIVERED:
            return [{"jsonrpc": "2.0", "id": c["id"], "result": "0x" + "00" * 32} for c in calls]
        sent = httpx2.post(
            self.honest_url,
            content=body,
            headers={"Content-Type": "application/json"},
            timeout=ANSWER_SECONDS,
        )
        answers = sent.json()
        if self.replaced:
            methods = {call["id"]: call["method"] for call in calls}
            for answer in answers:
                if methods[answer["id"]] in self.replaced:
                    answer["result"] = self.replaced[methods[answer["id"]]]
        return answers


def spoil(answers: list[dict[str, Any]], failure: Failure | None) -> bytes:
    """Return the body that is sent instead of what should be."""
    if failure in REFUSALS:
        error = {"code": -32000, "message": str(failure)}
        answers = [{"jsonrpc": "2.0", "id": a["id"], "error": error} for a in answers]
    if failure is Failure.WRONG_ID:
        answers = [answer | {"id": answer["id"] + 1000} for answer in answers]
    body = json.dumps(answers).encode()
    if failure is Failure.TRUNCATED:
        return body[: len(body) // 2]
    return b"<html>Bad gateway</html>" if failure is Failure.NOT_JSON else body


@contextmanager
def rpc_proxy(honest_url: str) -> Iterator[Proxy]:
    """Give a proxy that listens until the end of the block."""
    closing = threading.Event()

    def reply(asked: bytes) -> tuple[int, bytes] | None:
        failure = proxy.take(json.loads(asked))
        answers = proxy.answer(asked, failure)
        if failure in {Failure.TIMEOUT_BEFORE, Failure.TIMEOUT_AFTER}:
            closing.wait(ANSWER_SECONDS)
            return None
        return HTTP_STATUS.get(failure, 200) if failure else 200, spoil(answers, failure)

    with json_rpc_server(reply) as url:
        proxy = Proxy(url, honest_url)
        try:
            yield proxy
        finally:
            closing.set()

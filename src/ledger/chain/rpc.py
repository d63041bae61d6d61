"""Ask Ethereum nodes over JSON-RPC.

A node is not trusted to be well behaved: what it sends is bounded in bytes and in
time, matched to what was asked, and parsed strictly. Whatever goes wrong is a
`ChainError`, so that "nobody answered" can never be taken for an answer.

    rpc-unreachable   no connection, or it broke
    rpc-timeout       no whole answer in time
    rpc-http-status   an HTTP status other than 200; redirects are not followed
    rpc-too-large     more than MAX_RESPONSE_BYTES
    rpc-malformed     no JSON-RPC answer to what was asked, or no such value in it
    rpc-error         the node answers with an error of its own (`RpcError`)

URLs often carry an API key, so messages name the host only.

Source: JSON-RPC 2.0; Ethereum execution APIs.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypeVar
from urllib.parse import urlsplit

from ledger.errors import ChainError, MalformedInputError
from ledger.primitives import HASH_BYTES, Hash32

if TYPE_CHECKING:
    import httpx2

TIMEOUT_SECONDS: Final = 20.0
"""For one HTTP request, from connecting to the last byte of the answer."""

MAX_BATCH: Final = 100
"""Calls in one HTTP request; public providers begin to refuse above this."""

MAX_RESPONSE_BYTES: Final = 64 * 2**20
"""One answer. Ten thousand logs, which providers cap a query at, are about 10 MB."""

MAX_QUOTED_CHARACTERS: Final = 200
"""Of a node's own words in a message of ours."""

Call = tuple[str, Sequence[Any]]
"""A method and its parameters."""

T = TypeVar("T")

_QUANTITY: Final = re.compile(r"0x(?:0|[1-9a-fA-F][0-9a-fA-F]{0,63})", re.ASCII)


class RpcError(ChainError):
    """The node understood the call and answers with an error."""

    def __init__(
        self, host: str, node_code: int, node_message: str, node_data: object = None
    ) -> None:
        super().__init__("rpc-error", f"{host} answers error {node_code}: {node_message}")
        self.node_code = node_code
        self.node_message = node_message
        self.node_data = node_data
        """Any JSON; of a reverted call, what the contract returned. Never shown."""


class HttpStatusError(ChainError):
    """The endpoint answers with another HTTP status than 200."""

    def __init__(self, host: str, status: int) -> None:
        super().__init__("rpc-http-status", f"{host} answers HTTP {status}")
        self.status = status


class JsonRpc(Protocol):
    """One endpoint, or several that must agree: who asks need not care."""

    @property
    def quorum(self) -> int:
        """Return how many endpoints must give the same answer."""

    def call(self, method: str, params: Sequence[Any]) -> Any:  # noqa: ANN401 - any JSON
        """Return the result of one call."""

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """Return the results of `calls`, in their order, with one HTTP request per `MAX_BATCH`."""

    def ask(self, calls: Sequence[Call], parse: Callable[[list[Any]], T]) -> T:
        """Return what `parse` makes of the results of `calls`.

        Endpoints are compared by what `parse` returns, as two nodes may spell one answer
        in two ways.
        """

    def survey(self, calls: Sequence[Call], parse: Callable[[list[Any]], T]) -> list[T]:
        """Return what `parse` makes of each endpoint's results, from `quorum` endpoints at least.

        For what may rightly differ between endpoints, such as how far each has come.
        """

    def close(self) -> None:
        """Close the connections."""


def check_url(url: str) -> None:
    """Return when `url` can name an endpoint.

    Raises:
        MalformedInputError: it is no http or https URL with a host.

    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = None
    printable = url.isascii() and url.isprintable() and " " not in url
    if not parts or not printable or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise MalformedInputError(
            "bad-endpoint",
            "an endpoint is an http or https URL with a host, such as http://127.0.0.1:8545",
        )


def host_of(url: str) -> str:
    """Return the host and port of `url`, which may be shown: no password, path or key."""
    return urlsplit(url).netloc.rpartition("@")[2]


class Rpc:
    """One endpoint; the connection is opened at the first call and kept."""

    quorum: Final = 1

    def __init__(self, url: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        check_url(url)
        self.host = host_of(url)
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._client: httpx2.Client | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()

    def call(self, method: str, params: Sequence[Any]) -> Any:  # noqa: ANN401 - any JSON
        """Return the result of one call.

        Raises:
            ChainError: as the module says.

        """
        (result,) = self.batch([(method, params)])
        return result

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """Return the results of `calls`, in their order, with one HTTP request per `MAX_BATCH`.

        Raises:
            ChainError: as the module says; one call's error is the whole batch's.

        """
        results: list[Any] = []
        for start in range(0, len(calls), MAX_BATCH):
            results += self._request(calls[start : start + MAX_BATCH])
        return results

    def ask(self, calls: Sequence[Call], parse: Callable[[list[Any]], T]) -> T:
        """Return what `parse` makes of the results of `calls`.

        Raises:
            ChainError: as the module says, or what `parse` raises.

        """
        return parse(self.batch(calls))

    def survey(self, calls: Sequence[Call], parse: Callable[[list[Any]], T]) -> list[T]:
        """Return `ask`'s answer as a list of one.

        Raises:
            ChainError: as `ask`.

        """
        return [self.ask(calls, parse)]

    def _request(self, calls: Sequence[Call]) -> list[Any]:
        import orjson

        asked = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            for number, (method, params) in enumerate(calls)
        ]
        body = self._post(orjson.dumps(asked))
        try:
            answered = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise self._malformed("something that is not JSON") from None
        return self._results(answered, len(calls))

    def _post(self, content: bytes) -> bytes:
        deadline = time.monotonic() + self._timeout_seconds
        with self._transport_errors(), self._open().stream("POST", self._url, content=content) as r:
            if r.status_code != 200:
                raise HttpStatusError(self.host, r.status_code)
            body = bytearray()
            # Raw: a few compressed bytes could unpack to gigabytes before they are counted.
            for chunk in r.iter_raw():
                body += chunk
                self._check_progress(len(body), deadline)
        return bytes(body)

    def _check_progress(self, received: int, deadline: float) -> None:
        if received > MAX_RESPONSE_BYTES:
            raise ChainError(
                "rpc-too-large", f"{self.host} answers with more than {MAX_RESPONSE_BYTES} bytes"
            )
        # The client's own limit is for each read: a byte now and then would pass it for ever.
        if time.monotonic() > deadline:
            raise self._timeout()

    def _open(self) -> "httpx2.Client":
        if self._client is None:
            # Imported here: it costs a sixth of a second, and offline checks need none of it.
            import ssl

            import httpx2

            self._client = httpx2.Client(
                headers={"Content-Type": "application/json", "Accept-Encoding": "identity"},
                timeout=self._timeout_seconds,
                # Reading the machine's authorities costs as much again; plain http has no use
                # for them, and an empty list trusts nobody.
                verify=True
                if self._url.startswith("https:")
                else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            )
        return self._client

    @contextmanager
    def _transport_errors(self) -> Iterator[None]:
        import httpx2

        try:
            yield
        except httpx2.TimeoutException:
            raise self._timeout() from None
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError):
            raise ChainError(
                "rpc-unreachable", f"{self.host} cannot be reached: is the node running?"
            ) from None

    def _results(self, answered: object, count: int) -> list[Any]:
        if isinstance(answered, dict) and "error" in answered:
            raise self._node_error(answered["error"])
        if not isinstance(answered, list) or len(answered) != count:
            raise self._malformed("another number of answers than was asked")
        by_id: dict[int, Any] = {}
        for answer in answered:
            number = answer.get("id") if isinstance(answer, dict) else None
            if type(number) is not int or not 0 <= number < count or number in by_id:
                raise self._malformed("an answer to something that was not asked")
            if answer.get("error") is not None:
                raise self._node_error(answer["error"])
            if "result" not in answer:
                raise self._malformed("an answer with neither result nor error")
            by_id[number] = answer["result"]
        return [by_id[number] for number in range(count)]

    def _node_error(self, error: object) -> ChainError:
        if not isinstance(error, dict) or type(error.get("code")) is not int:
            return self._malformed("an error without a code")
        words = "".join(c if c.isprintable() else " " for c in str(error.get("message", "")))
        said = words[:MAX_QUOTED_CHARACTERS]
        return RpcError(self.host, error["code"], said, error.get("data"))

    def _malformed(self, what: str) -> ChainError:
        return ChainError("rpc-malformed", f"{self.host} gave {what}")

    def _timeout(self) -> ChainError:
        return ChainError(
            "rpc-timeout", f"{self.host} gave no whole answer in {self._timeout_seconds:g} s"
        )


def parse_quantity(value: object) -> int:
    """Return a JSON-RPC quantity: `0x`, then hex digits without leading zeros.

    Raises:
        ChainError: `value` is spelled otherwise, or is beyond 256 bits.

    """
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise ChainError("rpc-malformed", f"the node gave {value!r:.80} for a quantity")
    return int(value, 16)


def parse_data(value: object) -> bytes:
    """Return JSON-RPC data: `0x`, then two hex digits a byte.

    Raises:
        ChainError: `value` is spelled otherwise.

    """
    if isinstance(value, str) and value.startswith("0x"):
        try:
            data = bytes.fromhex(value[2:])
        except ValueError:
            data = b""
        # `fromhex` skips white space; then there are fewer bytes than pairs of characters.
        if 2 * len(data) + 2 == len(value):
            return data
    raise ChainError("rpc-malformed", f"the node gave {value!r:.80} for bytes")


def parse_hash(value: object) -> Hash32:
    """Return 32 bytes of JSON-RPC data.

    Raises:
        ChainError: `value` is no data, or has another length.

    """
    data = parse_data(value)
    if len(data) != HASH_BYTES:
        raise ChainError("rpc-malformed", f"the node gave {len(data)} bytes for a hash")
    return Hash32(data)

"""A small client of the HTTP service, for programs that push and ask.

    from ledger.client import Client

    with Client("https://registry.example", key="ledger_7_...") as client:
        (credential,) = client.submit_digests(1, [digest], canonicalization=Canonicalization.NONE)
        proof = client.wait_for_proof(credential, timeout_seconds=3600)

What the service says is wrong is raised as the error it is there, by class and code. What
may have been done although no answer came is asked again with the same idempotency key, so
it is done once.
"""

import json
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from ledger.errors import (
    ChainError,
    ConflictError,
    DeniedError,
    LedgerError,
    LimitError,
    MalformedInputError,
    NotFoundError,
)
from ledger.primitives import Canonicalization, Hash32
from ledger.webhook_signature import verify_webhook as verify_webhook  # noqa: PLC0414 - passed on

ATTEMPTS: Final = 4
"""How often a request is sent before its failure is raised."""

MAX_WAIT_SECONDS: Final = 30.0
"""The longest pause between two attempts, whatever the service asks for."""

_CLASSES: Final[dict[int, type[LedgerError]]] = {
    400: MalformedInputError,
    401: DeniedError,
    403: DeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: MalformedInputError,
}
_LIMITS: Final = {"too-often", "too-busy", "too-slow", "too-large"}


class ServiceError(LedgerError):
    """The service could not be asked, or did not answer in a usable way: nothing is known."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one credential stands."""

    id: str
    state: str
    """`waiting`, or the status of its batch; `final` at the end."""
    batch: int | None
    next: str
    """What happens next, for people."""


class Client:
    """A connection to one service, with one API key or none."""

    def __init__(self, url: str, *, key: str | None = None, timeout_seconds: float = 30.0) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx2.Client(base_url=url, headers=headers, timeout=timeout_seconds)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def submit_digests(
        self, issuer: int, digests: Sequence[Hash32], *, canonicalization: Canonicalization
    ) -> list[str]:
        """Hand in up to 100,000 digests; return their ids in the same order.

        Raises:
            LedgerError: as every method here: what the service refused, or a ServiceError.

        """
        body = {
            "issuer": issuer,
            "canonicalization": canonicalization,
            "digests": [digest.hex() for digest in digests],
        }
        ids: list[str] = self._post_once("/v1/digests", body)["ids"]
        return ids

    def submit_in_bulk(
        self, issuer: int, digests: Sequence[Hash32], *, canonicalization: Canonicalization
    ) -> list[str]:
        """Hand in up to a million digests; return their ids in the same order."""
        answer = self._send(
            "POST",
            "/v1/digests/bulk",
            params={"issuer": issuer, "canonicalization": str(canonicalization)},
            content=b"".join(digests),
            headers={"Content-Type": "application/octet-stream"},
        )
        ids: list[str] = _json(answer)["ids"]
        return ids

    def issue(
        self, issuer: int, template: dict[str, Any], rows: Sequence[dict[str, Any]]
    ) -> list[str]:
        """Have a credential signed for every row; return their ids in the same order.

        A row that was issued before, with the same template, is the same credential.
        """
        body = {"issuer": issuer, "template": template, "rows": list(rows)}
        ids: list[str] = self._post_once("/v1/credentials/issue", body)["ids"]
        return ids

    def submit_credentials(self, issuer: int, credentials: Sequence[dict[str, Any]]) -> list[str]:
        """Hand in signed credentials; return their ids in the same order."""
        body = {"issuer": issuer, "credentials": list(credentials)}
        ids: list[str] = self._post_once("/v1/credentials", body)["ids"]
        return ids

    def standing(self, credential: str) -> Standing:
        """Return where a credential stands."""
        found = _json(self._send("GET", f"/v1/credentials/{_id(credential)}"))
        return Standing(found["id"], found["state"], found["batch"], found["next"])

    def proof(self, credential: str, *, with_state: bool = False) -> bytes:
        """Return the bytes of a proof file; with the state that is kept it is verified offline.

        Raises:
            ConflictError: the credential is not anchored yet, or no state is kept that is still
                true; its message says what comes next.

        """
        wanted = {"state": "stored"} if with_state else {}
        return bytes(self._send("GET", f"/v1/proofs/{_id(credential)}", params=wanted).content)

    def wait_for_proof(
        self, credential: str, *, timeout_seconds: float, poll_seconds: float = 2.0
    ) -> bytes:
        """Return the bytes of a proof file once its anchor is final.

        Verifiers believe it from then on; before, they say that they do not know. Needs a key that
        may read.

        Raises:
            ConflictError: it is not final when the time has run out.

        """
        deadline = time.monotonic() + timeout_seconds
        while (standing := self.standing(credential)).state != "final":
            if time.monotonic() > deadline:
                raise ConflictError("not-final", f"it is {standing.state}: {standing.next}")
            time.sleep(poll_seconds)
        return self.proof(credential)

    def verify(self, document: bytes) -> dict[str, Any]:
        """Return the service's report on a proof file or badge; its `verdict` is its own word."""
        headers = {"Content-Type": "application/json"}
        return _json(self._send("POST", "/v1/verify", content=document, headers=headers))

    def change_status(
        self, issuer: int, action: str, credentials: Sequence[str], *, reason: str = "unspecified"
    ) -> int:
        """Ask to revoke, suspend or reinstate; return the number of the request."""
        body = {
            "issuer": issuer,
            "action": action,
            "reason": reason,
            "credentials": list(credentials),
        }
        return int(self._post_once("/v1/status-changes", body)["id"])

    def revoke_batch(self, issuer: int, batch: int, *, reason: str = "unspecified") -> int:
        """Ask to revoke a whole batch; return the number of the request."""
        body = {"issuer": issuer, "action": "revoke", "reason": reason, "batch": batch}
        return int(self._post_once("/v1/status-changes", body)["id"])

    def status_change(self, number: int) -> str:
        """Return the state of a request: waiting, sent, done or refused."""
        return str(_json(self._send("GET", f"/v1/status-changes/{number}"))["state"])

    def batches(self) -> Iterator[dict[str, Any]]:
        """Give the issuer's batches, newest first; pages are fetched as they are needed."""
        before: dict[str, int] = {}
        while True:
            page = _json(self._send("GET", "/v1/batches", params=before))
            yield from page["batches"]
            if page["next"] is None:
                return
            before = {"before": page["next"]}

    def _post_once(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Idempotency-Key": str(uuid.uuid4()), "Content-Type": "application/json"}
        content = json.dumps(body).encode()
        return _json(self._send("POST", path, content=content, headers=headers))

    def _send(self, method: str, path: str, **request: Any) -> httpx2.Response:  # noqa: ANN401
        """Send a request, again when that may help: it is safe to, here."""
        for left in reversed(range(ATTEMPTS)):
            try:
                answer = self._http.request(method, path, **request)
            except httpx2.HTTPError as error:
                # Neither the URL nor what was sent is repeated.
                failure: LedgerError = ServiceError(
                    "service-unreachable", f"the service did not answer: {type(error).__name__}"
                )
                wait = 2.0 ** (ATTEMPTS - left - 2)
            else:
                if answer.is_success:
                    return answer
                failure = _failure(answer)
                wait = _pause(failure)
            if not left or wait < 0:
                raise failure
            time.sleep(min(wait, MAX_WAIT_SECONDS))
        raise AssertionError


def _failure(answer: httpx2.Response) -> LedgerError:
    """Return the error that a problem detail describes."""
    problem = _json(answer)
    code, detail = str(problem.get("code", "")), str(problem.get("detail", ""))
    if not code:
        return _malformed()
    if code in _LIMITS:
        after = answer.headers.get("Retry-After", "")
        seconds = float(after) if after.isascii() and after.isdigit() else None
        return LimitError(code, detail, retry_after_seconds=seconds)
    if answer.status_code == 503:
        return ChainError(code, detail)
    return _CLASSES.get(answer.status_code, ServiceError)(code, detail)


def _pause(failure: LedgerError) -> float:
    """Return after how many seconds to ask again; below 0 when it would not help."""
    if isinstance(failure, LimitError) and failure.retry_after_seconds is not None:
        return failure.retry_after_seconds
    return -1.0


def _json(answer: httpx2.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        raise _malformed() from None
    if not isinstance(found, dict):
        raise _malformed()
    return found


def _malformed() -> ServiceError:
    return ServiceError("service-malformed", "what answered is not this service")


def _id(credential: str) -> str:
    """Return an id that is safe in a path.

    Raises:
        MalformedInputError: it is no UUID.

    """
    try:
        return str(uuid.UUID(credential))
    except ValueError:
        raise MalformedInputError("bad-id", "the id of a credential is a UUID") from None

"""What every route works with, and how the service asks chains."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ledger.batches.trees.cache import TileCache
from ledger.chain.keystore import Secret
from ledger.chain.quorum import open_endpoints
from ledger.chain.state import ChainReader, RpcReader
from ledger.clock import Clock
from ledger.config import Settings
from ledger.credentials.signature import SigningKey
from ledger.database import Connection, Database
from ledger.errors import DeniedError
from ledger.issuers.api_keys import ApiKey, authenticate
from ledger.primitives import Home
from ledger.verification.policy import TrustedRegistry, TrustPolicy, parse_policy
from ledger.web.limits import RateLimiter, Slots
from ledger.web.store import StoredAnswer
from ledger.web.together import Together, do_together

if TYPE_CHECKING:
    from ledger.chain.rpc import JsonRpc

MAX_VERIFYING: Final = 16
"""Verifications at once; each waits for nodes, and other requests need threads too."""

MAX_BULK: Final = 4
"""Bulk uploads at once, of at most some 70 MB of temporary files each."""


class Chains:
    """Connections to chains that requests share: one a set of endpoints, opened when needed."""

    def __init__(self) -> None:
        self._open: dict[tuple[tuple[str, ...], int], JsonRpc] = {}
        self._lock = threading.Lock()

    @contextmanager
    def reader(self, chain: int, registry: TrustedRegistry) -> Iterator[ChainReader]:
        """Give a reader of `chain` through the registry's endpoints."""
        wanted = (registry.rpc, registry.quorum)
        with self._lock:
            rpc = self._open.get(wanted)
            if rpc is None:
                rpc = self._open[wanted] = open_endpoints(*wanted)
        yield RpcReader(rpc, chain)

    def close(self) -> None:
        """Close all of them."""
        with self._lock:
            for rpc in self._open.values():
                rpc.close()
            self._open.clear()


Writes = Together[Callable[[Connection], StoredAnswer], StoredAnswer]
"""Stores what is asked in the database, and gives the answers."""


@dataclass(frozen=True)
class Service:
    """One installation that is served."""

    settings: Settings
    database: Database
    policy: Callable[[], TrustPolicy]
    """What this server believes; read again when its file has changed."""
    now: Clock
    rates: RateLimiter
    signing_key: SigningKey | None = None
    """Signs credentials; None in a service that holds no keys."""
    webhook_key: Secret | None = None
    """Makes the secrets of webhooks; None in a service that holds no keys."""
    chains: Chains = field(default_factory=Chains)
    tiles: TileCache = field(default_factory=TileCache)
    _writes: dict[int, Writes] = field(default_factory=dict)
    verifying: Slots = field(default_factory=lambda: Slots(MAX_VERIFYING))
    bulk: Slots = field(default_factory=lambda: Slots(MAX_BULK))

    @cached_property
    def keys(self) -> Together[str, ApiKey]:
        """Gives the API key of what was presented as one, as the database has it then."""
        return Together(self._authenticate)

    async def read(self, job: Callable[[Connection], Response]) -> Response:
        """Return what `job` gives in a reading transaction.

        On SQLite it is that of all who wait: to begin one, and to have a thread for it, costs more
        than most of what is read. PostgreSQL reads for many connections at once.

        Raises:
            Exception: what `job` raises.

        """
        if self.database.is_postgresql:
            return await run_in_threadpool(self._read_alone, job)
        return await self._reads.ask(job)

    @cached_property
    def _reads(self) -> Together[Callable[[Connection], Response], Response]:
        return Together(partial(do_together, self.database.read))

    def _read_alone(self, job: Callable[[Connection], Response]) -> Response:
        with self.database.read() as tx:
            return job(tx)

    def writes(self, issuer: int) -> Writes:
        """Return what does small requests of one issuer, many of them in one transaction.

        On SQLite those of all issuers share one, since all wait for one writer. On PostgreSQL only
        those of one issuer do: they take turns anyway, and a transaction that took the turns of
        several could wait for another that has them in another order.
        """
        turn = issuer if self.database.is_postgresql else 0
        if turn not in self._writes:
            self._writes[turn] = Together(partial(do_together, self.database.write))
        return self._writes[turn]

    def _authenticate(self, presented: Sequence[str]) -> list[ApiKey | Exception]:
        found: dict[str, ApiKey | Exception] = {}
        with self.database.read() as tx:
            for text in set(presented):
                try:
                    found[text] = authenticate(tx, text, now=self.now())
                except DeniedError as error:
                    found[text] = error
        return [found[text] for text in presented]

    def home_of(self, issuer: int) -> Home:
        """Return the place of an issuer."""
        return Home(self.settings.chain, self.settings.registry, issuer)

    def close(self) -> None:
        """Close every connection."""
        self.chains.close()
        self.database.close()


class PolicyFile:
    """The trust policy of a file, read again when the file has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed: int | None = None
        self._policy: TrustPolicy | None = None

    def __call__(self) -> TrustPolicy:
        """Return what the file says now.

        Raises:
            MalformedInputError: it says something that no policy can.

        """
        changed = self._path.stat().st_mtime_ns
        if self._policy is None or changed != self._changed:
            self._policy = parse_policy(self._path.read_text("utf-8"))
            self._changed = changed
        return self._policy

"""Several endpoints of one chain that must agree before anything is believed.

Every question goes to all of them at once. An answer counts when at least k of
them give it and nothing else is given by k others:

    k = n       all must agree; one that is down means that nothing is known
    k > n / 2   outvotes a minority that lies, lags or is down
    k = 1 < n   guards against outages only: the first lie stops everything,
                and a lie told while the others are down is believed
"""

from collections.abc import Callable, Sequence
from typing import Any, Self, TypeVar

from ledger.chain.rpc import Call, Rpc
from ledger.errors import ChainError, MalformedInputError

T = TypeVar("T")


class Quorum:
    """`k` of some endpoints; it owns them and closes them."""

    def __init__(self, rpcs: Sequence[Rpc], k: int) -> None:
        # Imported here: most verifications ask one endpoint.
        from concurrent.futures import ThreadPoolExecutor

        if not 1 <= k <= len(rpcs):
            raise MalformedInputError(
                "bad-quorum", f"a quorum of {k} cannot be had from {len(rpcs)} endpoints"
            )
        self.quorum = k
        self._rpcs = tuple(rpcs)
        self._threads = ThreadPoolExecutor(len(rpcs), thread_name_prefix="rpc")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._threads.shutdown(cancel_futures=True)
        for rpc in self._rpcs:
            rpc.close()

    def call(self, method: str, params: Sequence[Any]) -> Any:  # noqa: ANN401 - any JSON
        """Return the result of one call, on which the endpoints agree to the letter.

        Raises:
            ChainError: as `ask`.

        """
        (result,) = self.batch([(method, params)])
        return result

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """Return the results of `calls`, in their order, on which they agree to the letter.

        Raises:
            ChainError: as `ask`.

        """
        return self.ask(calls, list)

    def ask(self, calls: Sequence[Call], parse: Callable[[list[Any]], T]) -> T:
        """Return what `parse` makes of the results that `quorum` endpoints or more agree on.

        Raises:
            ChainError: as `survey`, or `rpcs-disagree`: too few gave the same answer, or
                two answers were each given by enough.

        """
        answers = self.survey(calls, parse)
        distinct = [answer for n, answer in enumerate(answers) if answer not in answers[:n]]
        agreed = [answer for answer in distinct if answers.count(answer) >= self.quorum]
        if len(agreed) != 1:
            raise ChainError(
                "rpcs-disagree",
                f"{len(answers)} endpoints gave {len(distinct)} different answers, and "
                f"{self.quorum} must give the same: one of them lies or lags, ask others too",
            )
        return agreed[0]

    def survey(self, calls: Sequence[Call], parse: Callable[[list[Any]], T]) -> list[T]:
        """Return what `parse` makes of the results of each endpoint that answered.

        Raises:
            ChainError: fewer than `quorum` answered; the code is the first failure's.

        """
        waiting = [self._threads.submit(rpc.ask, calls, parse) for rpc in self._rpcs]
        answers: list[T] = []
        failures: list[ChainError] = []
        for future in waiting:
            try:
                answers.append(future.result())
            except ChainError as error:
                failures.append(error)
        if len(answers) < self.quorum:
            raise ChainError(
                failures[0].code,
                f"{len(answers)} of {len(waiting)} endpoints answered and {self.quorum} must: "
                f"{failures[0].message}",
            )
        return answers


def open_endpoints(urls: Sequence[str], k: int) -> Rpc | Quorum:
    """Return the way to ask these endpoints, of which `k` must agree; nothing is sent yet.

    Raises:
        MalformedInputError: no such URL, or `k` is not possible.

    """
    if len(urls) == k == 1:
        return Rpc(urls[0])
    return Quorum([Rpc(url) for url in urls], k)

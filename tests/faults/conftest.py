"""The chain of `tests/chain`, for faults on it."""

from tests.chain.conftest import chain, outbox

__all__ = ["chain", "outbox"]

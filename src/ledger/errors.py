"""Everything this package raises on purpose.

* LedgerError
  * MalformedInputError     nothing could make what arrived acceptable
  * ProofError              well-formed, but does not prove what it claims
    * RootMismatchError
  * NotFoundError           no such batch, issuer, credential, file
  * ConflictError           right request, wrong moment (state has moved on)
  * DeniedError             who you are does not allow it
  * LimitError              too much, or too often
  * ChainError              the node did not say, so nothing is known
  * StorageError            the database did not say, is full or is damaged

A caller branches on the class; a machine branches on `code`, which is part of
the public API and never changes. Messages are for people and may. Every code is
explained in docs/reference/errors.md.
"""

import copyreg
from typing import ClassVar


class LedgerError(Exception):
    """The root of the tree; only its descendants are raised."""

    exit_code: ClassVar[int]
    """What a command that ends with this error exits with."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[object, ...]:
        """Pass whole into another process, whatever the constructor of the class takes."""
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class MalformedInputError(LedgerError):
    """What arrived has the wrong shape; sending it again will not help."""

    exit_code = 2


class ProofError(LedgerError):
    """The proof is well-formed and does not prove its claim."""

    exit_code = 1


class RootMismatchError(ProofError):
    """A path leads to another root than the anchored one."""

    def __init__(self, *, computed: bytes, anchored: bytes) -> None:
        super().__init__(
            "root-mismatch",
            f"the path leads to {computed.hex()}, the anchored root is {anchored.hex()}",
        )
        self.computed = computed
        self.anchored = anchored


class NotFoundError(LedgerError):
    """The thing named does not exist here."""

    exit_code = 4


class ConflictError(LedgerError):
    """A right request at the wrong moment."""

    exit_code = 5


class DeniedError(LedgerError):
    """Who asks may not do this."""

    exit_code = 6


class LimitError(LedgerError):
    """Too much at once, or too often."""

    exit_code = 2

    def __init__(
        self, code: str, message: str, *, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(code, message)
        self.retry_after_seconds = retry_after_seconds


class ChainError(LedgerError):
    """The chain could not be asked, or did not answer in a usable way."""

    exit_code = 3


class StorageError(LedgerError):
    """The database could not be asked, has no room, or is damaged."""

    exit_code = 3

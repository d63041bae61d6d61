"""The kinds of values that requests have in common, with their bounds."""

import re
from typing import Annotated, Final

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from ledger.errors import NotFoundError

MAX_NUMBER: Final = 2**53 - 1
"""The greatest integer that every JSON reader holds exactly; every database holds it too."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)

Number = Annotated[int, Field(ge=1, le=MAX_NUMBER)]
"""An id that the database or the registry gave."""

StrictNumber = Annotated[int, Field(ge=1, le=MAX_NUMBER, strict=True)]
"""The same in a body, where `"1"` and `true` are not 1."""

HexDigest = Annotated[str, Field(pattern="^[0-9a-f]{64}$", strict=True)]

PublicId = Annotated[
    str,
    Path(
        alias="id",
        max_length=64,
        description="The credential's UUID.",
        examples=["4f3c2b1a-0d9e-4c8b-a7f6-5e4d3c2b1a09"],
    ),
]


class Body(BaseModel):
    """What a request says in JSON: no member that we do not know."""

    model_config = ConfigDict(extra="forbid")


def check_public_id(text: str) -> None:
    """Return when `text` could be the id of a credential.

    Raises:
        NotFoundError: it could not, so no credential has it. Databases differ in which texts
            they take at all; they are asked about UUIDs only.

    """
    if not _UUID.fullmatch(text):
        raise NotFoundError("no-credential", "there is no credential of this id")

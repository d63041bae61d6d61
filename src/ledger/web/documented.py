"""The answers that a route can give, for the OpenAPI document."""

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field

from ledger.web.problems import MEDIA_TYPE


class Place(BaseModel):
    """One thing that is wrong in a request, and where."""

    at: str = Field(examples=["rows/2/score"])
    is_: str = Field(alias="is")


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(examples=["urn:ledger:error:bad-key"])
    title: str
    status: int
    code: str = Field(description="Stable; docs/reference/errors.md lists every one.")
    detail: str = Field(description="For people; may change.")
    errors: list[Place] | None = Field(
        default=None, description="Every place that is wrong, when there can be several."
    )


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the problems that a route may answer with."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }

"""The issuers of this installation, their schedules, and what audits said of them."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from ledger.audit.summaries.store import find_summary
from ledger.batches.schedules.schedule import Schedule, check_schedule, due_at
from ledger.batches.schedules.store import find_schedule, set_schedule
from ledger.batches.sealing import find_waiting
from ledger.clock import format_time
from ledger.errors import NotFoundError
from ledger.issuers.api_keys import ApiKey, Scope, check_scope
from ledger.issuers.store import get_issuer, list_issuers
from ledger.web.auth import Admin, KeyOf, ServiceOf
from ledger.web.documented import problems
from ledger.web.fields import Body, Number, StrictNumber
from ledger.web.strict_route import StrictRoute

router = APIRouter(prefix="/v1", tags=["issuers"], route_class=StrictRoute)


class IssuerView(BaseModel):
    """One issuer."""

    issuer: int
    home: str = Field(examples=["eip155:1:0x5FbDB2315678afecb367f032d93F642f64180aa3:1"])
    did: str
    name: str
    url: str | None


class IssuerList(BaseModel):
    """Every issuer, oldest first."""

    issuers: list[IssuerView]


class ScheduleBody(Body):
    """When what waits is sealed and anchored: the first condition that holds is enough."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"every_seconds": 900}]})

    cron: Annotated[str, Field(max_length=200)] | None = Field(default=None, examples=["0 * * * *"])
    zone: str = Field(default="UTC", max_length=64, description="The time zone of `cron`.")
    every_seconds: StrictNumber | None = None
    at_waiting: StrictNumber | None = None
    max_age_seconds: StrictNumber | None = None


class ScheduleView(ScheduleBody):
    """An issuer's schedule, and what it means now."""

    waiting: int = Field(description="Credentials that are in no batch yet.")
    due: str | None = Field(description="When they are sealed, if that is known.")


class FindingCount(BaseModel):
    """How often one kind of finding was made."""

    code: str = Field(examples=["anchor-unknown"], description="docs/reference/audit.md has all.")
    count: int


class AuditSummary(BaseModel):
    """What the last audit said of an issuer."""

    issuer: int
    audited: str = Field(description="When the audit ended.")
    chain: str = Field(examples=["eip155:1"])
    registry: str
    block: int = Field(description="The final block up to which the registry was replayed.")
    block_hash: str
    block_time: str
    heads: Literal["proved", "told"] = Field(
        description="Whether state proofs showed the heads, or endpoints just told them."
    )
    proved: bool = Field(description="Whether the replay led to every head in the contract.")
    events: int
    head: str | None
    anchors: int
    credentials: int
    revoked: int
    suspended: int
    findings: list[FindingCount] = Field(
        description="Of this issuer, and of the registry as a whole; none of other issuers."
    )


@router.get(
    "/issuers",
    operation_id="listIssuers",
    summary="List the issuers",
    responses=problems(401, 403, 429, 503),
)
def get_issuers(service: ServiceOf, _admin: Admin) -> IssuerList:
    """Give every issuer of the installation; `ledger issuer register` makes them."""
    with service.database.read() as tx:
        found = list_issuers(tx)
    return IssuerList(
        issuers=[
            IssuerView(
                issuer=one.number,
                home=str(service.home_of(one.number)),
                did=one.profile.did,
                name=one.profile.name,
                url=one.profile.url,
            )
            for one in found
        ]
    )


@router.get(
    "/issuers/{issuer}/schedule",
    operation_id="getSchedule",
    summary="Get an issuer's schedule",
    responses=problems(401, 403, 404, 422, 429, 503),
)
def get_schedule(service: ServiceOf, key: KeyOf, issuer: Annotated[Number, Path()]) -> ScheduleView:
    """Give the schedule; for the issuer's own keys and for an admin's."""
    _check_may_read(key, issuer)
    with service.database.read() as tx:
        schedule = find_schedule(tx, issuer)
        waiting = find_waiting(tx, issuer)
    if schedule is None:
        raise NotFoundError("no-schedule", "the issuer has no schedule")
    due = due_at(schedule, waiting)
    values: dict[str, Any] = asdict(schedule)
    del values["set_at"]
    return ScheduleView(
        **values,
        waiting=waiting.count if waiting else 0,
        due=None if due is None else format_time(due),
    )


@router.put(
    "/issuers/{issuer}/schedule",
    operation_id="setSchedule",
    summary="Set an issuer's schedule",
    status_code=204,
    response_class=Response,
    responses=problems(400, 401, 403, 404, 408, 413, 422, 429, 503),
)
def put_schedule(
    service: ServiceOf, _admin: Admin, issuer: Annotated[Number, Path()], body: ScheduleBody
) -> None:
    """Put this schedule in place of the one there is."""
    schedule = Schedule(set_at=service.now(), **body.model_dump())
    check_schedule(schedule)
    with service.database.write() as tx:
        set_schedule(tx, get_issuer(tx, issuer).number, schedule)


@router.delete(
    "/issuers/{issuer}/schedule",
    operation_id="dropSchedule",
    summary="Drop an issuer's schedule",
    status_code=204,
    response_class=Response,
    responses=problems(401, 403, 404, 422, 429, 503),
)
def delete_schedule(service: ServiceOf, _admin: Admin, issuer: Annotated[Number, Path()]) -> None:
    """Seal by command only from now on."""
    with service.database.write() as tx:
        set_schedule(tx, get_issuer(tx, issuer).number, None)


@router.get(
    "/issuers/{issuer}/audit",
    operation_id="getAudit",
    summary="Get what the last audit said of an issuer",
    responses=problems(401, 403, 404, 422, 429, 503),
)
def get_audit(service: ServiceOf, key: KeyOf, issuer: Annotated[Number, Path()]) -> AuditSummary:
    """Give the summary that `ledger audit --publish` kept; for the issuer's keys and an admin's.

    It is the word of who runs this service. Whoever doubts it runs `ledger audit` himself.
    """
    _check_may_read(key, issuer)
    with service.database.read() as tx:
        kept = find_summary(tx, issuer)
    if kept is None:
        raise NotFoundError("no-audit", "no audit of the issuer was published")
    return AuditSummary(issuer=issuer, audited=format_time(kept.audited_at), **kept.summary)


def _check_may_read(key: ApiKey, issuer: int) -> None:
    if Scope.ADMIN not in key.scopes:
        check_scope(key, Scope.READ, issuer=issuer)

"""Issue from a template and rows, hand in ready-made credentials, and ask where one stands."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from ledger.batches.status import BatchStatus
from ledger.batches.store import get_batch
from ledger.clock import format_time
from ledger.credentials.issuing import Signatory, issue_in
from ledger.credentials.profile import IssuerProfile
from ledger.credentials.roster_jsonl import read_objects
from ledger.credentials.store import find_credentials
from ledger.credentials.submitting import accept_in, read_offers
from ledger.credentials.template import read_template
from ledger.database import Connection
from ledger.errors import ConflictError, NotFoundError
from ledger.issuers.api_keys import Scope, check_scope
from ledger.issuers.store import Issuer, get_issuer
from ledger.primitives import Canonicalization
from ledger.web.auth import ServiceOf, issuer_with
from ledger.web.documented import problems
from ledger.web.fields import Body, PublicId, StrictNumber, check_public_id
from ledger.web.idempotency import AskedOnce, once
from ledger.web.routes.digests import AcceptedIds
from ledger.web.service import Service
from ledger.web.strict_route import StrictRoute

MAX_ROWS = 1_000
"""In one request: others wait a third of a second for their turn to write."""

MAX_CREDENTIALS = 1_000

router = APIRouter(prefix="/v1", tags=["credentials"], route_class=StrictRoute)

Reader = Annotated[int, Depends(issuer_with(Scope.READ))]
POSTING = problems(400, 401, 403, 404, 408, 409, 413, 422, 429, 503)


class IssueRequest(Body):
    """A template, and a row for each learner."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "issuer": 1,
                    "template": {
                        "format": "ledger-template/1",
                        "title": "Basics of data protection",
                        "description": "What personal data is, and what may be done with it.",
                        "url": "https://learn.example/courses/data-protection",
                        "language": "en",
                        "criteria": "Eight of ten questions answered rightly.",
                        "workload_minutes": 5,
                        "assessments": ["online-exam"],
                        "participation": "online-asynchronous",
                        "quality": "internal",
                        "outcomes": [{"text": "Tell personal data from other data."}],
                    },
                    "rows": [{"name": "Zoé Lefèvre", "email": "zoe@example.org"}],
                }
            ]
        }
    )

    issuer: StrictNumber
    template: dict[str, Any] = Field(description="As docs/reference/template.md, in JSON.")
    rows: list[dict[str, Any]] = Field(
        min_length=1,
        max_length=MAX_ROWS,
        description="As docs/reference/roster.md: the columns of one learner each.",
    )


class IssuedIds(BaseModel):
    """What was signed, durably."""

    issued: int = Field(description="How many are new.", examples=[1])
    known: int = Field(description="How many had been issued before.", examples=[0])
    ids: list[str] = Field(
        description="The credentials' UUIDs in the order of the rows.",
        examples=[["4f3c2b1a-0d9e-4c8b-a7f6-5e4d3c2b1a09"]],
    )


class ReadyCredentials(Body):
    """Credentials that are signed already."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"issuer": 1, "credentials": [{"type": ["VerifiableCredential"], "issuer": "…"}]}
            ]
        }
    )

    issuer: StrictNumber
    credentials: list[dict[str, Any]] = Field(min_length=1, max_length=MAX_CREDENTIALS)


class CredentialView(BaseModel):
    """Where one credential stands."""

    id: str
    issuer: int
    digest: str = Field(description="64 hex digits.")
    canonicalization: Canonicalization
    state: str = Field(
        description="`waiting`, or the status of its batch.", examples=["waiting", "final"]
    )
    batch: int | None
    leaf: int | None
    sealed: str | None = Field(examples=["2026-10-01T09:00:00Z"])
    next: str = Field(description="What happens next, for people.")


NEXT_STEP = {
    BatchStatus.SEALED: "its batch is sealed and is to be sent to the chain",
    BatchStatus.SUBMITTED: "its batch was sent and waits for a block",
    BatchStatus.CONFIRMED: "its proof can be fetched; the anchor is not final yet",
    BatchStatus.FINAL: "nothing: its proof can be fetched and the anchor is final",
    BatchStatus.HELD: "its batch is held: the issuer must look at the reason",
}


@router.post(
    "/credentials/issue",
    operation_id="issueCredentials",
    summary="Sign credentials from a template",
    status_code=202,
    response_model=IssuedIds,
    responses=POSTING,
)
def post_issue(service: ServiceOf, asked: AskedOnce, body: IssueRequest) -> Response:
    """Sign a credential for every row that this issuer has not issued yet.

    All rows are checked first, and every problem is named with its row and column; all are issued,
    or none. The same template and row again is the same credential. They wait for the next batch.
    """
    check_scope(asked.by, Scope.SUBMIT, issuer=body.issuer)
    template = read_template(body.template)
    rows = read_objects(body.rows, check_score=template.score_problem)

    def do(tx: Connection) -> IssuedIds:
        signatory = _signatory(service, get_issuer(tx, body.issuer))
        issued = issue_in(tx, signatory, template, rows, now=service.now())
        return IssuedIds(issued=issued.new, known=issued.known, ids=list(issued.ids))

    return once(service, asked, do)


def _signatory(service: Service, issuer: Issuer) -> Signatory:
    if service.signing_key is None:
        raise ConflictError(
            "no-signing-key",
            "this service was started without keys and cannot sign: start it with "
            "--password-file, or hand in credentials that are signed",
        )
    home = service.home_of(issuer.number)
    profile = IssuerProfile(**asdict(issuer.profile), homes=(home,))
    return Signatory(issuer.number, profile, service.signing_key)


@router.post(
    "/credentials",
    operation_id="submitCredentials",
    summary="Hand in signed credentials",
    status_code=202,
    response_model=AcceptedIds,
    responses=POSTING,
)
def post_credentials(service: ServiceOf, asked: AskedOnce, body: ReadyCredentials) -> Response:
    """Accept credentials made elsewhere; they wait for the issuer's next batch.

    One that no verifier could call valid under this issuer is refused: its `issuer.id` is another,
    it names other homes, or a signature fails. All are accepted, or none.
    """
    check_scope(asked.by, Scope.SUBMIT, issuer=body.issuer)
    with service.database.read() as tx:
        issuer = get_issuer(tx, body.issuer)
    offers = read_offers(
        body.credentials, did=issuer.profile.did, home=service.home_of(body.issuer)
    )

    def do(tx: Connection) -> AcceptedIds:
        ids: list[str] = []
        accept_in(tx, body.issuer, offers, now=service.now(), on_ids=ids.extend)
        return AcceptedIds(accepted=len(ids), ids=ids)

    return once(service, asked, do)


@router.get(
    "/credentials/{id}",
    operation_id="getCredential",
    summary="Where does a credential stand?",
    responses=problems(401, 403, 404, 422, 429, 503),
)
def get_credential(service: ServiceOf, issuer: Reader, public_id: PublicId) -> CredentialView:
    """Give the state of one of the issuer's credentials, and what comes next.

    Whether it is revoked is not said here: the chain knows, and `POST /v1/verify` asks it.
    """
    check_public_id(public_id)
    with service.database.read() as tx:
        found = find_credentials(tx, issuer, [public_id]).get(public_id)
        if found is None:
            raise NotFoundError("no-credential", "there is no credential of this id")
        batch = None if found.batch_id is None else get_batch(tx, found.batch_id)
    return CredentialView(
        id=found.public_id,
        issuer=found.issuer,
        digest=found.digest.hex(),
        canonicalization=found.canonicalization,
        state=batch.status if batch else "waiting",
        batch=found.batch_id,
        leaf=found.leaf_index,
        sealed=format_time(batch.sealed_at) if batch else None,
        next=NEXT_STEP[batch.status] if batch else "it waits for the next batch of its issuer",
    )

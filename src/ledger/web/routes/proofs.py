"""The proof file of one credential, for whoever knows its unguessable id."""

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Response

from ledger.batches.delivery import ProofWriter, check_anchored, served
from ledger.batches.states.keeping import find_kept_state
from ledger.batches.store import Batch, find_placed
from ledger.credentials.store import StoredCredential
from ledger.database import Connection
from ledger.errors import ConflictError, NotFoundError
from ledger.primitives import Address, sha256
from ledger.proofs.file import StateProof
from ledger.web.auth import LimitedService
from ledger.web.documented import problems
from ledger.web.fields import PublicId, check_public_id

MEDIA_TYPE = "application/vnd.ledger.proof+json"

router = APIRouter(prefix="/v1", tags=["proofs"])


@router.get(
    "/proofs/{id}",
    operation_id="getProof",
    summary="Get a proof file",
    response_class=Response,
    responses={
        200: {"description": "The proof file.", "content": {MEDIA_TYPE: {}}},
        304: {"description": "It is the one that the client has."},
        **problems(404, 409, 422, 429, 503),
    },
)
async def get_proof(
    service: LimitedService,
    public_id: PublicId,
    state: Annotated[
        Literal["stored"] | None,
        Query(description="With the state proof that was kept when the batch became final."),
    ] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Give the proof, with the credential inside when it was made here.

    All of it but the transaction hint is fixed when the batch is sealed, and the ETag leaves the
    hint out. 409 `not-anchored-yet` says where the batch stands and what comes next.

    With `state=stored` whoever trusts the block of the state verifies with no chain. The state is
    as old as that block, and is kept anew after a change made here; the ETag is another one. No
    request makes this service ask a node for a fresh state, as `ledger proof --state` does.
    """
    check_public_id(public_id)

    def answer(tx: Connection) -> Response:
        credential, batch = _placed(tx, public_id)
        kept = _kept_state(tx, service.settings.registry, batch, credential) if state else None
        headers = {"ETag": _etag(batch, credential, kept), "Cache-Control": "public, max-age=60"}
        if if_none_match is not None and headers["ETag"] in if_none_match:
            return Response(status_code=304, headers=headers)
        home = service.home_of(batch.issuer)
        proof = ProofWriter(tx, batch, home, service.tiles).proof(credential)
        content = served(credential, replace(proof, state=kept))
        return Response(content, media_type=MEDIA_TYPE, headers=headers)

    return await service.read(answer)


def _placed(tx: Connection, public_id: str) -> tuple[StoredCredential, Batch]:
    found = find_placed(tx, public_id)
    if found is None:
        raise NotFoundError("no-credential", "there is no credential of this id")
    credential, batch = found
    if batch is None:
        raise ConflictError("not-anchored-yet", "it waits for the next batch of its issuer")
    check_anchored(batch)
    return credential, batch


def _kept_state(
    tx: Connection, registry: Address, batch: Batch, credential: StoredCredential
) -> StateProof:
    assert credential.leaf_index is not None  # noqa: S101 - it is in the batch
    kept = find_kept_state(tx, registry, batch, credential.leaf_index)
    if kept is None:
        raise ConflictError(
            "state-not-kept",
            f"nothing is kept of the state of batch {batch.id} yet: it is soon after it is final",
        )
    return kept


def _etag(batch: Batch, credential: StoredCredential, state: StateProof | None) -> str:
    """Return a tag of what never changes: batch and leaf fix all but hint and state."""
    leaf = f"{batch.issuer} {batch.root.hex()} {batch.size} {credential.leaf_index}".encode()
    shown = b"".join([state.header, *state.nodes]) if state else b""
    return f'"{sha256(leaf + shown).hex()[:32]}"'

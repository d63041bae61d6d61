"""The proof file of one credential, for whoever knows its unguessable id."""

import json
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response

from ledger.batches.delivery import ProofWriter, check_anchored
from ledger.batches.store import Batch, get_batch
from ledger.credentials.store import StoredCredential, find_credential
from ledger.errors import ConflictError, NotFoundError
from ledger.primitives import sha256
from ledger.proofs.file import format_proof_file
from ledger.web.auth import ServiceOf, limited
from ledger.web.documented import problems
from ledger.web.fields import PublicId, check_public_id

MEDIA_TYPE = "application/vnd.ledger.proof+json"

router = APIRouter(prefix="/v1", tags=["proofs"])


@router.get(
    "/proofs/{id}",
    operation_id="getProof",
    summary="Get a proof file",
    dependencies=[Depends(limited)],
    response_class=Response,
    responses={
        200: {"description": "The proof file.", "content": {MEDIA_TYPE: {}}},
        304: {"description": "It is the one that the client has."},
        **problems(404, 409, 422, 429, 503),
    },
)
def get_proof(
    service: ServiceOf,
    public_id: PublicId,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Give the proof, with the credential inside when it was made here.

    All of it but the transaction hint is fixed when the batch is sealed, and the ETag leaves the
    hint out. 409 `not-anchored-yet` says where the batch stands and what comes next.
    """
    check_public_id(public_id)
    with service.database.read() as tx:
        credential = find_credential(tx, public_id)
        if credential is None:
            raise NotFoundError("no-credential", "there is no credential of this id")
        if credential.batch_id is None:
            raise ConflictError("not-anchored-yet", "it waits for the next batch of its issuer")
        batch = get_batch(tx, credential.batch_id)
        check_anchored(batch)
        headers = {"ETag": _etag(batch, credential), "Cache-Control": "public, max-age=60"}
        if if_none_match is not None and headers["ETag"] in if_none_match:
            return Response(status_code=304, headers=headers)
        proof = ProofWriter(tx, batch, service.home_of(batch.issuer)).proof(credential)
    document = json.loads(credential.document) if credential.document else None
    content = json.dumps(format_proof_file(replace(proof, credential=document)), ensure_ascii=False)
    return Response(content, media_type=MEDIA_TYPE, headers=headers)


def _etag(batch: Batch, credential: StoredCredential) -> str:
    """Return a tag of what never changes: batch and leaf fix all but the transaction hint."""
    leaf = f"{batch.issuer} {batch.root.hex()} {batch.size} {credential.leaf_index}"
    return f'"{sha256(leaf.encode()).hex()[:32]}"'

"""Ask for a change of status; `carrying_out` brings it to the chain.

A request is checked as far as the database knows: its credentials are the issuer's own and
anchored. What the contract thinks of it is found out when it is carried out.
"""

from collections.abc import Sequence

from ledger.batches.credential_status import StatusChange
from ledger.batches.delivery import check_anchored
from ledger.batches.requests import store
from ledger.batches.requests.store import StatusRequest
from ledger.batches.store import get_batch
from ledger.chain.registry.calls import StatusAction
from ledger.credentials.store import find_credentials
from ledger.database import Connection
from ledger.errors import ConflictError, MalformedInputError, NotFoundError


def request_change(
    tx: Connection, issuer: int, public_ids: Sequence[str], change: StatusChange, *, now: int
) -> StatusRequest:
    """Store that the status of these credentials is to change; one named twice counts once.

    Raises:
        NotFoundError: the issuer has no such credential.
        ConflictError: one is not anchored yet.

    """
    wanted = list(dict.fromkeys(public_ids))
    found = find_credentials(tx, issuer, wanted)
    for public_id in wanted:
        if public_id not in found:
            raise NotFoundError("no-credential", f"issuer {issuer} has no credential {public_id}")
        if found[public_id].batch_id is None:
            raise ConflictError("not-anchored-yet", f"{public_id} waits for the next batch")
    batch_ids = {one.batch_id for one in found.values() if one.batch_id is not None}
    for batch_id in sorted(batch_ids):
        check_anchored(get_batch(tx, batch_id))
    return store.add_request(
        tx,
        issuer,
        action=change.action,
        reason=change.reason,
        batch_id=None,
        credential_ids=[found[public_id].id for public_id in wanted],
        now=now,
    )


def request_revocation_of_batch(
    tx: Connection, issuer: int, batch_id: int, change: StatusChange, *, now: int
) -> StatusRequest:
    """Store that a whole batch is to be revoked.

    Raises:
        MalformedInputError: it is to be suspended or reinstated, which the contract cannot.
        NotFoundError: the issuer has no such batch.
        ConflictError: it is not anchored yet.

    """
    if change.action is not StatusAction.REVOKE:
        raise MalformedInputError("bad-action", "a whole batch can be revoked, and nothing else")
    batch = get_batch(tx, batch_id)
    if batch.issuer != issuer:
        raise NotFoundError("no-batch", f"there is no batch {batch_id}")
    check_anchored(batch)
    return store.add_request(
        tx,
        issuer,
        action=change.action,
        reason=change.reason,
        batch_id=batch_id,
        credential_ids=(),
        now=now,
    )

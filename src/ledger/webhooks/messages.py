"""Turn events into messages for whoever listens.

    {"type": "batch.final", "timestamp": "2026-10-01T09:00:00Z", "data": {...}}

A message says what is on chain: ids, digests, numbers and where to read on. It has at most
`CREDENTIALS_IN_A_MESSAGE` credentials, so its size is bounded: a transaction that changes
more makes several messages, each with its `part` of `parts`.

    1. the event is taken, and its messages stored for every listener    one transaction

A process that dies before has taken nothing. docs/reference/webhooks.md shows every member.
"""

import json
import uuid
from typing import Any, Final

from ledger.batches.credential_status import REASONS
from ledger.batches.events.store import Event, EventKind, take_event
from ledger.batches.status import BatchStatus
from ledger.batches.status_changes.store import list_changed
from ledger.batches.store import Batch, get_batch
from ledger.chain.registry.calls import StatusAction
from ledger.chain.store import get_transaction
from ledger.clock import format_time
from ledger.credentials.store import get_names
from ledger.database import Connection
from ledger.primitives import Home, format_address, format_chain
from ledger.webhooks.deliveries.store import add_message
from ledger.webhooks.store import list_listeners

CREDENTIALS_IN_A_MESSAGE: Final = 500
"""About 64 KB of ids and digests."""

_REASON_NAMES: Final = {number: name for name, number in REASONS.items()}

_STATUS: Final = {
    StatusAction.REVOKE: "revoked",
    StatusAction.SUSPEND: "suspended",
    StatusAction.REINSTATE: "active",
}
"""What a credential is after an action, unless something else was done since."""


def tell_next(tx: Connection, home: Home, *, now: int) -> bool:
    """Turn the oldest event into messages; return False when there is none."""
    event = take_event(tx)
    if event is None:
        return False
    batch = get_batch(tx, event.batch_id)
    listeners = list_listeners(tx, batch.issuer, event.kind, noted_at=event.noted_at)
    if listeners:
        for data in _data(tx, event, batch, home):
            body = {"type": event.kind, "timestamp": format_time(now), "data": data}
            add_message(
                tx,
                listeners,
                public_id=f"msg_{uuid.uuid4().hex}",
                kind=event.kind,
                body=json.dumps(body, separators=(",", ":")).encode(),
                now=now,
            )
    return True


def _data(tx: Connection, event: Event, batch: Batch, home: Home) -> list[dict[str, Any]]:
    if event.kind is EventKind.CREDENTIAL_STATUS:
        return _status_data(tx, event, batch)
    # One that has left `final` since comes back as another event.
    return [_batch_data(batch, home)] if batch.status is BatchStatus.FINAL else []


def _batch_data(batch: Batch, home: Home) -> dict[str, Any]:
    return {
        "issuer": batch.issuer,
        "batch": batch.id,
        "size": batch.size,
        "anchor": {
            "chain": format_chain(home.chain),
            "registry": format_address(home.registry),
            "issuer": batch.issuer,
            "root": batch.root.hex(),
            "size": batch.size,
            "transaction": f"0x{batch.transaction.hex()}" if batch.transaction else None,
        },
        "block": batch.block_number,
        "anchored": format_time(batch.anchored_at) if batch.anchored_at else None,
        "links": {"batch": f"/v1/batches/{batch.id}"},
    }


def _status_data(tx: Connection, event: Event, batch: Batch) -> list[dict[str, Any]]:
    # `note_status` gives all of them.
    assert event.transaction_id and event.action and event.reason is not None  # noqa: S101, PT018
    transaction = get_transaction(tx, event.transaction_id)
    changed = list_changed(tx, event.transaction_id)
    starts = range(0, len(changed), CREDENTIALS_IN_A_MESSAGE) or [0]
    common = {
        "issuer": batch.issuer,
        "batch": batch.id,
        "whole_batch": not changed,
        "action": event.action,
        "status": _STATUS[StatusAction(event.action)],
        "reason": _REASON_NAMES[event.reason],
        "transaction": f"0x{transaction.hash.hex()}",
        "block": transaction.block_number,
        "parts": len(starts),
        "links": {"batch": f"/v1/batches/{batch.id}"},
    }
    return [
        {**common, "part": number, "credentials": _credentials(tx, changed, start)}
        for number, start in enumerate(starts, 1)
    ]


def _credentials(tx: Connection, changed: list[int], start: int) -> list[dict[str, str]]:
    page = changed[start : start + CREDENTIALS_IN_A_MESSAGE]
    return [{"id": name, "digest": digest.hex()} for name, digest in get_names(tx, page)]

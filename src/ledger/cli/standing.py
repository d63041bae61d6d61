"""`status`, `resume`, `cancel`: where everything stands, and what a person decides about it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.anchoring import describe
from ledger.cli.installation import Installation
from ledger.cli.options import Home, IssuerNumber, Json, PasswordFile
from ledger.cli.output import show, show_json, show_table
from ledger.clock import format_time
from ledger.errors import ConflictError, NotFoundError
from ledger.primitives import counted

if TYPE_CHECKING:
    from ledger.batches.store import Batch
    from ledger.chain.alarms.store import Alarm


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    for command in (status, resume, cancel):
        app.command()(command)


def status(
    credential_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The UUID of one credential.")
    ] = None,
    number: IssuerNumber = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Show where every batch stands, or one credential.

    With what happens next. As far as this installation knows: the chain is not asked.
    """
    installation = Installation.open(home)
    if credential_id is not None:
        _show_credential(installation, credential_id, as_json=as_json)
        return
    described = _describe_issuer(installation, installation.issuer(number).number)
    if as_json:
        show_json(described)
        return
    waiting = counted(described["waiting"], "credential waits", "credentials wait")
    show(f"Issuer {described['issuer']}: {waiting} for a batch.")
    show_table(
        ["batch", "status", "size", "changed", "block", "gas", "root"],
        [
            (
                batch["batch"],
                batch["status"],
                batch["size"],
                batch["changed"],
                batch["block"] or "-",
                batch["gas"] or "-",
                batch["root"],
            )
            for batch in described["batches"]
        ],
    )
    for batch in described["batches"]:
        if batch["status"] != "final" or not batch["trusted"]:
            reason = f" {batch['reason']}." if batch["reason"] else ""
            show(f"Batch {batch['batch']}, {batch['status']}:{reason} Next: {batch['next']}.")
    _show_alarms(described["alarms"])


def _describe_issuer(installation: Installation, issuer: int) -> dict[str, Any]:
    from ledger.batches.store import cost_wei, list_batches, list_untrusted
    from ledger.chain.alarms.store import list_alarms
    from ledger.credentials.store import count_waiting

    with installation.database.read() as tx:
        untrusted = {batch.id for batch in list_untrusted(tx, issuer)}
        batches = [
            _with_trust(batch, is_trusted=batch.id not in untrusted)
            | {"cost_wei": cost_wei(tx, batch.id)}
            for batch in list_batches(tx, issuer)
        ]
        return {
            "issuer": issuer,
            "waiting": count_waiting(tx, issuer),
            "batches": batches,
            "alarms": [_describe_alarm(alarm) for alarm in list_alarms(tx)],
        }


def _with_trust(batch: "Batch", *, is_trusted: bool) -> dict[str, Any]:
    """Return a batch as JSON, with whether verifiers believe the key that anchored it."""
    described = describe(batch) | {"trusted": is_trusted}
    if not is_trusted:
        described |= {
            "reason": "a key that was compromised anchored it",
            "next": "`ledger anchor --again`, with another key",
        }
    return described


def _describe_alarm(alarm: "Alarm") -> dict[str, Any]:
    return {
        "code": alarm.code,
        "message": alarm.message,
        "raised": format_time(alarm.raised_at),
        "stops_sending": alarm.stops_sending,
    }


def _show_alarms(alarms: list[dict[str, Any]]) -> None:
    from ledger.chain.alarms.store import RESTORED

    for alarm in alarms:
        ends = "`ledger restore`" if alarm["code"] == RESTORED else "`ledger resume`"
        stops = f" Nothing is sent until {ends}." if alarm["stops_sending"] else ""
        show(f"Alarm since {alarm['raised']}: {alarm['message']}.{stops} [{alarm['code']}]")


def _show_credential(installation: Installation, credential_id: str, *, as_json: bool) -> None:
    """Show where one credential is."""
    from ledger.batches.store import get_batch, list_untrusted
    from ledger.credentials.store import find_credential

    described: dict[str, Any]
    with installation.database.read() as tx:
        credential = find_credential(tx, credential_id.removeprefix("urn:uuid:"))
        if credential is None:
            raise NotFoundError("no-credential", f"there is no credential {credential_id}")
        described = {"id": credential.public_id, "issuer": credential.issuer}
        if credential.batch_id is None:
            described |= {"status": "waiting", "next": "`ledger anchor` seals and sends it"}
        else:
            batch = get_batch(tx, credential.batch_id)
            untrusted = {one.id for one in list_untrusted(tx, credential.issuer)}
            described |= _with_trust(batch, is_trusted=batch.id not in untrusted)
            described["index"] = credential.leaf_index
    if as_json:
        show_json(described)
        return
    for member, value in described.items():
        show(f"{member:<11}  {'-' if value is None else value}")


def resume(home: Home = None) -> None:
    """Let sending go on after an alarm, once you know why.

    Accepts the chain as it is now: transactions of our keys that were not signed here, and
    blocks that replaced final ones. What those had anchored is sent again by `ledger anchor`.
    """
    from ledger.batches.anchoring import review_final
    from ledger.chain.alarms.store import RESTORED, list_alarms

    installation = Installation.open(home)
    with installation.database.read() as tx:
        if restored := next((a for a in list_alarms(tx) if a.code == RESTORED), None):
            raise ConflictError("restored", restored.message)
    alarms = installation.outbox.accept_chain()
    moved = review_final(installation.outbox, installation.registry)
    _show_alarms([_describe_alarm(alarm) for alarm in alarms])
    for batch_id, after in moved:
        show(f"Batch {batch_id} is {after} again: the chain no longer has its anchor.")
    show(f"{counted(len(alarms), 'alarm')} cleared. Next: `ledger anchor`.")


def cancel(
    batch_id: Annotated[int, typer.Argument(metavar="BATCH", help="The batch's number.")],
    home: Home = None,
    password_file: PasswordFile = None,
) -> None:
    """Take back a batch's transaction while it waits.

    An empty transaction at the same nonce, at a higher price. Whichever a block takes
    counts: the batch is then sealed again, or anchored after all.
    """
    from ledger.batches.status import BatchStatus
    from ledger.batches.store import get_batch
    from ledger.chain.keystore import KeyName

    installation = Installation.open(home, password_file)
    with installation.database.read() as tx:
        batch = get_batch(tx, batch_id)
    if batch.status is not BatchStatus.SUBMITTED or batch.transaction_id is None:
        raise ConflictError("not-waiting", f"batch {batch_id} is {batch.status}: nothing waits")
    installation.outbox.cancel(installation.sender(KeyName.ANCHOR), batch.transaction_id)
    show(f"Cancelling the transaction of batch {batch_id}; `ledger status` shows who won.")

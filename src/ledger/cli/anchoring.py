"""`seal`, `anchor`: from waiting credentials to anchored badges."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.installation import Installation
from ledger.cli.options import Home, IssuerNumber, Json, PasswordFile
from ledger.cli.output import progress, show, show_json
from ledger.cli.proving import keep_final_states
from ledger.clock import format_time, now
from ledger.primitives import counted, format_address

if TYPE_CHECKING:
    from ledger.batches.store import Batch
    from ledger.chain.sender import Sender

FINAL_SECONDS = 1800
"""How long `anchor` follows its transactions: Ethereum finalises in about thirteen minutes."""


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    for command in (seal, anchor):
        app.command()(command)


def seal(number: IssuerNumber = None, home: Home = None, as_json: Json = False) -> None:
    """Seal what waits; send nothing."""
    installation = Installation.open(home)
    issuer = installation.issuer(number)
    batch = seal_waiting(installation, issuer.number)
    if as_json:
        show_json(describe(batch) if batch else None)
    elif batch is None:
        show("Nothing waits.")
    else:
        leaves = counted(batch.size, "leaf", "leaves")
        show(f"Sealed batch {batch.id}: {leaves} under root {batch.root.hex()}")
        show("Next: `ledger anchor` brings it to the chain.")


def anchor(
    number: IssuerNumber = None,
    badges: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where badges are written; else HOME/badges."),
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Anchor again what a compromised key had anchored, too."),
    ] = False,
    impatient: Annotated[
        bool, typer.Option("--now", help="Do not wait for cheaper gas (patient_fee_gwei).")
    ] = False,
    home: Home = None,
    password_file: PasswordFile = None,
    as_json: Json = False,
) -> None:
    """Seal, send, follow, write the badges.

    Seals what waits, anchors every sealed batch, follows it to final and writes its badges.

    Safe to stop and run again at any moment: it goes on where it was.
    """
    installation = Installation.open(home, password_file)
    issuer = installation.issuer(number)
    finished = anchor_waiting(
        installation, issuer.number, badges, again=again, is_patient=not impatient
    )
    if as_json:
        show_json([describe(batch) for batch in finished])
        return
    waiting = _waiting(installation, issuer.number)
    if not finished and not waiting:
        show("Nothing waits and every batch is final.")
    for batch in waiting:
        show(f"Batch {batch.id} {batch.reason}; `ledger anchor --now` sends it.")
    for batch in finished:
        show(f"Batch {batch.id} is final: {counted(batch.size, 'leaf', 'leaves')}")
        if batch.gas_used is not None:
            show(f"  gas {batch.gas_used:,}, {batch.gas_used / batch.size:,.1f} a credential")
            show(
                f"  transaction 0x{(batch.transaction or b'').hex()} in block {batch.block_number}"
            )
    if finished:
        show(f"Badges  {badges or installation.settings.badges}")
        show("Next: `ledger verify BADGE`, or give the badges to their holders.")
    _show_alarms(installation)


def seal_waiting(installation: Installation, issuer: int) -> "Batch | None":
    """Seal what waits, with a progress bar."""
    from ledger.batches.sealing import seal as seal_batch
    from ledger.credentials.store import count_waiting

    with installation.database.read() as tx:
        waiting = count_waiting(tx, issuer)
    with progress("sealing", waiting) as advance:
        return seal_batch(installation.database, issuer, now=now(), on_leaves=advance)


def anchor_waiting(
    installation: Installation,
    issuer: int,
    badges: Path | None = None,
    *,
    again: bool = False,
    is_patient: bool = True,
) -> list["Batch"]:
    """Seal, send, follow and deliver; return the batches that became final now."""
    from ledger.batches.anchoring import advance, follow
    from ledger.batches.delivery import deliver
    from ledger.batches.store import get_batch

    outbox, registry = installation.outbox, installation.registry
    seal_waiting(installation, issuer)
    advance(outbox, registry)
    untrusted = _untrusted(installation, issuer) if again else []
    sender = _send(installation, issuer, untrusted, is_patient=is_patient)
    undelivered = follow(
        outbox,
        registry,
        issuer,
        timeout_seconds=FINAL_SECONDS,
        on_poll=lambda: outbox.replace(sender) if sender else None,
    )
    for batch in undelivered:
        with progress("badges", batch.size) as on_badge:
            deliver(
                installation.database,
                batch,
                installation.home_of(issuer),
                badges or installation.settings.badges,
                now=now(),
                on_badge=on_badge,
            )
    keep_final_states(installation)
    anchored_again = {batch.id for batch in untrusted}
    with installation.database.read() as tx:
        return [*(get_batch(tx, one) for one in sorted(anchored_again)), *undelivered]


def _show_alarms(installation: Installation) -> None:
    from ledger.chain.alarms.store import list_alarms

    with installation.database.read() as tx:
        for alarm in list_alarms(tx):
            show(f"Alarm: {alarm.message} [{alarm.code}]")


def _waiting(installation: Installation, issuer: int) -> list["Batch"]:
    """Return the batches that wait for cheaper gas."""
    from ledger.batches.status import BatchStatus
    from ledger.batches.store import list_batches

    with installation.database.read() as tx:
        return list_batches(tx, issuer, [BatchStatus.SEALED])


def _untrusted(installation: Installation, issuer: int) -> list["Batch"]:
    """Return the batches that a compromised key anchored."""
    from ledger.batches.compromise import find_untrusted

    return find_untrusted(installation.outbox, installation.registry, issuer)


def _send(
    installation: Installation, issuer: int, untrusted: list["Batch"], *, is_patient: bool
) -> "Sender | None":
    """Submit what can be; return what may replace it, None when nothing is under way."""
    from ledger.batches.anchoring import submit, submit_all
    from ledger.batches.status import SUBMITTABLE, BatchStatus
    from ledger.batches.store import list_batches
    from ledger.chain.keystore import KeyName

    with installation.database.read() as tx:
        wanted = list_batches(tx, issuer, (*SUBMITTABLE, BatchStatus.SUBMITTED))
    if not wanted and not untrusted:
        return None
    patience = installation.patience if is_patient else None
    sender = installation.sender(KeyName.ANCHOR)
    outbox, registry = installation.outbox, installation.registry
    for batch in untrusted:
        submit(outbox, sender, registry, batch)
    submit_all(outbox, sender, registry, issuer, patience=patience)
    return sender


def describe(batch: "Batch") -> dict[str, Any]:
    """Return a batch as JSON."""
    from ledger.batches.status import NEXT_STEP

    return {
        "batch": batch.id,
        "issuer": batch.issuer,
        "status": str(batch.status),
        "root": batch.root.hex(),
        "size": batch.size,
        "sealed": format_time(batch.sealed_at),
        "changed": format_time(batch.changed_at or batch.sealed_at),
        "reason": batch.reason,
        "next": NEXT_STEP[batch.status],
        "transaction": f"0x{batch.transaction.hex()}" if batch.transaction else None,
        "block": batch.block_number,
        "gas": batch.gas_used,
        "operator": format_address(batch.operator) if batch.operator else None,
        "anchored": format_time(batch.anchored_at) if batch.anchored_at else None,
    }

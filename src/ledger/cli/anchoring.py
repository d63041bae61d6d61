"""`seal`, `anchor`, `status`, `proof`: from waiting credentials to anchored badges."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.installation import Installation
from ledger.cli.options import Home, IssuerNumber, Json, PasswordFile
from ledger.cli.output import progress, show, show_json, show_table
from ledger.clock import format_time, now
from ledger.errors import NotFoundError

if TYPE_CHECKING:
    from ledger.batches.store import Batch

FINAL_SECONDS = 1800
"""How long `anchor` follows its transactions: Ethereum finalises in about thirteen minutes."""


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    for command in (seal, anchor, status, proof):
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
        show(f"Sealed batch {batch.id}: {batch.size} leaves under root {batch.root.hex()}")
        show("Next: `ledger anchor` brings it to the chain.")


def anchor(
    number: IssuerNumber = None,
    badges: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where badges are written; else HOME/badges."),
    ] = None,
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
    finished = anchor_waiting(installation, issuer.number, badges)
    if as_json:
        show_json([describe(batch) for batch in finished])
        return
    if not finished:
        show("Nothing waits and every batch is final.")
    for batch in finished:
        show(f"Batch {batch.id} is final: {batch.size} credentials, one transaction,")
        show(f"  gas {batch.gas_used:,}, {(batch.gas_used or 0) / batch.size:.1f} a credential")
        show(f"  transaction 0x{(batch.transaction or b'').hex()} in block {batch.block_number}")
    show(f"Badges  {badges or installation.settings.badges}")
    show("Next: `ledger verify BADGE`, or give the badges to their holders.")


def status(number: IssuerNumber = None, home: Home = None, as_json: Json = False) -> None:
    """Show where every batch stands.

    As far as this installation knows: the chain is not asked.
    """
    from ledger.batches.store import list_batches
    from ledger.credentials.store import count_waiting

    installation = Installation.open(home)
    issuer = installation.issuer(number)
    with installation.database.read() as tx:
        waiting = count_waiting(tx, issuer.number)
        found = list_batches(tx, issuer.number)
    if as_json:
        described = [describe(batch) for batch in found]
        show_json({"issuer": issuer.number, "waiting": waiting, "batches": described})
        return
    show(f"Issuer {issuer.number}: {waiting} credentials wait for a batch.")
    show_table(
        ["batch", "status", "size", "sealed", "block", "gas", "root"],
        [
            (
                batch.id,
                str(batch.status),
                batch.size,
                format_time(batch.sealed_at),
                batch.block_number or "-",
                batch.gas_used or "-",
                batch.root.hex(),
            )
            for batch in found
        ],
    )


def proof(
    credential_id: Annotated[str, typer.Argument(metavar="ID", help="The credential's UUID.")],
    home: Home = None,
) -> None:
    """Print the proof file of a credential.

    With the credential inside when it was made here.
    """
    import json
    from dataclasses import replace

    from ledger.batches.delivery import ProofWriter, check_anchored
    from ledger.batches.store import get_batch
    from ledger.credentials.store import find_credential
    from ledger.errors import ConflictError
    from ledger.proofs.file import format_proof_file

    installation = Installation.open(home)
    with installation.database.read() as tx:
        credential = find_credential(tx, credential_id.removeprefix("urn:uuid:"))
        if credential is None:
            raise NotFoundError("no-credential", f"there is no credential {credential_id}")
        if credential.batch_id is None:
            raise ConflictError(
                "not-anchored-yet", "the credential waits for a batch: run `ledger anchor`"
            )
        batch = get_batch(tx, credential.batch_id)
        check_anchored(batch)
        proved = ProofWriter(tx, batch, installation.home_of(batch.issuer)).proof(credential)
    document = json.loads(credential.document) if credential.document else None
    show_json(format_proof_file(replace(proved, credential=document)))


def seal_waiting(installation: Installation, issuer: int) -> "Batch | None":
    """Seal what waits, with a progress bar."""
    from ledger.batches.sealing import seal as seal_batch
    from ledger.credentials.store import count_waiting

    with installation.database.read() as tx:
        waiting = count_waiting(tx, issuer)
    with progress("sealing", waiting) as advance:
        return seal_batch(installation.database, issuer, now=now(), on_leaves=advance)


def anchor_waiting(
    installation: Installation, issuer: int, badges: Path | None = None
) -> list["Batch"]:
    """Seal, send, follow and deliver; return the batches whose badges were written now."""
    from ledger.batches.anchoring import SUBMITTABLE, advance, follow, submit
    from ledger.batches.delivery import deliver
    from ledger.batches.store import list_batches
    from ledger.chain.keystore import KeyName

    database = installation.database
    seal_waiting(installation, issuer)
    advance(installation.outbox)
    with database.read() as tx:
        sendable = list_batches(tx, issuer, SUBMITTABLE)
    if sendable:
        sender = installation.sender(KeyName.ANCHOR)
        for batch in sendable:
            submit(installation.outbox, sender, installation.registry, batch)
    finished = follow(installation.outbox, issuer, timeout_seconds=FINAL_SECONDS)
    for batch in finished:
        with progress("badges", batch.size) as on_badge:
            deliver(
                database,
                batch,
                installation.home_of(issuer),
                badges or installation.settings.badges,
                now=now(),
                on_badge=on_badge,
            )
    return finished


def describe(batch: "Batch") -> dict[str, Any]:
    """Return a batch as JSON."""
    return {
        "batch": batch.id,
        "issuer": batch.issuer,
        "status": str(batch.status),
        "root": batch.root.hex(),
        "size": batch.size,
        "sealed": format_time(batch.sealed_at),
        "transaction": f"0x{batch.transaction.hex()}" if batch.transaction else None,
        "block": batch.block_number,
        "gas": batch.gas_used,
    }

"""`proof`: the proof file of one credential, or those of whole batches for a web server."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.installation import Installation
from ledger.cli.options import Home
from ledger.cli.output import note, progress, show, show_json
from ledger.clock import format_time
from ledger.errors import ConflictError, MalformedInputError, NotFoundError
from ledger.primitives import counted, format_chain

if TYPE_CHECKING:
    from ledger.batches.states.keeping import StateSource
    from ledger.batches.store import Batch
    from ledger.credentials.store import StoredCredential
    from ledger.proofs.file import ProofFile, StateProof


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    app.command()(proof)


def proof(
    credential_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The credential's UUID.")
    ] = None,
    with_state: Annotated[
        bool,
        typer.Option("--state", help="Add a state proof, for `ledger verify --offline`."),
    ] = False,
    to: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write all proofs of final batches there instead."),
    ] = None,
    number: Annotated[
        int | None, typer.Option("--batch", metavar="N", help="With --to: of this batch only.")
    ] = None,
    home: Home = None,
) -> None:
    """Print the proof file of a credential, or write all of them for a web server.

    With the credential inside when it was made here.

    With --state it can be verified with no chain, by whoever trusts the block that is named on
    standard error. It is the chain's last final block, or, when the chain does not answer, the
    one that was kept when the batch became final.

    With --to each proof of every final batch becomes DIR/xx/ID.json, where ID ends in xx: what
    the service answers for it, for a web server or a CDN in its place. Batches that are
    there already are left alone, so it may run after every batch.
    """
    from ledger.proofs.file import format_proof_file

    if to is not None and credential_id is None and not with_state:
        _write_proofs(Installation.open(home), to, number)
        return
    if credential_id is None or to is not None or number is not None:
        raise MalformedInputError("usage", "give an ID, or --to DIR, with --batch N if wanted")
    installation = Installation.open(home)
    batch, credential, proved = _prove(installation, credential_id.removeprefix("urn:uuid:"))
    if with_state:
        proved = replace(proved, state=_prove_state(installation, batch, proved.inclusion.index))
    document = json.loads(credential.document) if credential.document else None
    show_json(format_proof_file(replace(proved, credential=document)))


def _write_proofs(installation: Installation, to: Path, number: int | None) -> None:
    from ledger.batches.static_proofs import is_written, write_proofs
    from ledger.batches.status import BatchStatus
    from ledger.batches.store import get_batch, read_batches

    with installation.database.read() as tx:
        only = None if number is None else get_batch(tx, number)
        batches = [only] if only else list(read_batches(tx, [BatchStatus.FINAL]))
    for batch in batches:
        if batch.status is not BatchStatus.FINAL:
            raise ConflictError("not-final", f"batch {batch.id} is {batch.status}, not final")
        if is_written(batch, to):
            continue
        home = installation.home_of(batch.issuer)
        with progress("proofs", batch.size) as on_proof:
            count = write_proofs(installation.database, batch, home, to, on_proof=on_proof)
        show(f"Batch {batch.id}: {counted(count, 'proof')}")
    show(f"Proofs  {to}")


def _prove(
    installation: Installation, public_id: str
) -> "tuple[Batch, StoredCredential, ProofFile]":
    from ledger.batches.delivery import ProofWriter, check_anchored
    from ledger.batches.store import get_batch
    from ledger.credentials.store import find_credential

    with installation.database.read() as tx:
        credential = find_credential(tx, public_id)
        if credential is None:
            raise NotFoundError("no-credential", f"there is no credential {public_id}")
        if credential.batch_id is None:
            raise ConflictError(
                "not-anchored-yet", "the credential waits for a batch: run `ledger anchor`"
            )
        batch = get_batch(tx, credential.batch_id)
        check_anchored(batch)
        proved = ProofWriter(tx, batch, installation.home_of(batch.issuer)).proof(credential)
    return batch, credential, proved


def _prove_state(installation: Installation, batch: "Batch", index: int) -> "StateProof":
    from ledger.batches.states.keeping import prove_leaf
    from ledger.chain.header import parse_header

    state = prove_leaf(installation.database, state_source(installation), batch, index)
    header = parse_header(state.header)
    note(
        f"The state is that of block {header.number}, {format_time(header.time)}. "
        f"Whoever knows that block verifies with:\n  ledger verify FILE --offline "
        f"--trust {format_chain(installation.settings.chain)}=0x{header.hash.hex()}"
    )
    return state


def keep_final_states(installation: Installation) -> list[int]:
    """Keep the state of every final batch that has none yet; a chain that is down is no error."""
    from ledger.batches.states.keeping import keep_states

    return keep_states(installation.database, state_source(installation))


def state_source(installation: Installation) -> "StateSource":
    """Return the endpoint as a source of state proofs, and whom the installation believes."""
    from ledger.batches.states.keeping import StateSource
    from ledger.verification.policy import parse_policy

    def accreditors_of(issuer: int) -> list[int]:
        try:
            policy = parse_policy(installation.settings.policy.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, MalformedInputError):
            # It says whom to prove first, no more: anchoring must not end over it.
            return []
        return [known.issuer for known in policy.accreditors_of(installation.home_of(issuer))]

    return StateSource(
        rpc=installation.rpc,
        chain=installation.settings.chain,
        registry=installation.registry,
        finality=installation.settings.finality,
        accreditors_of=accreditors_of,
    )

"""`fsck`, `backup`, `restore`: what is stored, checked, saved and brought back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ledger.chain.keystore import KeyName
from ledger.cli.installation import Installation
from ledger.cli.options import Home, Json
from ledger.cli.output import show, show_json
from ledger.clock import format_time, now
from ledger.config import check_no_password, database_from_environment, home_folder
from ledger.errors import ChainError
from ledger.primitives import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.backup.replay import Replay
    from ledger.batches.fsck.finding import Finding

FOUND: Final = 1
"""Exit code of `fsck` when something is not as it must be."""

MAX_FINDINGS: Final = 1_000
"""Where `fsck` stops: a thousand findings say what ten thousand would."""


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    for command in (fsck, backup, restore):
        app.command()(command)


def fsck(
    chain: Annotated[
        bool, typer.Option("--chain", help="Compare with the registry's records as well.")
    ] = False,
    badges: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Compare with the delivered badges in it as well."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Derive again all that is stored, and name what differs.

    Documents, digests, trees, roots, signed bytes, nonces. Changes nothing.

    Exit code 0: nothing found. 1: something. 3: the chain did not answer.
    """
    installation = Installation.open(home)
    found: list[Finding] = []
    unanswered = None
    try:
        for finding in _findings(installation, badges, ask_chain=chain):
            found.append(finding)
            if not as_json:
                show(f"{finding.subject}: {finding.message} [{finding.code}]")
            if len(found) == MAX_FINDINGS:
                break
    except ChainError as error:
        unanswered = error
    if as_json:
        show_json(
            {
                "findings": [
                    {"code": f.code, "subject": f.subject, "message": f.message} for f in found
                ],
                "stopped_early": len(found) == MAX_FINDINGS,
                "chain": "unknown" if unanswered else ("compared" if chain else "not asked"),
            }
        )
    elif not found and not unanswered:
        show("Everything is as it must be." + ("" if chain else " The chain was not asked."))
    if found:
        raise typer.Exit(FOUND)
    if unanswered:
        raise unanswered


def _findings(
    installation: Installation, badges: Path | None, *, ask_chain: bool
) -> "Iterator[Finding]":
    from ledger.batches.fsck.whole import check_registry

    settings = installation.settings
    with installation.database.read() as tx:
        yield from check_registry(
            tx,
            installation.rpc if ask_chain else None,
            chain=settings.chain,
            registry=settings.registry,
            finality=settings.finality,
            badges=badges,
        )


def backup(
    target: Annotated[
        Path, typer.Argument(metavar="FILE|DIR", help="A new file, or a folder for one.")
    ],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Save the installation into one file, while others work with it.

    Database, settings, policy, and the keys as they are: encrypted. Not the database's URL,
    the badges (`ledger anchor` writes them again) or a local chain.
    """
    from ledger.backup.saving import save

    installation = Installation.open(home)
    made_at = now()
    if target.is_dir():
        stamp = format_time(made_at).replace(":", "").replace("-", "")
        target /= f"ledger-{stamp}.backup.zip"
    manifest = save(installation.database, installation.settings, target, now=made_at)
    rows = {entry.table: entry.rows or 0 for entry in manifest.entries if entry.table}
    if as_json:
        show_json({"file": str(target.absolute()), "made": format_time(made_at), "rows": rows})
        return
    show(f"Backup  {target}")
    show(
        f"        {counted(rows['credentials'], 'credential')}, "
        + counted(rows["batches"], "batch", "batches")
    )
    show("Keep it where this machine is not, and the keystore's password elsewhere again.")


def restore(
    file: Annotated[
        Path | None,
        typer.Argument(help="What `ledger backup` wrote. Without it, only ask the chain again."),
    ] = None,
    home: Home = None,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="An empty database; else that of LEDGER_DATABASE, else a file."
        ),
    ] = None,
    rpc: Annotated[
        list[str] | None, typer.Option(help="An endpoint instead of those of the backup.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make an installation from a backup.

    The folder and the database must be empty. Then it catches up with the chain: nothing is
    sent before that has told what was anchored since. If it does not answer, run this again
    without FILE.
    """
    from ledger.backup import restoring

    if database:
        check_no_password(database)
    folder = home_folder(home)
    if file is not None:
        changed = ({"database": database} if database else {}) | ({"rpc": rpc} if rpc else {})
        # The environment's database is the one that every command will use; it stays there.
        url = database_from_environment() or database
        restoring.restore(file, folder, url, changed=changed, now=now())
    try:
        replayed = _replay(Installation.open(folder))
    except ChainError as error:
        raise ChainError(
            error.code,
            f"restored, but nothing is sent until the chain was asked: {error.message}. "
            "When it answers, run `ledger restore` again without a file",
        ) from None
    if as_json:
        show_json({"home": str(folder)} | _describe(replayed))
        return
    show(f"Restored  {folder}")
    _show_replay(replayed)
    show("Next: `ledger fsck --chain`, then `ledger anchor`.")


def _replay(installation: Installation) -> "Replay":
    from ledger.backup.replay import replay

    keys = (KeyName.OWNER, KeyName.ANCHOR, KeyName.STATUS)
    return replay(
        installation.outbox,
        installation.registry,
        installation.endpoints[0],
        [installation.address(name) for name in keys],
        now=now(),
    )


def _describe(replayed: "Replay") -> dict[str, Any]:
    return {
        "adopted": replayed.adopted,
        "rebuilt": replayed.rebuilt,
        "lost": [
            {
                "issuer": anchor.issuer,
                "root": anchor.root.hex(),
                "size": anchor.size,
                "time": format_time(anchor.time),
                "transaction": f"0x{anchor.transaction.hex()}",
            }
            for anchor in replayed.lost
        ],
    }


def _show_replay(replayed: "Replay") -> None:
    for batch_id in replayed.adopted:
        show(f"Batch {batch_id} was anchored since: taken over from the chain.")
    for batch_id in replayed.rebuilt:
        show(f"Batch {batch_id} was sealed and anchored since: made again.")
    for anchor in replayed.lost:
        credentials = counted(anchor.size, "credential")
        show(f"Not in the backup: {credentials} of issuer {anchor.issuer}, anchored")
        show(f"  {format_time(anchor.time)}, root {anchor.root.hex()}")
        show(f"  transaction 0x{anchor.transaction.hex()}")
    if replayed.lost:
        show("Badges of those verify as before; this installation can neither write them again")
        show("nor revoke them one by one. Issuing their rosters again makes new credentials.")

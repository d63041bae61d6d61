"""`ledger demo`: the three journeys on a local chain, everything left in one folder.

D/
  demo.json     where everything is, for programs; `ready` when the story is told
  home/         the issuer's installation, its chain's state in home/devchain
  ministry/     the installation of an accreditor
  stranger/     the installation of somebody who registered the same DID
  badges/       a thousand badges with their proofs
  scenes/       the badges that were tampered with, laundered, ...
  audit/        the report of an audit, to read and to print
  password      opens both keystores; their keys are worth nothing
"""

import json
import secrets
import shutil
import time
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ledger.cli.files import write_file
from ledger.cli.output import show, show_table
from ledger.errors import ConflictError, MalformedInputError

BUNDLED_ROWS: Final = 1_000
MANIFEST: Final = "demo.json"


def add_commands(app: typer.Typer) -> None:
    """Add this module's command to `app`."""
    app.command()(demo)


def demo(
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Where to leave everything.")
    ] = Path("demo"),
    rows: Annotated[
        int, typer.Option(help=f"How many learners of the bundled {BUNDLED_ROWS}.")
    ] = BUNDLED_ROWS,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the chain up at the end, until interrupted.")
    ] = False,
) -> None:
    """Tell the whole story on a local chain.

    Issues, anchors and verifies the bundled roster, then tampers with a badge, revokes one,
    lets a stranger launder it, loses a key, audits it all and stops the chain. Everything is
    left in DIR.
    """
    from ledger.cli.demo_scenes import SCENES
    from ledger.cli.demo_story import Story

    if not 2 <= rows <= BUNDLED_ROWS:
        raise MalformedInputError("bad-rows", f"--rows goes from 2 to {BUNDLED_ROWS}")
    started = time.monotonic()
    story = Story.begin(empty_folder(folder.absolute()), rows)
    try:
        for scene in SCENES:
            scene(story)
        show()
        show_table(["what it cost", "gas", "seconds", "gas a badge"], story.costs)
        write_manifest(story.folder, story.manifest() | {"ready": True})
        show()
        show(f"Done in {time.monotonic() - started:.0f} s. All of it is in {folder}/.")
        for line in story.next_commands(running=keep):
            show(line)
        if keep:
            story.chain.wait()
    except KeyboardInterrupt:
        if not keep:
            raise
    finally:
        story.chain.stop()


def empty_folder(folder: Path) -> Path:
    """Return `folder`, empty; what an earlier demo left there is removed.

    Raises:
        ConflictError: something else than a demo is there.

    """
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MANIFEST).exists():
            raise ConflictError(
                "not-a-demo", f"{folder} holds something else than a demo: name another with --dir"
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    # The chain's state is the first thing in it: nobody else may look at what follows.
    (folder / "home").mkdir(mode=0o700)
    write_manifest(folder, {"ready": False})
    password = folder / "password"
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(18) + "\n", "utf-8")
    return folder


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write `demo.json`, whole or not at all."""
    write_file(folder / MANIFEST, (json.dumps(manifest, indent=2) + "\n").encode())

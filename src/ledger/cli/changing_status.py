"""`revoke`, `suspend`, `reinstate`: change what the chain says of a credential."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.chain.registry.calls import StatusAction
from ledger.cli.files import read_file
from ledger.cli.installation import Installation
from ledger.cli.options import Home, Json, PasswordFile
from ledger.cli.output import show, show_json
from ledger.cli.proving import keep_final_states
from ledger.errors import MalformedInputError, NotFoundError
from ledger.primitives import counted

if TYPE_CHECKING:
    from ledger.chain.state import ChainState
    from ledger.credentials.store import StoredCredential

FINAL_SECONDS = 1800
"""How long to follow the transactions: Ethereum finalises in about thirteen minutes."""

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="UUIDs of credentials.")]
IdsFile = Annotated[
    Path | None,
    typer.Option("--ids", metavar="FILE", help="A CSV with a column `id`: one credential a row."),
]
Reason = Annotated[
    str,
    typer.Option(
        help="issued-in-error, achievement-withdrawn, superseded, learner-request, "
        "key-compromise, under-review or unspecified; a number on chain, never a text."
    ),
]


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    app.command()(revoke)
    app.command()(suspend)
    app.command()(reinstate)


def revoke(
    credential_ids: Ids = None,
    ids: IdsFile = None,
    batch: Annotated[
        int | None, typer.Option(metavar="N", help="Revoke this whole batch instead.")
    ] = None,
    reason: Reason = "unspecified",
    home: Home = None,
    password_file: PasswordFile = None,
    as_json: Json = False,
) -> None:
    """Revoke credentials, for ever.

    All must be anchored; neighbours in a batch share a transaction. Returns when the
    revocation is final. Revoking again is no error.
    """
    installation = Installation.open(home, password_file)
    if batch is None:
        given = _given(credential_ids, ids)
        _report(change(installation, StatusAction.REVOKE, given, reason), as_json=as_json)
    elif credential_ids or ids:
        raise MalformedInputError("usage", "--batch revokes a whole batch: give no ids beside it")
    else:
        _report(revoke_whole_batch(installation, batch, reason), as_json=as_json)


def suspend(
    credential_ids: Ids = None,
    ids: IdsFile = None,
    reason: Reason = "unspecified",
    home: Home = None,
    password_file: PasswordFile = None,
    as_json: Json = False,
) -> None:
    """Suspend credentials, until reinstated.

    Returns when that is final. Suspending again is no error.
    """
    installation = Installation.open(home, password_file)
    done = change(installation, StatusAction.SUSPEND, _given(credential_ids, ids), reason)
    _report(done, as_json=as_json)


def reinstate(
    credential_ids: Ids = None,
    ids: IdsFile = None,
    reason: Reason = "unspecified",
    home: Home = None,
    password_file: PasswordFile = None,
    as_json: Json = False,
) -> None:
    """Reinstate suspended credentials.

    A revoked one stays revoked. Returns when that is final.
    """
    installation = Installation.open(home, password_file)
    done = change(installation, StatusAction.REINSTATE, _given(credential_ids, ids), reason)
    _report(done, as_json=as_json)


def change(
    installation: Installation, action: StatusAction, credential_ids: list[str], reason: str
) -> list[bytes]:
    """Change statuses and wait until that is final; return the transactions' hashes."""
    from ledger.batches.credential_status import StatusChange, change_status
    from ledger.chain.keystore import KeyName

    wanted = StatusChange(action, _reason(reason))
    found = _find(installation, credential_ids)
    installation.outbox.settle()
    rows = change_status(
        installation.outbox,
        installation.sender(KeyName.STATUS),
        installation.registry,
        _newest(installation),
        found,
        wanted,
    )
    return _wait(installation, rows)


def revoke_whole_batch(installation: Installation, batch_id: int, reason: str) -> list[bytes]:
    """Revoke a batch and wait until that is final; return its transaction's hash."""
    from ledger.batches.credential_status import revoke_batch
    from ledger.batches.store import get_batch
    from ledger.chain.keystore import KeyName

    code = _reason(reason)
    with installation.database.read() as tx:
        batch = get_batch(tx, batch_id)
    installation.outbox.settle()
    row = revoke_batch(
        installation.outbox,
        installation.sender(KeyName.STATUS),
        installation.registry,
        _newest(installation),
        batch,
        reason=code,
    )
    return _wait(installation, [] if row is None else [row])


def _reason(name: str) -> int:
    from ledger.batches.credential_status import REASONS

    if name not in REASONS:
        raise MalformedInputError(
            "bad-reason", f"no such reason: {name!r}; one of {', '.join(REASONS)}"
        )
    return REASONS[name]


def _given(credential_ids: list[str] | None, file: Path | None) -> list[str]:
    given = [*(credential_ids or []), *(read_ids(file) if file else [])]
    if not given:
        raise MalformedInputError("usage", "which credentials? give their ids, or --ids FILE")
    return given


def read_ids(file: Path) -> list[str]:
    """Return the column `id` of a CSV file.

    Raises:
        MalformedInputError: no UTF-8, no such column, or a row without a value in it.

    """
    import csv
    import io

    try:
        text = read_file(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedInputError(
            "not-utf-8", f"{file}: byte {error.start} is not UTF-8: save the file as UTF-8"
        ) from None
    rows = csv.DictReader(io.StringIO(text, newline=""))
    if "id" not in (rows.fieldnames or []):
        raise MalformedInputError("bad-ids", f"{file}: the first line must name a column `id`")
    ids = []
    for row in rows:
        if not (value := (row["id"] or "").strip()):
            raise MalformedInputError("bad-ids", f"{file}: line {rows.line_num} has no id")
        ids.append(value)
    return ids


def _find(installation: Installation, credential_ids: list[str]) -> list["StoredCredential"]:
    from ledger.credentials.store import find_credential

    found = []
    with installation.database.read() as tx:
        for credential_id in credential_ids:
            credential = find_credential(tx, credential_id.removeprefix("urn:uuid:"))
            if credential is None:
                raise NotFoundError(
                    "no-credential", f"there is no credential {credential_id}; nothing was sent"
                )
            found.append(credential)
    return found


def _newest(installation: Installation) -> "ChainState":
    from ledger.chain.state import RpcState, read_blocks

    chain = installation.settings.chain
    (newest,) = read_blocks(installation.rpc, ["latest"], chain=chain)
    return RpcState(installation.rpc, chain, newest)


def _wait(installation: Installation, rows: list[int]) -> list[bytes]:
    from ledger.chain.store import TransactionState

    done = installation.outbox.wait(
        rows, state=TransactionState.FINAL, timeout_seconds=FINAL_SECONDS
    )
    keep_final_states(installation)
    return [transaction.hash for transaction in done]


def _report(transactions: list[bytes], *, as_json: bool) -> None:
    if as_json:
        show_json([f"0x{one.hex()}" for one in transactions])
    elif not transactions:
        show("Nothing to do: the chain says so already.")
    else:
        show(f"Done, and final, with {counted(len(transactions), 'transaction')}:")
        for one in transactions:
            show(f"  0x{one.hex()}")

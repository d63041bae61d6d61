"""`revoke`: take a credential back, for ever and on chain."""

from typing import Annotated

import typer

from ledger.cli.installation import Installation
from ledger.cli.options import Home, Json, PasswordFile
from ledger.cli.output import show, show_json
from ledger.errors import MalformedInputError, NotFoundError

FINAL_SECONDS = 1800
"""How long to follow the transactions: Ethereum finalises in about thirteen minutes."""


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    app.command()(revoke)


def revoke(
    credential_ids: Annotated[
        list[str], typer.Argument(metavar="ID...", help="UUIDs of credentials.")
    ],
    reason: Annotated[
        str,
        typer.Option(
            help="issued-in-error, achievement-withdrawn, superseded, learner-request, "
            "key-compromise, under-review or unspecified; a number on chain, never a text."
        ),
    ] = "unspecified",
    home: Home = None,
    password_file: PasswordFile = None,
    as_json: Json = False,
) -> None:
    """Revoke credentials, for ever.

    All must be anchored; they share one transaction a batch. Returns when the revocation
    is final. Revoking again is no error.
    """
    installation = Installation.open(home, password_file)
    transactions = revoke_credentials(installation, credential_ids, reason)
    if as_json:
        show_json([f"0x{one.hex()}" for one in transactions])
    elif not transactions:
        show("All of them were revoked already.")
    else:
        show(f"Revoked, and final, with {len(transactions)} transaction(s):")
        for one in transactions:
            show(f"  0x{one.hex()}")


def revoke_credentials(
    installation: Installation, credential_ids: list[str], reason: str = "unspecified"
) -> list[bytes]:
    """Revoke and wait until that is final; return the hashes of the transactions."""
    from ledger.batches.revoking import REASONS
    from ledger.batches.revoking import revoke as send_revocations
    from ledger.chain.keystore import KeyName
    from ledger.chain.state import RpcState, read_blocks
    from ledger.chain.store import TransactionState
    from ledger.credentials.store import find_credential

    if reason not in REASONS:
        raise MalformedInputError(
            "bad-reason", f"no such reason: {reason!r}; one of {', '.join(REASONS)}"
        )
    found = []
    with installation.database.read() as tx:
        for credential_id in credential_ids:
            credential = find_credential(tx, credential_id.removeprefix("urn:uuid:"))
            if credential is None:
                raise NotFoundError(
                    "no-credential", f"there is no credential {credential_id}; nothing was revoked"
                )
            found.append(credential)
    (newest,) = read_blocks(installation.rpc, ["latest"])
    state = RpcState(installation.rpc, installation.settings.chain, newest)
    sender = installation.sender(KeyName.STATUS)
    outbox = installation.outbox
    outbox.settle()
    rows = send_revocations(
        outbox, sender, installation.registry, state, found, reason=REASONS[reason]
    )
    done = outbox.wait(rows, state=TransactionState.FINAL, timeout_seconds=FINAL_SECONDS)
    return [transaction.hash for transaction in done]

"""`issue`: from a roster and a template to signed credentials."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ledger.cli.files import read_file
from ledger.cli.installation import Installation
from ledger.cli.options import Home, IssuerNumber, Json, PasswordFile
from ledger.cli.output import progress, show, show_json
from ledger.cli.reporting import ReportFile, reporting
from ledger.clock import now
from ledger.primitives import counted

if TYPE_CHECKING:
    from ledger.credentials.issuing import Issued
    from ledger.credentials.roster import Row
    from ledger.credentials.template import Template
    from ledger.issuers.store import Issuer

SHOWN_LINES: Final = 20
"""How many lines of new learners a dry run lists; the JSON has all."""


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    app.command()(issue)


def issue(
    roster: Annotated[
        Path, typer.Argument(help="One learner a row: CSV, or JSON lines when it ends in .jsonl.")
    ],
    template: Annotated[Path, typer.Option(help="The micro-credential, as TOML.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, say what it would do, and stop.")
    ] = False,
    report: ReportFile = None,
    number: IssuerNumber = None,
    home: Home = None,
    password_file: PasswordFile = None,
    as_json: Json = False,
) -> None:
    """Sign a credential for every learner.

    The roster's rows and the template become credentials that wait for the next batch.
    Every row is checked before anything is issued. Rows issued before are left out, so
    issuing a roster again goes on where it was stopped.
    """
    installation = Installation.open(home, password_file)
    issuer = installation.issuer(number)
    parsed, rows = read_inputs(roster, template, report)
    if dry_run:
        _preview(installation, issuer, parsed, rows, as_json=as_json)
        return
    issued = issue_rows(installation, issuer, parsed, rows)
    if as_json:
        show_json({"issuer": issuer.number, "issued": issued.new, "known": issued.known})
        return
    show(
        f"Issued {counted(issued.new, 'credential')}; "
        f"{counted(issued.known, 'row')} had been issued before."
    )
    if issued.new:
        show("Next: `ledger anchor` seals them into a batch and brings it to the chain.")


def read_inputs(
    roster: Path, template: Path, report: Path | None = None
) -> tuple["Template", tuple["Row", ...]]:
    """Return a template and the rows to issue with it; problems of the rows go to `report`.

    Raises:
        MalformedInputError: as `read_file`, `parse_template` and `read_roster`.

    """
    from ledger.credentials.roster_file import read_roster
    from ledger.credentials.template import parse_template

    parsed = parse_template(read_file(template))
    with reporting(report):
        return parsed, read_roster(read_file(roster), roster.name, parsed)


def issue_rows(
    installation: Installation, issuer: "Issuer", template: "Template", rows: Sequence["Row"]
) -> "Issued":
    """Issue rows that were read with this template, with a progress bar."""
    from ledger.credentials.issuing import Signatory
    from ledger.credentials.issuing import issue as issue_all
    from ledger.credentials.profile import IssuerProfile
    from ledger.credentials.signature import SigningKey

    profile = IssuerProfile(
        did=issuer.profile.did,
        name=issuer.profile.name,
        url=issuer.profile.url,
        country_code=issuer.profile.country_code,
        region=issuer.profile.region,
        homes=(installation.home_of(issuer.number),),
    )
    key = SigningKey(installation.signing_key().reveal())
    with progress("signing", len(rows)) as advance:
        return issue_all(
            installation.database,
            Signatory(issuer.number, profile, key),
            template,
            rows,
            now=now(),
            on_row=advance,
        )


def _preview(
    installation: Installation,
    issuer: "Issuer",
    template: "Template",
    rows: Sequence["Row"],
    *,
    as_json: bool,
) -> None:
    from ledger.credentials.issuing import find_new_rows

    new = find_new_rows(installation.database, issuer.number, issuer.profile.did, template, rows)
    known = len(rows) - len(new)
    lines = [row.line for row in new]
    if as_json:
        show_json(
            {
                "issuer": issuer.number,
                "would_issue": len(new),
                "known": known,
                "new_lines": lines,
            }
        )
        return
    show(
        f"Would issue {counted(len(new), 'credential')} of issuer {issuer.number}, "
        f"{issuer.profile.name}; {counted(known, 'row')} had been issued before."
    )
    if new and known:
        shown = ", ".join(map(str, lines[:SHOWN_LINES]))
        more = f" and {len(lines) - SHOWN_LINES} more" if len(lines) > SHOWN_LINES else ""
        show(f"New are the learners in the lines {shown}{more}.")
    show("Nothing was issued.")

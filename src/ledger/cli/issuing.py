"""`issue`: from a roster and a template to signed credentials."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.files import read_file
from ledger.cli.installation import Installation
from ledger.cli.options import Home, IssuerNumber, Json, PasswordFile
from ledger.cli.output import progress, show, show_json
from ledger.clock import now

if TYPE_CHECKING:
    from ledger.credentials.issuing import Issued
    from ledger.issuers.store import Issuer


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    app.command()(issue)


def issue(
    roster: Annotated[Path, typer.Argument(help="CSV in UTF-8, one learner a row.")],
    template: Annotated[Path, typer.Option(help="The micro-credential, as TOML.")],
    number: IssuerNumber = None,
    home: Home = None,
    password_file: PasswordFile = None,
    as_json: Json = False,
) -> None:
    """Sign a credential for every learner.

    The roster's rows and the template become credentials that wait for the next batch.
    Every row is checked before anything is issued. Rows issued before are left out.
    """
    installation = Installation.open(home, password_file)
    issuer = installation.issuer(number)
    issued = issue_roster(installation, issuer, roster, template)
    if as_json:
        show_json({"issuer": issuer.number, "issued": issued.new, "known": issued.known})
        return
    show(f"Issued {issued.new} credentials; {issued.known} rows had been issued before.")
    show("Next: `ledger anchor` seals them into a batch and brings it to the chain.")


def issue_roster(
    installation: Installation, issuer: "Issuer", roster: Path, template: Path
) -> "Issued":
    """Issue a roster, with a progress bar."""
    from ledger.credentials.issuing import Signatory
    from ledger.credentials.issuing import issue as issue_rows
    from ledger.credentials.profile import IssuerProfile
    from ledger.credentials.roster_csv import read_csv
    from ledger.credentials.signature import SigningKey
    from ledger.credentials.template import parse_template

    parsed = parse_template(read_file(template))
    rows = read_csv(read_file(roster))
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
        return issue_rows(
            installation.database,
            Signatory(issuer.number, profile, key),
            parsed,
            rows,
            now=now(),
            on_row=advance,
        )

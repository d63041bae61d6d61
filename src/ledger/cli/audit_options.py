"""The options of `audit` and `audit export`."""

from pathlib import Path
from typing import Annotated, Final

import typer

WATCH_SECONDS: Final = 12
"""Between two looks; a block of Ethereum."""

Registry = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="The contract; else where this release's one is."),
]
Rpc = Annotated[
    list[str] | None,
    typer.Option(metavar="URL", help="Ask this endpoint; repeat it, and all are compared."),
]
Chain = Annotated[
    str | None,
    typer.Option(metavar="CHAIN", help="What the endpoints must be on, such as eip155:1."),
]
BlockNumber = Annotated[
    int | None,
    typer.Option(metavar="N", min=0, help="Up to this final block; else the newest."),
]
FromBlock = Annotated[
    int,
    typer.Option(metavar="N", min=0, help="Read logs from this block on; too late would show."),
]
MaxHeadAge = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="How old the newest final block may be; 0s: any age. Else 2h, on eip155:31337 0s.",
    ),
]
OfInstallation = Annotated[
    Path | None,
    typer.Option("--home", metavar="DIR", help="Registry, endpoints, database of an installation."),
]
NoStateProof = Annotated[
    bool,
    typer.Option("--no-state-proof", help="Believe the endpoints about the heads; some must be."),
]
Logs = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Take the logs from this recording, whoever made it."),
]
CursorFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Go on where this recording ends, and add to it."),
]
IssuerDatabase = Annotated[
    str | None,
    typer.Option(metavar="URL|PATH", help="Compare with this issuer's database."),
]
ProofsFolder = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Compare with the badges and proof files in DIR."),
]
ReportFolder = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Write report.json and report.html into DIR."),
]
Publish = Annotated[
    bool,
    typer.Option("--publish", help="Keep a summary in the database, for the HTTP service."),
]
Watch = Annotated[bool, typer.Option("--watch", help="Keep following; end at the first finding.")]
Every = Annotated[
    int, typer.Option(metavar="SECONDS", min=1, help="With --watch: between two looks.")
]
Webhook = Annotated[
    str | None,
    typer.Option(metavar="URL", help="With --watch: send the first finding there."),
]

"""`submit`: what was made elsewhere, as files or as bare digests."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final

import typer

from ledger.cli.files import read_file
from ledger.cli.installation import Installation
from ledger.cli.options import Home, IssuerNumber, Json
from ledger.cli.output import progress, show
from ledger.cli.reporting import ReportFile, reporting
from ledger.clock import now
from ledger.credentials.plain_text import visible
from ledger.errors import LedgerError, LimitError, MalformedInputError
from ledger.primitives import Canonicalization

if TYPE_CHECKING:
    from ledger.credentials.submitting import Accepted, Offer
    from ledger.issuers.store import Issuer

MAX_LABEL_CHARACTERS: Final = 255

MAX_SUBMITTED_BYTES: Final = 256 << 20
"""Of all credentials in one command, which are held in memory until all were checked."""


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    app.command()(submit)


def submit(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Credentials, or any files.")
    ] = None,
    digests: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Instead of files: one digest a line, 64 hex digits."),
    ] = None,
    canonicalization: Annotated[
        Canonicalization | None,
        typer.Option(help="What the digests are of: credentials, or the bytes of files."),
    ] = None,
    report: ReportFile = None,
    number: IssuerNumber = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Accept credentials, files or digests made elsewhere.

    They wait for the next batch, as issued ones do. Prints their ids in the order given;
    what this issuer has already keeps its id. All are accepted, or none.
    """
    installation = Installation.open(home)
    issuer = installation.issuer(number)
    if digests is None:
        if not files or canonicalization or report:
            raise MalformedInputError(
                "usage",
                "which files? give FILE..., or --digests FILE with --canonicalization",
            )
        _submit_files(installation, issuer, files, as_json=as_json)
    elif files or canonicalization is None:
        raise MalformedInputError(
            "usage", "with --digests FILE give --canonicalization, and no other files"
        )
    else:
        _submit_digests(installation, issuer, digests, canonicalization, report, as_json=as_json)


def _submit_files(
    installation: Installation, issuer: "Issuer", files: list[Path], *, as_json: bool
) -> None:
    from ledger.credentials.submitting import accept

    offers = _read_offers(installation, issuer, files)
    ids: list[str] = []
    accepted = accept(installation.database, issuer.number, offers, now=now(), on_ids=ids.extend)
    if as_json:
        _show_json(issuer.number, accepted, ids)
        return
    for public_id, file in zip(ids, files, strict=True):
        show(f"{public_id}  {visible(str(file))}")
    _tell(accepted)


def _read_offers(installation: Installation, issuer: "Issuer", files: list[Path]) -> list["Offer"]:
    from ledger.credentials.submitting import FileProblem, SubmissionError, read_offer

    home = installation.home_of(issuer.number)
    offers, problems, kept = [], [], 0
    with progress("reading", len(files)) as advance:
        for file in files:
            label = visible(file.name)[:MAX_LABEL_CHARACTERS]
            try:
                offer = read_offer(read_file(file), label, did=issuer.profile.did, home=home)
            except LedgerError as error:
                problems.append(FileProblem(visible(str(file)), error))
            else:
                kept += len(offer.document or b"")
                offers.append(offer)
            if kept > MAX_SUBMITTED_BYTES:
                raise LimitError(
                    "too-large",
                    f"above {MAX_SUBMITTED_BYTES >> 20} MiB of credentials: submit fewer",
                )
            advance(1)
    if problems:
        raise SubmissionError(problems)
    return offers


def _submit_digests(
    installation: Installation,
    issuer: "Issuer",
    path: Path,
    canonicalization: Canonicalization,
    report: Path | None,
    *,
    as_json: bool,
) -> None:
    from ledger.credentials.digest_list import check_digests, read_digests
    from ledger.credentials.submitting import Offer, accept

    with _opened(path) as file, TemporaryFile("w+", encoding="ascii") as ids:
        with reporting(report):
            count = check_digests(file)
        with progress("accepting", count) as advance:

            def keep(page: list[str]) -> None:
                ids.writelines(f"{public_id}\n" for public_id in page)
                advance(len(page))

            offers = (Offer(digest, canonicalization) for digest in read_digests(file))
            accepted = accept(installation.database, issuer.number, offers, now=now(), on_ids=keep)
        # Shown only now: before the transaction ended, they were nobody's ids.
        ids.seek(0)
        lines = (line.rstrip("\n") for line in ids)
        if as_json:
            _show_json(issuer.number, accepted, lines)
            return
        for line in lines:
            show(line)
    _tell(accepted)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise MalformedInputError("no-file", f"there is no file {path}") from None
    except OSError as error:
        raise MalformedInputError("unreadable", f"{path}: {error.strerror}") from None
    with file:
        if not file.seekable():
            raise MalformedInputError("unreadable", f"{path} is a stream: save it as a file first")
        yield file


def _show_json(issuer: int, accepted: "Accepted", ids: Iterable[str]) -> None:
    """Print the result as JSON, one id a line: there may be millions."""
    head = f'{{"issuer": {issuer}, "accepted": {accepted.new}, "known": {accepted.known}, "ids": ['
    separator = ""
    for public_id in ids:
        sys.stdout.write(f'{head}{separator}\n  "{public_id}"')
        head, separator = "", ","
    show("\n]}")


def _tell(accepted: "Accepted") -> None:
    """Say what happened beside the ids, which a program may be reading."""
    sys.stderr.write(
        f"Accepted {accepted.new:,}; {accepted.known:,} had been accepted before.\n"
        "Next: `ledger anchor` seals them into a batch and brings it to the chain.\n"
    )

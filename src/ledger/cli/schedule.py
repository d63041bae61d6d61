"""`ledger schedule`: when what waits is sealed and anchored by itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.installation import Installation
from ledger.cli.options import Home, IssuerNumber, Json
from ledger.cli.output import show, show_json
from ledger.clock import format_time, now, parse_duration
from ledger.errors import MalformedInputError
from ledger.primitives import counted

if TYPE_CHECKING:
    from ledger.batches.schedules.schedule import Schedule, Waiting

SHOWN_TIMES = 5
"""How many times to come `next` shows."""

schedule = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    app.add_typer(schedule, name="schedule", help="Say when batches are sealed by themselves.")


@schedule.command("set")
def set_(
    cron: Annotated[
        str | None, typer.Option(metavar="C", help="At these times: five fields, as in crontab(5).")
    ] = None,
    zone: Annotated[
        str, typer.Option(metavar="ZONE", help="The time zone of --cron, such as Europe/Paris.")
    ] = "UTC",
    every: Annotated[
        str | None, typer.Option(metavar="T", help="Every so often, such as 15m, from now on.")
    ] = None,
    at_waiting: Annotated[
        int | None, typer.Option(metavar="N", help="As soon as N credentials wait.")
    ] = None,
    max_age: Annotated[
        str | None, typer.Option(metavar="T", help="As soon as one has waited so long.")
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Never: take the schedule away.")] = False,
    number: IssuerNumber = None,
    home: Home = None,
) -> None:
    """Set an issuer's schedule, in place of the one it had.

    Of several conditions the first that holds is enough. `ledger worker` acts on it.
    """
    from ledger.batches.schedules.schedule import Schedule, check_schedule
    from ledger.batches.schedules.store import set_schedule

    if off and (cron or every or at_waiting or max_age):
        raise MalformedInputError("usage", "--off takes the schedule away: give no condition")
    if cron and every:
        raise MalformedInputError("usage", "--cron or --every, not both")
    wanted = None
    if not off:
        wanted = Schedule(
            set_at=now(),
            cron=cron,
            zone=zone,
            every_seconds=parse_duration(every) if every else None,
            at_waiting=at_waiting,
            max_age_seconds=parse_duration(max_age) if max_age else None,
        )
        check_schedule(wanted)
    installation = Installation.open(home)
    issuer = installation.issuer(number)
    with installation.database.write() as tx:
        set_schedule(tx, issuer.number, wanted)
    show(f"Issuer {issuer.number} seals {wanted}." if wanted else "No schedule any more.")


@schedule.command("show")
def show_schedule(number: IssuerNumber = None, home: Home = None, as_json: Json = False) -> None:
    """Show an issuer's schedule, and what waits."""
    issuer, wanted, waiting = _read(home, number)
    if as_json:
        show_json({"issuer": issuer, "schedule": _described(wanted), **_waits(waiting)})
        return
    show(f"Issuer {issuer} seals {wanted}." if wanted else f"Issuer {issuer} has no schedule.")
    show(
        counted(waiting.count, "credential waits", "credentials wait")
        + f", the oldest since {format_time(waiting.oldest_at)}."
        if waiting
        else "Nothing waits."
    )


@schedule.command("next")
def next_(number: IssuerNumber = None, home: Home = None, as_json: Json = False) -> None:
    """Show when the next batch is due, and the times to come."""
    from ledger.batches.schedules.schedule import due_at, next_times

    issuer, wanted, waiting = _read(home, number)
    due = due_at(wanted, waiting) if wanted else None
    times = next_times(wanted, now=now(), count=SHOWN_TIMES) if wanted else []
    if as_json:
        show_json(
            {
                "issuer": issuer,
                "due": None if due is None else format_time(due),
                "times": [format_time(time) for time in times],
                **_waits(waiting),
            }
        )
        return
    if wanted is None:
        show(f"Issuer {issuer} has no schedule: `ledger schedule set`, or `ledger anchor` by hand.")
        return
    if due is not None:
        show("What waits is due now." if due <= now() else f"Due at {format_time(due)}.")
    else:
        show("Nothing is due: " + ("too few wait yet." if waiting else "nothing waits."))
    for time in times:
        show(f"  {format_time(time)}")


def _read(home: Path | None, number: int | None) -> "tuple[int, Schedule | None, Waiting | None]":
    from ledger.batches.schedules.store import find_schedule
    from ledger.batches.sealing import find_waiting

    installation = Installation.open(home)
    issuer = installation.issuer(number).number
    with installation.database.read() as tx:
        return issuer, find_schedule(tx, issuer), find_waiting(tx, issuer)


def _described(wanted: "Schedule | None") -> dict[str, Any] | None:
    from dataclasses import asdict

    return asdict(wanted) if wanted else None


def _waits(waiting: "Waiting | None") -> dict[str, Any]:
    return {
        "waiting": waiting.count if waiting else 0,
        "oldest": format_time(waiting.oldest_at) if waiting else None,
    }

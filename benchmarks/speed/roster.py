"""One roster from file to badges, by the functions behind the commands; prints JSON.

    python -m benchmarks.speed.roster ROSTER HOME PASSWORD_FILE BADGES

What starting costs, imports and the opening of keys, is over before the first stage begins.
"""

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from ledger.batches.anchoring import follow, submit_all
from ledger.batches.delivery import deliver
from ledger.chain.keystore import KeyName
from ledger.cli.anchoring import seal_waiting
from ledger.cli.installation import Installation
from ledger.clock import now
from ledger.credentials.issuing import Signatory, issue
from ledger.credentials.profile import IssuerProfile
from ledger.credentials.roster_csv import read_csv
from ledger.credentials.signature import SigningKey
from ledger.credentials.template import parse_template

ISSUER = 1
FINAL_SECONDS = 120

Stages = dict[str, tuple[float, float, float]]
"""Wall and processor seconds by stage, and those of the busier of two processes."""


def run(installation: Installation, roster: Path, badges: Path) -> Stages:
    """Issue, seal, anchor and deliver; return what each stage took."""
    stages: Stages = {}
    database, home = installation.database, installation.home_of(ISSUER)
    sender = installation.sender(KeyName.ANCHOR)
    outbox, registry = installation.outbox, installation.registry
    key = SigningKey(installation.signing_key().reveal())
    signatory = Signatory(ISSUER, IssuerProfile(key.did, "Benchmark", homes=(home,)), key)
    course = (files("ledger.credentials") / "examples" / "rgpd.toml").read_bytes()
    with _timed(stages, "issued"):
        rows = read_csv(roster.read_bytes())
        issue(database, signatory, parse_template(course), rows, now=now())
    with _timed(stages, "sealed"):
        seal_waiting(installation, ISSUER)
    with _timed(stages, "anchored"):
        submit_all(outbox, sender, registry, ISSUER, patience=None)
        batches = follow(outbox, registry, ISSUER, timeout_seconds=FINAL_SECONDS)
    with _timed(stages, "written"):
        for batch in batches:
            deliver(database, batch, home, badges, now=now())
    return stages


@contextmanager
def _timed(stages: Stages, name: str) -> Iterator[None]:
    wall, here, there = time.perf_counter(), time.process_time(), _second_process()
    yield
    here, there = time.process_time() - here, _second_process() - there
    stages[name] = (time.perf_counter() - wall, here + there, max(here, there))


def _second_process() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    source, home, password, target = map(Path, sys.argv[1:])
    opened = Installation.open(home, password)
    print(json.dumps(run(opened, source, target)))
    opened.close()

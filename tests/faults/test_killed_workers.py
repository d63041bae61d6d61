"""Workers that are killed again and again lose nothing and do nothing twice.

Real `ledger worker` processes, a real chain that makes blocks by itself, and load while they
die: `kill -9` at no chosen moment, so each run dies somewhere else. On SQLite there is one
worker; on PostgreSQL two share the work, then five. LEDGER_TEST_KILLS says how often one is
killed on each database; the default is for every day. At the end the installed command itself
says whether all is well.
"""

import os
import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .site import Site, WorkerProcess, running_site, wait_until_done

KILLS = int(os.environ.get("LEDGER_TEST_KILLS", "5"))


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with running_site(database_url, tmp_path) as site:
        yield site


def kill_again_and_again(site: Site, workers: int, kills: int) -> None:
    """Keep so many workers at work, and kill one of them so many times."""
    chosen = random.Random(kills)
    with ExitStack() as stack:

        def start(count: int) -> list[WorkerProcess]:
            started = [WorkerProcess(site.home) for _ in range(count)]
            for worker in started:
                stack.callback(worker.close)
            for worker in started:
                worker.begun()
            return started

        running = start(workers)
        for _ in range(kills):
            site.accept(chosen.randint(1, 40))
            site.revoke(chosen)
            # Any moment of a round or two: that is what is tried here.
            threading.Event().wait(chosen.uniform(0, 2.5))
            running.pop(chosen.randrange(workers)).kill()
            running += start(1)
        wait_until_done(site)
        # By now there is something to revoke, whatever the machine was slow at.
        site.revoke(chosen)
        running.pop().kill()
        start(1)
        wait_until_done(site)
    assert site.revoked


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_that_is_killed_again_and_again_anchors_everything_once(site: Site) -> None:
    kill_again_and_again(site, workers=1, kills=KILLS)
    site.check()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_workers_of_which_one_is_killed_again_and_again_anchor_everything_once(
    site: Site,
) -> None:
    kill_again_and_again(site, workers=2, kills=KILLS // 2)
    kill_again_and_again(site, workers=5, kills=KILLS - KILLS // 2)
    site.check()

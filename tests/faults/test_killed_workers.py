"""Workers that are killed again and again lose nothing and do nothing twice.

Real `ledger worker` processes, a real chain that makes blocks by itself, and load while they
die: `kill -9` at no chosen moment, so each run dies somewhere else. LEDGER_TEST_KILLS says how
often on each database; the default is for every day.
"""

import json
import os
import random
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger.batches import store
from ledger.batches.delivery import ProofWriter
from ledger.batches.states.store import list_batches_without
from ledger.batches.status import BatchStatus
from ledger.chain.devchain import CHAIN, free_port
from ledger.chain.keystore import KeyName
from ledger.chain.store import list_senders, list_unfinished
from ledger.cli.chain import fund_keys, start_chain
from ledger.cli.installation import Installation
from ledger.cli.issuer import register_issuer
from ledger.cli.setup import create_installation, deploy_registry, migrate_database
from ledger.credentials.store import NewCredential, add_credentials, count_waiting, read_batch
from ledger.issuers.store import Profile
from ledger.merkle.inclusion import verify
from ledger.merkle.tree import leaf_hash
from ledger.primitives import Canonicalization, sha256
from tests.acceptance.conftest import command_path, run_ledger

KILLS = int(os.environ.get("LEDGER_TEST_KILLS", "5"))
DONE_SECONDS = 120


class Site:
    """One installation on a chain of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.installation = Installation.open(home)
        self.issuer = 0
        self.accepted = 0

    def register(self) -> None:
        fund_keys(self.installation)
        deploy_registry(self.installation)
        profile = Profile(self.installation.did(), "Killed Often")
        self.issuer = register_issuer(self.installation, profile).number
        done = run_ledger("schedule", "set", "--at-waiting", 1, "--home", self.home)
        assert done.returncode == 0, done.stderr

    def accept(self, count: int) -> None:
        new = [
            NewCredential(
                str(uuid.uuid4()),
                sha256(b"%d" % (self.accepted + n)),
                Canonicalization.NONE,
                None,
                None,
            )
            for n in range(count)
        ]
        with self.installation.database.write() as tx:
            add_credentials(tx, self.issuer, new, now=int(time.time()))
        self.accepted += count

    @contextmanager
    def worker(self) -> Iterator["subprocess.Popen[str]"]:
        """Start a worker and give it when it has begun to work."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LEDGER_")}
        process = subprocess.Popen(
            [str(command_path()), "worker", "--home", str(self.home)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        reader = threading.Thread(target=process.stderr.read)
        try:
            first = json.loads(process.stderr.readline())
            assert first["event"] == "worker started", first
            # Nobody else reads it, and a full pipe would stop the worker.
            reader.start()
            yield process
        finally:
            process.kill()
            process.wait(30)
            if reader.ident is not None:
                reader.join()
            process.stderr.close()

    def is_done(self) -> bool:
        with self.installation.database.read() as tx:
            if count_waiting(tx, self.issuer) or list_batches_without(tx):
                return False
            return all(
                batch.status is BatchStatus.FINAL and batch.delivered_at
                for batch in store.list_batches(tx, self.issuer)
            )

    def check(self) -> None:
        """Every credential in one batch, every batch anchored once, no nonce gap, all proved."""
        with self.installation.database.read() as tx:
            batches = store.list_batches(tx, self.issuer)
            assert sum(batch.size for batch in batches) == self.accepted
            for batch in batches:
                home = self.installation.home_of(self.issuer)
                proofs = ProofWriter(tx, batch, home)
                members = list(read_batch(tx, batch.id))
                assert len(members) == batch.size
                for member in members:
                    inclusion = proofs.proof(member).inclusion
                    leaf = leaf_hash(member.digest)
                    verify(leaf, inclusion, size=batch.size, anchored=batch.root)
            assert list_unfinished(tx) == []
            nonces = list_senders(tx)
        anchor_key = self.installation.keystore.address(KeyName.ANCHOR)
        spent = self.installation.rpc.call(
            "eth_getTransactionCount", ["0x" + anchor_key.hex(), "latest"]
        )
        # As many transactions as batches: none was anchored twice, none was lost.
        assert int(spent, 16) == nonces[anchor_key] == len(batches)
        audited = run_ledger("audit", "--home", self.home)
        assert audited.returncode == 0, audited.stdout + audited.stderr


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    home, password = tmp_path / "home", tmp_path / "password"
    password.write_text("correct horse battery staple\n")
    port = free_port()
    create_installation(
        home,
        rpc=[f"http://127.0.0.1:{port}"],
        chain=CHAIN,
        password_file=password,
        devchain_port=port,
        database=database_url,
    )
    migrate_database(home)
    site = Site(home)
    chain = start_chain(site.installation.settings)
    try:
        site.register()
        yield site
    finally:
        site.installation.close()
        chain.stop()


def wait_until_done(site: Site) -> None:
    deadline = time.monotonic() + DONE_SECONDS
    while not site.is_done():
        assert time.monotonic() < deadline, "the last worker does not come to an end"
        threading.Event().wait(0.2)


def test_a_worker_that_is_killed_again_and_again_anchors_everything_once(site: Site) -> None:
    chosen = random.Random(KILLS)
    for _ in range(KILLS):
        with site.worker() as process:
            site.accept(chosen.randint(1, 40))
            # Any moment of a round or two: that is what is tried here.
            threading.Event().wait(chosen.uniform(0, 2.5))
            process.send_signal(signal.SIGKILL)
            process.wait(30)
    with site.worker():
        wait_until_done(site)
    site.check()

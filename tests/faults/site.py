"""One installation on a chain of its own, and real `ledger worker` processes for it."""

import json
import os
import random
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.batches import store
from ledger.batches.credential_status import StatusChange
from ledger.batches.events.store import EventKind, has_event
from ledger.batches.requests.requesting import request_change
from ledger.batches.requests.store import list_waiting
from ledger.batches.states.store import list_batches_without
from ledger.batches.status import ANCHORED, BatchStatus
from ledger.chain.devchain import CHAIN, free_port
from ledger.chain.keystore import KeyName
from ledger.chain.nonces.store import list_senders
from ledger.chain.registry.calls import StatusAction
from ledger.chain.store import list_unfinished
from ledger.cli.chain import fund_keys, start_chain
from ledger.cli.installation import Installation
from ledger.cli.issuer import register_issuer
from ledger.cli.setup import create_installation, deploy_registry, migrate_database
from ledger.config import change_settings
from ledger.credentials.store import NewCredential, add_credentials, count_waiting, read_batch
from ledger.issuers.store import Profile
from ledger.primitives import Canonicalization, sha256
from ledger.webhooks.deliveries.store import find_oldest_waiting
from ledger.webhooks.registering import register_webhook
from tests.acceptance.conftest import command_path, run_ledger
from tests.receiver import Receiver, receiving

DONE_SECONDS = 120


class WorkerProcess:
    """A worker that is starting; `begun` returns when it works."""

    def __init__(self, home: Path) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LEDGER_")}
        self._process = subprocess.Popen(
            [str(command_path()), "worker", "--home", str(home)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        self._said = self._process.stderr
        self._reader = threading.Thread(target=self._said.read)

    def begun(self) -> None:
        first = json.loads(self._said.readline())
        assert first["event"] == "worker started", first
        # Nobody else reads it, and a full pipe would stop the worker.
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(30)

    def close(self) -> None:
        self.kill()
        if self._reader.ident is not None:
            self._reader.join()
        self._said.close()


class Site:
    """One installation on a chain of its own."""

    def __init__(self, home: Path, receiver: Receiver) -> None:
        self.home, self.receiver = home, receiver
        self.installation = Installation.open(home)
        self.issuer = 0
        self.accepted = 0
        self.revoked: set[str] = set()

    def register(self) -> None:
        fund_keys(self.installation)
        deploy_registry(self.installation)
        profile = Profile(self.installation.did(), "Killed Often")
        self.issuer = register_issuer(self.installation, profile).number
        done = run_ledger("schedule", "set", "--at-waiting", 1, "--home", self.home)
        assert done.returncode == 0, done.stderr
        with self.installation.database.write() as tx:
            register_webhook(
                tx,
                self.issuer,
                url=self.receiver.url,
                kinds=list(EventKind),
                internal=self.installation.settings.internal_receivers,
                now=int(time.time()),
            )

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

    def revoke(self, chosen: random.Random) -> None:
        """Ask that a credential of a batch that is on chain be revoked, if there is one."""
        with self.installation.database.write() as tx:
            anchored = store.list_batches(tx, self.issuer, ANCHORED)
            if not anchored:
                return
            members = list(read_batch(tx, chosen.choice(anchored).id))
            one = chosen.choice(members).public_id
            change = StatusChange(StatusAction.REVOKE, 1)
            request_change(tx, self.issuer, [one], change, now=int(time.time()))
        self.revoked.add(one)

    def is_done(self) -> bool:
        with self.installation.database.read() as tx:
            if count_waiting(tx, self.issuer) or list_batches_without(tx, limit=1):
                return False
            if list_waiting(tx, limit=1) or has_event(tx) or find_oldest_waiting(tx):
                return False
            return all(
                batch.status is BatchStatus.FINAL and batch.delivered_at
                for batch in store.list_batches(tx, self.issuer)
            )

    def check(self) -> None:
        """Every credential in one batch, every batch anchored once, no nonce gap, all proved."""
        with self.installation.database.read() as tx:
            batches = store.list_batches(tx, self.issuer)
            assert list_unfinished(tx) == []
            nonces = list_senders(tx)
        assert sum(batch.size for batch in batches) == self.accepted
        badges = self.installation.settings.badges
        assert len(list(badges.glob("*.json"))) == self.accepted
        self.check_told({batch.id for batch in batches})
        anchor_key = self.installation.keystore.address(KeyName.ANCHOR)
        spent = self.installation.rpc.call(
            "eth_getTransactionCount", ["0x" + anchor_key.hex(), "latest"]
        )
        # As many transactions as batches: none was anchored twice, none was lost.
        assert int(spent, 16) == nonces[anchor_key] == len(batches)
        checked = run_ledger("fsck", "--chain", "--badges", badges, "--home", self.home)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        audited = run_ledger("audit", "--proofs", badges, "--json", "--home", self.home)
        assert audited.returncode == 0, audited.stdout + audited.stderr
        found = json.loads(audited.stdout)["proofs"]
        assert found["files"] == self.accepted
        assert found.get("revoked", 0) == len(self.revoked)

    def check_told(self, batches: set[int]) -> None:
        """Every batch and every revocation was told, however often under one id."""
        told = {one.message: json.loads(one.body) for one in self.receiver.received}
        final = [one["data"]["batch"] for one in told.values() if one["type"] == "batch.final"]
        assert sorted(final) == sorted(batches)
        changes = [one["data"] for one in told.values() if one["type"] == "credential.status"]
        assert {one["id"] for data in changes for one in data["credentials"]} == self.revoked
        assert len({data["transaction"] for data in changes}) == len(changes)


@contextmanager
def running_site(database_url: str, folder: Path) -> Iterator[Site]:
    """Give an installation with a registered issuer, whose chain runs as long as the block."""
    home, password = folder / "home", folder / "password"
    password.write_text("correct horse battery staple\n")
    port = free_port()
    create_installation(
        home,
        rpc=[f"http://127.0.0.1:{port}"],
        chain=CHAIN,
        password_file=password,
        devchain_port=port,
        database=database_url,
        light_keys=True,
    )
    migrate_database(home)
    with receiving() as receiver:
        change_settings(home, internal_receivers=[receiver.place])
        site = Site(home, receiver)
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

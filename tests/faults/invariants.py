"""What must be so when an accident is over: the checker of `ledger fsck`, and the chain's word.

The checker derives again what is stored and compares it with the registry's records. What
it cannot know is counted here: that nothing which was accepted is missing, and that no
event on the chain says a thing twice.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

import sqlalchemy as sa

from ledger.batches import store
from ledger.batches.delivery import ProofWriter
from ledger.batches.events.store import events
from ledger.batches.fsck.finding import Finding
from ledger.batches.fsck.whole import check_registry
from ledger.batches.status import BatchStatus
from ledger.batches.store import Batch
from ledger.chain.nonces.store import list_accepted, list_senders
from ledger.chain.outbox import Outbox
from ledger.chain.store import list_by_nonce, list_unfinished
from ledger.credentials.store import count_waiting, read_batch
from ledger.database import Connection
from ledger.merkle import inclusion
from ledger.merkle.tree import leaf_hash
from ledger.primitives import Address, Hash32, Home


def findings(outbox: Outbox, registry: Address, badges: Path | None = None) -> list[Finding]:
    """Return what `ledger fsck --chain` would say."""
    with outbox.database.read() as tx:
        return list(
            check_registry(
                tx,
                outbox.rpc,
                chain=outbox.chain,
                registry=registry,
                finality=outbox.finality,
                badges=badges,
            )
        )


def check_all_is_well(
    outbox: Outbox,
    registry: Address,
    *,
    anchored: Mapping[bytes, int],
    counts: Mapping[Address, int],
    accepted: Collection[Hash32] | None = None,
    badges: Path | None = None,
) -> list[Batch]:
    """Check that nothing is lost, done twice or left undone; return the batches.

    `anchored` is how often the chain has each root that a key of ours anchored, `counts` how
    many transactions it has of our keys, `accepted` what was taken in, when the test knows.
    """
    assert findings(outbox, registry, badges) == []
    with outbox.database.read() as tx:
        batches = list(store.read_batches(tx))
        assert {batch.status for batch in batches} <= {BatchStatus.FINAL}
        assert list_unfinished(tx) == []
        for issuer in {batch.issuer for batch in batches}:
            assert count_waiting(tx, issuer) == 0
        proved = [digest for batch in batches for digest in _proved(tx, outbox, registry, batch)]
        for key, count in counts.items():
            _check_nonces(tx, key, count)
        # No courier runs here: that they are final is still to be told.
        noted = {row.batch_id for row in tx.execute(sa.select(events))}
    assert noted == {batch.id for batch in batches}
    assert max(Counter(proved).values(), default=1) == 1
    if accepted is not None:
        assert sorted(proved) == sorted(accepted)
    assert dict(anchored) == {batch.root: 1 for batch in batches}
    if badges is not None:
        assert all(batch.delivered_at for batch in batches)
        assert len(list(badges.glob("*.json"))) == len(proved)
    return batches


def _proved(tx: Connection, outbox: Outbox, registry: Address, batch: Batch) -> list[Hash32]:
    """Return the digests of a batch's members, each proved by the proof that it gets."""
    proofs = ProofWriter(tx, batch, Home(outbox.chain, registry, batch.issuer))
    digests = []
    for member in read_batch(tx, batch.id):
        path = proofs.proof(member).inclusion
        leaf = leaf_hash(member.digest)
        inclusion.verify(leaf, path, size=batch.size, anchored=batch.root)
        digests.append(member.digest)
    return digests


def _check_nonces(tx: Connection, key: Address, count: int) -> None:
    """No nonce is missing but those that a person accepted, and none waits on the chain."""
    assert list_senders(tx).get(key, 0) == count
    signed = [one.nonce for one in list_by_nonce(tx, key, after=-1, limit=10_000)]
    accepted = list_accepted(tx).get(key, 0)
    assert set(range(accepted, count)) <= set(signed) <= set(range(count))
    assert len(signed) == len(set(signed))

"""After a key was compromised: which batches it anchored, so that they can be anchored again.

The registry does not trust an anchor that a key made at or after the moment since which
it is reported as compromised. Such a batch stays where it is, and its proofs are refused
by every verifier, until another key anchors the same root at the same size: the holders
keep their files.

    1. operators read, and if one is compromised, every anchor    nothing stored
    2. compromises and anchors written                            committed together
"""

from ledger.batches import store
from ledger.batches.records import RecordReader
from ledger.batches.status import ANCHORED
from ledger.batches.store import Batch
from ledger.chain.nonces.store import list_senders
from ledger.chain.outbox import Outbox
from ledger.chain.state import read_blocks
from ledger.primitives import Address


def find_untrusted(outbox: Outbox, registry: Address, issuer: int) -> list[Batch]:
    """Ask the chain which of the issuer's batches must be anchored again, oldest first.

    Raises:
        ChainError: the chain could not be asked.

    """
    (newest,) = read_blocks(outbox.rpc, ["latest"], chain=outbox.chain)
    reader = RecordReader(outbox.rpc, outbox.chain, registry)
    with outbox.database.read() as tx:
        keys = list(list_senders(tx))
        anchored = store.list_batches(tx, issuer, ANCHORED)
    operators = reader.operators([(issuer, key) for key in keys], newest)
    since = {key: record.compromised_since for (_, key), record in operators.items()}
    compromised = {key: at for key, at in since.items() if at}
    records = reader.records(anchored, newest) if compromised else {}
    with outbox.database.write() as tx:
        store.write_compromises(tx, issuer, compromised)
        for batch_id, record in records.items():
            store.note_record(tx, batch_id, record)
        return store.list_untrusted(tx, issuer)

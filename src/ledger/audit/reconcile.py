"""Hold an issuer's database against the registry that the replay rebuilt.

    issuers    registered under the same number with the same DID
    batches    every one the database calls included is anchored, with its size, by one of
               the installation's keys; every anchor of its issuers is one of its batches
    leaves     the credentials of a batch lead to its root
    status     every revoked or suspended bit is one that the database signed, and the reverse
    changes    every other event of its issuers is of a transaction that the database signed

What the database holds beyond the audited block is left out: the audit cannot tell. An
anchor or a change that nobody in the database signed is how a stolen key looks.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ledger.audit import store
from ledger.audit.finality import Remembered
from ledger.audit.findings import Finding, FindingCode, Place, moment
from ledger.audit.store import RecordedBatch, Spending
from ledger.audit.world import AnchorState, IssuerState, World
from ledger.batches.resealing import extra_digests
from ledger.chain.registry.calls import StatusAction
from ledger.chain.registry.slots import WORD_BITS
from ledger.chain.store import Outcome
from ledger.database import Connection, Database
from ledger.errors import MalformedInputError
from ledger.issuers.store import list_issuers
from ledger.merkle.tree import leaf_hash, root_of
from ledger.primitives import Address, Hash32, format_address, keccak256

Bits = dict[tuple[int, str], dict[int, int]]
"""By batch and `revoked` or `suspended`: bits by word number."""

_ANSWERS: Final = ("the chain", "the database")


@dataclass(frozen=True, slots=True)
class BatchTimes:
    """The life of one batch, in Unix seconds."""

    issuer: int
    size: int
    sealed_at: int
    submitted_at: int
    anchored_at: int
    """The time of the block, as the chain has it."""
    delivered_at: int | None
    """After its block had become final; None while its badges are not written."""
    gas: int


@dataclass(slots=True)
class Reconciliation:
    """What a database and the chain have in common, and what not."""

    issuers: int = 0
    batches: int = 0
    """On chain and in the database."""
    leaves: int = 0
    status_changes: int = 0
    spending: list[Spending] = field(default_factory=list)
    times: list[BatchTimes] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


class Comparison:
    """A database that is compared again and again while the chain goes on.

    Nothing is compared again while neither has anything new, and the leaves of a batch lead
    to its root once and for all.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sound: dict[int, int] = {}
        self._state: tuple[int, ...] = ()
        self._result = Reconciliation()

    def compare(self, world: World, block: int) -> Reconciliation:
        """Compare with the registry as it is at `block`.

        Costs a few counts in the database when there is nothing new; else all that is there
        but the leaves, and those of new batches.
        """
        with self._database.read() as tx:
            state = (world.events, *store.count_records(tx, block))
            if state != self._state:
                self._result = self._compare(tx, world, block)
                self._state = state
        return self._result

    def list_final_blocks(self) -> dict[int, Remembered]:
        """Return the newest block that the worker saw final, by chain."""
        with self._database.read() as tx:
            found = store.list_final_blocks(tx)
        return {chain: Remembered(*block, "the database") for chain, block in found.items()}

    def _compare(self, tx: Connection, world: World, block: int) -> Reconciliation:
        result = Reconciliation()
        ours = list_issuers(tx)
        for issuer in ours:
            known = world.issuers.get(issuer.number)
            if known is None or known.did_hash != keccak256(issuer.profile.did.encode()):
                result.findings.append(_other_issuer(issuer.number, known))
            else:
                result.issuers += 1
                _Reconciler(tx, known, block, result, self._sound).run()
        result.findings += _unknown_changes(tx, world, {issuer.number for issuer in ours})
        result.spending = store.sum_spending(tx, block)
        return result


class _Reconciler:
    """The comparison of one issuer."""

    def __init__(
        self,
        tx: Connection,
        issuer: IssuerState,
        block: int,
        result: Reconciliation,
        sound: dict[int, int],
    ) -> None:
        self._tx = tx
        self._issuer = issuer
        self._block = block
        self._result = result
        self._sound = sound
        """How many leaves each batch has that was found to lead to its root."""

    def run(self) -> None:
        """Compare anchors, leaves and status."""
        issuer = self._issuer
        recorded = {batch.root: batch for batch in store.list_batches(self._tx, issuer.number)}
        keys = store.list_senders(self._tx)
        for root, anchor in issuer.anchors.items():
            batch = recorded.get(root)
            if batch is None or not batch.is_known:
                self._find(
                    FindingCode.ANCHOR_UNKNOWN,
                    f"root {root.hex()} was anchored {_by(anchor)}, and nobody in the database "
                    "did it: is the key stolen?",
                    anchor,
                )
            elif not self._compare(batch, anchor, keys):
                self._check_leaves(batch, anchor)
                if batch.stored_at is not None:
                    self._note_times(batch, anchor, batch.stored_at)
        for root, batch in recorded.items():
            included = batch.block_number is not None and batch.block_number <= self._block
            if included and root not in issuer.anchors:
                self._find(
                    FindingCode.ANCHOR_MISSING,
                    f"for the database batch {batch.id} is in block {batch.block_number}, and the "
                    f"chain has no anchor of root {root.hex()}",
                )
        self._check_status({batch.id: batch for batch in recorded.values()})

    def _compare(self, batch: RecordedBatch, anchor: AnchorState, keys: set[Address]) -> bool:
        """Return whether a batch and its anchor differ."""
        if batch.size != anchor.size:
            what = f"batch {batch.id} has {batch.size} leaves, and its anchor {anchor.size}"
        elif anchor.operator not in keys:
            what = f"batch {batch.id} was anchored {_by(anchor)}, which is no key of the database"
        else:
            return False
        self._find(FindingCode.ANCHOR_DIFFERS, what, anchor)
        return True

    def _check_leaves(self, batch: RecordedBatch, anchor: AnchorState) -> None:
        self._result.batches += 1
        if batch.id not in self._sound and self._leads_to_root(batch):
            self._sound[batch.id] = batch.size
        self._result.leaves += self._sound.get(batch.id, 0)
        if batch.id not in self._sound:
            self._find(
                FindingCode.LEAVES_DIFFER,
                f"the credentials of batch {batch.id} in the database do not lead to its root",
                anchor,
            )

    def _leads_to_root(self, batch: RecordedBatch) -> bool:
        read = 0

        def leaves() -> Iterator[Hash32]:
            nonlocal read
            for index, digest in store.read_leaves(self._tx, batch.id):
                if index != read:
                    return  # A gap: what was read so far has another root.
                read += 1
                yield leaf_hash(digest)
            for digest in extra_digests(batch.extra_leaves):
                read += 1
                yield leaf_hash(digest)

        try:
            root = root_of(leaves())
        except MalformedInputError:
            root = None  # No leaf at all.
        return root == batch.root and read == batch.size

    def _note_times(self, batch: RecordedBatch, anchor: AnchorState, stored_at: int) -> None:
        self._result.times.append(
            BatchTimes(
                batch.issuer,
                batch.size,
                batch.sealed_at,
                stored_at,
                anchor.time,
                batch.delivered_at,
                batch.gas_used or 0,
            )
        )

    def _check_status(self, batches: dict[int, RecordedBatch]) -> None:
        """Compare every status bit of the chain with the last change the database signed."""
        expected, unsettled = self._read_status()
        for batch_id, batch in batches.items():
            anchor = self._issuer.anchors.get(batch.root)
            if anchor is None:
                continue
            for what, told in (("revoked", anchor.revoked), ("suspended", anchor.suspended)):
                signed = expected[batch_id, what]
                for word in sorted(told.keys() | signed.keys()):
                    settled = ~unsettled[batch_id].get(word, 0)
                    on_chain, in_database = told.get(word, 0), signed.get(word, 0)
                    self._compare_bits(
                        (on_chain & ~in_database & settled, in_database & ~on_chain & settled),
                        f"{what} in word {word} of batch {batch_id}",
                        anchor,
                    )

    def _read_status(self) -> tuple[Bits, dict[int, dict[int, int]]]:
        """Return the bits the database signed, and those of which the end is open."""
        signed: Bits = defaultdict(dict)
        unsettled: dict[int, dict[int, int]] = defaultdict(dict)
        for change in store.read_changes(self._tx, self._issuer.number):
            if change.outcome not in {None, Outcome.DONE}:
                continue
            word, bit = change.leaf_index // WORD_BITS, 1 << change.leaf_index % WORD_BITS
            self._result.status_changes += 1
            if change.block_number is None or change.block_number > self._block:
                unsettled[change.batch_id][word] = unsettled[change.batch_id].get(word, 0) | bit
                continue
            what = "revoked" if change.action == StatusAction.REVOKE else "suspended"
            bits = signed[change.batch_id, what]
            if change.action == StatusAction.REINSTATE:
                bits[word] = bits.get(word, 0) & ~bit
            else:
                bits[word] = bits.get(word, 0) | bit
        return signed, unsettled

    def _compare_bits(self, odd: tuple[int, int], where: str, anchor: AnchorState) -> None:
        only_on_chain, only_in_database = odd
        if only_on_chain:
            self._find(
                FindingCode.STATUS_UNKNOWN,
                f"{only_on_chain.bit_count()} credentials are {where}, and nobody in the database "
                "did it: is the key stolen?",
                anchor,
            )
        if only_in_database:
            self._find(
                FindingCode.STATUS_MISSING,
                f"{only_in_database.bit_count()} credentials are not {where} on chain, and for the "
                "database they are",
                anchor,
            )

    def _find(self, code: FindingCode, message: str, anchor: AnchorState | None = None) -> None:
        place = Place(self._issuer.number)
        if anchor is not None:
            place = Place(
                self._issuer.number,
                anchor.position,
                anchor.block,
                transaction=anchor.transaction,
            )
        self._result.findings.append(Finding(code, message, place, _ANSWERS))


def _by(anchor: AnchorState) -> str:
    return f"by {format_address(anchor.operator)} at {moment(anchor.time)}"


def _other_issuer(number: int, known: IssuerState | None) -> Finding:
    what = "is not in the registry" if known is None else "has another DID in the registry"
    return Finding(FindingCode.ISSUER_DIFFERS, f"issuer {number} {what}", Place(number), _ANSWERS)


def _unknown_changes(tx: Connection, world: World, ours: set[int]) -> list[Finding]:
    """Name the events of our issuers that no transaction of the database made."""
    changes = [change for change in world.changes if change.issuer in ours]
    signed = store.find_signed(tx, [change.transaction for change in changes])
    return [
        Finding(
            FindingCode.CHANGE_UNKNOWN,
            f"{change.name} ({change.subject}) at {moment(change.time)}, and nobody in the "
            "database did it: is the owner's key stolen?",
            Place(change.issuer, change.position, change.block, transaction=change.transaction),
            _ANSWERS,
        )
        for change in changes
        if change.transaction not in signed
    ]

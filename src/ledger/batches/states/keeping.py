"""Give a credential what proves its state with no chain, and keep it while the chain has it.

Nodes forget: most prove the words of some hundred blocks only. So when a batch is final,
the state of the whole batch at a final block is fetched once and kept: the header, and
every trie node on the way to the anchor, to the operator, to the accreditations, and to
both status words of every 256 leaves. Each node is stored once, under its hash, so what a
thousand leaves share is there once; the proof of one leaf is walked out of them.

What is kept grows old and knows of no later revocation. A proof of the chain's last final
block comes before it wherever the chain answers. What we change ourselves is kept anew when
it is final, and until then nothing that is kept is given out.

Keeping is a step of its own after anchoring: it is tried again until it succeeds, and
nothing waits for it.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final

from ledger.batches.states import store
from ledger.batches.states.store import KeptState
from ledger.batches.store import PAGE_BATCHES, Batch, get_batch, list_untrusted
from ledger.chain.accreditors import list_accreditors
from ledger.chain.proved import ProvedState
from ledger.chain.registry.lookup import LeafSlots
from ledger.chain.registry.slots import WORD_BITS, AnchorRecord, decode_anchor, decode_span
from ledger.chain.rpc import JsonRpc
from ledger.chain.state import Block
from ledger.database import Connection, Database
from ledger.errors import (
    ChainError,
    ConflictError,
    MalformedInputError,
    NotFoundError,
    ProofError,
)
from ledger.primitives import Address
from ledger.proofs.file import StateProof
from ledger.proofs.state import prove_state

MAX_ACCREDITORS: Final = 64
"""Asked about, those of the policy first: anyone may accredit anyone."""


@dataclass(frozen=True, slots=True)
class StateSource:
    """Where states come from, and whose accreditations matter most here."""

    rpc: JsonRpc
    chain: int
    registry: Address
    finality: str
    """The block tag whose state is proved."""
    accreditors_of: Callable[[int], Collection[int]]
    """Gives the accreditors of an issuer that are believed here: they are proved first."""


@dataclass(frozen=True, slots=True)
class FetchedState:
    """What a node has proved of a batch."""

    proved: ProvedState
    anchor: AnchorRecord
    accreditors: list[int]


def keep_states(database: Database, source: StateSource) -> list[int]:
    """Keep the state of every final batch that has none, or another since; return which.

    A chain that does not answer ends it without an error: the next call goes on. A batch that
    the chain's final block does not have is left for the next call too.
    """
    kept: list[int] = []
    for batch in _without_state(database):
        try:
            found = _fetch(source, _status_leaves(batch))
        except ChainError as error:
            if error.code == "not-final-there":
                continue
            break
        state = KeptState(found.proved.block.number, found.proved.header, found.accreditors)
        with database.write() as tx:
            store.put_state(tx, batch.id, state, found.proved.nodes)
        kept.append(batch.id)
    return kept


def _without_state(database: Database) -> Iterator[Batch]:
    """Give the batches whose state is to be kept, oldest first; a page of them is in memory."""
    last = 0
    while True:
        with database.read() as tx:
            ids = store.list_batches_without(tx, after=last, limit=PAGE_BATCHES)
            page = [get_batch(tx, batch_id) for batch_id in ids]
        if not page:
            return
        yield from page
        last = page[-1].id


def prove_leaf(database: Database, source: StateSource, batch: Batch, index: int) -> StateProof:
    """Return a state proof of leaf `index` at the chain's last final block, else the kept one.

    Raises:
        ChainError: the chain does not prove it, and nothing is kept.
        NotFoundError: the chain does not prove it, and what is kept is damaged.
        ConflictError: the chain does not prove it, and we changed what is kept since then, or
            tried to: a proof of what was before would be sound, and no longer true.

    """
    leaf = LeafSlots(batch.issuer, batch.root, index)
    try:
        found = _fetch(source, [leaf])
        _check_not_behind(database, batch, found.proved.block)
    except ChainError:
        with database.read() as tx:
            kept = find_kept_state(tx, source.registry, batch, index)
        if kept is None:
            raise
        return kept
    return prove_state(
        found.proved.header,
        registry=source.registry,
        leaf=leaf,
        accreditors=found.accreditors,
        read_node=found.proved.nodes.get,
    )


def _check_not_behind(database: Database, batch: Batch, block: Block) -> None:
    """Return when `block` is not older than the one whose state is kept."""
    with database.read() as tx:
        kept = store.find_state(tx, batch.id)
    if kept is not None and block.number < kept.block_number:
        raise ChainError(
            "not-final-there",
            f"the node's final block {block.number} is older than block {kept.block_number}, "
            "which was final before: it lags",
        )


def find_kept_state(
    tx: Connection, registry: Address, batch: Batch, index: int
) -> StateProof | None:
    """Return a state proof of leaf `index` out of what is kept of its batch, if anything is.

    Raises:
        NotFoundError: what is kept is damaged.
        ConflictError: we changed what is kept since then, or tried to.

    """
    kept = store.find_state(tx, batch.id)
    if kept is None:
        return None
    is_untrusted = any(one.id == batch.id for one in list_untrusted(tx, batch.issuer))
    if is_untrusted or store.is_outdated(tx, batch.id):
        raise ConflictError(
            "state-outdated",
            f"the state that is kept of batch {batch.id} is older than a change made here since: "
            "try again when that is final, or when the chain answers",
        )
    try:
        return prove_state(
            kept.header,
            registry=registry,
            leaf=LeafSlots(batch.issuer, batch.root, index),
            accreditors=kept.accreditors,
            read_node=lambda name: store.find_node(tx, batch.id, name),
        )
    except ProofError as error:
        raise NotFoundError(
            "bad-kept-state",
            f"the state that is kept of batch {batch.id} is damaged ({error}): restore the "
            "database, or try again when the chain answers",
        ) from None


def _status_leaves(batch: Batch) -> list[LeafSlots]:
    """Return one leaf of every status word."""
    return [LeafSlots(batch.issuer, batch.root, index) for index in range(0, batch.size, WORD_BITS)]


def _fetch(source: StateSource, leaves: list[LeafSlots]) -> FetchedState:
    """Return all that decides over `leaves` of one batch, at the chain's last final block."""
    proved = ProvedState.at(source.rpc, source.chain, source.finality)
    first = leaves[0]
    status = [slot for leaf in leaves for slot in (leaf.revoked, leaf.suspended)]
    stored, *_ = proved.slots(source.registry, [first.anchor, first.did_hash, *status])
    anchor = decode_anchor(stored)
    if anchor is None:
        raise ChainError(
            "not-final-there",
            f"the node has no such anchor in its {source.finality} block: the batch is not final "
            "yet, or the node lags",
        )
    proved.slots(source.registry, [first.operator(anchor.operator)])
    vouching = _fetch_accreditors(source, proved, first, anchor.time)
    return FetchedState(proved, anchor, vouching)


def _fetch_accreditors(
    source: StateSource, proved: ProvedState, leaf: LeafSlots, time: int
) -> list[int]:
    """Return who had accredited the issuer at `time`, with the nodes that prove it fetched."""
    asked = _candidates(source, leaf.issuer, proved.block.number)
    counts = proved.slots(source.registry, [leaf.span_count(number) for number in asked])
    vouching = []
    for number, count in zip(asked, counts, strict=True):
        spans = proved.slots(source.registry, leaf.spans(number, int.from_bytes(count, "big")))
        if any(decode_span(span).holds_at(time) for span in spans):
            vouching.append(number)
    return vouching


def _candidates(source: StateSource, issuer: int, until: int) -> list[int]:
    try:
        others = list_accreditors(source.rpc, source.registry, issuer, until=until)
    except (ChainError, MalformedInputError):
        # Many nodes search a few thousand blocks only. Those of the policy remain.
        others = []
    return list(dict.fromkeys([*source.accreditors_of(issuer), *others]))[:MAX_ACCREDITORS]

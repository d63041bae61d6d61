"""What the registry says of one anchor, read at two blocks in three round trips.

    1  the blocks: the policy's finality, and the newest
    2  at both: the code, the anchor, its status words, the DID hash, how many accreditations
    3  the operator at both, and the accreditations

All facts are of one block: the final one, or the newest when the anchor is not final yet.
Bad news (revoked, suspended, compromised) counts at either.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.chain.registry.lookup import LeafSlots
from ledger.chain.registry.slots import (
    AnchorRecord,
    Span,
    decode_anchor,
    decode_operator,
    decode_span,
    has_bit,
)
from ledger.chain.state import NO_CODE, Block, ChainReader, CodeHash, Question, Slot
from ledger.errors import ChainError
from ledger.primitives import Hash32, Home, format_address, format_chain
from ledger.proofs.file import ProofFile
from ledger.proofs.state import leaf_slots
from ledger.verification.policy import TrustedRegistry, TrustPolicy
from ledger.verification.reasons import Finding, Reason

Words = Mapping[Question, Hash32]


@dataclass(frozen=True, slots=True)
class Accreditation:
    """The times for which one believed accreditor vouched for the issuer."""

    accreditor: Home
    count: int
    """How many spans there are."""
    spans: tuple[Span, ...]
    """The last ones, `MAX_SPANS` at most."""

    def holds_at(self, time: int) -> bool:
        """Return whether a span that was read covers `time`."""
        return any(span.holds_at(time) for span in self.spans)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the registry says of the anchor that a proof names."""

    proof: ProofFile
    as_of: Block
    """The block that everything but bad news is of."""
    is_final: bool
    """Whether `as_of` is at the policy's finality."""
    newest: Block
    anchor: AnchorRecord | None
    did_hash: Hash32
    compromised_since: int | None
    """Unix seconds; None when the anchor's operator is trusted."""
    is_batch_revoked: bool
    is_revoked: bool
    is_suspended: bool
    accreditations: tuple[Accreditation, ...]


def read_facts(
    reader: ChainReader, registry: TrustedRegistry, proof: ProofFile, policy: TrustPolicy
) -> Facts | Finding:
    """Return what the registry says of the anchor that `proof` names, or why it is not believed.

    Raises:
        ChainError: the chain could not be asked.

    """
    # One tag twice would be asked twice, and could be two blocks.
    tags = list(dict.fromkeys([policy.finality, "latest"]))
    blocks = reader.blocks(tags)
    return _Reading(reader, registry, proof, leaf_slots(proof), blocks[0], blocks[-1]).facts(policy)


@dataclass(frozen=True, slots=True)
class _Reading:
    """One anchor's questions at the two blocks."""

    reader: ChainReader
    registry: TrustedRegistry
    proof: ProofFile
    leaf: LeafSlots
    final: Block
    newest: Block

    def facts(self, policy: TrustPolicy) -> Facts | Finding:
        accreditors = policy.accreditors_of(self._home)
        words = self.reader.read(self._first_questions(accreditors))
        anchor = decode_anchor(words[self._slot(self.final, self.leaf.anchor)])
        as_of = self.final if anchor else self.newest
        anchor = anchor or decode_anchor(words[self._slot(self.newest, self.leaf.anchor)])
        if untrusted := self._code_finding(words[CodeHash(as_of, self._home.registry)]):
            return untrusted
        counts = {
            accreditor: int.from_bytes(
                words[self._slot(as_of, self.leaf.span_count(accreditor.issuer))]
            )
            for accreditor in accreditors
        }
        if anchor is not None:
            self._check_time(anchor)
            questions = self._second_questions(anchor, as_of, counts)
            words = {**words, **self.reader.read(questions)}
        return self._collect(words, as_of, anchor, counts)

    @property
    def _home(self) -> Home:
        return self.proof.anchor.home

    def _slot(self, block: Block, key: Hash32) -> Slot:
        return Slot(block, self._home.registry, key)

    def _first_questions(self, accreditors: tuple[Home, ...]) -> list[Question]:
        keys = (
            *self.leaf.known(),
            *(self.leaf.span_count(accreditor.issuer) for accreditor in accreditors),
        )
        questions: list[Question] = []
        for block in (self.final, self.newest):
            questions.append(CodeHash(block, self._home.registry))
            questions += [self._slot(block, key) for key in keys]
        return questions

    def _code_finding(self, found: Hash32) -> Finding | None:
        """Return why the contract is not the trusted one, if it is not."""
        where = {
            "registry": format_address(self._home.registry),
            "chain": format_chain(self._home.chain),
        }
        if found == self.registry.code_hash:
            return None
        if found == NO_CODE:
            return Finding.of(Reason.NO_REGISTRY, **where)
        expected = self.registry.code_hash.hex()
        return Finding.of(Reason.OTHER_CODE, **where, found=found.hex(), expected=expected)

    def _check_time(self, anchor: AnchorRecord) -> None:
        """Return when the anchor is not of the future, which the registry cannot record."""
        if anchor.time > self.newest.time:
            raise ChainError("rpc-malformed", "the node gave an anchor later than its newest block")

    def _second_questions(
        self, anchor: AnchorRecord, as_of: Block, counts: Mapping[Home, int]
    ) -> list[Question]:
        operator = self.leaf.operator(anchor.operator)
        spans = [
            key for home, count in counts.items() for key in self.leaf.spans(home.issuer, count)
        ]
        return [
            *(self._slot(block, operator) for block in (as_of, self.newest)),
            *(self._slot(as_of, key) for key in spans),
        ]

    def _collect(
        self, words: Words, as_of: Block, anchor: AnchorRecord | None, counts: Mapping[Home, int]
    ) -> Facts:
        index = self.proof.inclusion.index
        return Facts(
            proof=self.proof,
            as_of=as_of,
            is_final=as_of == self.final,
            newest=self.newest,
            anchor=anchor,
            did_hash=words[self._slot(as_of, self.leaf.did_hash)],
            compromised_since=self._compromised_since(words, as_of, anchor),
            is_batch_revoked=any(
                record.batch_revoked
                for record in map(decode_anchor, self._both(words, as_of, self.leaf.anchor))
                if record is not None
            ),
            is_revoked=any(
                has_bit(word, index) for word in self._both(words, as_of, self.leaf.revoked)
            ),
            is_suspended=any(
                has_bit(word, index) for word in self._both(words, as_of, self.leaf.suspended)
            ),
            accreditations=tuple(
                Accreditation(
                    home,
                    count,
                    tuple(
                        decode_span(words[self._slot(as_of, key)])
                        for key in self.leaf.spans(home.issuer, count)
                    ),
                )
                for home, count in counts.items()
                if anchor is not None
            ),
        )

    def _both(self, words: Words, as_of: Block, key: Hash32) -> list[Hash32]:
        """Return the word as it was, and as it is now: bad news is believed at either."""
        return [words[self._slot(block, key)] for block in (as_of, self.newest)]

    def _compromised_since(
        self, words: Words, as_of: Block, anchor: AnchorRecord | None
    ) -> int | None:
        if anchor is None:
            return None
        key = self.leaf.operator(anchor.operator)
        operators = map(decode_operator, self._both(words, as_of, key))
        return next(
            (o.compromised_since for o in operators if not o.is_trusted_at(anchor.time)), None
        )

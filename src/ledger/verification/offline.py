"""Read the registry with no node at all: from a state proof, at a block trusted by its hash.

Whoever verifies names the blocks, by `--trust eip155:1=0x<hash>`; a state proof does not
say which chain it is of, so the hash is also what ties it to one. The one block serves as
the final and as the newest one: what happened after it is not known, which is why
`max_state_age` counts from it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from ledger.chain.registry.lookup import LeafSlots
from ledger.chain.state import NO_CODE, Block, CodeHash, Question
from ledger.errors import MalformedInputError, ProofError
from ledger.primitives import Hash32, format_chain, parse_chain, prefixed_hash32
from ledger.proofs.file import ProofFile
from ledger.proofs.state import RegistryState, leaf_slots, verify_state
from ledger.verification.facts import Facts, read_facts
from ledger.verification.policy import TrustedRegistry, TrustPolicy
from ledger.verification.reasons import Finding, Reason


@dataclass(frozen=True, slots=True)
class TrustedBlock:
    """A block that whoever verifies knows to be of this chain."""

    chain: int
    hash: Hash32


def parse_trusted_block(text: str) -> TrustedBlock:
    """Return the block of `eip155:<chain id>=0x<64 lower-case hex digits>`.

    Raises:
        MalformedInputError: `text` is spelled otherwise.

    """
    chain, equals, block = text.partition("=")
    try:
        if equals:
            return TrustedBlock(parse_chain(chain), prefixed_hash32(block))
    except MalformedInputError:
        pass
    raise MalformedInputError(
        "bad-trust", f"a block is trusted as eip155:1=0x<64 lower-case hex digits>: {text[:120]!r}"
    )


def read_offline(
    proof: ProofFile,
    registry: TrustedRegistry,
    policy: TrustPolicy,
    trusted: Collection[TrustedBlock],
) -> Facts | Finding:
    """Return what the registry said of the anchor at a trusted block, or why it is not known.

    Believed accreditors that the state proof says nothing of are not asked.
    """
    home = proof.anchor.home
    chain = format_chain(home.chain)
    if proof.state is None:
        return Finding.of(Reason.NO_STATE_PROOF)
    hashes = {block.hash for block in trusted if block.chain == home.chain}
    if not hashes:
        return Finding.of(Reason.NO_TRUSTED_BLOCK, chain=chain)
    leaf = leaf_slots(proof)
    try:
        believed = policy.accreditors_of(home)
        header, shown = verify_state(
            proof.state,
            trusted=hashes,
            registry=home.registry,
            leaf=leaf,
            accreditors=[accreditor.issuer for accreditor in believed],
        )
        block = Block(header.number, header.hash, header.time)
        proved = tuple(a for a in believed if _is_proved(shown, leaf, a.issuer))
        reader = ProvedReader(home.chain, block, shown)
        return read_facts(reader, registry, proof, replace(policy, accreditors=proved))
    except ProofError as error:
        untrusted = error.code == Reason.UNTRUSTED_BLOCK
        reason = Reason.UNTRUSTED_BLOCK if untrusted else Reason.BAD_STATE_PROOF
        return Finding.of(reason, said=error.message, chain=chain)


class ProvedReader:
    """A chain that answers at one block, for one registry, as far as a state proof goes."""

    def __init__(self, chain: int, block: Block, shown: RegistryState) -> None:
        self.chain = chain
        self._block = block
        self._shown = shown

    def blocks(self, tags: Sequence[str]) -> list[Block]:
        """Return the one block, whatever it is called."""
        return [self._block for _ in tags]

    def read(self, questions: Iterable[Question]) -> dict[Question, Hash32]:
        """Return the 32 bytes that answer each question about the registry at the block.

        Raises:
            ProofError: the state proof does not show one of them.

        """
        return {question: self._answer(question) for question in questions}

    def _answer(self, question: Question) -> Hash32:
        if not isinstance(question, CodeHash):
            return self._shown.word(question.key)
        account = self._shown.account
        return account.code_hash if account else NO_CODE


def _is_proved(shown: RegistryState, leaf: LeafSlots, accreditor: int) -> bool:
    try:
        shown.spans_of(leaf, accreditor)
    except ProofError:
        return False
    return True

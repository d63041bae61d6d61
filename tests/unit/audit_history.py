"""A registry that has no rules: it emits whatever it is told to, folded as the contract folds."""

from typing import Any

from ledger.audit.replay import Heads, Replay
from ledger.chain.registry.events import EVENT_TYPES, TOPIC, Log, first_head, fold
from ledger.chain.registry.slots import address_word, word
from ledger.primitives import Address, Hash32, keccak256, sha256

CHAIN = 31337
REGISTRY = Address(b"\x0e" * 20)
OWNER, HEIR, KEY, STOLEN = (Address(bytes([n]) * 20) for n in range(1, 5))
ROOT, BARE, AGAIN = sha256(b"root"), sha256(b"bare"), sha256(b"again")

_KINDS = {kind.name: kind for kind in EVENT_TYPES}


class Emitter:
    """Emits events, one a block."""

    def __init__(self) -> None:
        self.logs: list[Log] = []
        self.heads: list[Hash32] = []
        self.time = 1_700_000_000

    def register(self, did: str, owner: Address = OWNER) -> int:
        number = len(self.heads) + 1
        did_hash = keccak256(did.encode())
        head = first_head(
            chain=CHAIN,
            registry=REGISTRY,
            issuer=number,
            owner=owner,
            did_hash=did_hash,
            time=self.time,
        )
        self.heads.append(head)
        data = did_hash + word(self.time) + head
        self._log([TOPIC["IssuerRegistered"], word(number), address_word(owner)], data)
        text = did.encode()
        padded = word(32) + word(len(text)) + text + bytes(-len(text) % 32)
        self._log([TOPIC["IssuerDid"], word(number)], padded, same_block=True)
        return number

    def emit(self, name: str, issuer: int, *members: int | bytes) -> Log:
        """Emit a folded event: its members but issuer, time and head."""
        self.time += 12
        kind = _KINDS[name]
        words = [m.rjust(32, b"\0") if isinstance(m, bytes) else word(m) for m in members]
        indexed = len(kind.indexed) - 1
        topics = [TOPIC[name], word(issuer), *words[:indexed]]
        body = b"".join(words[indexed:]) + word(self.time)
        head = fold(self.heads[issuer - 1], topics, body + bytes(32))
        self.heads[issuer - 1] = head
        return self._log(topics, body + head)

    def _log(self, topics: list[Any], data: bytes, *, same_block: bool = False) -> Log:
        block = (self.logs[-1].block_number if self.logs else 0) + (not same_block)
        log = Log(
            REGISTRY,
            tuple(topics),
            data,
            block,
            sha256(b"block %d" % block),
            sha256(b"transaction %d" % block),
            int(same_block),
        )
        self.logs.append(log)
        return log


def whole_history() -> Emitter:
    """Return two issuers with every event there is."""
    e = Emitter()
    accreditor, issuer = e.register("did:example:accreditor"), e.register("did:example:é")
    e.emit("OwnershipTransferStarted", issuer, HEIR)
    e.emit("OwnershipTransferred", issuer, HEIR)
    e.emit("OperatorSet", issuer, KEY, 3)
    e.emit("OperatorSet", issuer, STOLEN, 1)
    e.emit("BareIssuerNamed", issuer, KEY)
    e.emit("Anchored", issuer, ROOT, KEY, 1000)
    e.emit("Anchored", issuer, BARE, KEY, 0)
    e.emit("Anchored", issuer, AGAIN, STOLEN, 7)
    e.emit("Revoked", issuer, ROOT, 3, KEY, 1 << 231, 4)
    e.emit("Revoked", issuer, ROOT, 0, KEY, 5, 1)
    e.emit("Suspended", issuer, ROOT, 2, KEY, 3, 6)
    e.emit("Reinstated", issuer, ROOT, 2, KEY, 1, 0)
    e.emit("BatchRevoked", issuer, BARE, KEY, 5)
    e.emit("Accredited", accreditor, issuer, 0, 0)
    e.emit("AccreditationWithdrawn", accreditor, issuer, 0)
    e.emit("Accredited", accreditor, issuer, 1, e.time + 1_000)
    e.emit("OperatorCompromised", issuer, STOLEN, 1)
    e.emit("Anchored", issuer, AGAIN, KEY, 7)
    return e


def replayed(logs: list[Log], heads: list[Hash32]) -> Replay:
    """Return the closed replay of `logs` against the contract's heads."""
    replay = Replay(CHAIN, REGISTRY, "the logs of A")
    for log in logs:
        replay.apply(log)
    replay.close(Heads("B", 100, heads))
    return replay


def flipped(log: Log, bit: int) -> Log:
    """Return `log` with one bit of its topics and data flipped."""
    joined = bytearray(b"".join(log.topics) + log.data)
    joined[bit // 8] ^= 1 << bit % 8
    size = 32 * len(log.topics)
    topics = tuple(bytes(joined[at : at + 32]) for at in range(0, size, 32))
    return log._replace(topics=topics, data=bytes(joined[size:]))

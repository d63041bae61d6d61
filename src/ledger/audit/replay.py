"""Rebuild the registry from its logs alone, and prove that none is missing.

The logs may come from anywhere. Each is decoded, folded into its issuer's head, checked
against the head it carries, and checked to be one the contract could have emitted in that
state. `close` then compares with what the contract stores: its count of issuers and the
head of each. When all are equal the replay is complete: no event was left out, added, moved
or changed, in any bit of its topics and data.

The first event of an issuer that does not follow ends the replay of that issuer: what comes
after cannot be believed. It is kept, with some events after it, to name what is wrong.

Block numbers, positions of logs and transaction hashes are covered by no head; they are
the word of the source.
"""

from dataclasses import dataclass
from typing import Any, Final

from ledger.audit.breaks import name_break
from ledger.audit.findings import Finding, FindingCode, Place
from ledger.audit.rules import RULES
from ledger.audit.world import Change, IssuerState, World
from ledger.chain.registry.events import Log, decode_members, first_head, fold
from ledger.errors import MalformedInputError
from ledger.primitives import Address, Hash32, format_address, format_chain, keccak256

SUSPECTS: Final = 256
"""Events of an issuer that are kept from the first that does not follow."""

MAX_FINDINGS: Final = 1_000
"""Ours: who forges a million events shall not fill the memory."""


@dataclass(frozen=True, slots=True)
class Heads:
    """What the contract stores at one block, as somebody says."""

    teller: str
    block: int
    heads: list[Hash32]
    """Of issuers 1, 2, ..."""

    def of(self, number: int) -> str:
        """Name this answer about one issuer."""
        return f"the head of issuer {number} at block {self.block}, by {self.teller}"

    def count(self) -> str:
        """Name this answer about how many issuers there are."""
        return f"the number of issuers at block {self.block}, by {self.teller}"


class Replay:
    """The registry as `source` tells it, log by log."""

    def __init__(self, chain: int, registry: Address, source: str) -> None:
        self.world = World(chain, registry)
        self.source = source
        """Who gave the logs, in words."""
        self.findings: list[Finding] = []
        self._suspects: dict[int, list[Log]] = {}
        self._unregistered: dict[int, Log] = {}
        self._numbered = 0
        self._last = (-1, -1)

    def apply(self, log: Log) -> None:
        """Take the next log of the registry; what is wrong with it becomes a finding."""
        self.world.events += 1
        if log.address != self.world.registry:
            self._find(FindingCode.EVENT_EXTRA, "another contract's log", Place.of(log))
            return
        try:
            kind, members = decode_members(log)
        except MalformedInputError as error:
            self._find(FindingCode.EVENT_MALFORMED, error.message, Place.of(log))
            return
        number = members[0]
        assert isinstance(number, int)  # noqa: S101 - the first member of every event
        if kind.name == "IssuerRegistered":
            self._register(log, number, members)
        elif kind.name == "IssuerDid":
            self._take_did(log, number, members[1])
        else:
            self._follow(log, number, kind.name, members)

    def close(self, heads: Heads) -> None:
        """Compare with the heads that the contract stores."""
        for number, head in enumerate(heads.heads, start=1):
            self._close_issuer(number, head, (self.source, heads.of(number)))
        for number in self.world.issuers:
            if number > len(heads.heads):
                self._find(
                    FindingCode.EVENT_EXTRA,
                    f"issuer {number} is registered here and not in the contract",
                    Place(number, 0),
                    (self.source, heads.count()),
                )

    def _register(self, log: Log, number: int, members: list[Any]) -> None:
        _, owner, did_hash, time, stated = members
        world = self.world
        if number in world.issuers or number in self._suspects:
            self._find(
                FindingCode.EVENT_EXTRA,
                f"issuer {number} is registered twice",
                Place.of(log, number, 0),
            )
            return
        if number > self._numbered + 1:
            self._miss_registration(self._numbered + 1, log)
        self._numbered = max(self._numbered, number)
        head = first_head(
            chain=world.chain,
            registry=world.registry,
            issuer=number,
            owner=owner,
            did_hash=did_hash,
            time=time,
        )
        if head != stated:
            self._find(
                FindingCode.EVENT_ALTERED,
                f"the registration does not lead to the head it carries: it was altered, or is of "
                f"another registry or chain than {format_address(world.registry)} on "
                f"{format_chain(world.chain)}",
                Place.of(log, number, 0),
            )
            self._suspects[number] = [log]
            return
        self._check_place(log, number, 0, time)
        issuer = IssuerState(number, owner, did_hash, time, head, heads=bytearray(head))
        world.issuers[number] = issuer
        world.changes.append(
            Change(
                "IssuerRegistered",
                number,
                0,
                time,
                log.block_number,
                log.transaction,
                f"owner {format_address(owner)}",
            )
        )

    def _take_did(self, log: Log, number: int, did: Any) -> None:  # noqa: ANN401 - a member
        issuer = self.world.issuers.get(number)
        place = Place.of(log, number, 0)
        if issuer is None or issuer.did is not None or issuer.position:
            if number not in self._suspects:
                self._find(
                    FindingCode.EVENT_EXTRA, "a DID that does not follow a registration", place
                )
        elif keccak256(did.encode()) != issuer.did_hash:
            self._find(
                FindingCode.DID_MISMATCH, "the DID is not the one that was registered", place
            )
        else:
            issuer.did = did

    def _follow(self, log: Log, number: int, name: str, members: list[Any]) -> None:
        issuer = self.world.issuers.get(number)
        suspects = self._suspects.get(number)
        if suspects is not None:
            if len(suspects) < SUSPECTS:
                suspects.append(log)
            return
        if issuer is None:
            if len(self._unregistered) < SUSPECTS:
                self._unregistered.setdefault(number, log)
            return
        head = fold(issuer.head, log.topics, log.data)
        if head != members[-1]:
            self._suspects[number] = [log]
            return
        if issuer.did is None and issuer.position == 0:
            self._miss_did(issuer)
        position = issuer.position + 1
        self._check_place(log, number, position, members[-2])
        why = RULES[name](self.world, issuer, log, members[1:-1])
        if why is not None:
            self._find(
                FindingCode.EVENT_IMPOSSIBLE,
                f"the contract emits no such {name}: {why}",
                Place.of(log, number, position),
                (self.source, "the rules of the contract"),
            )
            self._suspects[number] = []
            return
        issuer.head = head
        issuer.position = position
        issuer.heads += head

    def _check_place(self, log: Log, number: int, position: int, time: int) -> None:
        place = (log.block_number, log.log_index)
        if place <= self._last or time < self.world.time:
            self._find(
                FindingCode.PLACE_ALTERED,
                "an event is said to stand before one that it follows",
                Place.of(log, number, position),
                (self.source, "the heads in it"),
            )
        self._last = place
        self.world.time = time

    def _close_issuer(self, number: int, head: Hash32, answers: tuple[str, str]) -> None:
        issuer = self.world.issuers.get(number)
        if issuer is None:
            if number not in self._suspects:
                self._miss_registration(number, self._unregistered.get(number), answers)
            return
        if issuer.did is None and not issuer.position:
            self._miss_did(issuer)
        suspects = self._suspects.get(number)
        if suspects:
            self._add(name_break(issuer, suspects, head, answers))
        elif suspects is None and issuer.head != head:
            self._add(name_end(issuer, head, answers))

    def _miss_registration(
        self, number: int, log: Log | None, answers: tuple[str, ...] = ()
    ) -> None:
        place = Place.of(log, number, 0) if log else Place(number, 0)
        message = f"the registration of issuer {number} is missing"
        if not any(finding.message == message for finding in self.findings):
            self._find(FindingCode.EVENT_MISSING, message, place, answers)

    def _miss_did(self, issuer: IssuerState) -> None:
        self._find(
            FindingCode.EVENT_MISSING,
            f"the DID of issuer {issuer.number} is not told after its registration",
            Place(issuer.number, 0),
        )
        issuer.did = ""

    def _find(
        self, code: FindingCode, message: str, place: Place, answers: tuple[str, ...] = ()
    ) -> None:
        self._add(Finding(code, message, place, answers or (self.source,)))

    def _add(self, finding: Finding) -> None:
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(finding)


def name_end(issuer: IssuerState, head: Hash32, answers: tuple[str, ...]) -> Finding:
    """Name what is wrong with a sound history that does not end at the contract's `head`."""
    position = issuer.position_of(head)
    if position is not None:
        return Finding(
            FindingCode.EVENT_EXTRA,
            f"the contract's head is that after event {position}, and {issuer.position - position} "
            "more follow here: they are forged, or the head is an old one",
            Place(issuer.number, position + 1),
            answers,
        )
    return Finding(
        FindingCode.EVENT_MISSING,
        f"the contract went on after event {issuer.position}, the last one here",
        Place(issuer.number, issuer.position + 1),
        answers,
    )

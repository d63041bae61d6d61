"""What the contract could have emitted in a given state, and what it changes.

One rule an event. A rule returns None and has changed the world, or says in words why
the contract would have reverted, and has changed nothing. Each is the twin of a function
of `CredentialRegistry.sol` without what only a call knows (who sent it, a signature).

Logs that lead to the contract's head were all emitted by it, so no rule speaks then;
a rule names the forged event when they do not.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from ledger.audit.world import (
    NO_ADDRESS,
    AnchorState,
    Change,
    IssuerState,
    StatusCount,
    World,
    in_words,
)
from ledger.chain.registry.events import Log
from ledger.chain.registry.slots import WORD_BITS, OperatorRecord, Role, Span
from ledger.primitives import Address, Hash32, format_address

Members = Sequence[Any]
"""The event's members in the contract's order, without the issuer and the head."""

Rule = Callable[[World, IssuerState, Log, Members], str | None]

ALL_ROLES: Final = int(Role.ANCHOR | Role.STATUS)

_STRANGER: Final = OperatorRecord(Role(0), 0)


def _transfer_started(world: World, issuer: IssuerState, log: Log, members: Members) -> str | None:
    pending, time = members
    if pending == issuer.pending_owner:
        return "it was offered to that address already"
    issuer.pending_owner = pending
    _note(world, issuer, log, "OwnershipTransferStarted", time, format_address(pending))
    return None


def _transferred(world: World, issuer: IssuerState, log: Log, members: Members) -> str | None:
    owner, time = members
    if owner != issuer.pending_owner or owner == NO_ADDRESS:
        return f"it was never offered to {format_address(owner)}"
    issuer.owner, issuer.pending_owner = owner, NO_ADDRESS
    _note(world, issuer, log, "OwnershipTransferred", time, format_address(owner))
    return None


def _operator_set(world: World, issuer: IssuerState, log: Log, members: Members) -> str | None:
    operator, roles, time = members
    known = issuer.operators.get(operator, _STRANGER)
    if operator == NO_ADDRESS or roles > ALL_ROLES:
        return "there is no such operator or role"
    if known.compromised_since:
        return f"{format_address(operator)} was reported and can have no role again"
    if known.roles == roles:
        return f"{format_address(operator)} had these roles already"
    issuer.operators[operator] = OperatorRecord(Role(roles), 0)
    _note(world, issuer, log, "OperatorSet", time, f"{format_address(operator)}: {in_words(roles)}")
    return None


def _compromised(world: World, issuer: IssuerState, log: Log, members: Members) -> str | None:
    operator, since, time = members
    known = issuer.operators.get(operator, _STRANGER)
    latest = known.compromised_since - 1 if known.compromised_since else time
    if operator == NO_ADDRESS or not 0 < since <= latest:
        return f"a report of second {since} is refused, only one up to {latest} is not"
    issuer.operators[operator] = OperatorRecord(Role(0), since)
    subject = f"{format_address(operator)} since {since}"
    _note(world, issuer, log, "OperatorCompromised", time, subject)
    return None


def _bare_issuer_named(world: World, issuer: IssuerState, log: Log, members: Members) -> str | None:
    operator, time = members
    if not issuer.has_role(operator, Role.ANCHOR):
        return f"{format_address(operator)} may not anchor"
    if world.bare_issuers.get(operator) == issuer.number:
        return f"{format_address(operator)} had named this issuer already"
    world.bare_issuers[operator] = issuer.number
    _note(world, issuer, log, "BareIssuerNamed", time, format_address(operator))
    return None


def _anchored(world: World, issuer: IssuerState, log: Log, members: Members) -> str | None:
    root, operator, size, time = members
    if why := _check_may_anchor(world, issuer, root, operator, size):
        return why
    known = issuer.anchors.get(root)
    if known is None:
        issuer.anchors[root] = AnchorState(
            operator, time, size, issuer.position + 1, log.block_number, log.transaction
        )
        return None
    if issuer.is_trusted(known):
        return f"root {root.hex()} has a trusted anchor already"
    if size != known.size:
        return f"root {root.hex()} was anchored with another size"
    known.operator, known.time, known.position = operator, time, issuer.position + 1
    known.block, known.transaction = log.block_number, log.transaction
    known.times_anchored += 1
    return None


def _revoked(world: World, issuer: IssuerState, _log: Log, members: Members) -> str | None:
    changed = _change_bits(issuer, members, lambda anchor: anchor.revoked, sets=True)
    if isinstance(changed, str):
        return changed
    _count(world, members).revoked += changed
    return None


def _suspended(world: World, issuer: IssuerState, _log: Log, members: Members) -> str | None:
    changed = _change_bits(issuer, members, lambda anchor: anchor.suspended, sets=True)
    if isinstance(changed, str):
        return changed
    _count(world, members).suspended += changed
    return None


def _reinstated(world: World, issuer: IssuerState, _log: Log, members: Members) -> str | None:
    changed = _change_bits(issuer, members, lambda anchor: anchor.suspended, sets=False)
    if isinstance(changed, str):
        return changed
    _count(world, members).reinstated += changed
    return None


def _batch_revoked(world: World, issuer: IssuerState, log: Log, members: Members) -> str | None:
    root, operator, _reason, time = members
    anchor = _open_status(issuer, root, operator)
    if isinstance(anchor, str):
        return anchor
    if anchor.batch_revoked:
        return f"batch {root.hex()} was revoked already"
    anchor.batch_revoked = True
    _count(world, members).batches += 1
    _note(world, issuer, log, "BatchRevoked", time, f"root {root.hex()}")
    return None


def _accredited(world: World, issuer: IssuerState, log: Log, members: Members) -> str | None:
    holder, n, until, time = members
    spans = issuer.spans.get(holder, [])
    if holder not in world.issuers:
        return f"there is no issuer {holder}"
    if n != len(spans):
        return f"span {n} of issuer {holder} is out of order, {len(spans)} is next"
    if spans and spans[-1].holds_at(time):
        return f"span {n - 1} of issuer {holder} still runs"
    if until and until <= time:
        return f"span {n} of issuer {holder} ends before it begins"
    issuer.spans[holder] = [*spans, Span(time, until)]
    _note(world, issuer, log, "Accredited", time, f"issuer {holder}, span {n}")
    return None


def _withdrawn(world: World, issuer: IssuerState, log: Log, members: Members) -> str | None:
    holder, n, time = members
    spans = issuer.spans.get(holder, [])
    if not spans or n != len(spans) - 1 or not spans[n].holds_at(time):
        return f"span {n} of issuer {holder} does not run"
    spans[n] = Span(spans[n].start, time)
    _note(world, issuer, log, "AccreditationWithdrawn", time, f"issuer {holder}, span {n}")
    return None


RULES: Final[dict[str, Rule]] = {
    "OwnershipTransferStarted": _transfer_started,
    "OwnershipTransferred": _transferred,
    "OperatorSet": _operator_set,
    "OperatorCompromised": _compromised,
    "BareIssuerNamed": _bare_issuer_named,
    "Anchored": _anchored,
    "Revoked": _revoked,
    "Suspended": _suspended,
    "Reinstated": _reinstated,
    "BatchRevoked": _batch_revoked,
    "Accredited": _accredited,
    "AccreditationWithdrawn": _withdrawn,
}
"""By the event's name; registrations are `ledger.audit.replay`'s."""


def _check_may_anchor(
    world: World, issuer: IssuerState, root: Hash32, operator: Address, size: int
) -> str | None:
    if not any(root):
        return "a root is not zero"
    if not issuer.has_role(operator, Role.ANCHOR):
        return f"{format_address(operator)} may not anchor"
    if size == 0 and world.bare_issuers.get(operator) != issuer.number:
        return f"{format_address(operator)} has not named this issuer for bare roots"
    return None


def _open_status(issuer: IssuerState, root: Hash32, operator: Address) -> AnchorState | str:
    """Return the anchor whose status `operator` changed, or why that could not be."""
    if not issuer.has_role(operator, Role.STATUS):
        return f"{format_address(operator)} may not set status"
    return issuer.anchors.get(root) or f"root {root.hex()} is not anchored"


def _change_bits(
    issuer: IssuerState,
    members: Members,
    words_of: Callable[[AnchorState], dict[int, int]],
    *,
    sets: bool,
) -> int | str:
    """Set or clear bits of one word, and return how many, or why that could not be."""
    root, word, operator, mask, _reason, _time = members
    anchor = _open_status(issuer, root, operator)
    if isinstance(anchor, str):
        return anchor
    words = words_of(anchor)
    bits = words.get(word, 0)
    if why := _check_bits(anchor, word, mask, open_bits=~bits if sets else bits):
        return why
    # All of them stood the other way.
    words[word] = bits ^ mask
    changed: int = mask.bit_count()
    return changed


def _check_bits(anchor: AnchorState, word: int, mask: int, *, open_bits: int) -> str | None:
    """Say why `mask` cannot be what changed in `word`, of which `open_bits` could change."""
    border = anchor.size // WORD_BITS
    if word > border or (word == border and mask >> anchor.size % WORD_BITS):
        return f"bits of word {word} are at or above the size {anchor.size}"
    if mask == 0 or mask & ~open_bits:
        return f"bits of word {word} stood so already"
    return None


def _count(world: World, members: Members) -> StatusCount:
    """Return where changes of status of the event's time, its last member, are counted."""
    return world.status_counts.setdefault(members[-1], StatusCount())


def _note(world: World, issuer: IssuerState, log: Log, name: str, time: int, subject: str) -> None:
    position = issuer.position + 1
    world.changes.append(
        Change(name, issuer.number, position, time, log.block_number, log.transaction, subject)
    )

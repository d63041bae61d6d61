"""Register an issuer, give keys their roles, and vouch for others.

The number of an issuer stands in what its badges are signed with, so it is believed
only when the block that gave it is final.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ledger.chain.logs import read_events
from ledger.chain.outbox import Outbox
from ledger.chain.registry import calls
from ledger.chain.registry.calls import Revert
from ledger.chain.registry.slots import Role
from ledger.chain.store import Purpose, TransactionState, get_transaction
from ledger.chain.transaction import Call, WouldRevertError
from ledger.errors import ChainError, ConflictError
from ledger.issuers import store
from ledger.issuers.store import Issuer, Profile, Registration
from ledger.primitives import Address

if TYPE_CHECKING:
    from ledger.chain.sender import Sender

FINAL_SECONDS: Final = 1800
"""How long to wait for finality: Ethereum takes about thirteen minutes."""

_DONE: Final = frozenset({"NothingChanges"})
"""What the registry answers when there is nothing to do."""


def register(outbox: Outbox, owner: "Sender", registry: Address, profile: Profile) -> Issuer:
    """Register an issuer and wait until its number is final.

    A registration that an earlier run began is finished instead, when it is of the same DID.

    Raises:
        ConflictError: another registration is unfinished, or the chain reverted this one.
        ChainError: the node did not answer; run again, nothing is done twice.

    """
    with outbox.database.read() as tx:
        pending = store.find_registration(tx)
    if pending is None:
        outbox.submit(
            owner,
            Call(registry, calls.register_issuer(profile.did)),
            Purpose.REGISTER,
            on_stored=lambda tx, row: store.add_registration(tx, profile, transaction_id=row),
        )
        return register(outbox, owner, registry, profile)
    if pending.profile.did != profile.did:
        raise ConflictError(
            "registration-unfinished",
            f"the registration of {pending.profile.did} is unfinished: finish it first",
        )
    return _finish(outbox, registry, pending)


def _finish(outbox: Outbox, registry: Address, pending: Registration) -> Issuer:
    try:
        outbox.wait(
            [pending.transaction_id], state=TransactionState.FINAL, timeout_seconds=FINAL_SECONDS
        )
    except ConflictError as error:
        if error.code in {"reverted", "nonce-lost"}:
            with outbox.database.write() as tx:
                store.drop_registration(tx, pending)
        raise
    with outbox.database.read() as tx:
        transaction = get_transaction(tx, pending.transaction_id)
    events = read_events(outbox.rpc, registry, transaction.hash)
    number = next((e.issuer for e in events if e.name == "IssuerRegistered"), None)
    if number is None:
        raise ChainError("no-event", "the registration's receipt has no IssuerRegistered event")
    with outbox.database.write() as tx:
        store.complete_registration(tx, pending, number)
    return Issuer(number, pending.profile)


def give_roles(
    outbox: Outbox, owner: "Sender", registry: Address, issuer: int, operator: Address, roles: Role
) -> None:
    """Give `operator` exactly these roles for `issuer` and wait until that is in a block.

    A compromised key has no role, so taking its roles is done already.

    Raises:
        ConflictError, ChainError: as `Outbox.submit` and `Outbox.wait`.

    """
    call = Call(registry, calls.set_operator(issuer, operator, roles))
    done = _DONE if roles else {*_DONE, "KeyCompromised"}
    _do(outbox, owner, call, lambda revert: revert.name in done)


def name_bare_issuer(outbox: Outbox, operator: "Sender", registry: Address, issuer: int) -> None:
    """Name the issuer of the operator's bare roots and wait until that is in a block.

    Raises:
        ConflictError, ChainError: as `Outbox.submit` and `Outbox.wait`.

    """
    _do(outbox, operator, Call(registry, calls.name_bare_issuer(issuer)))


def report_compromise(
    outbox: Outbox, owner: "Sender", registry: Address, issuer: int, operator: Address, since: int
) -> None:
    """Report that `operator` is in other hands since Unix second `since`; wait for the block.

    Raises:
        ConflictError, ChainError: as `Outbox.submit` and `Outbox.wait`.

    """
    call = Call(registry, calls.report_compromise(issuer, operator, since))
    # A report may only move to earlier: the latest it may be now says what was reported.
    reported = ("InvalidSince", (str(since), str(since - 1)))
    _do(outbox, owner, call, lambda revert: (revert.name, revert.arguments) == reported)


def accredit(
    outbox: Outbox, owner: "Sender", registry: Address, accreditor: int, issuer: int, *, until: int
) -> None:
    """Vouch for `issuer` from now until before Unix second `until` (0: open); wait for the block.

    Raises:
        ConflictError, ChainError: as `Outbox.submit` and `Outbox.wait`.

    """
    _do(outbox, owner, Call(registry, calls.accredit(accreditor, issuer, until)))


def withdraw_accreditation(
    outbox: Outbox, owner: "Sender", registry: Address, accreditor: int, issuer: int
) -> None:
    """End the accreditation of `issuer` now; wait for the block.

    Raises:
        ConflictError, ChainError: as `Outbox.submit` and `Outbox.wait`.

    """
    _do(outbox, owner, Call(registry, calls.withdraw_accreditation(accreditor, issuer)))


def _do(
    outbox: Outbox,
    sender: "Sender",
    call: Call,
    is_done: Callable[[Revert], bool] = lambda revert: revert.name in _DONE,
) -> None:
    """Send `call` and wait for its block; what is so already is no error."""
    try:
        row = outbox.submit(sender, call, Purpose.OPERATOR)
    except WouldRevertError as error:
        if error.revert is not None and is_done(error.revert):
            return
        raise
    outbox.wait([row], state=TransactionState.INCLUDED, timeout_seconds=FINAL_SECONDS)

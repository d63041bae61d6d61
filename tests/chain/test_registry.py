"""Events, heads and slots of a real chain: ours against web3's and the contract's own."""

from typing import Any

import pytest

from ledger.chain.artifact import code_hash
from ledger.chain.logs import parse_log
from ledger.chain.registry import slots
from ledger.chain.registry.events import EVENT_TYPES, Event, decode_event, first_head, fold
from ledger.chain.registry.slots import Role
from ledger.chain.state import RpcState, read_blocks
from ledger.primitives import Address, Hash32, format_address, keccak256, sha256

from .conftest import Chain

ROOT, BARE, AGAIN = sha256(b"root"), sha256(b"bare"), sha256(b"again")
DID = "did:example:é"


@pytest.fixture(scope="module")
def history(
    chain: Chain, tmp_path_factory: pytest.TempPathFactory
) -> tuple[int, int, list[dict[str, Any]]]:
    """Make every event there is; return accreditor, issuer and the raw logs of both."""
    from ledger.database import Database, migrate

    database = Database(f"sqlite:///{tmp_path_factory.mktemp('history') / 'ledger.db'}")
    migrate(database)
    outbox = chain.outbox(database)
    owner, heir, key, stolen = (chain.sender() for _ in range(4))
    logs: list[dict[str, Any]] = []

    def send(sender: Any, function: str, *arguments: object) -> list[dict[str, Any]]:
        data = chain.encode(function, *arguments) if function else bytes(BARE)
        transaction = chain.send(outbox, sender, data)
        receipt = chain.rpc.call("eth_getTransactionReceipt", ["0x" + transaction.hex()])
        logs.extend(receipt["logs"])
        return list(receipt["logs"])

    accreditor = int(send(owner, "registerIssuer", "did:example:accreditor")[0]["topics"][1], 16)
    issuer = int(send(owner, "registerIssuer", DID)[0]["topics"][1], 16)
    address = format_address(key.address)
    send(owner, "transferOwnership", issuer, format_address(heir.address))
    send(heir, "acceptOwnership", issuer)
    send(heir, "setOperator", issuer, address, 3)
    send(heir, "setOperator", issuer, format_address(stolen.address), 1)
    send(key, "nameBareIssuer", issuer)
    send(key, "anchor", issuer, ROOT, 1000)
    send(key, "")
    send(stolen, "anchor", issuer, AGAIN, 7)
    send(key, "revoke", issuer, ROOT, 3, 1 << 231, 4)
    send(key, "revokeMany", issuer, ROOT, [0, 1], [5, 6], 1)
    send(key, "suspend", issuer, ROOT, 2, 3, 6)
    send(key, "reinstate", issuer, ROOT, 2, 1, 0)
    send(key, "revokeBatch", issuer, BARE, 5)
    send(owner, "accredit", accreditor, issuer, 0)
    send(owner, "withdrawAccreditation", accreditor, issuer)
    send(heir, "reportCompromise", issuer, format_address(stolen.address), 1)
    send(key, "anchor", issuer, AGAIN, 7)
    database.close()
    return accreditor, issuer, logs


def events_of(logs: list[dict[str, Any]]) -> list[Event]:
    return [decode_event(parse_log(log)) for log in logs]


def test_the_history_has_every_event(history: tuple[int, int, list[dict[str, Any]]]) -> None:
    assert {event.name for event in events_of(history[2])} == {kind.name for kind in EVENT_TYPES}


def test_every_event_is_decoded_as_web3_does(
    chain: Chain, history: tuple[int, int, list[dict[str, Any]]]
) -> None:
    for raw, event in zip(history[2], events_of(history[2]), strict=True):
        receipt = chain.web3.eth.get_transaction_receipt(raw["transactionHash"])
        theirs = chain.contract.events[event.name]().process_log(
            next(log for log in receipt["logs"] if log["logIndex"] == event.log.log_index)
        )
        ours = {
            name: format_address(value) if isinstance(value, bytes) and len(value) == 20 else value
            for name, value in event.values.items()
        }
        expected = dict(theirs["args"])
        assert event.name == theirs["event"]
        assert event.issuer in {expected.get("issuer"), expected.get("accreditor")}
        assert ours.items() <= expected.items()
        assert len(expected) == len(ours) + 1


def test_the_heads_fold_to_those_of_the_contract(
    chain: Chain, history: tuple[int, int, list[dict[str, Any]]]
) -> None:
    accreditor, issuer, logs = history
    heads: dict[int, Hash32] = {}
    for event in events_of(logs):
        values = event.values
        if event.name == "IssuerRegistered":
            heads[event.issuer] = first_head(
                chain=chain.chain_id,
                registry=chain.registry,
                issuer=event.issuer,
                owner=values["owner"],  # type: ignore[arg-type]
                did_hash=values["didHash"],  # type: ignore[arg-type]
                time=values["time"],  # type: ignore[arg-type]
            )
        elif event.name != "IssuerDid":
            heads[event.issuer] = fold(heads[event.issuer], event.log.topics, event.log.data)
        if "head" in values:
            assert values["head"] == heads[event.issuer]
    for number in (accreditor, issuer):
        assert chain.contract.functions.headOf(number).call() == heads[number]


def test_every_slot_says_what_the_contract_says(
    chain: Chain, history: tuple[int, int, list[dict[str, Any]]]
) -> None:
    accreditor, issuer, logs = history
    view = chain.contract.functions
    (block,) = read_blocks(chain.rpc, ["latest"])
    state = RpcState(chain.rpc, chain.chain_id, block)

    def word(key: Hash32) -> Hash32:
        return state.slots(chain.registry, [key])[0]

    assert int.from_bytes(word(slots.ISSUER_COUNT_SLOT), "big") == view.issuerCount().call()
    owner, pending, did_hash, head = view.issuerOf(issuer).call()
    assert format_address(word(slots.owner_slot(issuer))[12:]) == owner
    assert format_address(word(slots.pending_owner_slot(issuer))[12:]) == pending
    assert word(slots.did_hash_slot(issuer)) == did_hash == keccak256(DID.encode())
    assert word(slots.head_slot(issuer)) == head
    operators = {
        Address(event.log.topics[2][12:])
        for event in events_of(logs)
        if event.name == "OperatorSet"
    }
    assert len(operators) == 2
    for operator in operators:
        record = slots.decode_operator(word(slots.operator_slot(issuer, operator)))
        said = view.operatorOf(issuer, format_address(operator)).call()
        assert [record.roles, record.compromised_since] == said
        named = int.from_bytes(word(slots.bare_issuer_slot(operator)), "big")
        assert named == view.bareIssuerOf(format_address(operator)).call()
    for root in (ROOT, BARE, AGAIN):
        anchor = slots.decode_anchor(word(slots.anchor_slot(issuer, root)))
        assert anchor is not None
        assert [
            format_address(anchor.operator),
            anchor.time,
            anchor.size,
            int(anchor.batch_revoked),
        ] == view.anchorOf(issuer, root).call()
    assert slots.decode_anchor(word(slots.anchor_slot(accreditor, ROOT))) is None
    assert view.accreditationCount(accreditor, issuer).call() == 1
    assert int.from_bytes(word(slots.span_count_slot(accreditor, issuer)), "big") == 1
    span = slots.decode_span(word(slots.span_slot(accreditor, issuer, 0)))
    assert [span.start, span.until] == view.accreditationSpan(accreditor, issuer, 0).call()


def test_every_status_bit_says_what_the_contract_says(
    chain: Chain, history: tuple[int, int, list[dict[str, Any]]]
) -> None:
    _, issuer, _ = history
    (block,) = read_blocks(chain.rpc, ["latest"])
    state = RpcState(chain.rpc, chain.chain_id, block)
    revoked = state.slots(
        chain.registry, [slots.revoked_slot(issuer, ROOT, number) for number in range(4)]
    )
    suspended = state.slots(
        chain.registry, [slots.suspended_slot(issuer, ROOT, number) for number in range(4)]
    )
    expected = {0: 6, 2: 6, 257: 6, 258: 6, 999: 6, 513: 7}  # Standing: Revoked 6, Suspended 7
    for index in (0, 1, 2, 3, 256, 257, 258, 512, 513, 514, 998, 999):
        standing = 8
        if slots.has_bit(suspended[index // 256], index):
            standing = 7
        if slots.has_bit(revoked[index // 256], index):
            standing = 6
        assert standing == expected.get(index, 8)
        assert chain.contract.functions.statusOf(issuer, ROOT, index).call() == standing


def test_the_deployed_code_is_the_one_that_policies_pin(chain: Chain) -> None:
    code = chain.web3.eth.get_code(chain.contract.address)
    assert keccak256(bytes(code)) == code_hash()


def test_roles_have_the_contracts_numbers() -> None:
    assert (Role.ANCHOR, Role.STATUS) == (1, 2)

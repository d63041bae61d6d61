"""Whatever comes about is told, at least once and under one id, to whoever listens.

The receivers are real, and so are both databases; only the clock is the test's.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from unittest.mock import patch

import pytest
import sqlalchemy as sa

from ledger.batches.events.store import EventKind, events
from ledger.batches.status import BatchStatus
from ledger.batches.store import Batch
from ledger.chain.store import Outcome
from ledger.credentials.store import read_batch
from ledger.database import Database, metadata
from ledger.errors import LimitError, MalformedInputError, NotFoundError
from ledger.primitives import format_address
from ledger.webhook_signature import parse_secret, verify_webhook
from ledger.webhooks import messages as messages_module
from ledger.webhooks.courier import (
    FIRST_DELAY_SECONDS,
    KEPT_SECONDS,
    MAX_DELAY_SECONDS,
    MAX_REST_SECONDS,
)
from ledger.webhooks.deliveries.store import (
    GIVE_UP_SECONDS,
    DeliveryState,
    deliveries,
    messages,
)
from ledger.webhooks.registering import MAX_WEBHOOKS, redeliver, register_webhook
from ledger.webhooks.secrets import OVERLAP_SECONDS, secret_text
from ledger.webhooks.store import (
    get_webhook,
    list_webhooks,
    remove_webhook,
    rotate_webhook,
    webhooks,
)
from tests.receiver import Receiver, receiving

from .conftest import ISSUER
from .test_side_by_side import together
from .webhook_works import HOME, KEY, Works


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def works(database: Database, receiver: Receiver) -> Works:
    return Works(database, receiver)


# ------------------------------------------------------------------------ what is told


def test_a_final_batch_is_told_once_with_its_anchor(works: Works) -> None:
    batch = works.seal(3)
    works.move(batch, BatchStatus.CONFIRMED)
    works.run()
    assert works.told() == []
    works.move(batch, BatchStatus.FINAL)
    works.run()
    works.run()
    (told,) = works.told()
    assert told == {
        "type": "batch.final",
        "timestamp": "1970-01-12T13:46:40Z",
        "data": {
            "issuer": ISSUER,
            "batch": batch.id,
            "size": 3,
            "anchor": {
                "chain": "eip155:31337",
                "registry": format_address(HOME.registry),
                "issuer": ISSUER,
                "root": batch.root.hex(),
                "size": 3,
                "transaction": None,
            },
            "block": None,
            "anchored": None,
            "links": {"batch": f"/v1/batches/{batch.id}"},
        },
    }
    (delivery,) = works.deliveries()
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 1)
    assert delivery.answer == "HTTP 204"


def test_a_change_of_status_is_told_when_it_is_final_and_not_before(works: Works) -> None:
    batch = works.final_batch(3)
    row = works.change_status(batch, 2)
    works.run()
    assert [told["type"] for told in works.told()] == ["batch.final"]
    works.settle(row, Outcome.DONE)
    works.run()
    data = works.told()[-1]["data"]
    assert data.pop("credentials") == names(works, batch)[:2]
    assert data == {
        "issuer": ISSUER,
        "batch": batch.id,
        "whole_batch": False,
        "action": "revoke",
        "status": "revoked",
        "reason": "issued-in-error",
        "transaction": "0x" + "01" * 32,
        "block": 9,
        "part": 1,
        "parts": 1,
        "links": {"batch": f"/v1/batches/{batch.id}"},
    }


def names(works: Works, batch: Batch) -> list[dict[str, str]]:
    with works.database.read() as tx:
        return [
            {"id": member.public_id, "digest": member.digest.hex()}
            for member in read_batch(tx, batch.id)
        ]


def test_what_did_not_happen_is_not_told(works: Works) -> None:
    batch = works.final_batch(3)
    for outcome in (Outcome.REVERTED, Outcome.CANCELLED, Outcome.FOREIGN):
        works.settle(works.change_status(batch, 2), outcome)
    works.run()
    assert [told["type"] for told in works.told()] == ["batch.final"]
    with works.database.read() as tx:
        assert tx.execute(sa.select(events)).all() == []


def test_a_great_change_is_told_in_parts_of_bounded_size(works: Works) -> None:
    batch = works.final_batch(5)
    with patch.object(messages_module, "CREDENTIALS_IN_A_MESSAGE", 2):
        works.settle(works.change_status(batch, 5), Outcome.DONE)
        works.run()
    parts = [told["data"] for told in works.told()[1:]]
    assert [(part["part"], part["parts"], len(part["credentials"])) for part in parts] == [
        (1, 3, 2),
        (2, 3, 2),
        (3, 3, 1),
    ]
    assert [one for part in parts for one in part["credentials"]] == names(works, batch)
    assert len(set(works.receiver.messages())) == 4


def test_the_largest_message_is_small() -> None:
    one = json.dumps({"id": "0" * 36, "digest": "0" * 64}, separators=(",", ":"))
    assert messages_module.CREDENTIALS_IN_A_MESSAGE * (len(one) + 1) < 2**16


def test_a_revoked_batch_is_told_without_its_credentials(works: Works) -> None:
    batch = works.final_batch(3)
    works.settle(works.change_status(batch, 0), Outcome.DONE)
    works.run()
    data = works.told()[-1]["data"]
    assert (data["whole_batch"], data["credentials"], data["parts"]) == (True, [], 1)


def test_each_webhook_hears_what_it_asked_for(works: Works) -> None:
    with receiving() as other:
        statuses = works.listen(other, EventKind.CREDENTIAL_STATUS)
        batch = works.final_batch()
        works.settle(works.change_status(batch, 1), Outcome.DONE)
        works.run(internal=frozenset({works.receiver.place, other.place}))
        assert [json.loads(one.body)["type"] for one in other.received] == ["credential.status"]
    assert len(works.receiver.received) == 2
    assert len(works.deliveries(statuses)) == 1


def test_a_webhook_is_not_told_what_was_before_it(works: Works) -> None:
    with works.database.write() as tx:
        remove_webhook(tx, works.webhook)
    works.final_batch()
    works.now += 1
    works.listen(works.receiver)
    new = works.final_batch()
    works.run()
    assert [told["data"]["batch"] for told in works.told()] == [new.id]


def test_where_nobody_listens_nothing_is_kept(works: Works) -> None:
    with works.database.write() as tx:
        remove_webhook(tx, works.webhook)
    works.final_batch()
    works.run()
    with works.database.read() as tx:
        for table in (events, messages, deliveries):
            assert tx.execute(sa.select(table)).all() == []


# ------------------------------------------------------------------------ signatures


def test_a_receiver_verifies_what_it_is_sent_by_itself_and_by_ours(works: Works) -> None:
    works.final_batch()
    works.run()
    (received,) = works.receiver.received
    secret = secret_text(KEY, works.webhook)
    signed = f"{received.message}.{received.headers['webhook-timestamp']}.".encode()
    digest = hmac.digest(
        base64.b64decode(secret.removeprefix("whsec_")), signed + received.body, hashlib.sha256
    )
    assert received.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
    assert received.headers["content-type"] == "application/json"
    assert verify_webhook(secret, received.headers, received.body, now=works.now)


def test_a_replaced_secret_signs_for_a_day(works: Works) -> None:
    old = secret_text(KEY, works.webhook)
    with works.database.write() as tx:
        rotated = rotate_webhook(tx, works.webhook, now=works.now)
    new = secret_text(KEY, rotated)
    assert new != old
    works.final_batch()
    works.run()
    works.now += OVERLAP_SECONDS
    works.final_batch()
    works.run()
    first, last = works.receiver.received
    for secret in (old, new):
        verify_webhook(secret, first.headers, first.body, now=works.now - OVERLAP_SECONDS)
    assert verify_webhook(new, last.headers, last.body, now=works.now)
    assert len(last.headers["webhook-signature"].split(" ")) == 1


def test_no_two_webhooks_have_one_secret_and_none_is_in_the_database(works: Works) -> None:
    again = works.listen(works.receiver)
    with works.database.write() as tx:
        rotated = rotate_webhook(tx, again, now=works.now)
    works.final_batch()
    works.receiver.answer = 500
    works.run()
    secrets = [secret_text(KEY, one) for one in (works.webhook, again, rotated)]
    assert len(set(secrets)) == 3
    with works.database.read() as tx:
        dump = repr([tx.execute(sa.select(table)).all() for table in metadata.sorted_tables])
    said = repr(works.said.entries)
    for secret in secrets:
        for spelling in (secret.removeprefix("whsec_"), parse_secret(secret).hex()):
            assert spelling not in dump + said
        assert repr(parse_secret(secret))[2:-1] not in dump + said
    assert "t0ken" not in said
    assert repr(KEY.reveal())[2:-1] not in dump + said


# ------------------------------------------------------------------------ trying again


def test_what_is_not_taken_is_sent_again_under_its_id_until_it_is(works: Works) -> None:
    works.receiver.answer = 503
    works.final_batch()
    tried_at = []
    while len(works.receiver.received) < 5:
        before = len(works.receiver.received)
        works.run()
        if len(works.receiver.received) > before:
            tried_at.append(works.now)
        works.now += 1
    gaps = [later - earlier for earlier, later in pairwise(tried_at)]
    # The first gap is the receiver's rest, which is longer; from then on the message's own.
    assert gaps == [15, 30, FIRST_DELAY_SECONDS * 16, FIRST_DELAY_SECONDS * 64]
    works.receiver.answer = 200
    works.now += MAX_DELAY_SECONDS
    works.run()
    assert len(set(works.receiver.messages())) == 1
    assert len({one.body for one in works.receiver.received}) == 1
    assert works.deliveries()[0].state is DeliveryState.DELIVERED
    times = {one.headers["webhook-timestamp"] for one in works.receiver.received}
    assert len(times) == 6
    with works.database.read() as tx:
        webhook = get_webhook(tx, ISSUER, works.webhook.public_id)
    assert (webhook.failures, webhook.rests_until) == (0, None)


def test_after_three_days_it_is_given_up_and_said_and_can_be_asked_for(works: Works) -> None:
    works.receiver.answer = 500
    works.final_batch()
    for _ in range(60):
        works.run()
        works.now += MAX_DELAY_SECONDS // 4
    (given_up,) = works.deliveries()
    assert given_up.state is DeliveryState.GIVEN_UP
    assert given_up.answer == "HTTP 500"
    assert 15 < given_up.attempts < 20
    assert {said["event"] for said in works.said.entries} == {
        "message not taken",
        "message given up",
    }
    attempts = len(works.receiver.received)
    works.receiver.answer = 200
    works.run()
    assert len(works.receiver.received) == attempts
    with works.database.write() as tx:
        assert redeliver(tx, works.webhook, None, now=works.now) == 1
    works.run()
    assert works.deliveries()[0].state is DeliveryState.DELIVERED
    assert len(set(works.receiver.messages())) == 1
    with works.database.write() as tx:
        assert redeliver(tx, works.webhook, None, now=works.now) == 0
        assert redeliver(tx, works.webhook, given_up.message, now=works.now) == 1
        with pytest.raises(NotFoundError):
            redeliver(tx, works.webhook, "msg_0", now=works.now)
    works.run()
    assert len(works.receiver.received) == attempts + 2


def test_what_a_dead_receiver_leaves_does_not_grow_for_ever(works: Works) -> None:
    works.receiver.answer = 500
    for _ in range(5):
        works.final_batch()
    works.run()
    works.now += GIVE_UP_SECONDS
    works.final_batch()
    works.run()
    states = [delivery.state for delivery in works.deliveries()]
    assert states == [DeliveryState.WAITING, *[DeliveryState.GIVEN_UP] * 5]
    works.now += KEPT_SECONDS
    works.final_batch()
    works.run()
    states = [delivery.state for delivery in works.deliveries()]
    assert len(states) == 2
    with works.database.read() as tx:
        assert len(tx.execute(sa.select(messages)).all()) == 2


def test_a_dead_receiver_is_tried_once_and_rests_and_others_are_told(works: Works) -> None:
    with receiving() as dead:
        dead.answer = 500
        works.listen(dead)
        for _ in range(4):
            works.final_batch()
        works.run(internal=frozenset({works.receiver.place, dead.place}))
        assert len(works.receiver.received) == 4
        assert len(dead.received) == 1
        works.now += 15
        works.run(internal=frozenset({works.receiver.place, dead.place}))
        assert len(dead.received) == 2


def test_a_rest_from_before_the_clock_was_set_back_binds_nobody(works: Works) -> None:
    works.receiver.answer = 500
    works.final_batch()
    works.run()
    works.now -= 10 * MAX_REST_SECONDS
    works.receiver.answer = 200
    with works.database.write() as tx:
        redeliver(tx, works.webhook, None, now=works.now)
        tx.execute(sa.update(webhooks).values(rests_until=works.now + 9 * MAX_REST_SECONDS))
    works.run()
    assert works.deliveries()[0].state is DeliveryState.DELIVERED


# ------------------------------------------------------------------------ side by side


def test_couriers_side_by_side_send_each_message_once(works: Works) -> None:
    for _ in range(6):
        works.final_batch()
    together(*[works.run] * 4)
    works.run()
    assert len(works.receiver.received) == 6
    assert len(set(works.receiver.messages())) == 6


def test_while_one_courier_is_at_a_receiver_others_leave_it_alone(works: Works) -> None:
    works.final_batch()
    works.final_batch()
    seen = []

    def look(handler: BaseHTTPRequestHandler) -> None:
        seen.append(works.courier().round())
        handler.send_response(204)
        handler.end_headers()

    works.receiver.answer = look
    works.run()
    assert seen == [False, False]


# ------------------------------------------------------------------------ making them


def test_another_url_than_plain_https_is_no_webhook(works: Works) -> None:
    for url in (
        "http://lms.example.org/",
        "https://user:word@lms.example.org/",
        "https://lms.example.org/#x",
        "ftp://lms.example.org/",
        "http://127.0.0.1:1/",
        "https://lms.example.org/\r\nx: y",
        "https://lms.example.org/" + "a" * 2_000,
        "",
    ):
        with works.database.write() as tx, pytest.raises(MalformedInputError) as caught:
            register_webhook(
                tx, ISSUER, url=url, kinds=[EventKind.BATCH_FINAL], internal={"10.0.0.1:80"}, now=1
            )
        assert caught.value.code == "bad-webhook"


def test_an_issuer_has_a_bounded_number_of_webhooks(works: Works) -> None:
    for _ in range(MAX_WEBHOOKS - 1):
        works.listen(works.receiver)
    with pytest.raises(LimitError):
        works.listen(works.receiver)
    with works.database.write() as tx:
        assert len(list_webhooks(tx, ISSUER)) == MAX_WEBHOOKS
        with pytest.raises(NotFoundError):
            get_webhook(tx, ISSUER + 1, works.webhook.public_id)


def test_a_removed_webhook_is_told_nothing_more(works: Works) -> None:
    works.final_batch()
    works.receiver.answer = 500
    works.run()
    with works.database.write() as tx:
        remove_webhook(tx, works.webhook)
    works.now += MAX_DELAY_SECONDS
    works.final_batch()
    works.run()
    assert len(works.receiver.received) == 1

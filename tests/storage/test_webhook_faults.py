"""Receivers that fail and couriers that die: no message is lost, none gets a second id."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy as sa

from ledger.batches import store
from ledger.batches.events.store import events, note_final
from ledger.batches.status import BatchStatus
from ledger.database import Database
from ledger.webhooks import courier as courier_module
from ledger.webhooks import messages as messages_module
from ledger.webhooks import store as webhook_store
from ledger.webhooks.courier import (
    LEASE_SECONDS,
    couriers,
)
from ledger.webhooks.deliveries.store import (
    DeliveryState,
)
from tests.receiver import Receiver, receiving

from .webhook_works import Works


class Crash(BaseException):
    """Stands for `kill -9`: not an Exception, so no handler can tidy up."""


pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""No SQL here that the tests beside do not run on both."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def works(database: Database, receiver: Receiver) -> Works:
    return Works(database, receiver)


# ------------------------------------------------------------------------ bad answers


def pour(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nx: ")
    with suppress(OSError):
        while True:
            handler.wfile.write(b"a" * 2**16)


def answer_with_too_much(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    with suppress(OSError):
        handler.wfile.write(bytes(2**24))


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (302, "HTTP 302"),
        (301, "HTTP 301"),
        (410, "HTTP 410"),
        (500, "HTTP 500"),
        (pour, "fetch-too-large"),
        (hang_up, "fetch-unreachable"),
    ],
)
def test_a_bad_answer_is_no_delivery_and_a_redirect_is_not_followed(
    works: Works, answer: Callable[[BaseHTTPRequestHandler], object] | int, code: str
) -> None:
    works.receiver.answer = answer
    works.final_batch()
    works.run()
    (delivery,) = works.deliveries()
    assert (delivery.state, delivery.answer) == (DeliveryState.WAITING, code)
    assert len(works.receiver.received) == 1


def test_what_a_receiver_says_besides_2xx_is_not_read(works: Works) -> None:
    works.receiver.answer = answer_with_too_much
    works.final_batch()
    works.run()
    assert works.deliveries()[0].state is DeliveryState.DELIVERED


def test_a_receiver_that_says_nothing_is_given_up_in_time(works: Works) -> None:
    is_over = threading.Event()
    works.receiver.answer = lambda _handler: is_over.wait()
    works.final_batch()
    try:
        works.run(seconds=0.1)
    finally:
        is_over.set()
    assert works.deliveries()[0].answer == "fetch-timeout"


def test_a_host_that_is_not_named_must_be_public(works: Works) -> None:
    works.final_batch()
    works.run(internal=frozenset())
    assert works.deliveries()[0].answer == "fetch-refused"
    assert works.receiver.received == []


# ------------------------------------------------------------------------ crashes, side by side

STEPS: list[tuple[object, str]] = [
    (messages_module, "take_event"),
    (messages_module, "list_listeners"),
    (messages_module, "add_message"),
    (courier_module, "forget_messages"),
    (webhook_store, "lease_webhook"),
    (courier_module, "give_up_old"),
    (courier_module, "find_due"),
    (courier_module, "sign_message"),
    (courier_module, "note_attempt"),
    (webhook_store, "release_webhook"),
]


@pytest.mark.parametrize(("owner", "step"), STEPS, ids=[step for _, step in STEPS])
def test_a_crash_at_any_step_loses_no_message(works: Works, owner: object, step: str) -> None:
    function = getattr(owner, step)

    def die_before(*_arguments: Any, **_named: Any) -> None:
        raise Crash

    def die_after(*arguments: Any, **named: Any) -> None:
        function(*arguments, **named)
        raise Crash

    for number, die in enumerate((die_before, die_after), 1):
        works.final_batch()
        before = len(works.receiver.received)
        with patch.object(owner, step, die), pytest.raises(Crash):
            works.run()
        works.now += LEASE_SECONDS
        works.run()
        assert len(works.receiver.received) - before in (1, 2)
        assert len(set(works.receiver.messages())) == number
        states = [one.state for one in works.deliveries()]
        assert states == [DeliveryState.DELIVERED] * number


def test_a_batch_is_final_if_and_only_if_its_event_is_there(works: Works) -> None:
    def die(*arguments: Any, **named: Any) -> None:
        note_final(*arguments, **named)
        raise Crash

    batch = works.seal()
    works.move(batch, BatchStatus.CONFIRMED)
    with patch.object(store, "note_final", die), pytest.raises(Crash):
        works.move(batch, BatchStatus.FINAL)
    with works.database.read() as tx:
        assert store.get_batch(tx, batch.id).status is BatchStatus.CONFIRMED
        assert tx.execute(sa.select(events)).all() == []
    works.move(batch, BatchStatus.FINAL)
    works.run()
    assert len(works.receiver.received) == 1


def test_couriers_run_beside_other_work_until_it_ends(works: Works) -> None:
    is_told = threading.Event()

    def tell(handler: BaseHTTPRequestHandler) -> None:
        is_told.set()
        handler.send_response(204)
        handler.end_headers()

    works.receiver.answer = tell
    works.final_batch()
    with couriers(works.courier(), threading.Event()):
        assert is_told.wait(30)
    assert not [one for one in threading.enumerate() if one.name.startswith("courier")]


def test_a_courier_that_breaks_ends_what_it_works_beside(works: Works) -> None:
    stop = threading.Event()
    works.final_batch()
    with (
        patch.object(courier_module, "tell_next", side_effect=ZeroDivisionError),
        pytest.raises(ZeroDivisionError),
        couriers(works.courier(), stop),
    ):
        assert stop.wait(30)

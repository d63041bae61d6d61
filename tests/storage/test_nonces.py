"""A nonce is given out once, and never when somebody else uses the key."""

import pytest

from ledger.chain.nonces import store
from ledger.database import Database
from ledger.errors import ConflictError
from ledger.primitives import Address


class Crash(BaseException):
    """Stands for `kill -9`: not an Exception, so no handler can tidy up."""


SENDER = Address(bytes(range(20)))


def take(database: Database, chain_nonce: int) -> int:
    with database.write() as tx:
        return store.take_nonce(tx, SENDER, chain_nonce=chain_nonce)


def test_nonces_are_consecutive_from_where_the_chain_is(database: Database) -> None:
    assert [take(database, 7), take(database, 7), take(database, 9)] == [7, 8, 9]


def test_a_nonce_of_a_transaction_that_rolled_back_is_given_out_again(database: Database) -> None:
    take(database, 0)

    def take_and_die() -> None:
        with database.write() as tx:
            assert store.take_nonce(tx, SENDER, chain_nonce=0) == 1
            raise Crash

    with pytest.raises(Crash):
        take_and_die()
    assert take(database, 0) == 1


def test_a_chain_ahead_of_the_database_stops_the_sender(database: Database) -> None:
    take(database, 0)
    with pytest.raises(ConflictError) as raised:
        take(database, 2)
    assert raised.value.code == "nonce-ahead"
    assert take(database, 1) == 1

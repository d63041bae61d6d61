"""Ids of digests: nobody can guess one, and those of one second stand together."""

import uuid
from itertools import pairwise

from ledger.credentials.public_id import draw_public_ids

NOW = 1_790_000_000


def test_an_id_is_a_uuid_of_version_7_of_its_second() -> None:
    for text in draw_public_ids(200, now=NOW):
        parsed = uuid.UUID(text)
        assert str(parsed) == text
        assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
        assert parsed.int >> 80 == NOW * 1000


def test_every_random_bit_is_drawn() -> None:
    numbers = [uuid.UUID(text).int for text in draw_public_ids(400, now=NOW)]
    assert len(set(numbers)) == 400
    changing = 0
    for one, other in pairwise(numbers):
        changing |= one ^ other
    assert changing.bit_count() == 74


def test_ids_of_a_later_second_come_later() -> None:
    first, second = draw_public_ids(50, now=NOW), draw_public_ids(50, now=NOW + 1)
    assert max(first) < min(second)
    assert draw_public_ids(0, now=NOW) == []

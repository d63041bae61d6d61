"""The times inside credentials."""

import pytest

from ledger.clock import format_time
from ledger.credentials.timestamps import parse_time
from ledger.errors import MalformedInputError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-10-01T09:00:00Z", 1790845200),
        ("2026-10-01T09:00:00.999999999Z", 1790845200),
        ("2026-10-01T11:00:00+02:00", 1790845200),
        ("2026-10-01T03:30:00-05:30", 1790845200),
        ("1969-12-31T23:59:59Z", -1),
        ("0001-01-01T00:00:00+14:00", -62135647200),
        ("9999-12-31T23:59:59-14:00", 253402351199),
    ],
)
def test_a_time_with_a_zone_is_one_moment(text: str, seconds: int) -> None:
    assert parse_time(text) == seconds


def test_what_the_clock_writes_is_read_back() -> None:
    assert parse_time(format_time(1_790_000_001)) == 1_790_000_001


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        [],
        "",
        "2026-10-01",
        "2026-10-01T09:00:00",
        "2026-10-01 09:00:00Z",
        "2026-10-01T09:00Z",
        "2026-10-01t09:00:00z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-10-01T24:00:00Z",
        "2026-10-01T23:59:60Z",
        "0000-01-01T00:00:00Z",
        "2026-10-01T09:00:00+14:01",
        "2026-10-01T09:00:00+02",
        "2026-10-01T09:00:00+02:60",
        "2026-10-01T09:00:00.Z",
        "2026-10-01T09:00:00Z ",
        "2026-10-01T09:00:00+0٢:00",
        "２０２６-10-01T09:00:00Z",  # noqa: RUF001 - digits of another script
        "12026-10-01T09:00:00Z",
    ],
)
def test_anything_else_is_no_time(text: object) -> None:
    with pytest.raises(MalformedInputError) as caught:
        parse_time(text)
    assert caught.value.code == "not-a-time"

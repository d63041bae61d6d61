"""When a batch is due: conditions, clocks that change, and nothing remembered."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.batches.schedules.schedule import Schedule, Waiting, check_schedule, due_at, next_times
from ledger.errors import MalformedInputError

PARIS = ZoneInfo("Europe/Paris")
HOUR = 3_600


def at(text: str, zone: ZoneInfo | None = None) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone or UTC).timestamp())


MONDAY = at("2026-11-23 10:00")


def test_nothing_is_due_when_nothing_waits() -> None:
    schedule = Schedule(MONDAY, cron="* * * * *", every_seconds=60, at_waiting=1, max_age_seconds=1)
    assert due_at(schedule, None) is None


def test_a_cron_time_counts_once_something_waited_before_it() -> None:
    hourly = Schedule(MONDAY, cron="0 * * * *")
    for accepted, due in (("11:30", "12:00"), ("11:59:59", "12:00"), ("12:00", "13:00")):
        waiting = Waiting(1, at(f"2026-11-23 {accepted}"))
        assert due_at(hourly, waiting) == at(f"2026-11-23 {due}")


def test_what_waited_before_the_schedule_was_set_waits_for_its_first_time() -> None:
    assert due_at(Schedule(MONDAY, cron="30 * * * *"), Waiting(1, MONDAY - 9 * HOUR)) == (
        MONDAY + HOUR // 2
    )


def test_a_cron_expression_is_read_in_its_time_zone() -> None:
    daily = Schedule(MONDAY, cron="30 8 * * *", zone="Europe/Paris")
    assert due_at(daily, Waiting(1, at("2026-11-24 00:00"))) == at("2026-11-24 08:30", PARIS)


@pytest.mark.parametrize(
    ("evening", "due"),
    [
        # 02:30 does not exist on the night that clocks go forward, and comes once on the other.
        ("2027-03-27 20:00", "2027-03-28 01:00"),
        ("2026-10-24 20:00", "2026-10-25 00:30"),
    ],
)
def test_a_night_with_another_number_of_hours_has_one_batch(evening: str, due: str) -> None:
    nightly = Schedule(at("2026-01-01 00:00"), cron="30 2 * * *", zone="Europe/Paris")
    first = due_at(nightly, Waiting(1, at(evening, PARIS)))
    assert first == at(due)
    second = due_at(nightly, Waiting(1, first))
    assert second is not None
    assert (
        datetime.fromtimestamp(second, PARIS).date() > datetime.fromtimestamp(first, PARIS).date()
    )


def test_every_so_often_is_counted_from_when_it_was_set() -> None:
    schedule = Schedule(MONDAY, every_seconds=900)
    assert due_at(schedule, Waiting(1, MONDAY + 1)) == MONDAY + 900
    assert due_at(schedule, Waiting(1, MONDAY + 899)) == MONDAY + 900
    assert due_at(schedule, Waiting(1, MONDAY + 900)) == MONDAY + 1_800


def test_a_number_that_waits_is_due_at_once_and_not_before() -> None:
    schedule = Schedule(MONDAY, at_waiting=1_000)
    assert due_at(schedule, Waiting(999, MONDAY)) is None
    assert due_at(schedule, Waiting(1_000, MONDAY)) == MONDAY


def test_the_first_condition_that_holds_is_enough() -> None:
    schedule = Schedule(MONDAY, cron="0 0 1 1 *", at_waiting=50, max_age_seconds=600)
    assert due_at(schedule, Waiting(2, MONDAY + 5)) == MONDAY + 605
    assert due_at(schedule, Waiting(50, MONDAY + 5)) == MONDAY + 5


def test_a_worker_that_was_down_for_a_week_has_one_batch_due() -> None:
    hourly = Schedule(MONDAY, cron="0 * * * *")
    due = due_at(hourly, Waiting(500, MONDAY + 60))
    assert due == MONDAY + HOUR
    # It seals all of it a week later; what comes in then waits for the next hour only.
    assert due_at(hourly, Waiting(1, MONDAY + 168 * HOUR + 5)) == MONDAY + 169 * HOUR


@given(
    st.integers(0, 10**6), st.integers(60, 10**5), st.integers(1, 10**5), st.integers(0, 2 * 10**6)
)
def test_nothing_is_due_before_it_was_accepted_nor_later_than_its_age(
    set_at: int, every: int, age: int, accepted: int
) -> None:
    schedule = Schedule(set_at, every_seconds=every, max_age_seconds=age)
    due = due_at(schedule, Waiting(1, accepted))
    assert due is not None
    assert accepted < due <= accepted + age
    assert due <= max(set_at, accepted) + every


def test_a_year_of_hourly_batches_has_as_many_as_it_has_hours() -> None:
    hourly = Schedule(at("2026-01-01 00:00"), cron="0 * * * *", zone="Europe/Paris")
    now, sealed = hourly.set_at, 0
    while True:
        due = due_at(hourly, Waiting(1, now))
        assert due is not None
        if due > at("2027-01-01 00:00"):
            break
        now, sealed = due, sealed + 1
    assert sealed == 365 * 24


def test_the_times_to_come_are_those_of_both_conditions() -> None:
    schedule = Schedule(MONDAY, cron="10 * * * *", every_seconds=HOUR)
    assert next_times(schedule, now=MONDAY, count=3) == [
        MONDAY + 600,
        MONDAY + HOUR,
        MONDAY + HOUR + 600,
    ]
    assert next_times(Schedule(MONDAY, at_waiting=3), now=MONDAY, count=3) == []


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule(MONDAY),
        Schedule(MONDAY, every_seconds=59),
        Schedule(MONDAY, at_waiting=0),
        Schedule(MONDAY, at_waiting=-1),
        Schedule(MONDAY, max_age_seconds=0),
        Schedule(MONDAY, cron=""),
        Schedule(MONDAY, cron="* * * * * *"),
        Schedule(MONDAY, cron="61 * * * *"),
        Schedule(MONDAY, cron="0 0 31 2 *"),
        Schedule(MONDAY, cron="0 0 29 2 1#5 2400"),
        Schedule(MONDAY, cron="@hourly"),
        Schedule(MONDAY, cron="1," * 150 + "1 * * * *"),
        Schedule(MONDAY, cron="0 * * * *", zone="Europe/Atlantis"),
        Schedule(MONDAY, cron="0 * * * *", zone="../../etc/passwd"),
        Schedule(MONDAY, cron="0 * * * *", zone=""),
        Schedule(MONDAY, cron="0 * * * *", zone="Europe"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(schedule: Schedule) -> None:
    with pytest.raises(MalformedInputError) as caught:
        check_schedule(schedule)
    assert caught.value.code == "bad-schedule"


def test_a_schedule_reads_as_a_sentence() -> None:
    schedule = Schedule(MONDAY, cron="0 8 * * *", zone="Europe/Paris", at_waiting=5)
    assert str(schedule) == "at '0 8 * * *' in Europe/Paris, or when 5 wait"
    assert str(Schedule(MONDAY, every_seconds=900, max_age_seconds=60)) == (
        "every 15m, or when one has waited 1m"
    )

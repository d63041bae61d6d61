"""Token buckets: so many at once, so many a second, each client its own."""

import pytest

from ledger.errors import LimitError
from ledger.web import limits
from ledger.web.limits import RateLimiter


class Time:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_burst_is_served_and_then_a_steady_rate() -> None:
    time = Time()
    rates = RateLimiter(per_second=2, burst=3, clock=time)
    for _ in range(3):
        rates.take("a")
    with pytest.raises(LimitError) as caught:
        rates.take("a")
    assert caught.value.retry_after_seconds == pytest.approx(0.5)
    time.seconds = 0.5
    rates.take("a")
    with pytest.raises(LimitError):
        rates.take("a")


def test_one_client_does_not_use_up_the_others() -> None:
    rates = RateLimiter(per_second=1, burst=1, clock=Time())
    rates.take("a")
    rates.take("b")
    with pytest.raises(LimitError):
        rates.take("a")


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    time = Time()
    rates = RateLimiter(per_second=100, burst=2, clock=time)
    rates.take("a")
    time.seconds = 1_000
    rates.take("a")
    rates.take("a")
    with pytest.raises(LimitError):
        rates.take("a")


def test_the_number_of_clients_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_BUCKETS", 2)
    rates = RateLimiter(per_second=1, burst=1, clock=Time())
    for client in ("a", "b", "c"):
        rates.take(client)
    rates.take("a")  # Forgotten, so its bucket is full again.
    with pytest.raises(LimitError):
        rates.take("c")

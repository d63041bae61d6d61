"""What monitoring reads: how much waits, since when, and what is wrong, as the database has it.

Every gauge is taken from the database when it is asked for, so all processes of an
installation say the same, and a worker needs no port of its own. docs/reference/metrics.md
says what each means and when to worry.
"""

from typing import TYPE_CHECKING, Final

from ledger.batches.requests.store import count_waiting as count_requests
from ledger.batches.sealing import find_waiting
from ledger.batches.store import count_batches, find_oldest_unfinished
from ledger.chain.alarms.store import list_alarms
from ledger.chain.store import list_unfinished
from ledger.database import Connection
from ledger.issuers.store import list_issuers
from ledger.webhooks.deliveries.store import find_oldest_waiting as find_oldest_message
from ledger.webhooks.store import count_deliveries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import GaugeMetricFamily

    from ledger.web.service import Service

Samples = dict[tuple[str, ...], int]
"""The value of one metric by its labels' values."""

METRICS: Final = {
    "ledger_waiting_credentials": ("Credentials that are in no batch yet.", ["issuer"]),
    "ledger_oldest_waiting_seconds": ("How long the oldest of them has waited.", ["issuer"]),
    "ledger_batches": ("Batches, by where they stand.", ["issuer", "status"]),
    "ledger_oldest_unfinished_batch_seconds": (
        "Since when the oldest batch that is not final is sealed; 0 without one.",
        [],
    ),
    "ledger_unfinished_transactions": ("Signed transactions that are not final.", ["purpose"]),
    "ledger_waiting_status_requests": ("Requested status changes that have not ended.", []),
    "ledger_webhook_deliveries": (
        "Messages for webhooks of the last 30 days, by what became of them.",
        ["issuer", "state"],
    ),
    "ledger_oldest_webhook_message_seconds": (
        "Since when the oldest message waits that no receiver took; 0 without one.",
        [],
    ),
    "ledger_alarms": ("Alarms that nobody has cleared.", ["code"]),
}
"""What each is, and what tells its samples apart."""


def format_metrics(service: "Service") -> str:
    """Return every metric in the text format of Prometheus."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    with service.database.read() as tx:
        families = list(_families(tx, service.now()))
    registry.register(_Collected(families))
    return generate_latest(registry).decode()


class _Collected:
    """What was read, as the library wants it: its values are of one moment."""

    def __init__(self, families: "list[GaugeMetricFamily]") -> None:
        self._families = families

    def collect(self) -> "Iterator[GaugeMetricFamily]":
        return iter(self._families)


def _families(tx: Connection, now: int) -> "Iterator[GaugeMetricFamily]":
    from prometheus_client.core import GaugeMetricFamily

    for name, samples in _samples(tx, now).items():
        help_text, labels = METRICS[name]
        family = GaugeMetricFamily(name, help_text, labels=labels)
        for label_values, value in samples.items():
            family.add_metric(label_values, value)
        yield family


def _samples(tx: Connection, now: int) -> dict[str, Samples]:
    """Return the value of every metric by its labels' values."""
    waiting: Samples = {}
    oldest: Samples = {}
    batches: Samples = {}
    for issuer in list_issuers(tx):
        number = str(issuer.number)
        found = find_waiting(tx, issuer.number)
        waiting[number,] = found.count if found else 0
        oldest[number,] = now - found.oldest_at if found else 0
        for status, count in count_batches(tx, issuer.number).items():
            batches[number, str(status)] = count
    sealed_at = find_oldest_unfinished(tx)
    made_at = find_oldest_message(tx)
    unfinished: Samples = {}
    for transaction in list_unfinished(tx):
        key = (str(transaction.purpose),)
        unfinished[key] = unfinished.get(key, 0) + 1
    alarms: Samples = {}
    for alarm in list_alarms(tx):
        alarms[alarm.code,] = alarms.get((alarm.code,), 0) + 1
    return {
        "ledger_waiting_credentials": waiting,
        "ledger_oldest_waiting_seconds": oldest,
        "ledger_batches": batches,
        "ledger_oldest_unfinished_batch_seconds": {(): now - sealed_at if sealed_at else 0},
        "ledger_unfinished_transactions": unfinished,
        "ledger_waiting_status_requests": {(): count_requests(tx)},
        "ledger_webhook_deliveries": {
            (str(issuer), str(state)): count
            for (issuer, state), count in count_deliveries(tx).items()
        },
        "ledger_oldest_webhook_message_seconds": {(): now - made_at if made_at else 0},
        "ledger_alarms": alarms,
    }

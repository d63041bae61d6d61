"""The page: figures as they are, and what follows from them by arithmetic alone."""

from collections.abc import Iterable, Sequence
from typing import Final

from benchmarks.capacity.figures import Figures

GWEI: Final = 1e-9
"""In ETH."""
SECONDS_A_YEAR: Final = 365 * 86_400
CADENCES: Final = {"a day": 365, "an hour": 8_760, "15 minutes": 35_040}
GAS_PRICES_GWEI: Final = (1, 10, 50)

L2_PRICE_GWEI: Final = 0.01
SIGNED_BYTES: Final = 218
"""Of a signed anchor, every field at its longest."""
BYTE_GAS: Final = 40
"""What a byte of calldata costs at most on Ethereum since EIP-7623."""

YEAR: Final = 100_000_000
PEAK: Final = 20
"""Assumed: the busiest hour has so many times the mean."""
REVOKED: Final = 0.001
"""Assumed: so many are taken back, each in a status word of its own."""
PLAN_ANCHORS: Final = CADENCES["15 minutes"]
PLAN_GWEI: Final = 10


def format_page(figures: Figures) -> str:
    """Return the whole page."""
    return "\n".join([_HEAD, _measured(figures), _gas(figures), _cost(figures), _plan(figures)])


_HEAD: Final = """# Capacity

Written by `python -m benchmarks.capacity` from figures that were measured on one machine with 2
processors, most of them while it had other work. What is *measured* names its page; the rest is
*computed* from that, or *assumed*, and says so.
"""


def _measured(figures: Figures) -> str:
    own = "here"
    speed = "[performance](performance.md)"
    worker = "[the worker's figures](worker-figures.md)"
    load = "[the service under load](load.md)"
    rows = [
        ("credentials issued, a processor", f"{1e6 / figures['issue_microseconds']:,.0f}/s", speed),
        ("digests sealed, SQLite", f"{figures['sealed_sqlite']:,.0f}/s", worker),
        ("digests sealed, PostgreSQL", f"{figures['sealed_postgresql']:,.0f}/s", worker),
        ("batches submitted, one worker, PostgreSQL", f"{figures['submitted']:,.0f}/s", worker),
        ("single POST, one process, SQLite", f"{figures['single_sqlite']:,.0f}/s", load),
        ("bulk POST, digests, SQLite", f"{figures['bulk_sqlite']:,.0f}/s", load),
        ("bulk POST, digests, PostgreSQL", f"{figures['bulk_postgresql']:,.0f}/s", load),
        ("single POST, one process, PostgreSQL", f"{figures['single_postgresql']:,.0f}/s", load),
        ("verify POST, two processes", f"{figures['verify_post']:,.0f}/s", load),
        ("proof GET, one process", f"{figures['proof_get']:,.0f}/s", load),
        ("gas of an anchor", f"{figures['anchor_gas']:,.0f}", "[gas](gas.md)"),
        ("database, a digest, SQLite", f"{figures['sqlite_digest_bytes']:,.0f} bytes", own),
        ("database, a digest, PostgreSQL", f"{figures['postgresql_digest_bytes']:,.0f} bytes", own),
        (
            "database, a credential made here, SQLite",
            f"{figures['sqlite_credential_bytes']:,.0f} bytes",
            own,
        ),
        (
            "database, a credential made here, PostgreSQL",
            f"{figures['postgresql_credential_bytes']:,.0f} bytes",
            own,
        ),
        (
            "proof file with its credential, mean",
            f"{figures['proof_file_bytes']:,.0f} bytes",
            own,
        ),
        ("`ledger proof --to`, a file", f"{figures['export_microseconds']:,.0f} µs", own),
        ("`ledger fsck`, a credential", f"{figures['fsck_microseconds']:,.1f} µs", own),
    ]
    filled = (
        f"Each database was filled with {figures['digests_measured']:,.0f} digests and "
        f"{figures['credentials_measured']:,.0f} credentials of the bundled course,\nin batches "
        "of 10,000, and the growth of the whole database was divided: indexes, trees and free\n"
        "space included; PostgreSQL was vacuumed after each batch, and compresses documents. "
        "Times are the\nprocessor's.\n"
    )
    return f"## Measured\n\n{_table(('what', 'figure', 'measured in'), rows)}\n\n{filled}"


def _gas(figures: Figures) -> str:
    rows = [
        (f"{size:,}", f"{figures['anchor_gas'] / size:,.{2 if size > 1_000 else 1}f}")
        for size in (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)
    ]
    table = _table(("credentials in a batch", "gas of each, computed"), rows)
    return f"## Gas\n\nAn anchor costs the same whatever its batch holds.\n\n{table}\n"


def _cost(figures: Figures) -> str:
    prices = [f"{price} gwei" for price in GAS_PRICES_GWEI]
    ethereum = [
        (
            f"one anchor {name}" if name[0] == "a" else f"one every {name}",
            f"{count:,}",
            *(_eth(count * figures["anchor_gas"] * price) for price in GAS_PRICES_GWEI),
        )
        for name, count in CADENCES.items()
    ]
    rollup = [
        (row[0], row[1], *(_eth(count * _l2_gwei(figures, price)) for price in GAS_PRICES_GWEI))
        for row, count in zip(ethereum, CADENCES.values(), strict=True)
    ]
    return f"""## What a year of anchors costs

Computed; in ETH. It does not depend on how many credentials there are.

On Ethereum, `anchors * {figures["anchor_gas"]:,.0f} gas * price`:

{_table(("", "anchors", *prices), ethereum)}

On an L2, `anchors * (gas * {L2_PRICE_GWEI} gwei + {SIGNED_BYTES} bytes * {BYTE_GAS} gas *
Ethereum's price)`, the columns being Ethereum's price again. {L2_PRICE_GWEI} gwei is assumed. The
data part is a bound, not a quotation: each byte of the signed transaction as calldata at its
highest price. An L2 that posts blobs, as most do, pays a small part of it:

{_table(("", "anchors", *prices), rollup)}
"""


def _l2_gwei(figures: Figures, l1_price: float) -> float:
    """Return what one anchor costs at most on an L2, in gwei."""
    return figures["anchor_gas"] * L2_PRICE_GWEI + SIGNED_BYTES * BYTE_GAS * l1_price


def _plan(figures: Figures) -> str:
    mean = YEAR / SECONDS_A_YEAR
    peak = PEAK * mean
    size = YEAR / PLAN_ANCHORS
    anchors = PLAN_ANCHORS * figures["anchor_gas"] * PLAN_GWEI
    words = YEAR * REVOKED * figures["revoke_word_gas"]
    issue_share = peak * figures["issue_microseconds"] / 1e6
    rows = [
        (
            "arrivals",
            f"{mean:.1f}/s, in the busiest hour {peak:.0f}/s",
            f"assumed: {PEAK} times the mean",
        ),
        (
            "batches",
            f"every 15 minutes, of {size:,.0f}; at the peak of {PEAK * size:,.0f}",
            "computed",
        ),
        (
            "anchors",
            f"{PLAN_ANCHORS // 365} a day, {figures['anchor_gas'] / size:.1f} gas a credential",
            "computed",
        ),
        ("signing them", f"{issue_share:.1%} of one processor at the peak", "computed"),
        (
            "API processes",
            f"2; one takes {figures['single_postgresql']:,.0f} single POSTs a second",
            "the second for failures",
        ),
        ("workers", "2", "the second for failures"),
        ("PostgreSQL, digests only", _bytes(YEAR * figures["postgresql_digest_bytes"]), "computed"),
        (
            "PostgreSQL, credentials made here",
            _bytes(YEAR * figures["postgresql_credential_bytes"]),
            "computed",
        ),
        (
            "proof files",
            f"{_bytes(YEAR * figures['proof_file_bytes'])}, {YEAR:,} files",
            "computed",
        ),
        (
            "writing them",
            f"{YEAR * figures['export_microseconds'] / 3.6e9:,.0f} hours of a processor",
            "computed",
        ),
        (
            "`ledger fsck` of all",
            f"{YEAR * figures['fsck_microseconds'] / 3.6e9:,.1f} hours of a processor",
            "computed",
        ),
        (f"anchors on Ethereum at {PLAN_GWEI} gwei", f"{_eth(anchors)} ETH", "computed"),
        (
            "anchors on an L2",
            f"at most {_eth(PLAN_ANCHORS * _l2_gwei(figures, PLAN_GWEI))} ETH",
            "computed, as above",
        ),
        (
            f"revoking {REVOKED:.1%}, scattered, on Ethereum",
            f"{_eth(words * PLAN_GWEI)} ETH",
            "computed, in bulk calls",
        ),
    ]
    return f"""## A hundred million a year

A plan, not a measurement: no database of that size was filled, no CDN or L2 was used.

{_table(("of a year", "", "how it is known"), rows)}

- **One PostgreSQL** holds it. Nothing is deleted; a credential's row is written once and changed
  once, when its batch is sealed, so vacuum has some {YEAR / 365:,.0f} rows a day. Let it come by
  number, not by share: `ALTER TABLE credentials SET (autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 200000)`. The indexes of `credentials` were
  {figures["postgresql_index_share"]:.0%} of the whole: have memory for them, since every new
  digest is looked up there.
- **It is not partitioned.** A digest is unique for its issuer over all years, so partitions by time
  are out; by issuer they would be possible, and have not been built. Issuers who share nothing can
  have an installation each: the registry does not mind.
- **N processes**: `ledger serve` behind a balancer that asks `/readyz`, `ledger worker` on any
  machine; leases in the database keep them apart ([storage](storage.md#side-by-side)). Two of each
  survive the loss of one. Each process counts rates of requests by itself.
- **Proofs as files.** `ledger proof --to DIR` after every batch, DIR behind a CDN that finds
  `/v1/proofs/ID` there ([operating](../guide/operator.md#run-it-as-a-service)); learners and
  employers then ask the CDN, whatever their number, and the service is for issuers. A file never
  changes, save when its batch is anchored again. What is not there yet is asked of the service.
- **Backups** by PostgreSQL's base backups and archived log: `ledger backup` reads everything each
  time. Recover to the end of the log; an older state is what [`ledger restore`](backup.md) is for,
  since it asks the chain what was sent since.
- **An L2** for anchors, if its finality and its operators are good enough for what the badges are
  for: the proof file is the same, and the verifier's policy names the chain.
- **Revocations cost more than anchors** on Ethereum when they are scattered. Give a `validUntil`
  where that serves as well, and gather changes: 256 neighbours in a batch share one word.
"""


def _eth(gwei: float) -> str:
    return f"{gwei * GWEI:,.3g}" if gwei * GWEI < 100 else f"{gwei * GWEI:,.0f}"


def _bytes(number: float) -> str:
    return f"{number / 1e9:,.0f} GB"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

"""Write docs/reference/gas.md."""

from collections.abc import Iterable
from textwrap import dedent

from benchmarks.gas.figures import Figure, Run

BAR = 40
"""Characters of the longest bar."""

ANCHORS = (
    "bare self-send",
    "EAS timestamp",
    "anchor a batch",
    "anchor a bare root",
    "anchor for an operator who signed",
    "EAS attest",
)
PATHS = (
    "OpenZeppelin MerkleProof, keccak",
    "check a path",
    "OpenZeppelin MerkleProof, sha256",
    "verify, status included",
)


def format_page(run: Run) -> str:
    """Return the page, as Markdown."""
    return "\n".join(
        [
            _head(run),
            "## Ours\n",
            _table(run.ours, "Budget"),
            _status_words(run),
            "## Anchoring, beside others\n",
            _bars(run, ANCHORS),
            ANCHORING_WORDS,
            _peers_table(run.peers),
            "## Revoking, beside others\n",
            _revoking_words(run),
            "## Checking a path of 20 siblings in a contract\n",
            _bars(run, PATHS),
            PATH_WORDS,
            _table(run.paths, "Budget"),
        ]
    )


def _head(run: Run) -> str:
    return dedent(f"""\
        # Gas

        What each act costs, measured in one run on one Anvil. This page is written by
        `python -m benchmarks.gas`; the budgets are asserted there, and in the contract's tests.

        | | |
        |---|---|
        | Chain | {run.anvil}, hardfork {run.hardfork} |
        | Compiler | {run.compiler} |
        | Peers | {", ".join(run.peers_from)} |

        Gas is what the sender pays for, the transaction's 21,000 and its data included, except
        under "Checking". A million credentials cost one anchor: less than 0.06 gas each.
        """)


def _table(figures: Iterable[Figure], column: str) -> str:
    lines = [f"| | Gas | {column} | Used |", "|---|---:|---:|---:|"]
    for figure in figures:
        budget = f"{figure.budget:,}" if figure.budget else ""
        used = f"{figure.gas / figure.budget:.1%}" if figure.budget else ""
        lines.append(f"| {figure.name} | {figure.gas:,} | {budget} | {used} |")
    return "\n".join([*lines, ""])


def _peers_table(figures: Iterable[Figure]) -> str:
    lines = ["| Peer | Gas | |", "|---|---:|---|"]
    lines += [f"| {figure.name} | {figure.gas:,} | {figure.note} |" for figure in figures]
    return "\n".join([*lines, ""])


def _bars(run: Run, names: Iterable[str]) -> str:
    figures = [(name, run.gas_of(name)) for name in names]
    most = max(gas for _, gas in figures)
    width = max(len(name) for name, _ in figures)
    lines = [
        f"{name:<{width}}  {'#' * max(1, round(BAR * gas / most)):<{BAR}} {gas:>8,}"
        for name, gas in figures
    ]
    return "\n".join(["```text", *lines, "```", ""])


def _status_words(run: Run) -> str:
    """Say what a row of the table is for one credential."""
    alone = run.gas_of("revoke one, the first of its word")
    word = run.gas_of("revoke 256 of one word")
    many = run.gas_of("revoke 2,560 of ten words, a word")
    return dedent(f"""\
        Status is kept as bits, 256 in a storage word. So revoking one credential costs up to
        {alone:,}; 256 neighbours cost {word // 256:,} each, and {many // 256:,} each when
        many words go in one transaction.
        """)


def _revoking_words(run: Run) -> str:
    one = run.gas_of("EAS revokeOffchain")
    theirs = run.gas_of("EAS multiRevokeOffchain of 256")
    ours = run.gas_of("revoke 256 of one word")
    alone = run.gas_of("revoke one, the first of its word")
    times = round(theirs / ours)
    return dedent(f"""\
        | | One | 256 in one transaction | Each |
        |---|---:|---:|---:|
        | ours, neighbours in a batch | {alone:,} | {ours:,} | {ours // 256:,} |
        | EAS `revokeOffchain`, `multiRevokeOffchain` | {one:,} | {theirs:,} | {theirs // 256:,} |

        For one credential EAS is cheaper by {alone - one:,}: it writes one word, the digest's.
        Ours writes two: the status, and the issuer's head, which makes a hidden revocation
        visible to whoever replays the events. For 256, EAS costs {times} times as much.
        """)


ANCHORING_WORDS = """\
The cheaper ones keep less. A self-send leaves nothing in the chain's state: whoever checks it
must find the transaction again and know whose address sent it. An EAS timestamp keeps a time
for a digest, but not by whom, so whoever sees it waiting can send it first. An anchor here
keeps issuer, operator, time and size in one word, and moves the issuer's head in another. EAS
`attest` says by whom too, and gives each attestation an id and words of its own.
"""

PATH_WORDS = """\
Execution alone: without the transaction and without the data. OpenZeppelin's library hashes
with keccak256, which is an opcode of the EVM; SHA-256 is a precompiled contract that must be
called for every hash. RFC 9162 trees are made of SHA-256, and that is what every verifier
outside a chain has. OpenZeppelin also sorts each pair, so it shows that a digest is in the
tree and not at which index; status needs the index. The row "sha256" gives it the hash that ours
uses. `verify` reads the anchor, the operator and two words of status besides.
"""

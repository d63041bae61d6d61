"""What a check has to say."""

from dataclasses import dataclass

from ledger.batches.store import Batch


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be."""

    code: str
    """Stable: docs/reference/fsck.md says what each means and what to do."""
    subject: str
    """What it is about, such as `batch 7` or `credential 2f3a...`."""
    message: str


def about(batch: Batch, code: str, message: str) -> Finding:
    """Return a finding about a batch."""
    return Finding(code, f"batch {batch.id}", message)

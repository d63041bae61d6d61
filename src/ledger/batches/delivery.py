"""Give issuers back what they gave: every badge with its proof, one file each.

What is in a file was fixed when the batch was sealed, so a file may be written again
at any time and is then the same.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final, TextIO

from ledger.batches import store
from ledger.batches.badge_folder import File, open_folder, sync, write_files
from ledger.batches.status import ANCHORED, BatchStatus
from ledger.batches.store import Batch
from ledger.batches.trees.cache import TileCache
from ledger.credentials.canonical import embed, is_embeddable
from ledger.credentials.document import MAX_CREDENTIAL_BYTES
from ledger.credentials.plain_text import spreadsheet_safe
from ledger.credentials.store import PAGE_ROWS, StoredCredential, read_batch
from ledger.database import Connection, Database
from ledger.errors import ConflictError
from ledger.merkle.tiles import Prover
from ledger.primitives import Home
from ledger.proofs.file import (
    FORMAT,
    AnchorReference,
    ProofFile,
    format_embedded,
    format_proof_file,
)
from ledger.second_process import beside

INDEX_FILE: Final = "batch-{}.csv"
"""Which file of a batch is whose, in the order of the leaves."""

TILE_LEVELS: Final = 6
"""That the tree of a batch has at most: what a proof needs, and its neighbour needs again."""


class ProofWriter:
    """The proofs of one batch; tiles that neighbours share are read once."""

    def __init__(
        self, tx: Connection, batch: Batch, home: Home, cache: TileCache | None = None
    ) -> None:
        """Prove leaves of `batch`, with those of its tiles that are in `cache`."""
        self._tx = tx
        self._batch = batch
        self._cache = cache or TileCache(max_tiles=TILE_LEVELS)
        final = batch.status is BatchStatus.FINAL
        # A hint that a reorganisation could change is not written.
        self._anchor = AnchorReference(
            home=home,
            root=batch.root,
            size=batch.size,
            transaction=batch.transaction if final else None,
        )
        self._prover = Prover(batch.size, self._read)

    def proof(self, credential: StoredCredential) -> ProofFile:
        """Return the proof of one credential of the batch, without the credential."""
        assert credential.leaf_index is not None  # noqa: S101 - it is in the batch
        return ProofFile(
            canonicalization=credential.canonicalization,
            digest=credential.digest,
            inclusion=self._prover.prove(credential.leaf_index),
            anchor=self._anchor,
            credential=None,
            state=None,
        )

    def _read(self, level: int, number: int) -> bytes:
        return self._cache.read(self._tx, self._batch.id, self._batch.root, level, number)


def check_anchored(batch: Batch) -> None:
    """Return when proofs of `batch` may be given out.

    Raises:
        ConflictError: its anchor is not on chain yet.

    """
    if batch.status not in ANCHORED:
        raise ConflictError(
            "not-anchored-yet",
            f"batch {batch.id} is {batch.status}: run `ledger anchor` to bring it to the chain",
        )


def badge(credential: StoredCredential, proof: ProofFile) -> dict[str, Any]:
    """Return what the holder gets: the credential with its proof inside, else a proof file.

    The proof file has the credential inside when that is known, and cannot take its proof.
    """
    import orjson

    if credential.document is None:
        return format_proof_file(proof)
    # Canonical bytes of ours: what strict parsing refuses cannot be in them.
    document = orjson.loads(credential.document)
    if not is_embeddable(document):
        return format_proof_file(replace(proof, credential=document))
    return embed(document, format_embedded(proof))


def served(credential: StoredCredential, proof: ProofFile) -> bytes:
    """Return the proof file that the service gives, with the credential inside when it is known."""
    import orjson

    content = format_proof_file(proof)
    if credential.document:
        # Canonical bytes, and of an object: they are JSON as they stand.
        content["credential"] = orjson.Fragment(credential.document)
    return orjson.dumps(content)


def file_name(credential: StoredCredential, content: dict[str, Any]) -> str:
    """Return what the holder's file is called: a proof file is told from a badge."""
    kind = ".proof" if content.get("format") == FORMAT else ""
    return f"{credential.public_id}{kind}.json"


def _written(content: dict[str, Any]) -> bytes:
    """Return the bytes of a file: indented, unless white space alone makes it too large to read."""
    import orjson

    data = orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if len(data) > MAX_CREDENTIAL_BYTES:
        data = orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)
    return data


def deliver(
    database: Database,
    batch: Batch,
    home: Home,
    path: Path,
    *,
    now: int,
    on_badge: Callable[[int], None] = lambda _count: None,
) -> int:
    """Write every badge of a final batch into the folder `path`, note it, return their number.

    A process that dies in between writes the same files again at its next run. Memory does
    not grow with the batch.

    Raises:
        ConflictError: the batch is not final, or `unwritable`: as `open_folder`.

    """
    if batch.status is not BatchStatus.FINAL:
        raise ConflictError("not-final", f"batch {batch.id} is {batch.status}, not final")
    with (
        open_folder(path) as folder,
        folder.lines(INDEX_FILE.format(batch.id)) as lines,
        database.read() as tx,
        beside(partial(write_files, path), items=batch.size) as written,
    ):
        files = _files(tx, batch, home, lines)
        for count in written(iter(lambda: list(islice(files, PAGE_ROWS)), [])):
            on_badge(count)
    sync()
    with database.write() as tx:
        store.mark_delivered(tx, batch.id, now=now)
    return batch.size


def _files(tx: Connection, batch: Batch, home: Home, lines: TextIO) -> Iterator[File]:
    """Give every file of a batch, and write into `lines` whose it is."""
    index = csv.writer(lines)
    index.writerow(["leaf", "name", "file", "submitted_as"])
    proofs = ProofWriter(tx, batch, home)
    for credential in read_batch(tx, batch.id):
        content = badge(credential, proofs.proof(credential))
        name = file_name(credential, content)
        holder = spreadsheet_safe(_holder(content))
        label = spreadsheet_safe(credential.label or "")
        index.writerow([credential.leaf_index, holder, name, label])
        yield name, _written(content)


def _holder(content: dict[str, Any]) -> str:
    """Return the name in a badge; empty when it is not where ours have it."""
    subject = content.get("credentialSubject")
    identifiers = subject.get("identifier") if isinstance(subject, dict) else None
    for entry in identifiers if isinstance(identifiers, list) else []:
        if isinstance(entry, dict) and entry.get("identityType") == "name":
            return str(entry.get("identityHash", ""))
    return ""

"""Proofs as files that any web server hands out in the place of the service.

    DIR/3f/ID.json      what GET /v1/proofs/ID answers, byte for byte, for an ID that ends in 3f
    DIR/batch-7         written last, when every proof of batch 7 is there: its root, transaction

Folders are named by the last two characters: the first ones of many ids are a time. What is in
a file changes only when its batch is anchored again, with another transaction; such a batch is
written again. Status is read from the chain, so a revocation changes no file.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ledger.batches.badge_folder import BadgeFolder, open_folder, sync, write_files
from ledger.batches.delivery import ProofWriter, served
from ledger.batches.store import Batch
from ledger.credentials.store import read_batch
from ledger.database import Database
from ledger.primitives import Home


def is_written(batch: Batch, path: Path) -> bool:
    """Return whether the proofs of a final batch are in `path`, as they are now."""
    mark = path / _mark_name(batch)
    return mark.is_file() and mark.read_bytes() == _mark(batch)


def write_proofs(
    database: Database,
    batch: Batch,
    home: Home,
    path: Path,
    *,
    on_proof: Callable[[int], None] = lambda _count: None,
) -> int:
    """Write every proof of a final batch below the folder `path`; return their number.

    A process that dies in between writes the same files again at its next run. Memory does
    not grow with the batch.

    Raises:
        ConflictError: `unwritable`: as `open_folder`.

    """
    with database.read() as tx, _folders(path) as folder_of:
        proofs = ProofWriter(tx, batch, home)
        for credential in read_batch(tx, batch.id):
            name = credential.public_id
            content = served(credential, proofs.proof(credential))
            folder_of(name[-2:]).write(f"{name}.json", content)
            on_proof(1)
    sync()
    write_files(path, [(_mark_name(batch), _mark(batch))])
    return batch.size


@contextmanager
def _folders(path: Path) -> Iterator[Callable[[str], BadgeFolder]]:
    """Give a function that opens a folder below `path`, each once."""
    opened: dict[str, BadgeFolder] = {}
    with ExitStack() as stack:

        def folder_of(name: str) -> BadgeFolder:
            if name not in opened:
                opened[name] = stack.enter_context(open_folder(path / name))
            return opened[name]

        yield folder_of


def _mark_name(batch: Batch) -> str:
    return f"batch-{batch.id}"


def _mark(batch: Batch) -> bytes:
    return f"{batch.root.hex()} {(batch.transaction or b'').hex()}\n".encode()

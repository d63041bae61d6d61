"""Compare the badges in a folder with the batches they were delivered from.

    delivered batch -> its members -> a file each -> its document's digest, and its proof

Every file is read again, one at a time, as strictly as a verifier reads it. Its proof must
be the one that is made now: digest, place, path, root, size and home. The transaction in
it is a hint that nobody believes, and may be another one by now.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from ledger.batches import store
from ledger.batches.delivery import INDEX_FILE, ProofWriter, badge, file_name
from ledger.batches.fsck.finding import Finding, about
from ledger.batches.status import BatchStatus
from ledger.credentials.canonical import find_anchor_proof
from ledger.credentials.document import MAX_CREDENTIAL_BYTES, document_of
from ledger.credentials.store import StoredCredential, read_batch
from ledger.database import Connection
from ledger.errors import LedgerError, MalformedInputError
from ledger.primitives import Address, Home
from ledger.proofs.file import MAX_PROOF_FILE_BYTES, ProofFile, parse_embedded, parse_proof
from ledger.strict_json import parse

MAX_BYTES: Final = max(MAX_CREDENTIAL_BYTES, MAX_PROOF_FILE_BYTES)


def check_badges(
    tx: Connection, folder: Path, *, chain: int, registry: Address
) -> Iterator[Finding]:
    """Check the file of every credential whose batch was delivered.

    Other files in the folder are left alone.

    Raises:
        MalformedInputError: there is no such folder.

    """
    if not folder.is_dir():
        raise MalformedInputError("no-file", f"there is no folder {folder}")
    for batch in store.read_batches(tx, [BatchStatus.FINAL]):
        if batch.delivered_at is None:
            continue
        if not (folder / INDEX_FILE.format(batch.id)).is_file():
            # It comes with the badges, so they went into another folder.
            yield about(
                batch,
                "badge",
                f"{INDEX_FILE.format(batch.id)} is not there: its badges are not looked at",
            )
            continue
        proofs = ProofWriter(tx, batch, Home(chain, registry, batch.issuer))
        for credential in read_batch(tx, batch.id):
            try:
                wrong = _difference(folder, credential, proofs.proof(credential))
            except LedgerError as error:
                wrong = error.message
            if wrong:
                yield Finding("badge", f"badge {credential.public_id}", wrong)


def _difference(folder: Path, credential: StoredCredential, made: ProofFile) -> str:
    """Say in what a file differs from what was delivered; empty when in nothing.

    Raises:
        LedgerError: no badge can be read from it.

    """
    path = folder / file_name(credential, badge(credential, made))
    try:
        if path.stat().st_size > MAX_BYTES:
            return "it is too large for a badge"
        value = parse(path.read_bytes(), max_bytes=MAX_BYTES)
    except OSError as error:
        return f"{path.name}: {error.strerror}"
    if not isinstance(value, dict):
        return "it is no JSON object"
    if "format" in value:
        proof = parse_proof(value)
        document = proof.credential
    else:
        proof, document = parse_embedded(find_anchor_proof(value)), value
    digest = None if document is None else document_of(document).digest
    if digest != (None if credential.document is None else credential.digest):
        return "the document in it is not the one that was anchored"
    return "" if _claims(proof) == _claims(made) else "its proof is another one"


def _claims(proof: ProofFile) -> ProofFile:
    """Return what of a proof must not differ."""
    anchor = replace(proof.anchor, transaction=None)
    return replace(proof, credential=None, state=None, anchor=anchor)

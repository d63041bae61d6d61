"""What a verifier was given: a proof, a document, or both in one file.

    a credential                      its anchor proof, if it has one, is inside
    a proof file                      its credential may be inside, or beside it
    anything else                     needs its proof file, and comes beside that

What is a credential and what is a file follows from the document's bytes, never from the
proof: otherwise a revoked credential could be submitted as "a file" whose digest somebody
else anchored.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ledger.credentials.canonical import find_anchor_proof
from ledger.credentials.document import Document, document_of, read_document
from ledger.errors import MalformedInputError
from ledger.primitives import Canonicalization
from ledger.proofs.file import ProofFile, UnknownFormatError, parse_embedded, parse_proof_file
from ledger.verification.reasons import Finding, Reason
from ledger.verification.report import Subject


@dataclass(frozen=True, slots=True)
class Submission:
    """What is to be verified; either a proof, or why there is none."""

    proof: ProofFile | Finding
    document: Document | None

    @property
    def credential(self) -> dict[str, Any] | None:
        """Return the credential; None for a file, or when it was not given."""
        return self.document.credential if self.document else None

    @property
    def subject(self) -> Subject:
        """Return what it is, by the document if that was given."""
        if self.document is not None:
            known = self.document.canonicalization
        elif isinstance(self.proof, Finding):
            return Subject.FILE
        else:
            known = self.proof.canonicalization
        return Subject.CREDENTIAL if known is Canonicalization.RFC8785 else Subject.FILE


def read_submission(data: bytes, document: bytes | None) -> Submission:
    """Return what `data`, with the `document` it may be about, submits.

    Raises:
        MalformedInputError: `data` is neither a credential nor a proof file; the document is
            given twice, is malformed, has a malformed anchor proof inside, or is not of the
            kind that the proof says.

    """
    found = read_document(data)
    if found.credential is None:
        return _read_detached(data, document)
    if document is not None:
        raise MalformedInputError(
            "document-not-needed",
            "a credential was given, and --document too: give the proof file first, "
            "and the document it is about with --document",
        )
    embedded = find_anchor_proof(found.credential)
    if embedded is None:
        return Submission(Finding.of(Reason.NO_ANCHOR_PROOF), found)
    try:
        proof = parse_embedded(embedded)
    except UnknownFormatError as error:
        return Submission(Finding.of(Reason.UNKNOWN_FORMAT, said=error.message), found)
    return Submission(proof, found)


def _read_detached(data: bytes, beside: bytes | None) -> Submission:
    if not data.lstrip(b" \t\r\n").startswith(b"{"):
        raise MalformedInputError(
            "not-a-proof",
            "this is neither a credential nor a proof file: give its proof file, "
            "and this one with --document",
        )
    document = read_document(beside) if beside is not None else None
    try:
        proof = parse_proof_file(data)
    except UnknownFormatError as error:
        return Submission(Finding.of(Reason.UNKNOWN_FORMAT, said=error.message), document)
    if proof.credential is not None:
        if document is not None:
            raise MalformedInputError(
                "document-twice",
                "the proof file carries its credential, and --document gives another: give one",
            )
        document = document_of(proof.credential)
    if document is not None and document.canonicalization is not proof.canonicalization:
        raise MalformedInputError(
            "wrong-canonicalization",
            f"the document is digested as {document.canonicalization!s}, and the proof says "
            f"{proof.canonicalization!s}: a credential is never verified as a mere file",
        )
    if document is not None and document.credential is not None:
        _check_embedded(document.credential)
    return Submission(proof, document)


def _check_embedded(credential: dict[str, Any]) -> None:
    """Return when the anchor proof inside `credential`, if it has one, is well-formed.

    It is no part of the digest. So beside another proof it could hold anything that somebody
    would like to see inside a valid credential.
    """
    embedded = find_anchor_proof(credential)
    if embedded is not None:
        with suppress(UnknownFormatError):
            parse_embedded(embedded)

"""Why a check did not pass: every code a report can carry, and the sentence for people.

Codes are part of the public interface and never change; sentences may. A sentence says
what was found and, where somebody can do something, what. docs/reference/verification.md
lists the same codes.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from ledger.clock import format_time
from ledger.errors import ChainError

CALENDAR: Final = range(-62_135_596_800, 253_402_300_800)
"""The Unix seconds that have a date: years 1 to 9999."""


class Reason(StrEnum):
    """A stable code; the order is that of the checks."""

    UNKNOWN_FORMAT = "unknown-format"

    NO_DOCUMENT = "no-document"
    DIGEST_DIFFERS = "digest-differs"
    NO_ANCHOR_PROOF = "no-anchor-proof"

    UNTRUSTED_REGISTRY = "untrusted-registry"
    NO_ENDPOINT = "no-endpoint"
    NO_STATE_PROOF = "no-state-proof"
    NO_TRUSTED_BLOCK = "no-trusted-block"
    UNTRUSTED_BLOCK = "untrusted-block"
    BAD_STATE_PROOF = "bad-state-proof"
    RPC_UNREACHABLE = "rpc-unreachable"
    RPC_TIMEOUT = "rpc-timeout"
    RPC_HTTP_STATUS = "rpc-http-status"
    RPC_TOO_LARGE = "rpc-too-large"
    RPC_MALFORMED = "rpc-malformed"
    RPC_ERROR = "rpc-error"
    RPCS_DISAGREE = "rpcs-disagree"
    WRONG_CHAIN = "wrong-chain"
    NO_BLOCK = "no-block"
    CHAIN_ERROR = "chain-error"
    NO_REGISTRY = "no-registry"
    OTHER_CODE = "other-code"

    SIZE_DIFFERS = "size-differs"
    BAD_INDEX = "bad-index"
    BAD_PATH_LENGTH = "bad-path-length"
    ROOT_MISMATCH = "root-mismatch"
    BARE_ROOT = "bare-root"

    NOT_ANCHORED = "not-anchored"
    NOT_FINAL = "not-final"
    STALE_STATE = "stale-state"
    COMPROMISED = "compromised"
    BATCH_REVOKED = "batch-revoked"
    REVOKED = "revoked"
    SUSPENDED = "suspended"

    OTHER_HOME = "other-home"
    OTHER_DID = "other-did"
    NO_ISSUER_ID = "no-issuer-id"
    NO_BASIS = "no-basis"
    UNPROVED_ACCREDITATION = "unproved-accreditation"
    TOO_MANY_SPANS = "too-many-spans"

    RAW_FILE = "raw-file"
    UNSIGNED = "unsigned"
    WRONG_PURPOSE = "wrong-purpose"
    MALFORMED_PROOF = "malformed-proof"
    OTHER_SIGNER = "other-signer"
    CONTEXT_MISMATCH = "context-mismatch"
    BAD_SIGNATURE = "bad-signature"
    SIGNED_AFTER_ANCHOR = "signed-after-anchor"
    UNSUPPORTED_SUITE = "unsupported-suite"
    PROOF_CHAIN = "proof-chain"
    KEY_NOT_AVAILABLE = "key-not-available"
    KEY_NOT_LISTED = "key-not-listed"
    SIGNATURE_EXPIRED = "signature-expired"

    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    UNREADABLE_DATE = "unreadable-date"
    ANCHORED_LATE = "anchored-late"

    BAD_SHAPE = "bad-shape"


SENTENCES: Final[dict[Reason, str]] = {
    Reason.UNKNOWN_FORMAT: "{said}",
    Reason.NO_DOCUMENT: "the document was not given, so nothing can be said of it: "
    "give it with --document",
    Reason.DIGEST_DIFFERS: "the document has the digest {found}, the proof is about {claimed}: "
    "the document was changed, or the proof belongs to another one",
    Reason.NO_ANCHOR_PROOF: "the credential carries no anchor proof: ask whoever issued it for one",
    Reason.UNTRUSTED_REGISTRY: "the trust policy does not know the registry {registry} on {chain}",
    Reason.NO_ENDPOINT: "nobody was named to ask about {chain}: give an endpoint with --rpc",
    Reason.NO_STATE_PROOF: "the file has no state proof, and without one only the chain can tell: "
    "leave out --offline, or ask for a file made by `ledger proof ID --state`",
    Reason.NO_TRUSTED_BLOCK: "no block of {chain} was named to be trusted: "
    "name one with --trust {chain}=0xBLOCKHASH",
    Reason.UNTRUSTED_BLOCK: "{said}: if you know from elsewhere that it is a block of {chain}, "
    "name it with --trust",
    Reason.BAD_STATE_PROOF: "the state proof shows nothing: {said}",
    Reason.RPC_UNREACHABLE: "{said}",
    Reason.RPC_TIMEOUT: "{said}",
    Reason.RPC_HTTP_STATUS: "{said}",
    Reason.RPC_TOO_LARGE: "{said}",
    Reason.RPC_MALFORMED: "{said}",
    Reason.RPC_ERROR: "{said}",
    Reason.RPCS_DISAGREE: "{said}",
    Reason.WRONG_CHAIN: "{said}",
    Reason.NO_BLOCK: "{said}",
    Reason.CHAIN_ERROR: "{said}",
    Reason.NO_REGISTRY: "there is no contract at {registry} on {chain}: "
    "is it the right chain, and is the endpoint up to date?",
    Reason.OTHER_CODE: "the contract at {registry} on {chain} has the code {found}, "
    "the trust policy expects {expected}",
    Reason.SIZE_DIFFERS: "the proof is about a batch of {claimed}, the registry has one of {size}",
    Reason.BAD_INDEX: "the proof is about leaf {index}, and a batch of {size} has no such leaf",
    Reason.BAD_PATH_LENGTH: "the path has {length} hashes, which is not the number "
    "for leaf {index} of {size}",
    Reason.ROOT_MISMATCH: "the path leads to {computed}, the anchored root is {root}",
    Reason.BARE_ROOT: "the root was anchored bare: the registry does not know the shape of its "
    "tree, so no path can be checked",
    Reason.NOT_ANCHORED: "the registry has no anchor of this root for issuer {issuer}",
    Reason.NOT_FINAL: "the anchor is in the newest blocks only and could still disappear: "
    "ask again later",
    Reason.STALE_STATE: "the newest block known is of {time}, too long ago to rule out "
    "bad news since: ask another endpoint, or for a newer state proof",
    Reason.COMPROMISED: "the issuer reports that the key that anchored this was stolen "
    "before it did ({since}); the issuer can anchor the batch again",
    Reason.BATCH_REVOKED: "the issuer revoked the whole batch, for ever",
    Reason.REVOKED: "the issuer revoked it, for ever",
    Reason.SUSPENDED: "the issuer suspended it for now",
    Reason.OTHER_HOME: "the credential says that its issuer's home is {homes}, "
    "and it is anchored by {home}",
    Reason.OTHER_DID: "the issuer {issuer} is not who registered {home}",
    Reason.NO_ISSUER_ID: "the credential does not say who issued it",
    Reason.NO_BASIS: "nothing shows that {home} is who it says it is: anyone can register a "
    "name. List it in the trust policy if you know it is theirs{also}",
    Reason.UNPROVED_ACCREDITATION: "the state proof does not show whether the accreditor "
    "{accreditor} of the trust policy vouched for {home}: ask the chain, or for a newer proof",
    Reason.TOO_MANY_SPANS: "an accreditor has accredited {home} {count} times, of which only the "
    "last {read} were read, and none of those covers the anchor's time",
    Reason.RAW_FILE: "does not apply to a file",
    Reason.UNSIGNED: "the credential has no signature",
    Reason.WRONG_PURPOSE: "the signature of {signer} was made for another purpose",
    Reason.MALFORMED_PROOF: "the signature of {signer} has not the shape of one",
    Reason.OTHER_SIGNER: "the signature is that of {signer}, who is not the issuer",
    Reason.CONTEXT_MISMATCH: "the signature of {signer} was made under other contexts",
    Reason.BAD_SIGNATURE: "{signer} did not sign this: the credential or the signature was changed",
    Reason.SIGNED_AFTER_ANCHOR: "the signature of {signer} says it was made at {created}, after "
    "the anchor that covers it, at {anchored}",
    Reason.UNSUPPORTED_SUITE: "the signature is of the kind {suite}, which is not checked here",
    Reason.PROOF_CHAIN: "the signature of {signer} builds on others, which is not checked here",
    Reason.KEY_NOT_AVAILABLE: "the key {signer} cannot be had: {problem}",
    Reason.KEY_NOT_LISTED: "the issuer's DID document does not list the key {signer} for "
    "signing credentials, or no longer does",
    Reason.SIGNATURE_EXPIRED: "the signature of {signer} was to be relied on until {expires} only",
    Reason.NOT_YET_VALID: "it is valid from {date} only",
    Reason.EXPIRED: "it was valid until {date}",
    Reason.UNREADABLE_DATE: "{member} is not a time with a zone such as 2026-10-01T09:00:00Z",
    Reason.ANCHORED_LATE: "it was anchored at {anchored}, later after {member} {date} "
    "than the trust policy allows",
    Reason.BAD_SHAPE: "it is not shaped like an Open Badges 3.0 credential: {problems}",
}
"""What people read; the names in braces are given by the check."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A reason, and its sentence about the case at hand."""

    reason: Reason
    message: str

    @classmethod
    def of(cls, reason: Reason, **details: object) -> Self:
        """Return the finding `reason` with the details that its sentence names."""
        return cls(reason, SENTENCES[reason].format(**details))

    @classmethod
    def of_chain_error(cls, error: ChainError) -> Self:
        """Return the finding that a chain could not be asked."""
        known = error.code in set(Reason)
        reason = Reason(error.code) if known else Reason.CHAIN_ERROR
        return cls.of(reason, said=error.message)


def show_time(seconds: int) -> str:
    """Return a time for people; one that no calendar has is shown as the nearest that it has.

    A time zone takes the last hours of the year 9999 beyond it.
    """
    return format_time(min(max(seconds, CALENDAR.start), CALENDAR.stop - 1))

"""The bytes of a JSON credential that are digested, and the anchor proof inside it.

The digest of a credential is SHA-256 of its RFC 8785 form *without its anchor proof*:

* `proof` is an array: its anchor proofs are taken out, and `proof` itself when nothing
  remains (an empty array and no `proof` digest alike);
* anything else is digested as it stands.

Other proofs stay in, so an anchor also dates the signature. A credential has at most one
anchor proof, and that one inside an array: everything else is malformed.

Source: RFC 8785 (JCS).
"""

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from ledger.errors import MalformedInputError
from ledger.primitives import Hash32, sha256
from ledger.strict_json import MAX_INTEGER

if TYPE_CHECKING:
    from orjson import Fragment

ANCHOR_PROOF_TYPE: Final = "LedgerAnchorProof"
"""The `type` of the element of `proof` that is ours; exactly this string."""

CREDENTIAL_TYPE: Final = "VerifiableCredential"
"""What makes a JSON object a credential (W3C VC Data Model 2.0 section 4.5)."""

_LEAST_PLAIN_FLOAT: Final = 1e-4
"""Below it one writer or the other begins to use exponents."""


class Shared(dict[str, Any]):
    """A JSON object that stands in many documents and is written once.

    It is the object in every respect, and must not change. A copy, deep or not, is a plain
    dictionary again and may.
    """

    @cached_property
    def written(self) -> "Fragment":
        """Its RFC 8785 form.

        Raises:
            MalformedInputError: as `canonical_bytes`.

        """
        import orjson

        return orjson.Fragment(canonical_bytes(dict(self)))

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)


_PLAIN_AS_THEY_ARE: Final = frozenset({str, bool, type(None), Shared})
"""Types whose every value both writers spell alike, or that was written before."""


def canonical_bytes(value: object) -> bytes:
    """Return the RFC 8785 form of a JSON value, as UTF-8.

    Raises:
        MalformedInputError: something in it is no JSON value, or an integer beyond
            2^53 - 1, `NaN` or an infinity, half of a surrogate pair, or it is too deep.

    """
    # orjson writes the same bytes ten times faster, but only for what is plain.
    if _is_plain(value):
        import orjson

        try:
            return orjson.dumps(
                value,
                default=_written,
                option=orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_SUBCLASS,
            )
        except TypeError:
            pass  # Lone surrogates and great depth: the other writer says which.
    return _written_slowly(value)


class Surroundings:
    """All of an object but one member, written once for several values of that member."""

    def __init__(self, members: dict[str, Any], of: str) -> None:
        """Write all `members` but `of`, an ASCII name.

        Raises:
            MalformedInputError: as `canonical_bytes`.

        """
        # Beside ASCII, UTF-16 units and code points have one order.
        self._before = _inside({name: value for name, value in members.items() if name < of})
        self._after = _inside({name: value for name, value in members.items() if name > of})
        self._name = canonical_bytes(of)

    def bytes_with(self, value: object) -> bytes:
        """Return the RFC 8785 form of the object with `value` as the member.

        Raises:
            MalformedInputError: as `canonical_bytes`.

        """
        return self._around(self._name + b":" + canonical_bytes(value))

    def bytes_without(self) -> bytes:
        """Return the RFC 8785 form of the object without the member."""
        return self._around(b"")

    def _around(self, member: bytes) -> bytes:
        return b"{" + b",".join(filter(None, (self._before, member, self._after))) + b"}"


def _inside(members: dict[str, Any]) -> bytes:
    return canonical_bytes(members)[1:-1]


def _is_plain(value: object) -> bool:
    """Return whether orjson's writing of `value` with sorted keys is its RFC 8785 form.

    It is when every key is ASCII (orjson sorts by code point, RFC 8785 by UTF-16 unit),
    every integer is exact, and every float has a fraction and a size that both spell
    without an exponent.
    """
    waiting: list[Any] = [value]
    for item in waiting:  # It grows while it is read.
        kind = type(item)
        if kind is dict:
            if not _has_ascii_keys(item):
                return False
            waiting.extend(item.values())
        elif kind is list:
            waiting.extend(item)
        elif kind is int or kind is float:
            if not _is_plain_number(item):
                return False
        elif kind not in _PLAIN_AS_THEY_ARE:
            return False
    return True


def _is_plain_number(number: float) -> bool:
    if type(number) is int:
        return -MAX_INTEGER <= number <= MAX_INTEGER
    return _LEAST_PLAIN_FLOAT <= abs(number) < MAX_INTEGER and not number.is_integer()


def _written(item: object) -> "Fragment":
    if type(item) is Shared:
        return item.written
    raise TypeError


def _has_ascii_keys(item: dict[Any, Any]) -> bool:
    try:
        return "".join(item).isascii()
    except TypeError:
        return False


def _written_slowly(value: object) -> bytes:
    import rfc8785

    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type]
    except ValueError as error:
        raise MalformedInputError(
            "not-canonical", f"this has no RFC 8785 form: {str(error)[:120]}"
        ) from None
    except RecursionError:
        raise MalformedInputError("too-deep", "nested too deeply for an RFC 8785 form") from None


def is_credential(value: object) -> bool:
    """Return whether a JSON value is a credential: an object typed `VerifiableCredential`."""
    return isinstance(value, dict) and names_credential(value.get("type"))


def names_credential(types: object) -> bool:
    """Return whether `types`, one type or an array of them, has `VerifiableCredential`."""
    return types == CREDENTIAL_TYPE or (isinstance(types, list) and CREDENTIAL_TYPE in types)


def _is_anchor_proof(proof: object) -> bool:
    return isinstance(proof, dict) and proof.get("type") == ANCHOR_PROOF_TYPE


def other_proofs(credential: dict[str, Any]) -> list[Any]:
    """Return the elements of `proof` that are not anchor proofs; a lone one counts as a list."""
    proofs = credential.get("proof", [])
    if not isinstance(proofs, list):
        proofs = [proofs]
    return [proof for proof in proofs if not _is_anchor_proof(proof)]


def find_anchor_proof(credential: dict[str, Any]) -> dict[str, Any] | None:
    """Return the one anchor proof inside `credential`.

    Raises:
        MalformedInputError: there are several, or it stands alone instead of in an array.

    """
    proofs = credential.get("proof")
    if _is_anchor_proof(proofs):
        raise MalformedInputError(
            "lone-anchor-proof", "the anchor proof stands alone in `proof`: put it in an array"
        )
    found = list(filter(_is_anchor_proof, proofs)) if isinstance(proofs, list) else []
    if len(found) > 1:
        raise MalformedInputError(
            "several-anchor-proofs", f"`proof` has {len(found)} anchor proofs; one is allowed"
        )
    return found[0] if found else None


def without_anchor_proof(credential: dict[str, Any]) -> dict[str, Any]:
    """Return what of `credential` is digested; the argument stays as it is."""
    if not isinstance(credential.get("proof"), list):
        return credential
    bare = {name: value for name, value in credential.items() if name != "proof"}
    proofs = other_proofs(credential)
    return {**bare, "proof": proofs} if proofs else bare


def credential_digest(credential: dict[str, Any]) -> Hash32:
    """Return the digest that is anchored for `credential`.

    Raises:
        MalformedInputError: as `canonical_bytes`.

    """
    return sha256(canonical_bytes(without_anchor_proof(credential)))


def is_embeddable(credential: dict[str, Any]) -> bool:
    """Return whether an anchor proof can go into `credential`: its `proof` is not a lone one."""
    return isinstance(credential.get("proof", []), list)


def embed(credential: dict[str, Any], proof: dict[str, Any]) -> dict[str, Any]:
    """Return `credential` with the anchor proof `proof`, in place of one it may have.

    Raises:
        MalformedInputError: the credential's `proof` is no array. Making it one would
            change the digest, so such a credential keeps its anchor proof beside it.

    """
    if not is_embeddable(credential):
        raise MalformedInputError(
            "lone-proof",
            "the credential's `proof` is no array: keep its proof in a proof file beside it",
        )
    return {**credential, "proof": [*other_proofs(credential), proof]}

"""Every way to damage or rearrange what a holder submits, one after the other.

A badge is submitted in each of its forms, against the answers of one recorded chain. Every
byte is changed, dropped and doubled; every member and element, at every depth, is removed,
doubled, replaced, and exchanged with that of other badges. After each change there are two
possibilities: what was submitted still means the same (white space, an escape, the hint that
nobody believes), and is valid as before; or it means something else, and is not valid. And
nothing is raised but `MalformedInputError`.
"""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from ledger.chain.registry import slots
from ledger.credentials.canonical import canonical_bytes, embed, without_anchor_proof
from ledger.credentials.document import document_of
from ledger.errors import MalformedInputError
from ledger.merkle.inclusion import InclusionProof
from ledger.primitives import Canonicalization, Hash32, Home, sha256
from ledger.proofs.file import (
    AnchorReference,
    ProofFile,
    format_embedded,
    format_proof_file,
)
from ledger.verification.report import Verdict
from ledger.verification.submission import read_submission
from tests.unit.verification_world import (
    HOME,
    ISSUER,
    STRANGERS_KEY,
    Batch,
    World,
    anchor_word,
    credential,
    encode,
    proof_of,
    signed,
)

CHUNKS: Final = 8
"""Of each matrix, so that several workers share it."""

Path = tuple[str | int, ...]


class Shelf:
    """Four badges on one chain: two of one batch, one of another, and a stranger's."""

    def __init__(self) -> None:
        self.ours = [signed(credential(number)) for number in range(3)]
        stranger = Home(HOME.chain, HOME.registry, ISSUER + 1)
        value = credential(3, homes=(str(stranger),))
        value["issuer"]["id"] = STRANGERS_KEY.did
        self.strangers = signed(value, STRANGERS_KEY)
        self.world = World(self.ours[0])
        self.world.register(stranger.issuer, STRANGERS_KEY.did)
        digests = [document_of(badge).digest for badge in self.ours]
        together = Batch((sha256(b"first"), digests[0], digests[1], sha256(b"last")))
        self.proofs = [
            self._anchored(together, 1, HOME),
            self._anchored(together, 2, HOME),
            self._anchored(Batch((digests[2], sha256(b"b"), sha256(b"c"), sha256(b"d"))), 0, HOME),
            proof_of(document_of(self.strangers).digest, home=stranger),
        ]
        self._put(stranger.issuer, self.proofs[3].anchor.root)

    def _anchored(self, batch: Batch, index: int, home: Home) -> ProofFile:
        self._put(home.issuer, batch.root)
        return ProofFile(
            canonicalization=self.world.proof.canonicalization,
            digest=batch.digests[index],
            inclusion=InclusionProof(index, batch.path(index)),
            anchor=AnchorReference(home, batch.root, 4, transaction=sha256(b"a transaction")),
            credential=None,
            state=None,
        )

    def _put(self, issuer: int, root: Hash32) -> None:
        self.world.chain.put(slots.anchor_slot(issuer, root), anchor_word())

    def embedded(self, number: int) -> dict[str, Any]:
        badge = [*self.ours, self.strangers][number]
        return embed(badge, format_embedded(self.proofs[number]))

    def carrying(self, number: int) -> dict[str, Any]:
        badge = [*self.ours, self.strangers][number]
        return {**format_proof_file(self.proofs[number]), "credential": badge}

    def detached(self, number: int) -> dict[str, Any]:
        return format_proof_file(self.proofs[number])


SHELF: Final = Shelf()
BADGE: Final = encode(SHELF.ours[0])
FORMS: Final[dict[str, Callable[[int], dict[str, Any]]]] = {
    "embedded": SHELF.embedded,
    "carrying": SHELF.carrying,
    "detached": SHELF.detached,
}


def meaning(data: bytes, document: bytes | None) -> object:
    """Return all that is submitted, but for the hint that nobody believes."""
    submission = read_submission(data, document)
    assert isinstance(submission.proof, ProofFile)
    assert submission.credential is not None
    proof = submission.proof
    return (
        canonical_bytes(without_anchor_proof(submission.credential)),
        (proof.canonicalization, proof.digest, proof.inclusion),
        (proof.anchor.home, proof.anchor.root, proof.anchor.size),
    )


MEANINGS: Final = {
    form: [
        meaning(encode(make(n)), encode(SHELF.ours[n]) if form == "detached" else None)
        for n in range(3)
    ]
    + ([meaning(encode(make(3)), None)] if form != "detached" else [])
    for form, make in FORMS.items()
}


def check(form: str, data: bytes, document: bytes | None = None) -> None:
    """Return when `data` is valid exactly if it still says what an issued badge says."""
    if form == "detached" and document is None:
        document = BADGE
    try:
        report = SHELF.world.verify(data, document=document)
    except MalformedInputError:
        return
    assert report.as_json()
    # Another format is nobody's to judge, and a document or a proof alone says too little.
    is_whole = report.anchor is not None and report.credential is not None
    is_same = is_whole and meaning(data, document) in MEANINGS[form]
    assert (report.verdict is Verdict.VALID) == is_same, data


def damaged(data: bytes) -> Iterator[bytes]:
    """Give `data` with each byte changed, dropped and doubled in turn."""
    for at, byte in enumerate(data):
        before, after = data[:at], data[at + 1 :]
        # One bit: the neighbour of a digit or letter. The other: the other case of a letter.
        yield before + bytes([byte ^ 0x01]) + after
        yield before + bytes([byte ^ 0x20]) + after
        yield before + after
        yield before + bytes([byte, byte]) + after


def share(items: Iterator[Any], chunk: int) -> Iterator[Any]:
    """Give every item of this chunk."""
    return (item for number, item in enumerate(items) if number % CHUNKS == chunk)


chunked = pytest.mark.parametrize("chunk", range(CHUNKS))


@pytest.mark.parametrize("form", FORMS)
def test_what_was_issued_is_valid(form: str) -> None:
    for number in range(len(MEANINGS[form])):
        document = encode(SHELF.ours[number]) if form == "detached" else None
        report = SHELF.world.verify(encode(FORMS[form](number)), document=document)
        assert report.verdict is Verdict.VALID


@chunked
@pytest.mark.parametrize("form", FORMS)
def test_no_byte_can_be_changed_dropped_or_doubled(form: str, chunk: int) -> None:
    for data in share(damaged(encode(FORMS[form](0))), chunk):
        check(form, data)


@chunked
def test_no_byte_of_a_document_beside_its_proof_can_be_changed(chunk: int) -> None:
    proof = encode(SHELF.detached(0))
    for document in share(damaged(BADGE), chunk):
        check("detached", proof, document)


UNSIGNED: Final = World(credential())
CONTENT: Final = b"%PDF-1.7\n a diploma, as a file"


def file_world() -> World:
    world = World()
    world.proof = proof_of(sha256(CONTENT), canonicalization=Canonicalization.NONE)
    world.anchor()
    return world


FILE: Final = file_world()


def is_valid(world: World, data: bytes, document: bytes | None = None) -> bool:
    """Return whether it is valid to a policy that knows the home."""
    try:
        return world.verify(data, document=document, homes=(HOME,)).verdict is Verdict.VALID
    except MalformedInputError:
        return False


@chunked
def test_the_anchor_alone_finds_every_change_of_an_unsigned_badge(chunk: int) -> None:
    expected = meaning(UNSIGNED.embedded, None)
    assert is_valid(UNSIGNED, UNSIGNED.embedded)
    for data in share(damaged(UNSIGNED.embedded), chunk):
        if is_valid(UNSIGNED, data):
            assert meaning(data, None) == expected


def test_no_byte_of_a_file_or_of_its_proof_can_be_changed() -> None:
    assert is_valid(FILE, FILE.detached, CONTENT)
    for content in damaged(CONTENT):
        assert not is_valid(FILE, FILE.detached, content)
    for data in damaged(FILE.detached):
        if is_valid(FILE, data, CONTENT):
            assert read_submission(data, None).proof == FILE.proof


@pytest.mark.parametrize("form", FORMS)
def test_no_end_can_be_cut_off(form: str) -> None:
    data = encode(FORMS[form](0))
    for length in range(len(data)):
        with pytest.raises(MalformedInputError):
            SHELF.world.verify(data[:length], document=BADGE if form == "detached" else None)


def paths(value: object, above: Path = ()) -> Iterator[Path]:
    """Give the path of every member and element, at every depth."""
    children: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    for name, child in children:
        yield (*above, name)
        yield from paths(child, (*above, name))


def parent_of(value: Any, path: Path) -> Any:
    for name in path[:-1]:
        value = value[name]
    return value


def found_at(value: Any, path: Path) -> Any:
    """Return what is at `path`, or None where there is nothing."""
    try:
        return parent_of(value, path)[path[-1]]
    except (KeyError, IndexError, TypeError):
        return None


def replaced(value: Any, path: Path, new: object) -> bytes:
    changed = copy.deepcopy(value)
    parent_of(changed, path)[path[-1]] = new
    return encode(changed)


def removed(value: Any, path: Path) -> bytes:
    changed = copy.deepcopy(value)
    del parent_of(changed, path)[path[-1]]
    return encode(changed)


def doubled(value: Any, path: Path, new: object) -> bytes:
    """Return the JSON with a member twice, the second time as `new`; or an element inserted."""
    changed = copy.deepcopy(value)
    parent = parent_of(changed, path)
    if isinstance(parent, list):
        parent.insert(int(path[-1]), new)
        return encode(changed)
    parent["\ue000"] = new
    return encode(changed).replace("\ue000".encode(), str(path[-1]).encode(), 1)


REPLACEMENTS: Final[tuple[object, ...]] = (
    None,
    True,
    0,
    -1,
    2**53,
    0.5,
    "",
    "x",
    [],
    {},
    [[]],
    {"a": None},
)


@pytest.mark.parametrize("form", FORMS)
def test_no_member_can_be_removed(form: str) -> None:
    value = FORMS[form](0)
    for path in paths(value):
        check(form, removed(value, path))


@pytest.mark.parametrize("form", FORMS)
def test_no_member_can_stand_twice(form: str) -> None:
    value, other = FORMS[form](0), FORMS[form](1)
    for path in paths(value):
        for new in (found_at(value, path), found_at(other, path), None):
            data = doubled(value, path, new)
            assert not is_valid(SHELF.world, data, BADGE if form == "detached" else None)


@pytest.mark.parametrize("form", FORMS)
def test_no_member_can_become_something_else(form: str) -> None:
    value = FORMS[form](0)
    for path in paths(value):
        for new in REPLACEMENTS:
            check(form, replaced(value, path, new))


@pytest.mark.parametrize("form", FORMS)
def test_no_member_can_be_added(form: str) -> None:
    value = FORMS[form](0)
    holders = [(), *(path for path in paths(value))]
    for path in holders:
        changed = copy.deepcopy(value)
        holder = found_at(changed, path) if path else changed
        if isinstance(holder, dict):
            holder["name of nothing"] = "PhD"
        elif isinstance(holder, list):
            holder.append("PhD")
        else:
            continue
        # Nowhere is there room for something that nothing covers, the proof included.
        assert not is_valid(SHELF.world, encode(changed), BADGE if form == "detached" else None)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("number", [1, 2, 3], ids=["same batch", "other batch", "stranger's"])
def test_no_member_can_be_that_of_another_badge(form: str, number: int) -> None:
    value, other = FORMS[form](0), FORMS[form](number)
    for path in paths(value):
        check(form, replaced(value, path, found_at(other, path)))
        # And all others but this one.
        check(form, replaced(other, path, found_at(value, path)) if _has(other, path) else b"{}")


def _has(value: Any, path: Path) -> bool:
    try:
        parent_of(value, path)[path[-1]]
    except (KeyError, IndexError, TypeError):
        return False
    return True


@pytest.mark.parametrize("form", FORMS)
def test_no_two_members_of_one_badge_can_change_places(form: str) -> None:
    value = FORMS[form](0)
    for path in paths(value):
        siblings = parent_of(value, path)
        names = siblings if isinstance(siblings, dict) else range(len(siblings))
        for name in names:
            changed = copy.deepcopy(value)
            parent = parent_of(changed, path)
            parent[path[-1]], parent[name] = parent[name], parent[path[-1]]
            check(form, encode(changed))


@pytest.mark.parametrize("form", FORMS)
def test_another_writing_of_the_same_is_as_valid_as_before(form: str) -> None:
    value = FORMS[form](0)
    spellings = [
        json.dumps(value, indent=3).encode(),
        json.dumps(value, separators=(",", ":"), sort_keys=True).encode(),
        b"\r\n\t " + encode(value) + b"\n",
        encode(value).replace(b"e", b"\\u0065"),
    ]
    for data in spellings:
        report = SHELF.world.verify(data, document=BADGE if form == "detached" else None)
        assert report.verdict is Verdict.VALID

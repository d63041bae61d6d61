"""No change to what a holder submits makes something else valid."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import LedgerError
from ledger.proofs.file import ProofFile
from ledger.verification.report import Verdict
from ledger.verification.submission import read_submission
from tests.unit.verification_world import HOME, World, credential

WORLD = World()
FORMS = {"embedded": WORLD.embedded, "carrying": WORLD.carrying}
UNSIGNED = World(credential())


def is_valid(data: bytes, world: World = WORLD, **policy: Any) -> bool:
    """Return whether `data` is valid; what is refused is not."""
    try:
        return world.verify(data, **policy).verdict is Verdict.VALID
    except LedgerError:
        return False


def claims(data: bytes) -> tuple[object, ...]:
    """Return all that a submission says, but for the hint that nobody believes."""
    submission = read_submission(data, None)
    assert isinstance(submission.proof, ProofFile)
    assert submission.document is not None
    proof = submission.proof
    anchor = (proof.anchor.home, proof.anchor.root, proof.anchor.size)
    return submission.document.digest, proof.digest, proof.inclusion, anchor


@pytest.mark.parametrize("form", FORMS)
@given(data=st.data())
def test_a_changed_byte_never_makes_other_content_valid(form: str, data: st.DataObject) -> None:
    original = FORMS[form]
    at = data.draw(st.integers(0, len(original) - 1))
    byte = data.draw(st.integers(0, 255))
    changed = original[:at] + bytes([byte]) + original[at + 1 :]
    if is_valid(changed):
        assert claims(changed) == claims(original)


@given(st.data())
def test_a_changed_byte_of_an_unsigned_badge_is_found_by_the_anchor_alone(
    data: st.DataObject,
) -> None:
    original = UNSIGNED.embedded
    at = data.draw(st.integers(0, len(original) - 1))
    changed = original[:at] + bytes([data.draw(st.integers(0, 255))]) + original[at + 1 :]
    if is_valid(changed, UNSIGNED, homes=(HOME,)):
        assert claims(changed) == claims(original)


@given(st.data())
def test_a_cut_or_a_piece_moved_never_makes_other_content_valid(data: st.DataObject) -> None:
    original = WORLD.embedded
    start, stop = sorted(data.draw(st.tuples(*[st.integers(0, len(original))] * 2)))
    piece = data.draw(st.sampled_from([b"", original[start:stop] * 2, b" ", b'"x":1,', b"null"]))
    changed = original[:start] + piece + original[stop:]
    if is_valid(changed):
        assert claims(changed) == claims(original)


def test_the_unchanged_forms_are_valid() -> None:
    assert all(map(is_valid, FORMS.values()))
    assert is_valid(UNSIGNED.embedded, UNSIGNED, homes=(HOME,))


@given(
    st.dictionaries(st.sampled_from(["final", "newest"]), st.binary(min_size=32, max_size=32)),
    st.integers(0, 8),
)
def test_whatever_words_the_registry_holds_there_is_a_report(
    words: dict[str, bytes], chosen: int
) -> None:
    world = World()
    world.report_compromise(0)
    world.accredit((1, 0))
    keys = sorted(world.chain.newest)
    key = keys[chosen % len(keys)]
    for block, word in words.items():
        getattr(world.chain, block)[key] = word
    report = world.verify(accreditors=(HOME,))
    assert report.as_text()
    assert len(report.checks) == 11

"""Bad input has a name, through the library; tests/acceptance asks the command the same."""

import pytest

from ledger.errors import MalformedInputError
from ledger.verification.report import CODES, EXIT_CODES, Verdict
from tests.unit.proof_file_inputs import BADGE, DETACHED, INPUTS, LONG_AGO, WORLD, Input
from tests.unit.verification_world import World, credential, described, encode, signed


@pytest.mark.parametrize("given", INPUTS, ids=lambda given: given.name)
def test_each_input_comes_to_what_it_must(given: Input) -> None:
    kind, code = given.outcome
    if kind == "refused":
        with pytest.raises(MalformedInputError) as caught:
            WORLD.verify(given.data, document=given.document)
        assert (caught.value.code, caught.value.exit_code) == (code, given.exit_code)
        assert "\n" not in caught.value.message
        assert len(caught.value.message) < 500
        return
    report = WORLD.verify(given.data, document=given.document)
    assert EXIT_CODES[report.verdict] == given.exit_code
    number = next(number for number, name in CODES.items() if name == kind)
    assert described(report, number)[1] == code


def test_a_credential_whose_proof_is_a_lone_object_has_its_anchor_proof_beside_it() -> None:
    """Making it an array would change what was digested."""
    lone = signed(credential(validFrom=LONG_AGO))
    lone["proof"] = lone["proof"][0]
    world = World(lone)
    assert world.verify(world.carrying).verdict is Verdict.VALID
    assert world.verify(world.detached, document=encode(lone)).verdict is Verdict.VALID
    inside_an_array = encode({**lone, "proof": [lone["proof"]]})
    assert described(world.verify(world.detached, document=inside_an_array), 2) == (
        "failed",
        "digest-differs",
    )


def test_the_inputs_are_made_from_one_that_is_valid() -> None:
    assert WORLD.verify().verdict is Verdict.VALID
    assert WORLD.verify(encode(DETACHED), document=encode(BADGE)).verdict is Verdict.VALID
    assert len({given.name for given in INPUTS}) == len(INPUTS)

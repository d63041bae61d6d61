"""Whether a credential has the shape of an Open Badge."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from ledger.credentials.shape import MAX_PROBLEMS, check_shape

CHANGES: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (lambda c: c.pop("@context"), "@context is missing"),
    (lambda c: c.update({"@context": c["@context"][0]}), "@context is not an array"),
    (lambda c: c["@context"].__setitem__(0, "x"), "@context does not begin"),
    (lambda c: c["@context"].pop(1), "@context does not have"),
    (lambda c: c["@context"].append(7), "@context[3] is neither"),
    (lambda c: c.pop("id"), "id is missing"),
    (lambda c: c.update(id=7), "id is not a string"),
    (lambda c: c.update(type="VerifiableCredential"), "type is not an array"),
    (lambda c: c["type"].pop(0), "type has no VerifiableCredential"),
    (lambda c: c["type"].pop(1), "type has no OpenBadgeCredential or AchievementCredential"),
    (lambda c: c.pop("issuer"), "issuer is missing"),
    (lambda c: c.update(issuer=None), "issuer is not an object"),
    (lambda c: c["issuer"].pop("id"), "issuer.id is missing"),
    (lambda c: c["issuer"].update(type="Profile"), "issuer.type is not an array"),
    (
        lambda c: c["issuer"]["otherIdentifier"][0].pop("identifierType"),
        "issuer.otherIdentifier[0].identifierType is missing",
    ),
    (lambda c: c.pop("validFrom"), "validFrom is missing"),
    (lambda c: c.update(validFrom="2026-09-21"), "validFrom is not a time with a zone"),
    (lambda c: c.update(validUntil=7), "validUntil is not a time with a zone"),
    (lambda c: c.update(credentialSubject=[]), "credentialSubject is not an object"),
    (
        lambda c: c["credentialSubject"].pop("achievement"),
        "credentialSubject.achievement is missing",
    ),
    (
        lambda c: c["credentialSubject"].update(
            id=None, identifier=[], type=["AchievementSubject"]
        ),
        "credentialSubject.id is not a string",
    ),
    (
        lambda c: (c["credentialSubject"].pop("id"), c["credentialSubject"].pop("identifier")),
        "credentialSubject has neither an id nor an identifier",
    ),
    (
        lambda c: c["credentialSubject"]["identifier"][0].update(hashed="false"),
        "credentialSubject.identifier[0].hashed is not true or false",
    ),
    (
        lambda c: c["credentialSubject"].update(creditsEarned=True),
        "credentialSubject.creditsEarned is not a number",
    ),
    (
        lambda c: c["credentialSubject"]["achievement"].pop("criteria"),
        "credentialSubject.achievement.criteria is missing",
    ),
    (
        lambda c: c["credentialSubject"]["achievement"]["alignment"][0].pop("targetUrl"),
        "credentialSubject.achievement.alignment[0].targetUrl is missing",
    ),
    (lambda c: c.update(proof={"type": "DataIntegrityProof"}), "proof is not an array"),
    (lambda c: c.update(proof=[{}]), "proof[0].type is missing"),
    (lambda c: c.update(credentialSchema={}), "credentialSchema is not an array"),
    (lambda c: c.update(credentialStatus={"id": "x"}), "credentialStatus.type is missing"),
    (lambda c: c.update(endorsementJwt=[]), "endorsementJwt has had two meanings"),
    (lambda c: c.update(jti="x"), "jti has had two meanings"),
]


@pytest.mark.parametrize(("change", "problem"), CHANGES, ids=[problem for _, problem in CHANGES])
def test_each_departure_is_named_with_its_path(
    badge: dict[str, Any], change: Callable[[dict[str, Any]], Any], problem: str
) -> None:
    changed = copy.deepcopy(badge)
    change(changed)
    (found,) = check_shape(changed)
    assert found.startswith(f"credential.{problem}")


def test_a_signed_badge_and_unknown_members_are_well_shaped(signed: dict[str, Any]) -> None:
    assert check_shape({**signed, "https://example.org/more": {"x": [1]}}) == ()


def test_an_issuer_may_be_an_id_alone(badge: dict[str, Any]) -> None:
    assert check_shape({**badge, "issuer": "did:example:a"}) == ()


def test_problems_beyond_the_bound_are_not_looked_for(badge: dict[str, Any]) -> None:
    assert len(check_shape({**badge, "evidence": [7] * 1_000_000})) == MAX_PROBLEMS


@pytest.mark.parametrize("value", [None, 7, "x", [], [[]], True])
def test_any_value_in_any_place_is_answered(badge: dict[str, Any], value: object) -> None:
    def replaced(node: object) -> list[object]:
        """Every copy of `node` with one member or item replaced by `value`."""
        if isinstance(node, dict):
            return [{**node, key: new} for key in node for new in [value, *replaced(node[key])]]
        if isinstance(node, list):
            places = range(len(node))
            return [
                [*node[:at], new, *node[at + 1 :]]
                for at in places
                for new in [value, *replaced(node[at])]
            ]
        return []

    changed = replaced(badge)
    assert len(changed) > 100
    for one in changed:
        assert isinstance(one, dict)
        assert all(problem.startswith("credential") for problem in check_shape(one))

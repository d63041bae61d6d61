"""The badges that are made of a template, an issuer and a row."""

import hashlib
import re
from dataclasses import replace
from typing import Any

import pytest

from ledger.credentials.achievement import format_achievement, json_number, recognition
from ledger.credentials.openbadge import Builder, draw_id, draw_salt
from ledger.credentials.profile import IssuerProfile, homes_of, issuer_id_of
from ledger.credentials.roster import RosterError, Row
from ledger.credentials.shape import FORBIDDEN, check_shape
from ledger.credentials.template import Grade, Link, Template

NOW = 1_790_000_000
SALT = "b7c1f1b0a2d94f0e"
GRADE = Grade("Note", "percent", "0", "100", "60")


def built(template: Template, profile: IssuerProfile, row: Row) -> dict[str, Any]:
    return Builder(template, profile).build(
        row, credential_id="urn:uuid:1", salt=SALT, valid_from=NOW
    )


def alignments(template: Template) -> dict[str, list[dict[str, Any]]]:
    """The alignment entries by their type, without its `ext:`."""
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in format_achievement(template)["alignment"]:
        found.setdefault(entry["targetType"].removeprefix("ext:"), []).append(entry)
    return found


def test_a_badge_is_an_open_badge_with_the_contexts_in_their_order(badge: dict[str, Any]) -> None:
    assert check_shape(badge) == ()
    assert badge["@context"] == [
        "https://www.w3.org/ns/credentials/v2",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
    ]
    assert badge["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    assert not set(FORBIDDEN) & badge.keys()
    assert "proof" not in badge


def test_a_badge_says_what_the_row_says(badge: dict[str, Any]) -> None:
    subject = badge["credentialSubject"]
    assert subject["id"] == "did:example:zoe"
    assert subject["activityStartDate"] == "2026-09-19T00:00:00Z"
    assert subject["activityEndDate"] == "2026-09-20T00:00:00Z"
    assert subject["creditsEarned"] == 0.5
    assert badge["awardedDate"] == "2026-09-20T00:00:00Z"
    assert badge["validFrom"] == "2026-09-21T14:13:20Z"
    assert badge["validUntil"] == "2029-09-20T14:13:20Z"


def test_a_result_refers_to_the_grade_it_is_one_of(badge: dict[str, Any]) -> None:
    (result,) = badge["credentialSubject"]["result"]
    (description,) = badge["credentialSubject"]["achievement"]["resultDescription"]
    assert result["resultDescription"] == description["id"]
    assert result["value"] == "87.5"
    assert description["resultType"] == "Percent"


def test_the_email_is_hashed_with_the_salt_and_the_name_is_not(badge: dict[str, Any]) -> None:
    name, email = badge["credentialSubject"]["identifier"]
    assert (name["identityHash"], name["hashed"]) == ("Zoé Lefèvre-N'Diaye", False)
    expected = hashlib.sha256(f"zoe@example.org{SALT}".encode()).hexdigest()
    assert email["identityHash"] == f"sha256${expected}"
    assert (email["hashed"], email["salt"]) == (True, SALT)
    assert "zoe@example.org" not in str(badge)


def test_the_published_example_of_a_hashed_email_is_met(
    template: Template, profile: IssuerProfile
) -> None:
    row = Row(line=2, name="A", email="a@example.com")
    badge = Builder(template, profile).build(
        row, credential_id="urn:uuid:1", salt="Kosher", valid_from=NOW
    )
    _, email = badge["credentialSubject"]["identifier"]
    # Open Badges 3.0, IdentityHash: the hash of `a@example.comKosher`.
    digest = "b5809d8a92f8858436d7e6b87c12ebc0ae1eac4baecc2c0b913aee2c922ef399"
    assert email["identityHash"] == f"sha256${digest}"


def test_a_learner_known_by_name_alone_gets_a_badge(
    template: Template, profile: IssuerProfile
) -> None:
    badge = built(template, profile, Row(line=2, name="王芳"))
    assert check_shape(badge) == ()
    assert badge["credentialSubject"].keys() == {"type", "identifier", "achievement"}
    assert "awardedDate" not in badge


def test_the_issuers_homes_are_in_its_profile(
    badge: dict[str, Any], profile: IssuerProfile
) -> None:
    assert badge["issuer"]["otherIdentifier"] == [
        {
            "type": "IdentifierEntry",
            "identifierType": "ext:ledgerIssuer",
            "identifier": str(profile.homes[0]),
        }
    ]
    assert homes_of(badge) == (str(profile.homes[0]),)
    assert issuer_id_of(badge) == profile.did


def test_an_issuer_may_say_no_more_than_its_name(template: Template, row: Row) -> None:
    badge = built(template, IssuerProfile("did:web:a.example", "A"), row)
    assert badge["issuer"] == {"id": "did:web:a.example", "type": ["Profile"], "name": "A"}
    assert homes_of(badge) == ()


@pytest.mark.parametrize(
    ("entries", "homes"),
    [
        ([{"identifierType": "ext:ledgerIssuer", "identifier": "a"}], ("a",)),
        ({"identifierType": "ext:ledgerIssuer", "identifier": "a"}, ("a",)),
        ([{"identifierType": "ext:UAI", "identifier": "a"}, 7, None, "x"], ()),
        ([{"identifierType": "ext:ledgerIssuer", "identifier": ["a"]}], ("",)),
        ([{"identifierType": "ext:ledgerIssuer"}], ("",)),
        (None, ()),
        ("ext:ledgerIssuer", ()),
    ],
)
def test_homes_are_read_as_they_are_spelled(entries: object, homes: tuple[str, ...]) -> None:
    assert homes_of({"issuer": {"otherIdentifier": entries}}) == homes


@pytest.mark.parametrize(
    "credential", [{}, {"issuer": None}, {"issuer": "did:a:b"}, {"issuer": []}]
)
def test_an_issuer_that_is_no_object_names_no_homes(credential: dict[str, Any]) -> None:
    assert homes_of(credential) == ()


def test_every_element_of_annex_i_is_an_alignment(template: Template) -> None:
    full = replace(
        template,
        ects="0.1",
        eqf=3,
        cycle="first",
        recognised_by=(Link("The Guild", "https://guild.example"),),
    )
    found = alignments(full)
    assert found.keys() == {
        "LearningOutcome",
        "ThematicArea",
        "NotionalWorkload",
        "CreditSystem",
        "EQFLevel",
        "EHEACycle",
        "AssessmentType",
        "Supervision",
        "ParticipationForm",
        "QualityAssurance",
        "StacksTo",
        "RecognisedBy",
        "FurtherInformation",
    }
    assert len(found["LearningOutcome"]) == 3
    assert found["NotionalWorkload"][0]["targetCode"] == "PT5M"
    assert found["CreditSystem"][0]["targetCode"] == "0.1"
    assert found["EQFLevel"][0]["targetUrl"] == "http://data.europa.eu/snb/eqf/3"
    assert found["RecognisedBy"][0]["targetName"] == "The Guild"


def test_an_outcome_without_an_entry_points_at_the_course(template: Template) -> None:
    urls = [entry["targetUrl"] for entry in alignments(template)["LearningOutcome"]]
    assert urls == [f"{template.url}#outcome-{n}" for n in (1, 2, 3)]


def test_a_badge_says_plainly_when_nobody_recognises_it(badge: dict[str, Any]) -> None:
    assert badge["description"].startswith("Aucun organisme n'a déclaré reconnaître")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fr-FR", "Selon l'émetteur, reconnue par : A (https://a.example), B (https://b.example)."),
        ("de", "The issuer says that it is recognised by: A (https://a.example), B"),
    ],
)
def test_who_recognises_a_badge_is_the_issuers_word(
    template: Template, language: str, words: str
) -> None:
    bodies = (Link("A", "https://a.example"), Link("B", "https://b.example"))
    assert recognition(replace(template, language=language, recognised_by=bodies)).startswith(words)


def test_prerequisites_stand_under_the_criteria(template: Template) -> None:
    narrative = format_achievement(template)["criteria"]["narrative"]
    assert narrative == f"{template.criteria}\n\nPrérequis : aucun"
    alone = format_achievement(replace(template, prerequisites=None))["criteria"]["narrative"]
    assert alone == template.criteria


@pytest.mark.parametrize(("text", "value"), [("2", 2), ("0.5", 0.5)])
def test_a_whole_decimal_is_an_integer_in_json(text: str, value: float) -> None:
    assert json_number(text) == value
    assert type(json_number(text)) is type(value)


def test_ids_and_salts_are_random() -> None:
    ids = {draw_id() for _ in range(100)}
    assert len(ids) == 100
    version4 = r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    assert all(re.fullmatch(version4, one) for one in ids)
    assert len({draw_salt() for _ in range(100)}) == 100
    assert len(draw_salt()) == 32


@pytest.mark.parametrize(
    ("grade", "score", "problem"),
    [
        (None, "87", "the template has no [grade]"),
        (GRADE, "100.5", "100.5 is not from 0 to 100"),
        (GRADE, "59.9", "59.9 is below 60"),
        (replace(GRADE, lowest="10", required=None), "9", "9 is not from 10 to 100"),
    ],
)
def test_a_score_must_fit_the_grade(
    template: Template, profile: IssuerProfile, grade: Grade | None, score: str, problem: str
) -> None:
    builder = Builder(replace(template, grade=grade), profile)
    rows = [Row(2, "Ana"), Row(3, "Bo", score=score), Row(4, "Cy", score=score)]
    with pytest.raises(RosterError) as caught:
        builder.check_rows(rows)
    assert [(found.line, found.column) for found in caught.value.problems] == [
        (3, "score"),
        (4, "score"),
    ]
    assert problem in caught.value.message


def test_scores_that_fit_are_accepted(template: Template, profile: IssuerProfile) -> None:
    rows = [Row(2, "Ana", score="60"), Row(3, "Bo", score="100"), Row(4, "Cy")]
    Builder(template, profile).check_rows(rows)

"""A template in the terms of Open Badges 3.0: an `Achievement` with its alignments.

Open Badges has terms for a title, criteria, credits and a grade. The other elements of
Annex I become `alignment` entries whose `targetType` says which element it is:

    ext:LearningOutcome  ext:EQFLevel  ext:EHEACycle  ext:CreditSystem
    ext:NotionalWorkload  ext:AssessmentType  ext:Supervision  ext:ParticipationForm
    ext:QualityAssurance  ext:ThematicArea  ext:StacksTo  ext:RecognisedBy
    ext:FurtherInformation

An alignment must have a `targetUrl`; what has no vocabulary entry points at the course.

Source: Open Badges 3.0, classes Achievement, Alignment and ResultDescription.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from ledger.credentials.template import Grade, Template
from ledger.credentials.vocabulary import (
    ASSESSMENTS,
    CYCLES,
    ECTS,
    PARTICIPATIONS,
    QUALITIES,
    SUPERVISIONS,
    eqf_level,
    isced_field,
)

_RESULT_TYPES: Final = {"percent": "Percent", "points": "RawScore"}


class _Words(NamedTuple):
    """Sentences that every badge of a language carries."""

    prerequisites: str
    recognised: str
    unrecognised: str


_WORDS: Final = {
    "en": _Words(
        "Prerequisites: {}",
        "The issuer says that it is recognised by: {}.",
        "No body has said that it recognises this micro-credential. "
        "It stands for what its criteria say, and its issuer answers for it.",
    ),
    "fr": _Words(
        "Prérequis : {}",
        "Selon l'émetteur, reconnue par : {}.",
        "Aucun organisme n'a déclaré reconnaître cette micro-certification. "
        "Elle atteste ce que disent ses critères, et son émetteur en répond.",
    ),
}
"""By language; the others get English."""


def format_achievement(template: Template) -> dict[str, Any]:
    """Return the `achievement` that every badge of `template` carries."""
    optional = {
        "version": template.version,
        "tag": list(template.tags),
        "creditsAvailable": json_number(template.ects) if template.ects else None,
        "resultDescription": [_result_description(template, template.grade)]
        if template.grade
        else None,
    }
    return {
        "id": template.url,
        "type": ["Achievement"],
        "achievementType": "MicroCredential",
        "name": template.title,
        "description": template.description,
        "inLanguage": template.language,
        "criteria": {"narrative": _criteria(template)},
        "alignment": list(_alignments(template)),
        **{name: value for name, value in optional.items() if value},
    }


def recognition(template: Template) -> str:
    """Return who recognises the badge, or that nobody said so, in the template's language."""
    words = _words(template)
    bodies = ", ".join(f"{body.name} ({body.url})" for body in template.recognised_by)
    return words.recognised.format(bodies) if bodies else words.unrecognised


def result_id(template: Template) -> str:
    """Return the id under which a learner's result names the grade it is one of."""
    return f"{template.url}#grade"


def json_number(decimal: str) -> int | float:
    """Return a decimal as JSON writes it: a whole one is an integer."""
    return float(decimal) if "." in decimal else int(decimal)


def _words(template: Template) -> _Words:
    return _WORDS.get(template.language.partition("-")[0], _WORDS["en"])


def _criteria(template: Template) -> str:
    if template.prerequisites is None:
        return template.criteria
    return (
        template.criteria + "\n\n" + _words(template).prerequisites.format(template.prerequisites)
    )


def _result_description(template: Template, grade: Grade) -> dict[str, Any]:
    description = {
        "id": result_id(template),
        "type": ["ResultDescription"],
        "name": grade.name,
        "resultType": _RESULT_TYPES[grade.unit],
        "valueMin": grade.lowest,
        "valueMax": grade.highest,
    }
    return description | ({"requiredValue": grade.required} if grade.required else {})


def _alignment(kind: str, name: str, url: str, **more: str | None) -> dict[str, Any]:
    """Return one entry; `more` is its `targetCode` and `targetFramework`, where it has them."""
    return {
        "type": ["Alignment"],
        "targetType": f"ext:{kind}",
        "targetName": name,
        "targetUrl": url,
        **{member: value for member, value in more.items() if value is not None},
    }


def _alignments(template: Template) -> Iterator[dict[str, Any]]:
    yield from _what_was_learnt(template)
    yield from _how_much(template)
    yield from _how(template)
    yield from _what_it_leads_to(template)


def _what_was_learnt(template: Template) -> Iterator[dict[str, Any]]:
    for n, outcome in enumerate(template.outcomes, 1):
        url = outcome.url or f"{template.url}#outcome-{n}"
        yield _alignment("LearningOutcome", outcome.text, url, targetFramework=outcome.framework)
    if template.field:
        yield _alignment(
            "ThematicArea",
            f"ISCED-F {template.field}",
            isced_field(template.field),
            targetCode=template.field,
            targetFramework="ISCED-F 2013",
        )


def _how_much(template: Template) -> Iterator[dict[str, Any]]:
    minutes = template.workload_minutes
    yield _alignment("NotionalWorkload", f"{minutes} min", template.url, targetCode=f"PT{minutes}M")
    if template.ects:
        yield _alignment("CreditSystem", ECTS.label, ECTS.url, targetCode=template.ects)
    if template.eqf:
        level = eqf_level(template.eqf)
        yield _alignment(
            "EQFLevel",
            level.label,
            level.url,
            targetCode=str(template.eqf),
            targetFramework="European Qualifications Framework",
        )
    if template.cycle:
        yield _alignment("EHEACycle", CYCLES[template.cycle], template.url)


def _how(template: Template) -> Iterator[dict[str, Any]]:
    for word in template.assessments:
        yield _alignment("AssessmentType", *ASSESSMENTS[word])
    if template.supervision:
        yield _alignment("Supervision", *SUPERVISIONS[template.supervision])
    yield _alignment("ParticipationForm", *PARTICIPATIONS[template.participation])
    yield _alignment("QualityAssurance", *QUALITIES[template.quality])


def _what_it_leads_to(template: Template) -> Iterator[dict[str, Any]]:
    for kind, links in (
        ("StacksTo", template.stacks_to),
        ("RecognisedBy", template.recognised_by),
        ("FurtherInformation", template.further),
    ):
        for link in links:
            yield _alignment(kind, link.name, link.url)

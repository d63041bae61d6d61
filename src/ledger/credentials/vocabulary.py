"""The words a template may use, and the European vocabulary entries they stand for.

Only what short courses use is here, under words an issuer would type. An entry is the
pair of its English label and its address.

Source: EU Vocabularies (European Learning Model): assessment, learning modes,
accreditation, supervision and verification, EQF levels, ISCED-F 2013 fields.
"""

from typing import Final, NamedTuple

_EU: Final = "http://data.europa.eu/snb/"


class Concept(NamedTuple):
    """An entry of a controlled vocabulary."""

    label: str
    url: str


ASSESSMENTS: Final = {
    "quiz": Concept("quiz", _EU + "assessment/b1b68f6735"),
    "written-exam": Concept("written examination", _EU + "assessment/6e6cb2cc78"),
    "oral-exam": Concept("oral examination", _EU + "assessment/d30284d7df"),
    "practical": Concept("practical assessment", _EU + "assessment/6a4db9f11d"),
    "assignment": Concept("marked assignment", _EU + "assessment/2939dae15f"),
    "project": Concept("project work", _EU + "assessment/795dac4096"),
    "portfolio": Concept("portfolio", _EU + "assessment/4f03b91c0e"),
    "continuous": Concept("continuous evaluation", _EU + "assessment/3484bd7e51"),
    "attendance": Concept("level of attendance", _EU + "assessment/7331eb4762"),
}

PARTICIPATIONS: Final = {
    "online": Concept("Online", _EU + "learning-assessment/920fbb3cbe"),
    "on-site": Concept("Presential", _EU + "learning-assessment/9191af2ed9"),
    "blended": Concept("Blended", _EU + "learning-assessment/e92d221e4d"),
    "at-work": Concept("Workbased", _EU + "learning-assessment/729f3bed4b"),
}

QUALITIES: Final = {
    "institution": Concept("Institutional Quality Assurance", _EU + "accreditation/bb4618238e"),
    "programme": Concept("Program Quality Assurance", _EU + "accreditation/820101cba6"),
}

_SUPERVISION_LIST: Final = _EU + "supervision-verification/25831c2"
"""The vocabulary itself, where the label alone says which entry is meant."""

SUPERVISIONS: Final = {
    "none": Concept(
        "Unsupervised without ID Verification", _EU + "supervision-verification/c598449d64"
    ),
    "supervised": Concept("Supervised without ID verification", _SUPERVISION_LIST),
    "supervised-with-id": Concept("Supervised with ID verification", _SUPERVISION_LIST),
}

CYCLES: Final = {
    "short": "Short cycle",
    "first": "First cycle",
    "second": "Second cycle",
    "third": "Third cycle",
}
"""Of the European Higher Education Area; they have no vocabulary entry."""

ECTS: Final = Concept("European Credit Transfer System", _EU + "education-credit/6fcec5c5af")


def eqf_level(level: int) -> Concept:
    """Return level 1 to 8 of the European Qualifications Framework."""
    return Concept(f"EQF level {level}", f"{_EU}eqf/{level}")


def isced_field(code: str) -> str:
    """Return the address of a field of study, given its two to four digits."""
    return f"{_EU}isced-f/{code}"

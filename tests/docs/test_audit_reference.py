"""The page about audits lists the findings that there are."""

import re
from pathlib import Path

from ledger.audit.findings import FindingCode

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "audit.md"


def test_every_finding_is_documented_and_no_other() -> None:
    documented = re.findall(r"^\| `([a-z-]+-[a-z]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert sorted(documented) == sorted(map(str, FindingCode))

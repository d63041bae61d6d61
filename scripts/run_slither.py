"""Run slither over the contract; fail on a finding that nobody has answered, or on a stale answer.

Slither needs a web3 of its own, so it lives in `.venv/analysis` (requirements/analysis.txt).
It reads what forge compiled, in a folder of its own: forge keeps one build for each purpose.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
SLITHER: Final = ROOT / ".venv" / "analysis" / "bin" / "slither"
WORK: Final = ROOT / "cache" / "slither"

_TIMES: Final = "0007: times are told in seconds and a block producer may shift them by a few"
_SAME_RECORD: Final = "0007: no time is compared; the record beside it holds one"
_ASSEMBLY: Final = "0007: assembly where it pays, with a plain twin in the tests"

ANSWERED: Final = {
    ("timestamp", "accredit"): _TIMES,
    ("timestamp", "anchorBySig"): _TIMES,
    ("timestamp", "reportCompromise"): _TIMES,
    ("timestamp", "withdrawAccreditation"): _TIMES,
    ("timestamp", "_holds"): _TIMES,
    ("timestamp", "acceptOwnership"): _SAME_RECORD,
    ("timestamp", "_checkIssuer"): _SAME_RECORD,
    ("timestamp", "_checkOwner"): _SAME_RECORD,
    ("assembly", "_climb"): _ASSEMBLY,
    ("assembly", "_log"): _ASSEMBLY,
    ("assembly", "leafOf"): _ASSEMBLY,
}
"""Detector and function of each finding, and the decision record that answers it."""


def find() -> dict[tuple[str, str], str]:
    """Return slither's findings, each with its description, by detector and function."""
    report = WORK / "report.json"
    # Slither writes no report over an old one.
    report.unlink(missing_ok=True)
    folders = {"FOUNDRY_OUT": str(WORK / "out"), "FOUNDRY_CACHE_PATH": str(WORK / "cache")}
    environment = os.environ | folders
    build = ["forge", "build", "--build-info", "contracts/src"]
    subprocess.run(build, cwd=ROOT, env=environment, check=True)
    read: list[str | Path] = [
        SLITHER,
        ".",
        "--ignore-compile",
        "--foundry-out-directory",
        WORK / "out",
        "--json",
        report,
    ]
    # It exits with 255 when it finds something; what it says of itself is in the report.
    subprocess.run(read, cwd=ROOT, env=environment, check=False, capture_output=True)
    result = json.loads(report.read_text("utf-8"))
    if not result["success"]:
        sys.exit(f"slither failed: {result['error']}")
    return {
        (finding["check"], finding["elements"][0]["name"]): finding["description"]
        for finding in result["results"].get("detectors", [])
    }


def main() -> int:
    """Print each finding and its answer; return 1 when one has none, or an answer no finding."""
    found = find()
    if not found:
        # Its own three assembly blocks are always found: nothing at all means nothing was read.
        sys.exit("slither read no contract")
    for finding, description in sorted(found.items()):
        print(f"{finding[0]} in {finding[1]}: {ANSWERED.get(finding, 'NOT ANSWERED')}")
        if finding not in ANSWERED:
            print(description)
    stale = ANSWERED.keys() - found.keys()
    for detector, function in sorted(stale):
        print(f"{detector} in {function}: answered, but no longer found")
    return int(found.keys() != ANSWERED.keys())


if __name__ == "__main__":
    sys.exit(main())

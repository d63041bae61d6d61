"""Fail unless the contract's tests run every line of contracts/src; print the branches beside it.

forge has no such gate of its own, and compiles for coverage without the optimizer: so the
invariants (which take long) and the gas budgets (which mean nothing there) are left out.

Source: geninfo(1), "TRACEFILE FORMAT".
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
WORK: Final = ROOT / "cache" / "coverage"
SOURCES: Final = "contracts/src/"

COUNTS: Final = ("LF", "LH", "BRF", "BRH")
"""Lines found and hit, branches found and hit."""

Counts = dict[str, int]

_CODE: Final = re.compile(r"^(abstract )?(contract|library) ", re.MULTILINE)


def measure() -> str:
    """Run the tests with every line counted; return what forge wrote, in lcov's format."""
    report = WORK / "lcov.info"
    # A report of an earlier run must not speak for this one.
    report.unlink(missing_ok=True)
    WORK.mkdir(parents=True, exist_ok=True)
    # forge keeps one build for each purpose.
    folders = {"FOUNDRY_OUT": str(WORK / "out"), "FOUNDRY_CACHE_PATH": str(WORK / "cache")}
    command = ["forge", "coverage", "--report", "lcov", "--report-file", str(report)]
    command += ["--no-match-contract", "(Invariant|^Gas)Test$"]
    environment = os.environ | folders | {"FOUNDRY_FUZZ_RUNS": "100"}
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )
    if ended.returncode:
        sys.exit(ended.stdout + ended.stderr)
    return report.read_text("utf-8")


def parse(lcov: str) -> dict[str, tuple[Counts, list[int]]]:
    """Return the counts of each file of ours, and the lines that no test ran."""
    found: dict[str, tuple[Counts, list[int]]] = {}
    for record in lcov.split("end_of_record"):
        counts = {}
        missed = []
        name = ""
        for line in record.split():
            key, _, value = line.partition(":")
            if key == "SF":
                name = value
            elif key in COUNTS:
                counts[key] = int(value)
            elif key == "DA" and value.split(",")[1] == "0":
                missed.append(int(value.split(",")[0]))
        if name.startswith(SOURCES):
            found[name] = counts, missed
    return found


def main() -> int:
    """Print a line a file; return 1 when a line of one was not run."""
    files = parse(measure())
    # A file with code that forge left out must not pass for covered; an interface has none.
    expected = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / SOURCES).rglob("*.sol")
        if _CODE.search(path.read_text("utf-8"))
    }
    if files.keys() != expected:
        sys.exit(f"forge measured {sorted(files)}, not {sorted(expected)}")
    for name, (counts, missed) in sorted(files.items()):
        lines, ran, branches, taken = (counts[count] for count in COUNTS)
        print(f"{name}: {ran} of {lines} lines, {taken} of {branches} branches")
        for line in missed:
            print(f"{name}:{line}: no test runs this line")
    return int(
        any(counts["LF"] == 0 or counts["LH"] < counts["LF"] for counts, _ in files.values())
    )


if __name__ == "__main__":
    sys.exit(main())

"""Run a module to its end and say what it took."""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """What a finished process took, and what it said."""

    cpu_seconds: float
    peak_mib: float
    printed: bytes


def python(module: str, *arguments: object) -> Usage:
    """Run `python -m module arguments`; one that fails ends the run."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise RuntimeError(f"{command} ended with {process.returncode}")
        output.seek(0)
        return Usage(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, output.read())

"""`python -m benchmarks.gas [--check]`."""

import json
import sys
import tomllib

from benchmarks.gas import ours, paths, peers
from benchmarks.gas.chain import Chain, running_chain
from benchmarks.gas.figures import Run
from benchmarks.gas.paths import ROOT
from benchmarks.gas.report import format_page

PAGE = ROOT / "docs" / "reference" / "gas.md"


def measure() -> Run:
    """Measure everything on one chain."""
    with running_chain() as chain:
        issuer = ours.Issuer(chain)
        return Run(
            hardfork=chain.hardfork(),
            anvil=_client(chain),
            compiler=_compiler(),
            peers_from=(peers.version_of(peers.EAS), peers.version_of(peers.OPENZEPPELIN)),
            ours=tuple(ours.measure(issuer)),
            peers=tuple(peers.measure(chain)),
            paths=tuple(paths.measure(issuer)),
        )


def _client(chain: Chain) -> str:
    name: str = chain.rpc.call("web3_clientVersion", [])
    return name


def _compiler() -> str:
    profile = tomllib.loads((ROOT / "foundry.toml").read_text("utf-8"))["profile"]["default"]
    solc = json.loads((ROOT / "node_modules" / "solc" / "package.json").read_text("utf-8"))
    return (
        f"solc {solc['version']}, {profile['optimizer_runs']:,} optimizer runs, "
        f"{'via IR, ' if profile['via_ir'] else ''}for {profile['evm_version']}"
    )


def main() -> int:
    """Measure; write the page or, with --check, compare it. 1 when that or a budget fails."""
    run = measure()
    page = format_page(run)
    print(page)
    failed = False
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page, "utf-8")
    elif PAGE.read_text("utf-8") != page:
        print(f"{PAGE.relative_to(ROOT)} differs: run python -m benchmarks.gas", file=sys.stderr)
        failed = True
    for figure in run.over_budget():
        message = f"over budget: {figure.name}, {figure.gas:,} of {figure.budget:,}"
        print(message, file=sys.stderr)
        failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

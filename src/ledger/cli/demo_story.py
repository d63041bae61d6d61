"""What the scenes of `ledger demo` share: the chain, the issuer, verdicts that must be right."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

from ledger.chain.devchain import CHAIN, DevChain, free_port
from ledger.cli.chain import fund_keys
from ledger.cli.installation import Installation
from ledger.cli.issuer import register_issuer
from ledger.cli.output import show
from ledger.cli.setup import create_installation, deploy_registry, migrate_database
from ledger.clock import now
from ledger.errors import ConflictError
from ledger.issuers.store import Issuer, Profile
from ledger.primitives import Home, format_address
from ledger.verification.checks import verify
from ledger.verification.policy import TrustPolicy, parse_policy

TEMPLATE: Final = "rgpd.toml"
ROSTER: Final = "learners.csv"
ISSUER_NAME: Final = "Université de Démonstration"


@dataclass
class Price:
    """What a scene costs on chain."""

    gas: int = 0
    badges: int = 1
    """How many share it."""


class Story:
    """One demo, from an empty folder to its end."""

    def __init__(self, folder: Path, chain: DevChain, installation: Installation) -> None:
        self.folder = folder
        self.chain = chain
        self.installation = installation
        self.issuer: Issuer
        self.files: list[Path] = []
        """The badges, in the order of their names."""
        self.rules_proof: Path
        """The proof file of the file that is no badge."""
        self.ministry: Home
        """Who vouches for the issuer."""
        self.costs: list[tuple[str, int, str, str]] = []
        self._scenes = 0

    @classmethod
    def begin(cls, folder: Path, rows: int) -> "Story":
        """Start a chain, and set up an issuer on it."""
        port = free_port()
        chain = DevChain.start(folder / "home" / "devchain", port=port)
        try:
            home = install(folder / "home", chain.url, folder / "password", port=port)
            story = cls(folder, chain, home)
            story._set_up(rows)
        except BaseException:
            chain.stop()
            raise
        return story

    def _set_up(self, rows: int) -> None:
        self.title(f"A local chain, the registry, and an issuer: {ISSUER_NAME}")
        deploy_registry(self.installation)
        profile = Profile(
            self.installation.did(),
            ISSUER_NAME,
            "https://univ.example.org",
            "FR",
            "Île-de-France",
        )
        self.issuer = register_issuer(self.installation, profile)
        _copy_examples(self.folder, rows)
        show(f"   registry  {format_address(self.installation.registry)}")
        show(f"   home      {self.installation.home_of(self.issuer.number)}")
        show(f"   DID       {profile.did}")

    def title(self, text: str) -> None:
        """Begin a scene."""
        if self._scenes:
            show()
        self._scenes += 1
        show(f"{self._scenes}. {text}")

    @contextmanager
    def priced(self, what: str) -> Iterator[Price]:
        """Note what the block costs: its seconds, and the gas that it writes down."""
        started = time.monotonic()
        price = Price()
        yield price
        seconds = f"{time.monotonic() - started:.1f}"
        each = f"{price.gas / price.badges:,.1f}" if price.gas else "-"
        self.costs.append((what, price.gas, seconds, each))

    def manifest(self) -> dict[str, Any]:
        """Return where everything is, for `demo.json`."""
        settings = self.installation.settings
        return {
            "home": str(settings.home),
            "rpc": self.chain.url,
            "registry": format_address(self.installation.registry),
            "issuer": self.issuer.number,
            "policy": str(settings.policy),
            "badges": str(self.folder / "badges"),
            "database": settings.database,
        }

    def next_commands(self, *, running: bool) -> list[str]:
        """Return what to type next, word for word."""
        command = shown(Path(sys.argv[0]))
        home = shown(self.installation.settings.home)
        badges = [shown(path) for path in self.files[:3]]
        tampered = shown(self.folder / "scenes" / "tampered.json")
        start = [] if running else [f"  {command} chain start --home {home} &"]
        return [
            "Try next" + ("" if running else " (the first line brings the chain back)") + ":",
            *start,
            f"  {command} verify {badges[0]} --home {home}",
            f"  {command} verify {tampered} --home {home}",
            f"  {command} revoke {self.files[-1].stem} --reason superseded --home {home}",
            f"  {command} verify {shown(self.files[-1])} --home {home}",
            f"  {command} status --home {home}",
            f"  {command} audit --home {home}",
        ]

    def policy(self) -> TrustPolicy:
        """Return what the issuer's own installation believes."""
        return parse_policy(self.installation.settings.policy.read_text("utf-8"))

    def write(self, name: str, content: dict[str, Any]) -> Path:
        """Write a file of a scene and return where it is."""
        path = self.folder / "scenes" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
        return path

    def expect(
        self,
        verdict: str,
        badge: Path,
        *,
        because: str = "",
        document: Path | None = None,
        policy: TrustPolicy | None = None,
        detail: bool = False,
    ) -> None:
        """Verify a file and show what came out; `because` is the check that is shown.

        Raises:
            ConflictError: the verdict is not the expected one, or that check passed although
                the verdict is bad.

        """
        started = time.monotonic()
        report = verify(
            badge.read_bytes(),
            document=document.read_bytes() if document else None,
            policy=policy or self.policy(),
            now=now(),
        )
        seconds = time.monotonic() - started
        deciding = [check for check in report.checks if check.code == because]
        is_odd = any((check.outcome == "passed") is not (verdict == "valid") for check in deciding)
        if report.verdict != verdict or is_odd:
            raise ConflictError(
                "demo-failed", f"{badge} is {report.verdict}, and should be {verdict}"
            )
        show(f"   {shown(badge)}: {report.verdict.upper()} in {seconds:.2f} s")
        for check in report.checks if detail else deciding:
            show(f"   {check.number:>5} {check.code:<10} {check.outcome:<8} {check.message}")


def shown(path: Path) -> str:
    """Return a path as one types it here: relative when it is below this folder."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def install(folder: Path, url: str, password: Path, *, port: int | None) -> Installation:
    """Make an installation on the demo's chain and fund its keys."""
    create_installation(
        folder,
        rpc=[url],
        chain=CHAIN,
        password_file=password,
        devchain_port=port,
        light_keys=True,
    )
    migrate_database(folder)
    installation = Installation.open(folder)
    fund_keys(installation)
    return installation


def _copy_examples(folder: Path, rows: int) -> None:
    """Copy the bundled template and the first learners of the bundled roster."""
    examples = resources.files("ledger.credentials").joinpath("examples")
    template = examples.joinpath(TEMPLATE).read_text("utf-8")
    (folder / "template.toml").write_text(template, "utf-8")
    lines = examples.joinpath(ROSTER).read_text("utf-8").splitlines(keepends=True)
    (folder / "learners.csv").write_text("".join(lines[: rows + 1]), "utf-8")

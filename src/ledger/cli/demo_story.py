"""The scenes of `ledger demo`, each with a verdict that it checks before it shows it."""

import json
import sys
import time
import uuid
from importlib import resources
from pathlib import Path
from typing import Any, Final

from ledger.batches.delivery import ProofWriter
from ledger.chain.devchain import CHAIN, DevChain, free_port
from ledger.chain.registry.calls import StatusAction
from ledger.cli.anchoring import anchor_waiting
from ledger.cli.auditing import audit_installation
from ledger.cli.chain import fund_keys, start_chain
from ledger.cli.changing_status import change
from ledger.cli.installation import Installation
from ledger.cli.issuer import register_issuer
from ledger.cli.issuing import issue_rows, read_inputs
from ledger.cli.output import show
from ledger.cli.setup import create_installation, deploy_registry, migrate_database
from ledger.clock import now
from ledger.credentials.canonical import credential_digest, embed, without_anchor_proof
from ledger.credentials.store import NewCredential, add_credentials, find_credential
from ledger.errors import ConflictError
from ledger.issuers.store import Issuer, Profile
from ledger.primitives import Canonicalization, format_address
from ledger.proofs.file import format_embedded
from ledger.verification.checks import verify
from ledger.verification.policy import parse_policy

TEMPLATE: Final = "rgpd.toml"
ROSTER: Final = "learners.csv"
ISSUER_NAME: Final = "Université de Démonstration"


class Story:
    """One demo, from an empty folder to its end."""

    def __init__(self, folder: Path, chain: DevChain, installation: Installation) -> None:
        self.folder = folder
        self.chain = chain
        self.installation = installation
        self.costs: list[tuple[str, int, str, str]] = []
        self._issuer: Issuer
        self._files: list[Path] = []

    @classmethod
    def begin(cls, folder: Path, rows: int) -> "Story":
        """Start a chain, and set up an issuer on it."""
        show(f"1. A local chain, the registry, and an issuer: {ISSUER_NAME}")
        port = free_port()
        chain = DevChain.start(folder / "home" / "devchain", port=port)
        try:
            installation = _install(folder / "home", chain.url, folder / "password", port=port)
            story = cls(folder, chain, installation)
            story._set_up(rows)
        except BaseException:
            chain.stop()
            raise
        return story

    def _set_up(self, rows: int) -> None:
        deploy_registry(self.installation)
        profile = Profile(
            self.installation.did(),
            ISSUER_NAME,
            "https://univ.example.org",
            "FR",
            "Île-de-France",
        )
        self._issuer = register_issuer(self.installation, profile)
        _copy_examples(self.folder, rows)
        show(f"   registry  {format_address(self.installation.registry)}")
        show(f"   home      {self.installation.home_of(self._issuer.number)}")
        show(f"   DID       {profile.did}")

    def issue(self) -> None:
        """Turn the bundled roster into signed credentials."""
        show()
        show("2. A roster and a template become signed Open Badges")
        started = time.monotonic()
        inputs = read_inputs(self.folder / "learners.csv", self.folder / "template.toml")
        issued = issue_rows(self.installation, self._issuer, *inputs)
        seconds = time.monotonic() - started
        self.costs.append((f"sign {issued.new} badges", 0, f"{seconds:.1f}", "-"))
        show(f"   {issued.new} credentials in {seconds:.1f} s")

    def anchor(self) -> None:
        """Anchor them with one transaction."""
        show()
        show("3. One transaction anchors them all, and every badge gets its proof")
        started = time.monotonic()
        (batch,) = anchor_waiting(self.installation, self._issuer.number, self.folder / "badges")
        seconds = time.monotonic() - started
        gas = batch.gas_used or 0
        self.costs.append(
            (f"anchor {batch.size} badges", gas, f"{seconds:.1f}", f"{gas / batch.size:.1f}")
        )
        self._files = sorted((self.folder / "badges").glob("*-*.json"))
        show(f"   root      {batch.root.hex()}, {batch.size} leaves, {gas:,} gas")
        show(f"   badges    {len(self._files)} files in badges/, listed in badges/batch-1.csv")

    def verify(self) -> None:
        """Verify one badge."""
        show()
        show("4. A verifier checks one badge against the chain")
        self._expect(self._files[0], "valid", detail=True)

    def tamper(self) -> None:
        """Change one character of it."""
        show()
        show("5. The same badge with one changed character")
        content = json.loads(self._files[0].read_text("utf-8"))
        achievement = content["credentialSubject"]["achievement"]
        name = achievement["name"]
        achievement["name"] = ("X" if name[0] != "X" else "Y") + name[1:]
        self._expect(self._scene("tampered.json", content), "invalid", because="digest")

    def revoke(self) -> None:
        """Revoke another one."""
        show()
        show("6. The issuer revokes another badge")
        started = time.monotonic()
        badge = self._files[1]
        (transaction,) = change(
            self.installation, StatusAction.REVOKE, [badge.stem], "issued-in-error"
        )
        receipt = self.installation.rpc.call(
            "eth_getTransactionReceipt", ["0x" + transaction.hex()]
        )
        gas = int(receipt["gasUsed"], 16)
        seconds = time.monotonic() - started
        self.costs.append(("revoke one badge", gas, f"{seconds:.1f}", f"{gas:.1f}"))
        self._expect(badge, "invalid", because="status")

    def launder(self) -> None:
        """Let a stranger register the same DID and anchor the revoked badge again."""
        show()
        show("7. A stranger registers the same DID and anchors the revoked badge again")
        badge = json.loads(self._files[1].read_text("utf-8"))
        laundered = _anchor_as_stranger(self.folder, self.chain.url, badge)
        self._expect(self._scene("laundered.json", laundered), "invalid", because="issuer")

    def audit(self) -> None:
        """Replay the whole history, and hold the issuer's records against it."""
        show()
        show("8. An auditor replays the registry's whole history from its logs")
        started = time.monotonic()
        report = audit_installation(
            self.installation.settings, self.folder / "badges", self.folder / "audit"
        )
        seconds = time.monotonic() - started
        if report.findings:
            raise ConflictError("demo-failed", f"the audit found: {report.findings[0]}")
        self.costs.append(("audit everything", 0, f"{seconds:.1f}", "-"))
        world = report.audit.world
        show(f"   {world.events} events of {len(world.issuers)} issuers lead to every head that")
        show("   the contract stores: none is missing, added, moved or altered.")
        show("   The issuer's database and badges agree. The report is audit/report.html")

    def stop_chain(self) -> None:
        """Stop the chain, verify, and start it again."""
        show()
        show("9. The chain is down: nobody can tell, so the verdict is unknown")
        self.chain.stop()
        self._expect(self._files[0], "unknown", because="anchor")
        self.chain = start_chain(self.installation.settings)
        show("   The chain is up again:")
        self._expect(self._files[0], "valid")

    def manifest(self) -> dict[str, Any]:
        """Return where everything is, for `demo.json`."""
        settings = self.installation.settings
        return {
            "home": str(settings.home),
            "rpc": self.chain.url,
            "registry": format_address(self.installation.registry),
            "issuer": self._issuer.number,
            "policy": str(settings.policy),
            "badges": str(self.folder / "badges"),
            "database": settings.database,
        }

    def next_commands(self, *, running: bool) -> list[str]:
        """Return what to type next, word for word."""
        command = _shown(Path(sys.argv[0]))
        home = _shown(self.installation.settings.home)
        badges = [_shown(path) for path in self._files[:3]]
        tampered = _shown(self.folder / "scenes" / "tampered.json")
        start = [] if running else [f"  {command} chain start --home {home} &"]
        return [
            "Try next" + ("" if running else " (the first line brings the chain back)") + ":",
            *start,
            f"  {command} verify {badges[0]} --home {home}",
            f"  {command} verify {tampered} --home {home}",
            f"  {command} revoke {self._files[-1].stem} --reason superseded --home {home}",
            f"  {command} verify {_shown(self._files[-1])} --home {home}",
            f"  {command} status --home {home}",
            f"  {command} audit --home {home}",
        ]

    def _scene(self, name: str, content: dict[str, Any]) -> Path:
        path = self.folder / "scenes" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
        return path

    def _expect(
        self, badge: Path, verdict: str, *, because: str = "", detail: bool = False
    ) -> None:
        """Verify a badge under the installation's policy, and show what came out.

        Raises:
            ConflictError: the verdict, or the check that decides it, is not the expected one.

        """
        started = time.monotonic()
        policy = parse_policy(self.installation.settings.policy.read_text("utf-8"))
        report = verify(badge.read_bytes(), document=None, policy=policy, now=now())
        seconds = time.monotonic() - started
        deciding = [check for check in report.checks if check.code == because]
        if report.verdict != verdict or any(check.outcome == "passed" for check in deciding):
            raise ConflictError(
                "demo-failed", f"{badge} is {report.verdict}, and should be {verdict}"
            )
        show(f"   {_shown(badge)}: {report.verdict.upper()} in {seconds:.2f} s")
        for check in report.checks if detail else deciding:
            show(f"   {check.number:>5} {check.code:<10} {check.outcome:<8} {check.message}")


def _shown(path: Path) -> str:
    """Return a path as one types it here: relative when it is below this folder."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _install(folder: Path, url: str, password: Path, *, port: int | None) -> Installation:
    """Make an installation on the demo's chain and fund its keys."""
    create_installation(folder, rpc=[url], chain=CHAIN, password_file=password, devchain_port=port)
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


def _anchor_as_stranger(folder: Path, url: str, badge: dict[str, Any]) -> dict[str, Any]:
    """Return `badge` with a sound anchor proof of somebody who registered its issuer's DID."""
    stranger = _install(folder / "stranger", url, folder / "password", port=None)
    issuer = register_issuer(stranger, Profile(badge["issuer"]["id"], "A stranger")).number
    digest = credential_digest(badge)
    public_id = str(uuid.uuid4())
    copied = NewCredential(public_id, digest, Canonicalization.RFC8785, None, None)
    with stranger.database.write() as tx:
        add_credentials(tx, issuer, [copied], now=now())
    (batch,) = anchor_waiting(stranger, issuer)
    with stranger.database.read() as tx:
        credential = find_credential(tx, public_id)
        assert credential is not None  # noqa: S101 - it was added above
        proof = ProofWriter(tx, batch, stranger.home_of(issuer)).proof(credential)
    return embed(without_anchor_proof(badge), format_embedded(proof))

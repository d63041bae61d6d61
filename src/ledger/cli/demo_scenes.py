"""The scenes of `ledger demo`, in the order in which they are told."""

import json
import uuid
from dataclasses import replace
from typing import Any, Final

from ledger.batches.delivery import ProofWriter
from ledger.batches.store import get_batch
from ledger.chain.keystore import KeyName
from ledger.chain.registry.calls import StatusAction
from ledger.chain.registry.slots import Role
from ledger.cli.anchoring import anchor_waiting
from ledger.cli.auditing import audit_installation
from ledger.cli.chain import fund_keys, start_chain
from ledger.cli.changing_status import change
from ledger.cli.demo_story import Story, install
from ledger.cli.issuer import register_issuer
from ledger.cli.issuing import issue_rows, read_inputs
from ledger.cli.operator import rotate_key
from ledger.cli.output import show
from ledger.clock import now
from ledger.credentials.canonical import credential_digest, embed, without_anchor_proof
from ledger.credentials.store import NewCredential, add_credentials, find_credential
from ledger.credentials.submitting import accept, read_offer
from ledger.errors import ConflictError
from ledger.issuers.registration import accredit, report_compromise
from ledger.issuers.store import Profile
from ledger.primitives import Canonicalization, format_address
from ledger.proofs.file import format_embedded

RULES: Final = "règlement.txt"
"""A file that is no credential."""


def issue(story: Story) -> None:
    """Turn the bundled roster into signed credentials."""
    story.title("A roster and a template become signed Open Badges")
    inputs = read_inputs(story.folder / "learners.csv", story.folder / "template.toml")
    with story.priced(f"sign {len(inputs[1])} badges"):
        issued = issue_rows(story.installation, story.issuer, *inputs)
    show(f"   {issued.new:,} credentials")


def be_accredited(story: Story) -> None:
    """Let a ministry vouch for the issuer."""
    story.title("A ministry, which verifiers know, vouches for the issuer")
    ministry = install(
        story.folder / "ministry", story.chain.url, story.folder / "password", port=None
    )
    number = register_issuer(
        ministry, Profile("did:web:ministere.example.org", "Ministère de Démonstration", None, "FR")
    ).number
    owner = ministry.sender(KeyName.OWNER)
    accredit(ministry.outbox, owner, ministry.registry, number, story.issuer.number, until=0)
    story.ministry = ministry.home_of(number)
    ministry.close()
    show(f"   {story.ministry} accredits issuer {story.issuer.number}, from now on")


def anchor(story: Story) -> None:
    """Anchor the credentials, and a file, with one transaction."""
    story.title("One transaction anchors them all, and a file besides; each gets its proof")
    rules = story.folder / RULES
    rules.write_text("Ce badge est donné à qui répond juste à six questions sur dix.\n", "utf-8")
    home = story.installation.home_of(story.issuer.number)
    offer = read_offer(rules.read_bytes(), RULES, did=story.issuer.profile.did, home=home)
    ids: list[str] = []
    database = story.installation.database
    accept(database, story.issuer.number, [offer], now=now(), on_ids=ids.extend)
    badges = story.folder / "badges"
    with story.priced("anchor all of it") as price:
        (batch,) = anchor_waiting(story.installation, story.issuer.number, badges)
        price.gas, price.badges = batch.gas_used or 0, batch.size
    story.rules_proof = (badges / f"{ids[0]}.proof.json").replace(rules.with_suffix(".proof.json"))
    story.files = sorted(badges.glob("*-*.json"))
    gas = batch.gas_used or 0
    show(f"   root      {batch.root.hex()}")
    show(f"   cost      {gas:,} gas, {gas / batch.size:.1f} for each of {batch.size:,}")
    show(f"   badges    {len(story.files):,} files in badges/, listed in badges/batch-1.csv")


def verify_badge(story: Story) -> None:
    """Verify one badge."""
    story.title("A verifier checks one badge against the chain")
    story.expect("valid", story.files[0], detail=True)


def verify_file(story: Story) -> None:
    """Verify the file with its proof beside it."""
    story.title("The file that is no badge, with its proof beside it")
    story.expect("valid", story.rules_proof, document=story.folder / RULES, because="digest")


def believe_the_ministry(story: Story) -> None:
    """Verify as somebody who knows the ministry and not the issuer."""
    story.title("A verifier who has never heard of the issuer, and believes the ministry")
    policy = replace(story.policy(), homes=(), accreditors=(story.ministry,))
    story.expect("valid", story.files[0], policy=policy, because="issuer")


def tamper(story: Story) -> None:
    """Change one character of a badge."""
    story.title("The same badge with one changed character")
    content = json.loads(story.files[0].read_text("utf-8"))
    achievement = content["credentialSubject"]["achievement"]
    name = achievement["name"]
    achievement["name"] = ("X" if name[0] != "X" else "Y") + name[1:]
    story.expect("invalid", story.write("tampered.json", content), because="digest")


def revoke(story: Story) -> None:
    """Revoke another one."""
    story.title("The issuer revokes another badge")
    badge = story.files[1]
    with story.priced("revoke one badge") as price:
        (transaction,) = change(
            story.installation, StatusAction.REVOKE, [badge.stem], "issued-in-error"
        )
        asked = ["0x" + transaction.hex()]
        receipt = story.installation.rpc.call("eth_getTransactionReceipt", asked)
        price.gas = int(receipt["gasUsed"], 16)
    story.expect("invalid", badge, because="status")


def launder(story: Story) -> None:
    """Let a stranger register the same DID and anchor the revoked badge again."""
    story.title("A stranger registers the same DID and anchors the revoked badge again")
    badge = json.loads(story.files[1].read_text("utf-8"))
    laundered = _anchor_as_stranger(story, badge)
    story.expect("invalid", story.write("laundered.json", laundered), because="issuer")


def lose_a_key(story: Story) -> None:
    """Report the anchor key as stolen, take a new one, and anchor again."""
    story.title("The anchor key was stolen before it anchored: nobody believes it any more")
    home = story.installation
    stolen, issuer = home.keystore.address(KeyName.ANCHOR), story.issuer.number
    with home.database.read() as tx:
        since = get_batch(tx, 1).anchored_at or 0
    owner = home.sender(KeyName.OWNER)
    report_compromise(home.outbox, owner, home.registry, issuer, stolen, since)
    story.expect("invalid", story.files[0], because="operator")
    show("   The issuer takes a new key and anchors the same root again:")
    _old, new, _aside = rotate_key(home, KeyName.ANCHOR, Role.ANCHOR)
    fund_keys(home)
    with story.priced("anchor it again with another key") as price:
        (batch,) = anchor_waiting(home, issuer, story.folder / "badges", again=True)
        price.gas, price.badges = batch.gas_used or 0, batch.size
    show(f"   {format_address(new)} anchored it; every holder keeps their file")
    story.expect("valid", story.files[0], because="operator")


def audit(story: Story) -> None:
    """Replay the whole history, and hold the issuer's records against it."""
    story.title("An auditor replays the registry, and holds the issuer's records against it")
    with story.priced("audit everything"):
        report = audit_installation(
            story.installation.settings, story.folder / "badges", story.folder / "audit"
        )
    if report.findings:
        raise ConflictError("demo-failed", f"the audit found: {report.findings[0]}")
    world = report.audit.world
    show(f"   {world.events:,} events of {len(world.issuers)} issuers lead to every head on chain:")
    show("   none is missing, added, moved or altered.")
    show("   The issuer's database and badges agree. The report is audit/report.html")


def stop_chain(story: Story) -> None:
    """Stop the chain, verify, and start it again."""
    story.title("The chain is down: nobody can tell, so the verdict is unknown")
    story.chain.stop()
    story.expect("unknown", story.files[0], because="anchor")
    story.chain = start_chain(story.installation.settings)
    show("   The chain is up again:")
    story.expect("valid", story.files[0])


SCENES: Final = (
    issue,
    be_accredited,
    anchor,
    verify_badge,
    verify_file,
    believe_the_ministry,
    tamper,
    revoke,
    launder,
    lose_a_key,
    audit,
    stop_chain,
)


def _anchor_as_stranger(story: Story, badge: dict[str, Any]) -> dict[str, Any]:
    """Return `badge` with a sound anchor proof of somebody who registered its issuer's DID."""
    stranger = install(
        story.folder / "stranger", story.chain.url, story.folder / "password", port=None
    )
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
    stranger.close()
    return embed(without_anchor_proof(badge), format_embedded(proof))

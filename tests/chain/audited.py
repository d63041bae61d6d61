"""An issuer with a life, for audits to find."""

from typing import Any

from ledger.audit.auditor import Audit, Auditor, Question
from ledger.audit.endpoints import open_endpoints
from ledger.chain.outbox import Outbox
from ledger.clock import Clock, now
from ledger.primitives import format_address, sha256

from .conftest import Chain

ROOT, BARE, AGAIN = sha256(b"audit root"), sha256(b"audit bare"), sha256(b"audit again")


def live_a_life(chain: Chain, outbox: Outbox, name: str) -> int:
    """Register an issuer that does everything there is to do, and return its number."""
    owner, key, stolen = (chain.sender() for _ in range(3))
    number: int = chain.contract.functions.issuerCount().call() + 1
    anchoring, lost = format_address(key.address), format_address(stolen.address)
    chain.send(outbox, owner, chain.encode("registerIssuer", f"did:example:{name}"))
    chain.send(outbox, owner, chain.encode("setOperator", number, anchoring, 3))
    chain.send(outbox, owner, chain.encode("setOperator", number, lost, 1))
    chain.send(outbox, key, chain.encode("nameBareIssuer", number))
    chain.send(outbox, key, chain.encode("anchor", number, ROOT, 1000))
    chain.send(outbox, key, bytes(BARE))
    chain.send(outbox, stolen, chain.encode("anchor", number, AGAIN, 7))
    chain.send(outbox, key, chain.encode("revokeMany", number, ROOT, [0, 3], [5, 1 << 231], 1))
    chain.send(outbox, key, chain.encode("suspend", number, ROOT, 2, 3, 6))
    chain.send(outbox, key, chain.encode("reinstate", number, ROOT, 2, 1, 0))
    chain.send(outbox, key, chain.encode("revokeBatch", number, BARE, 5))
    chain.send(outbox, owner, chain.encode("accredit", number, number, 0))
    chain.send(outbox, owner, chain.encode("withdrawAccreditation", number, number))
    chain.send(outbox, owner, chain.encode("reportCompromise", number, lost, 1))
    chain.send(outbox, key, chain.encode("anchor", number, AGAIN, 7))
    return number


def audited(chain: Chain, *urls: str, clock: Clock = now, **asked: Any) -> Audit:
    """Audit the chain's registry, by its own URL or others."""
    endpoints = open_endpoints(urls or (chain.rpc_url,))
    auditor = Auditor(endpoints, Question(chain.registry, **asked), clock=clock)
    try:
        return auditor.advance()
    finally:
        auditor.close()

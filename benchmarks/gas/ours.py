"""The registry's transactions, each on storage as an issuer in service has it."""

from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount

from benchmarks.gas.chain import Chain, encode_call
from benchmarks.gas.figures import Figure
from ledger.chain.artifact import DEPLOYER, deployment_calldata, load_artifact, registry_address
from ledger.primitives import Hash32, format_address, sha256

REGISTRY = format_address(registry_address())
MILLION = 1 << 20
ALL_BITS = 2**256 - 1
FOR_EVER = 2**40 - 1
REASON = 4


class Issuer:
    """Issuer 1 of a new registry, with the keys that act for it."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.owner = chain.account("owner")
        self.operator = chain.account("operator")
        self.stolen = chain.account("stolen")
        self.relayer = chain.account("relayer")
        deployer = format_address(DEPLOYER)
        self.deployment = chain.gas(self.owner, deployer, deployment_calldata())

    def act(self, by: LocalAccount, function: str, *arguments: object) -> int:
        """Call the registry and return the gas."""
        return self.chain.gas(by, REGISTRY, calldata(function, *arguments))

    def set_up(self) -> list[Figure]:
        """Register the issuer and give its keys their roles."""
        figures = [
            Figure("deploy the registry, once a chain", self.deployment),
            Figure("register an issuer", self.act(self.owner, "registerIssuer", DID)),
            Figure(
                "give a key its roles",
                self.act(self.owner, "setOperator", 1, self.operator.address, 3),
            ),
        ]
        self.act(self.owner, "setOperator", 1, self.stolen.address, 3)
        self.act(self.operator, "nameBareIssuer", 1)
        return figures


DID = "did:web:issuer.example"


def calldata(function: str, *arguments: object) -> bytes:
    """Return the calldata of one of the registry's functions."""
    return encode_call(load_artifact().abi, function, *arguments)


def measure(issuer: Issuer) -> list[Figure]:
    """Measure every transaction that the design has a budget for."""
    figures = issuer.set_up()
    figures += _anchoring(issuer)
    figures += _revoking(issuer)
    return figures


def _anchoring(issuer: Issuer) -> list[Figure]:
    chain, operator = issuer.chain, issuer.operator
    stolen_root = sha256(b"stolen")
    issuer.act(issuer.stolen, "anchor", 1, stolen_root, MILLION)
    issuer.act(issuer.owner, "reportCompromise", 1, issuer.stolen.address, 1)
    relayed = sha256(b"relayed")
    signature = _signed(chain, operator, relayed)
    return [
        Figure(
            "anchor a batch",
            issuer.act(operator, "anchor", 1, sha256(b"first"), MILLION),
            57_000,
        ),
        Figure("anchor a bare root", chain.gas(operator, REGISTRY, sha256(b"bare")), 58_500),
        Figure(
            "anchor for an operator who signed",
            issuer.act(issuer.relayer, "anchorBySig", 1, relayed, MILLION, FOR_EVER, signature),
            63_000,
        ),
        Figure(
            "anchor again after a compromise",
            issuer.act(operator, "anchor", 1, stolen_root, MILLION),
            43_000,
        ),
    ]


def _signed(chain: Chain, operator: LocalAccount, root: Hash32) -> bytes:
    fields = {"issuer": "uint256", "root": "bytes32", "size": "uint48", "deadline": "uint256"}
    message = encode_typed_data(
        domain_data={
            "name": "CredentialRegistry",
            "version": "1",
            "chainId": int(chain.rpc.call("eth_chainId", []), 16),
            "verifyingContract": REGISTRY,
        },
        message_types={"Anchor": [{"name": name, "type": kind} for name, kind in fields.items()]},
        message_data={"issuer": 1, "root": bytes(root), "size": MILLION, "deadline": FOR_EVER},
    )
    return bytes(operator.sign_message(message).signature)


def _revoking(issuer: Issuer) -> list[Figure]:
    def revoke(word: int, mask: int) -> int:
        return issuer.act(issuer.operator, "revoke", 1, root, word, mask, REASON)

    root = sha256(b"first")
    words = list(range(2000, 2010))
    many = issuer.act(
        issuer.operator, "revokeMany", 1, root, words, [ALL_BITS] * len(words), REASON
    )
    return [
        Figure("revoke one, the first of its word", revoke(1000, 1 << 200), 60_000),
        Figure("revoke one, its word has others", revoke(1000, 1 << 201), 43_000),
        Figure("revoke 256 of one word", revoke(1001, ALL_BITS), 60_500),
        Figure("revoke 2,560 of ten words, a word", many // len(words), 34_000),
        Figure(
            "revoke a whole batch",
            issuer.act(issuer.operator, "revokeBatch", 1, sha256(b"bare"), REASON),
        ),
    ]

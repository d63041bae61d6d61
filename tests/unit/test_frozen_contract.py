"""The contract is frozen: proof files in people's hands name its address and lean on its code.

A failure here is never mended here. Another contract gets another salt, and stands beside
this one: docs/decisions/0008-the-contract-is-frozen.md. Its storage is held in
`test_storage_layout`.
"""

from pathlib import Path

from ledger.chain.artifact import SALT, code_hash, load_artifact, registry_address
from ledger.primitives import format_address, keccak256, sha256
from ledger.verification.policy import default_policy

ADDRESS = "0xd91ACCdC30ca783FBb4f2f767CbC7D15CbD2D569"
CODE_HASH = "b82a8c1a6f2e08374d51dd68a8d8b6cbb4071d5b1ccaa9287290bb88d8319696"
CREATION_CODE_HASH = "3f84a16fc7d272c1ec17167cfd57cac64d36c13791f516ea91618f71aec4ff61"
SALT_NAME = "ledger CredentialRegistry 1"

RECORD = Path(__file__).parents[2] / "docs" / "decisions" / "0008-the-contract-is-frozen.md"


def test_the_address_never_changes() -> None:
    assert format_address(registry_address()) == ADDRESS
    assert sha256(SALT_NAME.encode()) == SALT


def test_the_code_never_changes() -> None:
    assert code_hash().hex() == CODE_HASH
    assert keccak256(load_artifact().creation_code).hex() == CREATION_CODE_HASH


def test_who_has_no_policy_believes_this_contract() -> None:
    (trusted,) = default_policy().registries
    assert format_address(trusted.address) == ADDRESS
    assert trusted.code_hash.hex() == CODE_HASH


def test_the_record_of_the_freeze_says_the_same() -> None:
    text = RECORD.read_text("utf-8")
    for frozen in (ADDRESS, CODE_HASH, CREATION_CODE_HASH, SALT_NAME):
        assert f"`{frozen}`" in text

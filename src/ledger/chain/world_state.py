"""The state of every account at one block, read through trie nodes that anyone may give.

    state root -> keccak256(address) -> [nonce, balance, storage root, code hash]
    storage root -> keccak256(slot)  -> the stored number, without leading zeros

A slot that is not there holds zero, and its absence is proved like any other answer.

Source: Ethereum yellow paper, section 4.1; EIP-1186.
"""

from dataclasses import dataclass
from typing import Final

from ledger.chain import rlp
from ledger.chain.trie import ReadNode, find
from ledger.errors import MalformedInputError, ProofError
from ledger.primitives import HASH_BYTES, Address, Hash32

_ACCOUNT_FIELDS: Final = 4


@dataclass(frozen=True, slots=True)
class Account:
    """What is read of an account."""

    storage_root: Hash32
    code_hash: Hash32


class WorldState:
    """The accounts under one state root."""

    def __init__(self, root: Hash32, read_node: ReadNode) -> None:
        self._root = root
        self._read_node = read_node
        self._used: dict[Hash32, None] = {}

    @property
    def used(self) -> tuple[Hash32, ...]:
        """Return the hashes of the nodes that answers came from, in the order of first use."""
        return tuple(self._used)

    def find_account(self, address: Address) -> Account | None:
        """Return the account at `address`; None when there is none.

        Raises:
            ProofError: as `ledger.chain.trie.find`, or the value there is no account.

        """
        value = self._find(self._root, address)
        return None if value is None else _account(value)

    def word(self, account: Account | None, slot: Hash32) -> Hash32:
        """Return the 32 bytes that `account` stores in `slot`.

        Raises:
            ProofError: as `ledger.chain.trie.find`, or the value there is no number.

        """
        value = self._find(account.storage_root, slot) if account else None
        return Hash32(bytes(HASH_BYTES)) if value is None else _word(value)

    def _find(self, root: Hash32, key: bytes) -> bytes | None:
        found = find(root, key, self._read_node)
        self._used.update(dict.fromkeys(found.path))
        return found.value


def _account(value: bytes) -> Account:
    fields = _decode(value)
    if isinstance(fields, bytes) or len(fields) != _ACCOUNT_FIELDS:
        raise _bad("an account has four fields")
    nonce, balance, storage_root, code_hash = fields
    _check_number(nonce)
    _check_number(balance)
    return Account(_hash(storage_root), _hash(code_hash))


def _word(value: bytes) -> Hash32:
    number = _decode(value)
    _check_number(number)
    if not isinstance(number, bytes) or not 0 < len(number) <= HASH_BYTES:
        raise _bad("a slot holds a number of 1 to 32 bytes")
    return Hash32(number.rjust(HASH_BYTES, b"\0"))


def _hash(item: rlp.Item) -> Hash32:
    if not isinstance(item, bytes) or len(item) != HASH_BYTES:
        raise _bad("storage root and code hash of an account are hashes")
    return Hash32(item)


def _decode(value: bytes) -> rlp.Item:
    try:
        return rlp.decode(value)
    except MalformedInputError as error:
        raise _bad(error.message) from None


def _check_number(item: rlp.Item) -> None:
    try:
        rlp.decode_integer(item)
    except MalformedInputError as error:
        raise _bad(error.message) from None


def _bad(what: str) -> ProofError:
    return ProofError("bad-state-value", f"not a value that Ethereum writes: {what}")

"""The header of a block, of which the hash of the block is the keccak256.

    0 parentHash         1 sha3Uncles      2 miner             3 stateRoot
    4 transactionsRoot   5 receiptsRoot    6 logsBloom         7 difficulty
    8 number             9 gasLimit       10 gasUsed          11 timestamp
   12 extraData         13 mixHash        14 nonce            15 baseFeePerGas
   16 withdrawalsRoot   17 blobGasUsed    18 excessBlobGas    19 parentBeaconBlockRoot
   20 requestsHash

An RLP list, read by position: every fork so far has appended its fields, so the headers
of later ones can be read as well.

Source: Ethereum yellow paper, section 4.4; EIP-1559, 4895, 4844, 4788, 7685.
"""

from dataclasses import dataclass
from typing import Final

from ledger.chain import rlp
from ledger.errors import MalformedInputError, ProofError
from ledger.primitives import HASH_BYTES, Hash32, keccak256

MIN_FIELDS: Final = 15
"""The first blocks of Ethereum had as many."""

MAX_NUMBER: Final = 2**63 - 1
"""Far beyond any block, and what a database holds."""
MAX_TIME: Final = 253_402_300_799
"""The end of the year 9999; no honest block is later, and no calendar goes further."""

_STATE_ROOT, _NUMBER, _TIME = 3, 8, 11


@dataclass(frozen=True, slots=True)
class Header:
    """What is read of a header."""

    hash: Hash32
    state_root: Hash32
    number: int
    time: int
    """Unix seconds."""


def parse_header(encoded: bytes) -> Header:
    """Return what a header says; whether its hash is to be believed is for the caller.

    Raises:
        ProofError: not the RLP of a header.

    """
    try:
        fields = rlp.decode(encoded)
        if isinstance(fields, bytes) or len(fields) < MIN_FIELDS:
            raise MalformedInputError("bad-rlp", f"no list of {MIN_FIELDS} fields or more")
        root = fields[_STATE_ROOT]
        number, time = rlp.decode_integer(fields[_NUMBER]), rlp.decode_integer(fields[_TIME])
    except MalformedInputError as error:
        raise ProofError("bad-header", f"not a block header: {error.message}") from None
    if not isinstance(root, bytes) or len(root) != HASH_BYTES:
        raise ProofError("bad-header", "not a block header: its state root is no hash")
    if number > MAX_NUMBER or time > MAX_TIME:
        raise ProofError("bad-header", "not a block header: no block has such a number or time")
    return Header(keccak256(encoded), Hash32(root), number, time)

"""A signer as docs/reference/signer.md describes it, and the ways in which one can be wrong."""

import json
import sys
import time

from coincurve import PrivateKey

from ledger.primitives import Address, format_address, keccak256

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def main() -> None:
    mode, seed = sys.argv[1], bytes.fromhex(sys.argv[2])
    for line in sys.stdin:
        question = json.loads(line)
        key = PrivateKey(seed)
        if question["call"] == "address":
            if mode == "dies at once":
                return
            public = key.public_key.format(compressed=False)
            answer = {"address": format_address(Address(keccak256(public[1:])[12:]))}
        elif mode == "refuses":
            answer = {"error": "not at this hour\n"}
        elif mode == "dies":
            return
        elif mode == "hangs":
            time.sleep(60)
            return
        elif mode == "floods":
            sys.stdout.write("x" * 100_000)
            sys.stdout.flush()
            continue
        elif mode == "no JSON":
            sys.stdout.write("what?\n")
            sys.stdout.flush()
            continue
        else:
            answer = {"signature": "0x" + sign(mode, key, question["digest"]).hex()}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def sign(mode: str, key: PrivateKey, digest: str) -> bytes:
    other = PrivateKey(b"\x01" * 32)
    signed = (other if mode == "another key" else key).sign_recoverable(
        bytes.fromhex(digest[2:]), hasher=None
    )
    if mode == "high s":
        high = ORDER - int.from_bytes(signed[32:64], "big")
        return signed[:32] + high.to_bytes(32, "big") + bytes([signed[64] ^ 1])
    if mode == "ethereum v":
        return signed[:64] + bytes([signed[64] + 27])
    return signed[:10] if mode == "too short" else signed


main()

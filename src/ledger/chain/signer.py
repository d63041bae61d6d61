"""Who signs: a key in this process, or another process that keeps it.

An external signer is one program, so that a KMS or an HSM fits. It is started once and
speaks JSON, one object a line, on its standard input and output:

    {"call": "address", "key": "anchor"}                    {"address": "0x<EIP-55>"}
    {"call": "sign", "key": "anchor", "digest": "0x<64>"}   {"signature": "0x<r 64><s 64><v 2>"}
    anything that it refuses                                {"error": "words for a person"}

It never sees a transaction, and we never see a key. What it signs is checked against the
address it named, so a wrong signature is noticed before a nonce is used.
docs/reference/signer.md is the reference.

Source: EIP-2 (low s), EIP-1559 (the parity bit).
"""

import json
import selectors
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ledger.chain.keystore import KeyName, Secret, address_of
from ledger.errors import ConflictError, DeniedError, LedgerError
from ledger.primitives import Address, Hash32, keccak256, parse_address

ANSWER_SECONDS: Final = 10.0
"""For one answer; the key is locked meanwhile, and others wait for it."""

MAX_ANSWER_BYTES: Final = 4096
MAX_QUOTED_CHARACTERS: Final = 200
_HALF_ORDER: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


@dataclass(frozen=True, slots=True)
class Signature:
    """A recoverable signature of secp256k1."""

    r: int
    s: int
    parity: int


class Signer(Protocol):
    """One key that signs."""

    @property
    def address(self) -> Address:
        """Return the account of the key."""

    def sign(self, digest: Hash32) -> Signature:
        """Sign 32 bytes as they are."""


class KeySigner:
    """A key in this process."""

    def __init__(self, key: Secret) -> None:
        self.address = address_of(key)
        self._key = key

    def sign(self, digest: Hash32) -> Signature:
        """Sign 32 bytes as they are."""
        from coincurve import PrivateKey

        signed = PrivateKey(self._key.reveal()).sign_recoverable(digest, hasher=None)
        return Signature(_number(signed[:32]), _number(signed[32:64]), signed[64])


class SignerProcess:
    """One running signer program, for every key that it has."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        self._process: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """End the program: its input ends."""
        if self._process is not None:
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()
            try:
                self._process.wait(ANSWER_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def ask(self, question: dict[str, str], member: str) -> str:
        """Return the member of the answer that was asked for.

        Raises:
            DeniedError: the signer refuses.
            ConflictError: it does not run, or gives no such answer in time.

        """
        try:
            answer = json.loads(self._exchange(json.dumps(question).encode() + b"\n"))
        except (OSError, ValueError, RecursionError):
            answer = None
        if isinstance(answer, dict) and isinstance(answer.get("error"), str):
            words = "".join(c if c.isprintable() else " " for c in answer["error"])
            raise DeniedError(
                "signer-refused", f"the signer refuses: {words[:MAX_QUOTED_CHARACTERS]}"
            )
        if not isinstance(answer, dict) or not isinstance(answer.get(member), str):
            # What comes late would be taken for the answer to the next question.
            self.close()
            raise _failed()
        found: str = answer[member]
        return found

    def _exchange(self, line: bytes) -> bytes:
        process = self._open()
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        process.stdin.write(line)
        process.stdin.flush()
        deadline, answer = time.monotonic() + ANSWER_SECONDS, b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while not answer.endswith(b"\n"):
                left = deadline - time.monotonic()
                if left <= 0 or not selector.select(left) or len(answer) > MAX_ANSWER_BYTES:
                    return b""
                part = process.stdout.read1(MAX_ANSWER_BYTES)  # type: ignore[attr-defined]
                if not part:
                    return b""
                answer += part
        return answer

    def _open(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        return self._process


class ExternalSigner:
    """A key that a signer program keeps."""

    def __init__(self, process: SignerProcess, name: KeyName) -> None:
        """Ask for the address at once.

        Raises:
            DeniedError, ConflictError: as `SignerProcess.ask`.

        """
        self._process = process
        self._name = name
        told = process.ask({"call": "address", "key": name}, "address")
        try:
            self.address = parse_address(told)
        except LedgerError:
            raise _failed() from None

    def sign(self, digest: Hash32) -> Signature:
        """Have 32 bytes signed, and see that this key signed them.

        Raises:
            DeniedError, ConflictError: as `SignerProcess.ask`; or another key signed.

        """
        question = {"call": "sign", "key": str(self._name), "digest": "0x" + digest.hex()}
        told = self._process.ask(question, "signature")
        signature = _parse(told)
        if signature is None or _signed_by(signature, digest) != self.address:
            raise _failed()
        return signature


def _parse(text: str) -> Signature | None:
    try:
        data = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        return None
    if len(data) != 65 or data[64] not in {0, 1, 27, 28}:
        return None
    signature = Signature(_number(data[:32]), _number(data[32:64]), data[64] % 27)
    return signature if signature.s <= _HALF_ORDER else None


def _signed_by(signature: Signature, digest: Hash32) -> Address | None:
    from coincurve import PublicKey

    packed = signature.r.to_bytes(32, "big") + signature.s.to_bytes(32, "big")
    try:
        public = PublicKey.from_signature_and_message(
            packed + bytes([signature.parity]), digest, hasher=None
        )
    except Exception:  # noqa: BLE001 - the library raises bare ones for numbers off the curve
        return None
    return Address(keccak256(public.format(compressed=False)[1:])[12:])


def _failed() -> ConflictError:
    return ConflictError(
        "signer-failed",
        "the signer program does not run, or does not answer as docs/reference/signer.md says: "
        "run it by hand and see. Nothing was sent",
    )


def _number(data: Any) -> int:  # noqa: ANN401 - bytes, of the library's type
    return int.from_bytes(data, "big")

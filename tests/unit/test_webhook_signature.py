"""What we sign, others' libraries verify; what they would refuse, so do we."""

import base64
import hashlib
import hmac
import subprocess
import sys
from pathlib import Path

import pytest

import ledger
from ledger.errors import LedgerError, MalformedInputError, ProofError
from ledger.webhook_signature import (
    TOLERANCE_SECONDS,
    format_secret,
    parse_secret,
    sign_message,
    verify_webhook,
)

SOURCE = str(Path(ledger.__path__[0]).parent)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
NAME = "msg_p5jXN8AQM9LWM0D4loKWxJek"
NOW = 1614265330
HEADERS = {
    "webhook-id": NAME,
    "webhook-timestamp": str(NOW),
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
"""The example that the documents of the convention give."""


def test_the_published_example_is_made_and_verified() -> None:
    assert sign_message([parse_secret(SECRET)], NAME, BODY, now=NOW) == HEADERS
    assert verify_webhook(SECRET, HEADERS, BODY, now=NOW) == NAME


def test_a_signature_is_that_of_the_convention() -> None:
    secret = bytes(range(32))
    headers = sign_message([secret], "msg_1", b"\x00\xff", now=7)
    expected = hmac.digest(secret, b"msg_1.7.\x00\xff", hashlib.sha256)
    assert headers["webhook-signature"] == "v1," + base64.b64encode(expected).decode()


def test_while_a_secret_is_replaced_both_fit() -> None:
    old, new = bytes(32), bytes([1]) * 32
    headers = sign_message([new, old], NAME, BODY, now=NOW)
    for secret in (old, new):
        assert verify_webhook(format_secret(secret), headers, BODY, now=NOW) == NAME
    with pytest.raises(ProofError):
        verify_webhook(format_secret(bytes([2]) * 32), headers, BODY, now=NOW)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("webhook-id", "msg_other"),
        ("webhook-timestamp", str(NOW + 1)),
        ("webhook-signature", "v1,"),
        ("webhook-signature", ""),
        ("webhook-signature", "v1a" + HEADERS["webhook-signature"][2:]),
        ("webhook-signature", "v1,é"),
        ("webhook-signature", "v1,x " * 16 + HEADERS["webhook-signature"]),
    ],
)
def test_another_id_time_or_signature_does_not_fit(header: str, value: str) -> None:
    with pytest.raises(ProofError) as caught:
        verify_webhook(SECRET, HEADERS | {header: value}, BODY, now=NOW)
    assert caught.value.code == "bad-webhook-signature"


def test_another_body_does_not_fit() -> None:
    with pytest.raises(ProofError):
        verify_webhook(SECRET, HEADERS, BODY + b" ", now=NOW)


@pytest.mark.parametrize("apart", [-TOLERANCE_SECONDS - 1, TOLERANCE_SECONDS + 1])
def test_what_was_recorded_and_is_played_again_is_stale(apart: int) -> None:
    with pytest.raises(ProofError) as caught:
        verify_webhook(SECRET, HEADERS, BODY, now=NOW + apart)
    assert caught.value.code == "stale-webhook"


def test_names_of_headers_come_in_any_case() -> None:
    loud = {name.upper(): value for name, value in HEADERS.items()}
    assert verify_webhook(SECRET, loud, BODY, now=NOW) == NAME


@pytest.mark.parametrize("missing", list(HEADERS))
def test_a_message_without_its_headers_is_malformed(missing: str) -> None:
    headers = {name: value for name, value in HEADERS.items() if name != missing}
    with pytest.raises(MalformedInputError, match=missing):
        verify_webhook(SECRET, headers, BODY, now=NOW)


@pytest.mark.parametrize("sent", ["", "x", "-1", "1.5", "9" * 16, "²"])
def test_a_time_that_is_none_is_malformed(sent: str) -> None:
    with pytest.raises(MalformedInputError):
        verify_webhook(SECRET, HEADERS | {"webhook-timestamp": sent}, BODY, now=NOW)


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_é", "whsec_a"]
)
def test_a_secret_that_is_none_is_not_repeated(text: str) -> None:
    with pytest.raises(LedgerError) as caught:
        parse_secret(text)
    assert caught.value.code == "bad-webhook-secret"
    assert text in ("", "whsec_") or text not in caught.value.message


def test_verifying_needs_the_standard_library_only() -> None:
    program = (
        "import sys, ledger.webhook_signature;"
        "print(sorted({n.partition('.')[0] for n in sys.modules} - set(sys.stdlib_module_names)))"
    )
    found = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.append({SOURCE!r});{program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "['__main__', 'ledger']"

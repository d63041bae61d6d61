"""The verifier page in a real browser: what an employer sees who drops a file."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, FilePayload, Page, sync_playwright
from starlette.testclient import TestClient

from ledger.verification.reasons import Reason
from ledger.verification.report import CODES
from ledger.web.app import create_app
from ledger.web.service import Service
from tests.acceptance.conftest import Demo

pytestmark = pytest.mark.xdist_group("demo-api")

STATIC = Path(__file__).parents[2] / "src" / "ledger" / "web" / "static"
DEBIANS = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def site(service: Service) -> Iterator[str]:
    server = uvicorn.Server(
        uvicorn.Config(create_app(service), log_level="error", access_log=False)
    )
    # It listens before the server runs, so that nobody is turned away.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = DEBIANS if DEBIANS.exists() else None
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(site)
    yield page
    context.close()
    assert [one for one in complaints if "422" not in one] == []


def drop(page: Page, content: bytes, name: str = "badge.json") -> str:
    file = FilePayload(name=name, mimeType="application/json", buffer=content)
    page.set_input_files("#file", file)
    page.wait_for_selector("#result:not([hidden])")
    return page.inner_text("#verdict")


def test_a_badge_is_valid_with_every_check_in_words(page: Page, running: Demo) -> None:
    assert drop(page, running.badges[0].read_bytes()) == "Valid"
    assert page.locator("#checks li").count() == len(CODES)
    assert page.inner_text("#checks").count("Passed") == len(CODES)
    assert page.evaluate("document.activeElement.id") == "verdict"


def test_a_changed_badge_is_not_valid_and_the_reason_stands_first(
    page: Page, running: Demo
) -> None:
    tampered = (running.folder / "scenes" / "tampered.json").read_bytes()
    assert drop(page, tampered) == "Not valid"
    assert "the document was changed" in page.inner_text("#meaning")


def test_what_is_not_known_is_not_called_invalid(page: Page, running: Demo) -> None:
    badge = json.loads(running.badges[0].read_text())
    badge["proof"] = badge["proof"][:-1]
    assert drop(page, json.dumps(badge).encode()) == "Cannot be told"
    assert "does not make it false" in page.inner_text("#meaning")


@pytest.mark.parametrize("content", [b"", b"\x89PNG", b'{"a": 1}'])
def test_what_cannot_be_read_is_no_verdict(page: Page, content: bytes) -> None:
    assert drop(page, content) == "This is no badge that can be read"
    assert page.locator("#checks li").count() == 0


def test_the_page_speaks_french_and_changes_over_at_once(page: Page, running: Demo) -> None:
    drop(page, running.badges[0].read_bytes())
    page.click("#to-fr")
    assert page.inner_text("#verdict") == "Valable"
    assert page.evaluate("document.documentElement.lang") == "fr"
    assert "Passed" not in page.inner_text("main")


def test_a_hostile_name_is_shown_and_never_run(page: Page, running: Demo) -> None:
    hostile = "<img src=x onerror='window.hacked = 1'><script>window.hacked = 1</script>"
    badge = {**json.loads(running.badges[0].read_text()), "name": hostile}
    drop(page, json.dumps(badge).encode(), name=f"{hostile[:20]}.json")
    assert page.inner_text("#about") == hostile
    assert page.locator("img").count() == 0
    assert page.evaluate("window.hacked") is None


def test_a_file_dropped_beside_the_field_is_verified_too(page: Page, running: Demo) -> None:
    page.evaluate(
        """content => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([content], "badge.json"));
            window.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer }));
        }""",
        running.badges[0].read_text(),
    )
    page.wait_for_selector("#result:not([hidden])")
    assert page.inner_text("#verdict") == "Valid"


def test_the_page_has_words_for_every_check_and_knows_no_other_reasons(page: Page) -> None:
    words: dict[str, Any] = page.evaluate("async () => (await import('/static/words.js')).WORDS")
    english, french = words["en"], words["fr"]
    assert english.keys() == french.keys()
    for language in (english, french):
        assert set(language["checksAsked"]) == set(CODES.values())
    assert set(french["passed"]) == set(CODES.values())
    assert set(french["reasons"]) <= set(map(str, Reason))


def test_only_the_files_of_the_page_are_served(client: TestClient) -> None:
    for path in ("/static/", "/static/..%2f..%2fapp.py", "/static/index.html", "/page.js"):
        assert client.get(path).status_code == 404
    policy = client.get("/").headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy

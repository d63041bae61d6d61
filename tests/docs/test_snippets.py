"""What the documents tell people to type works, and prints what they say."""

from pathlib import Path

import pytest

from tests.acceptance.conftest import Demo, demo, running  # noqa: F401 - fixtures

from .snippets import LANGUAGES, languages_of, run_page, snippets_of

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guide"

ON_ITS_OWN = [GUIDE / "issuer.md", GUIDE / "service.md", GUIDE / "deploy.md"]
"""Pages whose snippets begin with nothing."""

ON_THE_DEMO = [
    ROOT / "README.md",
    GUIDE / "verifier.md",
    GUIDE / "verifier-un-badge.md",
    GUIDE / "auditor.md",
]
"""Pages whose snippets work on what `make demo` left, and on its chain."""


@pytest.mark.parametrize("page", ON_ITS_OWN, ids=lambda page: page.stem)
def test_a_page_that_begins_with_nothing(page: Path, tmp_path: Path) -> None:
    run_page(page, tmp_path, chain_is_up=False)


@pytest.mark.xdist_group("demo-docs")
@pytest.mark.parametrize("page", ON_THE_DEMO, ids=lambda page: page.stem)
def test_a_page_about_the_demo(page: Path, running: Demo, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "demo").symlink_to(running.folder)
    run_page(page, tmp_path, chain_is_up=True)


def test_every_snippet_says_what_it_is() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        assert languages_of(page.read_text("utf-8")) <= LANGUAGES, page


def test_every_page_with_snippets_is_run() -> None:
    pages = [ROOT / "README.md", *GUIDE.glob("*.md")]
    with_snippets = {page for page in pages if snippets_of(page.read_text("utf-8"))}
    assert with_snippets == {*ON_ITS_OWN, *ON_THE_DEMO}

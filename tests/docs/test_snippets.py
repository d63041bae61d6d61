"""What the documents tell people to type works, and prints what they say."""

from pathlib import Path

import pytest

from tests.acceptance.conftest import Demo, demo, running  # noqa: F401 - fixtures

from .snippets import LANGUAGES, languages_of, run_page, snippets_of

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guide"

ON_ITS_OWN = ["issuer.md"]
"""Pages whose snippets begin with nothing."""

ON_THE_DEMO = ["verifier.md", "verifier-un-badge.md"]
"""Pages whose snippets work on what `make demo` left, and on its chain."""

ELSEWHERE = ["deploy.md"]
"""Pages about other chains than the local one."""


@pytest.mark.parametrize("name", ON_ITS_OWN)
def test_a_page_that_begins_with_nothing(name: str, tmp_path: Path) -> None:
    run_page(GUIDE / name, tmp_path, chain_is_up=False)


@pytest.mark.xdist_group("demo")
@pytest.mark.parametrize("name", ON_THE_DEMO)
def test_a_page_about_the_demo(name: str, running: Demo, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "demo").symlink_to(running.folder)
    run_page(GUIDE / name, tmp_path, chain_is_up=True)


def test_every_snippet_says_what_it_is() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        assert languages_of(page.read_text("utf-8")) <= LANGUAGES, page


def test_every_guide_is_run() -> None:
    with_snippets = {p.name for p in GUIDE.glob("*.md") if snippets_of(p.read_text("utf-8"))}
    assert with_snippets == {*ON_ITS_OWN, *ON_THE_DEMO, *ELSEWHERE}

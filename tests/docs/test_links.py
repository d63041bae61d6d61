"""Every link in the documents leads somewhere, and every document can be reached."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def prose_of(page: Path) -> str:
    return _FENCED.sub("", page.read_text("utf-8"))


def links_of(page: Path) -> list[tuple[Path, str]]:
    """Return the files that a page links to, and the places in them."""
    links = [link for link in _LINK.findall(prose_of(page)) if "://" not in link]
    parts = [link.partition("#") for link in links]
    return [((page.parent / path).resolve() if path else page, place) for path, _, place in parts]


def places_of(page: Path) -> set[str]:
    """Return the places that headings make, spelled as readers of Markdown spell them."""
    plain = (
        re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(prose_of(page))
    )
    return {heading.replace(" ", "-") for heading in plain}


def test_every_link_leads_to_a_file_and_a_heading() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target.name}#{place}"
        for page in PAGES
        for target, place in links_of(page)
        if not target.exists() or (place and place not in places_of(target))
    ]
    assert broken == []


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached, new = set[Path](), {ROOT / "README.md"}
    while new:
        reached |= new
        new = {file for page in new if page.suffix == ".md" for file, _ in links_of(page)} - reached
    assert {page for page in PAGES if ROOT / "docs" in page.parents} <= reached


def test_the_numbers_of_decisions_follow_each_other() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        assert page.read_text("utf-8").startswith(f"# {page.name[:4]} ")

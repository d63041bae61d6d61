"""The page about capacity is what follows from the figures that are kept."""

from benchmarks.capacity.figures import REFERENCE, load_figures
from benchmarks.capacity.page import format_page


def test_the_page_is_computed_from_its_figures() -> None:
    told = "run python -m benchmarks.capacity"
    assert (REFERENCE / "capacity.md").read_text() == format_page(load_figures()), told


def test_every_figure_is_on_the_page_and_moves_it() -> None:
    figures = load_figures()
    page = format_page(figures)
    unused = [name for name in figures if format_page(figures | {name: 7.25}) == page]
    assert unused == []

"""The retention report as a reader has it: in a real browser, wide and narrow, light and dark."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.doors.pages import OPEN_ALL, SPILL, Theme, open_pages, violations
from tests.unit.reports import retention_sample as sample
from unspun.reports.retention_html import render_retention

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FIGURES = "figure,value\n17/grr/2025-12,0.9\n"
REPORTS: dict[str, Callable[[], str]] = {
    "one currency": lambda: render_retention(sample.answer(), sample.proof(), FIGURES),
    "two currencies": lambda: render_retention(sample.answer(("USD", "EUR")), sample.proof(), FIGURES),
    "nothing estimated": lambda: render_retention(sample.answer(estimated=False), sample.proof(), FIGURES),
    "two definitions": lambda: render_retention(sample.answer(), sample.proof(), FIGURES, sample.answer()),
}


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open a report from a file, in a browser that can reach nothing else."""
    yield from open_pages(browser, tmp_path, REPORTS)


@pytest.mark.parametrize(
    ("name", "width", "theme"), [("one currency", 1440, "light"), ("two currencies", 390, "dark"), ("two definitions", 320, "light")]
)
def test_axe_finds_nothing(show: Callable[..., Page], name: str, width: int, theme: Theme) -> None:
    page = show(name, width, theme)
    assert violations(page) == []


@pytest.mark.parametrize("name", REPORTS)
def test_the_page_never_scrolls_sideways(show: Callable[..., Page], name: str) -> None:
    page = show(name)
    page.evaluate(OPEN_ALL)
    for width in (320, 390, 768, 1100, 1440):
        page.set_viewport_size({"width": width, "height": 1000})
        assert page.evaluate(SPILL) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_sentence_says_what_was_kept_and_names_from_files_stay_text(show: Callable[..., Page]) -> None:
    page = show("one currency")
    assert "90\u00a0% of the ARR of a year before was kept by Dec\u00a02025" in page.locator("h1").inner_text()
    assert page.locator("main b", has_text="Small & very small").count() == 0
    assert page.locator("script").count() == 1


def test_without_an_estimate_the_page_says_so_and_shows_no_rate(show: Callable[..., Page]) -> None:
    page = show("nothing estimated")
    assert "No estimate of retention yet for Dec\u00a02025" in page.locator("h1").inner_text()
    assert "Fewer than 10 customers" in page.locator("main").inner_text()


def test_the_figures_can_be_taken_along_and_the_anchor_kept(show: Callable[..., Page]) -> None:
    page = show("one currency")
    link = page.get_by_role("link", name="All figures as CSV").get_attribute("href") or ""
    assert base64.b64decode(link.partition("base64,")[2]).decode() == FIGURES
    assert f"17:{'ab' * 32}" in page.locator("#proof").inner_text()
    assert "17/grr/2025-12/segment=" in page.locator("#by-1").inner_text()


def test_two_definitions_are_drawn_in_one_chart_with_what_differs(show: Callable[..., Page]) -> None:
    section = show("two definitions").locator("#beside")
    assert "solid" in section.inner_text().lower() and "dashed" in section.inner_text().lower()
    assert section.locator("svg.c path.s").count() == 4

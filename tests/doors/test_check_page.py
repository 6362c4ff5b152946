"""The page of the checks as a reader has it: in a real browser, wide and narrow, light and dark, by keyboard, on paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.doors.pages import OPEN_ALL, SPILL, TOUCHING, Theme, open_pages, violations
from tests.unit.reports import check_sample as sample
from unspun.reports.check_html import MOST_SHOWN, render

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

REPORTS: dict[str, Callable[[], str]] = {
    "every kind": lambda: render(sample.every_kind()),
    "nothing found": lambda: render(sample.nothing_found()),
    "many": lambda: render(sample.many()),
    "notes only": lambda: render(sample.notes_only()),
}


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open a page from a file, in a browser that can reach nothing else."""
    yield from open_pages(browser, tmp_path, REPORTS)


@pytest.mark.parametrize(
    ("name", "width", "theme"),
    [
        ("every kind", 1440, "light"),
        ("every kind", 390, "dark"),
        ("every kind", 320, "light"),
        ("many", 1440, "dark"),
        ("nothing found", 390, "light"),
        ("notes only", 1440, "dark"),
    ],
)
def test_axe_finds_nothing_with_every_drawer_open(show: Callable[..., Page], name: str, width: int, theme: Theme) -> None:
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


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
def test_no_two_labels_of_a_chart_touch(show: Callable[..., Page], width: int) -> None:
    page = show("every kind", width)
    assert page.locator("svg.c").count() == 2
    assert page.evaluate(TOUCHING) == []


def test_the_sentence_says_what_stands_and_names_from_files_stay_text(show: Callable[..., Page]) -> None:
    page = show("every kind")
    assert page.locator("h1").inner_text() == "3 errors and 3 warnings stand between this book and its figures; 2 findings were accepted."
    assert page.locator("main script").count() == 0
    assert page.locator("h2 b, td b").count() == 0
    assert "<b>login</b> has fallen" in page.locator("main").inner_text()


def test_a_link_of_the_matrix_opens_a_folded_finding_and_escape_closes_its_drawer(show: Callable[..., Page]) -> None:
    page = show("many")
    number = MOST_SHOWN + 3
    page.locator(f'.reach a[href="#finding-{number}"]').focus()
    page.keyboard.press("Enter")
    folded = page.locator("details", has=page.locator(f"> summary#finding-{number}"))
    assert folded.evaluate("box => box.open") is True
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    query = page.locator(f"#finding-{number}-query")
    query.locator("summary").focus()
    page.keyboard.press("Enter")
    assert query.evaluate("box => box.open") is True
    page.keyboard.press("Escape")
    assert query.evaluate("box => box.open") is False
    assert folded.evaluate("box => box.open") is True


def test_rows_in_the_page_are_saved_as_a_zip(show: Callable[..., Page]) -> None:
    page = show("every kind")
    drawer = page.locator("details.open", has=page.locator("a[download]")).first
    drawer.locator("summary").click()
    with page.expect_download() as saving:
        drawer.locator("a[download]").click()
    assert saving.value.suggested_filename.endswith(".zip")
    assert Path(saving.value.path()).read_bytes()[:2] == b"PK"


def test_on_paper_the_verdict_the_matrix_and_every_open_finding_are_there(show: Callable[..., Page]) -> None:
    page = show("every kind")
    page.emulate_media(media="print")
    assert page.locator("section.finding").count() == 6
    assert page.locator(".reach").is_visible() and page.locator("h1").is_visible()
    assert not page.locator(".toc").is_visible() and page.locator(".acts").first.is_hidden()


def test_without_script_the_page_is_whole(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "check.html"
    path.write_text(render(sample.every_kind()), "utf-8")
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.locator("section.finding").count() == 6
    page.locator("#finding-1-query summary").click()
    assert page.locator("#finding-1-query pre").is_visible()
    context.close()

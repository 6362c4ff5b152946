"""The page of performance as a reader has it: in a real browser, wide and narrow, light and dark."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.doors.pages import OPEN_ALL, SPILL, TOUCHING, Theme, open_pages, violations
from tests.unit.reports import performance_sample as sample
from unspun.reports.performance_html import MOST_GROUPS, Proof, render_performance

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    Show = Callable[..., Page]

PROOF = Proof(23, "23:9fe2ab", 6, "ab" * 32, "duckdb 2.0", "Acme & Co", ("the book was not checked",))
MADE: dict[str, Callable[[], str]] = {
    "told": lambda: render_performance(sample.told(), PROOF),
    "many": lambda: render_performance(sample.many(), PROOF),
    "hollow": lambda: render_performance(sample.hollow(), PROOF),
}
CUT = """[...document.querySelectorAll('svg.c text')].map(t => t.getBoundingClientRect())
  .filter(b => b.width && (b.right > innerWidth || b.left < 0)).length"""


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Show]:
    yield from open_pages(browser, tmp_path, MADE)


@pytest.mark.parametrize(
    ("name", "width", "theme"),
    [("told", 1440, "dark"), ("hollow", 390, "light")],
)
def test_axe_finds_nothing_with_every_drawer_open(show: Show, name: str, width: int, theme: Theme) -> None:
    assert violations(show(name, width, theme)) == []


@pytest.mark.parametrize("name", ["told", "many"])
def test_nothing_spills_at_any_width_and_no_label_of_the_funnel_touches_another(show: Show, name: str) -> None:
    page = show(name)
    page.evaluate(OPEN_ALL)
    for width in (320, 390, 768, 1440):
        page.set_viewport_size({"width": width, "height": 1000})
        assert page.evaluate(SPILL) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(TOUCHING) == [], width
        assert page.evaluate(CUT) == 0, width


def test_it_says_first_who_can_be_told_and_that_it_is_no_ranking(show: Show) -> None:
    page, owners = show("told"), sample.told().comparisons[0]
    assert owners.told >= 2
    lede = page.locator("#by-1").inner_text()
    assert f"of {len(owners.groups)} owners can be told from the company" in lede and "No full ranking: the intervals of" in lede
    first = page.locator("#groups-1 tbody").first.locator("tr")
    shapes = first.locator(".effect span[class]:not(.iv)")
    assert {shapes.nth(at).get_attribute("class") for at in range(owners.told)} <= {"renew", "churn"}
    assert page.locator("#by-1 svg.c g.renew, #by-1 svg.c g.churn").count() >= owners.told


def test_of_many_groups_the_first_stand_there_and_the_rest_opens(show: Show) -> None:
    page, groups = show("many"), sample.many().comparisons[0].groups
    assert page.locator("#groups-1 table.who").first.locator("tbody tr").count() == MOST_GROUPS
    page.locator("#groups-1 details.more summary").click()
    assert page.locator("#groups-1 table.who tbody tr:visible").count() == len(groups) == 60
    assert page.locator("h1").inner_text() == "None of the 60 owners can be told from the company as a whole."


def test_where_nothing_can_be_compared_the_counts_and_the_reason_stand(show: Show) -> None:
    page = show("hollow")
    assert "cannot be compared" in page.locator("h1").inner_text()
    assert "What it would take: at least 10" in page.locator(".nothing").inner_text()
    assert page.locator("#groups-1 tbody tr").count() >= 3 and page.locator("#groups-1 .effect .iv").first.inner_text() == "no estimate"


def test_names_stay_text_and_every_figure_s_address_is_safe_in_a_shell(show: Show) -> None:
    page, html = show("told"), MADE["told"]()
    assert page.locator("th[scope=row] b").count() == 0
    assert "Kim <b>O'Hara</b>" in page.locator("#groups-1").inner_text()
    assert re.search(r"unspun why &#39;23/owner/[^<]*/effect&#39;", html) or "unspun why 23/owner/" in html


def test_the_page_stands_alone_and_links_lead_somewhere(show: Show) -> None:
    page, html = show("told"), MADE["told"]()
    assert re.findall(r'(?:src|href)="(?!#|data:)([^"]*)"', html) == []
    for anchor in re.findall(r'href="#([^"]+)"', html):
        assert page.locator(f"[id='{anchor}']").count() == 1, anchor
    assert MADE["told"]() == html

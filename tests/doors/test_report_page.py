"""The report as a reader has it: in a real browser, wide and narrow, light and dark, by keyboard, on paper."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from tests.doors.pages import OPEN_ALL, SPILL, Theme, open_pages, violations
from tests.unit.reports import sample
from tests.unit.reports.company import audited, write_company
from unspun.audit.result import VERDICTS, GroupRow
from unspun.reports.audit_html import render

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDE, NARROW = 1440, 390


def long_names() -> str:
    """A report whose every name is 500 characters without a space."""
    name = "m" * 500
    one, description = sample.score(name), sample.description()
    units = tuple(replace(unit, account=name, segment=name, owner=name, band=name) for unit in description.missed.units)
    stability = replace(description.stability, segments=(GroupRow(name, 9, 2, sample.NOTHING),))
    described = replace(description, missed=replace(description.missed, units=units), stability=stability)
    scores = (replace(one, description=described), sample.blank_score(name + "2"))
    result = sample.result(*scores)
    return render(replace(result, inputs=tuple(replace(i, name=name + ".csv", columns=(("account", name),)) for i in result.inputs)))


@cache
def with_rows() -> str:
    """A report on real files, with the rows behind its figures inside."""
    with TemporaryDirectory() as folder:
        write_company(Path(folder), 365)
        judged = audited(Path(folder))
        return render(judged.result, judged.trace)


REPORTS: dict[str, Callable[[], str]] = {
    "one score": lambda: render(sample.one_score()),
    "two scores, one leaks": lambda: render(sample.result(*sample.three_scores().scores[1:])),
    "nothing estimated": lambda: render(sample.nothing_estimated()),
    "seven verdicts": lambda: render(sample.result(*(sample.score(f"score {v}", v) for v in VERDICTS))),
    "long names": long_names,
    "with rows": with_rows,
}


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open a report from a file, in a browser that can reach nothing else."""
    yield from open_pages(browser, tmp_path, REPORTS)


@pytest.mark.parametrize(
    ("name", "width", "theme"),
    [
        ("one score", WIDE, "dark"),
        ("one score", NARROW, "light"),
        ("nothing estimated", WIDE, "light"),
        ("nothing estimated", NARROW, "dark"),
        ("two scores, one leaks", WIDE, "dark"),
        ("with rows", 320, "dark"),
    ],
)
def test_axe_finds_nothing(show: Callable[..., Page], name: str, width: int, theme: Theme) -> None:
    page = show(name, width, theme)
    assert violations(page) == []


@pytest.mark.parametrize("name", REPORTS)
def test_the_page_never_scrolls_sideways(show: Callable[..., Page], name: str) -> None:
    page = show(name)
    page.evaluate(OPEN_ALL)
    for width in (320, NARROW, 768, 1100, WIDE):
        page.set_viewport_size({"width": width, "height": 1000})
        assert page.evaluate(SPILL) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_nothing_is_asked_of_the_network_and_nothing_fails(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(REPORTS["two scores, one leaks"](), "utf-8")
    page = browser.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.route("**/*", lambda route: route.continue_() if route.request.url == path.as_uri() else route.abort())
    page.goto(path.as_uri())
    page.evaluate(OPEN_ALL)
    page.evaluate("document.fonts.ready")
    assert page.evaluate("document.fonts.check('16px Inter')")
    assert [url for url in asked if url != path.as_uri() and not url.startswith("data:")] == []
    assert said == []
    page.close()


def test_the_keyboard_reaches_and_opens_every_number(show: Callable[..., Page]) -> None:
    page = show("one score")
    boxes = page.evaluate("[...document.querySelectorAll('main details > summary')].filter(s => s.checkVisibility()).length")
    reached = set()
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            reached.add(page.evaluate("[...document.querySelectorAll('summary')].indexOf(document.activeElement)"))
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline == "solid"
    assert len(reached) == boxes > 10
    first = page.locator("details.open > summary").first
    first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.open[open] dt", has_text="Query").first.is_visible()


def test_a_fact_opens_its_number(show: Callable[..., Page]) -> None:
    page = show("one score", NARROW)
    assert not page.locator("#open-captured_arr dl").is_visible()
    page.locator("a.fig[href='#open-captured_arr']").click()
    assert page.locator("#open-captured_arr dl").is_visible()


def test_a_number_opened_by_a_link_closes_with_escape_and_gives_the_focus_back(show: Callable[..., Page]) -> None:
    page = show("one score")
    link = page.locator("a.fig[href='#open-gain']")
    link.focus()
    page.keyboard.press("Enter")
    assert page.locator("#open-gain").get_attribute("open") is not None
    assert page.evaluate("location.hash") == "#open-gain"
    assert page.evaluate("document.activeElement.closest('#open-gain') !== null")
    page.keyboard.press("Escape")
    assert page.locator("#open-gain").get_attribute("open") is None
    assert page.evaluate("location.hash") == ""
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#open-gain"


def test_the_address_of_an_opened_number_opens_it_again(show: Callable[..., Page]) -> None:
    page = show("one score")
    page.locator("#open-lead_time > summary").click()
    page.wait_for_function("location.hash === '#open-lead_time'")
    page.reload()
    assert page.locator("#open-lead_time").get_attribute("open") is not None


@pytest.mark.parametrize("scripts", [True, False])
def test_the_rows_behind_a_number_are_saved_as_a_file(browser: Browser, tmp_path: Path, scripts: bool) -> None:
    path = tmp_path / "report.html"
    path.write_text(REPORTS["with rows"](), "utf-8")
    context = browser.new_context(java_script_enabled=scripts, offline=True)
    page = context.new_page()
    page.goto(path.as_uri())
    stem = "01-it-s-one-test"
    with page.expect_download() as saved:
        if scripts:
            page.locator("#s1-open-auc > summary").click()
            page.locator(f"#s1-open-auc a[data-rows='rows-{stem}']").click()
        else:
            page.locator(f"#rows-{stem}").click()
    assert saved.value.suggested_filename == f"{stem}.zip"
    with zipfile.ZipFile(saved.value.path()) as archive:
        text = archive.read(f"{stem}.csv")
        manifest = json.loads(archive.read(f"{stem}.manifest.json"))
    assert hashlib.sha256(text).hexdigest() == manifest["csv"]["sha256"]
    assert text.count(b"\n") == manifest["rows"] + 1
    context.close()


def test_on_a_phone_a_listed_account_is_a_card(show: Callable[..., Page]) -> None:
    page = show("one score", NARROW)
    row = page.locator("table.listing tbody tr").first
    boxes = [row.locator("th, td").nth(i).bounding_box() for i in range(3)]
    tops = [box["y"] for box in boxes if box]
    assert len(tops) == 3 and tops == sorted(set(tops))


def test_the_first_tab_stop_skips_to_the_verdict(show: Callable[..., Page]) -> None:
    page = show("one score")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the verdict"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_the_switch_turns_the_theme_over_and_says_what_it_will_do(show: Callable[..., Page]) -> None:
    page = show("one score", theme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    switch = page.get_by_role("button", name="Switch to light theme")
    dark = page.evaluate(ground)
    switch.click()
    assert page.evaluate(ground) == "rgb(251, 251, 249)" != dark
    page.get_by_role("button", name="Switch to dark theme").click()
    assert page.evaluate(ground) == dark


def test_without_scripts_the_page_is_whole(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(REPORTS["one score"](), "utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.get_by_role("heading", level=1).is_visible()
    assert page.get_by_role("button").count() == 0
    assert page.locator("svg.c").count() == 5
    context.close()


def test_on_paper_it_is_light_and_closed_boxes_are_left_out(show: Callable[..., Page]) -> None:
    page = show("one score", theme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("details > summary").first.is_hidden()
    assert page.locator("nav.toc").is_hidden()
    assert page.pdf(format="A4").count(b"/Type /Page\n") in range(4, 12)

"""The pages of a forecast and of the record as a reader has them: in a real browser, wide and narrow, light and dark."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.doors.pages import OPEN_ALL, SPILL, TOUCHING, Theme, open_folders, violations, write_pages
from tests.unit.reports import forecast_record_sample as records
from tests.unit.reports import forecast_sample as sample
from unspun.reports.forecast_html import Proof, render_forecast
from unspun.reports.forecast_record_html import render_record
from unspun.risk.forecast.result import Forecast, ForecastRecord

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    Show = Callable[..., Page]

PROOF = Proof(23, "23:9fe2ab", 6, "ab" * 32, "duckdb 2.0", "Acme & Co", ("the book was not checked",))
MADE: dict[str, Callable[[], Iterator[tuple[str, bytes]]]] = {
    "one": lambda: render_forecast(sample.forecast(), PROOF),
    "two": lambda: render_forecast(sample.forecast(("USD", "EUR")), PROOF),
    "refused": lambda: render_forecast(sample.forecast(refused=True), PROOF),
    "nothing": lambda: render_forecast(sample.nothing_due(), PROOF),
    "record": lambda: render_record(records.record(), PROOF),
    "words": lambda: render_record(records.record(words=True, currencies=("USD", "EUR")), PROOF),
    "few": lambda: render_record(records.record(few=True), PROOF),
    "unsaid": lambda: render_record(records.nothing_said(), PROOF),
}
AXED = {"slim": lambda: render_forecast(short(), PROOF), "slim record": lambda: render_record(short_record(), PROOF)}
LINK = re.compile(r'(?:href|src)="([^"#:]*)(?:#([^"]*))?"')

OUTSIDE = "[...document.querySelectorAll('svg.c text')].filter(t => t.getBoundingClientRect().right > innerWidth).map(t => t.textContent)"


def short() -> Forecast:
    """Every part of the page with few rows: axe looks at each of them."""
    whole = sample.forecast()
    return replace(
        whole, by_month=whole.by_month[:2], by_quarter=whole.by_quarter[:1], by_owner=whole.by_owner[:1], renewals=whole.renewals[:5]
    )


def short_record() -> ForecastRecord:
    whole = records.record(words=True)
    pairs = tuple(one for one in whole.pairs if one.lead_days == 90)
    who = tuple(replace(one, leads=one.leads[1:2]) for one in whole.forecasters)
    return replace(whole, forecasters=who, pairs=pairs, snapshots=whole.snapshots[:1], misses=whole.misses[:2])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    pages = MADE | AXED
    made = {name: tmp_path_factory.mktemp("pages") for name in pages}
    for name, folder in made.items():
        write_pages(folder, pages[name]())
    return made


@pytest.fixture
def show(browser: Browser, folders: dict[str, Path]) -> Iterator[Show]:
    """Open a page from its file, in a browser that can reach nothing else."""
    yield from open_folders(browser, folders)


@pytest.mark.parametrize(
    ("name", "width", "theme"),
    [("slim", 1440, "light"), ("slim", 390, "dark"), ("slim record", 1440, "dark")],
)
def test_axe_finds_nothing_with_every_drawer_open(show: Show, name: str, width: int, theme: Theme) -> None:
    assert violations(show(name, width=width, theme=theme)) == []


@pytest.mark.parametrize("name", ["two", "refused", "words"])
def test_no_page_scrolls_sideways(show: Show, name: str) -> None:
    page = show(name)
    page.evaluate(OPEN_ALL)
    for width in (320, 390, 768, 1100, 1440):
        page.set_viewport_size({"width": width, "height": 1000})
        assert page.evaluate(SPILL) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_no_two_labels_of_a_chart_touch_and_none_leaves_the_page(show: Show) -> None:
    for name, charts in (("two", 4), ("record", 3)):
        page = show(name)
        assert page.locator("svg.c").count() == charts
        for width in (320, 768, 1440):
            page.set_viewport_size({"width": width, "height": 1000})
            assert page.evaluate(TOUCHING) == [], f"{name} at {width}"
            assert page.evaluate(OUTSIDE) == [], f"{name} at {width}"


def test_the_pages_ask_for_nothing_that_does_not_lie_beside_them(browser: Browser, folders: dict[str, Path]) -> None:
    for name in ("one", "record"):
        page, asked, said = browser.new_page(), list[str](), list[str]()
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.on("console", lambda message, said=said: said.append(message.text))
        page.on("pageerror", lambda error, said=said: said.append(str(error)))
        page.goto((folders[name] / "index.html").as_uri())
        assert page.evaluate("document.fonts.ready.then(() => document.fonts.check('16px Inter'))")
        assert [url for url in asked if not url.startswith((folders[name].as_uri(), "data:"))] == []
        assert said == []
        page.close()


def test_every_link_leads_to_a_file_and_a_place_that_are_there_and_every_hash_is_right(folders: dict[str, Path]) -> None:
    for folder in folders.values():
        text = (folder / "index.html").read_text("utf-8")
        for path, anchor in LINK.findall(text):
            assert not path or path == "data" or (folder / path).is_file(), path
            assert not anchor or f'id="{anchor}"' in text, f"{folder.name}: #{anchor}"
        for path in folder.glob("*.csv"):
            assert hashlib.sha256(path.read_bytes()).hexdigest() in text


def test_one_minute_tells_what_is_expected_how_sure_it_is_and_when(show: Show) -> None:
    page = show("one")
    first = " ".join(page.locator("#expected").inner_text().replace("\u00a0", " ").replace("\u2060", "").split())
    assert "Of the $6.78M of ARR that falls due by 30 Nov 2026, 83 % is expected to be kept; with expansion, 88 %." in first
    assert "gross 66\u201393, net 70\u201399" in first and "One owner has only 3 renewals due." in first
    assert page.locator(".months tbody tr.quarter").count() == 6  # five quarters and the whole
    assert page.locator("#path svg.c").get_attribute("aria-label") == page.locator("#path h2").inner_text().replace("\n", " ")
    assert "23/total/USD" in first and "unspun forecast --record" in first


def test_names_from_files_stay_text(show: Show) -> None:
    page = show("one")
    assert page.locator("th[scope=row] b").count() == 0
    assert "=Small & <b>very</b> small customers" in page.locator("#segments").inner_text()
    assert "Dana <b>Ruiz</b>" in show("record").locator("#who").inner_text()


def test_a_refused_forecast_shows_counts_and_sums_and_no_rate(show: Show) -> None:
    page = show("refused")
    assert "the model is not calibrated" in page.locator("#expected .nothing").inner_text().lower()
    assert page.locator("#months thead th").all_inner_texts() == ["Due", "Renewals", "ARR due"]
    assert page.locator("#path").count() == page.locator("#stake").count() == page.locator(".facts").count() == 0


def test_every_currency_has_its_own_sums_and_none_is_added_to_another(show: Show) -> None:
    page = show("two")
    assert page.locator("#months, #months-2").count() == 2
    wholes = page.locator("tr.all td:nth-of-type(2)").all_inner_texts()
    assert [text[0] for text in wholes] == ["\u20ac", "$"]
    rows = list(csv.DictReader((Path(page.url.removeprefix("file://")).parent / "forecast.csv").open(encoding="utf-8")))
    exact = {row["currency"]: float(row["expected"]) for row in rows if (row["group"], row["quantity"]) == ("all", "arr_due")}
    assert [float(text[1:].replace(",", "")) for text in wholes] == [exact["EUR"], exact["USD"]]


def test_the_record_sets_every_forecaster_beside_the_others_and_labels_what_was_replayed(show: Show) -> None:
    page = show("record")
    names = [text.split("\n")[0] for text in page.locator("#who tbody th").all_inner_texts()]
    assert names == ["model", "model, replayed", records.CSM, records.MANAGER, records.LAST_YEAR]
    assert "Cannot tell" in page.locator("#who tbody tr").first.inner_text()
    replayed = sum(shot.replayed for shot in records.record().snapshots)
    page.evaluate(OPEN_ALL)
    assert page.locator("#snapshots .tagged").count() == replayed > 0
    assert page.locator("#said tbody tr, #said-churned tbody tr").count() == sum(len(shot.outcomes) for shot in records.record().snapshots)


def test_what_lay_outside_its_interval_says_so_in_words(show: Show) -> None:
    page = show("record")
    page.evaluate(OPEN_ALL)
    outside = sum(not one.in_95 for shot in records.record().snapshots for one in shot.outcomes)
    assert page.locator(".calls small", has_text="outside").count() == outside > 0
    assert page.locator(".calls .churn .came").count() == outside


def test_calls_in_words_are_scored_by_how_they_rank_alone(show: Show) -> None:
    page = show("words")
    row = page.locator("#who tbody tr", has_text=records.CSM)
    assert "in words" in row.inner_text() and "not probabilities" in row.inner_text()
    early = page.locator("#early tbody.of", has_text=records.CSM).inner_text()
    assert "0.74" in early and "cannot tell" in early


def test_few_decided_renewals_give_no_score_of_anybody(show: Show) -> None:
    page = show("few")
    assert "Too few renewals are decided" in page.locator("h1").inner_text()
    assert page.locator("#who .told").count() == 5 and page.locator("#calibration svg.c").count() == 0
    assert "Nobody has said anything yet" in show("unsaid").locator("h1").inner_text()


def test_without_script_and_on_paper_the_pages_are_whole(show: Show) -> None:
    page = show("one", script=False)
    assert page.locator(".months tbody tr").count() == 18
    assert page.locator("[data-theme-switch]").is_hidden()
    page.emulate_media(media="print")
    assert page.locator(".months").is_visible() and page.locator(".toc").is_hidden()


def test_the_same_result_gives_the_same_bytes(folders: dict[str, Path]) -> None:
    for name in ("two", "words"):
        again = {path: hashlib.sha256(content).hexdigest() for path, content in MADE[name]()}
        assert again == {path: hashlib.sha256((folders[name] / path).read_bytes()).hexdigest() for path in again}

"""The pages of renewal risk as a reader has them: in a real browser, wide and narrow, light and dark, by keyboard, on paper."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.doors.pages import OPEN_ALL, SPILL, TOUCHING, Theme, open_folders, violations, write_pages
from tests.unit.reports import risk_sample as sample
from unspun.reports.evidence_html import Proof
from unspun.reports.risk_claims import foretold
from unspun.reports.risk_html import MOST_ROWS, render_risk
from unspun.risk.result import RiskResult

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    Show = Callable[..., Page]

PROOF = Proof(23, "23:9fe2ab", 6, "ab" * 32, "duckdb 2.0", "Acme", ("the book was not checked",))
MEANING = "How many tickets of the last ninety days nobody has closed yet, <b>whoever</b> opened them"
MEANINGS: dict[str, str] = {"open_tickets": MEANING, "champion_left": MEANING}
LINK = re.compile(r'(?:href|src)="([^"#:]+)(?:#([^"]*))?"')
TOLD, UNTOLD, NOTICED = "solent-b-diagnostics-b-2027-01-03", "ibex-energy-2027-05-30", "harrow-insurance-2027-05-08"
LONG = "a-very-long-account-name-of-a-public-bod-2027-07-30"


@cache
def judged(name: str) -> RiskResult:
    made = {"few": sample.few, "many": lambda: sample.many(60), "hollow": sample.hollow, "uncalibrated": sample.uncalibrated}
    return {**made, "empty": sample.empty}[name]()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {name: tmp_path_factory.mktemp(name) for name in ("few", "many", "hollow", "uncalibrated", "empty")}
    for name, folder in made.items():
        earlier = sample.earlier(judged(name)) if name == "few" else None
        write_pages(folder, render_risk(judged(name), PROOF, earlier, MEANINGS, room=20_000))
    return made


@pytest.fixture
def show(browser: Browser, folders: dict[str, Path]) -> Iterator[Show]:
    """Open a page of a folder from its file, in a browser that can reach nothing else."""
    yield from open_folders(browser, folders)


@pytest.mark.parametrize(
    ("name", "page_name", "width", "theme"),
    [
        ("few", "index", 1440, "light"),
        ("few", TOLD, 390, "dark"),
        ("few", "model", 390, "light"),
        ("hollow", "model", 1440, "dark"),
    ],
)
def test_axe_finds_nothing_with_every_drawer_open(show: Show, name: str, page_name: str, width: int, theme: Theme) -> None:
    assert violations(show(name, page_name, width, theme)) == []


@pytest.mark.parametrize("page_name", ["index", TOLD, "model"])
def test_no_page_scrolls_sideways_and_no_two_labels_of_a_chart_touch(show: Show, page_name: str) -> None:
    page = show("few", page_name)
    page.evaluate(OPEN_ALL)
    for width in (320, 390, 768, 1000, 1440):
        page.set_viewport_size({"width": width, "height": 1000})
        assert page.evaluate(SPILL) == [], width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(TOUCHING) == [], width


@pytest.mark.parametrize("served", [False, True])
def test_the_pages_work_from_a_disk_and_from_a_server_and_ask_for_nothing_else(
    browser: Browser, folders: dict[str, Path], served: bool
) -> None:
    handler = partial(SimpleHTTPRequestHandler, directory=str(folders["few"]))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}" if served else folders["few"].as_uri()
        page, asked, said = browser.new_page(), list[str](), list[str]()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{base}/index.html")
        page.locator(".list tbody a").first.click()
        page.wait_for_load_state()
        page.get_by_role("link", name="The model", exact=True).click()
        page.wait_for_load_state()
        assert page.evaluate("document.fonts.ready.then(() => document.fonts.check('16px Inter'))")
        assert page.evaluate("getComputedStyle(document.querySelector('.chip')).borderRadius") == "99px"
        assert [url for url in asked if not url.startswith((f"{base}/", "data:"))] == []
        assert said == []
        page.close()
        server.shutdown()


def test_every_link_leads_to_a_file_and_a_place_that_are_there(folders: dict[str, Path]) -> None:
    for folder in folders.values():
        for page in folder.glob("*.html"):
            for path, anchor in LINK.findall(page.read_text("utf-8")):
                assert (folder / path).is_file(), f"{page.name}: {path}"
                assert not anchor or f'id="{anchor}"' in (folder / path).read_text("utf-8"), f"{page.name}: {path}#{anchor}"


def test_every_renewal_has_a_page_that_carries_its_address(folders: dict[str, Path]) -> None:
    pages = {path.name: path.read_text("utf-8") for path in folders["few"].glob("*.html")}
    assert len(pages) == len(judged("few").renewals) + 2
    for one in judged("few").renewals:
        holding = [text for text in pages.values() if f"unspun why 23/{one.account}@{one.due}/churn</code> shows" in text]
        assert len(holding) == 1


def test_every_term_that_can_be_told_has_its_curve_beside_the_calibration(folders: dict[str, Path]) -> None:
    page = (folders["few"] / "model.html").read_text("utf-8")
    assert page.count('<svg class="c"') == 1 + sum(term.told for term in sample.model().terms)


def test_names_stay_text(show: Show) -> None:
    page = show("few")
    assert "Solent <b>Diagnostics</b>" in page.locator(".list").first.inner_text()
    assert page.locator(".list th b").count() == 0
    assert "NPS <i>" in show("few", "model").locator("#left").inner_text()


def test_the_steps_end_at_the_risk_and_each_begins_where_the_last_ended(show: Show) -> None:
    rows = show("few", TOLD).locator(".wf tbody tr")
    cells = [rows.nth(at).locator("td.n").all_inner_texts() for at in range(rows.count())]
    then = [float(texts[1].split("\u00a0")[0]) for texts in cells]
    points = [float(texts[0].split(" ")[0].replace("\u2212", "-")) for texts in cells[1:]]
    for before, moved, after in zip(then[:-2], points[:-1], then[1:-1], strict=True):
        assert after == pytest.approx(before + moved, abs=0.11)
    assert then[-1] == then[-2] and points[-1] == pytest.approx(then[-1] - then[0], abs=0.11)


@pytest.mark.parametrize(("page_name", "said"), [(UNTOLD, "cannot be told"), (NOTICED, "Notice was given")])
def test_where_nothing_is_told_no_number_stands_in_its_place(show: Show, page_name: str, said: str) -> None:
    page = show("few", page_name)
    assert said in page.locator(".say").inner_text()
    assert page.locator(".wf").count() == page.locator(".out").count() == 0
    assert not re.search(r"0\.\d\d", page.locator(".heads li").first.inner_text())


def test_without_a_model_and_with_one_that_is_not_calibrated_no_renewal_has_a_risk(show: Show) -> None:
    for name, said in (("hollow", "No model"), ("uncalibrated", "no renewal is given one")):
        page = show(name)
        assert said in page.locator(".loud").first.inner_text()
        assert page.locator(".list td.risk").count() == 0 and page.locator(".list.dark tbody tr").count() == len(judged(name).renewals)


def column(page: Page, name: str) -> list[str]:
    return page.locator(f".list:not(.dark) tbody tr:not([hidden]) .{name}").all_inner_texts()


def test_the_list_sorts_by_keyboard_and_what_has_no_value_stays_last(show: Show) -> None:
    page = show("few")
    button = page.locator(".list th", has_text="Expected lost").locator("button")
    button.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    lost = [text for text in column(page, "a-lost") if "no ARR" not in text]
    assert [float(text[1:-1]) for text in lost] == sorted(float(text[1:-1]) for text in lost) and len(lost) == 8
    assert column(page, "a-lost")[-1] == "no ARR"
    page.locator(".list th", has_text="Due").locator("button").first.click()
    assert "overdue" in column(page, "a-due")[0]


def test_the_list_folds_and_opens_and_narrows_by_name_owner_and_how_soon(show: Show) -> None:
    page, result = show("many"), judged("many")
    told = foretold(result)
    assert len(column(page, "a-acc")) == MOST_ROWS
    page.get_by_role("button", name=f"Show all {len(told)}").click()
    assert len(column(page, "a-acc")) == len(told)
    page.get_by_role("searchbox").fill("j. park")
    assert len(column(page, "a-acc")) == sum(one.owner == "J. Park" for one in told)
    page.get_by_role("searchbox").fill("")
    page.get_by_role("button", name="Within 30 days").click()
    assert len(column(page, "a-acc")) == sum(one.lead_days < 31 for one in told)


def test_a_change_is_told_beside_the_risk_and_is_left_out_where_there_was_no_run_before(show: Show) -> None:
    assert "+" in " ".join(column(show("few"), "a-change"))
    assert show("many").locator(".a-change").count() == 0
    assert "P(churn) was" in show("few", LONG).locator(".say").inner_text()


def test_the_keyboard_reaches_every_control_of_a_renewal(show: Show) -> None:
    page = show("few", TOLD)
    wanted = page.evaluate("[...document.querySelectorAll('a[href], button, input, summary')].filter(e => e.checkVisibility()).length")
    reached = set[int]()
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        reached.add(page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") in ("solid", "auto")
    assert len(reached) >= wanted > 8


def test_without_script_and_on_paper_the_whole_list_is_there(show: Show) -> None:
    page = show("many", script=False)
    assert len(column(page, "a-acc")) == len(foretold(judged("many"))) and page.locator(".narrow").is_hidden()
    paper = show("many")
    paper.emulate_media(media="print")
    paper.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert len(column(paper, "a-acc")) == len(foretold(judged("many"))) and paper.locator(".narrow").is_hidden()


def test_rows_are_put_beside_the_pages_as_far_as_there_is_room(folders: dict[str, Path]) -> None:
    zips = list((folders["many"] / "rows").glob("*.zip"))
    assert 0 < sum(path.stat().st_size for path in zips) <= 20_000
    with_rows = [path for path in folders["many"].glob("*.html") if "CSV with manifest" in path.read_text("utf-8")]
    assert {path.stem for path in with_rows} == {path.stem for path in zips}
    assert len(with_rows) < len(foretold(judged("many")))

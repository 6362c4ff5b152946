"""The pages of the evidence as a reader has them: in a real browser, wide and narrow, light and dark, by keyboard, on paper."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.doors.pages import OPEN_ALL, SPILL, TOUCHING, Theme, open_folders, violations
from tests.unit.reports import evidence_sample as sample
from unspun.audit.evidence_result import EvidenceResult, Redundancy
from unspun.audit.result import VERDICTS
from unspun.reports.evidence_html import MOST_ROWS, Proof, render_evidence

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    Show = Callable[..., Page]

PROOF = Proof(23, "23:9fe2ab", 6, "ab" * 32, "duckdb 2.0", "Acme", ("the book was not checked",), (("metric/tier", "it is a text"),))
LINK = re.compile(r'(?:href|src)="([^"#:]+)(?:#([^"]*))?"')
LOGINS, TICKETS = "metric-logins-28d", "metric-open-tickets"


@cache
def judged(name: str) -> EvidenceResult:
    made = {
        "few": sample.few,
        "many": sample.many,
        "folded": lambda: sample.many(MOST_ROWS + 1),
        "hollow": sample.hollow,
        "one": sample.one,
    }
    return made[name]()


def write_pages(name: str, folder: Path) -> None:
    """The folder of a result; of many subjects the index alone, whose links lead nowhere."""
    since = sample.since() if name == "few" else None
    for path, content in render_evidence(judged(name), PROOF, since):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
        if name in ("many", "folded") and path == "index.html":
            return


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {name: tmp_path_factory.mktemp(name) for name in ("few", "many", "folded", "hollow", "one")}
    for name, folder in made.items():
        write_pages(name, folder)
    return made


@pytest.fixture
def show(browser: Browser, folders: dict[str, Path]) -> Iterator[Show]:
    """Open a page of a folder from its file, in a browser that can reach nothing else."""
    yield from open_folders(browser, folders)


@pytest.mark.parametrize(
    ("name", "page_name", "width", "theme"),
    [
        ("few", "index", 1440, "light"),
        ("few", "index", 390, "dark"),
        ("few", TICKETS, 1440, "dark"),
        ("few", "forecast-csm-call", 320, "dark"),
        ("folded", "index", 1440, "dark"),
        ("hollow", "metric-a", 390, "dark"),
    ],
)
def test_axe_finds_nothing_with_every_drawer_open(show: Show, name: str, page_name: str, width: int, theme: Theme) -> None:
    page = show(name, page_name, width, theme)
    assert violations(page) == []


@pytest.mark.parametrize(
    ("name", "page_name"),
    [("few", "index"), ("few", TICKETS), ("few", "score-customer-engagement"), ("folded", "index"), ("hollow", "metric-a")],
)
def test_no_page_scrolls_sideways(show: Show, name: str, page_name: str) -> None:
    page = show(name, page_name)
    page.evaluate(OPEN_ALL)
    for width in (320, 390, 768, 1100, 1440):
        page.set_viewport_size({"width": width, "height": 1000})
        assert page.evaluate(SPILL) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
def test_no_two_labels_of_a_chart_touch(show: Show, width: int) -> None:
    page = show("few", TICKETS, width)
    assert page.locator("#shape svg.c").count() == 1
    assert page.evaluate(TOUCHING) == []


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
        page.locator(".trial tbody a").first.click()
        page.wait_for_load_state()
        assert page.locator("h1").is_visible()
        assert page.evaluate("document.fonts.ready.then(() => document.fonts.check('16px Inter'))")
        assert page.evaluate("getComputedStyle(document.querySelector('.chip')).borderRadius") == "99px"
        assert [url for url in asked if not url.startswith((f"{base}/", "data:"))] == []
        assert said == []
        page.close()
        server.shutdown()


def test_every_link_leads_to_a_file_and_a_place_that_are_there(folders: dict[str, Path]) -> None:
    for folder in (folders["few"], folders["hollow"], folders["one"]):
        for page in folder.glob("*.html"):
            for path, anchor in LINK.findall(page.read_text("utf-8")):
                assert (folder / path).is_file(), f"{page.name}: {path}"
                assert not anchor or f'id="{anchor}"' in (folder / path).read_text("utf-8"), f"{page.name}: {path}#{anchor}"


def test_each_subject_has_a_page_whose_figures_carry_their_addresses(folders: dict[str, Path]) -> None:
    pages = {path.name: path.read_text("utf-8") for path in folders["few"].glob("*.html")}
    assert len(pages) == len(judged("few").subjects) + 1
    logins = pages[f"{LOGINS}.html"]
    for name in ("verdict", "auc", "gain", "coverage", "shape"):
        assert f"<code>23/metric/logins_28d/{name}</code>" in logins
        assert f"<code>unspun why 23/metric/logins_28d/{name}</code>" in logins
    assert "unspun why &#39;23/forecast/CSM call/auc&#39;" in pages["forecast-csm-call.html"]


def test_names_stay_text_and_a_metric_is_not_called_a_score(show: Show) -> None:
    page = show("few")
    assert page.locator("th[scope=row] b").count() == 0
    assert "NPS <b>2026</b>" in page.locator("#subjects").inner_text()
    one = show("few", LOGINS)
    for section in ("#verdict", "#rank", "#baseline", "#calib"):
        assert not re.search(r"\b(?<!Brier )scores?\b", one.locator(section).inner_text(), re.IGNORECASE), section
    assert "renewals that had a value" in one.locator("#rank").inner_text()
    assert "The score" in show("few", "score-customer-engagement").locator("#baseline").inner_text()


def column(page: Page, place: int) -> list[str]:
    return page.locator(f".trial tbody tr:not([hidden]) > :nth-child({place})").all_inner_texts()


def test_the_table_sorts_by_keyboard_and_what_has_no_value_stays_last(show: Show) -> None:
    page = show("few")
    gain = page.locator(".trial th", has_text="Gain").locator("button")
    gain.focus()
    page.keyboard.press("Enter")
    down = column(page, 5)
    known = [float(text.split()[0].replace("\u2212", "-")) for text in down if "no estimate" not in text]
    assert known == sorted(known, reverse=True) and len(known) == 8
    assert ["no estimate" in text for text in down] == [False] * 8 + [True] * 2
    page.keyboard.press("Enter")
    up = [float(text.split()[0].replace("\u2212", "-")) for text in column(page, 5) if "no estimate" not in text]
    assert up == sorted(known) and "no estimate" in column(page, 5)[-1]
    assert page.locator(".trial th[aria-sort=ascending]").inner_text() == "Gain"


def test_two_hundred_fold_to_the_first_and_open_by_name_and_by_verdict(show: Show) -> None:
    page, result = show("many"), judged("many")
    assert len(column(page, 1)) == MOST_ROWS
    page.get_by_role("button", name="Show all 200").click()
    assert len(column(page, 1)) == 200
    page.get_by_role("searchbox").fill("family 7 reading")
    assert len(column(page, 1)) == sum("family_7_reading" in one.subject.key for one in result.subjects) > 0
    page.get_by_role("searchbox").fill("")
    page.locator("button[data-verdict='reversed']").focus()
    page.keyboard.press("Space")
    assert len(column(page, 1)) == sum(score.verdict == "reversed" for score in result.audit.scores)
    assert "of 200 are shown" in page.locator(".narrow output").inner_text()


def told(page: Page) -> str:
    return page.locator("#map-said").inner_text().replace("\u2212", "-")


def test_the_map_tells_of_the_cell_that_the_arrow_keys_reach_and_enter_opens_its_row(show: Show) -> None:
    page, result = show("few"), judged("few")
    assert isinstance(result.redundancy, Redundancy)
    keys, order = [one.subject.key for one in result.subjects], list(result.redundancy.order)
    labels = {one.subject.key: one.subject.label for one in result.subjects}
    page.locator(".map-field").focus()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("End")
    for _ in range(len(order)):
        page.keyboard.press("ArrowLeft")
    for place, key in enumerate(order):
        page.keyboard.press("Home")
        for _ in range(place):
            page.keyboard.press("ArrowDown")
        rho = result.redundancy.rho[keys.index(key)][keys.index(order[0])]
        if place:
            said = "cannot be told, as too few units have both" if rho is None else f"rank correlation {rho:.2f}"
            assert told(page).startswith(f"{labels[key]} and {labels[order[0]]}: {said}")
    page.keyboard.press("Enter")
    page.wait_for_url("**/metric-*.html")


def test_the_map_of_two_hundred_tells_of_the_cell_under_the_pointer(show: Show) -> None:
    page, result = show("many"), judged("many")
    assert isinstance(result.redundancy, Redundancy)
    keys, order = [one.subject.key for one in result.subjects], list(result.redundancy.order)
    labels = {one.subject.key: one.subject.label for one in result.subjects}
    field = page.locator(".map-field")
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    assert box is not None and box["width"] == pytest.approx(box["height"], abs=1)
    for row, place in ((0, 1), (3, 150), (121, 120), (199, 0), (77, 77)):
        page.mouse.move(box["x"] + box["width"] * (place + 0.5) / 200, box["y"] + box["height"] * (row + 0.5) / 200)
        one, other = order[row], order[place]
        rho = result.redundancy.rho[keys.index(one)][keys.index(other)]
        assert rho is not None
        start = labels[one] if row == place else f"{labels[one]} and {labels[other]}: rank correlation {round(rho, 2) + 0.0:.2f}"
        assert told(page).startswith(start)
    assert page.locator(".groups-of li").count() == len(result.redundancy.groups) > 10


def test_the_keyboard_reaches_every_control_of_the_index(show: Show) -> None:
    page = show("few")
    wanted = page.evaluate(
        "[...document.querySelectorAll('a[href], button, input, summary, [tabindex=\"0\"]')].filter(e => e.checkVisibility()).length"
    )
    reached = set[int]()
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        reached.add(page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") in ("solid", "auto")
    assert len(reached) >= wanted > 60


def test_on_paper_the_whole_table_and_the_map_are_there(show: Show) -> None:
    page = show("many")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert len(column(page, 1)) == 200
    assert page.locator(".trial th", has_text="Gain").locator("button").is_visible()
    assert page.locator(".map-field").is_visible() and page.locator(".narrow").is_hidden() and page.locator(".toc").is_hidden()


def test_without_script_the_pages_are_whole(show: Show) -> None:
    page = show("many", script=False)
    assert page.locator(".trial tbody tr").count() == len(column(page, 1)) == 200
    assert page.locator(".map-field svg.cells path").count() > 3 and page.locator(".narrow").is_hidden()
    one = show("few", TICKETS, script=False)
    one.locator("#shape summary").click()
    assert one.locator("#shape table").is_visible()


def test_every_verdict_has_its_chip_and_the_index_of_two_hundred_stays_small(show: Show, folders: dict[str, Path]) -> None:
    page = show("few")
    assert set(page.locator(".trial .chip").all_inner_texts()) == set(VERDICTS)
    assert (folders["many"] / "index.html").stat().st_size < 700_000

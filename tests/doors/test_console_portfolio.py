"""The portfolio and the page of an account, as people in each role use them: read, filter, search, write, in a browser too."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import date
from html import unescape
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from tests.doors.console_site import Page, Visitor, signed_in
from tests.doors.pages import violations
from tests.doors.portfolio_company import HOSTILE_NAME, Company, refreshed
from tests.doors.portfolio_pages import lines, names
from tests.doors.published_site import console_of, served
from unspun.app.ledger import list_entries
from unspun.reports.words import NBSP, day

if TYPE_CHECKING:
    from playwright.sync_api import Browser

KIM = {"owner": ["Kim"]}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return refreshed(tmp_path_factory.mktemp("company"))


@pytest.fixture
def console(company: Company) -> Iterator[Company]:
    with console_of(company.workspace):
        yield company


def open_account(company: Company) -> str:
    """An account with an open renewal and a probability."""
    return next(one.account_id for one in lines(company).rows if one.p_churn is not None and one.status == "open")


# An account without a line


def test_an_account_that_left_is_found_and_its_page_says_when_it_left(console: Company) -> None:
    rows = [one.split(",") for one in (console.book.exports / "renewals.csv").read_text("utf-8").splitlines()]
    left, due = next((id, date.fromisoformat(due)) for id, due, outcome, *_ in rows if outcome == "churned" and due < "2025-12-31")
    browser = signed_in("viewer")
    assert f'href="/accounts/{left}"' in browser.get(f"/search?q={left}").text
    page = browser.get(f"/accounts/{left}")
    assert page.status == 200 and f"Left on {day(due)}.".replace(NBSP, " ") in page.said and "none is made up here" in page.said
    assert "No subscription runs" in page.said and "No renewal of this account is open." in page.said
    assert "no_rows" not in page.said and "after_churn" not in page.said
    assert browser.get("/accounts/A-999").status == 404
    other = "Lee" if int(left[2:]) % 2 else "Kim"
    assert signed_in("csm", "Bo", {"owner": [other]}).get(f"/accounts/{left}").status == 404


# The list


def test_the_list_begins_with_what_is_due_in_90_days_and_matters_most(console: Company) -> None:
    page, said = signed_in("viewer").get("/portfolio"), lines(console, due_within=90)
    assert names(page) == [one.name for one in said.rows]
    assert f"{said.sums[0].n} renewals" in page.said and "As of 31 Dec 2025" in page.said
    assert names(signed_in("viewer", "Bo").get("/portfolio?due=all")) == [one.name for one in lines(console).rows]


def test_an_address_says_the_whole_view_and_each_filter_can_be_taken_out(console: Company) -> None:
    browser = signed_in()
    page = browser.get("/portfolio?due=all&owner=Kim&sort=name&dir=up&col=arr&col=owner")
    rows = lines(console, owners=("Kim",)).rows
    assert names(page) == sorted((one.name for one in rows), key=str.casefold)
    assert 'aria-sort="ascending"' in page.text and "Remove filter: owner: Kim" in page.text
    assert "Why" not in page.text.partition("<thead>")[2].partition("</thead>")[0]


def test_a_view_that_cannot_be_is_refused_with_what_is_wrong_in_it(console: Company) -> None:
    browser = signed_in()
    for address, told in (
        ("due=soon", "no whole number"),
        ("sort=luck", "Nothing is sorted by"),
        ("after=nowhere", "no place in the list"),
    ):
        page = browser.get(f"/portfolio?{address}")
        assert page.status == 422 and told in page.said, address


def test_pages_of_the_list_follow_each_other_without_a_gap(console: Company) -> None:
    browser, seen, path = signed_in(), list[str](), "/portfolio?due=all"
    while path:
        page = browser.get(path + "&size=20")
        seen += names(page)
        path = next_of(page)
    assert seen == [one.name for one in lines(console).rows]


def next_of(page: Page) -> str:
    found = re.search(r'<a class="next" href="([^"]+)"', page.text)
    return unescape(found[1]) if found else ""


def test_the_list_as_csv_has_its_rows_and_a_manifest(console: Company) -> None:
    answer = signed_in().get("/portfolio/rows?due=all&owner=Lee").response
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        rows = list(csv.DictReader(io.StringIO(packed.read("portfolio.csv").decode())))
        manifest = json.loads(packed.read("portfolio.manifest.json"))
    assert [one["account_id"] for one in rows] == [one.account_id for one in lines(console, owners=("Lee",)).rows]
    assert manifest["rows"] == len(rows) and manifest["as_of"] == "2025-12-31"


def test_who_is_limited_sees_own_accounts_alone_in_list_search_and_csv(console: Company) -> None:
    browser, others = signed_in("csm", "Kim", KIM), {one.name for one in lines(console, owners=("Lee",)).rows}
    own = [one.name for one in lines(console, owners=("Kim",)).rows]
    assert names(browser.get("/portfolio?due=all")) == own
    foreign = lines(console, owners=("Lee",)).rows[0]
    assert browser.get(f"/accounts/{foreign.account_id}").status == browser.get("/accounts/no-such").status == 404
    assert "Nothing found" in browser.get(f"/search?hits=1&q={foreign.account_id}").said
    packed = zipfile.ZipFile(io.BytesIO(browser.get("/portfolio/rows?due=all").response.content))
    assert not others & {one["name"] for one in csv.DictReader(io.StringIO(packed.read("portfolio.csv").decode()))}


def test_a_hostile_name_is_inert_text(console: Company) -> None:
    browser = signed_in()
    page = browser.get("/portfolio?due=all&q=script")
    assert HOSTILE_NAME in names(page) and HOSTILE_NAME not in page.text
    assert HOSTILE_NAME not in browser.get("/search?hits=1&q=script").text


# An account


def test_the_page_of_an_account_goes_from_a_typical_renewal_to_this_one(console: Company) -> None:
    page = signed_in("viewer").get(f"/accounts/{open_account(console)}")
    assert page.status == 200
    for told in (
        "Risk of churn at renewal",
        "A typical renewal",
        "This renewal",
        "What was measured",
        "What happened",
        "Where this comes from",
    ):
        assert told in page.said, told
    assert "Enter in the ledger" not in page.said, "a viewer writes nothing"


def test_a_note_is_in_the_ledger_with_its_author_and_shown_at_once(console: Company) -> None:
    browser, account = signed_in("csm", "Kim"), open_account(console)
    before = len(list_entries(console.workspace))
    answer = browser.post(f"/accounts/{account}/note", text="<b>Asked for an export</b> of all data")
    assert answer.status == 302
    page, entry = browser.get(f"/accounts/{account}"), list_entries(console.workspace)[-1]
    assert len(list_entries(console.workspace)) == before + 1
    assert "<b>Asked for an export</b> of all data" in page.said and "<b>Asked" not in page.text
    there = entry.at.astimezone(ZoneInfo("Europe/Berlin"))  # the book's, as Kim chose none
    assert f"Kim, {day(there.date()).replace(NBSP, ' ')}, {there:%H:%M}, entry {entry.seq}" in page.said


def test_a_note_without_words_is_refused_beside_its_field(console: Company) -> None:
    browser, account = signed_in("csm", "Kim"), open_account(console)
    page = browser.post(f"/accounts/{account}/note", text="  ")
    assert page.status == 400 and "The text is empty" in page.said and 'aria-invalid="true"' in page.text


def test_a_forecast_is_read_as_people_write_it_and_kept_as_declared(console: Company) -> None:
    browser, account = signed_in("csm", "Kim"), open_account(console)
    due = next(one.due for one in lines(console).rows if one.account_id == account)
    answer = browser.post(
        f"/accounts/{account}/forecast", due=str(due), probability="75 %", amount="$165,600", reason="They asked for a quote"
    )
    assert answer.status == 302
    said = browser.get(f"/accounts/{account}").said
    assert "0.75 as declared" in said


def test_all_faults_of_a_forecast_are_told_together_and_what_was_typed_is_kept(console: Company) -> None:
    browser, account = signed_in("csm", "Kim"), open_account(console)
    page = browser.post(f"/accounts/{account}/forecast", due="", probability="likely", amount="much", reason="A good call")
    assert page.status == 400
    assert "The probability is no number" in page.said and "The amount is no number" in page.said
    assert 'value="likely"' in page.text and "A good call" in page.text


@pytest.mark.parametrize("path", ["note", "forecast"])
def test_only_who_may_write_writes_and_only_of_own_accounts(console: Company, path: str) -> None:
    account, foreign = open_account(console), lines(console, owners=("Lee",)).rows[0].account_id
    given = {"text": "x", "due": "2026-01-01", "probability": "1", "reason": "x"}
    assert signed_in("viewer", "Vera").post(f"/accounts/{account}/{path}", **given).status == 403
    assert signed_in("csm", "Kim", KIM).post(f"/accounts/{foreign}/{path}", **given).status == 404


def test_search_finds_accounts_by_words_and_pages_by_their_beginning(console: Company) -> None:
    browser = signed_in()
    name = lines(console).rows[0].name
    assert name in browser.get(f"/search?q={name}").said
    assert 'role="option"' in browser.get("/search?hits=1&q=forec").text


# In a browser


def test_the_morning_by_keyboard_without_a_fault(console: Company, browser: Browser) -> None:
    person, account = signed_in("owner"), open_account(console)
    name = next(one.name for one in lines(console).rows if one.account_id == account)
    faults: list[str] = []
    with served() as site:
        context = browser.new_context(viewport={"width": 1440, "height": 1000})
        context.add_cookies([{"name": "unspun_session", "value": cookie_of(person), "url": site.address}])
        context.on("request", lambda one: None if one.url.startswith(site.address) else faults.append(one.url))
        page = context.new_page()
        page.on("console", lambda one: faults.append(one.text) if one.type in ("error", "warning") else None)
        page.on("pageerror", lambda one: faults.append(str(one)))
        page.goto(f"{site.address}/portfolio?due=all")
        assert violations(page) == []
        page.keyboard.press("/")
        page.locator("dialog#palette[open]").wait_for()
        page.keyboard.type(name)
        page.locator("#palette-hits [role=option]").first.wait_for()
        assert violations(page) == []
        page.keyboard.press("Enter")
        page.wait_for_url("**/accounts/**")
        assert page.locator("h1").inner_text() == name
        assert violations(page) == []
        for theme, width in (("dark", 1440), ("light", 390)):
            page.emulate_media(color_scheme=theme)  # pyright: ignore[reportArgumentType]
            page.set_viewport_size({"width": width, "height": 900})
            for path in ("/portfolio?due=all", f"/accounts/{account}"):
                page.goto(site.address + path)
                assert violations(page) == [], (theme, path)
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (width, path)
        page.locator(".burger").focus()
        page.keyboard.press("Enter")
        assert page.locator("#rail-menu").is_visible() and violations(page) == []
        context.close()
    assert faults == []


def cookie_of(person: Visitor) -> str:
    return person.client.cookies["unspun_session"].value

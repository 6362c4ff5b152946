"""Saved views, sums that open, the last look, and pages in their reader's way, as people use them."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import TYPE_CHECKING

import pytest

from tests.doors.console_site import Visitor, person, signed_in
from tests.doors.pages import violations
from tests.doors.portfolio_company import OWNER, Company, refreshed
from tests.doors.portfolio_pages import lines, names
from tests.doors.published_site import console_of, served
from unspun.app.people.actors import actor_of
from unspun.app.portfolio.account import account_detail
from unspun.app.portfolio.looks import LastLook, last_look
from unspun.app.portfolio.notes import add_note

if TYPE_CHECKING:
    from playwright.sync_api import Browser

KIM = {"owner": ["Kim"]}
HOSTILE = '"><script>alert(1)</script>\u202e=1+1'


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return refreshed(tmp_path_factory.mktemp("company"))


@pytest.fixture
def console(company: Company) -> Iterator[Company]:
    with console_of(company.workspace):
        yield company


def saved(browser: Visitor, name: str, **fields: str) -> str:
    """The address of a view that is saved."""
    answer = browser.post("/views/new", name=name, **fields)
    assert answer.status == 302, answer.said
    return answer.to


# Views


def test_a_view_keeps_filter_order_and_columns_at_an_address_that_outlives_its_name(console: Company) -> None:
    ann = signed_in()
    address = saved(ann, "Kim, by name", due="all", owner="Kim", sort="name", col="arr")
    assert address == "/views/1-kim-by-name"
    page = ann.get(address)
    assert names(page) == sorted((one.name for one in lines(console, owners=("Kim",)).rows), key=str.casefold)
    assert page.heading == "Kim, by name"
    ann.post("/views/1/change", name="Mine")
    assert ann.get(address).to == "/views/1-mine"
    assert names(ann.get("/views/1-mine")) == names(page)


def test_what_is_changed_on_a_view_is_not_kept_until_it_is_asked_for(console: Company) -> None:
    ann = signed_in()
    address = saved(ann, "Due", due="90")
    assert "Keep the list as it is now" in ann.get(f"{address}?due=all&owner=Lee").said
    assert "owner: Lee" not in ann.get(address).said
    ann.post("/views/1/change", due="all", owner="Lee", update="yes")
    assert "owner: Lee" in ann.get(address).said


def test_the_last_filter_of_a_view_can_be_taken_out(console: Company) -> None:
    ann = signed_in()
    address = saved(ann, "Lee", owner="Lee")
    off = re.search(r'class="off" href="([^"]+)"', ann.get(address).text)
    assert off is not None
    assert names(ann.get(unescape(off[1]))) == [one.name for one in lines(console, due_within=90).rows]


def test_a_private_view_is_not_there_for_others_and_a_shared_one_shows_each_their_own_accounts(console: Company) -> None:
    ann, kim = signed_in(), signed_in("csm", "Kim", KIM)
    private, shared = saved(ann, "Private", due="all"), saved(ann, "Everything", due="all", shared="on")
    assert kim.get(private).status == 404
    assert "Private" not in kim.get("/portfolio").said
    page = kim.get(shared)
    assert names(page) == [one.name for one in lines(console, owners=("Kim",)).rows]
    assert "view of Ann" in page.said
    foreign = saved(ann, "Lee's", due="all", owner="Lee", shared="on")
    assert names(kim.get(foreign)) == []
    assert "No account fits" in kim.get(foreign).said


def test_only_its_author_or_who_manages_people_changes_a_shared_view(console: Company) -> None:
    bo, kim, ann = signed_in("analyst", "Bo"), signed_in("csm", "Kim"), signed_in()
    address = saved(bo, "Bo's", due="30", shared="on")
    for path in ("change", "delete"):
        assert kim.post(f"/views/1/{path}", name="Mine").status == 403
    assert kim.get(address).heading == "Bo's"
    assert ann.post("/views/1/delete").status == 302
    assert bo.get(address).status == 404


def test_the_portfolio_begins_with_the_view_that_a_person_chose_until_it_is_gone(console: Company) -> None:
    ann, kim = signed_in(), signed_in("csm", "Kim")
    address = saved(ann, "Ours", due="30", shared="on")
    kim.post("/views/begin", view="1")
    assert kim.get("/portfolio").to == address
    assert ann.get("/portfolio").status == 200
    ann.post("/views/1/change", name="Ours")  # no longer shared
    assert kim.get("/portfolio").status == 200


def test_a_name_that_cannot_be_is_refused_beside_its_field_and_what_was_typed_is_kept(console: Company) -> None:
    ann = signed_in()
    saved(ann, "Twice")
    for name, told in (("Twice", "You have a view called"), ("  ", "The view has no name"), ("x" * 81, "may have 80")):
        page = ann.post("/views/new", name=name, owner="Kim")
        assert page.status == 422
        assert told in page.said
        assert "owner: Kim" in page.said
    assert 'value="Twice"' in ann.post("/views/new", name="Twice").text


def test_a_hostile_name_or_filter_of_a_view_is_inert(console: Company) -> None:
    ann = signed_in()
    refused = ann.post("/views/new", name=HOSTILE)
    assert refused.status == 422  # a mark that turns the direction of writing is no name
    assert "<script>alert" not in refused.text
    address = saved(ann, HOSTILE.replace("\u202e", ""), q="<script>alert(2)</script>", owner='"><b>')
    page = ann.get(address)
    assert "<script>alert" not in page.text
    assert '"><b>' not in page.text


# Sums


def test_a_sum_of_a_filtered_list_opens_and_its_rows_add_up_to_it(console: Company) -> None:
    ann = signed_in()
    page = ann.get("/portfolio?due=all&owner=Kim")
    link = unescape(next(one for one in re.findall(r'href="(/portfolio/sum/[^"]+)"', page.text) if "/expected_lost" in one))
    opened, said = ann.get(link), lines(console, owners=("Kim",)).sums[0]
    for told in ("Definition", "owner Kim", "As of", "Caveats", "SELECT account_id", "CSV with manifest"):
        assert told in opened.said, told
    packed = zipfile.ZipFile(io.BytesIO(ann.get(link.replace("?", "/rows?")).response.content))
    rows = list(csv.DictReader(io.StringIO(packed.read("expected_lost.csv").decode())))
    manifest = json.loads(packed.read("expected_lost.manifest.json"))
    assert math.isclose(math.fsum(float(one["lost"]) for one in rows), said.expected_lost.point, rel_tol=1e-9)  # pyright: ignore[reportAttributeAccessIssue]
    assert manifest["rows"] == len(rows) == said.expected_lost.n  # pyright: ignore[reportAttributeAccessIssue]


def test_a_sum_is_of_the_accounts_in_scope_and_one_that_is_not_there_is_not_found(console: Company) -> None:
    kim, said = signed_in("csm", "Kim", KIM), lines(console, owners=("Kim",)).sums[0]
    assert f"{said.n} renewals" in kim.get("/portfolio/sum/arr?due=all&in=EUR").said
    for wrong in ("arr?due=all&in=XXX", "luck?due=all&in=EUR", f"arr?due=all&in=EUR&of={'0' * 16}"):
        assert kim.get(f"/portfolio/sum/{wrong}").status == 404, wrong


# The last look


def test_reloading_a_page_keeps_what_changed_since_the_visit_before(console: Company) -> None:
    workspace, account = console.workspace, lines(console).rows[0].account_id
    kim, lee = (actor_of(person("csm", name), "session") for name in ("Kim", "Lee"))
    nine = datetime(2026, 1, 5, 9, tzinfo=UTC)

    def look(minutes: float) -> LastLook:
        return last_look(workspace, kim, account_detail(workspace, kim, account), nine + timedelta(minutes=minutes))

    assert look(0).before is None
    add_note(workspace, lee, account, "They asked for a discount", nine + timedelta(minutes=40))
    add_note(workspace, kim, account, "My own", nine + timedelta(minutes=41))
    for minutes in (60, 75, 100):  # opened anew, each time within half an hour
        found = look(minutes)
        assert found.before == nine
        assert [one.text for one in found.notes] == ["They asked for a discount"]
        assert found.same
    assert look(140).notes == ()
    other = last_look(workspace, lee, account_detail(workspace, lee, account), nine)
    assert other.before is None, "whose look it is decides"


def test_the_page_says_whether_it_is_the_first_look(console: Company) -> None:
    ann, account = signed_in(), lines(console).rows[0].account_id
    assert "Your first look at this account" in ann.get(f"/accounts/{account}").said


# The page of an account


def test_what_happened_is_narrowed_by_kind_and_a_metric_opens(console: Company) -> None:
    ann, account = signed_in(), next(one.account_id for one in lines(console).rows if one.last_touch)
    page = ann.get(f"/accounts/{account}?kind=tickets")
    items = re.findall(r"<ol class=\"tl\">.*?</ol>", page.text, re.DOTALL)[0]
    assert items.count("<li>") == items.count("Ticket ") == 1
    opened = ann.get(f"/accounts/{account}/metrics/logins_2m")
    assert "Values" in opened.said
    assert "CSV with manifest" in opened.said
    assert ann.get(f"/accounts/{account}/metrics/none").status == 404
    foreign = lines(console, owners=("Lee",)).rows[0].account_id
    assert signed_in("csm", "Kim", KIM).get(f"/accounts/{foreign}/metrics/logins_2m").status == 404


# The reader's way


def test_numbers_and_days_follow_the_country_of_the_browser_and_files_do_not(console: Company) -> None:
    ann = signed_in()
    american, german = (ann.get("/portfolio?due=all", **{"Accept-Language": tag}).said for tag in ("en-US", "de-DE,de;q=0.9"))
    assert "As of Dec 31, 2025" in american
    assert "As of 31 Dec 2025" in german
    assert re.search(r"€\d,\d{3}", american)
    assert re.search(r"\d\.\d{3} €", german)
    files = [ann.get("/portfolio/rows?due=all", **{"Accept-Language": tag}).response.content for tag in ("en-US", "de-DE")]
    assert files[0] == files[1]


def test_times_are_told_in_the_persons_zone(console: Company) -> None:
    ann, account = signed_in(), lines(console).rows[1].account_id
    add_note(console.workspace, OWNER, account, "Late call", datetime(2026, 1, 5, 23, 30, tzinfo=UTC))
    assert "6 Jan 2026, 00:30" in ann.get(f"/accounts/{account}").said  # the book's zone, as she chose none
    ann.post("/self", name="Ann", zone="America/New_York")
    page = ann.get(f"/accounts/{account}").said
    assert "5 Jan 2026, 18:30" in page
    assert "Times in America/New_York" in page


# By keyboard alone


def test_a_filter_is_chosen_and_a_view_saved_by_keyboard(console: Company, browser: Browser) -> None:
    ann, faults = signed_in(), list[str]()
    with served() as site:
        context = browser.new_context(viewport={"width": 1440, "height": 1000}, locale="en-GB")
        context.add_cookies([{"name": "unspun_session", "value": ann.client.cookies["unspun_session"].value, "url": site.address}])
        page = context.new_page()
        page.on("console", lambda one: faults.append(one.text) if one.type in ("error", "warning") else None)
        page.goto(f"{site.address}/portfolio?due=180")
        page.keyboard.press("f")
        assert page.evaluate("document.activeElement.id") == "f-q"
        page.keyboard.press("Escape")
        assert page.locator("details.pop[open]").count() == 0
        assert page.evaluate("document.activeElement.textContent").startswith("Filter")
        page.keyboard.press("f")
        page.locator('input[name=owner][value="Kim"]').focus()
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
        page.locator(".tag", has_text="owner: Kim").wait_for()
        page.locator("summary", has_text="Save view").focus()
        page.keyboard.press("Enter")
        page.locator("#n-name").focus()
        page.keyboard.type("Kim's half year")
        page.keyboard.press("Enter")
        page.wait_for_url("**/views/1-kim-s-half-year")
        assert page.locator('.views a[aria-current="page"]').inner_text() == "Kim's half year"
        page.keyboard.press("v")
        assert page.evaluate("document.activeElement.textContent") == "Kim's half year"
        assert violations(page) == []
        page.goto(f"{site.address}/views/1-kim-s-half-year")
        page.locator(".heads a").nth(1).focus()
        page.keyboard.press("Enter")
        page.locator("#drawer[open] .big").wait_for()
        assert violations(page) == []
        page.reload()
        page.locator("#drawer[open] .big").wait_for()  # the address says that it is open
        page.keyboard.press("Escape")
        page.locator("#drawer:not([open])").wait_for(state="attached")
        page.set_viewport_size({"width": 390, "height": 900})
        page.goto(f"{site.address}/portfolio?due=180")
        page.keyboard.press("f")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        context.close()
    assert faults == []

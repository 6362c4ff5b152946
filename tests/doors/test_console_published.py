"""What was published, as people in each role read it: pages laid out once, any figure opened, ledger, definitions, data."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.doors.console_site import signed_in
from tests.doors.pages import violations
from tests.doors.portfolio_company import AT, HOSTILE_NAME, Company, owner_of
from tests.doors.published_site import SECTIONS, console_of, links_of, served, whole_company
from unspun.app.proofs import find_published
from unspun.app.published.laying import look_back
from unspun.app.published.pages import carried_pages
from unspun.app.workspace_making import create_workspace
from unspun.progress import silent
from unspun.warehouse.read_model import open_read_model

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ACCOUNT = re.compile(r"\bA-(?:\d{3}|OPEN|EARLY)\b|\b(?:Company|Société) (?:\d+|A-)")
KIM = {"owner": ["Kim"]}
MOVED = "A-004"  # from Lee to Kim
OF_BEFORE = "section IN ('evidence', 'performance')"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return whole_company(tmp_path_factory.mktemp("company"))


@pytest.fixture
def console(company: Company) -> Iterator[Company]:
    with console_of(company.workspace):
        yield company


def entry(company: Company, of: str) -> int:
    found = company.run.entries[of]
    assert found is not None
    return found


def renewals(company: Company, owner: str) -> list[str]:
    """What the figures of the open renewals of an owner's accounts are named after."""
    columns = find_published(company.workspace, str(entry(company, "risk"))).figures.columns
    assert columns is not None
    numbered = [(account, name) for account, name in zip(columns.account, columns.renewals(), strict=True) if account[2:].isdigit()]
    return [name for account, name in numbered if owner_of(int(account[2:])) == owner and account != MOVED]


# Pages that a refresh laid out


def test_every_link_of_every_laid_out_page_leads_somewhere(console: Company) -> None:
    browser, seen, left = signed_in(), set[str](), list(SECTIONS)
    inside = ("/evidence/", "/forecast/", "/performance/")
    while left:
        path = left.pop()
        page = browser.get(path)
        assert page.status == 200, path
        if "text/html" not in page.response.headers["Content-Type"] or not path.startswith(inside):
            continue
        new = {one for one in links_of(page, path) if one.startswith((*inside, "/figures/"))} - seen
        seen |= new
        left += sorted(new)
    assert {"/evidence/metric-logins-2m.html", "/forecast/renewals.csv", "/forecast/record/misses.csv", "/performance/groups.csv"} <= seen
    assert any(one.startswith("/evidence/rows/") for one in seen)


def test_a_page_says_what_the_report_says_with_the_frame_of_the_console_around_it(console: Company) -> None:
    page = signed_in("viewer").get("/evidence/metric-logins-2m.html")
    assert page.heading.startswith("The metric") and "churn coming" in page.heading
    assert page.text.count("<main") == page.text.count("<html") == 1
    assert 'aria-current="page"' in page.text and "Portfolio" in page.said
    assert "unspun why" not in page.said  # a figure opens by a link here


def test_who_is_limited_to_some_accounts_reads_no_account_in_any_laid_out_page(console: Company) -> None:
    whole, limited = signed_in("viewer", "Vera"), signed_in("csm", "Kim", KIM)
    found = {one for path in SECTIONS[:4] for one in (path, *links_of(limited.get(path), path))}
    pages = sorted(one for one in found if one.startswith(("/evidence", "/forecast")))
    named = [path for path in pages if ACCOUNT.search(limited.get(path).said)]
    assert len(pages) > len(SECTIONS) and not named
    assert any(ACCOUNT.search(whole.get(path).said) for path in pages), "they are named to those who see every account"


@pytest.mark.parametrize("path", ["/forecast/renewals.csv", "/forecast/record/misses.csv", "/evidence/rows/metric-logins-2m.zip"])
def test_files_of_single_accounts_are_not_found_by_who_is_limited(console: Company, path: str) -> None:
    assert signed_in("viewer", "Vera").get(path).status == 200
    assert signed_in("csm", "Kim", KIM).get(path).status == 404


@pytest.mark.parametrize(
    ("role", "open_to"),
    [
        ("viewer", {"/evidence/", "/forecast/", "/definitions"}),
        ("manager", {"/evidence/", "/forecast/", "/definitions", "/performance/", "/ledger", "/data"}),
    ],
)
def test_a_role_opens_the_pages_that_it_grants(console: Company, role: str, open_to: set[str]) -> None:
    browser = signed_in(role)
    paths = {"/evidence/", "/forecast/", "/definitions", "/performance/", "/ledger", "/data"}
    assert {path for path in paths if browser.get(path).status == 200} == open_to
    assert {browser.get(path).status for path in paths - open_to} <= {403}
    assert signed_in("owner", "Otto").get("/evidence/no-such-page.html").status == 404


def test_before_the_first_refresh_a_page_says_what_gets_it(tmp_path: Path) -> None:
    with console_of(create_workspace(tmp_path / "empty", datetime.now(UTC))):
        page = signed_in().get("/evidence/")
        assert page.status == 200 and "Nothing to show yet" in page.said and "unspun refresh" in page.said
        assert "Nothing is loaded" in signed_in(name="Bo").get("/data").said


def test_a_refresh_that_judges_no_evidence_keeps_the_pages_of_the_one_before(company: Company) -> None:
    back = look_back(company.workspace, False, None, AT + timedelta(hours=1), silent)
    assert back.entries == {name: company.run.entries[name] for name in ("evidence", "performance")}
    kept = {(row[0], row[1], row[2]): row[6] for row in carried_pages(company.workspace.warehouse, ("evidence", "performance"))}
    model = open_read_model(company.workspace.warehouse)
    assert {(*row[:3],): row[3] for row in model.rows(f"SELECT section, scope, name, body FROM pages WHERE {OF_BEFORE}")} == kept
    assert ("evidence", "all", "metric-logins-2m.html") in kept and ("performance", "limited", "index.html") not in kept


# Figures


def test_a_figure_opens_in_the_drawer_and_as_a_page_of_its_own(console: Company) -> None:
    path, browser = f"/figures/{entry(console, 'evidence')}/metric/logins_2m/auc", signed_in()
    drawer, page = browser.get(path, **{"X-Drawer": "1"}), browser.get(path)
    assert "<html" not in drawer.text and "<html" in page.text
    for one in (drawer, page):
        assert re.search(r"0\.\d\d \(0\.\d\d\S*0\.\d\d\) 95 % interval", one.said)
        told = ("metrics.yml version 1", "As of 31", "Method", "book version 1", "duckdb", "CSV with manifest")
        assert all(word in one.said for word in told)


def test_every_figure_that_a_list_names_opens(console: Company) -> None:
    browser = signed_in()
    for of in ("evidence", "risk", "forecast", "record", "performance", "retention", "model"):
        listed = browser.get(f"/figures/{entry(console, of)}")
        opened = [one for one in links_of(listed, "/") if one.startswith(f"/figures/{entry(console, of)}/")]
        assert opened, of
        assert {browser.get(one).status for one in opened[:12]} == {200}, of


def test_a_figure_of_an_account_out_of_scope_is_the_same_as_one_that_does_not_exist(console: Company) -> None:
    number, kim = entry(console, "risk"), signed_in("csm", "Kim", KIM)
    own, others = renewals(console, "Kim")[0], renewals(console, "Lee")[0]
    assert kim.get(f"/figures/{number}/{own}/churn").status == 200
    other, none = (kim.get(f"/figures/{number}/{name}/churn") for name in (others, "A-999@2026-01-01"))
    assert (other.status, none.status) == (404, 404)
    assert re.sub(r"/figures/\S+|request \w+", "", other.said) == re.sub(r"/figures/\S+|request \w+", "", none.said)
    assert own in kim.get(f"/figures/{number}?q={own}").said
    listed = "".join(kim.get(f"/figures/{number}?page={page}").said for page in range(1, 5))
    assert own in listed and not any(name in listed for name in renewals(console, "Lee"))


def test_rows_behind_a_figure_come_with_a_manifest_and_are_not_for_who_is_limited(console: Company) -> None:
    browser, number = signed_in(), entry(console, "retention")
    lost = (one for one in find_published(console.workspace, str(number)).figures.figures if one["name"].startswith("arr.churn/"))
    published = next(one for one in lost if Decimal(one["value"]["amount"]))
    figure = f"{number}/{published['name']}"
    packed = zipfile.ZipFile(io.BytesIO(browser.get(f"/figure-csv/{figure}").response.content))
    csv_name, manifest_name = sorted(packed.namelist())
    rows = list(csv.DictReader(io.StringIO(packed.read(csv_name).decode())))
    assert rows and sum(Decimal(row["amount"]) for row in rows) == Decimal(published["value"]["amount"])
    manifest = json.loads(packed.read(manifest_name))
    assert (manifest["figure"], manifest["n_rows"], manifest["book"]["version"]) == (figure, len(rows), 1)
    assert f"{len(rows)} rows" in browser.get(f"/figure-rows/{figure}").said
    kim = signed_in("csm", "Kim", KIM)
    assert {kim.get(f"/figure-{what}/{figure}").status for what in ("rows", "csv")} == {403}


def test_performance_does_not_open_to_a_csm_by_its_figures(console: Company) -> None:
    path = f"/figures/{entry(console, 'performance')}"
    assert (signed_in("csm", "Kim").get(path).status, signed_in("manager", "Mia").get(path).status) == (403, 200)


def test_recompute_asks_for_a_proof_and_leads_to_its_page(console: Company) -> None:
    from unspun.state.job_models import Job

    done = signed_in().post(f"/figure-recompute/{entry(console, 'evidence')}/metric/logins_2m/auc")
    job = Job.objects.get(kind="recompute")
    assert job.arguments == {"address": f"{entry(console, 'evidence')}/metric/logins_2m/auc"}
    assert (done.status, done.to.endswith(f"/{job.pk}")) == (302, True)


@pytest.mark.parametrize("path", ["/figures/{risk}?q={text}", "/ledger?kind={text}", "/evidence/{text}", "/figures/{risk}/{text}/churn"])
def test_what_an_address_says_is_inert_on_the_page(console: Company, path: str) -> None:
    page = signed_in().get(path.format(risk=entry(console, "risk"), text=quote(HOSTILE_NAME, safe="")))
    assert page.status in (200, 404) and "<script>alert" not in page.text


# Ledger, definitions, data


def test_the_ledger_shows_its_entries_by_kind_and_a_changed_one_is_told(console: Company) -> None:
    browser, head = signed_in("analyst"), console.workspace.warehouse / "ledger.head"
    shown = browser.get("/ledger?kind=definition")
    assert "metrics.yml" in shown.said and "publication, as of" not in shown.said
    assert "The chain holds" in browser.get("/ledger?verify=1").said
    kept = head.read_text(encoding="ascii")
    head.write_text(kept.replace(kept.strip()[-6:], "000000"), encoding="ascii")
    try:
        assert "The chain does not hold" in browser.get("/ledger?verify=1").said
    finally:
        head.write_text(kept, encoding="ascii")


def test_the_ledger_pages_to_its_first_entry(console: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unspun.app.published.ledger.PAGE_SIZE", 4)
    browser, path, seen = signed_in("analyst"), "/ledger", list[int]()
    while path:
        page = browser.get(path)
        seen += [int(one) for one in re.findall(r'scope="row" class="n">(?:<a[^>]*>)?(\d+)', page.text)]
        older = re.search(r'href="\?([^"]+)" rel="next"', page.text)
        path = f"/ledger?{older[1]}" if older else ""
    assert seen == list(range(len(seen), 0, -1))


def test_a_definition_shows_what_changed_between_its_versions(console: Company) -> None:
    with console.workspace.catalog() as catalog:
        text = catalog.definitions("metrics.yml")[-1].text
        catalog.record_definition("metrics.yml", text.replace("window: 61d", "window: 90d"), AT + timedelta(days=1))
    browser = signed_in("viewer")
    page = browser.get("/definitions/metrics.yml")
    assert re.search(r"<del>\N{MINUS SIGN} +window: 61d</del><ins>\+ +window: 90d</ins>", page.text)
    assert "window: 61d" in browser.get("/definitions/metrics.yml?version=1").said
    assert {browser.get(f"/definitions/{one}").status for one in ("metrics.yml?version=9", "other.yml", "..%2Funspun.toml")} == {404}
    figure = browser.get(f"/figures/{entry(console, 'evidence')}/metric/logins_2m/auc")
    assert "metrics.yml version 1" in figure.said and "changed since" in figure.said


def test_data_counts_the_rows_that_the_book_holds(console: Company) -> None:
    accounts = len((console.book.exports / "renewals.csv").read_text(encoding="utf-8").splitlines()) - 1
    said = signed_in("analyst").get("/data").said
    assert f"renewals {accounts:,}" in said and "renewals.csv" in said and "The check of" in said


# In a browser


def test_pages_and_drawer_in_a_browser_without_a_fault(console: Company, browser: Browser) -> None:
    person = signed_in("analyst")
    faults: list[str] = []
    with served() as site:
        context = browser.new_context(viewport={"width": 1440, "height": 1000})
        cookie = person.client.cookies["unspun_session"].value
        context.add_cookies([{"name": "unspun_session", "value": cookie, "url": site.address}])
        context.on("request", lambda one: None if one.url.startswith(site.address) else faults.append(one.url))
        page = context.new_page()
        page.on("console", lambda one: faults.append(one.text) if one.type in ("error", "warning") else None)
        page.on("pageerror", lambda one: faults.append(str(one)))
        for path in ("/forecast/", "/performance/", "/ledger", "/definitions/metrics.yml", "/data", "/evidence/"):
            page.goto(site.address + path)
            assert violations(page) == [], path
        page.goto(f"{site.address}/evidence/")
        page.locator("a.numlink").first.focus()
        page.keyboard.press("Enter")
        page.locator("dialog#drawer[open] h2").wait_for()
        assert violations(page) == []
        assert page.evaluate("document.activeElement.tagName") == "H2" and "open=" in page.url
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.classList.contains('numlink')") and "open=" not in page.url
        with page.expect_download() as file:
            page.goto(f"{site.address}/evidence/metric-logins-2m.html")
            page.locator("a[href^='rows/']").click()
        assert file.value.suggested_filename == "evidence-metric-logins-2m.zip"
        page.set_viewport_size({"width": 390, "height": 844})
        for path in ("/evidence/", "/forecast/", "/performance/"):
            page.goto(site.address + path)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        context.close()
    assert faults == []

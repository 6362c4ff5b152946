"""Texts that would be markup, scripts, formulas or turned writing stay text: on every page in a real browser, in every CSV, in the API."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from benchmarks.screenshots import find_pages, named_routes
from tests.doors.console_site import HOST, PASSWORD, Visitor, visitor
from tests.doors.hostile_company import HOSTILE_IDS, MADE, TAIL, TURN, VARIANTS, WORKED_OUT, hostile_company
from tests.doors.portfolio_company import Company
from tests.doors.published_site import console_of, links_of, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

FILE = '=1+1 "><img src=x onerror=alert(9)><b id=made>.csv'
VIEW = '=1+1 "><img src=x onerror=alert(10)><b id=made>{{7777*7}}'
ADDRESSES = (
    "portfolio?due=all&size=1000",
    f"portfolio?due=all&q={quote(VIEW)}&owner={quote(VIEW)}",
    f"search?q={quote(VIEW)}",
    "search?q=evil",
)
TURNED = """([sign, letters]) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  while (walker.nextNode()) {
    const {data, parentElement: around} = walker.currentNode;
    if (around.closest('script, style, textarea')) continue;
    const apart = around.closest('bdi, text, option') || data.includes('\\u2068');
    if (data.includes(sign) || data.includes(letters) && !apart) found.push(around.outerHTML.slice(0, 200));
  }
  return found;
}"""
"""Elements with a sign that turns writing, or with letters from right to left that are not set apart."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
NUMBER = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?")
WIDE = """[document.documentElement.scrollWidth > innerWidth + 1 && 'document', ...[...document.querySelectorAll('main *')]
  .filter(e => !e.closest('.scroll, .views, .pop, pre, svg, .vh') && e.getBoundingClientRect().right > innerWidth + 1)
  .slice(0, 3).map(e => e.outerHTML.slice(0, 100))].filter(Boolean)"""


@dataclass
class Site:
    """The console of the hostile company at an address, its owner, and a program of theirs."""

    company: Company
    owner: Visitor
    secret: str
    address: str
    page: Page
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Site]:
    company = hostile_company(tmp_path_factory.mktemp("hostile"))
    with console_of(company.workspace), served() as running:
        owner, secret = joined()
        context = browser.new_context()
        context.add_cookies([{"name": "unspun_session", "value": owner.client.cookies["unspun_session"].value, "url": running.address}])
        made = Site(company, owner, secret, running.address, context.new_page())
        written(made)
        heard(made)
        yield made
        context.close()


def joined() -> tuple[Visitor, str]:
    """An owner with a hostile name who has signed in, another person, and the secret of the owner's token."""
    from unspun.app.people.actors import actor_of
    from unspun.app.people.tokens import grantable, make_token
    from unspun.state.people import NewPerson, create_person

    owner, browser = create_person(NewPerson(VARIANTS[0] + VARIANTS[1], "ann@example.com", PASSWORD), "owner", None), visitor()
    scope = {"owner": [VARIANTS[0]], "segment": [VARIANTS[1]], "account": list(HOSTILE_IDS.values())[:2]}
    create_person(NewPerson(VARIANTS[2], "bo@example.com", PASSWORD), "csm", scope)
    assert browser.sign_in("ann@example.com").status == 302
    actor = actor_of(owner, "session")
    return browser, make_token(actor, VARIANTS[2][:100], list(grantable(actor)), 30, datetime.now(UTC)).secret


def written(site: Site) -> None:
    """Notes, forecasts, a view, an invitation, an import, an audit, a job: each with hostile words."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    done = []
    for account in (*HOSTILE_IDS.values(), "A-022"):
        path = f"/accounts/{quote(account)}"
        texts = VARIANTS if account == HOSTILE_IDS["A-006"] else VARIANTS[:-1]  # one long note: a browser takes seconds to lay it out
        done += [site.owner.post(f"{path}/note", text=text) for text in texts]
        due = re.search(r'name="due" value="([^"]+)"', site.owner.get(path).text)
        if due:
            done.append(site.owner.post(f"{path}/forecast", due=due[1], probability="0.4", amount="1", reason=VARIANTS[0] + VARIANTS[1]))
    done.append(site.owner.post("/views/new", name=VIEW[:80], shared="on", due="all", q=VIEW, owner=VARIANTS[1]))
    done.append(site.owner.post("/views/new", name="Everything", due="all", sort="name"))
    assert site.owner.post("/people/invite", email="cy@example.com", name=VARIANTS[2][:60] + VARIANTS[1], role="viewer").status == 200
    texts = "\n".join(["Account ID,Since,Account name", *(_quoted(f"B-{n}", "2024-01-01", text) for n, text in enumerate(VARIANTS))])
    files = [SimpleUploadedFile(name, texts.encode()) for name in (FILE, f"{TURN}{TAIL}.csv")]
    done.append(site.owner.post("/data/import", files=files))
    sent = {name: SimpleUploadedFile(f"{name}{FILE}", texts.encode()) for name in ("scores", "outcome_file")}
    done.append(site.owner.post("/audit", outcomes="renewals", **sent))
    assert {one.status for one in done} == {302}, [one.said for one in done if one.status != 302][:1]


def _quoted(*cells: str) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue()


def heard(site: Site) -> None:
    """Whatever a person would not see is noted: dialogs, the browser's complaints (broken policies among them), requests to elsewhere."""
    page, complaints = site.page, site.complaints
    page.set_default_timeout(60_000)

    def dismissed(dialog: Dialog) -> None:
        complaints.append(f"{page.url}: dialog {dialog.message}")
        dialog.dismiss()

    page.on("dialog", dismissed)
    page.on("console", lambda one: complaints.append(f"{one.location['url']}: {one.text}") if one.type == "error" else None)
    page.on("pageerror", lambda one: complaints.append(f"{page.url}: {one}"))
    page.on("request", lambda one: None if one.url.startswith((site.address, "data:")) else complaints.append(f"asked {one.url}"))


@pytest.fixture(scope="module")
def addresses(site: Site) -> list[str]:
    """One of each route that can be opened by an address, and those of hostile accounts, views and searches."""
    found = find_pages(site.page, site.address, named_routes()).paths
    accounts = [f"/accounts/{quote(one)}" for one in (*HOSTILE_IDS.values(), "A-020", "A-022")]
    pages = {path for name, path in found.items() if name != "account_logout" and not path.startswith("/api/")}
    return sorted(pages | {*accounts, *(f"/{one}" for one in ADDRESSES)})


def test_on_every_page_hostile_texts_make_no_element_run_nothing_and_break_nothing(site: Site, addresses: list[str]) -> None:
    wrong = dict[str, Any]()
    seen, files = set[str](), set[str]()
    site.page.set_viewport_size({"width": 390, "height": 900})  # what spills, spills on a phone first
    for path in addresses:
        if not opened(site.page, site.address + path):
            files.add(path)
        elif site.page.url not in seen:  # pages of signing in lead on to the portfolio
            seen.add(site.page.url)
            if found := faults_of(site.page):
                wrong[path] = found
    assert len(seen) > 45, addresses
    assert wrong == {}, json.dumps(wrong, indent=1)
    # Pages of a second factor that nobody has, and such.
    refused = {path for path in addresses if site.owner.get(path).status in (401, 404)}
    no_pages = (*refused, "/favicon.ico")  # the icon is asked for where a document is no page of ours
    known = tuple(f"{site.address}{path}: Failed to load resource" for path in no_pages)
    complaints = [one for one in site.complaints if not one.startswith(known)]
    assert not complaints, "\n".join(complaints)
    assert len(refused) < 8, refused
    assert len(files) > 3, addresses


def test_every_link_of_a_page_that_names_hostile_accounts_leads_somewhere(site: Site) -> None:
    pages = ["/portfolio?due=all&size=1000", *(f"/accounts/{quote(one)}" for one in HOSTILE_IDS.values())]
    links = {link for path in pages for link in links_of(site.owner.get(path), path)}
    named = [link for link in links if link.startswith(("/accounts/", "/figures/"))]
    hostile = [link for link in named if any(was in link for was in HOSTILE_IDS)]
    assert len(hostile) > 2 * len(HOSTILE_IDS), named
    assert {link: status for link in hostile if (status := site.owner.get(link).status) != 200} == {}


def test_no_cell_of_any_csv_begins_a_formula(site: Site, addresses: list[str]) -> None:
    entries = site.company.run.entries
    paths = [*addresses, "/portfolio/rows?due=all", "/forecast/renewals.csv", "/forecast/record/misses.csv", "/performance/groups.csv"]
    sums = links_of(site.owner.get("/portfolio?due=all"), "/portfolio")
    paths += [one.replace("?", "/rows?") for one in sums if one.startswith("/portfolio/sum/")]
    figures = links_of(site.owner.get(f"/figures/{entries['retention']}"), "/")
    paths += [one.replace("/figures/", "/figure-csv/") for one in sorted(figures) if one.startswith("/figures/") and one.count("/") > 3][:4]
    found = {path: cells for path in dict.fromkeys(paths) if (cells := cells_of(site.owner.get(path).response))}
    assert len(found) > 8, found.keys()
    assert sum("HYPERLINK" in cell for cells in found.values() for cell in cells) > 15
    runs = {path: [one[:80] for one in cells if one.startswith(FORMULA) and not NUMBER.fullmatch(one)][:3] for path, cells in found.items()}
    assert {path: cells for path, cells in runs.items() if cells} == {}


def cells_of(answer: Any) -> list[str]:
    """Every cell of the CSVs that an answer is or packs."""
    kind, content = answer.headers.get("Content-Type", ""), getattr(answer, "content", b"")
    texts = [content.decode()] if "csv" in kind else []
    if "zip" in kind:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            texts = [packed.read(name).decode() for name in packed.namelist() if name.endswith(".csv")]
    return [cell for text in texts for row in csv.reader(io.StringIO(text)) for cell in row]


def test_the_api_tells_hostile_texts_as_they_are_in_json_that_no_browser_reads_as_a_page(site: Site) -> None:
    from django.test import Client
    from django.urls import get_resolver, reverse

    given = {"Host": HOST, "Authorization": f"Bearer {site.secret}"}
    id, entry = HOSTILE_IDS["A-006"], site.company.run.entries["risk"]
    places = {"account": id, "entry": entry, "section": "evidence", "name": "forecast", "table": "accounts", "job": 1}
    texts = []
    for pattern in get_resolver().reverse_dict:
        if not (isinstance(pattern, str) and pattern.startswith("api ")):
            continue
        wanted = get_resolver().reverse_dict.getlist(pattern)[0][0][0][1]
        if not set(wanted) <= set(places):
            continue
        path = reverse(pattern, kwargs={name: places[name] for name in wanted})
        answer = Client(raise_request_exception=False).get(path, {"account": id, "q": "script"}, headers=given)
        assert answer.status_code < 500, (path, answer.content)
        assert answer.headers["Content-Type"].startswith("application/json"), path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        json.loads(answer.content)
        texts.append(answer.content.decode())
    assert len(texts) > 12
    assert json.dumps(id, ensure_ascii=False) in "".join(texts)
    notes = json.loads(Client().get("/api/v1/notes", {"account": id}, headers=given).content)["notes"]
    assert [one["text"] for one in notes][: len(VARIANTS)] == [one.strip() for one in reversed(VARIANTS)]


def opened(page: Page, url: str) -> bool:
    """Whether a page with everything open is there: an address that gives a file is none."""
    from playwright.sync_api import Error

    try:
        answer = page.goto(url)
    except Error as refusal:
        assert "Download is starting" in str(refusal) or "ERR_ABORTED" in str(refusal), refusal
        return False
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    return answer is not None and "html" in answer.headers.get("content-type", "")


def faults_of(page: Page) -> dict[str, Any]:
    made = page.evaluate("wanted => [...document.querySelectorAll(wanted)].map(one => one.outerHTML.slice(0, 200))", MADE)
    found = {"made": made, "wide": page.evaluate(WIDE), "turned": page.evaluate(TURNED, [TURN, "שלום"])}
    found["worked out"] = [WORKED_OUT] if WORKED_OUT in page.content() else []
    return {name: faults for name, faults in found.items() if faults}

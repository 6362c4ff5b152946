"""Files brought to the console in a real browser, on a real server with its worker: imported, tried out, loaded, taken back, audited."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.doors.console_server import running_console
from tests.doors.pages import SPILL, violations
from tests.doors.test_console_walk import PASSWORD, Walk

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FilePayload, Page

BOUND = 3_000_000
SERVE = '\n[serve]\nupload = "3MB"\n'
HOSTILE = "=HYPERLINK(\"http://evil.example\") <script>alert('x')</script> \u202eelif"
ACCOUNTS = "Account ID,Since,Account name,Segment,CSM\n" + "".join(
    f"A-{n:03},2024-01-{n % 27 + 1:02},Company {n},{'Big' if n % 2 else 'Small'},Kim\n" for n in range(60)
)
PATIENCE = 60_000


def terms(faults: str = "") -> str:
    """A hundred terms of a year, and lines with faults."""
    lines = (f"S-{n},A-{n % 60:03},{date(2024, 1, 1) + timedelta(n)},{date(2025, 1, 1) + timedelta(n)},{1000 + n}" for n in range(100))
    return "Subscription ID,Account ID,Start date,End date,ARR\n" + "\n".join(lines) + "\n" + faults


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Walk]:
    with running_console(tmp_path_factory.mktemp("imports"), SERVE) as console:
        context = browser.new_context(viewport={"width": 1440, "height": 1000})
        yield Walk(console, context)
        context.close()


@pytest.fixture(scope="module")
def owner(walk: Walk) -> Page:
    page = walk.page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{walk.console.url}/set-up")
    for label, text in (("Set-up code", walk.console.code), ("Name", "Ann"), ("E-mail", "ann@example.com"), ("Password again", PASSWORD)):
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "set-up" not in url)
    walk.complaints.clear()
    return page


def sent(name: str, content: str | bytes) -> FilePayload:
    """A file as a browser sends it."""
    return {"name": name, "mimeType": "text/csv", "buffer": content.encode() if isinstance(content, str) else content}


def uploaded(page: Page, walk: Walk, **files: str) -> None:
    page.goto(f"{walk.console.url}/data/import")
    page.get_by_label("Drop files here").set_input_files(
        [{"name": f"{name}.csv", "mimeType": "text/csv", "buffer": text.encode()} for name, text in files.items()]
    )
    page.get_by_role("button", name="Upload and look at the mapping").click()
    page.wait_for_url(re.compile("/data/import/[0-9a-f]{16}"))


def tried(page: Page) -> str:
    page.get_by_role("button", name=re.compile("^Dry run")).click()
    page.get_by_text("rows in:").wait_for()
    return page.locator("#run").inner_text()


def test_files_are_dropped_mapped_tried_loaded_and_taken_back_by_keyboard_alone(owner: Page, walk: Walk) -> None:
    owner.goto(f"{walk.console.url}/data/import")
    assert violations(owner) == []
    owner.get_by_label("Drop files here").set_input_files(
        [
            sent("accounts.csv", ACCOUNTS),
            sent("subscriptions.csv", terms()),
        ]
    )
    owner.get_by_role("button", name="Upload and look at the mapping").press("Enter")
    owner.get_by_role("heading", name="Import of 2 files").wait_for()
    assert owner.get_by_label("Account ID in the book").first.input_value() == "account_id"
    assert violations(owner) == []
    owner.get_by_role("button", name="Dry run").press("Enter")
    owner.get_by_text("160 rows in: 160 accepted and 0 rejected.").wait_for()
    assert violations(owner) == []
    assert "uploaded" not in (walk.console.errors.parent / "acme" / "book.yml").read_text()
    owner.get_by_role("button", name="Load 160 rows").press("Enter")
    owner.get_by_role("heading", name="Loaded as load 1").wait_for()
    assert violations(owner) == []
    owner.get_by_role("link", name="Take this load back").press("Enter")
    owner.get_by_role("button", name="Take it back").press("Enter")
    owner.get_by_text("Load 1 is taken back").wait_for()
    owner.goto(f"{walk.console.url}/data")
    assert "undone" in owner.locator("main").inner_text()
    assert not list((walk.console.errors.parent / "acme" / ".console" / "imports").glob("*/files/*"))
    assert walk.complaints == []


def test_what_is_rejected_is_named_by_file_row_and_column_and_hostile_cells_are_inert(owner: Page, walk: Walk) -> None:
    faults = f'S-900,A-001,"{HOSTILE.replace(chr(34), chr(34) * 2)}",2025-01-01,5\nS-901,,2024-01-01,2025-01-01,5\n'
    faults += f"S-902,A-002,{'x' * 10_000},2025-01-01,5\n"
    uploaded(owner, walk, **{"terms-hostile": terms(faults)})
    said = tried(owner)
    assert "103 rows in: 100 accepted and 3 rejected" in said
    assert all(f"terms-hostile.csv:{place}" in said for place in ("102:Start date", "103:Account ID", "104:Start date"))
    assert "<script>" in said and owner.evaluate(SPILL) == []
    assert violations(owner) == []
    with owner.expect_download() as download:
        owner.get_by_role("link", name="CSV with manifest").click()
    with zipfile.ZipFile(download.value.path()) as packed:
        lines = list(csv.DictReader(io.StringIO(packed.read("rejected.csv").decode())))
        assert json.loads(packed.read("rejected.manifest.json"))["rejected_in_all"] == 3
    assert [line["file"] for line in lines] == ["terms-hostile.csv"] * 3
    assert not any(cell.startswith(("=", "+", "@")) for line in lines for cell in line.values())
    owner.get_by_role("button", name="Discard").click()
    owner.get_by_text("The files were discarded").wait_for()
    assert walk.complaints == []


def test_a_mapping_is_corrected_and_every_fault_of_the_choice_is_said(owner: Page, walk: Walk) -> None:
    uploaded(owner, walk, crm="Client,Since,Label,Odd thing\nC-1,2024-01-01,One,a\nC-2,2024-01-02,Two,b\n")
    owner.get_by_label("Table").select_option("accounts")
    owner.get_by_role("button", name="Save the mapping").click()
    owner.get_by_label("Client in the book").select_option("name")
    owner.get_by_label("Label in the book").select_option("name")
    owner.get_by_role("button", name="Save the mapping").click()
    said = owner.locator("main").inner_text()
    assert "'name' is given to 2 columns" in said and "'account_id'" in said
    assert violations(owner) == []
    owner.get_by_label("Client in the book").select_option("account_id")
    owner.get_by_label("Odd thing in the book").select_option("odd_thing")
    owner.get_by_role("button", name="Save the mapping").click()
    assert owner.locator(".notice.error").count() == 0
    assert "2 rows in: 2 accepted" in tried(owner)
    owner.get_by_label("Odd thing in the book").select_option("")
    owner.get_by_role("button", name="Save the mapping").click()
    assert "changed since this dry run" in owner.locator("#run").inner_text()
    assert owner.get_by_role("button", name=re.compile("^Load ")).count() == 0
    owner.get_by_role("button", name="Discard").click()
    owner.get_by_text("The files were discarded").wait_for()
    assert walk.complaints == []


def test_two_faults_of_one_file_are_said_together_and_nothing_is_written(owner: Page, walk: Walk) -> None:
    renewals = "Account ID,Due date,Outcome\nA-001,2026-01-01,renewed\nA-002,2026-13-01,churned\nA-003,2026-02-01,whatever\n"
    uploaded(owner, walk, renewals=renewals)
    owner.get_by_label("Table").select_option("renewals")
    owner.get_by_role("button", name="Save the mapping").click()
    for column, book in (("Account ID", "account_id"), ("Due date", "due"), ("Outcome", "outcome")):
        owner.get_by_label(f"{column} in the book").select_option(book)
    owner.get_by_role("button", name="Save the mapping").click()
    owner.get_by_role("button", name="Dry run").click()
    owner.get_by_text("Dry run: failed").wait_for()
    said = owner.locator("#run").inner_text()
    assert "renewals.csv:4:Outcome" in said and "renewals.csv:3:Due date" in said
    assert str(walk.console.errors.parent) not in said
    assert violations(owner) == []
    owner.get_by_role("button", name="Discard").click()
    assert walk.complaints == []


def test_too_much_is_said_before_it_is_sent_and_refused_where_it_is_sent(owner: Page, walk: Walk) -> None:
    owner.goto(f"{walk.console.url}/data/import")
    big = sent("big.csv", b"a,b\n" * (BOUND // 3))
    owner.get_by_label("Drop files here").set_input_files([big])
    assert "larger together" in owner.get_by_role("alert").inner_text()
    assert owner.get_by_role("button", name="Upload and look at the mapping").is_disabled()
    token = owner.locator("input[name=csrfmiddlewaretoken]").first.input_value()
    form: dict[str, str | float | bool | bytes | FilePayload] = {"csrfmiddlewaretoken": token, "files": big}
    answer = owner.request.post(f"{walk.console.url}/data/import", multipart=form, headers={"Referer": walk.console.url})
    assert answer.status == 413 and "too large" in answer.text()
    walk.complaints.clear()


def test_files_that_are_dropped_become_those_of_the_field(owner: Page, walk: Walk) -> None:
    owner.goto(f"{walk.console.url}/data/import")
    made = "() => { const held = new DataTransfer(); held.items.add(new File(['a,b'], '<b>terms.csv')); return held; }"
    owner.locator("form[data-drop]").dispatch_event("drop", {"dataTransfer": owner.evaluate_handle(made)})
    assert owner.locator(".chosen").inner_text().startswith("<b>terms.csv")
    assert owner.evaluate("document.getElementById('files').files.length") == 1
    assert walk.complaints == []


def test_a_workbook_that_unfolds_without_end_is_refused_by_name(owner: Page, walk: Walk) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", "<Types/>")
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * 900_000_000)
    owner.goto(f"{walk.console.url}/data/import")
    owner.get_by_label("Drop files here").set_input_files([sent("bomb.xlsx", held.getvalue())])
    owner.get_by_role("button", name="Upload and look at the mapping").click()
    owner.locator(".notice.error").first.wait_for()
    assert "bomb.xlsx" in owner.locator("main").inner_text()
    owner.get_by_role("button", name="Discard").click()
    assert walk.complaints == []


def test_two_files_are_audited_and_the_report_opens_under_its_own_policy_and_is_deleted(owner: Page, walk: Walk) -> None:
    scores, renewals = audit_files()
    owner.goto(f"{walk.console.url}/audit")
    assert violations(owner) == []
    owner.get_by_label("Scores", exact=True).set_input_files([sent("scores.csv", scores)])
    owner.get_by_label("Outcomes", exact=True).set_input_files([sent("renewals.csv", renewals)])
    owner.get_by_role("button", name="Upload and audit").press("Enter")
    owner.get_by_role("link", name="Open the report").wait_for()
    address = owner.url
    assert violations(owner) == []
    owner.get_by_role("link", name="Open the report").press("Enter")
    owner.get_by_role("link", name="Skip to the verdict").wait_for()
    assert owner.evaluate("getComputedStyle(document.body).fontFamily").startswith("Inter")
    assert violations(owner) == []
    owner.goto(f"{walk.console.url}/audit")
    assert "scores.csv, renewals.csv" in owner.locator("#audits").inner_text() and "Ann" in owner.locator("#audits").inner_text()
    owner.goto(address)
    owner.get_by_text("Delete this audit").press("Enter")
    owner.get_by_role("button", name="Delete it").press("Enter")
    owner.get_by_text("was deleted, with its report").wait_for()
    assert "No score was audited yet" in owner.locator("main").inner_text()
    assert owner.request.get(f"{address}/report.html").status == 404
    folder = walk.console.errors.parent / "acme" / ".console"
    assert not [*(folder / "audits").glob("*"), *(folder / "audit-uploads").glob("*")]
    assert walk.complaints == []


def test_a_fault_of_how_the_files_are_to_be_read_starts_nothing(owner: Page, walk: Walk) -> None:
    owner.goto(f"{walk.console.url}/audit")
    file = "a,b\n1,2\n"
    owner.get_by_label("Scores", exact=True).set_input_files([sent("scores.csv", file)])
    owner.get_by_label("Outcomes", exact=True).set_input_files([sent("renewals.csv", file)])
    owner.get_by_text("Where the files do not tell").click()
    owner.get_by_label("Columns", exact=True).fill("account Customer")
    owner.get_by_role("button", name="Upload and audit").click()
    owner.get_by_text("'account Customer' is not NAME = VALUE").wait_for()
    assert violations(owner) == []
    walk.complaints.clear()  # the browser notes the status 422


@pytest.mark.parametrize(("width", "scheme"), [(1440, "dark"), (390, "light")])
def test_nothing_spills_on_a_phone_and_axe_finds_nothing_in_the_dark(owner: Page, walk: Walk, width: int, scheme: str) -> None:
    uploaded(owner, walk, accounts=ACCOUNTS)
    of = owner.url.split("#")[0]
    owner.set_viewport_size({"width": width, "height": 900})
    owner.emulate_media(color_scheme=scheme)  # pyright: ignore[reportArgumentType]
    found = {}
    for path in (of, f"{walk.console.url}/data/import", f"{walk.console.url}/audit", f"{walk.console.url}/jobs"):
        owner.goto(path)
        found[path] = (violations(owner), owner.evaluate(SPILL))
    owner.set_viewport_size({"width": 1440, "height": 1000})
    owner.emulate_media(color_scheme="light")
    owner.goto(of)
    owner.get_by_role("button", name="Discard").click()
    assert {path: faults for path, faults in found.items() if faults != ([], [])} == {}


def audit_files() -> tuple[str, str]:
    """Monthly scores of 120 accounts, and their renewals over two years: low scores churn more often."""
    scores, renewals = ["account_id,date,health"], ["account_id,due,outcome,arr_before"]
    for n in range(120):
        for year in (2024, 2025):
            due = date(year, n % 12 + 1, n % 27 + 1)
            score = (n * 37 + year * 13) % 100
            renewals.append(f"A-{n:03},{due},{'churned' if (n * 31 + year * 7) % 100 > 40 + score / 2 else 'renewed'},{1000 + n}")
            scores += [f"A-{n:03},{due - timedelta(days)},{(score + days) % 100}" for days in (200, 100, 40)]
    return "\n".join(scores) + "\n", "\n".join(renewals) + "\n"

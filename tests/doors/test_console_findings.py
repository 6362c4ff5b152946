"""Findings of the check as the console shows them: each opens the rows at fault, to be read or taken along."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.doors.cli_files import run
from tests.doors.console_site import signed_in
from tests.doors.published_site import console_of, links_of
from unspun.app.workspace import open_workspace

STRANGER = "=X-9 <script>alert(1)</script>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book whose terms name an account that is none of its accounts, checked."""
    folder = tmp_path_factory.mktemp("findings")
    accounts = "Account ID,Since,Account name\n" + "".join(f"A-{n},2024-01-01,Company {n}\n" for n in range(40))
    lines = [f"S-{n},A-{n},2024-01-0{n % 9 + 1},2025-01-0{n % 9 + 1},{100 + n}" for n in range(40)]
    strange = [f"S-{n},{STRANGER},2024-02-01,2025-02-01,5" for n in range(90, 95)]
    (folder / "accounts.csv").write_text(accounts)
    (folder / "subscriptions.csv").write_text("\n".join(["Subscription ID,Account ID,Start date,End date,ARR", *lines, *strange]) + "\n")
    workspace = folder / "acme"
    assert run("init", workspace).code == 0
    loaded = run("load", folder / "accounts.csv", folder / "subscriptions.csv", "--yes", "--workspace", workspace)
    assert loaded.code == 0, loaded
    return workspace


@pytest.fixture
def console(folder: Path) -> Iterator[None]:
    with console_of(open_workspace(folder)):
        yield


@pytest.mark.usefixtures("console")
def test_a_finding_opens_the_rows_at_fault_which_are_inert_and_their_csv_says_what_they_are() -> None:
    browser = signed_in("manager")
    links = sorted(one for one in links_of(browser.get("/data"), "/data") if one.startswith("/data/findings/"))
    strange = next(one for one in links if "orphan" in one)
    for link in links:
        assert browser.get(link).heading == "Rows at fault", link
    page = browser.get(strange)
    assert STRANGER in page.said.replace("  ", " ") and STRANGER not in page.text
    with zipfile.ZipFile(io.BytesIO(browser.get(f"{strange}?csv=1").response.content)) as packed:
        told = json.loads(packed.read("rows-at-fault.manifest.json"))
        rows = list(csv.reader(io.StringIO(packed.read("rows-at-fault.csv").decode())))
    assert told["finding"] == unquote(strange.removeprefix("/data/findings/")) and told["rows"] == len(rows) - 1 == told["count"]
    assert not any(cell.startswith("=") for row in rows for cell in row)


@pytest.mark.usefixtures("console")
def test_a_finding_that_is_none_is_not_found_and_closed_to_who_may_not_see_the_data() -> None:
    assert signed_in("manager").get("/data/findings/no/such").status == 404
    assert signed_in("viewer", "Vera").get("/data/findings/no/such").status == 403


@pytest.mark.usefixtures("console")
def test_only_the_newest_load_is_offered_to_be_taken_back_and_another_is_refused_with_its_reason() -> None:
    analyst = signed_in("analyst")
    assert "/data/loads/1/undo" in analyst.get("/data").text
    assert analyst.get("/data/loads/1/undo").heading == "Take back load 1?"
    refused = analyst.get("/data/loads/7/undo")
    assert refused.status == 422 and "the last load in force is load 1" in refused.said
    assert "/undo" not in signed_in("manager", "Max").get("/data").text

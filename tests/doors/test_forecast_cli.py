"""`unspun forecast`: what it prints at any width, the files it writes, the addresses it gives, and what it says of wrong options."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from rich.cells import cell_len

from tests.doors.book_files import Book
from tests.doors.cli_files import Ran, run
from tests.doors.risk_company import made_book
from tests.unit.reports import forecast_record_sample as records
from tests.unit.reports import forecast_sample as sample
from unspun.cli import forecast_record_text, forecast_text
from unspun.reports.forecast_html import Proof
from unspun.reports.forecast_json import forecast_schema, record_schema
from unspun.risk.forecast.result import Forecast, ForecastRecord

PROOF = Proof(23, "23:9fe2", 6, "ab" * 32, "duckdb 2.0", "Acme", ("the book was not checked",))
FORECASTS: dict[str, Callable[[], Forecast]] = {
    "one currency": sample.forecast,
    "two currencies": lambda: sample.forecast(("USD", "EUR")),
    "refused": lambda: sample.forecast(refused=True),
    "nothing due": sample.nothing_due,
}
RECORDS: dict[str, Callable[[], ForecastRecord]] = {
    "five forecasters": records.record,
    "calls in words": lambda: records.record(words=True),
    "few": lambda: records.record(few=True),
    "nothing said": records.nothing_said,
}


@dataclass(frozen=True, slots=True)
class Forecasted:
    """A company whose renewals were forecast a quarter before its last day, and scored after that, with every file written."""

    book: Book
    folder: Path
    forecast: Ran
    record: Ran

    @property
    def scored(self) -> dict[str, Any]:
        """The record, as it was printed."""
        return json.loads(self.record.out)

    def document(self, name: str) -> dict[str, Any]:
        return json.loads((self.folder / name).read_text("utf-8"))

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self.folder / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Forecasted:
    folder = tmp_path_factory.mktemp("forecast")
    book = made_book(folder)
    files = ("--html", folder / "pages", "--json", folder / "f.json", "--csv", folder / "f.csv")
    of_record = ("--html", folder / "record", "--json", "-", "--csv", folder / "r.csv")
    told = book.run("forecast", "--as-of", "2025-09-30", "--metric", "logins_*", *files)
    return Forecasted(book, folder, told, book.run("forecast", "--record", "--as-of", "2026-01-02", *of_record))


def plain(text: str) -> str:
    """With hyphens and spaces of one kind."""
    return " ".join(text.translate({0x2013: "-", 0x2212: "-", 0xA0: " ", 0x2060: ""}).split())


def forecast_lines(name: str, width: int, by: tuple[str, ...] = ("segment",)) -> list[str]:
    shown = forecast_text.Shown(FORECASTS[name](), PROOF, by, "fitted anew, as asked", 1.25, ())
    return [str(line) for line in forecast_text.forecast_lines(shown, width)]


def record_lines(name: str, width: int) -> list[str]:
    shown = forecast_record_text.Shown(RECORDS[name](), PROOF, (31, 32), 1.25, ())
    return [str(line) for line in forecast_record_text.record_lines(shown, width)]


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    made = [*(forecast_lines(name, width, ("segment", "owner")) for name in FORECASTS), *(record_lines(name, width) for name in RECORDS)]
    for lines in made:
        assert [line for line in lines if cell_len(line.rstrip()) > width] == []
        assert len(lines) > 5


def test_the_terminal_tells_what_is_expected_by_month_quarter_and_the_groups_asked_for() -> None:
    lines = [plain(line) for line in forecast_lines("one currency", 120, ("owner",))]
    assert lines[0] == "Of the $6.78M of ARR that falls due by 30 Nov 2026, 83 % is expected to be kept; with expansion, 88 %."
    assert lines[1].startswith("95 % intervals, in per cent: gross 66-93, net 70-99.")
    starts = [line.split(maxsplit=1)[0] for line in lines if line]
    assert starts.count("Q4") == 2 and starts.count("All") == 1 and "Ana" in starts and "Enterprise" not in starts
    assert "· model: fitted anew, as asked" in lines
    assert any(line.startswith("Q1 2026 47 $1.76M") and "85 % (63-96)" in line for line in lines)


def test_without_a_forecast_the_terminal_shows_counts_and_sums_and_why() -> None:
    text = plain(" ".join(forecast_lines("refused", 100)))
    assert "No forecast: the model is not calibrated" in text and "It would take metrics that foretell" in text
    assert "no estimate" not in text and "NRR" not in text and "All 160 $6.78M" in text


def test_the_terminal_tells_who_was_nearer_and_of_whom_nothing_can_be_told() -> None:
    text = plain(" ".join(record_lines("five forecasters", 120)))
    assert "Beside last year's rate, 90 days ahead: worse: Dana <b>Ruiz</b>; cannot tell: the model," in text
    assert "cannot tell of model: 7 churned renewals, 20 are needed" in text
    assert "GRR of what is due, replayed 40 8 78 % (62-89) 94 % (83-98)" in text
    assert "entries 31 to 32" in text


def test_every_file_is_written_and_what_is_printed_as_json_is_the_document_and_nothing_else(company: Forecasted) -> None:
    assert company.forecast.code == 0, company.forecast.err
    assert company.record.code == 0, company.record.err
    Draft202012Validator(forecast_schema()).validate(company.document("f.json"))
    Draft202012Validator(record_schema()).validate(company.scored)
    for name in ("pages", "record"):
        manifest = company.document(f"{name}/manifest.json")
        for path, digest in manifest["files"].items():
            assert hashlib.sha256((company.folder / name / path).read_bytes()).hexdigest() == digest
    for name in ("f.json", "f.csv", "r.csv"):
        manifest = company.document(f"{name}.manifest.json")
        assert manifest["file"]["sha256"] == hashlib.sha256((company.folder / name).read_bytes()).hexdigest()
        assert manifest["entry"].split(":")[0].isdigit() and manifest["book"]["version"] >= 1


def test_the_groups_of_each_kind_hold_every_renewal_due_once_and_the_csv_names_their_figures(company: Forecasted) -> None:
    document, entry = company.document("f.json"), company.document("f.csv.manifest.json")["entry"].split(":")[0]
    rows = company.rows("f.csv")
    due = [one for one in document["renewals"] if one["due"] <= document["until"]]
    assert document["total"]["renewals"] == len(due) > 50
    for kind in ("by_month", "by_quarter", "by_segment", "by_owner"):
        assert sum(group["renewals"] for group in document[kind]) == len(due)
    assert {group["name"] for group in document["by_owner"]} == {"Kim", "Lee"}
    told = {row["figure"] for row in rows}
    assert f"{entry}/total" in told and all(name.startswith(f"{entry}/") for name in told)


@pytest.mark.parametrize("name", ["f.csv", "r.csv"])
def test_every_address_in_the_csv_is_one_of_the_ledger(company: Forecasted, name: str) -> None:
    told = {row["figure"] for row in company.rows(name)}
    (entry,) = {address.partition("/")[0] for address in told}
    listed = json.loads(company.book.run("why", entry, "--json").out)
    assert told <= {f"{entry}/{one['name']}" for one in listed["figures"]}
    assert company.book.run("why", entry).code == 0


def test_the_forecast_made_before_is_scored_on_what_came_after(company: Forecasted) -> None:
    forecast, record = company.document("f.json"), company.scored
    assert record["as_of"] > forecast["as_of"]
    (shot,) = record["snapshots"]
    assert shot["as_of"] == forecast["as_of"] and shot["replayed"]  # entered today, of a day long past
    (quarter,) = [one for one in forecast["by_quarter"] if one["name"] == "2025-Q4"]
    came = {one["quantity"]: one for one in shot["outcomes"]}
    assert came["churned"]["predicted"] == quarter["churned"] and came["grr"]["predicted"] == quarter["money"][0]["grr"]
    with (company.book.exports / "renewals.csv").open(encoding="utf-8", newline="") as file:
        known = {(row["id"], row["due"]): row["outcome"] for row in csv.DictReader(file)}
    due = [(one["account"], one["due"]) for one in forecast["renewals"] if quarter["first"] <= one["due"] <= quarter["last"]]
    assert came["churned"]["actual"] == sum(known[one] == "churned" for one in due) > 0
    for one in shot["outcomes"]:
        assert one["in_95"] == (one["predicted"]["low_95"] <= one["actual"] <= one["predicted"]["high_95"])
    assert {one["kind"] for one in record["forecasters"]} >= {"last year's rate"}


def test_wrong_options_are_told_together() -> None:
    ran = run("forecast", "--months", "40", "--as-of", "soon", "--by", "colour", "--replay", "3")
    assert ran.code == 2
    assert [line.split(":")[0] for line in ran.faults] == ["--as-of", "--months", "--by", "--replay"]


def test_options_of_a_forecast_are_no_options_of_the_record() -> None:
    ran = run("forecast", "--record", "--months", "6", "--fit", "--by", "owner")
    assert ran.code == 2
    assert [line.split(":")[0] for line in ran.faults] == ["--months", "--by", "--fit"]


def test_a_folder_that_holds_other_files_is_left_alone(tmp_path: Path, company: Forecasted) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    ran = company.book.run("forecast", "--html", tmp_path)
    assert ran.code == 2 and "not earlier pages of forecast" in ran.err
    other = company.book.run("forecast", "--record", "--html", company.folder / "pages")
    assert other.code == 2 and "not earlier pages of forecast-record" in other.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_schemas_are_printed() -> None:
    assert json.loads(run("schema", "forecast").out) == forecast_schema()
    assert json.loads(run("schema", "forecast-record").out) == record_schema()

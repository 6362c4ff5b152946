"""`unspun panel` and its Python call: values worked out by hand, files that say where they come from, runs computed again."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import unspun
from tests.doors.book_files import Book
from tests.doors.metric_book import DAILY, EVEN, FORMULA, SILENT, copied
from unspun.metrics.metric import Metric
from unspun.metrics.nodes import Count, Rows
from unspun.metrics.windows import Days

AS_OF = "2026-03-31"


@pytest.fixture(scope="module")
def book(loaded_company: Book, tmp_path_factory: pytest.TempPathFactory) -> Book:
    return copied(loaded_company, tmp_path_factory.mktemp("panels"))


def computed(book: Book, path: Path, *options: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The manifest and the rows of a panel that is written to `path`."""
    ran = book.run("panel", "--out", path, "--json", *options)
    assert ran.code == 0, ran.err
    return json.loads(ran.out), pq.read_table(path).to_pylist()


def test_the_values_are_those_worked_out_by_hand_and_every_gap_has_its_reason(book: Book, tmp_path: Path) -> None:
    run, rows = computed(book, tmp_path / "p.parquet", "--as-of", AS_OF, "--as-of", "2025-11-30")
    found = {(row["account_id"], row["as_of"]): row for row in rows}
    assert list(found) == sorted(found)
    daily = found[DAILY, date(2026, 3, 31)]
    names = ("logins_28d", "users_28d", "minutes_28d", "last_minutes", "days_since_login", "change", "open_tickets", "tier", "arr")
    assert [daily[name] for name in names] == [28, 3, sum(range(62, 90)), 89.0, 0, 0.0, 1, "Large", 1206.0]
    assert daily["logins_per_seat"] == 2.8
    even = found[EVEN, date(2026, 3, 31)]
    assert (even["logins_28d"], even["days_since_login"], even["open_tickets"], even["arr"]) == (14, 1, 1, 960.0)
    assert found[SILENT, date(2026, 3, 31)]["logins_28d__missing"] == "not_seen"
    assert found[FORMULA, date(2026, 3, 31)]["arr__missing"] == "after_churn"
    unknown = found[DAILY, date(2025, 11, 30)]
    assert [unknown[f"{name}__missing"] for name in ("logins_28d", "open_tickets", "arr")] == ["before_birth", "before_birth", "not_stated"]
    assert found[EVEN, date(2025, 11, 30)]["logins_28d__missing"] == "no_source"
    for one in run["metrics"]:
        why = [row[f"{one['id']}__missing"] for row in rows]
        assert one["values"] == why.count(None)
        assert one["missing"] == {reason: why.count(reason) for reason in set(why) - {None}}
        assert all((row[one["id"]] is None) == (reason is not None) for row, reason in zip(rows, why, strict=True))


def test_the_file_is_the_same_to_the_byte_each_time_and_says_where_each_column_comes_from(book: Book, tmp_path: Path) -> None:
    asked = ("--metrics", "logins_28d,tier", "--every", "month", "--from", "2026-01-01", "--to", "2026-03-31")
    first, _ = computed(book, tmp_path / "a.parquet", *asked)
    again, _ = computed(book, tmp_path / "b.parquet", *asked)
    content = (tmp_path / "a.parquet").read_bytes()
    assert content == (tmp_path / "b.parquet").read_bytes()
    assert first["file"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert (first["file"]["bytes"], first["entry"]) == (len(content), again["entry"])
    beside = json.loads((tmp_path / "a.parquet.manifest.json").read_text())
    assert beside["file"] == first["file"]
    told = {name.decode(): text.decode() for name, text in pq.read_schema(tmp_path / "a.parquet").field("logins_28d").metadata.items()}
    text = (book.folder / "metrics.yml").read_bytes()
    assert told["unspun.definition_sha256"] == hashlib.sha256(text).hexdigest() == first["definition"]["sha256"]
    assert "count: events" in told["unspun.metric"]
    assert (told["unspun.time_zone"], told["unspun.book_digest"]) == ("UTC", first["book"]["digest"])
    assert told["unspun.as_of"] == "every month from 2026-01-01 to 2026-03-31"


def test_csv_has_the_same_cells_cannot_run_in_a_spreadsheet_and_may_be_packed(book: Book, tmp_path: Path) -> None:
    asked = ("--as-of", AS_OF, "--metrics", "logins_28d,tier")
    run, rows = computed(book, tmp_path / "p.parquet", *asked)
    runs = [run, *(json.loads(book.run("panel", *asked, "--json", "--out", tmp_path / name).out) for name in ("p.csv", "p.csv.gz"))]
    told = [json.loads(book.run("why", one["entry"].partition(":")[0], "--json").out)["figures"][-1]["value"] for one in runs]
    assert len({one["file_sha256"] for one in told}) == 3 > len({one["sha256"] for one in told}) == 1, "the rows are the same"
    text = (tmp_path / "p.csv").read_text()
    assert gzip.decompress((tmp_path / "p.csv.gz").read_bytes()).decode() == text
    lines = list(csv.DictReader(text.splitlines()))
    assert [line["account_id"].removeprefix("'") for line in lines] == [row["account_id"] for row in rows]
    assert lines[0]["account_id"] == "'=2+2"
    for line, row in zip(lines, rows, strict=True):
        assert line["logins_28d"] == ("" if row["logins_28d"] is None else str(row["logins_28d"]))


def test_a_recorded_run_is_computed_again_after_later_loads_and_opens_to_its_units(loaded_company: Book, tmp_path: Path) -> None:
    book = copied(loaded_company, tmp_path)
    run, before = computed(book, tmp_path / "p.parquet", "--as-of", AS_OF, "--metrics", "logins_28d")
    entry = run["entry"].partition(":")[0]
    later = [
        "id,at,what,who,n", f"{DAILY},2026-04-01 10:00,login,U7,5", f"{SILENT},2026-04-02 10:00,login,U8,5",
    ]  # fmt: skip
    listed = book.export("accounts-later.csv", ["id,as_of,name,tier", f"{EVEN},{datetime.now(UTC).date()},Bee,Large"])
    assert book.load(book.export("usage-later.csv", later), listed).code == 0
    declared = "metrics:\n  n: {description: x, count: events, window: 28d}\n  tier: {description: x, attribute: segment}\n"
    (book.folder / "metrics.yml").write_text(declared, encoding="utf-8")
    again = book.run("recompute", entry, "--json")
    assert (again.code, json.loads(again.out)["verdict"]) == (0, "same")
    opened = json.loads(book.run("why", f"{entry}/logins_28d/not_seen", "--json").out)
    assert (opened["n_rows"], opened["value"]["value"]["count"]) == (1, 1)
    _, rows = computed(book, tmp_path / "q.parquet", "--as-of", AS_OF)
    assert [row["n"] for row in rows if row["account_id"] == DAILY] == [28], "what came after the date does not count"
    told = json.loads(book.run("panel", "--json").out)["as_of"]
    assert told == "2026-04-10", "the last event: a list of accounts of today says nothing of how far the export reaches"
    assert [row["logins_28d"] for row in before if row["account_id"] == DAILY] == [28]
    assert book.run("erase", "--account", DAILY, "--yes").code == 0
    gone = book.run("recompute", entry, "--json")
    assert (gone.code, json.loads(gone.out)["verdict"]) == (3, "erased")


def test_arr_is_what_retention_counts(book: Book, tmp_path: Path) -> None:
    _, rows = computed(book, tmp_path / "p.parquet", "--as-of", AS_OF, "--metrics", "arr")
    figures = json.loads(book.run("retention", "--as-of", AS_OF, "--json").out)["figures"]
    closing = next(one["value"]["amount"] for one in figures if one["name"].startswith("arr.closing/2026-03"))
    assert sum(row["arr"] or 0 for row in rows) == float(closing) > 0


def test_days_before_renewals_follow_from_the_terms_where_the_book_has_no_renewals(book: Book, tmp_path: Path) -> None:
    run, rows = computed(book, tmp_path / "p.parquet", "--before-renewals", "90,60", "--metrics", "logins_28d")
    units = [(row["account_id"], row["due"], row["horizon_days"], row["as_of"]) for row in rows]
    assert (EVEN, date(2026, 6, 1), 60, date(2026, 4, 2)) in units
    assert not [unit for unit in units if unit[0] == DAILY], "due in December: sixty days before it is not there yet"
    assert run["question"]["horizons_days"] == [90, 60]
    assert next(row["logins_28d"] for row in rows if row["account_id"] == EVEN and row["horizon_days"] == 60) == 14


def test_without_a_file_the_summary_says_so_and_tells_the_reasons(book: Book) -> None:
    ran = book.run("panel", "--metrics", "logins_28d")
    assert ran.code == 0
    assert "as of 2026-04-10" in ran.out
    assert "not_seen 1" in ran.out
    assert "Nothing was written" in ran.out
    assert "(orphan_accounts/subscriptions)" in " ".join(ran.out.split()), "what the quality gate found in the tables read"


def test_all_faults_of_the_options_are_told_at_once(book: Book, tmp_path: Path) -> None:
    asked = ("--as-of", "soon", "--every", "hour", "--memory", "little", "--out", tmp_path / "p.xlsx", "--version", "x")
    ran = book.run("panel", *asked)
    assert ran.code == 2
    assert {line.partition(":")[0] for line in ran.faults} == {"--as-of", "--every", "--memory", "--out", "--version"}
    both = book.run("panel", "--as-of", AS_OF, "--every", "week", "--before-renewals", "30")
    assert (both.code, both.faults[0].startswith("--every: ")) == (2, True)
    for asked in (("--as-of", "2999-01-01"), ("--to", "2999-01-31", "--from", "2998-12-01", "--every", "month")):
        later = book.run("panel", *asked)
        assert (later.code, later.err.startswith(f"{asked[0]}: "), "after today" in later.err) == (2, True, True)
    assert "Did you mean 'logins_28d'" in book.run("panel", "--metrics", "login_28d").err
    assert book.run("panel", "--out", book.folder / "metrics.yml").code == 2


def test_a_metric_that_does_not_fit_the_book_is_told_by_its_line_and_hinders_no_other(loaded_company: Book, tmp_path: Path) -> None:
    book = copied(loaded_company, tmp_path)
    declared = (
        "metrics:",
        "  opened: {description: Tickets opened., count: tickets}",
        "  wrong: {description: Hours to an answer., median: {of: tickets, from: opend, to: closed, unit: hours}}",
        "  of_wrong: {description: Twice., add: [wrong, wrong]}",
    )
    (book.folder / "metrics.yml").write_text("\n".join(declared))
    assert book.run("panel", "--metrics", "opened", "--as-of", AS_OF).code == 0
    for asked in (("--metrics", "of_wrong"), ()):
        ran = book.run("panel", "--as-of", AS_OF, *asked)
        assert (ran.code, ran.faults[0].startswith("metrics.yml:3: ")) == (2, True)


def test_a_workspace_without_metrics_says_how_to_get_some(loaded_company: Book, tmp_path: Path) -> None:
    book = copied(loaded_company, tmp_path)
    (book.folder / "metrics.yml").unlink()
    ran = book.run("panel")
    assert (ran.code, "unspun metrics suggest --write" in ran.err) == (2, True)
    assert book.run("metrics", "suggest", "--write").code == 0
    assert book.run("metrics", "check").code == 0
    assert book.run("panel").code == 0


def test_the_python_call_gives_the_rows_of_the_command_and_takes_metrics_made_in_python(book: Book, tmp_path: Path) -> None:
    run, rows = computed(book, tmp_path / "p.parquet", "--as-of", AS_OF, "--metrics", "logins_28d,open_tickets")
    table = unspun.panel(book.folder, ["logins_28d", "open_tickets"], as_of=AS_OF)
    assert table.to_pylist() == rows
    assert table.schema.metadata[b"unspun.entry"].decode() == run["entry"]
    made = Metric("week", Count(Rows("events", window=Days(7))))
    week = unspun.panel(book.folder, [made], every="week", first="2026-03-16", last="2026-03-29")
    assert week.column("week").to_pylist()[2:4] == [7, 7]
    assert book.run("recompute", week.schema.metadata[b"unspun.entry"].decode().partition(":")[0]).code == 0
    with pytest.raises(unspun.BadInput):
        unspun.panel(book.folder, "nothing")

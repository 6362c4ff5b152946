"""Rejected rows from the command line: why they were rejected, mended in a file, loaded again, and taken back by undo."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.doors.book_files import USAGE, Book, company_book, rows_of


@pytest.fixture
def book(tmp_path: Path) -> Book:
    found = company_book(tmp_path)
    assert found.load(found.exports).code == 0
    return found


def mend(path: Path, **cells: str) -> None:
    """Write the cells into every row of a file of rejected rows, as a person would in a spreadsheet."""
    rows = rows_of(path)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(row | cells for row in rows)


def rejected(book: Book) -> int:
    return json.loads(book.run("rejected", "--json").out)["rows"]


def test_rejected_rows_are_counted_by_reason_and_written_as_they_stood(book: Book, tmp_path: Path) -> None:
    shown = json.loads(book.run("rejected", "--json").out)
    assert shown["rows"] == 2
    assert [(one["table"], one["source"].rpartition("/")[2], one["rows"]) for one in shown["reasons"]] == [("events", "usage.csv", 2)]
    path = tmp_path / "rejected.csv"
    assert book.run("rejected", "--csv", path).code == 0
    found = rows_of(path)
    assert [row["unspun_row"] for row in found] == ["4", "5"]
    assert [",".join(row[name] for name in USAGE[0].split(",")) for row in found] == [USAGE[3], USAGE[4]]


def test_mended_rows_take_the_place_of_the_rejected_ones(book: Book, tmp_path: Path) -> None:
    path = tmp_path / "rejected.csv"
    assert book.run("rejected", "--csv", path).code == 0
    mend(path, id="A-2")
    ran = book.load(path)
    assert ran.code == 0, ran.err
    assert "proposed" not in ran.out, "the file goes to the mapping of its source"
    assert len(book.rows("events")) == 4
    assert rejected(book) == 0
    assert "No rejected row is left" in book.run("rejected").out
    assert json.loads(book.run("status", "--json").out)["rejected"] == 0


def test_the_mended_file_loaded_twice_adds_nothing(book: Book, tmp_path: Path) -> None:
    path = tmp_path / "rejected.csv"
    assert book.run("rejected", "--csv", path).code == 0
    mend(path, id="A-2")
    assert book.load(path).code == 0
    again = book.load(path, "--json")
    assert json.loads(again.out)["version"] is None
    assert len(book.rows("events")) == 4


def test_a_row_that_is_still_wrong_is_listed_once(book: Book, tmp_path: Path) -> None:
    path = tmp_path / "rejected.csv"
    assert book.run("rejected", "--csv", path).code == 0
    rows = path.read_text().splitlines()
    path.write_text("\n".join([rows[0], rows[1].replace(",,2026", ",A-1,2026"), rows[2]]) + "\n")
    assert book.load(path).code == 0
    assert len(book.rows("events")) == 3
    assert rejected(book) == 1
    assert book.run("rejected", "--csv", path).code == 0
    mend(path, id="A-1")
    assert book.load(path).code == 0
    assert rejected(book) == 0
    assert len(book.rows("events")) == 4


def test_undo_of_the_mended_rows_brings_the_rejected_ones_back(book: Book, tmp_path: Path) -> None:
    path = tmp_path / "rejected.csv"
    assert book.run("rejected", "--csv", path).code == 0
    mend(path, id="A-2")
    assert book.load(path).code == 0
    assert book.run("undo").code == 0
    assert rejected(book) == 2
    assert len(book.rows("events")) == 2


def test_rejected_rows_of_two_sources_are_written_one_at_a_time(book: Book, tmp_path: Path) -> None:
    book.export("terms-9.csv", ("line,id,from,to,mrr", "L-8,A-1,2026-01-01,,10", "L-9,,2026-01-01,,10", "L-7,A-1,2026-01-01,,1"))
    assert book.load(book.exports / "terms-9.csv").code == 0
    ran = book.run("rejected", "--csv", tmp_path / "all.csv")
    assert ran.code == 2
    assert "--table subscriptions" in ran.faults[0]
    assert not (tmp_path / "all.csv").exists()
    assert book.run("rejected", "--table", "subscriptions", "--csv", tmp_path / "terms.csv").code == 0
    mend(tmp_path / "terms.csv", id="A-2")
    assert book.load(tmp_path / "terms.csv").code == 0
    assert {row["account_id"] for row in book.rows("subscriptions", "--where", "subscription_id=L-9")} == {"A-2"}
    assert json.loads(book.run("rejected", "--load", "2", "--json").out)["rows"] == 0


def test_two_files_of_rejected_rows_pasted_together_are_refused(book: Book, tmp_path: Path) -> None:
    book.export("terms-9.csv", ("line,id,from,to,mrr", "L-8,A-1,2026-01-01,,10", "L-9,,2026-01-01,,10", "L-7,A-1,2026-01-01,,1"))
    assert book.load(book.exports / "terms-9.csv").code == 0
    for table in ("events", "subscriptions"):
        assert book.run("rejected", "--table", table, "--csv", tmp_path / f"{table}.csv").code == 0
    pasted = tmp_path / "pasted.csv"
    rows = [row for table in ("events", "subscriptions") for row in rows_of(tmp_path / f"{table}.csv")]
    with pasted.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)), restval="")
        writer.writeheader()
        writer.writerows(rows)
    ran = book.load(pasted)
    assert ran.code == 2
    assert "several sources" in ran.faults[0]


def test_a_cell_that_a_spreadsheet_would_run_is_marked_and_comes_back_as_it_stood(book: Book, tmp_path: Path) -> None:
    odd = ["=1+1", "'=quoted", "-5", "@handle", "it's"]
    lines = [USAGE[0], "A-1,2026-01-11 09:00,fine", *(f",2026-01-{11 + n} 10:00,{what}" for n, what in enumerate(odd))]
    source = book.export("usage-odd.csv", lines)
    assert book.load(source).code == 0
    path = tmp_path / "rejected.csv"
    assert book.run("rejected", "--csv", path, "--source", source).code == 0
    assert [row["what"] for row in rows_of(path)] == ["'=1+1", "''=quoted", "-5", "'@handle", "it's"]
    text = path.read_text().splitlines()
    path.write_text("\n".join([text[0], text[1].replace(",,2026", ",A-2,2026"), *text[2:]]) + "\n")
    assert book.load(path).code == 0
    again = tmp_path / "again.csv"
    assert book.run("rejected", "--csv", again, "--source", path).code == 0
    assert [row["what"] for row in rows_of(again)] == ["''=quoted", "-5", "'@handle", "it's"], "the marks do not pile up"
    mend(again, id="A-2")
    assert book.load(again).code == 0
    shown = json.loads(book.run("show", "events", "--json").out)["rows"]
    assert {row["event"] for row in shown} >= set(odd)


def test_a_source_that_was_never_loaded_is_refused(book: Book) -> None:
    ran = book.run("rejected", "--source", "usages.csv")
    assert ran.code == 2
    assert "Did you mean 'usage.csv'?" in ran.err


def test_rows_of_one_file_are_rejected_for_what_they_hold_and_for_when_they_were_known(tmp_path: Path) -> None:
    book = company_book(tmp_path)
    text = "sources: [{files: seen*.csv, table: events, columns: {account_id: id, occurred: at, known_at: seen, event: what}}]\n"
    (book.folder / "book.yml").write_text(f"time_zone: UTC\n{text}", encoding="utf-8")
    day = "2026-03-30 12:00"
    rows = [f"A-1,{day},{day},login", f"A-1,1066-10-14 12:00,{day},login", f"A-1,{day},2199-01-01 12:00,login"]
    ran = book.load(book.export("seen.csv", ["id,at,seen,what", *rows]))
    assert ran.code == 0, ran.err
    assert len(book.rows("events")) == 1
    shown = json.loads(book.run("rejected", "--json").out)
    why = sorted(one["reason"] for one in shown["reasons"])
    assert why == ["date outside 1970-2200", "the row says that it was known after the file was received"]

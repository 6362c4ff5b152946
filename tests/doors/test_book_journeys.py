"""Journeys through the book with awkward files: a folder with junk, a mapping mended, monthly exports, a workspace moved."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from tests.doors.book_files import Book, company_book, empty_book
from tests.doors.cli_files import Ran, run

EVENTS = (
    "account_id,user_id,event,event_time",
    "A-1,u1,login,2026-01-07 10:00:00",
    "A-1,u1,login,2026-01-07 10:00:00",
    "A-1,u2,export,2026-01-07 10:00:00",
    "A-2,u3,login,2026-02-08 10:00:00",
    "A-2,u3,export,2026-02-08 10:00:00",
)
COUNTS = (
    "account_id,month_end,n_logins,n_exports",
    "A-1,2026-01-31,2,1",
    "A-1,2026-02-28,0,0",
    "A-2,2026-01-31,0,0",
    "A-2,2026-02-28,1,1",
)
GERMAN = """\
time_zone: Europe/Berlin
sources:
  - files: "Verträge*.csv"
    table: subscriptions
    columns:
      subscription_id: Vertrag
      account_id: Kunde
      started: Beginn
      ended: Ende
      amount: {column: Jahresbetrag, covers: year}
      currency: Währung
  - files: "Kunden*.csv"
    table: accounts
    columns: {account_id: Kunde, name: Name, segment: Segment}
  - files: Kurse.csv
    table: rates
    columns: {currency: Währung, into: nach, day: Datum, rate: Kurs}
"""
RATES = {"EUR": Decimal(1), "CHF": Decimal("1.0625")}


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return company_book(tmp_path)


@pytest.fixture
def empty(tmp_path: Path) -> Book:
    return empty_book(tmp_path)


def said(ran: Ran) -> str:
    """What was printed, its lines joined."""
    assert ran.code == 0, ran.err
    return " ".join(ran.out.split())


# Which files, under which mapping


@pytest.mark.parametrize("names", [("counts.csv", "events.csv"), ("events.csv", "counts.csv")])
def test_counts_by_month_and_single_events_load_together_in_either_order(empty: Book, names: tuple[str, str]) -> None:
    files = {"counts.csv": empty.export("counts.csv", COUNTS), "events.csv": empty.export("events.csv", EVENTS)}
    ran = said(empty.load(*(files[name] for name in names), "--yes"))
    assert "Rows have no key" in ran
    assert "events.csv feeds events too: what both files count is counted twice." in ran
    assert len(empty.rows("events")) == 9


def test_counts_by_month_alone_are_told_apart_by_account_and_month(empty: Book) -> None:
    empty.load(empty.export("counts.csv", COUNTS), "--yes")
    again = empty.load(empty.export("counts.csv", (*COUNTS[:-1], "A-2,2026-02-28,1,7")), "--json")
    (source,) = json.loads(again.out)["sources"]
    assert (source["new"], source["changed"], source["unchanged"]) == (0, 1, 3)


def test_files_of_a_folder_that_fit_no_table_are_left_out_and_each_is_named(book: Book) -> None:
    book.export("colours.csv", ("red,green", "1,2", "3,4"))
    (book.exports / "empty.csv").touch()
    (book.exports / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    ran = said(book.load(book.exports))
    assert "colours.csv:1 is left out: no table of the book fits" in ran
    assert "empty.csv is left out: the file is empty." in ran
    assert "logo.png:2 is left out" in ran
    assert len(book.rows("events")) == 2
    document = json.loads(book.load(book.exports, "--json").out)
    assert [one["file"] for one in document["left_out"]] == ["colours.csv:1", "empty.csv", "logo.png:2"]


def test_a_file_that_fits_no_table_is_refused_where_it_is_named_or_all_there_is(book: Book, tmp_path: Path) -> None:
    path = book.export("colours.csv", ("red,green", "1,2", "3,4"))
    for files in ((path, book.exports / "terms.csv"), (book.exports / "colou*.csv",)):
        refused = book.load(*files, "--yes")
        assert refused.code == 2
        assert "No table of the book fits" in refused.err
    (tmp_path / "junk").mkdir()
    shutil.move(path, tmp_path / "junk")
    assert book.load(tmp_path / "junk", "--yes").code == 2


def test_a_broken_file_that_book_yml_knows_stops_the_load_of_its_folder(book: Book) -> None:
    book.export("usage-2.csv", ("id,when", "A-1,2026-01-01"))
    assert book.load(book.exports).code == 2


# A mapping mended


def test_a_column_declared_fixed_later_holds_for_earlier_dates_once_its_file_is_loaded_again(book: Book) -> None:
    text = (book.folder / "book.yml").read_text().replace("dated: as_of, ", "")
    (book.folder / "book.yml").write_text(text)
    accounts = book.export("accounts.csv", ("id,as_of,name,csm", "A-1,x,Acme,Kim", "A-2,x,Beta,Lee"))
    assert book.load(accounts).code == 0
    assert book.rows("accounts", "--as-of", "2026-02-01") == []
    (book.folder / "book.yml").write_text(text.replace("owner: csm}", "owner: csm}\n    fixed: [owner]"))
    ran = said(book.load(accounts))
    assert "book version 2" in ran
    assert "Columns of accounts that never change, by book.yml: owner." in ran
    assert [(row["owner"], row["name"]) for row in book.rows("accounts", "--as-of", "2026-02-01")] == [("Kim", ""), ("Lee", "")]
    assert "Nothing new" in said(book.load(accounts))
    assert book.run("undo").code == 0
    assert book.rows("accounts", "--as-of", "2026-02-01") == []
    assert run("ledger", "verify", "--workspace", book.folder).code == 0


def test_a_file_that_another_mapping_reads_otherwise_names_the_load_to_take_back(book: Book) -> None:
    assert book.load(book.exports / "terms.csv").code == 0
    text = (book.folder / "book.yml").read_text()
    (book.folder / "book.yml").write_text(text.replace("covers: month", "covers: year"))
    again = said(book.load(book.exports / "terms.csv"))
    assert "Load 1 read terms.csv otherwise, and earlier dates still read what it said." in again
    assert {row["amount_months"] for row in book.rows("subscriptions", "--as-of", "2026-03-01")} == {"1"}
    for _ in range(2):
        assert book.run("undo").code == 0
    assert "otherwise" not in said(book.load(book.exports / "terms.csv"))
    assert {row["amount_months"] for row in book.rows("subscriptions", "--as-of", "2026-03-01")} == {"12"}


def test_a_later_export_with_changes_is_not_taken_for_a_mended_mapping(book: Book) -> None:
    assert book.load(book.exports / "terms.csv").code == 0
    book.export("terms.csv", ("line,id,from,to,mrr", "L-1,A-1,2026-01-01,2026-12-31,200"))
    assert "otherwise" not in said(book.load(book.exports / "terms.csv"))


# What is told


def test_one_late_row_is_told_in_the_singular(book: Book) -> None:
    assert book.load(book.exports / "usage.csv").code == 0
    book.export("usage-late.csv", ("id,at,what", "A-1,2026-01-02 10:00,login"))
    ran = said(book.load(book.exports / "usage-late.csv"))
    assert "1 new row happened before 2026-01-08, the newest row the book had, and counts as known when it happened" in ran


def test_exports_of_several_days_in_one_load_are_told_to_be_loaded_one_at_a_time(book: Book) -> None:
    for month, owner in (("01", "Kim"), ("02", "Lee")):
        book.export(f"accounts-{month}.csv", ("id,as_of,name,csm", f"A-1,2026-01-05,Acme,{owner}"))
    ran = said(book.load(book.exports / "accounts-01.csv", book.exports / "accounts-02.csv"))
    assert "load them one at a time, the oldest first" in ran
    assert "one at a time" not in said(book.load(book.exports / "usage.csv"))


def test_a_source_with_spaces_in_its_name_is_named_as_a_shell_takes_it(book: Book) -> None:
    book.export("usage of may.csv", ("id,at,what", ",2026-05-01 10:00,login", "A-1,2026-05-01 10:00,login"))
    for name in ("usage.csv", "usage of may.csv"):
        assert book.load(book.exports / name).code == 0
    told = book.run("rejected", "--csv", book.folder / "rejected.csv").err
    assert "--source 'usage of may.csv'" in told
    ran = book.run("rejected", "--csv", book.folder / "rejected.csv", "--table", "events", "--source", "usage of may.csv")
    assert ran.code == 0, ran.err


def test_undo_counts_rejected_rows_and_not_the_books_own_notes_of_them(book: Book) -> None:
    assert book.load(book.exports / "usage.csv").code == 0
    text = (book.folder / "book.yml").read_text()
    (book.folder / "book.yml").write_text(text.replace("event: what}", "event: what}\n    key: [account_id, occurred]"))
    assert book.run("undo").code == 0
    assert book.load(book.exports / "usage.csv").code == 0
    (book.folder / "book.yml").write_text(text.replace("event: what}", "event: what, user_id: id}\n    key: [account_id, occurred]"))
    assert book.load(book.exports / "usage.csv").code == 0
    ran = said(book.run("undo"))
    assert "2 rejected" in ran
    assert "mended" not in ran


# A company of several currencies, by monthly exports


def euros(amount: Decimal) -> str:
    return f"{amount:,.2f}".translate(str.maketrans({",": ".", ".": ","}))


def german(day: date) -> str:
    return f"{day:%d.%m.%Y}"


Term = tuple[str, str, date, date, Decimal, str]


def terms_of(accounts: int) -> Iterator[Term]:
    """Yearly terms: some end, some shrink or grow, some come back after a gap."""
    for n in range(accounts):
        start = date(2024, 1 + n % 9, 1 if n % 3 else 15)
        amount = Decimal(100_000 + 7_919 * n) / 100
        for year in range(1 + (n % 5 != 0)):
            gap = timedelta(days=40 if n % 7 == 0 and year else 0)
            begins = start.replace(year=2024 + year) + gap
            price = (amount * Decimal(("1", "1.1", "0.9")[n % 3 if year else 0])).quantize(Decimal("0.01"))
            yield f"V-{n}-{year}", f"K-{n}", begins, begins.replace(year=begins.year + 1) - timedelta(days=1), price, ("EUR", "CHF")[n % 2]


def export_month(book: Book, month: date, terms: list[Term]) -> list[Path]:
    """The contracts and accounts as they are at the end of a month, as a German system writes them."""
    heads = "Vertrag;Kunde;Beginn;Ende;Jahresbetrag;Währung"
    lines = [f"{n};{a};{german(s)};{german(e)};{euros(x)};{c}" for n, a, s, e, x, c in terms if s <= month]
    accounts = sorted({term[1] for term in terms})
    segments = [f"{name};Firma {name} & Söhne;{'Groß' if month.month > 6 and name == 'K-1' else 'Klein'}" for name in accounts]
    name = f"{month:%Y-%m}"
    return [book.export(f"Verträge {name}.csv", [heads, *lines]), book.export(f"Kunden {name}.csv", ["Kunde;Name;Segment", *segments])]


def arr_on(day: date, terms: list[Term]) -> dict[str, Decimal]:
    """ARR of each account on a day in euros, straight from the terms; there is no gap of a week or less in them."""
    held: dict[str, Decimal] = {}
    for _, account, start, end, amount, currency in terms:
        if start <= day <= end:
            held[account] = held.get(account, Decimal(0)) + round(amount * RATES[currency], 4)
    return held


def figures_expected(terms: list[Term], ends: list[date]) -> dict[str, Decimal]:
    expected: dict[str, Decimal] = {}
    for before, day in pairwise(ends):
        opening, closing = arr_on(before, terms), arr_on(day, terms)
        both = {a: (opening.get(a, Decimal(0)), closing.get(a, Decimal(0))) for a in {*opening, *closing}}
        month = f"{day:%Y-%m}"
        expected[f"arr.opening/{month}"], expected[f"arr.closing/{month}"] = (sum(one.values(), Decimal(0)) for one in (opening, closing))
        expected[f"arr.churn/{month}"] = sum((o for o, c in both.values() if not c), Decimal(0))
        expected[f"arr.expansion/{month}"] = sum((c - o for o, c in both.values() if o and c > o), Decimal(0))
        expected[f"arr.contraction/{month}"] = sum((o - c for o, c in both.values() if c and o > c), Decimal(0))
        came = sum((c for o, c in both.values() if not o), Decimal(0))
        expected[f"came/{month}"] = came
        ago = arr_on(next(one for one in ends if (one.year, one.month) == (day.year - 1, day.month)), terms) if day.year == 2025 else {}
        if ago:
            expected[f"grr/{month}"] = sum((min(x, closing.get(a, Decimal(0))) for a, x in ago.items()), Decimal(0)) / sum(ago.values())
            expected[f"nrr/{month}"] = sum((closing.get(a, Decimal(0)) for a in ago), Decimal(0)) / sum(ago.values())
    return expected


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> tuple[Book, list[Term], list[date]]:
    """A workspace in a folder with spaces and umlauts, fed with the exports of every second month."""
    book = empty_book(tmp_path_factory.mktemp("Büro Köln"))
    (book.folder / "book.yml").write_text(GERMAN, encoding="utf-8")
    terms = list(terms_of(60))
    rates = [f"{name};EUR;{german(date(2025, 1, 1))};{str(rate).replace('.', ',')}" for name, rate in RATES.items() if name != "EUR"]
    assert book.load(book.export("Kurse.csv", ["Währung;nach;Datum;Kurs", *rates])).code == 0
    for month in (2, 4, 6, 8, 10, 12):
        day = date(2025 + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        ran = book.load(*export_month(book, day, terms), "--known-at", day.isoformat())
        assert ran.code == 0, ran.err
    return book, terms, [date(2024 + m // 12, m % 12 + 1, 1) - timedelta(days=1) for m in range(24)] + [date(2025, 12, 31)]


def test_a_year_of_monthly_exports_gives_the_figures_that_the_terms_give(year: tuple[Book, list[Term], list[date]], tmp_path: Path) -> None:
    book, terms, ends = year
    ran = book.run("retention", "--as-of", "2025-12-31", "--in", "eur", "--csv", tmp_path / "figures.csv", "--months", "2024-01:2025-12")
    assert ran.code == 0, ran.err
    with (tmp_path / "figures.csv").open(encoding="utf-8") as file:
        found = {row["figure"].partition("/")[2]: row["value"] for row in csv.DictReader(file)}
    expected = figures_expected(terms, ends)
    came = {name: amount for name, amount in expected.items() if name.startswith("came/")}
    for name, amount in came.items():
        month = name.partition("/")[2]
        assert Decimal(found[f"arr.new/{month}"]) + Decimal(found[f"arr.reactivation/{month}"]) == amount
    for name, value in expected.items():
        if name not in came and found[name]:
            assert abs(Decimal(found[name]) - value) < Decimal("1e-9"), name
    assert sum(bool(found[name]) for name in expected if name.startswith("grr/")) > 6
    assert sum(Decimal(found[name]) for name in found if name.startswith("arr.churn/")) > 0


def test_snapshots_of_each_month_say_what_was_known_at_its_end(year: tuple[Book, list[Term], list[date]]) -> None:
    book = year[0]
    for day, segment in (("2025-07-31", "Klein"), ("2025-08-31", "Groß"), ("2025-12-31", "Groß")):
        rows = book.rows("accounts", "--as-of", day, "--where", "account_id=K-1")
        assert [row["segment"] for row in rows] == [segment]


def test_retention_by_what_snapshots_did_not_say_yet_tells_why_it_is_not_stated(year: tuple[Book, list[Term], list[date]]) -> None:
    ran = said(year[0].run("retention", "--as-of", "2025-12-31", "--in", "EUR", "--by", "segment"))
    assert "segment: (not stated) for 60 of the 60 accounts with ARR on 2024-12-31, when the last window opens" in ran
    assert "`fixed`" in ran


def test_a_workspace_works_where_it_is_moved_to(year: tuple[Book, list[Term], list[date]], tmp_path: Path) -> None:
    moved = tmp_path / "an anderem Ort, später"
    shutil.copytree(year[0].folder, moved)
    again = run("load", year[0].exports / "Verträge 2025-12.csv", "--workspace", moved)
    assert "Nothing new" in again.out, again.err
    assert run("ledger", "verify", "--workspace", moved).code == 0
    assert run("show", "accounts", "--workspace", moved).out.count("K-") > 10

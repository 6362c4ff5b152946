"""Tables that stay in their database: read whenever the book is opened, never kept, and never taken for what they were."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.doors.book_files import Book, empty_book, write
from tests.unit.connectors.servers import PASSWORD, Server, shared_server

BOOK = """\
currency: EUR
databases:
  crm: {url_from: CRM_URL}
sources:
  - database: crm
    relation: public.terms
    in_place: true
    table: subscriptions
    columns: {subscription_id: line, account_id: account, started: began, ended: until, amount: {column: mrr, covers: month}}
  - files: "accounts*.csv"
    table: accounts
    columns: {account_id: id, dated: as_of, segment: segment}
"""
PAST = """INSERT INTO terms
SELECT 'L' || g, 'A' || g % 40, date '2024-01-01' + g % 300, date '2025-01-01' + g % 300, 100 + g FROM generate_series(1, 80) g"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = shared_server()
    monkeypatch.setenv("CRM_URL", server.fresh("crm"))
    server.run("CREATE TABLE terms (line text, account text, began date, until date, mrr numeric(12, 2))", PAST, database="crm")
    return server


@pytest.fixture
def book(tmp_path: Path) -> Book:
    book = empty_book(tmp_path)
    (book.folder / "book.yml").write_text(BOOK, encoding="utf-8")
    write(book.exports / "accounts.csv", ["id,as_of,segment", *(f"A{n},2024-01-01,{'big' if n % 2 else 'small'}" for n in range(40))])
    assert book.load(book.exports / "accounts.csv").code == 0
    return book


def entry_of(out: str) -> str:
    found = re.search(r"entry\s+(\d+)\s+of", out)
    assert found is not None, out
    return found[1]


def test_rows_in_place_are_those_of_the_database_now(server: Server, book: Book) -> None:
    assert len(book.rows("subscriptions")) == 80
    server.run("DELETE FROM terms WHERE line = 'L7'", "UPDATE terms SET mrr = 7 WHERE line = 'L8'", database="crm")
    rows = {row["subscription_id"]: row for row in book.rows("subscriptions")}
    assert "L7" not in rows and float(rows["L8"]["amount"]) == 7 and rows["L8"]["load"] == "0"
    assert len(book.rows("accounts")) == 40, "loaded tables stand beside them"
    assert "subscriptions" in json.loads(book.run("check", "--json").out)["rows_by_table"], "the checks see them"
    assert not [path for path in (book.folder / "warehouse").rglob("*") if "subscriptions" in path.name], "nothing of them is kept"
    assert not any(path.is_file() for path in (book.folder / "warehouse" / ".extracts").rglob("*"))


def test_rows_that_cannot_be_used_are_counted_and_shown(server: Server, book: Book) -> None:
    server.run("INSERT INTO terms VALUES ('L81', NULL, '2024-01-01', NULL, 5), ('L82', 'A1', NULL, NULL, 5)", database="crm")
    status = json.loads(book.run("status", "--json").out)
    assert [(one["source"], one["rows"], one["rejected"]) for one in status["in_place"]] == [("crm:public.terms", 82, 2)]
    assert "2 rejected" in " ".join(book.load("crm").out.split())
    rejected = book.run("rejected")
    assert "crm:public.terms" in rejected.out and len(book.rows("subscriptions")) == 80


def test_figures_of_rows_in_place_say_so_and_are_not_called_the_same_once_the_rows_changed(server: Server, book: Book) -> None:
    ran = book.run("retention", "--as-of", "2025-12-31")
    assert ran.code == 0, ran.err
    entry = entry_of(ran.out)
    same = book.run("recompute", entry)
    assert same.code == 0 and "same" in same.out, same.out + same.err
    why = book.run("why", f"{entry}/grr/2025-12")
    assert "crm:public.terms, read in place at" in " ".join(why.out.split())
    server.run("UPDATE terms SET mrr = 1 WHERE line = 'L8'", database="crm")
    changed = book.run("recompute", entry)
    assert changed.code != 0 and "stay in database crm and have changed since" in changed.err
    server.run("UPDATE terms SET mrr = 108 WHERE line = 'L8'", database="crm")
    assert book.run("recompute", entry).code == 0, "the rows are what they were"
    text = (book.folder / "book.yml").read_text()
    (book.folder / "book.yml").write_text(text.replace("covers: month", "covers: year"), encoding="utf-8")
    assert "maps crm:public.terms otherwise now" in book.run("recompute", entry).err


def test_figures_in_place_are_those_of_the_same_rows_loaded(server: Server, book: Book, tmp_path: Path) -> None:
    in_place = json.loads(book.run("retention", "--as-of", "2025-12-31", "--json").out)
    (tmp_path / "two").mkdir()
    other = empty_book(tmp_path / "two")
    (other.folder / "book.yml").write_text(BOOK.replace("    in_place: true\n", ""), encoding="utf-8")
    assert other.load("crm", book.exports / "accounts.csv").code == 0
    loaded = json.loads(other.run("retention", "--as-of", "2025-12-31", "--json").out)
    assert in_place["figures"] == loaded["figures"] and len(loaded["figures"]) > 20


def test_a_database_that_is_away_is_one_clear_message(server: Server, book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_URL", server.url("crm").replace(str(server.port), "9"))
    for command in (("status",), ("show", "subscriptions"), ("retention",), ("rejected",)):
        ran = book.run(*command)
        assert ran.code != 0 and len(ran.faults) == 1 and "nothing answers at that host and port" in ran.err, command
        assert PASSWORD not in ran.err
    monkeypatch.delenv("CRM_URL")
    assert "CRM_URL" in book.run("status").err


def test_a_table_has_one_kind_of_sources(server: Server, book: Book) -> None:
    text = (book.folder / "book.yml").read_text()
    more = "  - files: terms.csv\n    table: subscriptions\n    columns: {subscription_id: line, account_id: account, started: began}\n"
    (book.folder / "book.yml").write_text(text + more, encoding="utf-8")
    assert "A table has one kind of sources" in " ".join(book.run("status").err.split())
    (book.folder / "book.yml").write_text(text.replace("    in_place: true\n", ""), encoding="utf-8")
    assert book.load("crm").code == 0
    (book.folder / "book.yml").write_text(text, encoding="utf-8")
    assert "holds loaded rows of it" in " ".join(book.run("status").err.split())


def test_a_book_may_have_no_table_but_those_in_place(server: Server, tmp_path: Path) -> None:
    book = empty_book(tmp_path / "other")
    (book.folder / "book.yml").write_text(BOOK, encoding="utf-8")
    assert "nothing is loaded yet" in book.run("show", "subscriptions").err
    assert "80 rows of subscriptions read now" in " ".join(book.load("crm").out.split())
    assert len(book.rows("subscriptions")) == 80
    assert book.run("ledger", "verify").code == 0
    entry = entry_of(book.run("retention", "--as-of", "2025-12-31").out)
    assert book.run("recompute", entry).code == 0


def test_erasing_says_which_rows_in_place_it_does_not_reach(server: Server, book: Book) -> None:
    dry, as_json = (book.run("erase", "--account", "A1", "--dry-run", *more) for more in ((), ("--json",)))
    assert "erase there too (crm:public.terms)" in " ".join(dry.out.split())
    assert json.loads(as_json.out)["in_place"] == ["crm:public.terms"]

"""Retention and its proof from the command line: figures worked out by hand, opened to their rows, computed again, tampered with."""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.doors.book_files import Book, rows_of
from tests.doors.cli_files import run

BOOK = """\
time_zone: UTC
currency: EUR
sources:
  - files: "accounts*.csv"
    table: accounts
    columns: {account_id: id, dated: as_of, name: name, owner: csm, segment: tier}
  - files: "terms*.csv"
    table: subscriptions
    key: subscription_id
    columns: {subscription_id: line, account_id: id, started: from, ended: to, amount: {column: mrr, covers: month}}
"""
HEAD = "line,id,from,to,mrr"
GREW, LEFT, SHRANK = range(30), range(30, 50), range(50, 60)  # customers of 2025, by what became of them in 2026


def terms() -> list[str]:
    """Sixty customers of 2025; thirty renew at more, ten at less, twenty leave."""
    first = [f"{n}-1,C{n},2025-01-01,2025-12-31,{50 if n in SHRANK else 100}" for n in range(60)]
    grown = [f"{n}-2,C{n},2026-01-01,2026-12-31,120" for n in GREW]
    shrunk = [f"{n}-2,C{n},2026-01-01,2026-12-31,40" for n in SHRANK]
    return [HEAD, *first, *grown, *shrunk]


def accounts() -> list[str]:
    tier = {n: "=Small" if n % 2 else "Large" for n in range(60)}
    return ["id,as_of,name,csm,tier", *(f"C{n},2025-01-01,Customer No {n},Rosalind Franklin,{tier[n]}" for n in range(60))]


@pytest.fixture
def book(tmp_path: Path) -> Book:
    made = Book(tmp_path)
    assert run("init", made.folder).code == 0
    (made.folder / "book.yml").write_text(BOOK, encoding="utf-8")
    loaded = made.load(made.export("accounts.csv", accounts()), made.export("terms.csv", terms()))
    assert loaded.code == 0, loaded.err
    return made


def measured(book: Book, *options: str) -> dict[str, Any]:
    ran = book.run("retention", "--as-of", "2026-02-15", "--json", *options)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def value(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one["value"] for one in document["figures"] if one["name"] == name)


def entry(document: dict[str, Any]) -> int:
    return int(document["entry"].partition(":")[0])


def recomputed(book: Book, address: str) -> tuple[int, dict[str, Any]]:
    ran = book.run("recompute", address, "--json")
    return ran.code, json.loads(ran.out)


def test_the_rates_are_those_worked_out_by_hand(book: Book) -> None:
    document = measured(book)
    opening = 30 * 1200 + 20 * 1200 + 10 * 600
    assert value(document, "grr/2026-01")["point"] == pytest.approx((30 * 1200 + 10 * 480) / opening, abs=1e-12)
    assert value(document, "nrr/2026-01")["point"] == pytest.approx((30 * 1440 + 10 * 480) / opening, abs=1e-12)
    assert value(document, "logo/2026-01")["point"] == pytest.approx(40 / 60, abs=1e-12)
    month = {
        name: value(document, f"arr.{name}/2026-01")["amount"]
        for name in ("opening", "new", "expansion", "contraction", "churn", "closing")
    }
    assert month == {
        "opening": "66000.0000", "new": "0.0000", "expansion": "7200.0000", "contraction": "1200.0000", "churn": "24000.0000",
        "closing": "48000.0000",
    }  # fmt: skip


def test_the_same_question_of_the_same_book_is_one_entry(book: Book) -> None:
    assert entry(measured(book)) == entry(measured(book))
    assert entry(measured(book, "--by", "segment")) != entry(measured(book))


def test_a_figure_opens_to_rows_that_sum_to_it_with_a_manifest_that_fits(book: Book, tmp_path: Path) -> None:
    number = entry(measured(book, "--by", "segment"))
    rows = tmp_path / "rows.csv"
    assert book.run("why", f"{number}/arr.churn/2026-01", "--rows", rows).code == 0
    assert sum(float(row["amount"]) for row in rows_of(rows)) == 24000
    assert {row["account_id"] for row in rows_of(rows)} == {f"C{n}" for n in LEFT}
    manifest = json.loads((tmp_path / "rows.manifest.json").read_text())
    assert manifest["csv"]["sha256"] == hashlib.sha256(rows.read_bytes()).hexdigest()
    assert manifest["csv"]["rows"] == manifest["n_rows"] == 20
    shown = book.run("why", f"{number}/grr/2026-01/segment%3D=Small", "--rows", rows)
    assert shown.code == 2
    assert "no figure" in shown.err


def test_figures_as_csv_cannot_run_in_a_spreadsheet(book: Book, tmp_path: Path) -> None:
    file = tmp_path / "figures.csv"
    document = measured(book, "--by", "segment", "--csv", str(file))
    with file.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == len(document["figures"])
    assert not [cell for row in rows for cell in row.values() if cell[:1] in ("=", "+", "@")]
    assert json.loads((tmp_path / "figures.manifest.json").read_text())["entry"] == document["entry"]


def test_a_figure_is_the_same_to_the_byte_after_loads_corrections_late_rows_compaction_and_a_new_definition(book: Book) -> None:
    number = entry(measured(book, "--by", "segment"))
    book.export("terms-late.csv", [HEAD, "60-1,C60,2025-01-01,2026-12-31,500", "0-2,C0,2026-01-01,2026-12-31,1"])
    assert book.load(book.exports / "terms-late.csv").code == 0
    assert book.run("compact", "--keep-days", "0").code == 0
    rules = book.folder / "retention.yml"
    rules.write_text(rules.read_text().replace("window_months: 12", "window_months: 6"))
    assert value(measured(book), "arr.opening/2026-01")["amount"] == "72000.0000"
    code, again = recomputed(book, str(number))
    assert (code, again["verdict"], again["then"]) == (0, "same", {})
    assert again["compared"] > 50


def test_both_definitions_are_shown_side_by_side(book: Book) -> None:
    measured(book)
    rules = book.folder / "retention.yml"
    rules.write_text(rules.read_text().replace("window_months: 12", "window_months: 6"))
    both = measured(book, "--beside", "previous")
    told = [value(document, "grr/2025-08").get("point") for document in (both, both["beside"])]
    assert told == [1.0, None], "a window of six months closes before one of twelve does"
    assert both["definition"]["sha256"] != both["beside"]["definition"]["sha256"]
    shown = book.run("retention", "--as-of", "2026-02-15", "--beside", "previous").out
    assert "two definitions" in shown
    refused = book.run("retention", "--beside", "0123")
    assert (refused.code, "no one earlier" in refused.err) == (2, True)


def test_an_erased_account_makes_its_figures_not_recomputable_and_says_by_which_entry(book: Book) -> None:
    number = entry(measured(book))
    assert book.run("erase", "--account", "C31", "--yes").code == 0
    code, churn = recomputed(book, f"{number}/arr.churn/2026-01")
    assert (code, churn["verdict"]) == (3, "erased")
    kinds = {one["seq"]: one["kind"] for one in json.loads(book.run("ledger", "show", "--json").out)}
    assert [kinds[seq] for seq in churn["erased"]] == ["erasure"]
    assert f"entry {churn['erased'][0]}" in book.run("recompute", f"{number}/arr.churn/2026-01").out.replace("entries", "entry")
    code, grown = recomputed(book, f"{number}/arr.expansion/2026-01")
    assert (code, grown["verdict"]) == (0, "same"), "a figure that the erased rows did not touch is as it was"


def test_the_ledger_holds_no_personal_data(book: Book) -> None:
    measured(book, "--by", "owner")
    assert book.run("erase", "--account", "C31", "--reference", "request 12", "--yes").code == 0
    told = "".join(json.dumps(one["body"]) for one in json.loads(book.run("ledger", "show", "--json").out) if one["kind"] != "definition")
    assert not [word for word in ("Rosalind", "Franklin", "Customer No", "C31", "accounts.csv", "terms.csv") if word in told]


@pytest.fixture
def published(book: Book) -> tuple[Book, dict[str, Any]]:
    return book, measured(book)


def verified(book: Book, *options: str) -> tuple[int, dict[str, Any]]:
    ran = book.run("ledger", "verify", "--json", *options)
    return ran.code, json.loads(ran.out)


def test_an_untouched_book_verifies_with_the_anchor_of_a_report(published: tuple[Book, dict[str, Any]]) -> None:
    book, document = published
    code, found = verified(book, "--all", "--anchor", document["entry"])
    assert (code, found["clean"], found["head"]) == (0, True, document["entry"])


def test_one_changed_byte_in_a_data_file_is_found(published: tuple[Book, dict[str, Any]]) -> None:
    book, _ = published
    file = next(
        path for path in (book.folder / "warehouse").rglob("*.parquet") if "subscriptions" in str(path) and ".staging" not in str(path)
    )
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.chmod(0o644)
    file.write_bytes(bytes(content))
    code, found = verified(book)
    assert code == 3
    assert [fault for fault in found["faults"] if file.name in fault["where"] + fault["message"]]


def tamper(book: Book, *statements: str) -> None:
    """Change the catalogue as somebody with a database tool would, triggers and all."""
    with sqlite3.connect(book.folder / "warehouse" / "catalog.db") as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            assert connection.execute(statement).rowcount > 0
    connection.close()


def test_an_edited_ledger_line_is_named(published: tuple[Book, dict[str, Any]]) -> None:
    book, _ = published
    tamper(book, "UPDATE ledger SET body = replace(body, '\"new\":60', '\"new\":61') || ' ' WHERE seq = 3")
    code, found = verified(book)
    assert code == 3
    assert [(one["entry"], one["kind"]) for one in found["breaks"]][:1] == [(3, "edited")]


def test_a_ledger_cut_short_is_found_by_the_head_beside_it(published: tuple[Book, dict[str, Any]]) -> None:
    book, document = published
    tamper(book, "DELETE FROM publications", f"DELETE FROM ledger WHERE seq = {entry(document)}")
    code, found = verified(book)
    assert code == 3
    assert "truncated" in {one["kind"] for one in found["breaks"]}


def test_a_manifest_that_names_another_file_is_found(published: tuple[Book, dict[str, Any]]) -> None:
    book, _ = published
    tamper(book, "UPDATE files SET sha256 = '" + "0" * 64 + "' WHERE id = (SELECT min(id) FROM files)")
    code, found = verified(book)
    assert code == 3
    assert found["faults"]

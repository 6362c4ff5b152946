"""Figures whose rows were erased since: named as such with every erasure that could have changed them, and never mistaken for edits."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.doors.book_files import Book
from tests.doors.cli_files import run

BOOK = """\
sources:
  - files: "terms*.csv"
    table: subscriptions
    key: subscription_id
    columns: {subscription_id: line, account_id: id, started: from, ended: to, amount: {column: mrr, covers: month}}
"""


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """Four accounts of 2025; the last one came in a file of its own."""
    made = Book(tmp_path)
    assert run("init", made.folder).code == 0
    (made.folder / "book.yml").write_text(BOOK, encoding="utf-8")
    for name, numbers in (("terms-1.csv", range(3)), ("terms-2.csv", range(3, 4))):
        lines = [f"{n}-1,customer-{n},2025-01-01,2025-12-31,{100 + n}" for n in numbers]
        loaded = made.load(made.export(name, ["line,id,from,to,mrr", *lines]))
        assert loaded.code == 0, loaded.err
    return made


def published(book: Book, *options: str) -> str:
    ran = book.run("retention", "--as-of", "2026-02-15", "--json", *options)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)["entry"].partition(":")[0]


def recomputed(book: Book, address: str) -> tuple[int, dict[str, Any]]:
    ran = book.run("recompute", address, "--json")
    return ran.code, json.loads(ran.out)


def erase(book: Book, account: str) -> int:
    assert book.run("erase", "--account", account, "--yes").code == 0
    recorded = json.loads(book.run("ledger", "show", "--kind", "erasure", "--json").out)
    return max(entry["seq"] for entry in recorded if "replaced" in entry["body"])


def test_an_erasure_that_left_nothing_of_a_file_is_named(book: Book) -> None:
    address = published(book)
    erasure = erase(book, "customer-3")
    code, answer = recomputed(book, address)
    assert (code, answer["verdict"], answer["erased"]) == (3, "erased", [erasure])
    assert f"ledger entry {erasure}" in book.run("recompute", address).out


def test_every_erasure_since_is_named_and_none_before_the_figures_were_published(book: Book) -> None:
    before = published(book)
    first = erase(book, "customer-0")
    between = published(book, "--version", "2")
    assert recomputed(book, between)[1]["verdict"] == "same" and recomputed(book, between)[1]["erased"] == []
    second = erase(book, "customer-1")
    assert recomputed(book, before)[1]["erased"] == [first, second]
    assert recomputed(book, between)[1]["erased"] == [second]


def test_figures_of_which_no_row_is_left_are_not_recomputable(book: Book) -> None:
    address = published(book)
    erasures = [erase(book, f"customer-{n}") for n in range(4)]
    code, answer = recomputed(book, address)
    assert (code, answer["verdict"], answer["erased"]) == (3, "erased", erasures)


def test_a_published_document_edited_in_the_catalogue_is_neither_opened_nor_computed_again(book: Book) -> None:
    address = published(book)
    with sqlite3.connect(book.folder / "warehouse/catalog.db") as catalog:
        catalog.execute("UPDATE publications SET document = replace(document, 'ORDER BY account_id', 'ORDER BY account_id ')")
    for command in ("why", "recompute"):
        refused = book.run(command, address)
        assert refused.code not in (0, 3) and f"the published document of ledger entry {address} is not the one" in refused.err
    assert book.run("ledger", "verify").code == 3


def test_a_catalogue_that_cannot_be_read_any_more_is_a_finding_of_verifying(book: Book) -> None:
    with sqlite3.connect(book.folder / "warehouse/catalog.db") as catalog:
        catalog.execute("UPDATE table_versions SET layout = '{'")
    verified = book.run("ledger", "verify")
    assert verified.code == 3 and "the catalogue is damaged" in verified.out


def test_load_and_undo_leave_a_catalogue_that_the_ledger_confirms(book: Book) -> None:
    assert book.run("undo").code == 0
    loaded = book.load(
        book.export(
            "terms-3.csv",
            [
                "line,id,from,to,mrr",
                "9-1,customer-9,2025-01-01,2025-12-31,7",
                "9-1,customer-9,2025-01-01,2025-12-31,8",
                "9-2,customer-9,2026-01-01,,7",
            ],
        )
    )
    assert loaded.code in (0, 3), loaded.err
    verified = book.run("ledger", "verify", "--all")
    assert verified.code == 0, verified.out


@pytest.mark.parametrize("number", ["99999999999999999999", "²", "1_0", "0x1"])
def test_a_number_that_no_entry_has_is_refused_in_words(book: Book, number: str) -> None:
    for arguments in (("why", number), ("recompute", f"{number}/grr/2026-01")):
        refused = book.run(*arguments)
        assert refused.code == 2 and "is not the address of a figure" in refused.err


def test_a_version_or_entry_beyond_any_number_of_the_catalogue_is_not_there(book: Book) -> None:
    beyond = str(10**20)
    assert "there is no book version" in book.run("retention", "--version", beyond).err
    assert json.loads(book.run("ledger", "show", "--from", beyond, "--json").out) == []

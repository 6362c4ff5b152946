"""An erasure in a book whose versions disagree about columns, and of an id so plain that it stands elsewhere by chance."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from tests.unit.warehouse import books
from tests.unit.warehouse.books import START, Row, add_load, instant, new_book
from unspun.engines.embedded import connect
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.erase import Subject, erase
from unspun.warehouse.load_commit import DEFINITION_NAME
from unspun.warehouse.read import open_book, spill_folder
from unspun.warehouse.undo import undo
from unspun.warehouse.verify import verify_files

LATER = START + timedelta(days=50)
GONE, STAYS = "acme-7f3a91", "globex-22"
BOOK = """\
sources:
  - files: "terms*.csv"
    table: subscriptions
    columns: {account_id: "cust/omer ~\\"id\\"", started: from, amount: {column: paid, covers: year}}
"""


def at(day: float, **values: object) -> Row:
    return {"happened_at": instant(day), "known_at": instant(day), "happened_zone": "UTC", **values}


def cells(catalog: Catalog, version: int, column: str) -> dict[str, object]:
    with open_book(catalog, catalog.version(version)) as reader:
        return {row["account_id"]: row[column] for row in reader.query("FROM accounts_versions").to_pylist()}


def with_columns(monkeypatch: pytest.MonkeyPatch, **kinds: str | None) -> None:
    """Accounts of the loads to come have these kinds of columns; None: the column is not there."""
    columns = tuple((name, kinds.get(name, kind)) for name, kind in books.DATA["accounts"])
    monkeypatch.setitem(books.DATA, "accounts", tuple(column for column in columns if column[1] is not None))


def test_a_column_that_only_a_load_since_undone_had_is_left_in_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = new_book(tmp_path)
    with monkeypatch.context() as patch:
        with_columns(patch, plan=None)
        add_load(catalog, {"accounts": [at(1, account_id="first")]})
    add_load(catalog, {"accounts": [at(2, account_id=GONE, plan="gold"), at(2, account_id=STAYS, plan="iron")]})
    undo(catalog, LATER)
    erase(catalog, Subject("account", GONE), LATER)
    assert cells(catalog, 2, "plan") == {"first": None, STAYS: "iron"} and verify_files(catalog, "all") == ()


def test_a_column_loaded_as_another_kind_undone_and_loaded_again_is_erased_in_both_and_read_by_delta(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = new_book(tmp_path)
    with monkeypatch.context() as patch:
        with_columns(patch, seats="text")
        add_load(catalog, {"accounts": [at(1, account_id=GONE, seats="many"), at(1, account_id=STAYS, seats="7 or so")]})
        undo(catalog, LATER)
    last = add_load(catalog, {"accounts": [at(1, account_id=GONE, seats=3), at(1, account_id=STAYS, seats=4)]})
    table = last.table("accounts")
    assert table is not None
    stored = DeltaTable(catalog.folder / "tables/accounts", version=table.delta_version).to_pyarrow_table()
    assert dict(zip(stored["account_id"].to_pylist(), stored["seats"].to_pylist(), strict=True)) == {GONE: 3, STAYS: 4}
    result = erase(catalog, Subject("account", GONE), LATER)
    assert result.rows == (("accounts", 2),) and result.files_replaced == 2
    assert cells(catalog, 1, "seats") == {STAYS: "7 or so"} and cells(catalog, last.version, "seats") == {STAYS: 4}
    assert verify_files(catalog, "all") == ()


def rejected(table: str, **named: str) -> Row:
    return {"table": table, "code": "no_date", "reason": "not a date", "column": "from", "value": "12", "cells": json.dumps(named)}


def test_rejected_rows_of_others_that_hold_a_plain_id_by_chance_stay_where_the_columns_of_ids_are_known(tmp_path: Path) -> None:
    catalog = new_book(tmp_path)
    header = 'cust/omer ~"id"'
    theirs = [rejected("subscriptions", **{header: " 12 ", "paid": "5"}), rejected("events", **{"": "x;12;broken"})]
    others = [
        rejected("subscriptions", **{header: "7", "paid": "12"}),
        rejected("events", **{header: "12"}),  # of events, no column is known to be an id
        rejected("events", **{"": "x;2012;a12;broken"}),
    ]
    add_load(catalog, {"rejected": [*theirs, *others]})
    catalog.record_definition(DEFINITION_NAME, BOOK, LATER)
    assert erase(catalog, Subject("account", "12"), LATER).rows == (("rejected", 2),)
    with open_book(catalog, catalog.version(2)) as reader:
        assert [json.loads(row["cells"]) for row in reader.query("FROM rejected").to_pylist()] == [json.loads(r["cells"]) for r in others]


def test_published_documents_that_hold_a_plain_id_by_chance_stay_and_those_that_name_a_group_by_it_go(tmp_path: Path) -> None:
    catalog = new_book(tmp_path)
    add_load(catalog, {"events": [at(1, account_id="12"), at(1, account_id="7")]})
    by_chance = {"question": {"months": "12"}, "figures": [{"name": "grr/2026-12", "label": "GRR over 12 months", "value": "12"}]}
    named = {"figures": [{"name": "grr/2026-12/parent_id=12/currency=EUR", "label": "GRR", "value": "1"}]}
    entries = [catalog.add_publication({"book_version": 1}, json.dumps(held), LATER).seq for held in (by_chance, named)]
    assert erase(catalog, Subject("account", "12"), LATER).publications == (entries[1],)
    assert catalog.publication(entries[0]).document == json.dumps(by_chance)


def test_what_a_killed_process_spilled_is_gone_before_the_next_command_writes(tmp_path: Path) -> None:
    catalog = new_book(tmp_path)
    add_load(catalog, {"events": [at(1, account_id=GONE)]})
    spill = spill_folder(catalog)
    dead = spill / "999999999-ab"
    dead.mkdir(parents=True)
    (dead / "part.tmp").write_text(GONE)
    with connect("500MB", spill) as connection:
        live = Path(str(connection.execute("SELECT current_setting('temp_directory')").fetchall()[0][0]))
        live.mkdir(exist_ok=True)
        undo(catalog, LATER)
        assert live.exists() and not dead.exists()

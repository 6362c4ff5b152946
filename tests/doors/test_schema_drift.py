"""An analyst loads month after month of one export, and is told what its columns have otherwise than the month before."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.doors.book_files import Book, empty_book
from tests.unit.book.drift.profiles import terms
from unspun.app.drift import latest_drift
from unspun.app.loads import LoadRequest, load, plan_load
from unspun.app.workspace import open_workspace
from unspun.book.checks.drift import CHECKS
from unspun.book.checks.run import run_checks
from unspun.book.checks.shape import BookShape, TableShape
from unspun.warehouse.erase import Subject, erase

BOOK_YML = """\
time_zone: UTC
currency: EUR
sources:
  - files: "terms*.csv"
    table: subscriptions
    columns:
      subscription_id: line
      account_id: id
      started: from
      amount: {column: mrr, covers: month}
      product: plan
      auto: {column: auto, kind: flag}
    ignore: [csm, region]
"""
Terms = dict[str, list[str]]
ROWS = 240


def _lines(cells: Terms) -> list[str]:
    return [",".join(cells), *(",".join(row) for row in zip(*cells.values(), strict=True))]


def _called(old: str, new: str, cells: Terms) -> Terms:
    return {new if name == old else name: column for name, column in cells.items()}


def _without_plans(cells: Terms) -> Terms:
    return cells | {"plan": [""] * ROWS}


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """A book with the first month in it."""
    made = empty_book(tmp_path)
    (made.folder / "book.yml").write_text(BOOK_YML, encoding="utf-8")
    first = made.load(made.export("terms-1.csv", _lines(terms(1))))
    assert first.code == 0 and "Changed since" not in first.out
    return made


def _load(book: Book, month: int, change: Callable[[Terms], Terms] = lambda cells: cells, *options: str) -> Any:
    ran = book.load(book.export(f"terms-{month}.csv", _lines(change(terms(month)))), "--json", *options)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)["drift"]


def test_a_month_like_the_one_before_says_nothing(book: Book) -> None:
    assert _load(book, 2) == []
    shown = book.load(book.export("terms-3.csv", _lines(terms(3))))
    assert shown.code == 0 and "Changed since" not in shown.out


def test_a_mapped_column_that_is_renamed_is_refused_with_its_new_name_and_the_line_to_change(book: Book) -> None:
    before = book.contents()
    ran = book.load(book.export("terms-2.csv", _lines(_called("mrr", "mrr_usd", terms(2)))))
    assert ran.code == 2 and "Was 'mrr' renamed to 'mrr_usd' since load 1 (" in ran.err
    assert "write 'mrr_usd' for 'mrr' in book.yml:10." in ran.err and "amount: {column: mrr" in BOOK_YML.splitlines()[9]
    assert book.contents() == before
    (book.folder / "book.yml").write_text(BOOK_YML.replace("column: mrr,", "column: mrr_usd,"), encoding="utf-8")
    (finding,) = _load(book, 2, lambda cells: _called("mrr", "mrr_usd", cells))
    assert finding["severity"] == "note" and finding["facts"]["renamed_to"] == "mrr_usd" and "reads the new name already" in finding["mend"]


def test_a_mapped_column_that_is_gone_without_a_likely_heir_is_said_to_be(book: Book) -> None:
    ran = book.load(book.export("terms-2.csv", _lines({name: column for name, column in terms(2).items() if name != "plan"})))
    assert ran.code == 2 and "'plan' was there in load 1, and no new column is like it." in ran.err


def test_a_column_that_can_no_longer_be_read_is_refused_with_the_change_as_the_cause(book: Book) -> None:
    ran = book.load(book.export("terms-2.csv", _lines(terms(2) | {"mrr": ["on request"] * ROWS})))
    assert ran.code == 2 and "Since load 1, column 'mrr' (which is amount) held numbers and holds words." in ran.err


def test_a_new_column_is_named_with_what_it_might_be(book: Book) -> None:
    (finding,) = _load(book, 2, lambda cells: cells | {"product name": ["x"] * ROWS})
    assert finding["facts"]["change"] == "added" and "By its name it could be product" in finding["mend"]


def test_a_flag_with_a_new_word_names_it_and_what_book_yml_could_say(book: Book) -> None:
    path = book.export("terms-2.csv", _lines(terms(2) | {"auto": ["maybe"] * 10 + ["yes", "no"] * (ROWS // 2 - 5)}))
    ran = book.load(path)
    text = " ".join(ran.out.split())
    assert ran.code == 0 and "10 rejected: neither yes nor no" in text
    assert "! Warning in subscriptions: since load 1, column 'auto' has new words: 'maybe' (10 rows)." in text
    assert "under auto: words: {'maybe': ...}" in text


def test_a_dry_run_shows_the_drift_and_keeps_nothing(book: Book) -> None:
    (dry,) = _load(book, 2, _without_plans, "--dry-run")
    assert dry["severity"] == "warning" and dry["id"] == "schema_drift/subscriptions/plan/emptied"
    (real,) = _load(book, 2, _without_plans)
    assert real["message"] == dry["message"] and real["id"] == "schema_drift/subscriptions/plan/emptied/load-2"


def test_a_load_that_was_undone_does_not_count(book: Book) -> None:
    assert len(_load(book, 2, _without_plans)) == 1
    assert book.run("undo").code == 0
    assert _load(book, 3) == []
    assert len(_load(book, 4, _without_plans)) == 1


def test_the_drift_of_the_last_load_is_shown_by_the_check_until_the_next_is_alike(book: Book) -> None:
    def found(version: int | None = None) -> list[str]:
        workspace = open_workspace(book.folder)
        with workspace.catalog() as catalog:
            drift = latest_drift(catalog, version)
        shape = BookShape({"subscriptions": TableShape("subscriptions", 1, {})}, workspace.definition(), datetime.now(UTC), drift)
        (outcome,) = run_checks(shape, CHECKS, lambda sql: pytest.fail(sql), lambda *_: None, lambda *_: None)
        return [finding.id for finding in outcome.findings]

    assert found() == []
    _load(book, 2, _without_plans)
    assert found() == ["schema_drift/subscriptions/plan/emptied/load-2"]
    _load(book, 3, _without_plans)
    assert found() == [] and found(2) == ["schema_drift/subscriptions/plan/emptied/load-2"]


def test_the_rows_of_a_finding_can_be_asked_of_the_book(book: Book) -> None:
    from unspun.warehouse.read import open_book

    workspace = open_workspace(book.folder)
    for month, change in ((2, {"plan": ["it's new", "pro"] * (ROWS // 2)}), (3, {"plan": [""] * ROWS})):
        _load(book, month, lambda cells, change=change: cells | change)
        with workspace.catalog() as catalog:
            version, findings = catalog.current(), latest_drift(catalog)
            assert version is not None and findings
            with open_book(catalog, version, None, "500MB") as reader:
                assert all(reader.query(finding.rows_sql).num_rows for finding in findings)


def test_an_erasure_takes_an_id_out_of_the_words_that_are_kept(book: Book) -> None:
    workspace = open_workspace(book.folder)
    with workspace.catalog() as catalog:
        assert b'"basic"' in catalog.path.read_bytes() + catalog.path.with_name("catalog.db-wal").read_bytes()
        result = erase(catalog, Subject("account", "basic"), datetime.now(UTC))
        assert result.words == 1
    assert all(b'"basic"' not in path.read_bytes() for path in workspace.warehouse.glob("catalog.db*"))


def test_mended_rows_are_not_compared_with_the_export(book: Book) -> None:
    _load(book, 2, lambda cells: cells | {"auto": ["maybe"] * 9 + ["no"] * (ROWS - 9)})
    path = book.folder.parent / "rejected.csv"
    assert book.run("rejected", "--csv", path).code == 0
    path.write_text(path.read_text(encoding="utf-8").replace("maybe", "yes"), encoding="utf-8")
    ran = book.load(path, "--json")
    assert ran.code == 0 and json.loads(ran.out)["drift"] == []


def test_python_callers_get_findings(book: Book) -> None:
    workspace = open_workspace(book.folder)
    request = LoadRequest((str(book.export("terms-2.csv", _lines(terms(2) | {"plan": [""] * ROWS}))),))
    result = load(workspace, plan_load(workspace, request), request, datetime.now(UTC))
    assert [(one.table, one.severity, one.unit, one.count) for one in result.drift] == [("subscriptions", "warning", "files", 1)]

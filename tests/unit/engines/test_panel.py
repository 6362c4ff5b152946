"""Panels on DuckDB: the order of rows, what is left behind, and what is told on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import pyarrow as pa
import pytest

from tests.unit.metrics.lower.in_memory import MemoryBook, Row, held, memory_book, question_of, row
from unspun.engines import panel as engine
from unspun.engines.duckdb_panel import DuckDBPanel
from unspun.engines.panel import PANEL, plan_sql, run_panel
from unspun.metrics.asof import BeforeRenewals, Dates
from unspun.metrics.lower.panel import lower_panel
from unspun.metrics.lower.plan import PanelPlan
from unspun.metrics.nodes import Count, Ratio, Rows, Sum, ZScore
from unspun.metrics.question import PanelQuestion
from unspun.metrics.windows import Days

FIRST = date(2024, 1, 1)
DATES = Dates(tuple(FIRST + timedelta(days=n) for n in range(30, 60)))
METRICS = {
    "n": Count(Rows("touchpoints", window=Days(20))),
    "each": Ratio(Sum(Rows("touchpoints"), "minutes"), Count(Rows("touchpoints", window=Days(3)))),
    "z": ZScore(Count(Rows("touchpoints"))),
}
TABLES = {"accounts": held("accounts", ("account_id",)), "touchpoints": held("touchpoints")}
ACCOUNTS = [f"{name}{n}" for n in range(12) for name in ("é", "a", "Z", "10")]


def rows() -> dict[str, list[Row]]:
    touched = [(name, FIRST + timedelta(days=(7 * n + i) % 50)) for n, name in enumerate(ACCOUNTS) for i in range(n % 5)]
    return {
        "accounts": [{**row(FIRST), "account_id": name, "stated": ""} for name in ACCOUNTS],
        "touchpoints": [{**row(day, source_row=i), "account_id": name, "minutes": float(i)} for i, (name, day) in enumerate(touched)],
    }


@pytest.fixture
def question() -> PanelQuestion:
    return question_of(METRICS, TABLES, DATES)


@pytest.fixture
def book(question: PanelQuestion) -> Iterator[MemoryBook]:
    with memory_book(question, rows()) as opened:
        yield opened


def whole(book: MemoryBook, plan: PanelPlan) -> pa.Table:
    batches = list(run_panel(DuckDBPanel(book), plan, lambda _what, _done, _total: None))
    return pa.Table.from_batches(batches)


def test_rows_come_by_account_and_date_each_once(book: MemoryBook, question: PanelQuestion) -> None:
    table = whole(book, lower_panel(question))
    keys = list(zip(table.column("account_id").to_pylist(), table.column("as_of").to_pylist(), strict=True))
    assert keys == [(name, day) for name in sorted(ACCOUNTS) for day in DATES.dates]


class Backwards(MemoryBook):
    """A database that gives the rows of a query in another order, as any may that is not told one."""

    def query(self, sql: str, parameters: Sequence[object] = (), /) -> pa.Table:
        rows = super().query(sql, parameters)
        return rows.take(list(range(rows.num_rows))[::-1]) if "place" in rows.column_names else rows


def test_rows_come_in_their_order_whatever_that_of_the_engine_is(book: MemoryBook, question: PanelQuestion) -> None:
    plan = lower_panel(question)
    assert whole(Backwards(book.connection), plan).to_pylist() == whole(book, plan).to_pylist()


def test_slices_give_the_panel_that_one_query_gives(book: MemoryBook, question: PanelQuestion, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = lower_panel(question)
    at_once = whole(book, plan).to_pylist()
    monkeypatch.setattr(engine, "SLICE_ROWS", 97)
    assert whole(book, plan).to_pylist() == at_once
    for name, table in plan.inputs.items():
        book.register(name, table)
    for name, sql in plan_sql(DuckDBPanel(book), plan).items():
        if name != PANEL:
            book.query(f"CREATE TEMP TABLE {name} AS {sql}")
    assert book.query(plan_sql(DuckDBPanel(book), plan)[PANEL]).to_pylist() == at_once


def test_rows_before_renewals_come_by_account_date_and_due_day(book: MemoryBook) -> None:
    dues = tuple((name, FIRST + timedelta(days=days)) for name in ("a1", "Z3", "nobody") for days in (40, 70, 100))
    question = question_of(METRICS, TABLES, BeforeRenewals(dues, (60, 30, 0)))
    table = whole(book, lower_panel(question)).to_pylist()
    keys = [(one["account_id"], one["as_of"], one["due"], -one["horizon_days"]) for one in table]
    asked = [(name, due - timedelta(days=days), due, -days) for name, due in dues for days in (60, 30, 0)]
    assert keys == sorted(asked)


def test_no_table_is_left_behind(book: MemoryBook, question: PanelQuestion) -> None:
    before = book.table_names()
    whole(book, lower_panel(question))
    assert book.table_names() == before


def test_no_table_is_left_behind_where_reading_is_given_up(book: MemoryBook, question: PanelQuestion) -> None:
    before = book.table_names()
    batches = run_panel(DuckDBPanel(book), lower_panel(question), lambda _what, _done, _total: None)
    assert next(batches).num_rows > 0
    batches.close()
    assert book.table_names() == before


def test_tables_go_when_no_later_step_reads_them(book: MemoryBook, question: PanelQuestion) -> None:
    seen: list[int] = []
    plan = lower_panel(question)
    for _ in run_panel(DuckDBPanel(book), plan, lambda _what, _done, _total: seen.append(len(book.table_names()))):
        pass
    assert len(seen) == len(plan.steps) + 1
    assert max(seen) < len(plan.steps)


def test_progress_names_each_step_and_how_many_there_are(book: MemoryBook, question: PanelQuestion) -> None:
    told: list[tuple[str, int, int]] = []
    plan = lower_panel(question)
    list(run_panel(DuckDBPanel(book), plan, lambda what, done, total: told.append((what, done, total))))
    assert [done for _, done, _ in told] == list(range(len(plan.steps) + 1))
    assert all(what and total == len(plan.steps) + 1 for what, _, total in told)


def test_reasons_are_texts_by_number(book: MemoryBook, question: PanelQuestion) -> None:
    column = whole(book, lower_panel(question)).column("each__missing")
    assert column.type == pa.dictionary(pa.int8(), pa.string())
    assert set(column.to_pylist()) == {None, "zero_denominator"}


def test_a_book_without_accounts_gives_an_empty_panel_of_the_same_columns(question: PanelQuestion) -> None:
    with memory_book(question, {}) as empty:
        table = whole(empty, lower_panel(question))
    assert table.num_rows == 0
    assert table.column_names == ["account_id", "as_of", "n", "n__missing", "each", "each__missing", "z", "z__missing"]

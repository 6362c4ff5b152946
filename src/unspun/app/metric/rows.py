"""The rows behind one value of a metric, as SQL over a book in which its panel has been computed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from sqlglot import exp

from unspun.app.panel.basis import arr_rows_of
from unspun.app.panel.request import needs_arr
from unspun.app.panel.run import PreparedPanel
from unspun.book.entities import STATED, Kind
from unspun.book.sql_words import sql_name, sql_text
from unspun.engines.duckdb_panel import DIALECT
from unspun.metrics.conditions import AllOf, AnyOf, IsIn, Not, columns_of
from unspun.metrics.lower.conditions import condition_sql
from unspun.metrics.lower.expanded import Part
from unspun.metrics.lower.local_day import day_number, number
from unspun.metrics.lower.plan import Leaf
from unspun.metrics.lower.rows import rows_query
from unspun.metrics.lower.sources import ORDER, RECEIVED, Source, column_kind
from unspun.metrics.lower.states import fixed_values, states
from unspun.metrics.measure_nodes import columns_measured
from unspun.metrics.nodes import (
    OPEN_TABLES,
    Arr,
    Attribute,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    DaysToEnd,
    DaysToFirst,
    Funnel,
    LastValue,
    Measure,
    Open,
    Rows,
    Seats,
)
from unspun.metrics.question import PanelQuestion
from unspun.metrics.windows import SinceContractStart
from unspun.warehouse.read_sql import LATER

ARR_ROWS = "arr_rows"
NOT_SHOWN = ("contact_id", "dated")
"""Columns of contacts that say whom a statement is about and of when, and state nothing."""
BASE_TERMS = Open("subscriptions", Not(IsIn("is_addon", (True,))))
NO_ROWS = "SELECT NULL AS account_id WHERE false"


def register_inputs(panel: PreparedPanel, account: str) -> None:
    """Make known what the rows are looked up by: when loads were received and, where the metric needs ARR, the terms behind it."""
    panel.reader.register(RECEIVED, panel.plan.inputs[RECEIVED])
    if needs_arr(panel.question.metrics, panel.question.asked):
        panel.reader.register(ARR_ROWS, arr_rows_of(panel.basis, panel.reader, account))


def behind_sql(panel: PreparedPanel, leaf: Part, account: str) -> str:
    """The rows that count for a leaf: for its value to be computed of them again. No rows where the book has none of its table."""
    question, day, series = panel.question, panel.basis.dates[0], leaf.series
    if isinstance(series, Measure):
        return _measured(panel, series, leaf.shift_days, account, day)
    match series:
        case Open(table=table):
            return NO_ROWS if table not in question.tables else _open(question, series, leaf.shift_days, account, day)
        case Attribute(column):
            return _stated(panel, column, leaf.shift_days, account)
        case Seats():
            return _seats(panel, leaf.shift_days, account)
        case DaysToEnd():
            return NO_ROWS if "subscriptions" not in question.tables else _next_to_end(panel, leaf.shift_days, account)
        case Arr():
            return f"SELECT * FROM {ARR_ROWS} ORDER BY started, source_file, source_row"
        case _:
            return NO_ROWS


def _measured(panel: PreparedPanel, measure: Measure, shift_days: int, account: str, day: date) -> str:
    """The rows that fit; of a column those in which it is not empty; of the first and the last row that one."""
    if measure.rows.table not in panel.question.tables:
        return NO_ROWS
    contract = _contract(panel, account) if isinstance(measure.rows.window, SinceContractStart) else None
    if contract is None and isinstance(measure.rows.window, SinceContractStart):
        return NO_ROWS
    fitting = rows_query(panel.question, Leaf(_of_any_step(measure), shift_days), account, day, contract).sql(dialect=DIALECT)
    filled = " AND ".join(f"{sql_name(column)} IS NOT NULL" for column in columns_measured(measure))
    sql = f"SELECT * FROM ({fitting})" + (f" WHERE {filled}" if filled else "")
    ordered = ", ".join(ORDER)
    if isinstance(measure, LastValue | DaysSinceLast):
        return f"{sql} ORDER BY {', '.join(f'{name} DESC' for name in ORDER)} LIMIT 1"
    return f"{sql} ORDER BY {ordered}" + (" LIMIT 1" if isinstance(measure, DaysSinceFirst | DaysToFirst) else "")


def _of_any_step(measure: Measure) -> Measure:
    """A measure over the rows that may count: of a funnel those that fit any of its steps."""
    if not isinstance(measure, Funnel):
        return measure
    rows, steps = measure.rows, AnyOf(measure.steps)
    return replace(measure, rows=replace(rows, where=steps if rows.where is None else AllOf((rows.where, steps))))


def _contract(panel: PreparedPanel, account: str) -> date | None:
    """The first day of the account's current term: of the base terms that run, the one that began last. None where none runs."""
    if "subscriptions" not in panel.question.tables:
        return None
    running = _open(panel.question, BASE_TERMS, 0, account, panel.basis.dates[0])
    return panel.reader.query(f"SELECT max(started) AS first FROM ({running})")["first"][0].as_py()


def _next_to_end(panel: PreparedPanel, shift_days: int, account: str) -> str:
    """Of the base terms that run the one that ends first."""
    running = _open(panel.question, BASE_TERMS, shift_days, account, panel.basis.dates[0])
    return f"SELECT * FROM ({running}) ORDER BY ended NULLS LAST, {', '.join(ORDER)} LIMIT 1"


def _open(question: PanelQuestion, node: Open, shift_days: int, account: str, day: date) -> str:
    if node.table == "contacts":
        return _contacts(question, node, shift_days, account, day)
    rows = rows_query(question, Leaf(Count(Rows(node.table, node.where)), shift_days), account, day).sql(dialect=DIALECT)
    ends = OPEN_TABLES[node.table][1]
    zone = sql_text(question.time_zone)
    kind = question.tables[node.table].columns.get(ends, "day")
    end = f"CAST({ends} AT TIME ZONE {zone} AS DATE)" if kind == "instant" else ends
    inclusive = " + 1" if node.table == "subscriptions" and question.ends_inclusive else ""
    filled = f" AND {sql_name(node.column)} IS NOT NULL" if node.column else ""
    on = f"DATE '{day - timedelta(days=shift_days)}'"
    return f"SELECT * FROM ({rows}) WHERE ({ends} IS NULL OR {end}{inclusive} > {on}){filled} ORDER BY {', '.join(ORDER)}"


def _contacts(question: PanelQuestion, node: Open, shift_days: int, account: str, day: date) -> str:
    """The contacts that are with the account, each as it was stated last; no row of a file alone says so."""
    held = question.tables["contacts"]
    wanted: list[str] = ["account_id", *columns_of(node.where), *([node.column] if node.column else [])]
    wanted += [name for name in held.columns if name not in NOT_SHOWN]
    columns = tuple(dict.fromkeys(wanted))
    fixed = [name for name in columns if name in held.fixed]
    found = exp.select("i.thing AS thing").from_(states(question, "contacts", columns, shift_days).subquery("i", copy=False))
    if fixed:
        found = found.join(fixed_values(question, "contacts", fixed).subquery("held"), on="held.thing = i.thing", join_type="left")
    for i, name in enumerate(columns):
        cell = exp.column(f"c{fixed.index(name)}", table="held") if name in fixed else exp.column(f"c{i}", table="i")
        found = found.select(cell.as_(f"c{i}"))
    on = number(day_number(day))
    found = found.where(exp.LTE(this=exp.column("from_day"), expression=on), exp.GT(this=exp.column("until_day"), expression=on.copy()))
    kinds: dict[str, Kind] = {}
    for name in columns:
        kind = column_kind(question, "contacts", name)
        kinds[name] = "day" if kind == "instant" else kind
    cells = Source(found, columns, kinds, True)
    there = [exp.EQ(this=cells.cell("account_id"), expression=exp.Literal.string(account)), condition_sql(node.where, cells)]
    if node.column:
        there.append(cells.cell(node.column).is_(exp.null()).not_())
    shown = [cells.cell(name).as_(exp.to_identifier(name, quoted=True)) for name in columns if name not in NOT_SHOWN]
    picked = exp.select(exp.column("thing").as_("contact_id"), *shown).from_(found.subquery("contact_states")).where(*there)
    return picked.order_by("contact_id").sql(dialect=DIALECT)


def _stated(panel: PreparedPanel, column: str, shift_days: int, account: str) -> str:
    """The statement that gives a column of an account its value: the last by then; of a fixed column, the last ever that is not empty."""
    question, day = panel.question, panel.basis.dates[0]
    if "accounts" not in question.tables or column not in {*question.tables["accounts"].columns}:
        return NO_ROWS
    zone, name = sql_text(question.time_zone), sql_name(column)
    happened, known = (f"CAST({one} AT TIME ZONE {zone} AS DATE)" for one in ("happened_at", "known_at"))
    if column in question.tables["accounts"].fixed:
        which = f"{name} IS NOT NULL"
    else:
        on = day - timedelta(days=shift_days)
        which = (
            f"{happened} <= DATE '{on}' AND {known} <= DATE '{day}' AND contains(concat(',', {STATED[0]}, ','), {sql_text(f',{column},')})"
        )
    order = ", ".join(f"{one} DESC" for one in ("happened_at", *LATER))
    rows = f"SELECT account_id, {name}, * EXCLUDE (account_id, {name}) FROM accounts_versions"
    return f"{rows} WHERE account_id = {sql_text(account)} AND {which} ORDER BY {order} LIMIT 1"


def _seats(panel: PreparedPanel, shift_days: int, account: str) -> str:
    """The running terms that have seats; where there is none, the statement of the account's seats."""
    question = panel.question
    if "subscriptions" not in question.tables:
        return _stated(panel, "seats", shift_days, account)
    terms = _open(question, Open("subscriptions", column="seats"), shift_days, account, panel.basis.dates[0])
    by_account = "accounts" in question.tables and "seats" in question.tables["accounts"].columns
    if by_account and panel.reader.query(f"SELECT count(*) AS n FROM ({terms})")["n"][0].as_py() == 0:
        return _stated(panel, "seats", shift_days, account)
    return terms

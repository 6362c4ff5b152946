"""The rows behind one value: those that a measure counts for an account as of a date, as they could be read then."""

from __future__ import annotations

from datetime import date

from sqlglot import exp

from unspun.book.entities import TABLES
from unspun.metrics.lower.conditions import condition_sql
from unspun.metrics.lower.local_day import day_number, number
from unspun.metrics.lower.plan import Leaf
from unspun.metrics.lower.sources import ORDER, Source, source
from unspun.metrics.lower.windows_of import window_bounds
from unspun.metrics.question import PanelQuestion


def rows_query(question: PanelQuestion, leaf: Leaf, account_id: str, as_of: date, contract: date | None = None) -> exp.Select:
    """The rows of the leaf's table that fit its condition and window: their `day` (unless a column is called so), the held columns by their
    names, and where each came from.

    Cells that could not be read yet are NULL; days are dates, instants instants. `contract` is the first day of a window since the
    contract's start. In the order in which the rows happened. Needs the inputs of the plan. Raises BadInput as `source` does.
    """
    measure = leaf.measure
    columns = tuple(dict.fromkeys([*question.tables[measure.rows.table].columns, *_standard(measure.rows.table)]))
    rows = source(question, measure.rows.table, columns, order=True)
    low, high = window_bounds(measure.rows.window, as_of, leaf.shift_days, question.fiscal_year_starts)
    low = day_number(contract) if low is None and contract is not None else low
    there = [
        exp.EQ(this=exp.column("account_id"), expression=exp.Literal.string(account_id)),
        exp.LTE(this=exp.column("day"), expression=number(high)),
        exp.LTE(this=exp.column("seen_from"), expression=number(day_number(as_of))),
        condition_sql(measure.rows.where, rows),
    ]
    if low is not None:
        there.append(exp.GTE(this=exp.column("day"), expression=number(low)))
    if rows.superseded:
        until = exp.column("seen_until")
        there.append(exp.or_(until.is_(exp.null()), exp.GT(this=until.copy(), expression=number(day_number(as_of)))))
    shown = [_shown(rows, name).as_(exp.to_identifier(name, quoted=True)) for name in columns if name not in ("account_id", *ORDER)]
    day = [] if "day" in columns else [_date(exp.column("day")).as_("day")]  # a column of the company's own goes before
    picked = [exp.column("account_id"), *day, *shown, *(exp.column(name) for name in ORDER)]
    found = exp.select(*picked).from_(rows.query.subquery("row_versions", copy=False)).where(*there)
    return found.order_by(*ORDER)


def _standard(table: str) -> tuple[str, ...]:
    entity = next(one for one in TABLES.values() if one.name == table)
    return tuple(column.name for column in entity.columns)


def _shown(rows: Source, column: str) -> exp.Expr:
    match rows.kinds[column]:
        case "day":
            return _date(rows.cell(column))
        case "instant":
            return exp.cast(exp.UnixToTime(this=rows.cell(column), scale=exp.UnixToTime.MICROS), "timestamptz")
        case _:
            return rows.cell(column)


def _date(day: exp.Expr) -> exp.Expr:
    return exp.cast(exp.DateAdd(this=exp.cast(exp.Literal.string("1970-01-01"), "date"), expression=day, unit=exp.var("day")), "date")

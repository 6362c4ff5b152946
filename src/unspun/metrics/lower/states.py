"""States: the attributes of accounts as they were stated last, and how many contacts, tickets and terms there are on a date.

Each gives rows `unit` and values, for the units that have any.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from unspun.book.entities import STATED, TABLES, Kind
from unspun.metrics.conditions import columns_of
from unspun.metrics.lower.conditions import condition_sql
from unspun.metrics.lower.local_day import number
from unspun.metrics.lower.sources import LATER, Source, column_kind, currency_of, day_sql, named, row_versions, source
from unspun.metrics.lower.terms import as_billionths, as_double
from unspun.metrics.lower.units import FOREVER, spread
from unspun.metrics.nodes import Open
from unspun.metrics.question import PanelQuestion

MIXED = "MIN(i.currency) <> MAX(i.currency) OR (COUNT(i.currency) > 0 AND COUNT(i.currency) < COUNT(i.amount))"


def attributes(question: PanelQuestion, columns: Sequence[str], shift_days: int) -> exp.Select:
    """`unit` and `c{i}`: the columns of accounts as stated last by `shift_days` before the as-of date; instants and days as INT."""
    fixed = [name for name in columns if name in question.tables["accounts"].fixed]
    dated = [name for name in columns if name not in fixed]
    if not fixed:
        return spread(states(question, "accounts", columns, shift_days), tuple(f"c{i}" for i in range(len(columns))))
    units = exp.select("u.unit AS unit").from_("units AS u")
    if dated:
        cells = tuple(f"c{i}" for i in range(len(dated)))
        stated = spread(states(question, "accounts", dated, shift_days), cells)
        units = units.join(stated.subquery("stated", copy=False), on="stated.unit = u.unit", join_type="left")
    if fixed:
        held = fixed_values(question, "accounts", fixed)
        units = units.join(held.subquery("held", copy=False), on="held.account_id = u.account_id", join_type="left")
    picked = [
        exp.column(f"c{(fixed if name in fixed else dated).index(name)}", table="held" if name in fixed else "stated").as_(f"c{i}")
        for i, name in enumerate(columns)
    ]
    return units.select(*picked, copy=False)


def states(question: PanelQuestion, table: str, columns: Sequence[str], shift_days: int) -> exp.Select:
    """What was stated last of each thing: `account_id` (of contacts: `thing`), `from_day`, `until_day` and `c{i}`, for the as-of dates in
    that time.

    A statement counts from when it was known, and from `shift_days` after it happened. Where several count, the last to happen does.
    """
    keys = [f"k{i}" for i in range(len(columns))]
    marks = [_last_that_states(name).as_(key) for name, key in zip(columns, keys, strict=True)]
    days = exp.select("thing", "from_day", *marks, copy=False).from_("statements").group_by("thing", "from_day")
    running = [f"MAX({key}) OVER (PARTITION BY thing ORDER BY from_day ROWS UNBOUNDED PRECEDING) AS {key}" for key in keys]
    until = f"COALESCE(LEAD(from_day) OVER (PARTITION BY thing ORDER BY from_day), {FOREVER}) AS until_day"
    last = exp.select("thing", "from_day", until, *running).from_("days")
    name = "account_id" if table == "accounts" else "thing"
    found = exp.select(f"l.thing AS {name}", "l.from_day AS from_day", "l.until_day AS until_day").from_("last_stated AS l")
    for i in range(len(columns)):
        found = found.select(f"s{i}.c{i} AS c{i}")
        found = found.join(f"statements AS s{i}", on=f"s{i}.thing = l.thing AND s{i}.r = l.k{i}", join_type="left")
    found = found.with_("statements", as_=_statements(question, table, columns, shift_days))
    return found.with_("days", as_=days).with_("last_stated", as_=last)


def fixed_values(question: PanelQuestion, table: str, columns: Sequence[str]) -> exp.Select:
    """The columns declared fixed, `c{i}`: of what was stated last of each instant, ever, the latest that is not empty."""
    rows = _statements(question, table, columns, 0, ever=True)
    name = "account_id" if table == "accounts" else "thing"
    instants = [
        exp.Window(this=_last_that_states(column), partition_by=[exp.column("thing"), exp.column("happened_at")]).as_(f"h{i}")
        for i, column in enumerate(columns)
    ]
    told = exp.select("ever.*", *instants, copy=False).from_("ever")
    keys = [f"MAX(CASE WHEN c{i} IS NOT NULL AND r = h{i} THEN r END) AS k{i}" for i in range(len(columns))]
    last = exp.select("thing", *keys).from_(told.subquery("told", copy=False)).group_by("thing")
    found = exp.select(f"l.thing AS {name}").from_("last_ever AS l")
    for i in range(len(columns)):
        found = found.select(f"s{i}.c{i} AS c{i}")
        found = found.join(f"ever AS s{i}", on=f"s{i}.thing = l.thing AND s{i}.r = l.k{i}", join_type="left")
    return found.with_("ever", as_=rows).with_("last_ever", as_=last)


def _statements(question: PanelQuestion, table: str, columns: Sequence[str], shift_days: int, ever: bool = False) -> exp.Select:
    """The statements about each thing, numbered in the order in which they count: `thing`, `from_day`, `r`, `stated` and `c{i}`."""
    held = question.tables[table]
    entity = next(one for one in TABLES.values() if one.name == table)
    thing = named((held.key or entity.key)[0])
    cells = [_state_cell(question, table, name).as_(f"c{i}") for i, name in enumerate(columns)]
    order = exp.Order(expressions=[exp.Ordered(this=named(name), nulls_first=False) for name in ("happened_at", *LATER)])
    rank = exp.Window(this=exp.RowNumber(), partition_by=[thing.copy()], order=order).as_("r")
    rows = row_versions(
        question, table, [thing.as_("thing"), named("happened_at"), rank, named(STATED[0]).as_("stated"), *cells], ever=ever, until=False
    )
    shifted = exp.Add(this=exp.column("day"), expression=number(shift_days))
    from_day = exp.Greatest(this=shifted, expressions=[exp.column("seen_from")], ignore_nulls=True).as_("from_day")
    kept = exp.select("thing", "happened_at", from_day, "r", "stated", *(f"c{i}" for i in range(len(columns))))
    return kept.from_(rows.subquery("row_versions", copy=False)).where("thing IS NOT NULL AND day IS NOT NULL")


def _state_cell(question: PanelQuestion, table: str, column: str) -> exp.Expr:
    kind = column_kind(question, table, column)
    return day_sql(question, column, kind) if kind in ("day", "instant") else named(column)


def _last_that_states(column: str) -> exp.Max:
    return exp.Max(this=exp.Case().when(_states(column), exp.column("r")))


def _states(column: str) -> exp.Expr:
    """Whether a statement states a column: `stated` lists it, between commas."""
    listed = exp.Concat(expressions=[exp.Literal.string(","), exp.column("stated"), exp.Literal.string(",")], safe=True, coalesce=False)
    return exp.Contains(this=listed, expression=exp.Literal.string(f",{column},"))


def open_rows(question: PanelQuestion, node: Open, shift_days: int) -> exp.Select:
    """`unit`, how many rows are open (`n`) and, where a column is added up, its sum (`total`) and how many have it (`filled`)."""
    if node.table == "contacts":
        return _summed(_contacts(question, node, shift_days), bool(node.column))
    return _summed(_open_intervals(question, node, shift_days), bool(node.column))


def _summed(intervals: exp.Select, summed: bool) -> exp.Select:
    """Opened and closed rows as steps up and down, added up over the days of an account, on the units."""
    values: list[exp.Expr | str] = ["COUNT(*) AS n"]
    if summed:
        total = as_double(exp.Sum(this=as_billionths(exp.column("amount", table="i"))))
        values += [total.as_("total"), "COUNT(i.amount) AS filled", f"{MIXED} AS is_mixed"]
    found = exp.select("u.unit AS unit", *values).from_(intervals.subquery("i", copy=False))
    on = "u.account_id = i.account_id AND u.day >= i.from_day AND u.day < i.until_day"
    return found.join("units AS u", on=on).group_by("u.unit")


def _open_intervals(question: PanelQuestion, node: Open, shift_days: int) -> exp.Select:
    """From when until when each row version counts as open: `account_id`, `from_day`, `until_day` and `amount`."""
    ends = "ended" if node.table == "subscriptions" else "closed"
    columns = _each_once(ends, *columns_of(node.where), *_amount_columns(question, node))
    rows = source(question, node.table, columns, exact=True)
    end = _term_end(question, rows) if node.table == "subscriptions" else rows.value(ends)
    begins, until = _interval(rows, end, shift_days)
    amount = _amount(question, node, rows)
    found = exp.select("account_id", begins.as_("from_day"), until.as_("until_day"), *amount)
    return found.from_(rows.query.subquery("row_versions", copy=False)).where(condition_sql(node.where, rows))


def term_ends(question: PanelQuestion, shift_days: int) -> exp.Select:
    """`unit`, and of the base terms that run `end_day`, the first day on which one runs no longer; FOREVER: all are open."""
    rows = source(question, "subscriptions", ("ended", "is_addon"), exact=True)
    end = _term_end(question, rows)
    begins, until = _interval(rows, end, shift_days)
    ends = exp.func("COALESCE", end.copy(), number(FOREVER)).as_("end_day")
    terms = exp.select("account_id", begins.as_("from_day"), until.as_("until_day"), ends)
    terms = terms.from_(rows.query.subquery("row_versions", copy=False))
    terms = terms.where(exp.not_(exp.func("COALESCE", rows.cell("is_addon"), exp.false())))
    found = exp.select("u.unit AS unit", "MIN(i.end_day) AS end_day").from_(terms.subquery("i", copy=False))
    on = "u.account_id = i.account_id AND u.day >= i.from_day AND u.day < i.until_day"
    return found.join("units AS u", on=on).group_by("u.unit")


def _term_end(question: PanelQuestion, rows: Source) -> exp.Expr:
    """The first day on which a term runs no longer; NULL: it is open."""
    end = rows.value("ended")
    return exp.Add(this=end, expression=number(1)) if question.ends_inclusive else end


def _interval(rows: Source, end: exp.Expr, shift_days: int) -> tuple[exp.Expr, exp.Expr]:
    """From which as-of date on a row version counts as open, and before which."""
    begins = exp.Greatest(
        this=exp.Add(this=exp.column("day"), expression=number(shift_days)), expressions=[exp.column("seen_from")], ignore_nulls=True
    )
    closes = exp.func("COALESCE", exp.Add(this=end.copy(), expression=number(shift_days)), number(FOREVER))
    seen = [exp.func("COALESCE", exp.column("seen_until"), number(FOREVER))] if rows.superseded else []
    return begins, exp.Least(this=closes, expressions=seen, ignore_nulls=True) if seen else closes


def _contacts(question: PanelQuestion, node: Open, shift_days: int) -> exp.Select:
    """From when until when each contact is with an account and fits the condition."""
    columns = _each_once("account_id", *columns_of(node.where), *_amount_columns(question, node))
    fixed = [name for name in columns if name in question.tables["contacts"].fixed]
    found = exp.select("i.from_day AS from_day", "i.until_day AS until_day")
    found = found.from_(states(question, "contacts", columns, shift_days).subquery("i", copy=False))
    if fixed:
        held = fixed_values(question, "contacts", fixed).subquery("held", copy=False)
        found = found.join(held, on="held.thing = i.thing", join_type="left")
    for i, name in enumerate(columns):
        cell = exp.column(f"c{fixed.index(name)}", table="held") if name in fixed else exp.column(f"c{i}", table="i")
        found = found.select(cell.as_(f"c{i}"))
    kinds: dict[str, Kind] = {}
    for name in columns:
        kind = column_kind(question, "contacts", name)
        kinds[name] = "day" if kind == "instant" else kind  # in states instants are days already
    cells = Source(found, columns, kinds, True)
    amount = _amount(question, node, cells)
    picked = exp.select(cells.cell("account_id").as_("account_id"), "from_day", "until_day", *amount)
    return picked.from_(found.subquery("contact_states", copy=False)).where(condition_sql(node.where, cells))


def _amount_columns(question: PanelQuestion, node: Open) -> tuple[str, ...]:
    return (node.column, currency_of(question, node.table, node.column) or "") if node.column else ()


def _amount(question: PanelQuestion, node: Open, cells: Source) -> list[exp.Expr]:
    """What is added up of a row, and in which currency it is where that is told."""
    if not node.column:
        return []
    currency, amount = currency_of(question, node.table, node.column), cells.cell(node.column)
    told = exp.cast(exp.null(), "text") if currency is None else cells.cell(currency)
    return [amount.as_("amount"), exp.Case().when(amount.copy().is_(exp.null()).not_(), told).as_("currency")]


def _each_once(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))


def first_statement(question: PanelQuestion, table: str, shift_days: int) -> exp.Select:
    """From which as-of date on anything was stated of anybody: one row, `day`."""
    rows = _statements(question, table, (), shift_days)
    return exp.select("MIN(from_day) AS day").from_(rows.subquery("statements", copy=False))

"""What is kept of the rows of a table by account and day, and read in place of the rows.

Rows of one account that happened on one day and are seen from one day on lie in the same windows of every as-of date. So what they add up
to serves all dates and all windows, and depends on nothing but the rows themselves: it can be kept with the data file that holds them.
Each thing kept is a column, named by what it means; whatever else is kept beside it, it stays what it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property, lru_cache

from sqlglot import exp

from unspun.book.entities import TABLES, Kind
from unspun.metrics.asof import Dates
from unspun.metrics.conditions import Condition, columns_of
from unspun.metrics.lower.kept import Kept, kept_of, made_of_rows
from unspun.metrics.lower.local_day import number
from unspun.metrics.lower.plan import Leaf, Seen
from unspun.metrics.lower.sources import Source, column_kind, happened_day, rows_ever, source
from unspun.metrics.lower.terms import aggregate, last_by, when
from unspun.metrics.nodes import Measure
from unspun.metrics.question import PanelQuestion
from unspun.metrics.settled import settled_by

DAY_KEYS = ("account_id", "day", "seen_from")
APPEARED = "appeared"
"""The column that keeps when the first of the rows had happened and was known."""
SIGNED = Dates((date(2000, 1, 1),))
"""In place of the as-of dates, where only the meaning of a query counts."""
ORDER_TYPE = "struct(happened_at timestamptz, load bigint, source_file bigint, source_row bigint)"


@dataclass(frozen=True, slots=True)
class DayRows:
    """What is kept of a table by account and day, as measures read it in place of `rows`: `account_id`, `day`, `seen_from` and columns."""

    rows: Source
    query: exp.Select
    question: PanelQuestion
    table: str

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """The kinds of the columns that the measures read."""
        return self.rows.kinds

    @property
    def superseded(self) -> bool:
        """Whether a row may be seen only until a day."""
        return self.rows.superseded

    def fits(self, condition: Condition | None) -> exp.Expr:
        """Whether any of the rows fits."""
        return exp.true() if condition is None else exp.GT(this=self._cell(Kept("count", condition)), expression=number(0))

    def made(self, one: Kept) -> exp.Expr:
        """What is kept of the days of a pane together: what `made_of_rows` makes of their rows."""
        match one.kind:
            case "count" | "filled":
                return self._total(one)
            case "packed":
                return self._packed(one)
            case "sum":
                return aggregate(exp.Sum, self._cell(one))
            case "least" | "greatest" | "order":
                return aggregate(exp.Min if one.kind == "least" else exp.Max, self._cell(one))
            case "first" | "last":
                return aggregate(exp.Min if one.kind == "first" else exp.Max, self._where(one.where, exp.column("day")))
            case "days":
                return aggregate(exp.BitwiseOrAgg, self._where(one.where, exp.column("bit")))
            case "last_cell" | "last_day":
                picked = exp.column("day") if one.kind == "last_day" else self._cell(one)
                return last_by(picked, self._cell(Kept("order", one.where, one.column)))

    def _cell(self, one: Kept) -> exp.Column:
        return exp.column(column_name(self.question, self.table, one))

    def _where(self, condition: Condition | None, value: exp.Expr) -> exp.Expr:
        return value if condition is None else when(self.fits(condition), value)

    def _total(self, one: Kept) -> exp.Expr:
        return exp.cast(exp.func("COALESCE", aggregate(exp.Sum, self._cell(one)), number(0)), "bigint")

    def _packed(self, one: Kept) -> exp.Expr:
        """Each count in its lane."""
        lanes = [exp.cast(self._total(Kept("count", condition)), "int128") for condition in one.lanes]
        parts = [exp.Mul(this=lane, expression=exp.cast(number(1 << (n * one.bits)), "int128")) for n, lane in enumerate(lanes)]
        total: exp.Expr = parts[0]
        for part in parts[1:]:
            total = exp.Add(this=total, expression=part)
        return total


Rows = Source | DayRows


def made(one: Kept, rows: Rows) -> exp.Expr:
    """What is kept of a pane, as an aggregate of rows or of what is kept of them by day."""
    return rows.made(one) if isinstance(rows, DayRows) else made_of_rows(one, rows)


def rows_or_days(question: PanelQuestion, table: str, columns: Sequence[str], order: bool, kept: Iterable[Kept]) -> Rows:
    """The rows of a table or, where all that is wanted of them is kept by day, that."""
    rows, held = source(question, table, columns, order), question.kept.get(table)
    if held is None or not {column_name(question, table, one) for one in kept} <= held.columns:
        return rows
    query = exp.select("*").from_(exp.to_table(held.days)).where("NOT day IS NULL", copy=False)
    return DayRows(rows, query, question, table)


def day_columns(one: Kept) -> tuple[Kept, ...]:
    """What is kept by day, so that it can be made of that; days themselves need nothing, but that of a condition whether any row fits."""
    match one.kind:
        case "packed":
            return tuple(Kept("count", condition) for condition in one.lanes)
        case "first" | "last" | "days":
            return () if one.where is None else (Kept("count", one.where),)
        case "last_cell":
            return one, Kept("order", one.where, one.column)
        case "last_day":
            return (Kept("order", one.where, one.column),)
        case _:
            return (one,)


def kept_by_day(measures: Iterable[Measure]) -> tuple[Kept, ...]:
    """What is kept by day for some measures (of distinct counts nothing), each once."""
    return tuple(dict.fromkeys(column for one in measures for whole in kept_of(one) for column in day_columns(whole)))


def column_name(question: PanelQuestion, table: str, one: Kept) -> str:
    """The name of the column that keeps it: the hash of how it is made of rows."""
    return _name(one, tuple((name, column_kind(question, table, name)) for name in columns_read((one,))))


@lru_cache(maxsize=4096)
def _name(one: Kept, kinds: tuple[tuple[str, Kind], ...]) -> str:
    cells = Source(exp.select("1"), tuple(name for name, _ in kinds), dict(kinds), superseded=False)
    sql = _kept_by_day(one, cells).sql(dialect="duckdb")
    return f"k{hashed(f'{one.kind} {sql} {kinds}')}"


def columns_read(kept: Iterable[Kept]) -> tuple[str, ...]:
    """The columns of rows that are read for what is kept, in the order of their names."""
    return tuple(sorted({name for one in kept for name in (*columns_of(one.where), one.column) if name}))


def hashed(text: str) -> str:
    """Sixteen signs that stand for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _kept_by_day(one: Kept, rows: Source) -> exp.Expr:
    """It as a column: a row's place in the order under names, so that a file can hold it."""
    made_of = made_of_rows(one, rows)
    return exp.cast(made_of, ORDER_TYPE) if one.kind == "order" else made_of


# What may be kept


@dataclass(frozen=True)
class KeptDays:
    """What may be kept of the rows of a table by account and day."""

    question: PanelQuestion
    table: str
    kept: tuple[Kept, ...]
    name: str = "days"
    column: str = ""

    @cached_property
    def by_name(self) -> dict[str, Kept]:
        """What is kept, by the name of its column."""
        return {column_name(self.question, self.table, one): one for one in self.kept}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns, besides the keys."""
        return (APPEARED, *self.by_name)

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that the rows of what is kept are told apart by."""
        return DAY_KEYS

    @property
    def time_zone(self) -> str:
        """The zone in which its days are days."""
        return self.question.time_zone

    @property
    def columns_read(self) -> tuple[str, ...]:
        """The columns of rows that it is made of."""
        return columns_read(self.kept)

    @property
    def day(self) -> exp.Expr:
        """The day on which a row happened."""
        return happened_day(self.question, self.table)

    def meaning(self) -> str:
        """All that it depends on besides the rows and the rules of the time zone."""
        return meaning_of_rows(self.question, self.table)

    def is_kept_of(self, first: date, last: date) -> bool:
        """Whether it is worth to keep it of rows that happened from one day to another."""
        return True

    def query(self, columns: Sequence[str], first: date, last: date, known: date) -> exp.Select:
        """Some of the columns, by the keys, of the rows of a file, which happened from `first` to `last` and were known by `known`."""
        return self._by_day(columns, known, DAY_KEYS)

    def without(self, kept: str, days: str, columns: Sequence[str]) -> exp.Select:
        """What a table has in its columns but for some days of accounts: it is seen for good."""
        found = exp.select(*(exp.column(name, table="k") for name in (*DAY_KEYS, *columns)), "CAST(NULL AS INT) AS seen_until")
        on = "k.account_id = t.account_id AND k.day IS NOT DISTINCT FROM t.day"
        return found.from_(f"{kept} AS k").join(f"{days} AS t", on=on, join_type="anti")

    def of_versions(self, columns: Sequence[str], known: date) -> exp.Select:
        """Some of the columns, by the keys and until when they are seen, of rows that have several versions, known by `known`."""
        return self._by_day(columns, known, (*DAY_KEYS, "seen_until"))

    def _by_day(self, columns: Sequence[str], known: date, keys: Sequence[str]) -> exp.Select:
        wanted = [(name, self.by_name[name]) for name in columns if name != APPEARED]
        rows = rows_until(self.question, self.table, columns_read(one for _, one in wanted), known, versions="seen_until" in keys)
        found = exp.select(*keys).from_(rows.query.subquery("r", copy=False)).group_by(*keys)
        if APPEARED in columns:
            at = exp.Greatest(this=exp.column("happened_at"), expressions=[exp.column("known_at")], ignore_nulls=True)
            found = found.select(exp.Min(this=at).as_(APPEARED))
        return found.select(*(_kept_by_day(one, rows).as_(name) for name, one in wanted), copy=False)


def rows_until(question: PanelQuestion, table: str, columns: Sequence[str], last: date, versions: bool = False) -> Source:
    """All rows of a table; their local days are quickly told where they mostly were known by a day. `versions`: until when each is seen."""
    following = min(last, date.max - timedelta(days=2)) + timedelta(days=1)
    return rows_ever(replace(question, as_of=Dates((following,))), table, columns, versions)


def meaning_of_rows(question: PanelQuestion, table: str) -> str:
    """How rows of a table are read, as a text, but for the rules of the time zone."""
    rows = rows_ever(replace(question, as_of=SIGNED, time_zone="UTC"), table, ())
    return f"{rows.query.sql(dialect='duckdb')} {question.time_zone}"


def days_worth_keeping(question: PanelQuestion, leaves: Sequence[Leaf], seen: Sequence[Seen]) -> tuple[KeptDays, ...]:
    """What would serve the measures of a question, by table: of those whose cells nothing settles, and that are no statements about a state
    of which there are several."""
    found: list[KeptDays] = []
    for table in dict.fromkeys([*(leaf.measure.rows.table for leaf in leaves), *(one.table for one in seen)]):
        held, measures = question.tables.get(table), [leaf.measure for leaf in leaves if leaf.measure.rows.table == table]
        kept = kept_by_day(measures)
        if held is not None and not (held.several_versions and _states(table)) and not _settles(table, kept):
            found.append(KeptDays(question, table, kept))
    return tuple(found)


def _states(table: str) -> bool:
    return any(entity.name == table and entity.state for entity in TABLES.values())


def _settles(table: str, kept: Iterable[Kept]) -> bool:
    return any(settled_by(table, name) is not None for name in columns_read(kept))

"""Metrics made at random over given tables, which fit these tables: every node, every window, conditions that meet the data.

    book = Held(tables, values)                      # HeldTable by name; cells that occur, by (table, column)
    @given(metric_sets(book))                        # a MetricSet whose metrics may refer to each other
    @given(series(book, "number"))                   # one series without references

`Held.without` leaves out words that a test has no data for: "arr", "contract", "z_score", "seats", "open", "references".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeVar, cast

from hypothesis import assume
from hypothesis import strategies as st

from unspun.book.entities import Kind, TableName
from unspun.metrics.conditions import (
    COMPARISONS,
    TEXT_TESTS,
    AllOf,
    AnyOf,
    Compare,
    Condition,
    HasText,
    IsEmpty,
    IsIn,
    Not,
    Scalar,
)
from unspun.metrics.kinds import OF_COLUMN, SeriesKind
from unspun.metrics.metric import DIRECTIONS, Metric, MetricSet, SourceRules, set_faults
from unspun.metrics.nesting import NOT_EARLIER, traits_of
from unspun.metrics.nodes import (
    DATED_TABLES,
    OPEN_TABLES,
    SHAREABLE,
    ActiveDays,
    Add,
    Arr,
    Attribute,
    Average,
    Before,
    Case,
    Change,
    Constant,
    Count,
    Criterion,
    DaysSinceFirst,
    DaysSinceLast,
    DaysToEnd,
    DaysToFirst,
    Distinct,
    Elapsed,
    Funnel,
    LastValue,
    Maximum,
    Minimum,
    Multiply,
    Open,
    Quantile,
    Ratio,
    Reference,
    Rows,
    Seats,
    Series,
    Share,
    Streak,
    Subtract,
    Sum,
    TimeBetween,
    Trend,
    UserDays,
    When,
    ZScore,
)
from unspun.metrics.question import HeldTable
from unspun.metrics.windows import Days, LastPeriod, Lifetime, Months, SinceContractStart, ThisPeriod, Window

T = TypeVar("T")
UNREAD = ("account_id", "dated")
"""Columns that no metric here reads: they say whose a row is."""
USUAL_VALUES: dict[Kind, tuple[Scalar, ...]] = {
    "text": ("a", "b", "login", "it's"),
    "whole": (0, 1, 2, 10),
    "number": (0.0, 1.5, -2.0, 100.0),
    "money": (0, 12.5, 100),
    "day": (date(2024, 2, 29), date(2025, 1, 1)),
    "instant": (date(2024, 2, 29), date(2025, 1, 1)),
    "flag": (True, False),
}


@dataclass(frozen=True)
class Held:
    """Tables to measure, and cells that occur in them."""

    tables: Mapping[str, HeldTable]
    values: Mapping[tuple[str, str], Sequence[Scalar]] = field(default_factory=dict)
    without: Collection[str] = ()

    def columns(self, table: str, *kinds: SeriesKind) -> list[str]:
        """The columns of a table that are of one of the kinds (any, where none is given)."""
        held = self.tables.get(table, HeldTable({})).columns
        return [name for name, kind in held.items() if name not in UNREAD and (not kinds or OF_COLUMN[kind] in kinds)]

    def of(self, *kinds: SeriesKind) -> list[tuple[str, str]]:
        """Every (table, column) of dated tables with a column of one of the kinds."""
        return [(table, name) for table in self.dated for name in self.columns(table, *kinds)]

    def cells(self, table: str, column: str) -> list[Scalar]:
        kind = self.tables[table].columns[column]
        return list(dict.fromkeys([*self.values.get((table, column), ()), *USUAL_VALUES[kind][:2]]))

    @property
    def kinds(self) -> list[SeriesKind]:
        """The kinds of which there is something to read; "number" is always among them."""
        some: tuple[SeriesKind, ...] = ("text", "day", "flag")
        return ["number", *(kind for kind in some if self.of(kind) or self.columns("accounts", kind))]

    @property
    def dated(self) -> list[str]:
        return [table for table in DATED_TABLES if table in self.tables]


# Windows and conditions

LENGTHS = (1, 2, 7, 28, 30, 31, 61, 62, 63, 90, 365, 366, 1_000, 36_600)
SCALES: tuple[SeriesKind, ...] = ("number", "whole", "day")


class _Maker:
    """Makes nodes with the draws of one example. `metrics` are those that may be named, with their kinds and traits (see nesting.py)."""

    def __init__(self, draw: st.DrawFn, held: Held) -> None:
        self.draw, self.held = draw, held
        self.metrics: list[tuple[str, SeriesKind, frozenset[str]]] = []
        self.banned: frozenset[str] = frozenset(held.without)

    def one_of(self, items: Sequence[T]) -> T:
        return self.draw(st.sampled_from(list(items)))

    def chance(self, of: int) -> bool:
        return self.draw(st.integers(1, of)) == 1

    def window(self) -> Window:
        period = self.one_of(("month", "quarter", "year"))
        made = {
            "days": lambda: Days(self.one_of(LENGTHS) if self.chance(2) else self.draw(st.integers(1, 400))),
            "months": lambda: Months(self.one_of((1, 2, 3, 12, 13, 1_200)) if self.chance(2) else self.draw(st.integers(1, 40))),
            "this": lambda: ThisPeriod(period),
            "last": lambda: LastPeriod(period),
            "lifetime": Lifetime,
            "contract": SinceContractStart,
        }
        return made[self.one_of([name for name in made if name not in self.banned])]()

    def condition(self, table: str, deep: int = 2) -> Condition:
        form = self.one_of(("leaf", "leaf", "leaf", "not", "all", "any")) if deep else "leaf"
        if form == "leaf":
            return self.leaf_condition(table, self.one_of(self.held.columns(table)))
        if form == "not":
            return Not(self.condition(table, deep - 1))
        parts = tuple(self.condition(table, deep - 1) for _ in range(self.draw(st.integers(1, 3))))
        return AllOf(parts) if form == "all" else AnyOf(parts)

    def leaf_condition(self, table: str, column: str) -> Condition:
        cells, kind = self.held.cells(table, column), OF_COLUMN[self.held.tables[table].columns[column]]
        form = self.one_of(("in", "in", "empty", "more"))
        if form == "empty":
            return IsEmpty(column)
        if form == "in" or kind == "flag":
            return IsIn(
                column, tuple(self.draw(st.lists(st.sampled_from(cells), min_size=1, max_size=3, unique_by=lambda one: (type(one), one))))
            )
        cell = self.one_of(cells)
        if isinstance(cell, str):
            return HasText(column, self.one_of(TEXT_TESTS), self.one_of((cell, cell[:2], cell[-1:])) or "x")
        near = cell + timedelta(days=1) if isinstance(cell, date) else cell + 1
        return Compare(column, self.one_of(COMPARISONS), self.one_of((cell, near)))

    def rows(self, table: str) -> Rows:
        where = self.condition(table) if self.held.columns(table) and self.chance(2) else None
        return Rows(cast("TableName", table), where, self.window())

    # Series

    def series(self, kind: SeriesKind, deep: int) -> Series:
        """A series of that kind; "number" may be whole."""
        forms = ["leaf", "leaf", "case"] if deep else ["leaf"]
        if deep and "earlier" not in self.banned:
            forms.append("before")
        if deep and kind == "number":
            forms += [name for name in ("ratio", "subtract", "add", "multiply", "share", "change", "trend", "z_score") if self.may(name)]
        form = self.one_of(forms)
        if form == "leaf":
            return self.leaf(kind)
        return self.case(kind, deep - 1) if form == "case" else self.derived(form, kind, deep - 1)

    def may(self, form: str) -> bool:
        return ("earlier" if form in ("change", "trend") else form) not in self.banned

    def derived(self, form: str, kind: SeriesKind, deep: int) -> Series:
        match form:
            case "before":
                return Before(self.read(kind, deep, NOT_EARLIER), self.draw(st.integers(1, 400)))
            case "change":
                return Change(self.read("number", deep, NOT_EARLIER), self.draw(st.integers(1, 400)), self.draw(st.booleans()))
            case "trend":
                return Trend(self.read("number", 0, NOT_EARLIER), self.draw(st.integers(3, 5)), self.draw(st.integers(1, 40)))
            case "z_score":
                within = self.one_of(["", *self.held.columns("accounts", "text", "flag")])
                return ZScore(self.read("number", deep, ("z_score",)), within)
            case "share":
                return self.share()
            case "ratio" | "subtract":
                node = Ratio if form == "ratio" else Subtract
                return node(self.series("number", deep), self.series("number", deep))
            case _:
                parts = tuple(self.series("number", deep) for _ in range(self.draw(st.integers(2, 3))))
                return Add(parts) if form == "add" else Multiply(parts)

    def read(self, kind: SeriesKind, deep: int, without: Collection[str]) -> Series:
        """A series with something read from the book and without some words: one that may be taken of an earlier day, or among peers."""
        before, self.banned = self.banned, self.banned | {*without}
        made = self.series(kind, deep)
        if "read" not in traits_of(made, {id: traits for id, _, traits in self.metrics}):
            made = self.own_leaf(kind)
        self.banned = before
        return made

    def share(self) -> Series:
        table = self.one_of([one for one in self.held.dated if self.held.columns(one)])
        rows, numbers = self.rows(table), self.held.columns(table, "number", "whole")
        node = self.one_of([one for one in SHAREABLE if one is not Sum or numbers])
        if node is Count or node is ActiveDays:
            return Share(cast("type[Count]", node)(rows), self.condition(table))
        column = self.one_of(numbers if node is Sum else self.held.columns(table))
        return Share(cast("type[Sum]", node)(rows, column), self.condition(table))

    def case(self, kind: SeriesKind, deep: int) -> Series:
        whens = [
            When(tuple(self.criterion() for _ in range(self.draw(st.integers(1, 2)))), self.series(kind, deep))
            for _ in range(self.draw(st.integers(1, 2)))
        ]
        return Case(tuple(whens), self.series(kind, deep) if self.chance(2) else None)

    def criterion(self) -> Criterion:
        kind = self.one_of(self.held.kinds)
        of = self.own_leaf(kind) if kind == "text" else self.leaf(kind)
        if kind in ("text", "flag") or self.chance(3):
            values = self.cells_of(of) if kind == "text" else {"flag": [True, False], "day": DAYS}.get(kind, NUMBERS)
            return Criterion(of, "is", tuple(self.draw(st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True))))
        return Criterion(of, self.one_of(COMPARISONS), (self.one_of(DAYS if kind == "day" else NUMBERS),))

    def cells_of(self, of: Series) -> list[Scalar]:
        if isinstance(of, LastValue):
            return self.held.cells(of.rows.table, of.column)
        return self.held.cells("accounts", cast("Attribute", of).column)

    def leaf(self, kind: SeriesKind) -> Series:
        kinds = ("number", "whole") if kind == "number" else (kind,)
        named = [id for id, of, traits in self.metrics if of in kinds and not traits & self.banned]
        if named and "references" not in self.banned and self.chance(3):
            return Reference(self.one_of(named))
        if kind == "number" and self.chance(8):
            return Constant(self.one_of((0, 1, -3, 2.5, 0.1, 1e-9, 10**15)))
        return self.own_leaf(kind)

    def own_leaf(self, kind: SeriesKind) -> Series:
        """What is read from the book."""
        if kind == "number" and not self.chance(6):
            return self.measured()
        kinds = ("number", "whole") if kind == "number" else (kind,)
        pairs, columns = self.held.of(*kinds), self.held.columns("accounts", *kinds)
        if columns and (not pairs or self.chance(3)):
            return Attribute(self.one_of(columns))
        if not pairs:
            return self.measured()
        table, column = self.one_of(pairs)
        node = self.one_of((LastValue, Minimum, Maximum) if kind == "day" else (LastValue,))
        return node(self.rows(table), column)

    def measured(self) -> Series:
        held = self.held
        if self.chance(4):
            return self.apart(self.rows(self.one_of(held.dated)))
        nodes: list[object] = [Count, Count, ActiveDays, DaysSinceLast, DaysSinceFirst, Distinct, Sum, Average, Minimum, Maximum]
        nodes += [DaysToEnd] if "subscriptions" in held.tables else []
        nodes += [node for word, node in (("open", Open), ("arr", Arr), ("seats", Seats)) if word not in self.banned]
        node = self.one_of(nodes)
        if node is Open and (tables := [one for one in (*OPEN_TABLES, "contacts") if one in held.tables]):
            return self.open(self.one_of(tables))
        if node is Arr or node is Seats or node is DaysToEnd:
            return cast("type[Arr]", node)()
        if node in (Sum, Average, Minimum, Maximum, Distinct) and (pairs := held.of() if node is Distinct else held.of("number", "whole")):
            table, column = self.one_of(pairs)
            return cast("type[Sum]", node)(self.rows(table), column)
        return cast("type[Count]", node if node in OF_ROWS else Count)(self.rows(self.one_of(held.dated)))

    def apart(self, rows: Rows) -> Series:
        """What is made of rows in their order."""
        form = self.one_of(("quantile", "streak", "between", "first", "funnel", "elapsed", "user_days"))
        times = self.held.columns(rows.table, "day")
        if form == "elapsed" and len(times) > 1:
            start, end = self.draw(st.lists(st.sampled_from(times), min_size=2, max_size=2, unique=True))
            statistic = self.one_of(("average", "sum", "minimum", "maximum", "quantile"))
            q = self.one_of((0.5, 0.9)) if statistic == "quantile" else 0.5
            return Elapsed(rows, start, end, self.one_of(("minutes", "hours", "days")), statistic, q)
        pairs, table = self.held.of("number", "whole"), rows.table
        if form == "quantile" and pairs:
            table, column = self.one_of(pairs)
            return Quantile(self.rows(table), column, self.one_of((0.5, 0.9, 0.25, 0.9999, 0.0001)))
        if form == "user_days" and self.held.columns(table):
            return UserDays(rows, self.one_of(self.held.columns(table)))
        if form == "first":
            since = Lifetime() if "contract" in self.banned or self.chance(2) else SinceContractStart()
            return DaysToFirst(Rows(table, rows.where, since))
        if form == "funnel" and self.held.columns(table):
            steps = tuple(self.condition(table, 1) for _ in range(self.draw(st.integers(2, 4))))
            return Funnel(rows, steps, self.one_of((None, 0, 7, 36_600)), self.one_of(("steps", "days")))
        if form == "between":
            return TimeBetween(rows, self.one_of(("average", "median")))
        run = self.one_of(("longest", "current"))
        return Streak(rows, run, self.one_of(("day", "week")), run == "current" and self.chance(2))

    def open(self, table: str) -> Series:
        where = self.condition(table, 1) if self.held.columns(table) and self.chance(2) else None
        return Open(cast("TableName", table), where, self.one_of(["", *self.held.columns(table, "number", "whole")]))


NUMBERS: tuple[Scalar, ...] = (0, 1, 2, 5, 0.5, -1)
DAYS: tuple[Scalar, ...] = (date(2024, 2, 29), date(2025, 1, 1), date(2025, 6, 30))
OF_ROWS = (Count, ActiveDays, DaysSinceLast, DaysSinceFirst)
LABELS = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=12)


@st.composite
def windows(draw: st.DrawFn, contract: bool = True) -> Window:
    """All windows; also long ones, and such as end with a leap day's month."""
    return _Maker(draw, Held({}, without=() if contract else ("contract",))).window()


@st.composite
def conditions(draw: st.DrawFn, held: Held, table: str, deep: int = 2) -> Condition:
    """Conditions of every kind on a table's columns, mostly with values that occur."""
    return _Maker(draw, held).condition(table, deep)


@st.composite
def series(draw: st.DrawFn, held: Held, kind: SeriesKind = "number", deep: int = 2) -> Series:
    """A series of that kind ("number": whole numbers too) without references."""
    return _Maker(draw, held).series(kind, deep)


@st.composite
def metric_sets(draw: st.DrawFn, held: Held, most: int = 5, deep: int = 2) -> MetricSet:
    """Metrics of all kinds that may refer to those before them, and rules for some of the sources."""
    maker = _Maker(draw, held)
    metrics: list[Metric] = []
    for i in range(draw(st.integers(1, most))):
        kind: SeriesKind = maker.one_of(["number", "number", *held.kinds])
        made = maker.series(kind, deep)
        texts = {name: draw(LABELS) if maker.chance(3) else "" for name in ("name", "description", "unit", "reference", "owner")}
        metric = Metric(f"m{i}", made, direction=maker.one_of(DIRECTIONS), **texts)
        assume(not set_faults([*metrics, metric]))
        metrics.append(metric)
        maker.metrics.append((metric.id, kind, traits_of(made, {id: traits for id, _, traits in maker.metrics})))
    rules = st.builds(SourceRules, st.booleans(), st.none() | st.integers(1, 400))
    return MetricSet(tuple(metrics), draw(st.dictionaries(st.sampled_from(held.dated), rules, max_size=2)))

"""Metrics made at random over the small books: every node, window, condition and table, and sources that are declared otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import cast

from tests.panel.random_books import ANCHORS, NUMBERS, TEXTS, WHOLES, SmallBook, kinds_of
from unspun.book.entities import Kind, TableName
from unspun.errors import BadInput
from unspun.metrics.asof import AsOf, BeforeRenewals, Dates
from unspun.metrics.conditions import COMPARISONS, TEXT_TESTS, AllOf, AnyOf, Compare, Condition, HasText, IsEmpty, IsIn, Not, Scalar
from unspun.metrics.metric import Metric, MetricSet, SourceRules
from unspun.metrics.nodes import (
    DATED_TABLES,
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
from unspun.metrics.question import PanelQuestion
from unspun.metrics.windows import Days, LastPeriod, Lifetime, Months, SinceContractStart, ThisPeriod, Window

NUMERIC: tuple[Kind, ...] = ("whole", "number", "money")
LENGTHS_DAYS = (1, 2, 7, 28, 90, 121, 200, 365, 36_600)
SHIFTS_DAYS = (1, 7, 28, 91, 366)
FREQUENT: tuple[TableName, ...] = ("events", "events", "events", "purchases", "subscriptions", "tickets")


@dataclass(slots=True)
class Writer:
    """Writes metrics over the tables `held`. `earlier`: whether what is being written is of an earlier day, where some may not stand."""

    random: Random
    held: tuple[TableName, ...]
    earlier: bool = False
    defined: tuple[str, ...] = ()

    def window(self) -> Window:
        random = self.random
        choice = random.randrange(9 if self.earlier else 10)
        if choice < 4:
            return Days(random.choice(LENGTHS_DAYS))
        if choice == 4:
            return Months(random.choice((1, 2, 3, 12, 1200)))
        if choice < 7:
            return random.choice((ThisPeriod, LastPeriod))(random.choice(("month", "quarter", "year")))
        return SinceContractStart() if choice == 9 else Lifetime()

    def rows(self) -> Rows:
        table = self.random.choice((*self.held, *FREQUENT)) if self.random.random() < 0.95 else self.random.choice(DATED_TABLES)
        where = self.condition(table) if self.random.random() < 0.4 else None
        return Rows(table, where, self.window())

    def condition(self, table: TableName, depth: int = 0) -> Condition:
        random = self.random
        if depth < 2 and random.random() < 0.35:
            some = tuple(self.condition(table, depth + 1) for _ in range(random.randint(1, 3)))
            return Not(some[0]) if len(some) == 1 else random.choice((AllOf, AnyOf))(some)
        columns = kinds_of(table)
        if table == "events" and random.random() < 0.5:
            return IsIn("event", tuple(random.sample(TEXTS[:4], random.randint(1, 2))))
        name = random.choice(list(columns))
        if random.random() < 0.15:
            return IsEmpty(name)
        return self.test(name, columns[name])

    def test(self, name: str, kind: Kind) -> Condition:
        random = self.random
        if kind == "text" and random.random() < 0.5:
            return HasText(name, random.choice(TEXT_TESTS), random.choice(("x", "log", "l", "%", "_", "'", "ü", "\\")))
        if kind in ("text", "flag") or random.random() < 0.4:
            return IsIn(name, tuple(self.value(kind) for _ in range(random.randint(1, 3))))
        return Compare(name, random.choice(COMPARISONS), cast("int | float | date", self.value(kind)))

    def value(self, kind: Kind) -> Scalar:
        random = self.random
        match kind:
            case "text":
                return random.choice(TEXTS)
            case "flag":
                return random.random() < 0.5
            case "day" | "instant":
                return random.choice(ANCHORS)
            case _:
                return random.choice((*NUMBERS, *WHOLES))

    def column(self, table: TableName, kinds: Sequence[Kind]) -> str | None:
        fitting = [name for name, kind in kinds_of(table).items() if kind in kinds]
        return self.random.choice(fitting) if fitting else None

    def measure(self) -> Series:
        """A measure of rows that gives a number."""
        random, rows = self.random, self.rows()
        if random.random() < 0.3:
            return self.apart(rows)
        node = random.choice(
            (Count, Count, Sum, Sum, Average, Minimum, Maximum, Distinct, Distinct, ActiveDays, DaysSinceLast, DaysSinceFirst, LastValue)
        )
        if node is Count or node is ActiveDays or node is DaysSinceLast or node is DaysSinceFirst:
            return node(rows)
        if node is Distinct:
            return Distinct(rows, random.choice(list(kinds_of(rows.table))))
        column = self.column(rows.table, NUMERIC)
        return Count(rows) if column is None else cast("type[Sum]", node)(rows, column)

    def apart(self, rows: Rows) -> Series:
        """A percentile, a streak, the time between, a funnel, or the days to a first row."""
        random = self.random
        column = self.column(rows.table, NUMERIC)
        times = [name for name, kind in kinds_of(rows.table).items() if kind in ("day", "instant")]
        match random.randrange(8):
            case 6 if len(times) > 1:
                start, end = random.sample(times, 2)
                statistic = random.choice(("average", "sum", "minimum", "maximum", "quantile"))
                q = random.choice((0.5, 0.9)) if statistic == "quantile" else 0.5
                return Elapsed(rows, start, end, random.choice(("minutes", "hours", "days")), statistic, q)
            case 7:
                return UserDays(rows, random.choice(list(kinds_of(rows.table))))
            case 0 if column is not None:
                return Quantile(rows, column, random.choice((0.5, 0.9, 0.25, 0.9999, 0.333)))
            case 1:
                run = random.choice(("longest", "current"))
                return Streak(rows, run, random.choice(("day", "week")), run == "current" and random.random() < 0.5)
            case 2:
                return TimeBetween(rows, random.choice(("average", "median")))
            case 3:
                since = Lifetime() if self.earlier or random.random() < 0.5 else SinceContractStart()
                return DaysToFirst(Rows(rows.table, rows.where, since))
            case _:
                steps = tuple(self.condition(rows.table, 1) for _ in range(random.randint(2, 4)))
                return Funnel(rows, steps, random.choice((None, None, 0, 3, 30)), random.choice(("steps", "steps", "days")))

    def other(self) -> Series:
        """What gives a text, a day or a flag."""
        random = self.random
        if random.random() < 0.4:
            return Attribute(random.choice(list(kinds_of("accounts"))[1:]))
        rows = self.rows()
        if random.random() < 0.5:
            return LastValue(rows, random.choice(list(kinds_of(rows.table))))
        column = self.column(rows.table, ("day", "instant"))
        return Count(rows) if column is None else random.choice((Minimum, Maximum))(rows, column)

    def standing(self) -> Series:
        random = self.random
        choice = random.randrange(7 if self.earlier else 8)
        if choice < 3:
            table = cast("TableName", random.choice(("subscriptions", "tickets", "contacts")))
            where = self.condition(table) if random.random() < 0.4 else None
            column = self.column(table, NUMERIC) if random.random() < 0.4 else None
            return Open(table, where, column or "")
        if choice < 5:
            return Attribute(random.choice(("seats", "own_whole")))
        return Seats() if choice == 5 else DaysToEnd() if choice == 6 else Arr()

    def leaf(self) -> Series:
        if self.defined and not self.earlier and self.random.random() < 0.1:
            return Reference(self.random.choice(self.defined))
        return self.measure() if self.random.random() < 0.75 else self.standing()

    def number(self, depth: int) -> Series:
        """A series that gives a number, nested up to so deep."""
        random = self.random
        if depth == 0 or random.random() < 0.4:
            return self.leaf()
        kind = random.randrange(8)
        if kind == 0:
            return Ratio(self.number(depth - 1), self.number(depth - 1))
        if kind == 1:
            parts = (self.number(depth - 1), self.number(depth - 1) if random.random() < 0.6 else Constant(random.choice((0, 2.5, -1))))
            return random.choice((Add, Multiply))(parts)
        if kind == 2:
            return Subtract(self.number(depth - 1), self.number(depth - 1))
        if kind in (3, 4) and not self.earlier:
            return self.of_earlier_days(depth)
        if kind == 5:
            return self.share()
        if kind == 6:
            return self.case(depth)
        return self.leaf()

    def of_earlier_days(self, depth: int) -> Series:
        self.earlier = True
        of, shift = self.number(depth - 1), self.random.choice(SHIFTS_DAYS)
        self.earlier = False
        match self.random.randrange(4):
            case 0:
                return Before(of, shift)
            case 1:
                return Change(of, shift)
            case 2:
                return Change(of, shift, relative=True)
            case _:
                return Trend(of, self.random.choice((3, 4, 6)), self.random.choice((1, 7, 30)))

    def share(self) -> Series:
        rows = self.rows()
        column = self.column(rows.table, NUMERIC)
        of = Sum(rows, column) if column and self.random.random() < 0.3 else self.random.choice((Count, ActiveDays))(rows)
        return Share(of, self.condition(rows.table))

    def case(self, depth: int) -> Series:
        random = self.random
        whens = tuple(
            When(tuple(self.criterion(depth) for _ in range(random.randint(1, 2))), self.number(depth - 1))
            for _ in range(random.randint(1, 3))
        )
        return Case(whens, self.number(depth - 1) if random.random() < 0.6 else None)

    def criterion(self, depth: int) -> Criterion:
        random = self.random
        if random.random() < 0.25:
            return Criterion(Attribute("plan"), "is", tuple(random.sample(TEXTS, 2)))
        of = self.number(max(0, depth - 2))
        if random.random() < 0.3:
            return Criterion(of, "is", (0, 1, 2.5))
        return Criterion(of, random.choice(COMPARISONS), (random.choice((0, 1, 2.5, 100)),))

    def series(self) -> Series:
        draw = self.random.random()
        if draw < 0.12:
            return self.other()
        if draw < 0.2:
            return ZScore(self.measure(), self.random.choice(("", "", "segment", "plan")))
        return self.number(self.random.choice((0, 0, 1, 2, 3)))


def random_metrics(random: Random, book: SmallBook, number: int = 8) -> MetricSet:
    """So many metrics, some of which name earlier ones, mostly over tables that the book holds, over sources of random rules."""
    writer, made = Writer(random, tuple(name for name in DATED_TABLES if name in book.held)), list[Metric]()
    sources = {
        table: SourceRules(random.random() < 0.5, random.choice((None, 1, 3, 7, 60)))
        for table in ("events", "purchases", "tickets")
        if random.random() < 0.5
    }
    while len(made) < number:
        series = writer.series()
        try:
            found = MetricSet((*made, Metric(f"m{len(made)}", series)), sources)
        except BadInput:
            continue
        made = list(found.metrics)
        # Engines agree on z-scores to 1e-9 only: beneath a comparison that could decide either way.
        if not isinstance(series, ZScore) and _is_number(series):
            writer.defined = (*writer.defined, made[-1].id)
    return MetricSet(tuple(made), sources)


def _is_number(series: Series) -> bool:
    match series:
        case Attribute(column):
            return kinds_of("accounts")[column] in NUMERIC
        case LastValue(rows, column) | Minimum(rows, column) | Maximum(rows, column):
            return kinds_of(rows.table)[column] in NUMERIC
        case _:
            return True


def question_of(book: SmallBook, metrics: MetricSet, as_of: AsOf | None = None) -> PanelQuestion:
    """The question for all the metrics of the book, on its dates unless told otherwise."""
    return PanelQuestion(
        metrics,
        tuple(one.id for one in metrics),
        as_of or Dates(book.dates),
        book.held,
        book.time_zone,
        book.fiscal_year_starts,
        book.outages,
        book.received,
        book.ends_inclusive,
        book.grace_days,
    )


def renewals_of(book: SmallBook) -> BeforeRenewals:
    return BeforeRenewals(book.dues, (90, 30, 0))

"""Measures of rows: the nodes of the metric language that are read from the rows of a dated table."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from unspun.book.columns import did_you_mean
from unspun.book.entities import TABLES, TableName
from unspun.errors import BadInput, Fault
from unspun.metrics.conditions import Condition
from unspun.metrics.windows import MOST_DAYS, Lifetime, SinceContractStart, Window

DATED_TABLES: tuple[TableName, ...] = tuple(
    name for name, table in TABLES.items() if not table.state and table.column("account_id") is not None
)
"""Tables whose rows happened on a day and belong to an account: what measures are taken over."""
LIFETIME = Lifetime()
PARTS = 10_000
"""A percentile is told in ten thousandths: 0.9995 is the finest kind that there is."""
Run = Literal["longest", "current"]
Every = Literal["day", "week"]
Typical = Literal["average", "median"]
Gives = Literal["steps", "days"]
Unit = Literal["minutes", "hours", "days"]
Statistic = Literal["average", "sum", "minimum", "maximum", "quantile"]
MEDIAN = 0.5
MICROSECONDS: dict[Unit, int] = {"minutes": 60_000_000, "hours": 3_600_000_000, "days": 86_400_000_000}
FEWEST_FUNNEL_STEPS, MOST_FUNNEL_STEPS = 2, 20


def _refuse(code: str, message: str, hint: str = "") -> BadInput:
    return BadInput(Fault(code, message, "", hint))


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a table that fit a condition and happened in a window. A table that is no `DATED_TABLES` raises BadInput.

    A row is read in its newest version known by the as-of date. A cell that is filled in after the row happened (a ticket's `closed`,
    `status`, `satisfaction`) is empty until then: see `settled.py`.
    """

    table: TableName
    where: Condition | None = None
    window: Window = LIFETIME

    def __post_init__(self) -> None:
        if self.table not in DATED_TABLES:
            hint = f"{did_you_mean(self.table, DATED_TABLES)}Rows are counted in {', '.join(DATED_TABLES)}."
            raise _refuse("bad_table", f"there are no dated rows of accounts in a table `{self.table}`.", hint)


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows. 0 where there are none."""

    rows: Rows


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of a column; empty cells do not count; 0 where there are no rows.

    Each number enters rounded to nine decimals (above nine million to the 16 digits of a double), and the sum is exact; one of 10^20 or
    more cannot enter: the panel is refused, and the row named. Amounts in several currencies have none (`several_currencies`)."""

    rows: Rows
    column: str


@dataclass(frozen=True, slots=True)
class Average:
    """The sum of a column by the number of its cells that are not empty. No value (`no_rows`) where there is none; amounts in several
    currencies have none (`several_currencies`)."""

    rows: Rows
    column: str


@dataclass(frozen=True, slots=True)
class Minimum:
    """The least number or the first day of a column. No value where every cell is empty (`no_rows`) or of several currencies."""

    rows: Rows
    column: str


@dataclass(frozen=True, slots=True)
class Maximum:
    """The greatest number or the last day of a column. No value where every cell is empty (`no_rows`) or of several currencies."""

    rows: Rows
    column: str


@dataclass(frozen=True, slots=True)
class Distinct:
    """How many different values a column has, empty cells aside: distinct users, for one."""

    rows: Rows
    column: str


@dataclass(frozen=True, slots=True)
class ActiveDays:
    """On how many days of the window there was a row."""

    rows: Rows


@dataclass(frozen=True, slots=True)
class UserDays:
    """How many different pairs of a value of a column and a day with such a row there are, empty cells aside: of users, on how many days
    each of them did something, added up. By the days of the window it is the average number of users a day, those without any among them.
    """

    rows: Rows
    column: str


@dataclass(frozen=True, slots=True)
class LastValue:
    """What a column (of any kind) held in the last row in which it is not empty: last by when it happened, then by load, file and row."""

    rows: Rows
    column: str


@dataclass(frozen=True, slots=True)
class DaysSinceLast:
    """Days from the last row in the window to the as-of date; 0 where it happened on that date. `no_rows` where there is none."""

    rows: Rows


@dataclass(frozen=True, slots=True)
class DaysSinceFirst:
    """Days from the first row in the window to the as-of date. `no_rows` where there is none."""

    rows: Rows


@dataclass(frozen=True, slots=True)
class Quantile:
    """A percentile of a column, its median where `q` is 0.5; empty cells do not count. No value (`no_rows`) where all are empty; amounts in
    several currencies have none (`several_currencies`).

    Linear interpolation between the two nearest cells (type 7 of Hyndman and Fan, 1996: what spreadsheets call PERCENTILE.INC): of n cells
    in order, numbered from 0, the one at place h = (n - 1) q. Where h is no whole number it is `(lower (1 - f) + upper f)`, f the rest of h
    in ten thousandths, computed in doubles. `q` lies between 0 and 1 and has at most four decimals.
    """

    rows: Rows
    column: str
    q: float = 0.5

    def __post_init__(self) -> None:
        if isinstance(self.q, bool) or not isinstance(self.q, int | float) or not 0 < self.q < 1:
            raise _refuse("bad_quantile", f"a percentile lies between 0 and 1, not at {self.q}.", "Write 0.9 for the 90th percentile.")
        if ten_thousandths(self.q) % 1:
            raise _refuse("bad_quantile", f"{self.q} has more than four decimals.", "Write at most four, as in 0.9999.")


@dataclass(frozen=True, slots=True)
class DaysToFirst:
    """Time to value: days from when the account became a customer to its first row that fits; 0 where that row came before, or on that day.
    With the window `contract`, from the start of the current term, to the first row since then.

    No value as long as it has not happened (`not_yet`), and where it is not known since when the account is a customer (`not_stated`): it
    is never 0 for want of a row. Other windows than `lifetime` and `contract` cannot be.
    """

    rows: Rows

    def __post_init__(self) -> None:
        if not isinstance(self.rows.window, Lifetime | SinceContractStart):
            hint = "Write `window: contract`, or none."
            raise _refuse("bad_window", "the days to a first row are counted from the account's start, or from its contract's.", hint)


@dataclass(frozen=True, slots=True)
class Streak:
    """How many days in a row have at least one row: the longest such run of the window, or the `current` one, which ends on its last day. 0
    where there is none.

    The current run is over as soon as a day has no row: in the morning it would be 0 every day. With `grace` a run that ended on the day
    before counts as well. By weeks, it is a run of calendar weeks (Monday to Sunday) with a row, in weeks: a week belongs to the window
    that it begins in, and the last one counts as soon as it has a row.
    """

    rows: Rows
    run: Run = "longest"
    every: Every = "day"
    grace: bool = False

    def __post_init__(self) -> None:
        if self.grace and self.run != "current":
            raise _refuse("bad_streak", "'grace' says nothing of the longest run.", "Write `run: current` beside it, or take it out.")


@dataclass(frozen=True, slots=True)
class TimeBetween:
    """How many days lie between one day with a row and the next, on average or in the median (the mean of the middle two, where there are
    two). Several rows of one day are one: what is measured is how often somebody comes back, not how much they do then.

    Only days of the window count, the days before its first and after its last row do not. No value where fewer than two days have a row
    (`too_few_rows`).
    """

    rows: Rows
    typical: Typical = "average"


@dataclass(frozen=True, slots=True)
class Funnel:
    """How far an account came through steps that are taken in order: 0 where not even the first was, else up to how many there are.

    Each step is a condition on the rows of a table, besides that of all rows. The first step is the first row of the window that fits it;
    each later one is the first row after that of the step before (by time, then load, file and row) that fits its own. With
    `within_days`, no more than so many days may lie between the first step and any other. A row takes one step at most.

    As `days`, it is the days from the first step to the last; no value as long as that is not reached (`not_reached`).
    """

    rows: Rows
    steps: tuple[Condition, ...]
    within_days: int | None = None
    gives: Gives = "steps"

    def __post_init__(self) -> None:
        if not FEWEST_FUNNEL_STEPS <= len(self.steps) <= MOST_FUNNEL_STEPS:
            told = f"{FEWEST_FUNNEL_STEPS} to {MOST_FUNNEL_STEPS}"
            raise _refuse("bad_funnel", f"a funnel has {told} steps, not {len(self.steps):,}.", "Of one step, count the rows.")
        if self.within_days is not None and not 0 <= self.within_days <= MOST_DAYS:
            raise _refuse("bad_days", f"the steps of a funnel lie 0 to {MOST_DAYS:,} days apart, not {self.within_days:,}.")


@dataclass(frozen=True, slots=True)
class Elapsed:
    """The time from one cell of a row to another, of rows in which neither is empty: its mean, sum, least, greatest or a percentile, in
    minutes, hours or days. No value where there is no such row (`no_rows`); the sum is 0 then.

    Of two instants it is told to the microsecond; where either is a day, whole days. A row that ends before it starts counts as it is
    written: below zero. Sums and means are exact, rounded once; a percentile is that of `Quantile`.
    """

    rows: Rows
    start: str
    end: str
    unit: Unit = "hours"
    statistic: Statistic = "average"
    q: float = 0.5

    def __post_init__(self) -> None:
        if self.start == self.end:
            raise _refuse("bad_elapsed", f"from `{self.start}` to itself no time passes.", "Name the column with which it ends.")
        Quantile(self.rows, self.start, self.q)
        if self.statistic != "quantile" and self.q != MEDIAN:
            raise _refuse("bad_quantile", f"a percentile says nothing of the {self.statistic}.", "Take it out.")


Measure = (
    Count | Sum | Average | Minimum | Maximum | Distinct | ActiveDays | LastValue | DaysSinceLast | DaysSinceFirst
    | Quantile | DaysToFirst | Streak | TimeBetween | Funnel | Elapsed | UserDays
)  # fmt: skip
MEASURES: tuple[type[Measure], ...] = (
    Count, Sum, Average, Minimum, Maximum, Distinct, ActiveDays, LastValue, DaysSinceLast, DaysSinceFirst,
    Quantile, DaysToFirst, Streak, TimeBetween, Funnel, Elapsed, UserDays,
)  # fmt: skip
Shareable = Count | Sum | Distinct | ActiveDays | UserDays
SHAREABLE: tuple[type[Shareable], ...] = (Count, Sum, Distinct, ActiveDays, UserDays)


def ten_thousandths(q: float) -> Decimal:
    """A percentile in ten thousandths; exact."""
    return Decimal(repr(q)) * PARTS


def reason_without_rows(measure: Measure) -> str | None:
    """Why a measure has no value where its rows give none; None: it is 0 then."""
    match measure:
        case Count() | Sum() | Distinct() | ActiveDays() | UserDays() | Streak() | Funnel(gives="steps") | Elapsed(statistic="sum"):
            return None
        case DaysToFirst():
            return "not_yet"
        case TimeBetween():
            return "too_few_rows"
        case Funnel():
            return "not_reached"
        case _:
            return "no_rows"


def conditions_of(measure: Measure) -> tuple[Condition, ...]:
    """The conditions that a measure puts to rows."""
    steps = measure.steps if isinstance(measure, Funnel) else ()
    return (*(() if measure.rows.where is None else (measure.rows.where,)), *steps)


def column_of(measure: Measure) -> str:
    """The column that a measure is of; "" where it is of the rows themselves, or of several columns."""
    columns = columns_measured(measure)
    return columns[0] if len(columns) == 1 else ""


def columns_measured(measure: Measure) -> tuple[str, ...]:
    """The columns that a measure is of, none of which may be empty in a row that counts; () where it is of the rows themselves."""
    match measure:
        case Sum() | Average() | Minimum() | Maximum() | Distinct() | LastValue() | Quantile() | UserDays():
            return (measure.column,)
        case Elapsed(start=start, end=end):
            return (start, end)
        case _:
            return ()

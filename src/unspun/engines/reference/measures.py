"""Measures of rows: the value for an account at a moment, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import partial
from math import copysign, modf

from unspun.engines.reference.answers import Answer, Book, Missing, Moment, value_or
from unspun.engines.reference.coverage import no_witness
from unspun.engines.reference.durations import elapsed_of, elapsed_times
from unspun.engines.reference.fitting import fits
from unspun.engines.reference.life import contract_start
from unspun.engines.reference.rows import Cell, RowVersion
from unspun.engines.reference.sequences import funnel_days, gaps_between, quantile_of, streak_length
from unspun.errors import BadInput, Fault
from unspun.metrics.kinds import column_kind
from unspun.metrics.measure_nodes import ten_thousandths
from unspun.metrics.nodes import (
    MOST_ADDED,
    ActiveDays,
    Average,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    DaysToFirst,
    Distinct,
    Elapsed,
    Funnel,
    LastValue,
    Maximum,
    Measure,
    Minimum,
    Quantile,
    Rows,
    Streak,
    Sum,
    TimeBetween,
    UserDays,
)
from unspun.metrics.windows import Lifetime, SinceContractStart

BILLION = 10**9


def measure_value(book: Book, measure: Measure, moment: Moment) -> Answer:
    """A measure for an account at a moment."""
    window = _window(book, measure.rows, moment)
    outside = book.no_customer(moment, moment.day if window is None else window[1], counted=True)
    if outside is not None:
        return outside
    if window is None:
        return Missing("no_contract")
    counted = _counted(book, measure, moment, window)
    missing = no_witness(book, measure, moment, window, counted) or _mixed(book, measure, moment, counted)
    return missing or _of_rows(book, measure, moment, window, counted)


def _window(book: Book, rows: Rows, moment: Moment) -> tuple[date, date] | None:
    """The first and last day of a window; None where no term runs that it could begin with."""
    match rows.window:
        case Lifetime():
            return date.min, moment.day
        case SinceContractStart():
            started = contract_start(book.question, book.rows, moment.account, moment.day)
            return None if started is None else (started, moment.day)
        case window:
            starts = book.question.fiscal_year_starts
            return window.first(moment.day, starts), window.last(moment.day, starts)


def _counted(book: Book, measure: Measure, moment: Moment, window: tuple[date, date]) -> list[RowVersion]:
    """The rows that fit, in the order in which they happened; for a last value those in which its column is not empty."""
    rows = [
        row
        for row in book.rows.visible(measure.rows.table, moment.account, moment.as_of)
        if row.day is not None and window[0] <= row.day <= window[1]
        if fits(measure.rows.where, lambda column, row=row: row.cell(column, moment.as_of))
        if not isinstance(measure, LastValue) or row.cell(measure.column, moment.as_of) is not None
    ]
    # by day first: that of a table whose rows happen on a day is the same everywhere, the instant it is kept as is not
    return sorted(rows, key=lambda row: (row.day, row.order))


def _mixed(book: Book, measure: Measure, moment: Moment, counted: Sequence[RowVersion]) -> Missing | None:
    """Amounts that are put together have to be in one currency."""
    if not isinstance(measure, Sum | Average | Minimum | Maximum | Quantile):
        return None
    return several_currencies(book, measure.rows.table, measure.column, [partial(row.cell, as_of=moment.as_of) for row in counted])


def several_currencies(book: Book, table: str, column: str, rows: Sequence[Callable[[str], Cell]]) -> Missing | None:
    """Whether amounts are in several currencies, or some of them in none that is stated; None also where they are no amounts."""
    columns = book.question.tables[table].columns
    if column_kind(table, column, book.question.tables) != "money" or "currency" not in columns:
        return None
    currencies = {cell("currency") for cell in rows if cell(column) is not None}
    return Missing("several_currencies") if len(currencies) > 1 else None


def _of_rows(book: Book, measure: Measure, moment: Moment, window: tuple[date, date], counted: Sequence[RowVersion]) -> Answer:
    days = [row.day for row in counted if row.day is not None]
    match measure:
        case Count():
            return len(counted)
        case ActiveDays():
            return len(set(days))
        case UserDays(column=column):
            pairs = {(row.day, row.cell(column, moment.as_of)) for row in counted}
            return sum(cell is not None for _, cell in pairs)
        case DaysSinceLast():
            return (moment.day - days[-1]).days if days else Missing("no_rows")
        case DaysSinceFirst():
            return (moment.day - days[0]).days if days else Missing("no_rows")
        case DaysToFirst(rows):
            start = window[0] if isinstance(rows.window, SinceContractStart) else book.birth(moment)
            return _days_to(start, days)
        case Streak():
            return streak_length(measure, window, days)
        case TimeBetween(typical=typical):
            return _typical(typical, gaps_between(days))
        case Elapsed():
            found = elapsed_of(measure, elapsed_times(measure, counted, moment.as_of))
            return Missing("no_rows") if found is None else found
        case Funnel():
            return _of_steps(measure, funnel_days(measure, counted, moment.as_of))
        case Sum() | Average() | Minimum() | Maximum() | Distinct() | LastValue() | Quantile():
            cells = [row.cell(measure.column, moment.as_of) for row in counted]
            return _of_cells(measure, [cell for cell in cells if cell is not None])


def _days_to(start: date | None, days: Sequence[date]) -> Answer:
    if not days:
        return Missing("not_yet")
    return Missing("not_stated") if start is None else max(0, (days[0] - start).days)


def _typical(typical: str, gaps: Sequence[int]) -> Answer:
    if not gaps:
        return Missing("too_few_rows")
    return sum(gaps) / len(gaps) if typical == "average" else float(quantile_of(gaps, 5_000))


def _of_steps(measure: Funnel, reached: Sequence[date]) -> Answer:
    if measure.gives == "steps":
        return len(reached)
    return (reached[-1] - reached[0]).days if len(reached) == len(measure.steps) else Missing("not_reached")


def _of_cells(measure: Sum | Average | Minimum | Maximum | Distinct | LastValue | Quantile, cells: Sequence[Cell]) -> Answer:
    """Of the cells that are not empty."""
    match measure:
        case Sum():
            return exact_sum(cells)
        case Distinct():
            return len(set(cells))
        case Average():
            return exact_sum(cells) / len(cells) if cells else Missing("no_rows")
        case Quantile():
            numbers = [float(cell) for cell in cells if isinstance(cell, int | float | Decimal)]
            return quantile_of(numbers, int(ten_thousandths(measure.q))) if numbers else Missing("no_rows")
        case LastValue():
            return value_or(cells[-1] if cells else None, "no_rows")
        case Minimum():
            return value_or(min(cells, default=None), "no_rows")  # pyright: ignore[reportArgumentType, reportCallIssue]
        case Maximum():
            return value_or(max(cells, default=None), "no_rows")  # pyright: ignore[reportArgumentType, reportCallIssue]


def exact_sum(cells: Sequence[Cell]) -> float:
    """The sum of numbers, each rounded to nine decimals: added exactly, and given as the double nearest to it."""
    return sum(_billionths(cell) for cell in cells) / BILLION


def _billionths(cell: Cell) -> int:
    """A number in billionths, halves rounded away from zero; what cannot be added counts nothing (metrics of it are refused before).

    Raises BadInput of a number that is too large."""
    if isinstance(cell, float):
        if abs(cell) >= MOST_ADDED:
            raise BadInput(Fault("too_large_to_add", f"{cell:g} cannot be added up exactly: {MOST_ADDED:g} or more."))
        rest, whole = modf(cell * BILLION)
        return int(whole) + (int(copysign(1, rest)) if abs(rest) >= 0.5 else 0)
    return int(Fraction(cell) * BILLION) if isinstance(cell, int | Decimal) else 0

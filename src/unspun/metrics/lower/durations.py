"""The time from one cell of a row to another: of each row its microseconds, exact, and of these by unit what is asked."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from unspun.metrics.lower.frames import Frame, distinct_frames, frame_of
from unspun.metrics.lower.local_day import DAY_MICROSECONDS, number
from unspun.metrics.lower.looks import Apart, Looks, Placed, rows_of
from unspun.metrics.lower.quantiles import picked_by_unit
from unspun.metrics.lower.sources import Source
from unspun.metrics.lower.terms import as_double
from unspun.metrics.measure_nodes import MICROSECONDS, Unit, ten_thousandths
from unspun.metrics.nodes import Elapsed
from unspun.metrics.question import PanelQuestion


def add_durations(apart: Apart, question: PanelQuestion, table: str, leaves: Sequence[Placed], frames: Sequence[Frame]) -> None:
    """Add the times between cells among the leaves of a table: those of two columns under a condition once, joined once for each frame."""
    found = [(i, leaf, leaf.measure) for i, leaf in leaves if isinstance(leaf.measure, Elapsed)]
    for n, (start, end, where) in enumerate(dict.fromkeys((one.start, one.end, one.rows.where) for _, _, one in found)):
        asked = [(i, leaf, one) for i, leaf, one in found if (one.start, one.end, one.rows.where) == (start, end, where)]
        rows, cells = rows_of(question, table, where, (start, end))
        filled = [rows.cell(name).is_(exp.null()).not_() for name in (start, end)]
        name = f"duration_cells_{table}_{n}"
        cells = cells.select(_microseconds(rows, start, end).as_("value"), copy=False).where(*filled, copy=False)
        apart.make(name, cells, f"times between cells of {table}")
        for frame in distinct_frames(frame_of(leaf) for _, leaf, _ in asked):
            looks = Looks(question, table, frame, frames.index(frame), rows.superseded)
            pairs = looks.pairs(name, ("value",))
            here = [(i, one) for i, leaf, one in asked if frame_of(leaf) == frame]
            _add_ranked(apart, pairs, f"duration_{table}_{n}_{looks.place}", [one for one in here if one[1].statistic == "quantile"])
            _add_summed(apart, pairs, f"duration_{table}_{n}_{looks.place}", [one for one in here if one[1].statistic != "quantile"])


def _microseconds(rows: Source, start: str, end: str) -> exp.Expr:
    """From one cell to the other; where either is a day, by the days on which they lie."""
    instants = all(rows.kinds[name] == "instant" for name in (start, end))
    first, last = (rows.cell(name) if instants else rows.value(name) for name in (start, end))
    between = exp.paren(exp.Sub(this=exp.cast(last, "bigint"), expression=exp.cast(first, "bigint")))
    return between if instants else exp.Mul(this=between, expression=number(DAY_MICROSECONDS))


def _add_ranked(apart: Apart, pairs: exp.Select, name: str, asked: Sequence[tuple[int, Elapsed]]) -> None:
    """Percentiles, by the unit of time."""
    units: dict[Unit, None] = dict.fromkeys(one.unit for _, one in asked)
    for unit in units:
        made = f"{name}_{unit}"
        times = exp.select("unit", f"{_in_units('value', unit)} AS value").from_(pairs.copy().subquery("pairs", copy=False))
        qs = {i: int(ten_thousandths(one.q)) for i, one in asked if one.unit == unit}
        apart.make(made, picked_by_unit(times, qs), "percentiles of times")
        apart.by_unit.append(made)
        apart.values |= {i: {"m": exp.column(f"q{i}", table=made)} for i in qs}


def _add_summed(apart: Apart, pairs: exp.Select, name: str, asked: Sequence[tuple[int, Elapsed]]) -> None:
    """Sums, means and extremes."""
    if not asked:
        return
    found = exp.select("unit", "MIN(value) AS least", "MAX(value) AS greatest", "COUNT(*) AS n")
    found = found.select("SUM(CAST(value AS DECIMAL(38, 0))) AS total").from_(pairs.copy().subquery("pairs", copy=False)).group_by("unit")
    times = exp.select("unit")
    for i, one in asked:
        times = times.select(_statistic(one).as_(f"m{i}"), copy=False)
        apart.values[i] = {"m": exp.column(f"m{i}", table=name)}
    apart.make(name, times.from_(found.subquery("sums", copy=False)), "sums of times")
    apart.by_unit.append(name)


def _statistic(measure: Elapsed) -> exp.Expr:
    match measure.statistic:
        case "minimum" | "maximum":
            return exp.condition(_in_units("least" if measure.statistic == "minimum" else "greatest", measure.unit))
        case "sum" | "average" | "quantile":
            times = "" if measure.statistic == "sum" else " * n"
            size = exp.condition(f"CAST({MICROSECONDS[measure.unit]}{times} AS DOUBLE)")
            return exp.Div(this=exp.paren(as_double(exp.column("total"))), expression=size, typed=True)


def _in_units(value: str, unit: Unit) -> str:
    return f"CAST({value} AS DOUBLE) / CAST({MICROSECONDS[unit]} AS DOUBLE)"

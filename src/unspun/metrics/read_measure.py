"""Measures of metrics.yml: the node that a word makes of rows, with what is said beside them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import cast

from unspun.book.mapping.yaml_checks import YamlChecks, listed
from unspun.book.mapping.yaml_nodes import YamlPath
from unspun.metrics.fields import DAYS, ELAPSED_FIELDS, OF_A_COLUMN, OF_ELAPSED, PART_FIELDS
from unspun.metrics.forms import COLUMN_HINT, is_column, printable
from unspun.metrics.measure_nodes import MEDIAN, Every, Gives, Run, Statistic, Typical, Unit
from unspun.metrics.nodes import (
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
from unspun.metrics.read_condition import read_condition

OF_ROWS = {
    "count": Count, "active_days": ActiveDays, "days_since_last": DaysSinceLast, "days_since_first": DaysSinceFirst,
    "days_to_first": DaysToFirst, "streak": Streak, "time_between": TimeBetween,
}  # fmt: skip
OF_COLUMNS = {
    "sum": Sum, "average": Average, "min": Minimum, "max": Maximum, "distinct": Distinct, "last": LastValue, "median": Quantile,
    "user_days": UserDays,
}  # fmt: skip
NEEDED: dict[str, tuple[str, ...]] = {"percentile": ("of", "q"), "streak": ("of",), "time_between": ("of",), "funnel": ("of", "steps")}
"""What has to be said of a measure that is written as a mapping."""


@dataclass(frozen=True, slots=True)
class MeasureForm:
    """How a measure is written: its table or `table.column`, where that stands, and the node that it makes of rows and a column."""

    of: object
    at: YamlPath
    make: Callable[[Rows, str], Measure]
    of_column: bool


def read_form(checks: YamlChecks, path: YamlPath, kind: str, value: object) -> MeasureForm | None:
    """The form of a measure; None where something is at fault, which `checks` then keeps."""
    if kind in OF_ELAPSED and isinstance(value, dict) and (kind != "percentile" or {"from", "to", "unit"} & {*value}):
        return _elapsed(checks, path, kind, cast("dict[str, object]", value))
    if kind not in NEEDED or (kind in OF_ROWS and not isinstance(value, dict)):
        of_rows = kind in OF_ROWS
        return MeasureForm(
            value, path, lambda rows, column: OF_ROWS[kind](rows) if of_rows else OF_COLUMNS[kind](rows, column), not of_rows
        )
    given = checks.fields(path, value, PART_FIELDS[kind])
    if not isinstance(value, dict) or not has_all(checks, path, value, NEEDED[kind]):
        return None
    make = _with_options(checks, path, kind, given)
    return None if make is None or "of" not in given else MeasureForm(given["of"], (*path, "of"), make, kind in OF_A_COLUMN)


def _elapsed(checks: YamlChecks, path: YamlPath, kind: str, value: dict[str, object]) -> MeasureForm | None:
    """The time between two cells in place of a column."""
    ranked = {"q": PART_FIELDS["percentile"]["q"]} if kind == "percentile" else {}
    given = checks.fields(path, value, ELAPSED_FIELDS | ranked)
    complete = has_all(checks, path, value, ("of", "from", "to", *ranked))
    unit = _choice(checks, path, given, "unit", ("hours", "minutes", "days"))
    names = [_column(checks, (*path, name), given[name]) for name in ("from", "to") if name in given]
    q = _number(checks, (*path, "q"), given["q"]) if "q" in given else MEDIAN
    if not complete or "of" not in given or unit is None or q is None or None in names or len(names) < 2:
        return None
    start, end = (str(name) for name in names)
    statistic = cast("Statistic", OF_ELAPSED[kind])
    return MeasureForm(given["of"], (*path, "of"), lambda rows, _: Elapsed(rows, start, end, cast("Unit", unit), statistic, q), False)


def _column(checks: YamlChecks, path: YamlPath, value: object) -> str | None:
    if isinstance(value, str) and is_column(value):
        return value
    told = printable(value) if isinstance(value, str) else told_kind(value)
    checks.fault("bad_column", f"'{path[-1]}' is {told}; it must name a column.", path, COLUMN_HINT)
    return None


def has_all(checks: YamlChecks, path: YamlPath, value: object, words: Collection[str]) -> bool:
    """Whether a mapping has all of some words; a fault where it lacks some."""
    missing = [name for name in words if isinstance(value, dict) and name not in value]
    if missing:
        checks.fault("missing_key", f"'{path[-1]}' lacks {listed(missing)}.", path, f"It needs {listed([f'`{word}`' for word in words])}.")
    return not missing


def read_days(checks: YamlChecks, path: YamlPath, value: object) -> int | None:
    """A number of days: 28, 28d or 4w; None where it is none, which is a fault unless it is empty."""
    found = DAYS.fullmatch(value) if isinstance(value, str) else None
    if found is not None:
        return int(found[1]) * (7 if found[2] == "w" else 1)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if value is not None:
        told = printable(value) if isinstance(value, str) else told_kind(value)
        checks.fault("bad_days", f"{told} is no number of days.", path, "Write 28, 28d or 4w.")
    return None


def told_kind(value: object) -> str:
    """What a value of a file is, as a message calls it."""
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return "true or false"
    return "empty" if value is None or not str(value).strip() else "text" if isinstance(value, str) else "a number"


def _with_options(checks: YamlChecks, path: YamlPath, kind: str, given: dict[str, object]) -> Callable[[Rows, str], Measure] | None:
    match kind:
        case "percentile":
            q = _number(checks, (*path, "q"), given["q"]) if "q" in given else None
            return None if q is None else lambda rows, column: Quantile(rows, column, q)
        case "streak":
            return _streak(checks, path, given)
        case "time_between":
            typical = _choice(checks, path, given, "as", ("average", "median"))
            return None if typical is None else lambda rows, _: TimeBetween(rows, cast("Typical", typical))
        case _:
            return _funnel(checks, path, given)


def _number(checks: YamlChecks, path: YamlPath, q: object) -> float | None:
    if isinstance(q, int | float) and not isinstance(q, bool):
        return q
    checks.fault("bad_quantile", f"'q' is {told_kind(q)}; it must be a number.", path, "Write 0.9 for the 90th percentile.")
    return None


def _streak(checks: YamlChecks, path: YamlPath, given: dict[str, object]) -> Callable[[Rows, str], Measure] | None:
    run = _choice(checks, path, given, "run", ("longest", "current"))
    every = _choice(checks, path, given, "every", ("day", "week"))
    grace = given.get("grace", False)
    if not isinstance(grace, bool):
        checks.fault("not_a_flag", f"'grace' is {told_kind(grace)}; it must be true or false.", (*path, "grace"), "Write `grace: true`.")
        return None
    if run is None or every is None:
        return None
    return lambda rows, _: Streak(rows, cast("Run", run), cast("Every", every), grace)


def _funnel(checks: YamlChecks, path: YamlPath, given: dict[str, object]) -> Callable[[Rows, str], Measure] | None:
    gives = _choice(checks, path, given, "as", ("steps", "days"))
    table = given.get("of")
    items = checks.items((*path, "steps"), given["steps"]) if "steps" in given else []
    steps = [read_condition(checks, (*path, "steps", i), one, table if isinstance(table, str) else "") for i, one in enumerate(items)]
    held = tuple(step for step in steps if step is not None)
    within = read_days(checks, (*path, "within"), given.get("within"))
    complete = isinstance(given.get("steps"), list) and len(held) == len(steps)
    if gives is None or not complete or (within is None and "within" in given):
        return None
    return lambda rows, _: Funnel(rows, held, within, cast("Gives", gives))


def _choice(checks: YamlChecks, path: YamlPath, given: dict[str, object], name: str, words: tuple[str, ...]) -> str | None:
    """One of some words, the first where none is given."""
    found = checks.choice((*path, name), given[name], words) if name in given else words[0]
    return found if found in words else None

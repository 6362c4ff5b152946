"""Measures of metrics.yml: the node that a word makes of rows, with what is said beside them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import cast

from unspun.book.mapping.yaml_checks import YamlChecks, listed
from unspun.book.mapping.yaml_nodes import YamlPath
from unspun.metrics.fields import DAYS, PART_FIELDS
from unspun.metrics.forms import printable
from unspun.metrics.measure_nodes import Every, Gives, Run, Typical
from unspun.metrics.nodes import (
    ActiveDays,
    Average,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    DaysToFirst,
    Distinct,
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
)
from unspun.metrics.read_condition import read_condition

OF_ROWS = {
    "count": Count, "active_days": ActiveDays, "days_since_last": DaysSinceLast, "days_since_first": DaysSinceFirst,
    "days_to_first": DaysToFirst, "streak": Streak, "time_between": TimeBetween,
}  # fmt: skip
OF_COLUMNS = {
    "sum": Sum, "average": Average, "min": Minimum, "max": Maximum, "distinct": Distinct, "last": LastValue, "median": Quantile,
}  # fmt: skip
NEEDED: dict[str, tuple[str, ...]] = {"percentile": ("of", "q"), "streak": ("of",), "time_between": ("of",), "funnel": ("of", "steps")}
"""What has to be said of a measure that is written as a mapping."""


@dataclass(frozen=True, slots=True)
class MeasureForm:
    """How a measure is written: its table or `table.column`, where that stands, and the node that it makes of rows and a column."""

    of: object
    at: YamlPath
    make: Callable[[Rows, str], Measure]


def read_form(checks: YamlChecks, path: YamlPath, kind: str, value: object) -> MeasureForm | None:
    """The form of a measure; None where something is at fault, which `checks` then keeps."""
    if kind not in NEEDED or (kind in OF_ROWS and not isinstance(value, dict)):
        return MeasureForm(value, path, lambda rows, column: OF_ROWS[kind](rows) if kind in OF_ROWS else OF_COLUMNS[kind](rows, column))
    given = checks.fields(path, value, PART_FIELDS[kind])
    if not isinstance(value, dict) or not has_all(checks, path, value, NEEDED[kind]):
        return None
    make = _with_options(checks, path, kind, given)
    return None if make is None or "of" not in given else MeasureForm(given["of"], (*path, "of"), make)


def has_all(checks: YamlChecks, path: YamlPath, value: object, words: Collection[str]) -> bool:
    """Whether a mapping has all of some words; a fault where it lacks some."""
    missing = [name for name in words if isinstance(value, dict) and name not in value]
    if missing:
        checks.fault("missing_key", f"'{path[-1]}' lacks {listed(missing)}.", path, f"It is made of {listed(words)}.")
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
            return _percentile(checks, (*path, "q"), given["q"]) if "q" in given else None
        case "streak":
            return _streak(checks, path, given)
        case "time_between":
            typical = _choice(checks, path, given, "as", ("average", "median"))
            return None if typical is None else lambda rows, _: TimeBetween(rows, cast("Typical", typical))
        case _:
            return _funnel(checks, path, given)


def _percentile(checks: YamlChecks, path: YamlPath, q: object) -> Callable[[Rows, str], Measure] | None:
    if isinstance(q, int | float) and not isinstance(q, bool):
        return lambda rows, column: Quantile(rows, column, q if isinstance(q, int) else float(q))
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

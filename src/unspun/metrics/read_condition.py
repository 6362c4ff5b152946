"""`where` of metrics.yml: a condition on the rows of a table, with every fault at its line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TypeVar, cast

from unspun.book.columns import did_you_mean
from unspun.book.entities import TABLES
from unspun.book.mapping.yaml_checks import YamlChecks, listed
from unspun.book.mapping.yaml_nodes import YamlPath
from unspun.errors import BadInput
from unspun.metrics.conditions import (
    COMPARISONS,
    TEXT_TESTS,
    AllOf,
    AnyOf,
    Compare,
    Comparison,
    Condition,
    HasText,
    IsEmpty,
    IsIn,
    Not,
    Scalar,
    TextTest,
)
from unspun.metrics.fields import CONDITION_FIELDS, DAY, LOGIC_FIELDS
from unspun.metrics.forms import COLUMN_HINT, is_column, printable

T = TypeVar("T")
Fields = dict[str, object]


def made(checks: YamlChecks, path: YamlPath, make: Callable[[], T]) -> T | None:
    """What `make` makes; None, with its faults kept at the path's line, where it cannot be made."""
    try:
        return make()
    except BadInput as refusal:
        for fault in refusal.faults:
            checks.fault(fault.code, fault.message, path, fault.hint)
        return None


def read_condition(checks: YamlChecks, path: YamlPath, value: object, table: str) -> Condition | None:
    """The condition that a mapping tells; its parts must all hold. None where any of it is at fault."""
    given = checks.entries(path, value)
    if isinstance(value, dict) and not given:
        checks.fault("no_condition", "'where' is empty.", path, "Write `column: value`, or leave it out.")
    if "column" in given:
        return _together(checks, path, _explicit(checks, path, given, table))
    parts: list[Condition | None] = []
    for name, one in given.items():
        parts += (
            _logic(checks, (*path, name), name, one, table) if name in LOGIC_FIELDS else _column(checks, (*path, name), name, one, table)
        )
    return _together(checks, path, parts)


def _together(checks: YamlChecks, path: YamlPath, parts: list[Condition | None]) -> Condition | None:
    if not parts or None in parts:
        return None
    held = tuple(part for part in parts if part is not None)
    return held[0] if len(held) == 1 else made(checks, path, lambda: AllOf(held))


def _logic(checks: YamlChecks, path: YamlPath, name: str, value: object, table: str) -> list[Condition | None]:
    if name == "not":
        inner = read_condition(checks, path, value, table)
        return [None if inner is None else Not(inner)]
    items = [read_condition(checks, (*path, i), one, table) for i, one in enumerate(checks.items(path, value))]
    held = tuple(one for one in items if one is not None)
    if not isinstance(value, list) or len(held) < len(items):
        return [None]
    return [made(checks, path, lambda: AllOf(held) if name == "all" else AnyOf(held))]


def _explicit(checks: YamlChecks, path: YamlPath, given: Fields, table: str) -> list[Condition | None]:
    """`{column: NAME, is: ...}`: for columns that are called as a word of this place."""
    column = given["column"]
    tests = {name: one for name, one in given.items() if name != "column"}
    if not isinstance(column, str):
        hint = "A column's name is text; a column called `column` is written `{column: column, is: ...}`."
        checks.fault("bad_column", f"{printable(column)} is no column's name.", (*path, "column"), hint)
        return [None]
    return _column(checks, path, column, tests, table)


def _column(checks: YamlChecks, path: YamlPath, column: str, value: object, table: str) -> list[Condition | None]:
    """The conditions on one column: a value, a list of values, or a mapping of tests that must all hold."""
    if not is_column(column):
        checks.fault("bad_column", f"{printable(column)} can be no column.", path, COLUMN_HINT)
        return [None]
    if not isinstance(value, dict) or set(value) == {"day"}:
        return [_is_in(checks, path, column, value, table)]
    tests = cast("Fields", value)
    if not tests:
        checks.fault("no_condition", f"'{column}' has no test.", path, f"Write a value, or some of {listed(CONDITION_FIELDS)}.")
        return [None]
    return [part for name, one in tests.items() for part in _test(checks, (*path, name), column, name, one, table)]


def _test(checks: YamlChecks, path: YamlPath, column: str, name: str, value: object, table: str) -> list[Condition | None]:
    if name == "is":
        return [_is_in(checks, path, column, value, table)]
    if name == "not":
        inner = _is_in(checks, path, column, value, table)
        return [None if inner is None else Not(inner)]
    if name in COMPARISONS:
        return [_compare(checks, path, column, cast("Comparison", name), value)]
    if name == "between":
        return _between(checks, path, column, value)
    if name in TEXT_TESTS:
        return [_has_text(checks, path, column, cast("TextTest", name), value)]
    if name == "empty":
        return [_is_empty(checks, path, column, value)]
    hint = f"{did_you_mean(name, CONDITION_FIELDS)}Here stand {listed(CONDITION_FIELDS)}."
    checks.fault("unknown_key", f"{printable(name)} means nothing here.", path, hint)
    return [None]


def _is_in(checks: YamlChecks, path: YamlPath, column: str, value: object, table: str) -> Condition | None:
    values = read_values(checks, path, value, in_days=_is_of_days(table, column))
    return None if values is None else made(checks, path, lambda: IsIn(column, values))


def _compare(checks: YamlChecks, path: YamlPath, column: str, comparison: Comparison, value: object) -> Condition | None:
    bound = read_bound(checks, path, value)
    return None if bound is None else made(checks, path, lambda: Compare(column, comparison, bound))


def _between(checks: YamlChecks, path: YamlPath, column: str, value: object) -> list[Condition | None]:
    items = checks.items(path, value)
    if isinstance(value, list) and len(items) != 2:
        checks.fault("bad_between", "'between' takes two bounds.", path, "Write [least, greatest].")
        return [None]
    low, high = (read_bound(checks, (*path, i), one) for i, one in enumerate(items)) if items else (None, None)
    if low is None or high is None:
        return [None]
    if isinstance(low, date) != isinstance(high, date) or (not isinstance(low, date) and not isinstance(high, date) and low > high):
        checks.fault("empty_range", "nothing can lie between the two.", path, "Write the lesser first, both of one kind.")
        return [None]
    if isinstance(low, date) and isinstance(high, date) and low > high:
        checks.fault("empty_range", "nothing can lie between the two days.", path, "Write the earlier first.")
        return [None]
    return [made(checks, path, lambda: Compare(column, "at_least", low)), made(checks, path, lambda: Compare(column, "at_most", high))]


def _has_text(checks: YamlChecks, path: YamlPath, column: str, test: TextTest, value: object) -> Condition | None:
    if not isinstance(value, str):
        hint = f'Put it in quotes: "{value}".' if isinstance(value, int | float) else "Write one text."
        checks.fault("not_text", f"'{test}' is no text.", path, hint)
        return None
    return made(checks, path, lambda: HasText(column, test, value))


def _is_empty(checks: YamlChecks, path: YamlPath, column: str, value: object) -> Condition | None:
    if not isinstance(value, bool):
        checks.fault("not_a_flag", "'empty' must be true or false.", path, "Write `empty: true`.")
        return None
    return IsEmpty(column) if value else Not(IsEmpty(column))


def read_values(checks: YamlChecks, path: YamlPath, value: object, in_days: bool = False) -> tuple[Scalar, ...] | None:
    """A value, or a list of them. `in_days`: of a column of days, where text such as 2026-01-31 is a day."""
    if not isinstance(value, list):
        one = _scalar(checks, path, value, in_days)
        return None if one is None else (one,)
    items = cast("list[object]", value)
    if not items:
        checks.fault("no_values", "an empty list: nothing is one of no values.", path, "List the values, or leave it out.")
    found = [_scalar(checks, (*path, i), one, in_days) for i, one in enumerate(items)]
    held = tuple(one for one in found if one is not None)
    return held if held and len(held) == len(found) else None


def _scalar(checks: YamlChecks, path: YamlPath, value: object, in_days: bool) -> Scalar | None:
    if isinstance(value, dict) and set(value) == {"day"}:
        return _day(checks, path, cast("Fields", value)["day"])
    if isinstance(value, str):
        return _as_day(value) or value if in_days else value
    if isinstance(value, bool | int | float):
        return value
    hint = (
        "For a cell that is empty write `{empty: true}`." if value is None else "Write text, a number, true, false, or {day: 2026-01-31}."
    )
    checks.fault("bad_value", f"{_told(value)} is nothing to compare with.", path, hint)
    return None


def _day(checks: YamlChecks, path: YamlPath, value: object) -> date | None:
    day = _as_day(value) if isinstance(value, str) else None
    if day is None:
        checks.fault("bad_day", f"{printable(value)} is no day.", path, "Write it as 2026-01-31.")
    return day


def read_bound(checks: YamlChecks, path: YamlPath, value: object) -> int | float | date | None:
    """A number or a day."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    inner = cast("Fields", value)["day"] if isinstance(value, dict) and set(value) == {"day"} else value
    day = _as_day(inner) if isinstance(inner, str) else None
    if day is None:
        what = printable(value) if isinstance(value, str) else _told(value)
        checks.fault("bad_bound", f"{what} is no number and no day.", path, "Write a number, or a day as 2026-01-31.")
    return day


def _as_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if DAY.fullmatch(text) else None
    except ValueError:
        return None


def _is_of_days(table: str, column: str) -> bool:
    """Whether a standard column holds days or times."""
    entity = next((one for one in TABLES.values() if one.name == table), None)
    standard = None if entity is None else entity.column(column)
    return standard is not None and standard.kind in ("day", "instant")


def _told(value: object) -> str:
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return "an empty value" if value is None else printable(value)

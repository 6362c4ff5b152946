"""Single values of `contracts` in book.yml, each read as what its word asks for; what is not becomes a fault at its line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import get_args

import pyarrow as pa
import pyarrow.compute as pc

from unspun.book.entities import TABLES, Kind
from unspun.book.mapping.contract_definition import DayBound, Wanted
from unspun.book.mapping.contract_fields import AGE, DAY, FORMS, HOURS, LONGEST_LENGTH, RELATIVE_DAY, SHARE, TARGET
from unspun.book.mapping.yaml_checks import YamlChecks, listed
from unspun.book.mapping.yaml_nodes import YamlPath

DAY_HINT = "Write a number, a day as 2026-01-31, or `today`, `today + 30 days`, `today - 2 years`."
GREATEST_BOUND = 10**15
TYPES: tuple[str, ...] = (*get_args(Kind), *FORMS)


def read_wanted(checks: YamlChecks, path: YamlPath, value: object) -> Wanted | None:
    """What a rule on a column asks for; the rule is the last step of the path. None where it asks for nothing, or is at fault."""
    rule = path[-1]
    if rule == "required":
        return _required(checks, path, value)
    if rule == "type":
        return checks.choice(path, value, TYPES)
    if rule in ("min", "max"):
        return _bound(checks, path, value)
    if rule in ("min_length", "max_length"):
        return read_whole(checks, path, value, 0, LONGEST_LENGTH)
    if rule == "one_of":
        return _values(checks, path, value)
    return _pattern(checks, path, value) if rule == "matches" else _target(checks, path, value)


def _required(checks: YamlChecks, path: YamlPath, value: object) -> bool | None:
    if isinstance(value, bool):
        return value or None
    checks.fault("not_a_flag", f"'{path[-1]}' must be true or false.", path, "Write `required: true`.")
    return None


def _bound(checks: YamlChecks, path: YamlPath, value: object) -> int | float | DayBound | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= GREATEST_BOUND:
        return value
    text = value if isinstance(value, str) else ""
    if DAY.fullmatch(text) and (day := _day(text)) is not None:
        return DayBound(day)
    found = RELATIVE_DAY.fullmatch(text)
    if found is None:
        checks.fault("bad_bound", f"'{value}' is no number and no day.", path, DAY_HINT)
        return None
    sign, number, unit = found.groups()
    count = int(number or 0) * (-1 if sign == "-" else 1)
    if unit in ("month", "year"):
        return DayBound(months=count * (12 if unit == "year" else 1))
    return DayBound(days=count * (7 if unit == "week" else 1))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _values(checks: YamlChecks, path: YamlPath, value: object) -> tuple[str | int | float, ...] | None:
    items = checks.items(path, value)
    found: list[str | int | float] = []
    for i, one in enumerate(items):
        if isinstance(one, bool) or not isinstance(one, str | int | float) or not str(one).strip():
            checks.fault(
                "bad_value", f"item {i + 1} of 'one_of' is no text and no number.", (*path, i), "Put words such as true in quotes."
            )
        elif one in found:
            checks.fault("given_twice", f"'{one}' stands twice in 'one_of'.", (*path, i), "Remove one.")
        else:
            found.append(one)
    if isinstance(value, list) and not items:
        checks.fault("no_values", "'one_of' is an empty list.", path, "List the values that there are.")
    if len({isinstance(one, str) for one in found}) > 1:
        checks.fault("mixed_values", "'one_of' has texts and numbers.", path, "Put the numbers in quotes where the column is text.")
        return None
    return tuple(found) or None


def _pattern(checks: YamlChecks, path: YamlPath, value: object) -> str | None:
    text = checks.text(path, value)
    if text is None:
        return None
    try:
        pc.call_function("match_substring_regex", [pa.array([""])], pc.MatchSubstringOptions(text))
    except pa.ArrowInvalid as error:
        why = str(error).rpartition("Invalid regular expression: ")[2]
        hint = "It is read as RE2 does: without backreferences and look-around. Put it in single quotes, so that \\ stays as it is."
        checks.fault("bad_regular_expression", f"'{text}' is no regular expression ({why}).", path, hint)
        return None
    return text


def _target(checks: YamlChecks, path: YamlPath, value: object) -> str | None:
    text = checks.text(path, value)
    if text is None:
        return None
    if TARGET.fullmatch(text):
        table = checks.choice(path, text.partition(".")[0], tuple(TABLES))
        return None if table is None else text
    checks.fault("bad_reference", f"'{text}' is no `table.column`.", path, "Write it as accounts.account_id.")
    return None


def read_whole(checks: YamlChecks, path: YamlPath, value: object, least: int, most: int) -> int | None:
    """A whole number within bounds."""
    if isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most and value == int(value):
        return int(value)
    checks.fault("not_whole", f"'{path[-1]}' must be a whole number from {least:,} to {most:,}.", path)
    return None


def read_share(checks: YamlChecks, path: YamlPath, value: object) -> float:
    """A share below 1, as a number or in per cent; 0 where it is at fault."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1:
        return float(value)
    found = SHARE.fullmatch(value) if isinstance(value, str) else None
    if found is not None:
        return float(Decimal(found[1]) / 100)
    checks.fault("bad_share", f"'{value}' is no share below 1.", path, "Write 0.02 or 2 %.")
    return 0.0


def read_age(checks: YamlChecks, path: YamlPath, value: object) -> float | None:
    """Hours."""
    found = AGE.fullmatch(value) if isinstance(value, str) else None
    if found is not None and float(found[1]) > 0:
        return float(found[1]) * HOURS[found[2]]
    checks.fault("bad_age", f"'{value}' is no age.", path, "Write 36 hours, 2 days or 1 week.")
    return None


def read_factor(checks: YamlChecks, path: YamlPath, value: object) -> float | None:
    """A number above 1."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 1 < value <= 1_000:
        return float(value)
    checks.fault("bad_factor", "'factor' must be a number above 1, and 1,000 at most.", path, "Write 2 for half to double.")
    return None


def read_choices(checks: YamlChecks, path: YamlPath, value: object, choices: Sequence[str]) -> tuple[str, ...]:
    """Some of the words, none of them twice."""
    words = checks.texts(path, value)
    for word in words:
        if word not in choices:
            checks.fault(f"unknown_{path[-1]}", f"'{word}' is none of {path[-1]}.", path, f"They are {listed(choices)}.")
    if not words and isinstance(value, list):
        checks.fault("no_values", f"'{path[-1]}' is an empty list.", path, "Leave it out where all count.")
    return tuple(word for word in words if word in choices)

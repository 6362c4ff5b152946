"""`by` of a metric: it stands for one metric more for each value of a column, and one for all other values.

    logins_28d:
      description: Logins.
      count: events
      window: 28d
      by: {column: platform, values: [web, iOS app], other: true}

declares `logins_28d`, `logins_28d_web`, `logins_28d_ios_app` and `logins_28d_other`. The last holds the rows without a value too, so that
counts by value add up to that of all rows.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import cast

from unspun.book.mapping.yaml_checks import YamlChecks
from unspun.book.mapping.yaml_nodes import YamlPath
from unspun.errors import BadInput
from unspun.metrics.conditions import AllOf, Condition, IsIn, Not, Scalar
from unspun.metrics.fields import BY_FIELDS
from unspun.metrics.forms import COLUMN_HINT, is_column, printable
from unspun.metrics.metric import Metric
from unspun.metrics.nodes import MEASURES, Open, Series
from unspun.metrics.read_condition import made, read_values
from unspun.metrics.read_measure import told_kind
from unspun.metrics.words import condition_words

BY = "by"
OTHER = "other"
MOST_VALUES = 100
SUFFIX = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Split:
    """A column, and by the end of an id the values for which there is a metric of their own."""

    column: str
    values: Mapping[str, tuple[Scalar, ...]]
    other: bool

    def conditions(self) -> Iterator[tuple[str, Condition]]:
        """By the end of an id: which rows count."""
        for suffix, values in self.values.items():
            yield suffix, IsIn(self.column, values)
        if self.other:
            yield OTHER, Not(IsIn(self.column, tuple(value for values in self.values.values() for value in values)))


def read_split(checks: YamlChecks, path: YamlPath, value: object) -> Split | None:
    """The `by` of a metric; None where something is at fault, which `checks` then keeps."""
    given = checks.fields(path, value, BY_FIELDS)
    missing = [name for name in ("column", "values") if isinstance(value, dict) and name not in value]
    if missing:
        checks.fault("missing_key", f"'by' lacks {' and '.join(missing)}.", path, "As in `by: {column: event, values: [login, export]}`.")
    column, other = given.get("column"), given.get(OTHER, False)
    if column is not None and not (isinstance(column, str) and is_column(column)):
        checks.fault("bad_column", f"'column' is {told_kind(column)}; it must name a column.", (*path, "column"), COLUMN_HINT)
    if not isinstance(other, bool):
        checks.fault("not_a_flag", f"'other' is {told_kind(other)}; it must be true or false.", (*path, OTHER), "Write `other: true`.")
    values = _values(checks, (*path, "values"), given["values"]) if "values" in given else None
    if not isinstance(column, str) or not is_column(column) or not isinstance(other, bool) or values is None:
        return None
    if other and OTHER in values:
        checks.fault("bad_by", "'other' is a value and stands for all other values as well.", path, "Name the value: `{rest: other}`.")
        return None
    every = tuple(dict.fromkeys(value for some in values.values() for value in some))
    return None if made(checks, (*path, "values"), lambda: IsIn(column, every)) is None else Split(column, values, other)


def metrics_of(checks: YamlChecks, path: YamlPath, metric: Metric, split: Split) -> list[Metric]:
    """The metrics that a metric stands for: itself over all rows, and one for each value."""
    found = [metric]
    for suffix, condition in split.conditions():
        series = _narrowed(metric.series, condition)
        if series is None:
            hint = "Take it of a measure that is written out, and name the metrics that it makes."
            checks.fault("bad_by", f"'{metric.id}' is not of rows that could be told apart by a column.", path, hint)
            return found
        told = f"{_as_sentence(metric.description)}Only rows where {condition_words(condition)}."
        name = f"{metric.name}: {suffix.replace('_', ' ')}" if metric.name else ""
        try:
            found.append(replace(metric, id=f"{metric.id}_{suffix}", series=series, name=name, description=told))
        except BadInput as refusal:
            for fault in refusal.faults:
                checks.fault(fault.code, fault.message, path, fault.hint)
    return found


def _as_sentence(text: str) -> str:
    """A text after which another sentence can stand."""
    said = text.rstrip()
    return f"{said} " if not said or said[-1] in ".!?" else f"{said}. "


def _narrowed(series: Series, condition: Condition) -> Series | None:
    """A series over those of its rows that fit a condition too."""
    if isinstance(series, Open):
        return replace(series, where=_both(series.where, condition))
    if isinstance(series, MEASURES):
        return replace(series, rows=replace(series.rows, where=_both(series.rows.where, condition)))
    return None


def _both(where: Condition | None, condition: Condition) -> Condition:
    return condition if where is None else AllOf((where, condition))


def _values(checks: YamlChecks, path: YamlPath, value: object) -> dict[str, tuple[Scalar, ...]] | None:
    """The values by the ends of ids: of a list made of the values, of a mapping as they are given."""
    named: list[tuple[str, tuple[Scalar, ...] | None]] = []
    if isinstance(value, dict):
        for suffix, one in cast("dict[str, object]", value).items():
            if not SUFFIX.fullmatch(suffix):
                hint = "It has a to z, digits and single underscores."
                checks.fault("bad_id", f"{printable(suffix)} can be no end of an id.", (*path, suffix), hint)
            named.append((suffix, read_values(checks, (*path, suffix), one)))
    else:
        found = read_values(checks, path, value)
        named = [("", None)] if found is None else [(_suffix(one), (one,)) for one in found]
    held = {suffix: values for suffix, values in named if values is not None and SUFFIX.fullmatch(suffix)}
    if any(values is None for _, values in named):
        return None
    if not 1 <= len(named) <= MOST_VALUES:
        checks.fault("bad_by", f"{len(named):,} values: 1 to {MOST_VALUES} can be.", path, "Those of the most rows, and `other: true`.")
        return None
    twice = [suffix for suffix, times in Counter(suffix for suffix, _ in named).items() if times > 1 or not suffix]
    if twice:
        told = printable(twice[0])
        hint = "Give them names, as in `values: {web: Web, ios: [iOS, iPadOS]}`."
        checks.fault("bad_by", f"two values, or one without letters and digits, would make an id that ends with {told}.", path, hint)
        return None
    return held if len(held) == len(named) else None


def _suffix(value: Scalar) -> str:
    """The end of an id that a value makes: its letters, without accents, and digits."""
    text = value.isoformat() if isinstance(value, date) else str(value).lower()
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "_".join(re.findall(r"[a-z0-9]+", plain.lower()))

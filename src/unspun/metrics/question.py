"""What a panel is asked: metrics, as-of dates, and what has to be known of the book to put the question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from unspun.book.checks.finding import Span
from unspun.book.entities import Kind
from unspun.metrics.asof import AsOf
from unspun.metrics.metric import MetricSet


@dataclass(frozen=True, slots=True)
class HeldTable:
    """A table that the book holds: its data columns (standard and own) by kind, its key, whether rows have several versions, how many rows
    there are, and (of accounts, contacts) the columns declared `fixed`."""

    columns: Mapping[str, Kind]
    key: tuple[str, ...] = ()
    several_versions: bool = False
    rows: int = 0
    fixed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptValues:
    """The table (or view) `name` of the values of a column that is kept: `account_id`, `value`, `seen`, and masks of days, whose columns
    are `columns`. `corrected` is the table of the row versions of those days of accounts that the masks are without ("": there are none).
    See `lower/value_state.py`."""

    name: str
    columns: frozenset[str]
    corrected: str = ""


@dataclass(frozen=True, slots=True)
class KeptTable:
    """What is kept of the rows of a table, to be read in their place: by account and day in the table (or view) `days`, whose columns are
    `columns`; `values` by column. See `lower/day_state.py`."""

    days: str
    columns: frozenset[str]
    values: Mapping[str, KeptValues] = field(default_factory=dict[str, "KeptValues"])


@dataclass(frozen=True, slots=True)
class PanelQuestion:
    """Metrics `asked` (ids, in the order of the columns) of `metrics`, on `as_of`.

    `tables` are those that hold rows. `outages` are the recorded tracking spans, by table, that nobody has accepted. `received` gives the
    day on which each load was received. `ends_inclusive`: whether `ended` of a term is its last day. `grace_days`: after a term has ended,
    an account has left once so many days have passed without another. `kept` are tables of which something is kept that is to be read in
    place of their rows: the answer is the same.
    """

    metrics: MetricSet
    asked: tuple[str, ...]
    as_of: AsOf
    tables: Mapping[str, HeldTable]
    time_zone: str = "UTC"
    fiscal_year_starts: int = 1
    outages: Mapping[str, tuple[Span, ...]] = field(default_factory=dict[str, "tuple[Span, ...]"])
    received: Mapping[int, date] = field(default_factory=dict[int, date])
    ends_inclusive: bool = False
    grace_days: int = 7
    kept: Mapping[str, KeptTable] = field(default_factory=dict[str, "KeptTable"])

"""What lowering gives: the steps and the query that compute a panel, and the small tables that they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

import pyarrow as pa
from sqlglot import exp

from unspun.metrics.lower.sheet import Sheet
from unspun.metrics.nodes import Measure


@dataclass(frozen=True, slots=True)
class Step:
    """A temporary table: its name and the query that fills it. `note` says what it holds, for progress and explanations.

    A query over a `sheet` is run for slices of it, one after another.
    """

    name: str
    query: exp.Query
    note: str
    sheet: Sheet | None = None


class Keepable(Protocol):
    """Something that may be kept of the rows of a table, file by file: `columns` (a name tells all that a column means; one that stands for
    several is the part of their names before the `_`), by `keys`. `column`: of whose values it is; "": of the rows by day. It is made of
    the `columns_read` of rows; `day` is that on which one happened."""

    @property
    def table(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def column(self) -> str: ...
    @property
    def time_zone(self) -> str: ...
    @property
    def keys(self) -> tuple[str, ...]: ...
    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def columns_read(self) -> tuple[str, ...]: ...
    @property
    def day(self) -> exp.Expr: ...

    def meaning(self) -> str:
        """All that it depends on besides the rows, its columns and the rules of the time zone."""
        ...

    def is_kept_of(self, first: date, last: date) -> bool:
        """Whether it is worth to keep it of rows that happened from one day to another."""
        ...

    def query(self, columns: Sequence[str], first: date, last: date, known: date) -> exp.Select:
        """Some of the columns, by the keys, of rows of `{table}_versions` that happened from `first` to `last`, known by `known`."""
        ...

    def without(self, kept: str, days: str, columns: Sequence[str]) -> exp.Select:
        """What the table `kept` has in its columns but for the days of accounts in the table `days` (`account_id`, `day`)."""
        ...

    def of_versions(self, columns: Sequence[str], known: date) -> exp.Select | None:
        """Some of the columns, by the keys and until when they are seen, of rows of `{table}_versions` that have several versions, known
        by `known`; None: what reads it reads such rows itself."""
        ...


@dataclass(frozen=True, slots=True)
class PanelPlan:
    """How a panel is computed: `inputs` are registered as tables, each step is made into a temporary table, in order, and `result` is the
    panel, in the order of its rows.

    A panel is wide, and sorting it whole costs more than computing it. `slice` gives those of its rows whose `place` (the last column, 0
    the first row) is at least the first parameter and less than the second, in any order, and reasons by their numbers in
    `missing.REASON_CODES`; `row_count` how many rows there are. `keepable` is what could be kept of tables and read in place of their
    rows, by a question that says that it is there (`kept`). Columns of the panel that are the same come once in `slice`: `same` gives for
    each of the others the name of its like. `sheet`: what `slice` is a query over, one slice at a time.
    """

    steps: tuple[Step, ...]
    result: exp.Query
    inputs: Mapping[str, pa.Table]
    slice: exp.Query
    row_count: exp.Query
    keepable: tuple[Keepable, ...] = ()
    same: Mapping[str, str] = field(default_factory=dict[str, str])
    sheet: Sheet | None = None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A measure whose windows end `shift_days` before the as-of date."""

    measure: Measure
    shift_days: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What is to be known of the rows of a table that happened by `shift_days` before the as-of date: the first day of each account's,
    and the first and last of all accounts'."""

    table: str
    shift_days: int = 0

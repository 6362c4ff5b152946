"""What lowering gives: the steps and the query that compute a panel, and the small tables that they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
from sqlglot import exp

from unspun.metrics.nodes import Measure


@dataclass(frozen=True, slots=True)
class Step:
    """A temporary table: its name and the query that fills it. `note` says what it holds, for progress and explanations."""

    name: str
    query: exp.Query
    note: str


@dataclass(frozen=True, slots=True)
class PanelPlan:
    """How a panel is computed: `inputs` are registered as tables, each step is made into a temporary table, in order, and `result` is the
    panel, in the order of its rows.

    A panel is wide, and sorting it whole costs more than computing it. `slice` gives those of its rows whose `place` (the last column, 0
    the first row) is at least the first parameter and less than the second, in any order, and reasons by their numbers in
    `missing.REASON_CODES`; `row_count` how many rows there are.
    """

    steps: tuple[Step, ...]
    result: exp.Query
    inputs: Mapping[str, pa.Table]
    slice: exp.Query
    row_count: exp.Query


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

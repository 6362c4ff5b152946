"""A spec of the metric language: a few rows, one metric, as-of dates, and what it gives; and the engines that every spec runs on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from math import isclose
from textwrap import indent

import pyarrow as pa

from tests.spec.duckdb_engine import duckdb_panel, joined_panel
from tests.spec.postgres_engine import postgres_panel
from tests.spec.text_tables import Row, TextTable, cells_of, entity_of, row_versions, text_tables
from unspun.book.checks.finding import Span
from unspun.book.entities import Kind
from unspun.engines.reference import reference_panel
from unspun.metrics.asof import AsOf, BeforeRenewals, Dates
from unspun.metrics.kinds import SeriesKind, kind_of
from unspun.metrics.metric import MetricSet
from unspun.metrics.nodes import ZScore, walk
from unspun.metrics.question import HeldTable, PanelQuestion
from unspun.metrics.read_file import read_metrics

ARR_TABLE = "arr_as_of"
ASKED = "metric"
Rows = Mapping[str, Sequence[Row]]
Engine = Callable[[PanelQuestion, Rows], pa.Table]


@dataclass(frozen=True, slots=True)
class Spec:
    """What a metric gives. `teaches` says in a sentence what there is to learn from it.

    `metric` is its definition as in metrics.yml (the description aside), `beside` are other metrics that it names, `sources` what the
    file says of sources. `expected` has a line of as-of dates, then one for each account with its values; a reason in brackets where
    there is none; accounts that it does not name are not looked at. Before renewals the lines have the account and the due day, and the
    columns are days before it. Accounts that the spec says nothing of in `accounts` are in it all the same, since 2000. `extra` specs
    are run, and left out of the page.
    """

    teaches: str
    metric: str
    expected: str
    tables: str = ""
    beside: str = ""
    sources: str = ""
    time_zone: str = "UTC"
    fiscal_year_starts: int = 1
    ends_inclusive: bool = False
    fixed: tuple[str, ...] = ()
    key: tuple[str, ...] | None = None
    outages: Mapping[str, tuple[Span, ...]] = field(default_factory=dict[str, "tuple[Span, ...]"])
    received: Mapping[int, date] = field(default_factory=dict[int, date])
    extra: bool = False

    def metric_set(self) -> MetricSet:
        """The metrics of the spec; the one that it is about is called `metric`."""
        own = f"{ASKED}:\n  description: What the specification is about.\n{indent(self.metric.strip(), '  ')}\n{self.beside.strip()}"
        sources = f"sources:\n{indent(self.sources.strip(), '  ')}\n" if self.sources else ""
        return read_metrics(f"{sources}metrics:\n{indent(own, '  ')}\n").metrics

    def text_tables(self) -> tuple[TextTable, ...]:
        return text_tables(self.tables)

    def rows(self) -> dict[str, list[Row]]:
        """The row versions of every table, and of the accounts that `accounts` does not name."""
        rows: dict[str, list[Row]] = {}
        for source_file, table in enumerate(self.text_tables(), start=1):
            read = _arr(table) if table.name == ARR_TABLE else row_versions(table, source_file, self.time_zone)
            rows.setdefault(table.name, []).extend(read)
        named = {row["account_id"] for row in rows.get("accounts", ())}
        others = TextTable("accounts", ("account_id",), tuple((account,) for account in self.accounts() if account not in named))
        if others.cells:
            rows.setdefault("accounts", []).extend(row_versions(others, len(self.text_tables()) + 1, self.time_zone))
        return rows

    def accounts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(line[0] for line in self._expected_lines()[1]))

    def as_of(self) -> AsOf:
        head, lines = self._expected_lines()
        if head[1] != "due":
            return Dates(tuple(date.fromisoformat(day) for day in head[1:]))
        dues = tuple((account, date.fromisoformat(due)) for account, due, *_ in lines)
        return BeforeRenewals(dues, tuple(int(days) for days in head[2:]))

    def question(self) -> PanelQuestion:
        """The question that a panel of this one metric asks."""
        rows = self.rows()
        held = {name: self._held(name, rows[name]) for name in rows if name != ARR_TABLE}
        return PanelQuestion(
            metrics=self.metric_set(),
            asked=(ASKED,),
            as_of=self.as_of(),
            tables=held,
            time_zone=self.time_zone,
            fiscal_year_starts=self.fiscal_year_starts,
            outages=self.outages,
            received=self.received,
            ends_inclusive=self.ends_inclusive,
        )

    def expected_answers(self) -> list[str]:
        """What the rows of the panel show, in their order."""
        head, lines = self._expected_lines()
        if head[1] != "due":
            return [cell for line in sorted(lines) for cell in line[1:]]
        units = [
            (account, date.fromisoformat(due), int(days), cell)
            for account, due, *cells in lines
            for days, cell in zip(head[2:], cells, strict=True)
        ]
        units.sort(key=lambda unit: (unit[0], unit[1].toordinal() - unit[2], unit[1], -unit[2]))
        return [cell for *_, cell in units]

    def _expected_lines(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        head, *lines = map(cells_of, self.expected.strip().splitlines())
        assert all(len(line) == len(head) for line in lines), self.expected
        return head, lines

    def _held(self, name: str, rows: Sequence[Row]) -> HeldTable:
        entity = entity_of(name)
        columns: dict[str, Kind] = {"account_id": "text"}
        for table in self.text_tables():
            columns |= table.kinds() if table.name == name else {}
        key = self.key if self.key is not None else entity.key if set(entity.key) <= set(columns) else ()
        repeated = max(Counter(tuple(row[column] for column in key) for row in rows).values()) > 1 if key else False
        return HeldTable(columns, key, repeated, len(rows), self.fixed if entity.state else ())


def _arr(table: TextTable) -> Iterator[Row]:
    for account, as_of, arr, reason in table.cells:
        yield {"account_id": account, "as_of": date.fromisoformat(as_of), "arr": float(arr) if arr else None, "reason": reason or None}


def mismatches(spec: Spec, engine: Engine) -> list[str]:
    """Where an engine gives something else than the spec expects; one line for each row of the panel that differs."""
    question = spec.question()
    panel = engine(question, spec.rows())
    kind = kind_of(question.metrics.metric(ASKED).series, question.metrics, question.tables)
    expected, found = spec.expected_answers(), [row for row in panel.to_pylist() if row["account_id"] in spec.accounts()]
    if len(found) != len(expected):
        return [f"{len(found)} rows, and not {len(expected)}"]
    near = any(isinstance(one, ZScore) for metric in question.metrics for one in walk(metric.series))
    return [f"{row} and not {wanted}" for row, wanted in zip(found, expected, strict=True) if not _agrees(row, wanted, kind, near)]


def _agrees(row: Row, wanted: str, kind: SeriesKind, near: bool) -> bool:
    """Values agree exactly, their type among it; z-scores to the last digits."""
    value, reason = row[ASKED], row[f"{ASKED}__missing"]
    if wanted.startswith("("):
        return value is None and reason == wanted.strip("()")
    if reason is not None:
        return False
    if near and isinstance(value, float):
        return isclose(value, float(Fraction(wanted)), rel_tol=1e-9)
    expected = _expected_value(wanted, kind)
    return value == expected and type(value) is type(expected)


def _expected_value(text: str, kind: SeriesKind) -> object:
    match kind:
        case "number":
            return float(Fraction(text))
        case "whole":
            return int(text)
        case "text":
            return text
        case "day":
            return date.fromisoformat(text)
        case "flag":
            return {"yes": True, "no": False}[text]


ENGINES: dict[str, Engine] = {
    "duckdb": duckdb_panel,
    "duckdb by joins": joined_panel,
    "postgres": postgres_panel,
    "reference": reference_panel,
}
"""Every spec runs on every engine."""

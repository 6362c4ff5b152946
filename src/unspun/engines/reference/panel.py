"""The panel: every metric asked, for every account and as-of date, with the reason where there is no value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial

import pyarrow as pa

from unspun.engines.reference.answers import Answer, Book, Missing, Moment, Value, read_book
from unspun.engines.reference.derived import value_of, z_score
from unspun.engines.reference.rows import SourceRow, days_before
from unspun.metrics.asof import Dates
from unspun.metrics.kinds import SeriesKind, kind_of
from unspun.metrics.nodes import Attribute, Constant, Series, ZScore
from unspun.metrics.question import PanelQuestion

ACCOUNTS_FROM = ("accounts", "subscriptions", "purchases", "events")
"""Tables whose rows make an account one of the panel."""
PEER_DAYS = 365
ARROW: dict[SeriesKind, pa.DataType] = {
    "number": pa.float64(), "whole": pa.int64(), "text": pa.string(), "day": pa.date32(), "flag": pa.bool_(),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unit:
    """A row of the panel; `due` and `horizon_days` where it lies before a renewal."""

    account: str
    as_of: date
    due: date | None = None
    horizon_days: int = 0


def reference_panel(question: PanelQuestion, rows: Mapping[str, Sequence[SourceRow]]) -> pa.Table:
    """The panel of a question, computed from the row versions of each table (`<table>_versions`; events under the account of their
    subscription where they name none; where ARR is asked, `arr_as_of`: account_id, as_of, arr, reason).

    Columns: account_id, as_of (before renewals also due, horizon_days), then of each metric its value and, as `<id>__missing`, the code
    of the reason where there is none.
    """
    panel = _Panel(question, read_book(question, rows), _units(question, rows))
    columns = _unit_columns(question, panel.units)
    for id in question.asked:
        series = question.metrics.metric(id).series
        answers = panel.answers(series)
        kind = kind_of(series, question.metrics, question.tables)
        values = [None if isinstance(answer, Missing) else _of_kind(answer, kind) for answer in answers]
        reasons = [answer.reason if isinstance(answer, Missing) else None for answer in answers]
        columns |= {id: pa.array(values, ARROW[kind]), f"{id}__missing": pa.array(reasons, pa.string())}
    return pa.table(columns)


@dataclass(frozen=True, slots=True)
class _Panel:
    """The units of a panel, and what has been computed for all of them."""

    question: PanelQuestion
    book: Book
    units: Sequence[Unit]
    told: dict[int, list[tuple[Answer, Answer]]] = field(default_factory=dict[int, "list[tuple[Answer, Answer]]"])

    def answers(self, series: Series) -> list[Answer]:
        return [value_of(self.book, series, Moment(unit.account, unit.as_of), partial(self._z_score, unit=unit)) for unit in self.units]

    def _z_score(self, series: ZScore, unit: Unit) -> Answer:
        """Of a unit: by the values of all the units that are its peers and have one."""
        if id(series) not in self.told:
            groups = Attribute(series.within) if series.within else Constant(0)
            self.told[id(series)] = list(zip(self.answers(series.of), self.answers(groups), strict=True))
        told = self.told[id(series)]
        own, group = told[self.units.index(unit)]
        alike = [one for peer, (one, other) in zip(self.units, told, strict=True) if other == group and _is_peer(unit, peer)]
        return z_score(own, group, [float(one) for one in alike if not isinstance(one, Missing)])  # pyright: ignore[reportArgumentType]


def _is_peer(unit: Unit, other: Unit) -> bool:
    """On the same date; before renewals, of the same horizon in the 365 days up to its date."""
    if unit.due is None:
        return other.as_of == unit.as_of
    return other.horizon_days == unit.horizon_days and days_before(unit.as_of, PEER_DAYS - 1) <= other.as_of <= unit.as_of


def _units(question: PanelQuestion, rows: Mapping[str, Sequence[SourceRow]]) -> list[Unit]:
    """The rows of the panel, in their order."""
    if isinstance(question.as_of, Dates):
        held = [table for table in ACCOUNTS_FROM if table in question.tables]
        accounts = {row["account_id"] for table in held for row in rows.get(table, ())} - {None}
        return [Unit(account, day) for account in sorted(accounts) for day in sorted(question.as_of.dates)]
    dues, horizons = question.as_of.dues, question.as_of.horizons_days
    units = [Unit(account, days_before(due, days), due, days) for account, due in dues for days in horizons]
    return sorted(units, key=lambda unit: (unit.account, unit.as_of, unit.due, -unit.horizon_days))


def _unit_columns(question: PanelQuestion, units: Sequence[Unit]) -> dict[str, pa.Array]:
    columns = {
        "account_id": pa.array([unit.account for unit in units], pa.string()),
        "as_of": pa.array([unit.as_of for unit in units], pa.date32()),
    }
    if isinstance(question.as_of, Dates):
        return columns
    due = pa.array([unit.due for unit in units], pa.date32())
    return {**columns, "due": due, "horizon_days": pa.array([unit.horizon_days for unit in units], pa.int32())}


def _of_kind(value: Value, kind: SeriesKind) -> Value:
    return float(value) if kind == "number" else value  # pyright: ignore[reportArgumentType]

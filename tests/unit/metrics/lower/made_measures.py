"""Random rows, random measures, and what plain Python makes of them: the truth for the measures that are lowered to SQL."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from unspun.book.entities import Kind
from unspun.metrics.asof import AsOf, BeforeRenewals
from unspun.metrics.conditions import AllOf, AnyOf, Compare, Condition, HasText, IsEmpty, IsIn, Not
from unspun.metrics.lower.measures import measure_steps
from unspun.metrics.lower.plan import Leaf, Seen
from unspun.metrics.lower.units import unit_inputs, unit_steps
from unspun.metrics.metric import MetricSet
from unspun.metrics.nodes import (
    ActiveDays,
    Average,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    Distinct,
    LastValue,
    Maximum,
    Measure,
    Minimum,
    Rows,
    Sum,
)  # fmt: skip
from unspun.metrics.question import HeldTable, PanelQuestion
from unspun.metrics.windows import Days, LastPeriod, Lifetime, Months, SinceContractStart, ThisPeriod, Window

EPOCH = date(1970, 1, 1)
KINDS: dict[str, Kind] = {
    "account_id": "text", "event_id": "text", "event": "text", "user_id": "text", "value": "number",
    "paid": "money", "size": "whole", "due.on": "day", "seen at": "instant", "ok": "flag",
}  # fmt: skip
TYPES: dict[Kind, pa.DataType] = {
    "text": pa.string(), "number": pa.float64(), "money": pa.decimal128(18, 4), "whole": pa.int64(),
    "day": pa.date32(), "instant": pa.timestamp("us", "UTC"), "flag": pa.bool_(),
}  # fmt: skip
EVENTS = ("login", "it's", 'say "hi"', "export", "Größe")
Row = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """Rows of `events`, whether they have several versions, and what is asked of them."""

    rows: Sequence[Row]
    versioned: bool
    as_of: AsOf
    zone: str = "UTC"
    fiscal_year_starts: int = 1
    contracts: dict[tuple[str, date], date] | None = None
    counted: bool = True  # whether the book says how many rows there are

    @property
    def question(self) -> PanelQuestion:
        held = HeldTable(KINDS, ("event_id",), self.versioned, len(self.rows) if self.counted else 0)
        return PanelQuestion(MetricSet(()), (), self.as_of, {"events": held}, self.zone, self.fiscal_year_starts)


def made_rows(chance: random.Random, count: int, first: date, days: int, late: float, versioned: bool, accounts: int = 4) -> list[Row]:
    """Rows over `days` days; a share `late` of them known later; where `versioned`, some rows have further versions."""
    rows: list[Row] = []
    for number in range(count):
        row = _row(chance, number, first, days, late, accounts)
        rows.append(row)
        while versioned and chance.random() < 0.4:
            again = _row(chance, number, first, days, late, accounts)
            known = row["known_at"] + timedelta(hours=chance.randrange(0, 24 * 40))
            row = again | {"known_at": known, "load": row["load"] + 1, "event_id": row["event_id"]}
            rows.append(row)
    chance.shuffle(rows)
    return rows


def _row(chance: random.Random, number: int, first: date, days: int, late: float, accounts: int) -> Row:
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    happened = start + timedelta(seconds=chance.randrange(days * 86400))
    known = happened + timedelta(hours=chance.randrange(24 * 60)) if chance.random() < late else happened
    account = chance.randrange(accounts)

    def maybe(value: object) -> object:
        return None if chance.random() < 0.2 else value

    return {
        "happened_at": happened, "known_at": known, "happened_zone": "UTC", "load": 1, "source_file": 1, "source_row": number + 2,
        "account_id": None if chance.random() < 0.02 else f"a{account}", "event_id": f"e{number}",
        "event": maybe(chance.choice(EVENTS)), "user_id": maybe(f"u{chance.randrange(6)}"),
        "value": maybe(chance.choice([chance.uniform(-1e3, 1e3), chance.uniform(-1e8, 1e8), 0.1, 1e-9, float(chance.randrange(5))])),
        "paid": maybe(Decimal(chance.randrange(-10**7, 10**7)).scaleb(-4)), "size": maybe(chance.randrange(-50, 10**12)),
        "due.on": maybe(first + timedelta(days=chance.randrange(days))),
        "seen at": maybe(start + timedelta(seconds=chance.randrange(days * 86400))), "ok": maybe(chance.random() < 0.5),
    }  # fmt: skip


def made_condition(chance: random.Random, depth: int = 2) -> Condition | None:
    """A condition over the columns of KINDS, often none."""
    choices = [
        None, IsIn("event", ("login",)), IsIn("event", ("it's", 'say "hi"')), IsIn("event", ("export",)), Compare("value", "above", 1.5),
        Compare("paid", "at_least", 0.1), Compare("size", "below", 30), HasText("event", "contains", "'"), IsEmpty("user_id"),
        Compare("due.on", "at_most", date(2024, 2, 10)), Compare("seen at", "above", date(2024, 2, 3)), IsIn("ok", (True,)),
    ]  # fmt: skip
    if depth and chance.random() < 0.3:
        parts = tuple(part for _ in range(2) if (part := made_condition(chance, depth - 1)) is not None)
        if parts:
            return chance.choice([AllOf(parts), AnyOf(parts), Not(parts[0])])
    return chance.choice(choices)


def made_measure(chance: random.Random, windows: Sequence[Window]) -> Measure:
    """A measure of `events` over one of the windows."""
    rows = Rows("events", made_condition(chance), chance.choice(windows))
    numbers, any_column = chance.choice(["value", "paid", "size"]), chance.choice([name for name in KINDS if name != "account_id"])
    ordered = chance.choice(["value", "paid", "size", "due.on", "seen at"])
    return chance.choice(
        [
            Count(rows), Sum(rows, numbers), Average(rows, numbers), Minimum(rows, ordered), Maximum(rows, ordered),
            Distinct(rows, any_column), Distinct(rows, "user_id"), ActiveDays(rows), LastValue(rows, any_column), DaysSinceLast(rows),
            DaysSinceFirst(rows),
        ]
    )  # fmt: skip


WINDOWS: tuple[Window, ...] = (
    Days(1), Days(7), Days(28), Days(90), Days(400), Months(1), Months(3), ThisPeriod("month"), ThisPeriod("quarter"), LastPeriod("month"),
    LastPeriod("quarter"), LastPeriod("year"), Lifetime(),
)  # fmt: skip


def made_leaves(
    chance: random.Random, count: int, windows: Sequence[Window] = WINDOWS, shifts: Sequence[int] = (0, 0, 0, 7, 28, 91)
) -> list[Leaf]:
    """Leaves, each once; none with a window by contract is shifted."""
    made = [made_measure(chance, windows) for _ in range(count)]
    leaves = [Leaf(one, 0 if isinstance(one.rows.window, SinceContractStart) else chance.choice(shifts)) for one in made]
    return list(dict.fromkeys(leaves))


# Running what is lowered


def run_measures(made: Made, leaves: Sequence[Leaf], seen: Sequence[Seen] = ()) -> tuple[dict[tuple[str, date], Row], dict[date, Row]]:
    """What the lowered steps give in DuckDB: `measured` by account and date, `covered` by date."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'; SET threads = 2")
        connection.register("events_versions", _arrow(made.rows))
        measured = measure_steps(made.question, leaves, seen)
        for name, table in (unit_inputs(made.question) | dict(measured.inputs)).items():
            connection.register(name, table)
        for step in unit_steps(made.question):
            connection.execute(f"CREATE TEMP TABLE {step.name} AS {step.query.sql(dialect='duckdb')}")
        _make_life(connection, made)
        for step in measured.steps:
            connection.execute(f"CREATE TEMP TABLE {step.name} AS {step.query.sql(dialect='duckdb')}")
        rows = (
            connection.sql("SELECT u.account_id, u.day AS as_of, m.* FROM units u LEFT JOIN measured m USING (unit)")
            .to_arrow_table()
            .to_pylist()
        )
        covered = connection.sql("SELECT p.day AS as_of, c.* FROM points p LEFT JOIN covered c USING (point)").to_arrow_table().to_pylist()
    assert len(rows) == len({(row["account_id"], row["as_of"]) for row in rows}), "a unit stands twice"
    measured = {(row["account_id"], EPOCH + timedelta(days=row["as_of"])): row for row in rows}
    return measured, {EPOCH + timedelta(days=row["as_of"]): row for row in covered}


def _make_life(connection: duckdb.DuckDBPyConnection, made: Made) -> None:
    asked = made.contracts or {}
    contracts = {
        "account_id": pa.array([account for account, _ in asked], pa.string()),
        "day": pa.array([(day - EPOCH).days for _, day in asked], pa.int32()),
        "contract": pa.array([(start - EPOCH).days for start in asked.values()], pa.int32()),
    }
    connection.register("asked_contracts", pa.table(contracts))
    life = "SELECT u.unit, NULL::INT AS born, false AS gone, c.contract FROM units u LEFT JOIN asked_contracts c USING (account_id, day)"
    connection.execute(f"CREATE TEMP TABLE life AS {life}")


def _arrow(rows: Sequence[Row]) -> pa.Table:
    types = {name: TYPES[kind] for name, kind in KINDS.items()}
    types |= {"happened_at": TYPES["instant"], "known_at": TYPES["instant"], "happened_zone": pa.string()}
    types |= {name: pa.int64() for name in ("load", "source_file", "source_row")}
    return pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in types.items()})


# The truth


class Truth:
    """Measures in plain Python, a unit at a time."""

    def __init__(self, made: Made) -> None:
        self.made, self.zone = made, ZoneInfo(made.zone)
        self.rows = self._timed()

    def units(self) -> set[tuple[str, date]]:
        as_of = self.made.as_of
        if isinstance(as_of, BeforeRenewals):
            return {(account, due - timedelta(days=days)) for account, due in as_of.dues for days in as_of.horizons_days}
        accounts = {row["account_id"] for row in self.made.rows} - {None}
        return {(str(account), day) for account in accounts for day in as_of.dates}

    def value(self, leaf: Leaf, account: str, as_of: date) -> tuple[Any, date | None]:
        """The value of a leaf (None: no row) and the day of the row that recency goes by."""
        first, last = self._window(leaf, account, as_of)
        rows = [row for row in self._visible(as_of) if row["account_id"] == account and first is not None and first <= row["__day"] <= last]
        where = leaf.measure.rows.where
        return self._measured(
            leaf.measure, [row for row in rows if where is None or self._fits(where, row)], as_of - timedelta(leaf.shift_days)
        )

    def first_seen(self, account: str, as_of: date, shift: int) -> date | None:
        end = as_of - timedelta(days=shift)
        return min((row["__day"] for row in self._visible(as_of) if row["account_id"] == account and row["__day"] <= end), default=None)

    def covered(self, as_of: date, shift: int) -> tuple[date | None, date | None]:
        end = as_of - timedelta(days=shift)
        days = [row["__day"] for row in self._visible(as_of) if row["__day"] <= end and row["account_id"] is not None]
        return min(days, default=None), max(days, default=None)

    def _day(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    def _timed(self) -> list[Row]:
        rows = [
            row | {"__day": self._day(row["happened_at"]), "__from": self._day(row["known_at"]), "__until": None} for row in self.made.rows
        ]
        if self.made.versioned:
            by_key: dict[object, list[Row]] = {}
            for row in rows:
                by_key.setdefault(row["event_id"], []).append(row)
            for versions in by_key.values():
                versions.sort(key=lambda row: (row["known_at"], row["load"], row["source_file"], row["source_row"]))
                for one, following in pairwise(versions):
                    one["__until"] = following["__from"]
        return rows

    def _visible(self, as_of: date) -> list[Row]:
        return [
            row
            for row in self.rows
            if row["__from"] <= as_of and row["__day"] <= as_of and (row["__until"] is None or as_of < row["__until"])
        ]

    def _window(self, leaf: Leaf, account: str, as_of: date) -> tuple[date | None, date]:
        end, window, fiscal = as_of - timedelta(days=leaf.shift_days), leaf.measure.rows.window, self.made.fiscal_year_starts
        if isinstance(window, Lifetime):
            return date.min, end
        if isinstance(window, SinceContractStart):
            return (self.made.contracts or {}).get((account, as_of)), end
        return window.first(end, fiscal), min(end, window.last(end, fiscal))

    def _cell(self, row: Row, column: str) -> Any:
        value = row[column]
        return self._day(value) if isinstance(value, datetime) else value

    def _fits(self, condition: Condition, row: Row) -> bool:
        match condition:
            case Not(inner):
                return not self._fits(inner, row)
            case AllOf(parts):
                return all(self._fits(part, row) for part in parts)
            case AnyOf(parts):
                return any(self._fits(part, row) for part in parts)
        cell = self._cell(row, condition.column)
        if isinstance(condition, IsEmpty) or cell is None:
            return isinstance(condition, IsEmpty) and cell is None
        match condition:
            case IsIn(_, values):
                return cell in values
            case HasText(_, _, text):
                return text in str(cell)
            case Compare(_, comparison, value):
                other: Any = Decimal(repr(value)) if isinstance(cell, Decimal) else value
                return {"above": cell > other, "below": cell < other, "at_least": cell >= other, "at_most": cell <= other}[comparison]

    def _measured(self, measure: Measure, rows: list[Row], end: date) -> tuple[Any, date | None]:
        cells = [cell for row in rows if (cell := self._cell(row, getattr(measure, "column", "event_id"))) is not None]
        match measure:
            case Count():
                return len(rows), None
            case Sum():
                return _total(cells), None
            case Average():
                return (_total(cells) / len(cells) if cells else None), None
            case Minimum():
                return _plain(min(cells, default=None), True), None
            case Maximum():
                return _plain(max(cells, default=None), True), None
            case Distinct():
                return len(set(cells)), None
            case ActiveDays():
                return len({row["__day"] for row in rows}), None
            case LastValue(column=column):
                filled = [row for row in rows if row[column] is not None]
                last = max(
                    filled, key=lambda row: tuple(row[name] for name in ("happened_at", "load", "source_file", "source_row")), default=None
                )
                return (None, None) if last is None else (_plain(self._cell(last, column), False), last["__day"])
            case DaysSinceLast():
                day = max((row["__day"] for row in rows), default=None)
            case DaysSinceFirst():
                day = min((row["__day"] for row in rows), default=None)
            case _:
                raise AssertionError(f"a measure that is not measured by pane: {measure}")
        return (None if day is None else (end - day).days), day


def _total(cells: Sequence[Any]) -> float:
    billionths = sum(_billionths(cell) for cell in cells)
    return billionths / 10**9


def _billionths(cell: Any) -> int:
    exact = cell * 10**9 if isinstance(cell, Decimal | int) else Decimal(cell * 1e9)
    return int(Decimal(exact).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _plain(value: object, as_float: bool) -> object:
    if isinstance(value, Decimal) or (as_float and isinstance(value, int)):
        return float(value)
    return (value - EPOCH).days if isinstance(value, date) else value


def disagreements(made: Made, leaves: Sequence[Leaf], seen: Sequence[Seen] = ()) -> list[str]:
    """Where the lowered measures differ from the truth."""
    truth, (measured, covered) = Truth(made), run_measures(made, leaves, seen)
    wrong = [] if measured.keys() == truth.units() else [f"units: {sorted(measured.keys() ^ truth.units())[:3]}"]
    for account, as_of in sorted(truth.units() & measured.keys()):
        row = measured[account, as_of]
        for i, leaf in enumerate(leaves):
            value, day = truth.value(leaf, account, as_of)
            got = row[f"m{i}"]
            if value == 0 and got is None and isinstance(leaf.measure, Count | Sum | Distinct | ActiveDays):
                got = 0
            if got != value or (f"r{i}" in row and row[f"r{i}"] != _plain(day, False)):
                wrong.append(f"{account} {as_of} {leaf}: {got!r} ({row.get(f'r{i}')}) instead of {value!r} ({day})")
        for k, one in enumerate(seen):
            if row[f"f{k}"] != _plain(truth.first_seen(account, as_of, one.shift_days), False):
                wrong.append(f"{account} {as_of} {one}: {row[f'f{k}']}")
    for as_of, row in covered.items():
        for k, one in enumerate(seen):
            if (row[f"first{k}"], row[f"last{k}"]) != tuple(_plain(day, False) for day in truth.covered(as_of, one.shift_days)):
                wrong.append(f"{as_of} {one}: {row}")
    return wrong

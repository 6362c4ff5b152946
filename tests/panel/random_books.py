"""Small books made at random: rows that came late, corrections, moved rows, histories of state, cells that are filled in later.

Days lie around those on which calendars go wrong: changes of the clock, leap days, ends of months and years, a day that a zone left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any, cast
from zoneinfo import ZoneInfo

import pyarrow as pa

from unspun.book.checks.finding import Span
from unspun.book.entities import TABLES, Kind, Table, TableName
from unspun.metrics.question import HeldTable

Row = dict[str, Any]
ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Pacific/Apia", "Asia/Kathmandu",
    "America/St_Johns", "Africa/Casablanca", "Pacific/Kiritimati",
)  # fmt: skip
QUICK_ZONES = ("UTC", "Asia/Kathmandu", "Pacific/Apia", "Pacific/Kiritimati")
"""Zones that have changed seldom: what is asked of DuckDB in them is short."""
ANCHORS = (
    date(2024, 2, 29), date(2023, 12, 31), date(2024, 3, 31), date(2023, 10, 29), date(2024, 3, 10), date(2024, 11, 3),
    date(2023, 4, 2), date(2011, 12, 30), date(2000, 2, 29), date(1970, 1, 1), date(2199, 12, 31),
)  # fmt: skip
CLOCKS = (time(0), time(23, 59, 59, 999_999), time(0, 0, 0, 1), time(0, 30), time(1, 45), time(2, 30), time(12), time(23))
ACCOUNTS = ("a", "A", "b'1", 'c"2', "ä ")
OTHER_ACCOUNTS = ("e\u0301", "é", "\ufffd", "\U00010000", "\U0001f469\u200d\U0001f4bb" * 40)
"""Texts that a collation, a normal form or an order by UTF-16 would take for one another or turn round."""
NUMBERS = (
    0.0, 1.0, -1.0, 2.5, 0.1, 0.2, -0.3, 1 / 3, 7.0, 100.25, 123456.789, 1e-10, 1.25e9, 5.0000000004, -0.0, 5e-10, -1.5e-9, 5e-324,
    1e9 / 3, 9007199.254740993, -87654321.123456789, 1e15 + 0.3,
)  # fmt: skip
WHOLES = (0, 1, 2, 5, -3, 12, 2**40, 2**53 + 1)
LARGE_NUMBERS, LARGE_WHOLES, LONG = (98765432109876543210.0,), (2**62 - 1, -(2**62)), "long " * 2_000
"""What cells hold, and metrics are not compared with."""
TEXTS = (
    "login", "export", "x", "x'); DROP TABLE events; --", "log", "LOGIN", "%", "ünï", "a,b", "e\u0301", "é", "İ", "ß", "\U0010ffff",
    "x\n\t\\",
)  # fmt: skip
OWN: Mapping[TableName, Mapping[str, Kind]] = {
    "events": {
        "own_text": "text",
        "own_amount": "money",
        "own_flag": "flag",
        "own_day": "day",
        "own_whole": "whole",
        "unit": "text",
        "day": "whole",
    },
    "tickets": {"own_text": "text", "own_effort": "number", "seen_from": "number"},
    "accounts": {"own_text": "text", "own_whole": "whole", "as_of": "day"},
    "purchases": {"own_at": "instant"},
}
KEYED: Mapping[TableName, tuple[str, ...]] = {"events": ("event_id",), "purchases": ("purchase_id",), "responses": ("response_id",)}
"""Tables without a key of their own: by what they are keyed where a book declares it."""
STARTED_BY: Mapping[TableName, tuple[str, ...]] = {
    "subscriptions": ("ended", "notice", "cancelled_on"),
    "tickets": ("first_answered", "closed"),
}
ARROW: Mapping[Kind, pa.DataType] = {
    "text": pa.string(), "whole": pa.int64(), "number": pa.float64(), "money": pa.decimal128(18, 4), "day": pa.date32(),
    "instant": pa.timestamp("us", tz="UTC"), "flag": pa.bool_(),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SmallBook:
    """Row versions by table, and what a question has to say of the book that holds them."""

    tables: Mapping[TableName, tuple[Row, ...]]
    held: Mapping[str, HeldTable]
    dates: tuple[date, ...]
    dues: tuple[tuple[str, date], ...]
    time_zone: str = "UTC"
    fiscal_year_starts: int = 1
    outages: Mapping[str, tuple[Span, ...]] = field(default_factory=dict[str, "tuple[Span, ...]"])
    received: Mapping[int, date] = field(default_factory=dict[int, date])
    ends_inclusive: bool = False
    grace_days: int = 7


def kinds_of(table: TableName) -> dict[str, Kind]:
    """The data columns of a table of these books, own ones last."""
    standard: dict[str, Kind] = {column.name: column.kind for column in TABLES[table].columns}
    return standard | dict(OWN.get(table, {}))


def arrow_of(table: TableName, rows: Sequence[Row], columns: Mapping[str, Kind] | None = None) -> pa.Table:
    """Row versions as the view `<table>_versions` of a book shows them."""
    named = [*TABLES[table].row_columns, *(kinds_of(table) if columns is None else columns).items()]
    schema = pa.schema([(name, ARROW[kind]) for name, kind in named])
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema)


def local_day(instant: datetime, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


def instant_on(day: date, clock: time, zone: str) -> datetime:
    """That time of the day in the zone, in UTC; of an hour that a clock shows twice the first, in one that it skips some instant near."""
    return datetime.combine(day, clock, ZoneInfo(zone)).astimezone(UTC)


@dataclass(slots=True)
class Maker:
    """What the rows of one book have in common while they are made."""

    random: Random
    anchor: date
    zone: str
    rows_made: int = 0
    accounts: tuple[str, ...] = ACCOUNTS

    def day(self) -> date:
        reach = self.random.choice((0, 2, 2, 10, 40, 40, 150, 420))
        return self.anchor + timedelta(days=self.random.randint(-reach, reach // 3))

    def day_near(self, day: date, reach: int = 40) -> date:
        return day + timedelta(days=self.random.randint(-1, reach))

    def instant(self, day: date) -> datetime:
        return instant_on(day, self.random.choice(CLOCKS), self.zone)

    def cell(self, kind: Kind, empty: float = 0.2) -> Any:
        if self.random.random() < empty:
            return None
        match kind:
            case "text":
                return self.random.choice(TEXTS[:3] if self.random.random() < 0.7 else (*TEXTS, LONG))
            case "whole":
                return self.random.choice((*WHOLES, *LARGE_WHOLES))
            case "number":
                return self.random.choice((*NUMBERS, *LARGE_NUMBERS))
            case "money":
                return Decimal(self.random.choice((0, 1, -25_000, 100_0000, 99_999, 123_456_789_012, 10**18 - 1))).scaleb(-4)
            case "flag":
                return self.random.random() < 0.5
            case "day":
                return self.day()
            case "instant":
                return self.instant(self.day())


def random_book(random: Random, tables: Sequence[TableName] | None = None, rows: int = 16, zones: Sequence[str] = ZONES) -> SmallBook:
    """A book of up to so many rows a table, in one of the zones."""
    zone = random.choice(zones)
    maker = Maker(random, random.choice(ANCHORS), zone, accounts=random.choice((ACCOUNTS, ACCOUNTS, OTHER_ACCOUNTS)))
    chosen: Sequence[TableName] = tables or [
        name for name, table in TABLES.items() if name != "rates" and random.random() < (0.85 if name in USUAL else 0.6)
    ]
    made: dict[TableName, tuple[tuple[Row, ...], tuple[str, ...]]] = {name: _rows(maker, name, random.randint(1, rows)) for name in chosen}
    kept: dict[TableName, tuple[Row, ...]] = {name: rows for name, (rows, _) in made.items() if rows}
    held: dict[str, HeldTable] = {name: _held(maker, name, rows, made[name][1]) for name, rows in kept.items()}
    return SmallBook(
        kept, held, dates_of(maker), _dues(maker), zone,
        fiscal_year_starts=random.choice((1, 1, 2, 4, 12)),
        outages={"events": tuple(made_span(maker) for _ in range(random.randint(1, 2)))} if random.random() < 0.25 else {},
        received={load: maker.day() for load in range(1, 4) if random.random() < 0.8},
        ends_inclusive=random.random() < 0.3,
        grace_days=random.choice((0, 7, 7, 30)),
    )  # fmt: skip


USUAL: tuple[TableName, ...] = ("events", "accounts", "subscriptions", "tickets", "purchases")


def few_tables(random: Random) -> list[TableName]:
    """Some of the tables: a panel over few of them is quick."""
    others: list[TableName] = [name for name in TABLES if name not in (*USUAL, "rates")]
    return [*random.sample(USUAL, 3), *random.sample(others, random.randint(0, 1))]


def dates_of(maker: Maker) -> tuple[date, ...]:
    """As-of dates: some days near the anchor, or a regular series through it."""
    random, anchor = maker.random, maker.anchor
    form = random.choice(("some", "some", "days", "weeks", "months"))
    if form == "some":
        found = {anchor + timedelta(days=random.choice((0, 0, 1, 30, 300)) + random.randint(-3, 3)) for _ in range(random.randint(1, 4))}
    elif form == "months":
        firsts = [date(anchor.year + (anchor.month + step - 1) // 12, (anchor.month + step - 1) % 12 + 1, 1) for step in range(-3, 11)]
        found = {first - timedelta(days=1) for first in firsts}
    else:
        length = 1 if form == "days" else 7
        found = {anchor + timedelta(days=length * step) for step in range(-2, 12)}
    return tuple(sorted(found))


def _dues(maker: Maker) -> tuple[tuple[str, date], ...]:
    """Renewals due, some of accounts that the book does not hold a row of."""
    made = {(maker.random.choice(maker.accounts), maker.day()) for _ in range(maker.random.randint(1, 6))}
    return tuple(sorted(made))


def made_span(maker: Maker) -> Span:
    random, first = maker.random, maker.day()
    last = None if random.random() < 0.2 else first + timedelta(days=random.choice((0, 3, 30)))
    event = random.choice(("", "login", "x"))
    measure = random.choice(("", "", "value", "user_id"))
    where = random.choice(((), (), ("own_text", "x"), ("accounts.segment", "login"), ("accounts.plan", "x")))
    return Span("fell", first, last, event, measure, where)


def _held(maker: Maker, name: TableName, rows: Sequence[Row], key: tuple[str, ...]) -> HeldTable:
    fixed = ("created_on",) if name == "accounts" and maker.random.random() < 0.4 else ()
    return HeldTable(kinds_of(name), key, has_several_versions(name, rows, key), len(rows), fixed)


def has_several_versions(name: TableName, rows: Sequence[Row], key: tuple[str, ...]) -> bool:
    return len({_identity(name, row, key) for row in rows}) < len(rows)


def _identity(name: TableName, row: Row, key: tuple[str, ...]) -> tuple[object, ...]:
    if not key:
        return row["source_file"], row["source_row"]
    told = tuple(row[column] for column in key)
    return (*told, row["happened_at"], row["stated"]) if TABLES[name].state else told


def _rows(maker: Maker, name: TableName, number: int) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """Rows of a table, each in one version or several, and the table's key."""
    random, table = maker.random, TABLES[name]
    key = table.key or (KEYED.get(name, ()) if random.random() < 0.6 else ())
    if name == "subscriptions" and random.random() < 0.1:
        key = ()
    made: list[Row] = []
    for place in range(number):
        row = made_row(maker, table, key, place)
        made.append(row)
        while key and random.random() < 0.3:
            made.append(corrected(maker, table, key, row))
    return each_once(name, made, key), key


def each_once(name: TableName, rows: Sequence[Row], key: tuple[str, ...]) -> tuple[Row, ...]:
    """Without versions that contradict each other: two of one row, known at the same time by the same load."""
    kept = {(*_identity(name, row, key), row["known_at"], row["load"]): row for row in rows}
    return tuple(kept.values())


def made_row(maker: Maker, table: Table, key: tuple[str, ...], place: int) -> Row:
    random = maker.random
    happened = maker.instant(maker.day())
    cells = {name: maker.cell(kind) for name, kind in kinds_of(table.name).items()}
    cells |= {column: _key_cell(maker, kinds_of(table.name)[column], place, 3 if table.state else 0) for column in key}
    if "account_id" in cells and not (table.name == "events" and random.random() < 0.1):
        cells["account_id"] = random.choice(maker.accounts[: random.choice((2, 5))])
    row = {**cells, "happened_zone": None, "load": random.randint(1, 3), "source_file": random.randint(1, 2)}
    return _dated(maker, table, row, happened, key)


def _key_cell(maker: Maker, kind: Kind, place: int, few: int = 0) -> Any:
    """A cell of a key, never empty; of the keys of state tables a few, so that several statements are about one thing."""
    return f"k{place if few == 0 else place % few}" if kind == "text" else maker.cell(kind, empty=0)


def _dated(maker: Maker, table: Table, row: Row, happened: datetime, key: tuple[str, ...]) -> Row:
    """The row with the times that belong together, its place in the files, and when it was known."""
    random, maker.rows_made = maker.random, maker.rows_made + 1
    kind = kinds_of(table.name)[table.happened]
    day = local_day(happened, maker.zone)
    if kind == "day":
        happened = instant_on(day, time(0), maker.zone)
        row[table.happened] = day
    else:
        row[table.happened] = happened
    for column in STARTED_BY.get(table.name, ()):
        if row[column] is not None:
            later = maker.day_near(day, random.choice((5, 400, 1500)) if column == "ended" else 40)
            row[column] = later if kinds_of(table.name)[column] == "day" else maker.instant(later)
    if table.state:
        row = _as_stated(table, {**row, "stated": _stated(maker, table, key)}, key)
    known = happened if random.random() < 0.6 else maker.instant(day + timedelta(days=random.choice((-30, 0, 0, 1, 5, 60, 400))))
    return row | {"happened_at": happened, "known_at": known, "source_row": maker.rows_made + 1}


def _stated(maker: Maker, table: Table, key: tuple[str, ...]) -> str:
    """What a row of a state table states: all columns, or a few of them (another file of the company)."""
    able = sorted(name for name in kinds_of(table.name) if name not in (*key, table.happened))
    if maker.random.random() < 0.5:
        return ",".join(able)
    return ",".join(sorted(maker.random.sample(able, min(len(able), maker.random.randint(1, 4)))))


def _as_stated(table: Table, row: Row, key: tuple[str, ...]) -> Row:
    """The row without cells of columns that it does not state: its source does not map them."""
    told = {*row["stated"].split(","), *key, table.happened}
    return {name: None if name in kinds_of(table.name) and name not in told else cell for name, cell in row.items()}


def corrected(maker: Maker, table: Table, key: tuple[str, ...], row: Row) -> Row:
    """Another version of the row, known at another time: other cells, perhaps another account or day."""
    random = maker.random
    changed = {name: maker.cell(kind) for name, kind in kinds_of(table.name).items() if name not in key and random.random() < 0.3}
    if "account_id" not in key and "account_id" in row and table.name != "events":
        changed["account_id"] = random.choice(maker.accounts) if random.random() < 0.15 else row["account_id"]
    happened = cast("datetime", row["happened_at"])
    moved = not table.state and table.happened not in key and random.random() < 0.3
    again = _dated(maker, table, {**row, **changed, "load": random.randint(1, 3)}, maker.instant(maker.day()) if moved else happened, key)
    if table.state:
        again = _as_stated(table, {**row, **changed, **{name: again[name] for name in ("load", "source_row")}}, key)
    near = local_day(happened, maker.zone) + timedelta(days=random.choice((-2, 0, 0, 1, 3, 20, 90)))
    return again | {"known_at": maker.instant(near)}

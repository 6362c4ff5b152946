"""Made-up usage for the benchmark of the panel: 20,000 accounts, events in the order of their time, and the book they are loaded into.

Activity is skewed: of the accounts (a few have most of the events), of the users of an account, and of the names of events. Half of the
accounts are customers from the first day, the others join later. Values are multiples of 0.25, so that sums in floating point are exact
and every side can be held to the same answer. The same seed gives the same events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from panel_cells import ACCOUNTS, EVENT_NAMES, account_id

from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.warehouse.catalog import create_warehouse
from unspun.warehouse.load import PlannedFile, load_files

FIRST_DAY, LAST_DAY = date(2023, 7, 1), date(2025, 12, 31)
DAYS = (LAST_DAY - FIRST_DAY).days + 1
DAY_MS = 86_400_000
NAME_SHARES = (0.24, 0.20, 0.15, 0.12, 0.10, 0.07, 0.04, 0.03, 0.02, 0.015, 0.01, 0.005)
VALUED = ("api call", "upload", "payment")
BATCH_ROWS = 1_000_000
MEMORY = "1500MB"
SOURCES = (
    SourceMapping(
        ("events.parquet",),
        "events",
        {"account_id": "account_id", "user_id": "user_id", "event": "event", "occurred": "event_time", "value": "value"},
    ),
    SourceMapping(
        ("accounts.parquet",),
        "accounts",
        {"account_id": "account_id", "dated": "created_on", "created_on": "created_on", "seats": "seats", "segment": "segment"},
    ),
)
DEFINITION = BookDefinition(SOURCES, currency="USD", text="benchmark", sha256="0" * 64)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Accounts:
    """Accounts by number: their first day (counted from FIRST_DAY), seats, share of the activity, users, and number of the first user."""

    born: Ints
    seats: Ints
    weight: Floats
    users: Ints
    first_user: Ints


@dataclass(frozen=True, slots=True)
class Usage:
    """Events of one or several days in the order of time: accounts, users and names by number, and values (not a number: none)."""

    accounts: Ints
    users: Ints
    names: Ints
    times_ms: Ints
    values: Floats


def make_accounts(seed: int, accounts: int = ACCOUNTS) -> Accounts:
    """Accounts whose activity is log-normal: a tenth of them have about half of it."""
    rng = np.random.default_rng(seed)
    born = np.where(rng.random(accounts) < 0.5, 0, rng.integers(0, DAYS - 60, accounts))
    weight = rng.lognormal(0.0, 1.1, accounts)
    users = np.clip((12 * weight * rng.lognormal(0.0, 0.5, accounts)).astype(np.int64), 1, 2_000)
    seats = np.maximum(1, (users * rng.uniform(0.8, 2.0, accounts)).astype(np.int64))
    return Accounts(born, seats, weight, users, np.concatenate([[0], np.cumsum(users)[:-1]]))


def account_ids(accounts: int) -> pa.Array:
    return pa.array([account_id(number) for number in range(accounts)])


def write_accounts(path: Path, made: Accounts) -> None:
    """A row for each account, stated on the day on which it became a customer."""
    number = len(made.born)
    days = [FIRST_DAY + timedelta(days=int(day)) for day in made.born]
    segments = pa.array(["small", "middle", "large"]).take(pa.array(np.searchsorted([15, 60], made.seats)))
    columns = {"account_id": account_ids(number), "created_on": pa.array(days), "seats": pa.array(made.seats), "segment": segments}
    pq.write_table(pa.table(columns), path)


def write_events(path: Path, made: Accounts, events: int, seed: int) -> None:
    """So many events in the order of their time, in row groups of about a million: no more than one is held in memory."""
    ids, users = account_ids(len(made.born)), pa.array([f"user-{number:07d}" for number in range(int(made.users.sum()))])
    names, schema = pa.array(EVENT_NAMES), _schema()
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for part in _batches(made, events, seed):
            columns = [
                pa.DictionaryArray.from_arrays(pa.array(part.accounts.astype(np.int32)), ids),
                pa.DictionaryArray.from_arrays(pa.array(part.users.astype(np.int32)), users),
                pa.DictionaryArray.from_arrays(pa.array(part.names.astype(np.int8)), names),
                pa.array(part.times_ms, pa.timestamp("ms")),
                pa.array(part.values, mask=np.isnan(part.values)),
            ]
            writer.write_table(pa.table(columns, schema=schema))


def _schema() -> pa.Schema:
    text, names = pa.dictionary(pa.int32(), pa.string()), pa.dictionary(pa.int8(), pa.string())
    times, values = pa.timestamp("ms"), pa.float64()
    return pa.schema([("account_id", text), ("user_id", text), ("event", names), ("event_time", times), ("value", values)])


def _batches(made: Accounts, events: int, seed: int) -> Iterator[Usage]:
    """Days put together to batches of at least BATCH_ROWS."""
    held: list[Usage] = []
    for day, rows in enumerate(_rows_by_day(made, events)):
        held.append(one_day(made, day, rows, np.random.default_rng((seed, day))))
        if sum(len(part.accounts) for part in held) >= BATCH_ROWS or day == DAYS - 1:
            yield Usage(
                np.concatenate([part.accounts for part in held]),
                np.concatenate([part.users for part in held]),
                np.concatenate([part.names for part in held]),
                np.concatenate([part.times_ms for part in held]),
                np.concatenate([part.values for part in held]),
            )
            held = []


def _rows_by_day(made: Accounts, events: int) -> list[int]:
    """Events of each day: as the activity of those who are customers then, and a third as many on Saturdays and Sundays."""
    active = np.cumsum(np.bincount(made.born, made.weight, DAYS))
    weekend = np.array([(FIRST_DAY + timedelta(days=day)).weekday() >= 5 for day in range(DAYS)])
    share = np.cumsum(active * np.where(weekend, 1 / 3, 1.0))
    ends = np.round(share / share[-1] * events).astype(np.int64)
    return np.diff(ends, prepend=0).tolist()


def one_day(made: Accounts, day: int, rows: int, rng: np.random.Generator) -> Usage:
    """The events of one day."""
    chances = np.cumsum(np.where(made.born <= day, made.weight, 0.0))
    accounts = np.searchsorted(chances, rng.random(rows) * chances[-1], side="right")
    users = made.first_user[accounts] + (made.users[accounts] * rng.random(rows) ** 2).astype(np.int64)
    kinds = np.searchsorted(np.cumsum(NAME_SHARES), rng.random(rows) * sum(NAME_SHARES), side="right")
    start = int(datetime.combine(FIRST_DAY, datetime.min.time(), UTC).timestamp() * 1000) + day * DAY_MS
    valued = np.isin(kinds, [EVENT_NAMES.index(name) for name in VALUED])
    values = np.where(valued, np.round(rng.gamma(2.0, 50.0, rows) * 4) / 4, np.nan)
    return Usage(accounts, users, np.minimum(kinds, len(EVENT_NAMES) - 1), start + np.sort(rng.integers(0, DAY_MS, rows)), values)


def make_book(folder: Path, events: int, seed: int = 1, accounts: int = ACCOUNTS) -> Path:
    """A book of so many events in a new folder, and `accounts.parquet` beside it; the folder of its warehouse."""
    folder.mkdir(parents=True)
    made = make_accounts(seed, accounts)
    write_accounts(folder / "accounts.parquet", made)
    write_events(folder / "events.parquet", made, events, seed)
    planned = [PlannedFile(str(folder / source.files[0]), source) for source in SOURCES]
    received = datetime(2026, 1, 2, tzinfo=UTC)
    with create_warehouse(folder / "warehouse", received) as catalog, catalog.writing():
        result = load_files(catalog, planned, DEFINITION, received, memory=MEMORY)
    if any(source.new != source.rows_read for source in result.sources):
        raise ValueError(f"not every row was loaded: {result}")
    (folder / "events.parquet").unlink()
    return folder / "warehouse"

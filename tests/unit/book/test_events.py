"""Events come in by the million and go on as counts by account and day."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from unspun.book import events as module
from unspun.book.events import read_events
from unspun.book.extras import Events
from unspun.book.tables import ReadingOptions
from unspun.errors import BadInput

OPTIONS = ReadingOptions()


def table(n: int, seed: int = 0) -> pa.Table:
    """Events in no order, some without an account or a time, some recorded days later."""
    rng = random.Random(seed)
    start = datetime(2025, 3, 1)
    times = [start + timedelta(minutes=rng.randrange(60_000)) if rng.random() > 0.03 else None for _ in range(n)]
    return pa.table(
        {
            "Account ID": pa.array([rng.choice(["a", "b", "c", None]) for _ in range(n)], pa.string()),
            "event": ["login"] * n,
            "event_time": pa.array(times, pa.timestamp("ms")),
            "received_at": pa.array(
                [t + timedelta(days=rng.choice([0, 2])) if t and rng.random() > 0.2 else None for t in times], pa.timestamp("ms")
            ),
            "value": [rng.randrange(9) / 4 for _ in range(n)],
        }
    )


def counted(events: Events) -> Counter[tuple[str, int, int]]:
    known = events.day if events.known is None else events.known
    keys = zip((events.account.names[c] for c in events.account.codes), events.day.tolist(), known.tolist(), strict=True)
    return Counter(dict(zip(keys, events.amount.tolist(), strict=True)))


def by_loop(given: pa.Table, value: str | None = None) -> Counter[tuple[str, int, int]]:
    found: Counter[tuple[str, int, int]] = Counter()
    for row in given.to_pylist():
        if row["Account ID"] and row["event_time"]:
            day, known = (int((t - datetime(1970, 1, 1)).days) if t else -1 for t in (row["event_time"], row["received_at"]))
            found[row["Account ID"], day, max(day, known)] += row[value] if value else 1
    return found


def test_events_are_counted_by_account_day_and_day_of_recording() -> None:
    given = table(500)
    events = read_events(given, OPTIONS)
    assert counted(events) == by_loop(given)
    assert events.counted == "events"
    assert events.source.columns == {"account": "Account ID", "date": "event_time", "recorded_at": "received_at"}
    assert any("'value' is not summed" in note for note in events.source.notes)


def test_a_parquet_file_read_in_parts_is_the_file_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = table(500)
    pq.write_table(given, tmp_path / "events.parquet", row_group_size=130)
    monkeypatch.setattr(module, "BATCH_ROWS", 60)
    parts, whole = read_events(tmp_path / "events.parquet", OPTIONS), read_events(given, OPTIONS)
    assert counted(parts) == counted(whole)
    assert parts.row.tolist() == whole.row.tolist()
    assert parts.entry.tolist() == whole.entry.tolist()
    assert parts.source.rows_read == 500 == len(parts.row) + sum(len(r.rows) for r in parts.source.rejections)
    assert {r.code: r.rows.tolist() for r in parts.source.rejections} == {r.code: r.rows.tolist() for r in whole.source.rejections}


def test_each_row_leads_to_the_entry_it_is_part_of() -> None:
    given = table(300)
    events, rows = read_events(given, OPTIONS), given.to_pylist()
    for row, entry in zip(events.row.tolist(), events.entry.tolist(), strict=True):
        assert events.account.names[events.account.codes[entry]] == rows[row - 2]["Account ID"]
        assert events.day[entry] == (rows[row - 2]["event_time"] - datetime(1970, 1, 1)).days


def test_a_csv_with_text_dates_says_the_same(tmp_path: Path) -> None:
    given = table(200)
    lines = [f"{r['Account ID'] or ''},{r['event_time'] or ''},{r['received_at'] or ''}" for r in given.to_pylist()]
    (tmp_path / "events.csv").write_text("account,time,received at\n" + "\n".join(lines) + "\n")
    assert counted(read_events(tmp_path / "events.csv", OPTIONS)) == by_loop(given)


def test_a_value_column_is_summed_where_it_is_named_and_its_sum_does_not_depend_on_the_order_of_rows() -> None:
    given = table(400)
    options = ReadingOptions(columns={"events.value": "value"})
    events = read_events(given, options)
    assert counted(events) == pytest.approx(by_loop(given, "value"))
    assert events.counted == "value"
    shuffled = given.take(np.random.default_rng(1).permutation(400))
    assert counted(read_events(shuffled, options)) == counted(events)
    awkward = pa.table({"account": ["a"] * 6, "date": ["2025-01-01"] * 6, "count": [0.1, 0.2, 0.3, 0.7, 1e5, 0.1]})
    orders = [np.random.default_rng(seed).permutation(6) for seed in range(20)]
    assert len({float(read_events(awkward.take(order), OPTIONS).amount[0]) for order in orders}) == 1


def test_negative_and_missing_values_are_set_aside() -> None:
    given = pa.table({"account": ["a"] * 4, "date": ["2025-01-01"] * 4, "count": [3.0, -1.0, None, 4.0]})
    events = read_events(given, OPTIONS)
    assert events.amount.tolist() == [7.0]
    assert {r.code: r.rows.tolist() for r in events.source.rejections} == {"negative_value": [3], "no_value": [4]}


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"account": ["a"], "what": ["x"]}, "no_date_column"),
        ({"account": ["a"], "date": ["03/04/2025"]}, "ambiguous_dates"),
        ({"account": [""], "date": ["2025-01-01"]}, "no_usable_rows"),
    ],
)
def test_what_cannot_be_counted_is_a_fault(columns: dict[str, list[str]], code: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_events(pa.table(columns), OPTIONS)
    assert code in [fault.code for fault in caught.value.faults]


def test_a_damaged_parquet_file_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "events.parquet").write_bytes(b"PAR1" + b"\x00" * 50)
    with pytest.raises(BadInput, match="damaged or cut off"):
        read_events(tmp_path / "events.parquet", OPTIONS)


def test_the_counts_of_crm_sim_are_those_of_arrows_own_grouping(shared_data: Path) -> None:
    path = shared_data / "crm_sim" / "events.parquet"
    events = read_events(path, OPTIONS)
    assert events.source.rows_read == len(events.row) == 11_999_914
    given = pq.read_table(path, columns=["account_id", "event_time"])
    day = pc.call_function("cast", [given.column(1)], pc.CastOptions(pa.date32(), allow_time_truncate=True))
    groups = pa.table({"account": given.column(0), "day": day}).group_by(["account", "day"]).aggregate([([], "count_all")])
    theirs = groups.sort_by([("account", "ascending"), ("day", "ascending")])
    account = np.array([int(name) for name in events.account.names])[events.account.codes]
    order = np.lexsort((events.day, account))
    assert account[order].tolist() == theirs.column("account").to_pylist()
    assert events.day[order].tolist() == theirs.column("day").cast(pa.int32()).to_pylist()
    assert events.amount[order].tolist() == theirs.column("count_all").to_pylist()

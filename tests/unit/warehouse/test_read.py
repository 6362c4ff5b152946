"""Reading the book as of a date and version agrees with a plain search through all row versions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.unit.warehouse.books import Row, add_load, instant, new_book, random_rows, same_rows
from unspun.book.entities import ROW_COLUMNS, TABLES
from unspun.errors import BadInput, UnspunError
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.read import BookReader, end_of_day, open_book

MOMENTS = [None, *(instant(day / 2) for day in range(-1, 45, 5))]


def rows_of(reader: BookReader, view: str) -> list[Row]:
    return reader.query(f"FROM {view}").to_pylist()


def by(rows: Iterable[Row], *names: str) -> dict[tuple[object, ...], list[Row]]:
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    return groups


def newest(rows: Iterable[Row], *names: str) -> Row:
    return max(rows, key=lambda row: tuple(row[name] for name in names))


def known(rows: Iterable[Row], before: datetime | None, *identity: str) -> list[Row]:
    """The reference: of the versions known before the instant, the newest of each row."""
    there = [row for row in rows if before is None or row["known_at"] < before]
    return [newest(versions, "known_at", "load", "source_row") for versions in by(there, *identity).values()]


def history(rows: Iterable[Row], before: datetime | None) -> list[Row]:
    """The reference: of what was known before the instant, each account as it was from each instant on at which something was stated."""
    there = [row for row in rows if before is None or row["known_at"] < before]
    found: list[Row] = []
    for statements in by(there, "account_id", "happened_at").values():
        last = newest(statements, "known_at")
        until = [row for row in there if row["account_id"] == last["account_id"] and row["happened_at"] <= last["happened_at"]]
        found.append({**last, **{name: stated_last(until, name) for name in ("segment", "seats", "plan")}})
    return found


def stated_last(rows: Iterable[Row], column: str) -> object:
    """What the last of the rows that state a column say of it; None where none does."""
    stating = [row for row in rows if column in row["stated"].split(",")]
    return newest(stating, "happened_at", "known_at")[column] if stating else None


def state(rows: Iterable[Row], before: datetime | None) -> list[Row]:
    """The reference: of what was known before the instant, each account as it was then."""
    there = [row for row in history(rows, before) if before is None or row["happened_at"] < before]
    return [newest(group, "happened_at") for group in by(there, "account_id").values()]


@pytest.fixture(scope="module")
def random_books(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Catalog, list[dict[str, list[Row]]]]]:
    """Books of a few loads each, with the rows of each load."""
    books = []
    for seed in range(3):
        random = Random(seed)
        catalog = new_book(tmp_path_factory.mktemp("book"))
        loads = [random_rows(random, load) for load in range(1, 5)]
        for rows in loads:
            add_load(catalog, rows)
        books.append((catalog, loads))
    return books


VIEWS: dict[str, tuple[str, Callable[[Iterable[Row], datetime | None], list[Row]]]] = {
    "accounts": ("accounts", state),
    "accounts_history": ("accounts", history),
    "subscriptions": ("subscriptions", lambda rows, before: known(rows, before, "subscription_id")),
    "events": ("events", lambda rows, before: known(rows, before, "source_file", "source_row")),
    "events_versions": ("events", lambda rows, before: [r for r in rows if before is None or r["known_at"] < before]),
}


@pytest.mark.parametrize("number", [1, 2, 4])
def test_every_version_reads_as_of_every_date_as_a_search_through_its_row_versions_does(
    random_books: list[tuple[Catalog, list[dict[str, list[Row]]]]], number: int
) -> None:
    compared = 0
    for catalog, loads in random_books:
        for before in MOMENTS:
            with open_book(catalog, catalog.version(number), before) as reader:
                for view, (table, reference) in VIEWS.items():
                    expected = reference((row for load in loads[:number] for row in load[table]), before)
                    assert same_rows(rows_of(reader, view), expected), (view, before)
                    compared += len(expected)
    assert compared > 200


def test_a_plain_filter_reads_the_same_where_no_row_has_several_versions(tmp_path: Path) -> None:
    catalog, rows = new_book(tmp_path), random_rows(Random(9), 1)["events"]
    version = add_load(catalog, {"events": rows}, several=False)
    slow = replace(version, tables=tuple(replace(table, several_versions=True) for table in version.tables))
    for before in MOMENTS:
        with open_book(catalog, version, before) as plain, open_book(catalog, slow, before) as windowed:
            assert "row_number" not in plain.view_sql("events") and "row_number" in windowed.view_sql("events")
            assert same_rows(rows_of(plain, "events"), rows_of(windowed, "events"))


def snapshot(account: str, at: datetime, **values: object) -> Row:
    return {"account_id": account, "happened_at": at, "known_at": at, **values}


def test_a_fixed_column_has_its_latest_value_as_of_any_date_and_other_columns_do_not(tmp_path: Path) -> None:
    catalog = new_book(tmp_path)
    add_load(catalog, {"accounts": [snapshot("A", instant(1), segment="Small", plan="free", seats=3)]}, fixed=["segment"])
    late = [snapshot("A", instant(9), plan="paid", seats=5), snapshot("B", instant(9), segment="Large", plan="paid", seats=7)]
    version = add_load(catalog, {"accounts": late}, fixed=["segment"])
    ask = "SELECT account_id, segment, plan, seats, known_at FROM accounts ORDER BY 1"
    with open_book(catalog, version, instant(5)) as reader:
        assert [tuple(row.values()) for row in reader.query(ask).to_pylist()] == [
            ("A", "Small", "free", 3, instant(1)),
            ("B", "Large", None, None, instant(9)),  # not known yet: its fixed column only, and known_at says so
        ]
        assert [row["account_id"] for row in reader.query("FROM accounts_history").to_pylist()] == ["A"]
    with open_book(catalog, version) as reader:  # a later statement that does not state it takes nothing away
        assert [tuple(row.values())[:4] for row in reader.query(ask).to_pylist()] == [("A", "Small", "paid", 5), ("B", "Large", "paid", 7)]


def test_a_late_row_is_not_read_as_of_an_earlier_date(tmp_path: Path) -> None:
    catalog = new_book(tmp_path)
    row = {"account_id": "A", "occurred": instant(1), "happened_at": instant(1), "known_at": instant(30)}
    version = add_load(catalog, {"events": [row]})
    for before, count in ((instant(2), 0), (instant(30), 0), (instant(30) + timedelta(microseconds=1), 1)):
        with open_book(catalog, version, before) as reader:
            assert reader.query("SELECT count(*) AS n FROM events").to_pylist() == [{"n": count}]


@pytest.mark.parametrize(
    ("day", "zone", "expected"),
    [
        (date(2026, 3, 28), "Europe/Berlin", datetime(2026, 3, 28, 23, tzinfo=UTC)),  # the night before the clock goes forward
        (date(2026, 3, 29), "Europe/Berlin", datetime(2026, 3, 29, 22, tzinfo=UTC)),
        (date(2026, 10, 25), "Europe/Berlin", datetime(2026, 10, 25, 23, tzinfo=UTC)),  # a day of 25 hours
        (date(2018, 11, 3), "America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC)),  # the next day had no midnight
        (date(2026, 10, 31), "America/Havana", datetime(2026, 11, 1, 4, tzinfo=UTC)),  # the next day has two
        (date(2026, 7, 1), "UTC", datetime(2026, 7, 2, tzinfo=UTC)),
    ],
)
def test_a_day_ends_when_its_zone_says(day: date, zone: str, expected: datetime) -> None:
    end = end_of_day(day, zone)
    assert end == expected and end.utcoffset() == timedelta(0)
    before = (end - timedelta(microseconds=1)).astimezone(ZoneInfo(zone))
    assert before.date() == day and end.astimezone(ZoneInfo(zone)).date() == day + timedelta(days=1)


def test_an_unknown_zone_is_a_fault() -> None:
    with pytest.raises(BadInput, match="Mars/Olympus"):
        end_of_day(date(2026, 1, 1), "Mars/Olympus")


def test_every_table_of_the_book_is_a_view_with_every_standard_column_of_its_type(tmp_path: Path) -> None:
    catalog = new_book(tmp_path)
    version = add_load(catalog, {"events": []})
    with open_book(catalog, version) as reader:
        for name, table in TABLES.items():
            schema = reader.query(f"SELECT * FROM {name} LIMIT 0").schema
            assert schema.names[: len(ROW_COLUMNS)] == [column for column, _ in ROW_COLUMNS]
            assert {column.name for column in table.columns} <= set(schema.names)
        assert reader.query("SELECT amount FROM subscriptions").schema.field("amount").type == pa.decimal128(18, 4)
        assert reader.query("SELECT opened FROM tickets").schema.field("opened").type == pa.timestamp("us", "UTC")
        assert reader.query("SELECT cells FROM rejected").num_rows == reader.query("SELECT * FROM mended").num_rows == 0


def test_a_column_that_some_files_lack_is_empty_there(tmp_path: Path) -> None:
    catalog = new_book(tmp_path)
    row = {"account_id": "A", "happened_at": instant(1), "known_at": instant(1), "occurred": instant(1)}
    add_load(catalog, {"events": [dict(row)]}, only={"events": ("account_id", "occurred")})
    lacking = catalog.version(1)
    version = add_load(catalog, {"events": [{**row, "event": "open", "value": 2.5}]})
    with open_book(catalog, version) as reader:
        assert sorted(map(repr, reader.query("SELECT event, value FROM events").to_pylist())) == sorted(
            map(repr, [{"event": None, "value": None}, {"event": "open", "value": 2.5}])
        )
    with open_book(catalog, lacking) as reader:  # no file has it, and the table does
        assert reader.query("SELECT event FROM events").to_pylist() == [{"event": None}]


def test_folders_and_ids_with_quotes_are_read(tmp_path: Path) -> None:
    folder = tmp_path / 'it\'s "odd"'
    folder.mkdir()
    catalog = new_book(folder)
    version = add_load(catalog, {"events": [{"account_id": "O'Hara", "happened_at": instant(1), "known_at": instant(1)}]})
    with open_book(catalog, version, instant(5)) as reader:
        assert reader.query("SELECT account_id FROM events WHERE account_id = ?", ["O'Hara"]).num_rows == 1
        assert sum(batch.num_rows for batch in reader.stream("SELECT * FROM events")) == 1


@pytest.fixture
def book(tmp_path: Path) -> Catalog:
    catalog = new_book(tmp_path)
    add_load(catalog, random_rows(Random(3), 1))
    return catalog


def only_fault(catalog: Catalog) -> tuple[str, str, str, str]:
    version = catalog.current()
    assert version is not None
    with pytest.raises(UnspunError) as raised, open_book(catalog, version) as reader:
        for name in TABLES:
            reader.query(f"SELECT * FROM {name}")
    (fault,) = raised.value.faults
    return fault.code, fault.message, fault.where, fault.hint


def test_a_missing_file_is_one_fault_that_names_table_and_file_and_what_to_do(book: Catalog) -> None:
    (book.folder / "tables/events/load-1.parquet").unlink()
    code, message, where, hint = only_fault(book)
    assert (code, where) == ("file_missing", "tables/events/load-1.parquet")
    assert "`events`" in message and "unspun ledger verify" in hint


def test_a_file_cut_short_is_one_fault(book: Catalog) -> None:
    path = book.folder / "tables/events/load-1.parquet"
    path.write_bytes(path.read_bytes()[:-10])
    assert only_fault(book)[0::2] == ("file_edited", "tables/events/load-1.parquet")


def test_a_file_with_damaged_bytes_never_ends_in_a_traceback(book: Catalog) -> None:
    path, version = book.folder / "tables/subscriptions/load-1.parquet", book.current()
    whole = path.read_bytes()
    assert version is not None
    refused = 0
    for at in range(0, len(whole), len(whole) // 25):
        path.write_bytes(whole[:at] + bytes(255 - byte for byte in whole[at : at + 8]) + whole[at + 8 :])
        try:
            with open_book(book, version) as reader:
                reader.query("SELECT * FROM subscriptions")
        except UnspunError as error:
            assert [fault.where for fault in error.faults] == ["tables/subscriptions/load-1.parquet"]
            refused += 1
    assert refused > 5  # the others changed values: those are found by verifying, which hashes


def test_a_file_with_another_schema_is_one_fault(book: Catalog) -> None:
    version = book.current()
    assert version is not None
    path = book.folder / "tables/events/load-1.parquet"
    pq.write_table(pa.table({"account_id": [1, 2], "known_at": ["x", "y"]}), path)
    tables = tuple(
        replace(table, files=tuple(replace(file, size_bytes=path.stat().st_size) for file in table.files))
        if table.name == "events" else table for table in version.tables
    )  # fmt: skip
    with pytest.raises(UnspunError) as raised, open_book(book, replace(version, tables=tables)):
        pass
    assert "The files of this book version were replaced" in str(raised.value) or "another schema" in str(raised.value)


def test_wrong_sql_is_a_fault_and_files_outside_the_book_are_out_of_reach(book: Catalog, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    version = book.current()
    assert version is not None
    with open_book(book, version) as reader:
        for sql in ("SELECT nothing FROM events", "SELEC", f"SELECT * FROM read_csv('{secret}')", "INSTALL httpfs", "SET threads = 1"):
            with pytest.raises(UnspunError):
                reader.query(sql)
        assert reader.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_another_thread_reads_the_same_book_in_utc_with_the_tables_held_by_the_first(
    random_books: list[tuple[Catalog, list[dict[str, list[Row]]]]],
) -> None:
    catalog, _ = random_books[0]
    version = catalog.current()
    assert version is not None
    with open_book(catalog, version) as reader, reader.beside() as beside:
        views = [name for name, _ in reader.views]
        before = {name: rows_of(reader, name) for name in views}
        for statements in reader.holding_sql():
            for statement in statements:
                beside.query(statement)
        for name in views:
            assert same_rows(rows_of(reader, name), before[name])
            assert same_rows(rows_of(beside, name), before[name])
        zones = [one.query("SELECT current_setting('TimeZone') AS zone").to_pylist() for one in (reader, beside)]
        assert zones == [[{"zone": "UTC"}]] * 2
    assert len(reader.holding_sql()) == len([table for table in version.tables if table.name in TABLES and table.rows])

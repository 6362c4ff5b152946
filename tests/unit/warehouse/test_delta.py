"""Data files and Delta logs: whole or not there, plain Parquet to any reader, and in the end as published."""

from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from tests.unit.warehouse.loaded_books import PURCHASES, TICKETS, book, load, tickets, write
from unspun.book.entities import ROW_COLUMNS, Kind
from unspun.errors import UnspunError
from unspun.warehouse import delta
from unspun.warehouse.delta import align, column_ranges, parquet_file, recover, write_data_file
from unspun.warehouse.versions import DataFile

COLUMNS: tuple[tuple[str, Kind], ...] = (
    *ROW_COLUMNS,
    ("account_id", "text"),
    ("amount", "money"),
    ("seats", "number"),
    ("day", "day"),
    ("paid", "flag"),
)


def rows(first: int, count: int, load: int = 1) -> pa.Table:
    """Rows with instants, dictionary text, money with four places and empty cells."""
    at = [datetime(2024, 1, 1, 0, 0, 0, first + n, tzinfo=UTC) for n in range(count)]
    numbers = range(first, first + count)
    columns = {
        "happened_at": pa.array(at, pa.timestamp("us", "UTC")),
        "known_at": pa.array(at, pa.timestamp("us", "UTC")),
        "happened_zone": pa.array(["UTC"] * count).dictionary_encode(),
        "load": pa.array([load] * count, pa.int64()),
        "source_file": pa.array([7] * count, pa.int64()),
        "source_row": pa.array(numbers, pa.int64()),
        "account_id": pa.array([f"a{n % 3}" for n in numbers]).dictionary_encode(),
        "amount": pa.array([Decimal(n) / 10_000 if n % 4 else None for n in numbers], pa.decimal128(18, 4)),
        "seats": pa.array([n / 3 for n in numbers]),
        "day": pa.array([at[0].date()] * count),
        "paid": pa.array([n % 2 == 0 for n in numbers]),
    }
    return pa.table(columns)


def written(folder: Path, stem: str, first: int = 0, count: int = 10, load: int = 1) -> DataFile:
    return write_data_file(folder, "purchases", [rows(first, count, load)], COLUMNS, stem)


def test_a_data_file_holds_what_was_written_and_is_described_by_its_hash_size_rows_and_loads(tmp_path: Path) -> None:
    parts = [rows(0, 5), rows(5, 7, load=2), rows(12, 1)]
    file = write_data_file(tmp_path, "purchases", iter(parts), COLUMNS, "one")
    content = (tmp_path / file.path).read_bytes()
    assert (file.path, file.rows, file.loads) == ("tables/purchases/one.parquet", 13, (1, 2))
    assert (file.sha256, file.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    back = pq.read_table(tmp_path / file.path)
    assert back.to_pylist() == pa.concat_tables(parts).unify_dictionaries().to_pylist()
    assert pa.types.is_string(back.schema.field("account_id").type)


def test_text_comes_as_a_dictionary_or_plain_in_any_order(tmp_path: Path) -> None:
    plain = rows(3, 4)
    plain = plain.set_column(plain.schema.get_field_index("account_id"), "account_id", plain.column("account_id").cast(pa.string()))
    for number, parts in enumerate(([rows(0, 3), plain], [plain, rows(0, 3)])):
        file = write_data_file(tmp_path, "purchases", parts, COLUMNS, str(number))
        assert sorted(pq.read_table(tmp_path / file.path).column("source_row").to_pylist()) == list(range(7))


def test_the_footer_says_when_and_which_loads_and_nothing_of_any_text(tmp_path: Path) -> None:
    path = tmp_path / written(tmp_path, "one").path
    assert set(column_ranges(path)) == {"happened_at", "known_at", "load", "source_file"}
    assert column_ranges(path)["happened_at"][:2] == tuple(datetime(2024, 1, 1, 0, 0, 0, n, tzinfo=UTC) for n in (0, 9))
    group = pq.read_metadata(path).row_group(0)
    with_statistics = {group.column(n).path_in_schema for n in range(group.num_columns) if group.column(n).statistics is not None}
    assert with_statistics == {"happened_at", "known_at", "load", "source_file"}


def test_a_file_that_cannot_be_written_to_its_end_is_not_there(tmp_path: Path) -> None:
    def parts() -> Iterator[pa.Table]:
        yield rows(0, 5)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_data_file(tmp_path, "purchases", parts(), COLUMNS, "one")
    assert list(tmp_path.rglob("*.parquet*")) == []


def test_a_file_given_up_leaves_nothing_and_says_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "one.parquet"
    with pytest.raises(ZeroDivisionError), parquet_file(path, COLUMNS) as file:
        file.write(rows(0, 1 << 19))  # a row group, of which the last bytes wait in a buffer
        raise ZeroDivisionError
    del file
    gc.collect()
    assert (list(tmp_path.iterdir()), capfd.readouterr().err) == ([], "")


def test_align_makes_delta_show_exactly_the_files_and_every_version_stays_readable(tmp_path: Path) -> None:
    one, two = written(tmp_path, "one"), written(tmp_path, "two", 10)
    versions = [align(tmp_path, "purchases", COLUMNS, files, {"by": "test"}) for files in ((one,), (one, two), (two,), (one, two))]
    assert versions == sorted(set(versions))
    for version, expected in zip(versions, (range(10), range(20), range(10, 20), range(20)), strict=True):
        log = DeltaTable(tmp_path / "tables" / "purchases", version=version)
        found = (
            duckdb.connect().execute(f"SELECT source_row, account_id, amount FROM read_parquet({log.file_uris()}) ORDER BY 1").fetchall()
        )
        assert found == [(n, f"a{n % 3}", Decimal(n) / 10_000 if n % 4 else None) for n in expected]
        by_delta = log.to_pyarrow_table().sort_by("source_row")
        assert by_delta.column("source_row").to_pylist() == list(expected)
        assert by_delta.column("amount").to_pylist() == [amount for _, _, amount in found]


def test_aligning_to_what_is_so_already_commits_nothing(tmp_path: Path) -> None:
    file = written(tmp_path, "one")
    first = align(tmp_path, "purchases", COLUMNS, (file,), {})
    assert align(tmp_path, "purchases", COLUMNS, (file,), {}) == first


def test_a_new_column_is_added_and_delta_reads_it_as_empty_in_older_files(tmp_path: Path) -> None:
    one = written(tmp_path, "one")
    align(tmp_path, "purchases", COLUMNS, (one,), {})
    wider: tuple[tuple[str, Kind], ...] = (*COLUMNS, ("own", "text"))
    more = rows(10, 2).append_column("own", pa.array(["x", "y"]))
    two = write_data_file(tmp_path, "purchases", [more], wider, "two")
    align(tmp_path, "purchases", wider, (one, two), {})
    log = DeltaTable(tmp_path / "tables" / "purchases")
    assert [field.name for field in log.schema().fields] == [name for name, _ in wider]
    uris = log.file_uris()
    found = duckdb.connect().execute(f"SELECT own, count(*) FROM read_parquet({uris}, union_by_name=true) GROUP BY 1 ORDER BY 1").fetchall()
    assert found == [("x", 1), ("y", 1), (None, 10)]


def test_the_table_is_plain_delta_without_features_that_other_readers_lack(tmp_path: Path) -> None:
    align(tmp_path, "purchases", COLUMNS, (written(tmp_path, "one"),), {})
    log = DeltaTable(tmp_path / "tables" / "purchases")
    assert log.metadata().partition_columns == []
    configuration = log.metadata().configuration
    assert not {"delta.columnMapping.mode", "delta.enableDeletionVectors"} & configuration.keys()
    assert log.protocol().min_reader_version == 1


def test_aligning_to_a_file_that_is_not_there_says_which(tmp_path: Path) -> None:
    file = written(tmp_path, "one")
    os.remove(tmp_path / file.path)
    with pytest.raises(UnspunError, match=r"one\.parquet"):
        align(tmp_path, "purchases", COLUMNS, (file,), {})


def test_recovery_takes_back_what_a_dead_load_left_in_logs_and_folders(tmp_path: Path) -> None:
    file = write(tmp_path / "p.csv", "account,day,amount,product", "1,2024-01-01,5,a")
    with book(tmp_path) as catalog:
        load(catalog, "2024-02-01", (tickets(tmp_path / "t.csv", "1,t1,2024-01-01,open,"), TICKETS), (file, PURCHASES))
        version = catalog.current()
        assert version is not None
        table = version.table("purchases")
        assert table is not None
        left = write_data_file(catalog.folder, "purchases", [rows(0, 3)], COLUMNS, "load-000009-1")
        align(catalog.folder, "purchases", (*table.columns, ("seats", "number"), ("paid", "flag")), (*table.files, left), {})
        other = write_data_file(catalog.folder, "scores", [rows(0, 3)], COLUMNS, "load-000009-1")
        align(catalog.folder, "scores", COLUMNS, (other,), {})
        (catalog.folder / "tables" / "scores" / f"x.parquet{delta.PART_SUFFIX}").write_text("half")
        recover(catalog)
        stored = {path.relative_to(catalog.folder).as_posix() for path in catalog.folder.glob("tables/*/*.p*")}
        assert stored == catalog.files_in_use()
        live = {name: len(DeltaTable(catalog.folder / "tables" / name).file_uris()) for name in ("purchases", "tickets", "scores")}
        assert live == {"purchases": 1, "tickets": 1, "scores": 0}

"""The embedded engine works within its memory, in UTC, and reaches no other file or address."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unspun.engines.embedded import ENGINE, arrow_table, connect, engine_version, record_batches, sql_name, sql_text
from unspun.errors import BadInput

SORTED = "SELECT count(*) AS n FROM (SELECT i, hash(i)::VARCHAR || 'abcdefghijklmnopqrstuvwxyz' AS h FROM range(1500000) r(i) ORDER BY h)"


def test_what_does_not_fit_in_memory_spills_into_a_folder_that_is_gone_afterwards(tmp_path: Path) -> None:
    spill = tmp_path / "deep" / "spill"
    with connect("90MB", spill) as connection:
        connection.execute(f"CREATE TABLE big AS {SORTED.replace('count(*) AS n', '*')}")
        assert any(path.stat().st_size > 1 << 20 for path in spill.rglob("*") if path.is_file())
        assert arrow_table(connection, "SELECT count(*) AS n FROM big").to_pylist() == [{"n": 1_500_000}]
    assert list(spill.iterdir()) == []


def test_instants_are_utc_and_zones_are_known(tmp_path: Path) -> None:
    with connect("100MB", tmp_path) as connection:
        rows = arrow_table(
            connection,
            "SELECT TIMESTAMPTZ '2026-07-01 00:00:00+00' AS t, TIMESTAMPTZ '2026-07-01 00:00:00+00' AT TIME ZONE 'Europe/Berlin' AS b",
        )
        assert rows.schema.field("t").type == pa.timestamp("us", "UTC")
        assert str(rows["b"][0]) == "2026-07-01 02:00:00"


def test_only_the_folders_given_can_be_read_and_no_statement_changes_that(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, outside):
        folder.mkdir()
        pq.write_table(pa.table({"a": [1]}), folder / "a.parquet")
    with connect("100MB", tmp_path / "spill", [inside]) as connection:
        assert arrow_table(connection, f"SELECT a FROM read_parquet('{inside}/a.parquet')").to_pylist() == [{"a": 1}]
        for sql in (
            f"SELECT * FROM read_parquet('{outside}/a.parquet')",
            f"SELECT * FROM read_parquet('{inside}/../out/a.parquet')",
            f"COPY (SELECT 1) TO '{outside}/b.csv'",
            "SET enable_external_access = true",
            "SET memory_limit = '10GB'",
            "INSTALL httpfs",
            "SELECT * FROM read_parquet('https://example.com/a.parquet')",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(sql).fetchall()


def test_batches_come_as_they_are_made_and_parameters_are_values(tmp_path: Path) -> None:
    with connect("100MB", tmp_path) as connection:
        batches = record_batches(connection, "SELECT i FROM range(1000000000) r(i) WHERE i % ? = 0", [2], batch_rows=1000)
        assert next(batches).num_rows == 1000
        batches.close()
        assert arrow_table(connection, "SELECT ? AS x", ["'; DROP TABLE x"]).to_pylist() == [{"x": "'; DROP TABLE x"}]


def test_names_and_texts_are_quoted(tmp_path: Path) -> None:
    name, text = 'odd "name"', "it's; -- odd"
    with connect("100MB", tmp_path) as connection:
        assert arrow_table(connection, f"SELECT {sql_text(text)} AS {sql_name(name)}").to_pylist() == [{name: text}]


def test_a_wrong_amount_of_memory_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="200 potatoes"), connect("200 potatoes", tmp_path):
        pass


def test_the_engine_states_its_version() -> None:
    assert (ENGINE, engine_version()) == ("duckdb", duckdb.__version__)

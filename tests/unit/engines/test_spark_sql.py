"""What Spark says otherwise than the portable tree of a plan, and the book's views in its words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlglot import exp

from unspun.book.entities import Kind
from unspun.engines.spark_sql import SCHEMA, quoted, spark_sql, view_sql
from unspun.metrics.lower.leaves import in_slice
from unspun.metrics.lower.terms import row
from unspun.warehouse.event_accounts import accounts_sql, resolved_sql
from unspun.warehouse.read_sql import stored_sql
from unspun.warehouse.versions import DataFile, TableVersion


def events(*paths: str) -> TableVersion:
    files = tuple(DataFile("events", path, "", 1, 1, (1,)) for path in paths)
    columns: tuple[tuple[str, Kind], ...] = (
        ("happened_at", "instant"),
        ("known_at", "instant"),
        ("account_id", "text"),
        ("subscription_id", "text"),
        ("a `b`", "money"),
    )
    return TableVersion("events", 1, (), columns, False, files)


def test_files_are_a_table_with_the_types_of_the_columns_whatever_is_in_their_names() -> None:
    given: list[tuple[SCHEMA, Sequence[str]]] = []

    def known(schema: SCHEMA, paths: Sequence[str]) -> str:
        given.append((schema, paths))
        return "files_0"

    sql = view_sql(stored_sql(Path("/w"), events("it's [1].parquet", "two.parquet")), known)
    assert given[0][1] == ["/w/it's [1].parquet", "/w/two.parquet"]
    assert given[0][0]["a `b`"] == "DECIMAL(18, 4)" and given[0][0]["happened_at"] == "TIMESTAMP" and given[0][0]["account_id"] == "STRING"
    assert "FROM (SELECT * FROM files_0)" in sql and "`a ``b```" in sql and quoted("a `b`") == "`a ``b```"


def test_columns_that_a_view_replaces_are_left_out_and_said_anew() -> None:
    sql = view_sql(resolved_sql("SELECT 1 AS x", accounts_sql(Path("/w"), None, None), dated=True), lambda _schema, _paths: "")
    assert "e.* EXCEPT (`account_id`, `known_at`), COALESCE(e.account_id, s.account_id) AS account_id, GREATEST(" in sql


def test_values_side_by_side_are_laid_below_each_other_by_one_function() -> None:
    def unnested(*names: str) -> exp.Expr:
        return exp.Anonymous(this="UNNEST", expressions=[exp.Array(expressions=[exp.column(name) for name in names])])

    query = exp.select(exp.Add(this=exp.column("k"), expression=unnested("a", "b")).as_("x"), unnested("c", "d").as_("y")).from_("t")
    assert spark_sql(query) == (
        "SELECT k + beside.beside_0 AS x, beside.beside_1 AS y FROM t LATERAL VIEW STACK(2, a, c, b, d) beside AS beside_0, beside_1"
    )
    assert "UNNEST" in query.sql()  # the tree itself is left as it is


def test_rows_as_values_are_structs_parameters_have_names_and_texts_keep_their_backslashes() -> None:
    query = exp.select(row(("a", "b")), exp.Literal.string("a\\b'c")).from_("t").where(in_slice(exp.column("x")))
    assert spark_sql(query) == "SELECT STRUCT(a, b), 'a\\\\b\\'c' FROM t WHERE x >= CAST(:p1 AS BIGINT) AND x < CAST(:p2 AS BIGINT)"


def test_with_stays_in_its_subquery_so_that_two_may_have_one_name() -> None:
    one = "(WITH s AS (SELECT {} AS v) SELECT v FROM s)"
    sql = spark_sql(exp.select("*").from_(f"{one.format(1)} AS a").join(f"{one.format(2)} AS b", join_type="cross"))
    assert sql.count("WITH s AS") == 2 and sql.startswith("SELECT")


def test_the_greatest_of_one_value_is_that_value() -> None:
    least = exp.Least(this=exp.column("a"), expressions=[], ignore_nulls=True)
    assert spark_sql(exp.select(least.as_("x"))) == "SELECT a AS x"

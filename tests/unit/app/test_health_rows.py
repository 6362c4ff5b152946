"""Health scores as a table: columns that cannot be mistaken for each other, decimals that are exact, values as the panel has them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from unspun.app.health.rows import column_of, health_schema, health_table
from unspun.app.panel.files import HashedRows
from unspun.book.tables import Codes
from unspun.health.definition import Band, Group, HealthScore, Input, Linear, Scale, Values

RISING = Linear(((0.0, Decimal(0)), (10.0, Decimal(100))))


def panel(**columns: pa.Array) -> pa.Table:
    """A panel of so many accounts on one day; a metric lacks its value where it is null, for the reason `outage`."""
    n = len(next(iter(columns.values())))
    made: dict[str, pa.Array] = {"account_id": pa.array([f"A{i}" for i in range(n)]), "as_of": pa.array([date(2026, 1, 31)] * n)}
    for name, values in columns.items():
        made |= {name: values, f"{name}__missing": pa.array([None if one.is_valid else "outage" for one in values], pa.string())}
    return pa.table(made)


def score_of(scales: dict[str, Scale], digits: int = 1) -> HealthScore:
    inputs = tuple(Input(name, scale) for name, scale in scales.items())
    return HealthScore("health", (Group("", inputs),), digits=digits, bands=(Band("low", Decimal(0)), Band("high", Decimal(50))))


def scored(rows: pa.Table, score: HealthScore) -> pa.Table:
    return health_table(rows, (score,), health_schema(rows.schema, (score,), {}))


def test_metrics_may_be_called_as_columns_of_a_score_are() -> None:
    names = ("band", "missing", "weight", "points", "contribution")
    rows = panel(**{name: pa.array([2.0, None]) for name in names})
    found = scored(rows, score_of(dict.fromkeys(names, RISING)))
    assert len(set(found.column_names)) == len(found.column_names)
    first, second = found.to_pylist()
    assert [first["health"], first["health__band"], first["health__weight"]] == [Decimal("20.0"), "low", 1.0]
    assert [first[f"health__{name}__contribution"] for name in names] == [Decimal("4.0")] * 5
    assert [second["health"], second["health__band"], second["health__missing"]] == [None, None, "outage"]


@pytest.mark.parametrize("digits", [0, 1, 4])
def test_scores_have_the_decimals_that_are_declared(digits: int) -> None:
    found = scored(panel(m=pa.array([0.0, 3.3333333, 10.0])), score_of({"m": RISING}, digits))
    assert found.schema.field("health").type == pa.decimal128(17, digits)
    assert found["health"].to_pylist() == [round(Decimal(one), digits) for one in ("0", "33.333333", "100")]


def test_texts_flags_and_whole_numbers_are_read_as_what_they_are() -> None:
    rows = panel(
        plan=pa.array(["gold", None, "tin"]), sso=pa.array([True, False, None]), seats=pa.array([10, 2**60, None], pa.int64()),
    )  # fmt: skip
    on = Values((("true", Decimal(100)), ("false", Decimal(0))))
    found = scored(rows, score_of({"plan": Values((("gold", Decimal(80)),)), "sso": on, "seats": RISING}, digits=0))
    assert [one["health"] for one in found.to_pylist()] == [Decimal(93), Decimal(50), None]
    assert found["health__missing"].to_pylist()[2] == "no_inputs"
    assert isinstance(column_of(rows["plan"]), Codes)


def test_a_column_in_parts_is_one_column() -> None:
    parts = pa.chunked_array([["a", None], [], ["b", "a"]], pa.string())
    codes = column_of(parts)
    assert isinstance(codes, Codes)
    assert [None if one < 0 else codes.names[one] for one in codes.codes] == ["a", None, "b", "a"]
    assert np.isnan(column_of(pa.chunked_array([[1, None], [3]], pa.int64()))[1])  # pyright: ignore[reportIndexIssue]


def test_the_hash_of_rows_tells_decimals_apart() -> None:
    def sha256(*values: str | None) -> str:
        column = pa.array([None if one is None else Decimal(one) for one in values], pa.decimal128(17, 1))
        rows = pa.table({"health": column})
        hashed = HashedRows(rows.schema)
        hashed.take(rows)
        return hashed.sha256

    assert sha256("1.0", "2.0") == sha256("1.0", "2.0")
    assert len({sha256("1.0", "2.0"), sha256("1.0", "2.1"), sha256("1.0", None), sha256(None, "1.0"), sha256("-1.0", "2.0")}) == 5

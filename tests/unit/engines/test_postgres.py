"""What Postgres is told otherwise than other engines: numbers as exact decimals, last values so far, which columns are copied."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal, localcontext
from pathlib import Path

import pyarrow as pa
import pytest
from sqlglot import exp, parse_one

from tests.spec.postgres_engine import SpecRows
from tests.unit.connectors.servers import shared_server
from unspun.connectors.sql.address import read_address
from unspun.connectors.sql.postgres import Limits
from unspun.connectors.sql.postgres_tables import open_tables
from unspun.engines.postgres_panel import PostgresPanel, columns_read
from unspun.engines.postgres_sql import BILLIONTHS, postgres_sql
from unspun.errors import UnspunError
from unspun.metrics.lower.plan import PanelPlan, Step


@pytest.fixture
def panel() -> Iterator[PostgresPanel]:
    address = read_address(shared_server().url(), "server", Path(), may_hold_password=True)
    with open_tables(address, "server", Limits()) as session:
        yield PostgresPanel(session, SpecRows({}))


def doubles() -> list[float]:
    rng = random.Random(7)
    odd = [0.0, -0.0, 5e-324, 1e9 / 3, 0.49999999999999994e-9, 0.5e-9, -0.5e-9, 1.5e-9, 2.5e-9, 9e6, 9007199.254740993, -9007199.254740993]
    large = [1e15 / 7, 2.0**62, -(2.0**66), 98765432109876543210.0, 9.99e19]
    return [*odd, *large, *(rng.uniform(-1, 1) * 10 ** rng.randint(-12, 19) for _ in range(3000))]


def test_a_double_enters_a_sum_as_the_billionths_nearest_to_it_times_a_billion(panel: PostgresPanel) -> None:
    """The product is a double; it is rounded half away from zero, here by Python's decimals."""
    cells = doubles()
    panel.take("cells", pa.table({"place": pa.array(range(len(cells)), pa.int64()), "cell": pa.array(cells)}))
    found = panel.session.table(f"SELECT {BILLIONTHS}(cell)::text AS n FROM cells ORDER BY place")["n"].to_pylist()
    with localcontext(prec=60):
        expected = [Decimal(cell * 1e9).quantize(Decimal(1), ROUND_HALF_UP).scaleb(-9) for cell in cells]
    assert [Decimal(one) for one in found] == expected


@pytest.mark.parametrize("cell", [1e20, -3e21, 1e300, float("inf"), float("nan")])
def test_a_number_that_is_too_large_to_be_added_up_exactly_is_refused(panel: PostgresPanel, cell: float) -> None:
    panel.take("cells", pa.table({"cell": [cell]}))
    with pytest.raises(UnspunError):
        panel.session.table(f"SELECT {BILLIONTHS}(cell) AS n FROM cells")


def test_a_text_that_postgres_does_not_take_is_told_so(panel: PostgresPanel) -> None:
    with pytest.raises(UnspunError, match="NUL"):
        panel.take("texts", pa.table({"cell": ["a\x00b"]}))
    panel.drop("texts")  # nothing more is asked of a session that failed


def test_texts_are_told_apart_and_ordered_by_their_bytes(panel: PostgresPanel) -> None:
    texts = ["é", "e", "Z", "a", "a ", "ß", "ss", "\U0010ffff", "_", "A"]
    panel.take("texts", pa.table({"cell": texts}))
    query = parse_one("SELECT cell FROM texts ORDER BY cell")
    assert isinstance(query, exp.Query)
    assert panel.rows(query)["cell"].to_pylist() == sorted(texts, key=lambda text: text.encode())


def test_the_last_value_so_far_is_that_of_the_greatest_order_so_far(panel: PostgresPanel) -> None:
    rng = random.Random(3)
    rows = [(a, p, rng.choice([None, rng.randint(0, 50)]), f"v{a}-{p}") for a in range(20) for p in range(12)]
    names = ("account", "point", "n", "cell")
    panel.take("rows_seen", pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))))
    window = exp.Window(
        this=exp.ArgMax(this=exp.column("cell"), expression=exp.column("n")),
        partition_by=[exp.column("account")],
        order=exp.Order(expressions=[exp.Ordered(this=exp.column("point"), nulls_first=False)]),
        spec=exp.WindowSpec(kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end="CURRENT ROW"),
    )
    found = panel.rows(exp.select("account", "point", window.as_("last")).from_("rows_seen")).to_pylist()
    for row in found:
        seen = [one for one in rows if one[0] == row["account"] and one[1] <= row["point"] and one[2] is not None]
        greatest = max((one[2] for one in seen if one[2] is not None), default=None)
        assert row["last"] == next((one[3] for one in seen if one[2] == greatest), None), "of equal ones the first"


def test_only_the_columns_that_a_plan_reads_are_copied() -> None:
    rows = "SELECT account_id, value FROM events_versions WHERE event = 'x'"
    step = parse_one(f"SELECT account_id, MAX(value) AS v FROM ({rows}) AS r GROUP BY 1")
    last = parse_one("SELECT s.v FROM made AS s")
    assert isinstance(step, exp.Query) and isinstance(last, exp.Query)
    plan = PanelPlan((Step("made", step, ""),), last, {}, last, last)
    assert columns_read(plan) == {"events_versions": frozenset({"account_id", "value", "event"})}


def test_days_and_text_tests_are_written_as_postgres_has_them() -> None:
    query = exp.select(exp.Contains(this=exp.column("a"), expression=exp.Literal.string("b%")).as_("c")).from_("t")
    assert postgres_sql(query) == "SELECT (STRPOS(a, 'b%') > 0) AS c FROM t"

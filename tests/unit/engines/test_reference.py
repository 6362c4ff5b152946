"""The plain-Python engine: the form of a panel, and that nothing learned after a date changes what it gives for the date.

What each node gives is in tests/spec.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from tests.spec.chapters import CHAPTERS
from tests.spec.harness import ASKED, Spec
from tests.spec.text_tables import Row
from unspun.engines.reference import reference_panel
from unspun.metrics.asof import Dates
from unspun.metrics.metric import Metric, MetricSet
from unspun.metrics.nodes import ActiveDays, Attribute, Count, LastValue, Maximum, Rows, Sum
from unspun.metrics.question import HeldTable, PanelQuestion

DATED = [spec for chapter in CHAPTERS for spec in chapter.specs if isinstance(spec.as_of(), Dates)]
TERM = {"account_id": "a", "started": date(2024, 1, 10), "ended": None, "amount": None, "is_addon": False, "product": "Pro"}


def version(row: Mapping[str, object], known: datetime, source_row: int) -> Row:
    """A row version of a term."""
    at = datetime(2024, 1, 10, tzinfo=UTC)
    return {**row, "happened_at": at, "known_at": known, "load": 1, "source_file": 1, "source_row": source_row}


def question(*metrics: Metric, dates: Sequence[date] = (date(2024, 1, 31),)) -> PanelQuestion:
    columns = {"account_id": "text", "started": "day", "ended": "day", "amount": "money", "is_addon": "flag", "product": "text"}
    tables = {"subscriptions": HeldTable(columns, rows=1)}  # pyright: ignore[reportArgumentType]
    return PanelQuestion(MetricSet(metrics), tuple(metric.id for metric in metrics), Dates(tuple(dates)), tables)


def test_a_panel_has_a_column_of_its_kind_and_one_of_reasons_for_each_metric() -> None:
    rows = Rows("subscriptions")
    metrics = (
        Metric("terms", Count(rows)),
        Metric("amount", Sum(rows, "amount")),
        Metric("latest", Maximum(rows, "started")),
        Metric("product", LastValue(rows, "product")),
        Metric("addon", LastValue(rows, "is_addon")),
        Metric("plan", Attribute("plan")),
    )
    panel = reference_panel(question(*metrics), {"subscriptions": [version(TERM, datetime(2024, 1, 10, tzinfo=UTC), 2)]})
    kinds = {field.name: field.type for field in panel.schema if not field.name.endswith("__missing")}
    assert kinds == {
        "account_id": pa.string(), "as_of": pa.date32(), "terms": pa.int64(), "amount": pa.float64(), "latest": pa.date32(),
        "product": pa.string(), "addon": pa.bool_(), "plan": pa.string(),
    }  # fmt: skip
    assert panel.to_pylist() == [
        {
            "account_id": "a", "as_of": date(2024, 1, 31), "terms": 1, "terms__missing": None, "amount": 0.0, "amount__missing": None,
            "latest": date(2024, 1, 10), "latest__missing": None, "product": "Pro", "product__missing": None,
            "addon": False, "addon__missing": None, "plan": None, "plan__missing": "not_stated",
        }
    ]  # fmt: skip


def test_the_rows_of_a_panel_are_in_order_of_account_and_date_and_have_all_accounts_on_all_dates() -> None:
    known = datetime(2024, 1, 10, tzinfo=UTC)
    rows = [version({**TERM, "account_id": account}, known, place) for place, account in enumerate(("b", "a", "Z", "a"))]
    dates = (date(2024, 1, 9), date(2024, 1, 31))
    panel = reference_panel(question(Metric("terms", Count(Rows("subscriptions"))), dates=dates), {"subscriptions": rows})
    units = list(zip(panel["account_id"].to_pylist(), panel["as_of"].to_pylist(), panel["terms"].to_pylist(), strict=True))
    assert units == [
        ("Z", dates[0], None), ("Z", dates[1], 1), ("a", dates[0], None), ("a", dates[1], 2), ("b", dates[0], None), ("b", dates[1], 1),
    ]  # fmt: skip


def test_a_row_without_an_account_counts_for_nobody() -> None:
    rows = [version({**TERM, "account_id": account}, datetime(2024, 1, 10, tzinfo=UTC), 2) for account in ("a", None)]
    panel = reference_panel(question(Metric("days", ActiveDays(Rows("subscriptions")))), {"subscriptions": rows})
    assert panel["account_id"].to_pylist() == ["a"]
    assert panel["days"].to_pylist() == [1]


def known_by(rows: Mapping[str, Sequence[Row]], day: date, zone: str) -> dict[str, list[Row]]:
    """The row versions that were known by the end of a day."""
    end = datetime.combine(day + timedelta(days=1), datetime.min.time(), ZoneInfo(zone))
    return {name: [row for row in held if name == "arr_as_of" or row["known_at"] < end] for name, held in rows.items()}  # pyright: ignore[reportOperatorIssue]


@pytest.mark.parametrize("spec", [pytest.param(spec, id=spec.teaches[:60]) for spec in DATED if not spec.fixed])
def test_what_came_to_be_known_after_a_date_does_not_change_its_values(spec: Spec) -> None:
    asked = spec.question()
    whole = {(row["account_id"], row["as_of"]): row for row in reference_panel(asked, spec.rows()).to_pylist()}
    for day in asked.as_of.dates:  # pyright: ignore[reportAttributeAccessIssue]
        then = reference_panel(replace(asked, as_of=Dates((day,))), known_by(spec.rows(), day, spec.time_zone))
        for row in then.to_pylist():
            assert row == whole[row["account_id"], day], ASKED

"""Texts that look like SQL, YAML or patterns are data: as events, accounts, attributes, in filters on them, and as names of own columns."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from tests.panel.random_books import Row, SmallBook, arrow_of, kinds_of
from tests.panel.random_metrics import question_of
from tests.panel.sides import memory_reader, run_duckdb, views_of
from tests.unit.metrics.hostile import HOSTILE_TEXTS
from unspun.book.entities import TABLES, TableName
from unspun.engines.reference.panel import reference_panel
from unspun.metrics.conditions import HasText, IsIn
from unspun.metrics.metric import Metric, MetricSet, SourceRules
from unspun.metrics.nodes import Attribute, Count, Distinct, LastValue, Rows, Series, Sum, ZScore
from unspun.metrics.question import HeldTable, PanelQuestion
from unspun.metrics.windows import Days

DAY = date(2025, 6, 30)
NOON = datetime(2025, 6, 20, 12, tzinfo=UTC)
TEXTS = tuple(dict.fromkeys(HOSTILE_TEXTS))
SOURCES = {"events": SourceRules(covers_every_account=True, silent_days=None)}
OWN_NAMES = (
    'we"ird; col',
    "'; drop table events; --",
    "select",
    "day",
    "unit",
    "account",
    "m0",
    "seen_from",
    "point",
    "__x",
    "ünï",
    "a.b",
    "%s",
)


def events_of_every_text() -> SmallBook:
    """Of the i-th text i % 3 + 1 events, of an account of that name, whose plan is another of the texts."""
    events = [
        {"account_id": text, "event": text, "user_id": text, "occurred": NOON, "happened_at": NOON, "known_at": NOON}
        for place, text in enumerate(TEXTS)
        for _ in range(place % 3 + 1)
    ]
    accounts = [
        {"account_id": text, "plan": TEXTS[-1 - place], "stated": "plan", "happened_at": NOON, "known_at": NOON}
        for place, text in enumerate(TEXTS)
    ]
    rows: dict[TableName, tuple[Row, ...]] = {"events": _numbered(events), "accounts": _numbered(accounts)}
    held: dict[str, HeldTable] = {name: HeldTable(kinds_of(name), TABLES[name].key, rows=len(rows[name])) for name in rows}
    return SmallBook(rows, held, (DAY,), ())


def _numbered(rows: list[Row]) -> tuple[Row, ...]:
    return tuple({**row, "load": 1, "source_file": 1, "source_row": number} for number, row in enumerate(rows, 2))


@pytest.fixture(scope="module")
def book() -> SmallBook:
    return events_of_every_text()


def panels(book: SmallBook, series: dict[str, Series]) -> list[dict[str, list[object]]]:
    """The columns of the panel by both engines; events count for all accounts."""
    question = question_of(book, MetricSet(tuple(Metric(id, one) for id, one in series.items()), SOURCES))
    by_python = reference_panel(question, {name: arrow_of(name, rows).to_pylist() for name, rows in book.tables.items()})
    return [one.to_pydict() for one in (by_python, on_duckdb(question, views_of(book)))]


def on_duckdb(question: PanelQuestion, views: dict[str, pa.Table]) -> pa.Table:
    with memory_reader(views) as reader:
        return run_duckdb(reader, question)


def test_every_account_counts_its_events_whatever_it_and_they_are_called(book: SmallBook) -> None:
    window = Rows("events", None, Days(28))
    for found in panels(
        book, {"events": Count(window), "users": Distinct(window, "user_id"), "last": LastValue(window, "event"), "plan": Attribute("plan")}
    ):
        assert found["account_id"] == sorted(TEXTS)
        assert dict(zip(found["account_id"], found["events"], strict=True)) == {text: place % 3 + 1 for place, text in enumerate(TEXTS)}
        assert found["last"] == found["account_id"]
        assert found["users"] == [1] * len(TEXTS)
        assert dict(zip(found["account_id"], found["plan"], strict=True)) == dict(zip(TEXTS, reversed(TEXTS), strict=True))


def test_a_filter_on_a_text_finds_the_rows_that_hold_just_that(book: SmallBook) -> None:
    asked = {f"m{place}": Count(Rows("events", IsIn("event", (text,)))) for place, text in enumerate(TEXTS)}
    for found in panels(book, dict(asked)):
        for place, text in enumerate(TEXTS):
            counts = {account: count for account, count in zip(found["account_id"], found[f"m{place}"], strict=True) if count}
            assert counts == {text: place % 3 + 1}, repr(text)


@pytest.mark.parametrize("test", ["starts_with", "ends_with", "contains"])
def test_a_part_of_a_text_is_compared_sign_by_sign(book: SmallBook, test: str) -> None:
    parts = TEXTS[::5]
    holds = {"starts_with": str.startswith, "ends_with": str.endswith, "contains": str.__contains__}[test]
    asked = {f"m{place}": Count(Rows("events", HasText("event", test, part))) for place, part in enumerate(parts)}  # pyright: ignore[reportArgumentType]
    for found in panels(book, dict(asked)):
        for place, part in enumerate(parts):
            counted = {account for account, count in zip(found["account_id"], found[f"m{place}"], strict=True) if count}
            assert counted == {text for text in TEXTS if holds(text, part)}, repr(part)


def test_own_columns_may_be_called_as_anything_the_engine_uses_itself(book: SmallBook) -> None:
    kinds = kinds_of("events") | dict.fromkeys(OWN_NAMES, "number")
    rows = tuple(row | {name: float(place) for place, name in enumerate(OWN_NAMES)} for row in book.tables["events"])
    named = replace(book, tables={**book.tables, "events": rows}, held={**book.held, "events": replace(book.held["events"], columns=kinds)})
    metrics = MetricSet(tuple(Metric(f"m{place}", Sum(Rows("events"), name)) for place, name in enumerate(OWN_NAMES)), SOURCES)
    question = question_of(named, metrics)
    events = arrow_of("events", rows, kinds)  # pyright: ignore[reportArgumentType]
    counts = Counter(row["account_id"] for row in rows)
    by_python = reference_panel(
        question, {"events": events.to_pylist(), "accounts": arrow_of("accounts", book.tables["accounts"]).to_pylist()}
    )
    for found in (by_python, on_duckdb(question, {**views_of(book), "events_versions": events})):
        columns = found.to_pydict()
        for place in range(len(OWN_NAMES)):
            assert columns[f"m{place}"] == [float(counts[account] * place) for account in columns["account_id"]], OWN_NAMES[place]


def test_metrics_may_be_called_as_anything_the_engine_uses_itself(book: SmallBook) -> None:
    ids = (
        "unit",
        "day",
        "row",
        "point",
        "account",
        "v0",
        "v1",
        "w0",
        "w1",
        "z0",
        "mean0",
        "m0",
        "born",
        "units",
        "life",
        "select",
        "events",
        "u",
        "s",
    )
    series: dict[str, Series] = {id: Count(Rows("events", IsIn("event", (TEXTS[place],)))) for place, id in enumerate(ids)}
    series["spread0"] = ZScore(Count(Rows("events")))
    for found in panels(book, series):
        for place, id in enumerate(ids):
            assert sum(count for count in found[id] if isinstance(count, int)) == place % 3 + 1, id
        assert found["spread0__missing"] == [None] * len(TEXTS)

"""The rows that are shown behind a value are those from which it can be computed again: of every leaf, account and kind of window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from random import Random
from typing import Any, cast

from tests.panel.random_books import QUICK_ZONES, Row, SmallBook, few_tables, kinds_of, local_day, random_book
from tests.panel.random_metrics import Writer, question_of, random_metrics
from tests.panel.sides import MemoryReader, by_reference, memory_reader, views_of
from unspun.app.metric.rows import behind_sql
from unspun.app.panel.basis import PanelBasis
from unspun.app.panel.request import MetricsDefinition
from unspun.app.panel.run import PreparedPanel
from unspun.engines.duckdb_panel import DuckDBPanel
from unspun.metrics.asof import Dates
from unspun.metrics.lower.expanded import Part, expand
from unspun.metrics.lower.leaves import is_leaf
from unspun.metrics.lower.panel import lower_panel
from unspun.metrics.lower.sources import RECEIVED
from unspun.metrics.metric import Metric, MetricSet, SourceRules
from unspun.metrics.nodes import (
    DATED_TABLES,
    ActiveDays,
    Attribute,
    Average,
    Before,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    DaysToEnd,
    Distinct,
    LastValue,
    Maximum,
    Minimum,
    Open,
    Rows,
    Seats,
    Series,
    Sum,
    UserDays,
)
from unspun.metrics.question import PanelQuestion
from unspun.metrics.windows import SinceContractStart
from unspun.warehouse.read import BookReader

ACCOUNTS_EACH = 2
"""Of how many accounts the rows behind each leaf are asked: each is a query."""
Cells = list[Any]
Shown = list[Row]


def total(cells: Cells) -> float:
    """The sum, each number rounded to nine decimals."""
    return float(sum((Decimal(cell) if isinstance(cell, int | Decimal) else in_billionths(cell) for cell in cells), Decimal(0)))


def in_billionths(cell: float) -> Decimal:
    with localcontext(prec=60):
        return Decimal(cell * 1e9).quantize(Decimal(1), ROUND_HALF_UP).scaleb(-9)


OF_CELLS: Mapping[type[Series], Callable[[Cells], object]] = {
    Sum: total,
    Average: lambda cells: total(cells) / len(cells),
    Minimum: min,
    Maximum: max,
    Distinct: lambda cells: len(set(cells)),
    LastValue: lambda cells: cells[-1],
    Attribute: lambda cells: cells[-1],
    Seats: total,
}
"""What a leaf is of the cells of its column in the rows that are shown."""
COMPUTED = (*OF_CELLS, Count, ActiveDays, UserDays, DaysToEnd, DaysSinceLast, DaysSinceFirst, Open)


def computed_again(part: Part, shown: Shown, as_of: date, question: PanelQuestion) -> object:
    """The value of a leaf, of nothing but the rows that are shown behind it."""
    series, day, zone = part.series, as_of - timedelta(days=part.shift_days), question.time_zone
    if isinstance(series, Count) or (isinstance(series, Open) and not series.column):
        return len(shown)
    if isinstance(series, DaysToEnd):
        (row,) = shown
        return (cast("date", row["ended"]) - day).days + int(question.ends_inclusive)
    if isinstance(series, ActiveDays):
        return len({happened(row, part, zone) for row in shown})
    if isinstance(series, UserDays):
        cells = [(happened(row, part, zone), row[series.column]) for row in shown]
        return len({(day, local_day(cell, zone) if isinstance(cell, datetime) else cell) for day, cell in cells})
    if isinstance(series, DaysSinceLast | DaysSinceFirst):
        (row,) = shown
        return (day - happened(row, part, zone)).days
    column = "seats" if isinstance(series, Seats) else cast("Attribute", series).column
    cells = [row[column] for row in shown if row[column] is not None]
    compared = [local_day(cell, zone) if isinstance(cell, datetime) else cell for cell in cells]
    return total(compared) if isinstance(series, Open) else OF_CELLS[type(series)](compared)


def happened(row: Row, part: Part, zone: str) -> date:
    """The day on which a row happened: of `day`, unless the company's own column is called so."""
    table = cast("Count", part.series).rows.table
    return local_day(row["happened_at"], zone) if "day" in kinds_of(table) else row["day"]


def leaf_metrics(question: PanelQuestion) -> tuple[PanelQuestion, list[Part]]:
    """The question for each leaf that the metrics are made of, by itself."""
    parts = [part for part in expand(question).parts if is_leaf(part.series) and isinstance(part.series, COMPUTED)]
    series = [Before(part.series, part.shift_days) if part.shift_days else part.series for part in parts]
    metrics = MetricSet(tuple(Metric(f"m{i}", one) for i, one in enumerate(series)), question.metrics.sources)
    return replace(question, metrics=metrics, asked=tuple(one.id for one in metrics)), parts


def prepared(question: PanelQuestion, reader: MemoryReader, day: date) -> PreparedPanel:
    opened = cast("BookReader", reader)  # the rows are asked of what a book is read by: SQL over its views
    basis = PanelBasis(question.asked, dates=(day,), time_zone=question.time_zone)
    return PreparedPanel(MetricsDefinition(question.metrics, ""), basis, question, lower_panel(question), {}, opened, DuckDBPanel(reader))


def wrong_parts(random: Random, book: SmallBook, question: PanelQuestion, told: Counter[str]) -> Iterator[str]:
    """The leaves whose value is another than that of the rows behind it, or that show rows where there are none; `told` counts the rest."""
    day = random.choice(book.dates)
    question, parts = leaf_metrics(replace(question, as_of=Dates((day,))))
    with memory_reader(views_of(book)) as reader:
        panel = prepared(question, reader, day)
        reader.register(RECEIVED, panel.plan.inputs[RECEIVED])
        rows = by_reference(question, book).to_pylist()
        for id, part in zip(question.asked, parts, strict=True):
            for row in random.sample(rows, min(len(rows), ACCOUNTS_EACH)):
                reason = row[f"{id}__missing"]
                if reason not in (None, "no_rows"):
                    continue
                shown = reader.query(behind_sql(panel, part, row["account_id"])).to_pylist()
                again = None if reason is not None else computed_again(part, shown, day, question)
                told[type(part.series).__name__] += bool(shown)
                told["contract"] += bool(shown) and isinstance(getattr(part.series, "rows", Rows("events")).window, SinceContractStart)
                told["contacts"] += bool(shown) and isinstance(part.series, Open) and part.series.table == "contacts"
                if isinstance(again, Decimal):
                    again = float(again)
                if again != row[id] or (reason is not None and shown):
                    yield f"{part} of {row['account_id']!r} on {day}: {row[id]!r} ({reason}), and of {len(shown)} rows {again!r}"


def check(seeds: range, told: Counter[str]) -> None:
    for seed in seeds:
        random = Random(seed)
        book = random_book(random, [*few_tables(random), "contacts", "subscriptions"], zones=QUICK_ZONES)
        question = question_of(book, with_leaves(random, book))
        found = list(wrong_parts(random, book, question, told))
        assert found == [], (seed, found)


def with_leaves(random: Random, book: SmallBook) -> MetricSet:
    """Random metrics, and one of each kind over terms and contacts; sources say all that they can."""
    writer = Writer(random, tuple(name for name in DATED_TABLES if name in book.held))
    terms = Rows("subscriptions")
    one_each: tuple[Series, ...] = (
        Count(Rows(random.choice(writer.held), None, SinceContractStart())),
        *(Open("contacts", where) for where in (None, writer.condition("contacts"))),
        Open("subscriptions", None, "seats"),
        Seats(),
        DaysToEnd(),
        Attribute("own_text"),
        *(kind(terms, "seats") for kind in (Sum, Average, Distinct, UserDays, LastValue)),
        *(kind(terms) for kind in (ActiveDays, DaysSinceLast)),
    )
    metrics = (*random_metrics(random, book, 3), *(Metric(f"one{place}", series) for place, series in enumerate(one_each)))
    return MetricSet(metrics, {table: SourceRules() for table in writer.held})


def test_a_value_is_computed_again_from_the_rows_that_are_shown_behind_it() -> None:
    told = Counter[str]()
    check(range(6), told)
    kinds = ("Count", "Sum", "Average", "Distinct", "UserDays", "ActiveDays", "DaysSinceLast", "LastValue", "Open", "Seats")
    assert all(told[kind] > 0 for kind in (*kinds, "contract", "contacts")), told

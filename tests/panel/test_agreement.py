"""Every engine and the reference give the same panel: the same rows, values and reasons, for metrics and books made at random.

`benchmarks/panel_agreement.py` compares thousands more; an example that differs is printed as small as it can be made.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from time import monotonic

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.panel.random_books import QUICK_ZONES, ZONES, SmallBook, few_tables, random_book
from tests.panel.random_metrics import question_of, random_metrics, renewals_of
from tests.panel.reduced import reduced, shown
from tests.panel.sides import OTHER_ENGINES, Side, books_of, by_duckdb, by_engine, by_reference, differences
from tests.unit.metrics.strategies import Held, metric_sets
from unspun.errors import UnspunError
from unspun.metrics.conditions import Scalar
from unspun.metrics.metric import MetricSet
from unspun.metrics.question import PanelQuestion

SEEDS = st.integers(0, 2**32)
REDUCING_SECONDS = 60.0
"""How long an example that differs is made smaller."""
QUICKLY = settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def cells_of(book: SmallBook) -> dict[tuple[str, str], list[Scalar]]:
    """Cells that occur, as metrics can be compared with."""
    found: dict[tuple[str, str], list[Scalar]] = {}
    for table, rows in book.tables.items():
        for name, kind in book.held[table].columns.items():
            if kind in ("text", "whole", "number", "flag", "day"):
                found[table, name] = list(dict.fromkeys(row[name] for row in rows if row[name] is not None))[:4]
    return found


def small_book(random: Random, zones: Sequence[str] = QUICK_ZONES) -> SmallBook:
    return random_book(random, few_tables(random), zones=zones)


def disagreements(book: SmallBook, question: PanelQuestion, side: Side = by_duckdb) -> list[str]:
    """Where a side differs from the reference; what it fails of is a difference."""
    reference = by_reference(question, book)
    try:
        panel = side(question, book, reference.schema)
    except UnspunError as error:
        return [str(error)]
    return differences(question, reference, panel)


def check_agreement(book: SmallBook, question: PanelQuestion, side: Side = by_duckdb) -> None:
    found, until = disagreements(book, question, side), monotonic() + REDUCING_SECONDS
    if found:
        small = reduced(book, question, lambda some, asked: monotonic() < until and bool(disagreements(some, asked, side)))
        raise AssertionError("\n".join([*disagreements(*small, side)[:4], shown(*small)]))


def test_the_rows_compared_have_values_and_reasons_of_all_kinds() -> None:
    """A comparison of panels that hold nothing would show nothing."""
    reasons: list[str | None] = []
    for seed in range(12):
        random = Random(seed)
        book = random_book(random)
        panel = by_reference(question_of(book, random_metrics(random, book)), book)
        reasons += [reason for name in panel.column_names if name.endswith("__missing") for reason in panel[name].to_pylist()]
    assert reasons.count(None) > len(reasons) / 10
    assert len(set(reasons)) >= 9


@QUICKLY
@given(SEEDS, st.data())
def test_metrics_of_every_node_agree_on_the_same_dates_for_all_accounts(seed: int, data: st.DataObject) -> None:
    book = small_book(Random(seed))
    metrics: MetricSet = data.draw(metric_sets(Held(book.held, cells_of(book))))
    check_agreement(book, question_of(book, metrics))


@QUICKLY
@given(SEEDS, st.data())
def test_metrics_of_every_node_agree_before_renewals(seed: int, data: st.DataObject) -> None:
    book = small_book(Random(seed))
    metrics: MetricSet = data.draw(metric_sets(Held(book.held, cells_of(book))))
    check_agreement(book, question_of(book, metrics, renewals_of(book)))


@settings(QUICKLY, max_examples=6)
@given(SEEDS)
def test_metrics_over_declared_sources_and_tables_that_a_book_lacks_agree(seed: int) -> None:
    random = Random(seed)
    book = small_book(random, ZONES)
    check_agreement(book, question_of(book, random_metrics(random, book)))


@pytest.mark.parametrize(("engine", "seed"), [(engine, seed) for engine in OTHER_ENGINES for seed in range(books_of(engine, 4))])
def test_other_engines_agree_on_metrics_of_every_node(engine: str, seed: int) -> None:
    random = Random(seed)
    book = small_book(random, ZONES if seed == 0 else QUICK_ZONES)
    check_agreement(book, question_of(book, random_metrics(random, book), renewals_of(book) if seed == 1 else None), by_engine(engine))

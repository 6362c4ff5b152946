"""No metric reads past its as-of date, nor a row that was not known by then: whatever lies after it may change, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random

import pyarrow as pa
import pytest

from tests.panel.changed_after import changed_after
from tests.panel.random_books import QUICK_ZONES, SmallBook, few_tables, random_book
from tests.panel.random_metrics import question_of, random_metrics
from tests.panel.sides import OTHER_ENGINES, books_of, by_engine, by_reference, differences, select_accounts
from unspun.metrics.asof import BeforeRenewals, Dates
from unspun.metrics.question import PanelQuestion

Engine = Callable[[PanelQuestion, SmallBook], pa.Table]


def engine(name: str) -> Engine:
    return lambda question, book: by_engine(name)(question, book, by_reference(question, book).schema)


ENGINES = pytest.mark.parametrize(
    ("panel", "books"),
    [(by_reference, 15), (engine("duckdb"), 4), *((engine(name), books_of(name, 2)) for name in OTHER_ENGINES)],
    ids=["reference", "duckdb", *OTHER_ENGINES],
)


def book_without_fixed(random: Random) -> SmallBook:
    """A column declared fixed has one value for all dates, which a later statement may give: that is its meaning."""
    book = random_book(random, few_tables(random), zones=QUICK_ZONES)
    return replace(book, held={name: replace(held, fixed=()) for name, held in book.held.items()})


def as_of_sets(book: SmallBook) -> tuple[Dates | BeforeRenewals, ...]:
    last = max(book.dates)
    dues = tuple((account, day) for account, day in book.dues if day <= last)
    return (Dates(book.dates), BeforeRenewals(dues, (90, 30, 0))) if dues else (Dates(book.dates),)


def shared_rows(question: PanelQuestion, before: pa.Table, after: pa.Table) -> list[str]:
    """Where the panels of the accounts that are in both differ."""
    accounts = sorted(set(before["account_id"].to_pylist()) & set(after["account_id"].to_pylist()))
    return differences(question, select_accounts(before, accounts), select_accounts(after, accounts))


@ENGINES
def test_a_panel_stays_as_it_is_whatever_happens_or_becomes_known_after_its_last_date(panel: Engine, books: int) -> None:
    changed = 0
    for seed in range(books):
        random = Random(seed)
        book = book_without_fixed(random)
        metrics = random_metrics(random, book)
        later = changed_after(random, book, max(book.dates))
        changed += later.tables != book.tables
        for as_of in as_of_sets(book)[: 1 + seed % 2]:
            before, after = (panel(question_of(one, metrics, as_of), one) for one in (book, replace(later, dates=book.dates)))
            assert shared_rows(question_of(book, metrics, as_of), before, after) == [], seed
    assert changed > books * 0.8


@ENGINES
def test_what_changes_on_the_last_date_itself_does_change_panels(panel: Engine, books: int) -> None:
    """The same changes, a day earlier: if nothing were told apart, the test above would hold of a panel that reads no rows."""
    told = 0
    for seed in range(books):
        random = Random(seed)
        book = book_without_fixed(random)
        metrics = random_metrics(random, book)
        earlier = changed_after(random, book, min(book.dates) - timedelta(days=60))
        question = question_of(book, metrics)
        told += shared_rows(question, panel(question, book), panel(question_of(earlier, metrics), earlier)) != []
    assert told > books / 2

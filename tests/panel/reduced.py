"""A small example of a disagreement: one metric, one date, and the fewest rows on which the two sides still differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.panel.random_books import Row, SmallBook
from unspun.errors import BadInput
from unspun.metrics.asof import BeforeRenewals, Dates
from unspun.metrics.metric import Metric, MetricSet
from unspun.metrics.nodes import Reference, Series, walk
from unspun.metrics.question import PanelQuestion

Fails = Callable[[SmallBook, PanelQuestion], bool]


def reduced(book: SmallBook, question: PanelQuestion, fails: Fails) -> tuple[SmallBook, PanelQuestion]:
    """The book and the question with as much left out as can be while `fails` holds."""
    for asked in _simpler_metrics(question):
        if fails(book, asked):
            question = asked
            break
    for narrower in _fewer_dates(question):
        if fails(book, narrower):
            question = narrower
            break
    shrunk = True
    while shrunk:
        shrunk = False
        for fewer in _fewer_rows(book):
            put = replace(question, tables=fewer.held)
            if fails(fewer, put):
                book, question, shrunk = fewer, put, True
                break
    return book, question


def _simpler_metrics(question: PanelQuestion) -> Iterator[PanelQuestion]:
    """One metric at a time, the simplest first: what its parts are made of, references followed."""
    metrics = question.metrics
    parts = {part for one in metrics for part in walk(one.series) if not isinstance(part, Reference)}
    for series in sorted(parts, key=lambda part: len(repr(part))):
        try:
            alone = MetricSet((Metric("m", _followed(metrics, series)),), metrics.sources)
        except BadInput:  # a part that names another metric, or may not stand alone
            continue
        yield replace(question, metrics=alone, asked=("m",))
    for one in metrics:
        yield replace(question, asked=(one.id,))


def _followed(metrics: MetricSet, series: Series) -> Series:
    return metrics.resolved(series)


def _fewer_dates(question: PanelQuestion) -> Iterator[PanelQuestion]:
    if isinstance(question.as_of, Dates):
        for day in question.as_of.dates:
            yield replace(question, as_of=Dates((day,)))
    else:
        for due in question.as_of.dues:
            for horizon in question.as_of.horizons_days:
                yield replace(question, as_of=BeforeRenewals((due,), (horizon,)))


def _fewer_rows(book: SmallBook) -> Iterator[SmallBook]:
    for name, rows in book.tables.items():
        yield replace(
            book,
            tables={one: kept for one, kept in book.tables.items() if one != name},
            held={one: held for one, held in book.held.items() if one != name},
        )
        for i in range(len(rows)):
            kept: tuple[Row, ...] = (*rows[:i], *rows[i + 1 :])
            if kept:
                yield replace(book, tables={**book.tables, name: kept})


def shown(book: SmallBook, question: PanelQuestion) -> str:
    """The example in words that can be put into a test."""
    metric = question.metrics.metric(question.asked[0])
    lines = [f"{metric.series}", f"sources {dict(question.metrics.sources)}", f"as of {question.as_of}", _rules(question)]
    for name, rows in book.tables.items():
        lines.append(
            f"{name} (key {book.held[name].key}, several versions {book.held[name].several_versions}, fixed {book.held[name].fixed}):"
        )
        lines += [f"  { {column: cell for column, cell in row.items() if cell is not None} }" for row in rows]
    return "\n".join(lines)


def _rules(question: PanelQuestion) -> str:
    return (
        f"{question.time_zone}, fiscal year from month {question.fiscal_year_starts}, ends inclusive {question.ends_inclusive}, "
        f"grace {question.grace_days}, outages {dict(question.outages)}, received {dict(question.received)}"
    )

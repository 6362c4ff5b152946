"""Metrics against the tables of a book: of what kind each value is, and what is not there or cannot be so used."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.unit.metrics.book import HELD, TABLES_HELD
from tests.unit.metrics.strategies import series
from unspun.metrics.kinds import SeriesKind, check_against, kind_of
from unspun.metrics.metric import MetricSet
from unspun.metrics.nodes import Series
from unspun.metrics.question import HeldTable
from unspun.metrics.read_file import read_metrics

EXTRA = """
  number: {description: x, average: tickets.satisfaction}
  word: {description: x, attribute: segment}
  day: {description: x, min: tickets.opened}
  flag: {description: x, attribute: churned}
"""


def read(entry: str) -> MetricSet:
    return read_metrics(f"metrics:{EXTRA}  m: {{description: x, {entry}}}\n").metrics


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ("count: events", "whole"),
        ("sum: events.value", "number"),
        ("average: events.value", "number"),
        ("min: events.value", "number"),
        ("max: events.occurred", "day"),
        ("min: subscriptions.started", "day"),
        ("distinct: events.user_id", "whole"),
        ("max: events.own_whole", "number"),
        ("active_days: events", "whole"),
        ("last: events.event", "text"),
        ("last: events.own_flag", "flag"),
        ("last: events.own_whole", "whole"),
        ("last: purchases.amount", "number"),
        ("last: tickets.closed", "day"),
        ("days_since_last: events", "whole"),
        ("open: tickets", "whole"),
        ("open: subscriptions.seats", "number"),
        ("attribute: owner", "text"),
        ("attribute: created_on", "day"),
        ("attribute: churned", "flag"),
        ("arr: true", "number"),
        ("seats: true", "number"),
        ("value: 1", "whole"),
        ("value: 1.0", "number"),
        ("metric: word", "text"),
        ("metric: day", "day"),
        ("ratio: [number, 1]", "number"),
        ("add: [1, 2]", "number"),
        ("before: {of: word, days: 7}", "text"),
        ("change: {of: number, days: 7}", "number"),
        ("share: {of: {count: events}, where: {event: a}}", "number"),
        ("z_score: number", "number"),
        ("case: [{when: {number: 1}, then: 1}, {otherwise: 2}]", "whole"),
        ("case: [{when: {number: 1}, then: 1}, {otherwise: number}]", "number"),
        ("case: [{when: {word: a}, then: word}]", "text"),
    ],
)
def test_each_series_is_of_its_kind(entry: str, kind: SeriesKind) -> None:
    metrics = read(entry)
    assert kind_of(metrics.metric("m").series, metrics, TABLES_HELD) == kind
    assert check_against(metrics, TABLES_HELD) == []


@settings(max_examples=100, deadline=None)
@given(series(HELD, "text"), series(HELD, "day"), series(HELD, "flag"), series(HELD, "number"))
def test_a_series_made_of_a_kind_is_of_that_kind(text: Series, day: Series, flag: Series, number: Series) -> None:
    kinds = [kind_of(one, MetricSet(()), TABLES_HELD) for one in (text, day, flag)]
    assert kinds == ["text", "day", "flag"]
    assert kind_of(number, MetricSet(()), TABLES_HELD) in ("number", "whole")


@pytest.mark.parametrize(
    ("entry", "code", "said"),
    [
        ("sum: events.event", "kind_of_column", "'event' of events is text, and only a number can be summed"),
        ("average: tickets.opened", "kind_of_column", "is a day, and only a number"),
        ("min: events.own_flag", "kind_of_column", "is true or false, and only a number or a day has a least"),
        ("open: subscriptions.product", "kind_of_column", "only a number can be summed"),
        ("sum: events.valeu", "unknown_column", "events have no column 'valeu'. Did you mean 'value'?"),
        ("distinct: events.users", "unknown_column", "have no column 'users'. Did you mean 'user_id'?"),
        ("attribute: segmnt", "unknown_column", "accounts have no column 'segmnt'. Did you mean 'segment'?"),
        ("attribute: account_id", "bad_attribute", "it is no attribute"),
        ("attribute: dated", "bad_attribute", "it is no attribute"),
        ("z_score: {of: number, within: tier}", "unknown_column", "accounts have no column 'tier'"),
        ("count: events, where: {evnt: a}", "unknown_column", "Did you mean 'event'?"),
        ("count: events, where: {not: {any: [{happened_at: 3}]}}", "unknown_column", "have no column 'happened_at'"),
        ("open: tickets, where: {prio: a}", "unknown_column", "Did you mean 'priority'?"),
        ("share: {of: {count: events}, where: {evnt: a}}", "unknown_column", "Did you mean 'event'?"),
        (
            "count: events, where: {event: 12}",
            "compared_kind",
            "'event' of events is text, and is compared with a number. Put the value in quotes",
        ),
        ("count: events, where: {event: {above: 12}}", "compared_kind", "is text, which is not above or below anything"),
        ("count: events, where: {value: '12'}", "compared_kind", "is a number, and is compared with text. Write a number"),
        ("count: events, where: {value: {contains: a}}", "compared_kind", "'contains' is asked of text"),
        ("count: events, where: {value: {above: 2026-01-31}}", "compared_kind", "is compared with a day"),
        ("count: events, where: {occurred: {above: 3}}", "compared_kind", "is a day, and is compared with a number"),
        ("count: events, where: {own_day: 2026-01-31}", "compared_kind", "is compared with text. Write a day as {day: 2026-01-31}"),
        ("count: events, where: {own_flag: yes}", "compared_kind", "Write true or false"),
        ("count: events, where: {own_flag: {above: 1}}", "compared_kind", "is not above or below anything"),
        ("ratio: [word, 2]", "not_a_number", "'ratio' needs numbers; 'word' is text"),
        ("add: [1, {attribute: churned}]", "not_a_number", "'add' needs numbers; a part is true or false"),
        ("subtract: [day, day]", "not_a_number", "'day' is a day"),
        ("change: {of: word, days: 7}", "not_a_number", "'change' needs numbers"),
        ("trend: {of: day, steps: 3, every: 7}", "not_a_number", "'trend' needs numbers"),
        ("z_score: flag", "not_a_number", "'z_score' needs numbers"),
        ("case: [{when: {word: 3}, then: 1}]", "compared_kind", "'word' is text, and is compared with a number"),
        ("case: [{when: {number: high}, then: 1}]", "compared_kind", "'number' is a number, and is compared with text"),
        ("case: [{when: {word: {above: 3}}, then: 1}]", "compared_kind", "not above or below"),
        ("case: [{when: {number: 1}, then: 1}, {otherwise: word}]", "case_of_two_kinds", "are a number and text"),
    ],
)
def test_what_does_not_fit_the_book_is_told_with_what_to_do(entry: str, code: str, said: str) -> None:
    (fault,) = check_against(read(entry), TABLES_HELD, {"m": "metrics.yml:7"})
    assert (fault.code, fault.where) == (code, "metrics.yml:7")
    assert said in str(fault)
    assert fault.hint


def test_all_that_does_not_fit_is_told_at_once() -> None:
    faults = check_against(read("sum: events.x, where: {a: 1, value: b, event: c}"), TABLES_HELD)
    assert [(fault.where, fault.code) for fault in faults] == [("m", "unknown_column"), ("m", "unknown_column"), ("m", "compared_kind")]


def test_of_a_table_without_rows_the_standard_columns_are_known_and_others_pass() -> None:
    metrics = read("sum: events.own, where: {region: x, event: 3}")
    (fault,) = check_against(metrics, {name: TABLES_HELD[name] for name in ("tickets", "accounts")})
    assert fault.code == "compared_kind"
    held = {**TABLES_HELD, "events": HeldTable({"region": "text"})}
    assert [one.code for one in check_against(metrics, held)] == ["unknown_column", "compared_kind"]

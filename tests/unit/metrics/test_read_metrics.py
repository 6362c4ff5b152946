"""metrics.yml reads as nodes, and all that is wrong with it is told at once, each with its line."""

from __future__ import annotations

from datetime import date

import pytest

from unspun.errors import BadInput, Fault
from unspun.metrics.conditions import AllOf, AnyOf, Compare, Condition, HasText, IsEmpty, IsIn, Not
from unspun.metrics.metric import Metric, SourceRules
from unspun.metrics.nodes import (
    ActiveDays,
    Add,
    Arr,
    Attribute,
    Average,
    Before,
    Case,
    Change,
    Constant,
    Count,
    Criterion,
    DaysSinceFirst,
    DaysSinceLast,
    DaysToEnd,
    Distinct,
    LastValue,
    Maximum,
    Minimum,
    Multiply,
    Open,
    Ratio,
    Reference,
    Rows,
    Seats,
    Series,
    Share,
    Subtract,
    Sum,
    Trend,
    UserDays,
    When,
    ZScore,
)
from unspun.metrics.read_file import read_metrics
from unspun.metrics.windows import Days, LastPeriod, Lifetime, Months, SinceContractStart, ThisPeriod, Window

EVENTS = Rows("events")
LOGINS = "  logins: {description: x, count: events, window: 28d}\n"


def read(entry: str) -> Series:
    """The series of a metric `m` written in brackets, beside a metric `logins`."""
    return read_metrics(f"metrics:\n{LOGINS}  m: {{description: x, {entry}}}\n").metrics.metric("m").series


def faults(text: str) -> list[Fault]:
    with pytest.raises(BadInput) as refusal:
        read_metrics(text)
    return list(refusal.value.faults)


@pytest.mark.parametrize(
    ("entry", "series"),
    [
        ("count: events", Count(EVENTS)),
        ("sum: events.value", Sum(EVENTS, "value")),
        ("average: tickets.satisfaction", Average(Rows("tickets"), "satisfaction")),
        ("min: events.value", Minimum(EVENTS, "value")),
        ("max: tickets.opened", Maximum(Rows("tickets"), "opened")),
        ("distinct: events.user_id", Distinct(EVENTS, "user_id")),
        ("user_days: events.user_id", UserDays(EVENTS, "user_id")),
        ("active_days: events", ActiveDays(EVENTS)),
        ("last: scores.value", LastValue(Rows("scores"), "value")),
        ("last: scores.own.dotted", LastValue(Rows("scores"), "own.dotted")),
        ("days_since_last: touchpoints", DaysSinceLast(Rows("touchpoints"))),
        ("days_since_first: events", DaysSinceFirst(EVENTS)),
        ("open: tickets", Open("tickets")),
        ("open: subscriptions.seats, where: {is_addon: false}", Open("subscriptions", IsIn("is_addon", (False,)), "seats")),
        ("attribute: segment", Attribute("segment")),
        ("arr: true", Arr()),
        ("seats: true", Seats()),
        ("days_to_end: subscriptions", DaysToEnd()),
        ("value: 2.5", Constant(2.5)),
        ("metric: logins", Reference("logins")),
        ("ratio: [logins, 2]", Ratio(Reference("logins"), Constant(2))),
        ("ratio: {of: logins, by: {count: tickets}}", Ratio(Reference("logins"), Count(Rows("tickets")))),
        ("add: [logins, 1, 2]", Add((Reference("logins"), Constant(1), Constant(2)))),
        ("subtract: [logins, 1]", Subtract(Reference("logins"), Constant(1))),
        ("multiply: [logins, logins]", Multiply((Reference("logins"), Reference("logins")))),
        ("before: {of: logins, days: 4w}", Before(Reference("logins"), 28)),
        ("change: {of: logins, days: 28}", Change(Reference("logins"), 28)),
        ("change: {of: logins, days: 28d, as: ratio}", Change(Reference("logins"), 28, relative=True)),
        ("trend: {of: logins, steps: 6, every: 28d}", Trend(Reference("logins"), 6, 28)),
        ("share: {of: {count: events}, where: {event: login}}", Share(Count(EVENTS), IsIn("event", ("login",)))),
        ("per_seat: logins", Ratio(Reference("logins"), Seats())),
        ("per_arr: {count: tickets}", Ratio(Count(Rows("tickets")), Arr())),
        ("z_score: logins", ZScore(Reference("logins"))),
        ("z_score: {count: events}", ZScore(Count(EVENTS))),
        ("z_score: {of: logins, within: segment}", ZScore(Reference("logins"), "segment")),
        (
            "case: [{when: {logins: 3}, then: 1}, {when: {logins: {above: 3, at_most: 9}}, then: 2}, {otherwise: logins}]",
            Case(
                (
                    When((Criterion(Reference("logins"), "is", (3,)),), Constant(1)),
                    When((Criterion(Reference("logins"), "above", (3,)), Criterion(Reference("logins"), "at_most", (9,))), Constant(2)),
                ),
                Reference("logins"),
            ),
        ),
        (
            "case: [{when: [{of: {attribute: segment}, is: [a, b]}], then: 1}]",
            Case((When((Criterion(Attribute("segment"), "is", ("a", "b")),), Constant(1)),)),
        ),
    ],
)
def test_each_kind_reads_as_its_node(entry: str, series: Series) -> None:
    assert read(entry) == series


@pytest.mark.parametrize(
    ("word", "window"),
    [
        ("28d", Days(28)), ("4w", Days(28)), ("3mo", Months(3)), ("month", ThisPeriod("month")), ("quarter", ThisPeriod("quarter")),
        ("year", ThisPeriod("year")), ("last month", LastPeriod("month")), ("last quarter", LastPeriod("quarter")),
        ("last year", LastPeriod("year")), ("contract", SinceContractStart()), ("lifetime", Lifetime()),
    ],
)  # fmt: skip
def test_each_window_reads_as_it_is_called(word: str, window: Window) -> None:
    assert read(f"count: events, window: {word}") == Count(Rows("events", window=window))


@pytest.mark.parametrize(
    ("where", "condition"),
    [
        ("event: login", IsIn("event", ("login",))),
        ("event: [login, open]", IsIn("event", ("login", "open"))),
        ("event: {not: login}", Not(IsIn("event", ("login",)))),
        ("event: {is: '2026-01-31'}", IsIn("event", ("2026-01-31",))),
        ("occurred: 2026-01-31", IsIn("occurred", (date(2026, 1, 31),))),
        ("own: {day: 2026-01-31}", IsIn("own", (date(2026, 1, 31),))),
        ("occurred: {above: 2026-01-31}", Compare("occurred", "above", date(2026, 1, 31))),
        ("value: {above: 1, at_most: 5}", AllOf((Compare("value", "above", 1), Compare("value", "at_most", 5)))),
        ("value: {between: [1, 5]}", AllOf((Compare("value", "at_least", 1), Compare("value", "at_most", 5)))),
        ("value: {empty: true}", IsEmpty("value")),
        ("value: {empty: false}", Not(IsEmpty("value"))),
        ("event: {starts_with: view_}", HasText("event", "starts_with", "view_")),
        ("event: login, value: {below: 2}", AllOf((IsIn("event", ("login",)), Compare("value", "below", 2)))),
        ("any: [{event: a}, {user_id: b}]", AnyOf((IsIn("event", ("a",)), IsIn("user_id", ("b",))))),
        ("all: [{event: a}]", AllOf((IsIn("event", ("a",)),))),
        ("not: {any: [{event: a}]}", Not(AnyOf((IsIn("event", ("a",)),)))),
        ("column: all, is: 3", IsIn("all", (3,))),
        ("column: column, above: 3", Compare("column", "above", 3)),
        ("flag: true", IsIn("flag", (True,))),
        ("event: 'yes'", IsIn("event", ("yes",))),
    ],
)
def test_each_condition_reads_as_its_node(where: str, condition: Condition) -> None:
    assert read(f"count: events, where: {{{where}}}") == Count(Rows("events", condition))


def test_what_is_said_of_a_metric_is_kept() -> None:
    text = (
        "metrics:\n  m:\n    name: \u05db\u05e0\u05d9\u05e1\u05d4\n    description: |\n      Two\n      lines.\n    unit: EUR\n"
        "    direction: lower\n    reference: https://example.org\n    owner: Kim\n    value: 1\n"
    )
    file = read_metrics(text)
    (metric,) = file.metrics
    name = "\u05db\u05e0\u05d9\u05e1\u05d4"
    assert metric == Metric("m", Constant(1), name, "Two\nlines.\n", "EUR", "lower", "https://example.org", "Kim")
    assert (file.text, file.places) == (text, {"m": "metrics.yml:2"})


def test_sources_are_as_declared_and_else_as_usual() -> None:
    text = "sources:\n  events: {silent_days: 14}\n  tickets: {covers: seen accounts}\n  scores: {silent_days: null}\n"
    metrics = read_metrics(text).metrics
    assert metrics.source("events") == SourceRules(covers_every_account=False, silent_days=14)
    assert metrics.source("tickets") == SourceRules(covers_every_account=False)
    assert metrics.source("scores") == metrics.source("purchases") == SourceRules()
    assert read_metrics("").metrics.source("events") == SourceRules(covers_every_account=False, silent_days=7)


@pytest.mark.parametrize("text", ["", "# comments\n", "metrics:\n", "sources:\nmetrics: {}\n", "\ufeffmetrics:\n"])
def test_a_file_may_declare_nothing_yet(text: str) -> None:
    assert len(read_metrics(text).metrics) == 0


def test_all_faults_are_told_at_once_each_at_its_line() -> None:
    text = """sources:
  event: {}
metrics:
  a:
    description: x
    count: event
    windw: 3
    where: {value: {abov: 1}}
  b: {description: x, ratio: [c, d]}
  c: {description: x, ratio: [b, 1]}
  d: {description: x, before: {of: {arr: true}, days: 1}}
  e: {count: events, where: {event: }}
  f: {description: x, ratio: [logns, 1]}
  logins: {description: x, count: events, window: 90}
  Bad Id: {description: x, value: 1}
"""
    told = [(fault.where, fault.code) for fault in faults(text)]
    assert told == [
        ("metrics.yml:2", "unknown_table"), ("metrics.yml:6", "bad_table"), ("metrics.yml:7", "unknown_key"),
        ("metrics.yml:8", "unknown_key"), ("metrics.yml:9", "cycle"), ("metrics.yml:11", "no_earlier_value"),
        ("metrics.yml:12", "bad_value"), ("metrics.yml:12", "missing_key"), ("metrics.yml:13", "unknown_metric"),
        ("metrics.yml:14", "bad_window"), ("metrics.yml:15", "bad_id"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "guess"),
    [
        ("cuont: events", "count"), ("count: event", "events"), ("ratio: [login, 1]", "logins"), ("count: events, windw: 28d", "window"),
        ("count: events, window: last mnth", "last month"), ("count: events, where: {value: {abve: 1}}", "above"),
        ("change: {of: logins, day: 28}", "days"), ("value: 1, directin: higher", "direction"), ("open: ticket", "tickets"),
        ("value: 1, direction: highr", "higher"), ("case: [{whn: {logins: 1}, then: 1}]", "when"),
    ],
)  # fmt: skip
def test_a_slip_is_answered_with_what_was_meant(entry: str, guess: str) -> None:
    told = faults(f"metrics:\n{LOGINS}  m: {{description: x, {entry}}}\n")
    assert any(f"Did you mean '{guess}'?" in fault.hint for fault in told), told


def test_a_metric_that_cannot_be_read_is_still_known_to_those_that_name_it() -> None:
    told = faults("metrics:\n  a: {description: x, value: one}\n  b: {description: x, ratio: [a, 2]}\n")
    assert [fault.code for fault in told] == ["not_a_number"]

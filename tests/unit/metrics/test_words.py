"""A metric is told in a sentence, and written back as metrics.yml that reads as the same metric."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.metrics.book import HELD, TABLES_HELD
from tests.unit.metrics.hostile import HOSTILE_TEXTS
from tests.unit.metrics.strategies import metric_sets, series
from unspun.metrics.conditions import AllOf, AnyOf, Compare, Condition, HasText, IsEmpty, IsIn, Not
from unspun.metrics.kinds import check_against
from unspun.metrics.metric import Metric, MetricSet, SourceRules
from unspun.metrics.nodes import (
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
    DaysSinceLast,
    DaysToEnd,
    Distinct,
    Open,
    Ratio,
    Reference,
    Rows,
    Seats,
    Series,
    Share,
    Sum,
    Trend,
    UserDays,
    When,
    ZScore,
)
from unspun.metrics.read_file import read_metrics
from unspun.metrics.windows import Days, LastPeriod, Months, SinceContractStart, ThisPeriod
from unspun.metrics.words import as_yaml, file_as_yaml, in_words, sentence

EVENTS = Rows("events")


@settings(max_examples=60, deadline=None)
@given(metric_sets(HELD))
def test_metrics_that_are_written_read_back_equal(metrics: MetricSet) -> None:
    assert read_metrics(file_as_yaml(metrics)).metrics == metrics
    assert check_against(metrics, TABLES_HELD) == []


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30))
def test_any_text_that_can_be_compared_with_reads_back_equal(text: str) -> None:
    metric = Metric("m", Count(Rows("events", AllOf((IsIn("event", (text, "x")), HasText("event", "contains", text))))))
    assert read_metrics(file_as_yaml(MetricSet((metric,)))).metrics.metric("m") == metric


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_hostile_texts_read_back_as_the_data_that_they_are(text: str) -> None:
    where = AllOf((IsIn("event", (text,)), Not(IsIn("user_id", (text, "other"))), HasText("event_id", "starts_with", text)))
    metrics = MetricSet((Metric("m", Count(Rows("events", where))),))
    assert read_metrics(file_as_yaml(metrics)).metrics == metrics
    assert check_against(metrics, TABLES_HELD) == []


@settings(max_examples=80, deadline=None)
@given(series(HELD))
def test_a_sentence_is_one_line_that_begins_large_and_ends_with_a_stop(one: Series) -> None:
    told = sentence(Metric("m", one))
    assert told == told[:1].upper() + told[1:]
    assert told.endswith(".")
    assert "\n" not in told
    assert told.isprintable()


@pytest.mark.parametrize(
    ("series", "told"),
    [
        (Count(EVENTS), "the number of events"),
        (
            Count(Rows("events", IsIn("event", ("login",)), Days(28))),
            "the number of events where event is 'login', over the 28 days to the as-of date",
        ),
        (Sum(Rows("purchases", window=Months(3)), "amount"), "the sum of 'amount' of purchases over the 3 months to the as-of date"),
        (
            Average(Rows("tickets", window=LastPeriod("quarter")), "satisfaction"),
            "the mean of 'satisfaction' of tickets in the last whole fiscal quarter",
        ),
        (
            Distinct(Rows("events", window=ThisPeriod("month")), "user_id"),
            "the number of different 'user_id' in events since the start of the calendar month",
        ),
        (
            UserDays(Rows("events", window=Days(28)), "user_id"),
            "the number of different pairs of a 'user_id' and a day in events over the 28 days to the as-of date",
        ),
        (
            DaysSinceLast(Rows("events", window=SinceContractStart())),
            "the days since the last of the events since the current contract term began",
        ),
        (Open("tickets", IsIn("priority", ("high",))), "the number of open tickets where priority is 'high', on the as-of date"),
        (Open("subscriptions", None, "seats"), "the sum of 'seats' of running subscriptions on the as-of date"),
        (Attribute("segment"), "the account's segment, as stated last by the as-of date"),
        (DaysToEnd(), "the days from the as-of date to the next end of a base term that runs"),
        (Ratio(Reference("a"), Seats()), "'a' divided by the seats on the as-of date"),
        (Ratio(Count(EVENTS), Add((Reference("a"), Constant(1)))), "the number of events divided by (the sum of 'a' and 1)"),
        (Before(Reference("a"), 28), "'a', as it was 28 days earlier"),
        (Change(Reference("a"), 28, True), "the relative change in 'a' over 28 days"),
        (Trend(Reference("a"), 6, 7), "the slope, per 7 days, of the line through the last 6 values of 'a'"),
        (Share(Count(EVENTS), IsEmpty("user_id")), "of the number of events, the share where user_id is empty"),
        (
            ZScore(Arr(), "segment"),
            "how many standard deviations the annual recurring revenue on the as-of date lies above the mean of "
            "accounts of the same segment",
        ),
        (
            Case((When((Criterion(Reference("a"), "above", (3,)),), Constant(2)),), Constant(0)),
            "2 if 'a' is above 3; otherwise 0",
        ),
        (
            Case((When((Criterion(Reference("a"), "is", ("x", "y")),), Arr()),)),
            "the annual recurring revenue on the as-of date if 'a' is 'x' or 'y'; no value otherwise",
        ),
    ],
)
def test_what_is_said_of_each_node(series: Series, told: str) -> None:
    assert in_words(series) == told


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        (Not(IsIn("a", ("x", "y"))), "a is neither 'x' nor 'y'"),
        (Not(IsIn("a", (True,))), "a is not true"),
        (
            AllOf((Compare("a", "at_least", 1_000), AnyOf((IsEmpty("b"), Not(IsEmpty("c")))))),
            "a is at least 1,000 and (b is empty or c is not empty)",
        ),
        (Compare("a", "below", date(2026, 1, 31)), "a is below 2026-01-31"),
        (Not(AllOf((HasText("a", "ends_with", "x"),))), "not (a ends with 'x')"),
        (IsIn("a", tuple(range(14))), "a is 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 or one of 2 more"),
        (IsIn("a", ("b\u202ec\n",)), "a is 'b\\u202ec\\u000a'"),
    ],
)
def test_what_is_said_of_conditions(condition: Condition, told: str) -> None:
    assert in_words(Count(Rows("events", condition))) == f"the number of events where {told}"


def test_what_is_usual_is_not_written() -> None:
    assert as_yaml(Metric("m", Count(EVENTS), description="x")) == "m:\n  description: x\n  count: events\n"
    assert file_as_yaml(MetricSet(())) == "metrics: {}\n"
    sources = {"events": SourceRules(covers_every_account=True, silent_days=None)}
    assert file_as_yaml(MetricSet((), sources)) == "sources:\n  events: {covers: every account, silent_days: null}\nmetrics: {}\n"


def test_what_is_long_stands_on_lines_of_its_own() -> None:
    metric = Metric("m", Count(Rows("events", IsIn("event", ("a" * 60, "b" * 60)), Days(28))), description="Long: yes")
    assert as_yaml(metric).splitlines()[:3] == ["m:", '  description: "Long: yes"', "  count: events"]
    assert max(len(line) for line in as_yaml(metric).splitlines()) < 140

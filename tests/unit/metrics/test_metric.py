"""A metric, and a set of metrics that refer to each other: what cannot be is refused when it is made, in full."""

from __future__ import annotations

from typing import Any

import pytest

from unspun.errors import BadInput
from unspun.metrics.metric import Metric, MetricSet, SourceRules
from unspun.metrics.nesting import DEEPEST_THROUGH, MOST_READINGS
from unspun.metrics.nodes import (
    Add,
    Arr,
    Attribute,
    Before,
    Case,
    Change,
    Constant,
    Count,
    Criterion,
    Ratio,
    Reference,
    Rows,
    Series,
    Subtract,
    Sum,
    Trend,
    When,
    ZScore,
)
from unspun.metrics.windows import SinceContractStart

COUNT = Count(Rows("events"))


def metrics(**series: Series) -> MetricSet:
    return MetricSet(tuple(Metric(id, one) for id, one in series.items()))


def codes(**series: Series) -> list[tuple[str, str]]:
    """(place, code) of each fault of a set."""
    with pytest.raises(BadInput) as refusal:
        metrics(**series)
    return [(fault.where, fault.code) for fault in refusal.value.faults]


@pytest.mark.parametrize(
    "id",
    ["", "A", "1a", "_a", "a_", "a__b", "a-b", "a.b", "a b", "a;drop", 'a"', "a'", "\u0430bc", "a\u200b", "\uff41",
     "a" * 61, "account_id", "as_of", "a\n"],
)  # fmt: skip
def test_an_id_is_a_plain_word(id: str) -> None:
    with pytest.raises(BadInput) as refusal:
        Metric(id, COUNT)
    assert [fault.code for fault in refusal.value.faults] == ["bad_id"]


@pytest.mark.parametrize("id", ["a", "logins_28d", "a1_b2", "a" * 60, "select", "null", "true", "order"])
def test_a_plain_word_is_an_id_also_where_it_means_something_elsewhere(id: str) -> None:
    assert metrics(**{id: COUNT}).metric(id).label == id


@pytest.mark.parametrize("text", ["a\u202eb", "\u2066a", "a\nb", "a\0", "\x1b[31m", "a\u2028b", "\x85", "x" * 501])
def test_a_name_that_would_change_the_text_around_it_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as refusal:
        Metric("a", COUNT, name=text, unit=text)
    assert [fault.code for fault in refusal.value.faults] == ["bad_text", "bad_text"]


def test_names_may_be_in_any_script_and_descriptions_may_have_lines() -> None:
    assert Metric("a", COUNT, "\u0627\u0644\u062f\u062e\u0648\u0644 \U0001f600", "one\n\ttwo").label.startswith("\u0627")


def _node(node: Any, *parts: Any) -> Any:
    """A node with what its types do not allow."""
    return node(*parts)


@pytest.mark.parametrize(
    "series",
    [
        "count", None, 3, Case, Rows("events"), _node(Count, "events"), Count(_node(Rows, "events", "x")),
        Count(_node(Rows, "events", None, 28)),
        _node(Sum, Rows("events"), 3), Sum(Rows("events"), ""), Sum(Rows("events"), "c" * 101), _node(Add, [COUNT, COUNT]),
        _node(Ratio, COUNT, 2), _node(Reference, COUNT), Attribute(" "), _node(Before, COUNT, 2.5), _node(Trend, COUNT, 3.0, 7),
        _node(ZScore, COUNT, None), _node(Change, COUNT, 7, "ratio"), Case((When((Criterion(COUNT, "is", (1, "a")),), COUNT),)),
        Case((When((Criterion(COUNT, "above", (float("nan"),)),), COUNT),)),
    ],
)  # fmt: skip
def test_what_is_no_node_or_holds_what_it_cannot_is_refused(series: Any) -> None:
    with pytest.raises(BadInput) as refusal:
        Metric("a", series)
    assert all(fault.code and fault.message and fault.where == "a" for fault in refusal.value.faults)


def test_a_series_that_nests_endlessly_or_is_used_endlessly_is_refused_at_once() -> None:
    deep: Series = COUNT
    for _ in range(3_000):
        deep = Before(deep, 1)
    wide: Series = COUNT
    for _ in range(14):
        wide = Add((wide, wide, wide))
    for series, code in ((deep, "too_deep"), (wide, "too_large")):
        with pytest.raises(BadInput) as refusal:
            Metric("a", series)
        assert [fault.code for fault in refusal.value.faults] == [code]


def test_all_faults_of_a_metric_are_told_at_once() -> None:
    with pytest.raises(BadInput) as refusal:
        Metric("A", COUNT, name="\0", direction="up")  # pyright: ignore[reportArgumentType]
    assert [fault.code for fault in refusal.value.faults] == ["bad_id", "bad_text", "unknown_direction"]


def test_an_id_that_stands_twice_is_refused() -> None:
    with pytest.raises(BadInput, match="'a' is declared 3 times"):
        MetricSet((Metric("a", COUNT), Metric("a", COUNT), Metric("b", COUNT), Metric("a", COUNT)))


def test_a_reference_to_nothing_is_answered_with_the_nearest_id() -> None:
    with pytest.raises(BadInput, match=r"no metric 'login'\. Did you mean 'logins'\?"):
        metrics(logins=COUNT, a=Ratio(Reference("login"), Constant(1)))


def test_each_cycle_is_named_in_full() -> None:
    with pytest.raises(BadInput) as refusal:
        metrics(
            a=Reference("b"), b=Add((Reference("c"), COUNT)), c=Before(Reference("a"), 7), d=Reference("d"), e=Reference("a"), f=Arr(),
            g=Before(Reference("f"), 1),
        )  # fmt: skip
    told = [fault.message for fault in refusal.value.faults]
    assert told[:2] == ["'a' is made of itself: 'a' -> 'b' -> 'c' -> 'a'.", "'d' is made of itself: 'd' -> 'd'."]
    assert [fault.code for fault in refusal.value.faults] == ["cycle", "cycle", "no_earlier_value"]


@pytest.mark.parametrize(
    "of", [Arr(), Before(COUNT, 1), Change(COUNT, 1), Trend(COUNT, 3, 7), ZScore(COUNT), Count(Rows("events", window=SinceContractStart()))]
)
def test_what_has_no_earlier_value_is_refused_also_through_other_metrics(of: Series) -> None:
    inner = Ratio(Constant(1), of)
    for take in (lambda one: Before(one, 7), lambda one: Change(one, 7), lambda one: Trend(one, 3, 7)):
        assert codes(m=take(inner)) == [("m", "no_earlier_value")]
        assert codes(a=inner, b=Subtract(Reference("a"), COUNT), m=take(Reference("b"))) == [("m", "no_earlier_value")]
    case = Case((When((Criterion(of, "above", (1,)),), COUNT),))
    assert codes(m=Before(case, 7)) == [("m", "no_earlier_value")]


def test_a_z_score_may_be_of_a_change_and_not_of_a_z_score() -> None:
    assert len(metrics(a=ZScore(Change(COUNT, 7)), b=Ratio(Reference("a"), Constant(2)))) == 2
    assert codes(a=ZScore(COUNT), b=ZScore(Add((Reference("a"), COUNT)))) == [("b", "nested_z_score")]


@pytest.mark.parametrize("take", [lambda one: Before(one, 7), lambda one: Change(one, 7), lambda one: Trend(one, 3, 7), ZScore])
def test_what_never_changes_has_no_earlier_value_and_no_peers(take: Any) -> None:
    assert codes(a=Constant(3), m=take(Add((Reference("a"), Constant(1))))) == [("m", "of_a_number")]


def test_a_chain_that_doubles_forty_times_is_refused_before_it_is_written_out() -> None:
    chain: dict[str, Series] = {"m0": COUNT}
    for i in range(1, 41):
        chain[f"m{i}"] = Add((Reference(f"m{i - 1}"), Reference(f"m{i - 1}")))
    assert codes(**chain) == [("m11", "too_large")]
    assert 2**10 <= MOST_READINGS < 2**11


def test_a_trend_and_a_change_count_every_day_that_they_are_taken_on() -> None:
    wide = Add(tuple(Count(Rows("events")) for _ in range(100)))
    assert len(metrics(a=wide, b=Trend(Reference("a"), 20, 7))) == 2
    assert codes(a=wide, b=Trend(Reference("a"), 21, 7)) == [("b", "too_large")]
    widest = Add(tuple(Reference("a") for _ in range(11)))
    assert len(metrics(a=wide, b=widest)) == 2
    assert codes(a=wide, b=widest, c=Change(Reference("b"), 7)) == [("c", "too_large")]


def test_a_long_chain_is_refused_where_it_becomes_too_deep() -> None:
    chain: dict[str, Series] = {"m0": COUNT}
    for i in range(1, 200):
        chain[f"m{i}"] = Ratio(Reference(f"m{i - 1}"), Constant(2))
    ((place, code),) = codes(**chain)
    assert code == "too_deep"
    assert int(place[1:]) <= DEEPEST_THROUGH
    del_after = int(place[1:])
    assert len(metrics(**{f"m{i}": chain[f"m{i}"] for i in range(del_after)})) == del_after


def test_a_metric_is_found_by_its_id_and_a_reference_by_what_it_stands_for() -> None:
    held = metrics(a=COUNT, b=Reference("a"), c=Reference("b"))
    assert held.resolved(Reference("c")) == COUNT
    with pytest.raises(BadInput, match="no metric 'd'"):
        held.metric("d")


@pytest.mark.parametrize("table", ["event", "accounts", "contacts", "rates", ""])
def test_rules_are_of_tables_with_dated_rows(table: str) -> None:
    with pytest.raises(BadInput, match="no table with dated rows"):
        MetricSet((), {table: SourceRules()})


@pytest.mark.parametrize("days", [0, -7, 36_601])
def test_a_table_is_silent_after_a_number_of_days_that_can_be(days: int) -> None:
    with pytest.raises(BadInput, match="silent after 1 to 36,600 days"):
        SourceRules(silent_days=days)

"""Values made of others: what they are, in which order they are computed, and why there is none."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, timedelta
from statistics import linear_regression, mean, stdev

import pytest

from tests.unit.metrics.lower.in_memory import Row, answers, held, panel_of, question_of, row
from unspun.metrics.asof import BeforeRenewals
from unspun.metrics.conditions import IsIn
from unspun.metrics.lower.panel import lower_panel
from unspun.metrics.nodes import (
    Add,
    Attribute,
    Before,
    Case,
    Change,
    Constant,
    Count,
    Criterion,
    LastValue,
    Multiply,
    Ratio,
    Reference,
    Rows,
    Series,
    Share,
    Subtract,
    Sum,
    Trend,
    When,
    ZScore,
)
from unspun.metrics.question import PanelQuestion
from unspun.metrics.windows import Days

FIRST = date(2024, 1, 1)
DAY = date(2024, 6, 1)
TABLES = {"accounts": held("accounts", ("account_id",)), "touchpoints": held("touchpoints")}
MINUTES = LastValue(Rows("touchpoints"), "minutes")
CALLS = Count(Rows("touchpoints", IsIn("channel", ("call",))))


def touch(account: str, day: date, minutes: float | None, channel: str = "call", source_row: int = 2) -> Row:
    return {**row(day, source_row=source_row), "account_id": account, "minutes": minutes, "channel": channel}


def said(account: str, **cells: object) -> Row:
    return {**row(FIRST), "account_id": account, "stated": ",".join(sorted(cells)), **cells}


def value(metrics: Mapping[str, Series], minutes: float | None, metric: str = "m") -> object:
    """What a metric gives for an account with one touchpoint, of so many minutes."""
    rows = {"accounts": [said("a")], "touchpoints": [touch("a", FIRST, minutes)]}
    return answers(question_of(metrics, TABLES, [DAY]), rows, metric)["a", DAY]


@pytest.mark.parametrize("minutes", [0.1, 1 / 3, -7.7, 1e-300, 1e300])
def test_arithmetic_goes_from_left_to_right_in_doubles(minutes: float) -> None:
    series: dict[str, Series] = {
        "add": Add((MINUTES, Constant(0.2), Constant(0.3))),
        "subtract": Subtract(Constant(1), MINUTES),
        "multiply": Multiply((MINUTES, Constant(3), Constant(0.1))),
        "ratio": Ratio(MINUTES, Constant(7)),
    }
    expected = {"add": minutes + 0.2 + 0.3, "subtract": 1.0 - minutes, "multiply": minutes * 3.0 * 0.1, "ratio": minutes / 7.0}
    assert {name: value(series, minutes, name) for name in series} == expected


def test_nothing_is_divided_by_zero() -> None:
    assert value({"m": Ratio(CALLS, MINUTES)}, 0.0) == "(zero_denominator)"
    assert value({"m": Ratio(CALLS, MINUTES)}, -0.0) == "(zero_denominator)"
    assert value({"m": Share(Count(Rows("touchpoints", window=Days(1))), IsIn("channel", ("call",)))}, 1.0) == "(zero_denominator)"
    assert value({"m": Change(CALLS, 1, relative=True)}, 1.0) == 0.0


def test_the_reason_is_that_of_the_first_operand_that_is_missing() -> None:
    plan, missing = Attribute("seats"), LastValue(Rows("touchpoints", window=Days(1)), "minutes")
    assert value({"m": Add((CALLS, missing, plan))}, 1.0) == "(no_rows)"
    assert value({"m": Add((CALLS, plan, missing))}, 1.0) == "(not_stated)"
    assert value({"m": Ratio(missing, Constant(0))}, 1.0) == "(no_rows)"


@pytest.mark.parametrize("steps", [3, 7])
def test_a_trend_is_the_slope_of_least_squares(steps: int) -> None:
    chance = random.Random(steps)
    minutes = [chance.uniform(-50, 50) for _ in range(steps)]
    rows = {
        "accounts": [said("a")],
        "touchpoints": [touch("a", DAY - timedelta(days=10 * (steps - 1 - i)), one) for i, one in enumerate(minutes)],
    }
    found = answers(question_of({"m": Trend(MINUTES, steps, 10)}, TABLES, [DAY]), rows, "m")["a", DAY]
    assert found == pytest.approx(linear_regression(range(steps), minutes).slope, rel=1e-12)


def test_a_trend_without_its_oldest_value_has_none() -> None:
    assert value({"m": Trend(MINUTES, 3, 100)}, 1.0) == "(no_source)"


def case(*whens: When, otherwise: Series | None = None) -> Case:
    return Case(whens, otherwise)


def when(then: Series, *criteria: Criterion) -> When:
    return When(criteria, then)


def test_a_case_ends_at_the_first_criterion_that_is_false() -> None:
    lost, missing = Criterion(CALLS, "above", (5,)), Criterion(Attribute("seats"), "above", (1,))
    assert value({"m": case(when(Constant(1), lost, missing), otherwise=Constant(2))}, 1.0) == 2
    assert value({"m": case(when(Constant(1), missing, lost), otherwise=Constant(2))}, 1.0) == "(not_stated)"


def test_all_criteria_of_a_case_have_to_hold() -> None:
    true, false = Criterion(CALLS, "at_least", (1,)), Criterion(CALLS, "above", (5,))
    for criteria, expected in (((true, true), 1), ((false, true), 2), ((true, false), 2)):
        assert value({"m": case(when(Constant(1), *criteria), otherwise=Constant(2))}, 1.0) == expected


def test_a_case_that_nobody_foresaw_has_no_value() -> None:
    assert value({"m": case(when(Constant(1), Criterion(CALLS, "is", (3, 4))))}, 1.0) == "(no_case)"
    assert value({"m": case(when(MINUTES, Criterion(CALLS, "is", (1, 4))), otherwise=CALLS)}, 2.5) == 2.5


def test_a_chain_that_refers_to_each_twice_is_computed_once() -> None:
    metrics: dict[str, Series] = {"m0": MINUTES}
    for i in range(1, 10):
        metrics[f"m{i}"] = Add((Reference(f"m{i - 1}"), Reference(f"m{i - 1}")))
    assert value(metrics, 1.5, "m9") == 1.5 * 2.0**9
    written = lower_panel(question_of({**metrics}, TABLES, [DAY])).result.sql("duckdb")
    assert written.count(" + ") < 2 * len(metrics)  # written out it would be 2^9 additions


def test_a_long_chain_of_metrics_is_cut_into_steps() -> None:
    metrics: dict[str, Series] = {"m0": CALLS, **{f"m{i}": Add((Reference(f"m{i - 1}"), Constant(1))) for i in range(1, 45)}}
    plan = lower_panel(question_of(metrics, TABLES, [DAY]))
    assert sum(step.name.startswith("stage_") for step in plan.steps) >= 3
    assert value(metrics, 1.0, "m44") == 45.0
    assert value(metrics, 1.0, "m7") == 8.0


def test_equal_leaves_are_read_once() -> None:
    metrics = {f"m{i}": Change(CALLS, 7) for i in range(5)} | {"now": CALLS, "then": Before(CALLS, 7)}
    written = " ".join(step.query.sql("duckdb") for step in lower_panel(question_of(metrics, TABLES, [DAY])).steps)
    assert "m1" in written
    assert " AS m2" not in written


def peers(count: int, chance: random.Random) -> tuple[dict[str, list[Row]], dict[str, float], dict[str, str]]:
    minutes = {f"a{i:02}": 1e6 + chance.gauss(0, 1) for i in range(count)}
    segments = {account: chance.choice(["Mid", "Small"]) for account in minutes}
    rows = {
        "accounts": [said(account, segment=segments[account]) for account in minutes],
        "touchpoints": [touch(account, FIRST, one) for account, one in minutes.items()],
    }
    return rows, minutes, segments


def test_a_z_score_is_told_by_the_peers_of_the_segment() -> None:
    rows, minutes, segments = peers(40, random.Random(1))
    found = answers(question_of({"z": ZScore(MINUTES, "segment")}, TABLES, [DAY]), rows, "z")
    for account, one in minutes.items():
        others = [minutes[other] for other in minutes if segments[other] == segments[account]]
        assert found[account, DAY] == pytest.approx((one - mean(others)) / stdev(others), rel=1e-6)


def test_four_peers_or_equal_ones_tell_nothing() -> None:
    four, _, _ = peers(4, random.Random(1))
    assert set(answers(question_of({"z": ZScore(MINUTES)}, TABLES, [DAY]), four, "z").values()) == {"(few_peers)"}
    same = {"accounts": [said(name) for name in "abcdef"], "touchpoints": [touch(name, FIRST, 2.0) for name in "abcdef"]}
    assert set(answers(question_of({"z": ZScore(MINUTES)}, TABLES, [DAY]), same, "z").values()) == {"(few_peers)"}


def test_values_can_be_made_of_several_z_scores() -> None:
    rows, minutes, _ = peers(40, random.Random(2))
    metrics: dict[str, Series] = {
        "z": ZScore(MINUTES),
        "calls": CALLS,
        "within": ZScore(Add((MINUTES, Reference("calls"))), "segment"),
        "sum": Add((Reference("within"), Reference("z"), Reference("calls"))),
    }
    found = panel_of(question_of(metrics, TABLES, [DAY]), rows)
    assert [one["sum"] for one in found] == [one["within"] + one["z"] + one["calls"] for one in found]
    assert len(found) == len(minutes)


def test_before_renewals_peers_are_those_of_a_year_and_the_same_horizon() -> None:
    rows, minutes, _ = peers(9, random.Random(3))
    dues = tuple((account, DAY + timedelta(days=90 * i)) for i, account in enumerate(sorted(minutes)))
    question = question_of({"z": ZScore(MINUTES)}, TABLES, BeforeRenewals(dues, (60, 30)))
    for one in panel_of(question, rows):
        days = {account: due - timedelta(days=one["horizon_days"]) for account, due in dues}
        there = [minutes[account] for account, day in days.items() if timedelta(0) <= one["as_of"] - day < timedelta(days=365)]
        expected = (minutes[one["account_id"]] - mean(there)) / stdev(there) if len(there) >= 5 else None
        assert one["z"] == (None if expected is None else pytest.approx(expected, rel=1e-6)), one


def test_sums_do_not_depend_on_the_order_of_rows() -> None:
    numbers = [0.1, 0.2, 0.3, 1e9, -1e9]
    rows = {"accounts": [said("a")], "touchpoints": [touch("a", FIRST, one, source_row=i) for i, one in enumerate(numbers)]}
    question: PanelQuestion = question_of({"m": Sum(Rows("touchpoints"), "minutes")}, TABLES, [DAY])
    assert answers(question, rows, "m")["a", DAY] == 0.6

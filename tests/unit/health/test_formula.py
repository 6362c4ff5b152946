"""The formula is what its page says: held against the page's five steps in fractions, row by row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.health.strategies import rows, scores
from unspun.book.tables import Codes, Floats
from unspun.errors import BadInput
from unspun.health.definition import Band, Group, HealthScore, Input, Linear, Scale, Steps, Values
from unspun.health.formula import NO_INPUT, NOT_LISTED, TOO_LITTLE, as_series, compute

RISING = Linear(((0.0, Decimal(0)), (10.0, Decimal(100))))
Row = Mapping[str, float | str | None]


def columns(values: Mapping[str, Sequence[float | str | None]], score: HealthScore) -> dict[str, Floats | Codes]:
    """The rows as the formula takes them."""
    found: dict[str, Floats | Codes] = {}
    for one in score.inputs:
        given = values[one.metric]
        if isinstance(one.scale, Values):
            names = tuple(dict.fromkeys(str(value) for value in given if value is not None))
            found[one.metric] = Codes(np.array([-1 if value is None else names.index(str(value)) for value in given], np.int32), names)
        else:
            found[one.metric] = np.array([math.nan if value is None else float(value) for value in given])
    return found


def points_by_hand(scale: Scale, value: float | str | None) -> Fraction | None:
    """Step 1 of the page."""
    if value is None:
        return None
    if isinstance(scale, Values):
        points = dict(scale.points).get(str(value), scale.otherwise)
        return None if points is None else Fraction(points)
    knots = [(Fraction(at), Fraction(points)) for at, points in scale.knots]
    x = Fraction(float(value))
    if x <= knots[0][0] or x >= knots[-1][0]:
        return knots[0][1] if x <= knots[0][0] else knots[-1][1]
    (x0, y0), (x1, y1) = next(pair for pair in pairwise(knots) if pair[0][0] <= x < pair[1][0])
    exact = y0 if isinstance(scale, Steps) else y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return round(exact * 10**6) / Fraction(10**6)


def by_hand(score: HealthScore, row: Row) -> tuple[Fraction | None, list[Fraction]]:
    """Steps 1 to 3: the exact score before it is rounded (None: there is none), and what each input gives of it."""
    points = {one.metric: points_by_hand(one.scale, row[one.metric]) for one in score.inputs}
    declared = sum(Fraction(group.weight) for group in score.groups)
    there = [group for group in score.groups if any(points[one.metric] is not None for one in group.inputs)]
    whole, present, parts = sum(Fraction(group.weight) for group in there), Fraction(), []
    for group in score.groups:
        own = sum(Fraction(one.weight) for one in group.inputs if points[one.metric] is not None)
        every = sum(Fraction(one.weight) for one in group.inputs)
        for one in group.inputs:
            given = points[one.metric]
            parts.append(Fraction() if given is None else Fraction(group.weight) / whole * Fraction(one.weight) / own * given)
            present += Fraction() if given is None else Fraction(group.weight) / declared * Fraction(one.weight) / every
    return (None if not there or present < Fraction(score.least_weight) else sum(parts, Fraction())), parts


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_scores_are_the_exact_mean_rounded_once_and_contributions_add_up_to_them(data: st.DataObject) -> None:
    score = data.draw(scores())
    values = data.draw(rows(score))
    scored = compute(score, columns(values, score))
    unit = 10**score.digits
    assert not scored.points[~scored.present].any()
    for row in range(len(scored.values)):
        exact, parts = by_hand(score, {id: given[row] for id, given in values.items()})
        assert bool(scored.has_value[row]) == (exact is not None)
        if exact is None:
            assert not scored.contributions[:, row].any()
            continue
        given = [int(one) for one in scored.contributions[:, row]]
        assert int(scored.values[row]) == round(exact * unit)
        assert sum(given) == int(scored.values[row])
        floors = [math.floor(part * unit) for part in parts]
        order = sorted(range(len(parts)), key=lambda i: (floors[i] - parts[i] * unit, i))
        raised = set(order[: int(scored.values[row]) - sum(floors)])
        assert given == [floor + (i in raised) for i, floor in enumerate(floors)]
        assert all(given[i] == 0 for i, part in enumerate(parts) if part == 0)
        assert math.isclose(as_series(scored)[row], float(Fraction(int(scored.values[row]), unit)), rel_tol=1e-15)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_each_row_has_the_score_that_it_has_alone(data: st.DataObject) -> None:
    score = data.draw(scores())
    values = data.draw(rows(score))
    together = compute(score, columns(values, score))
    for row in range(len(together.values)):
        alone = compute(score, columns({id: [given[row]] for id, given in values.items()}, score))
        assert (alone.values[0], alone.band[0], alone.reason.codes[0] < 0) == (
            together.values[row], together.band[row], together.reason.codes[row] < 0,
        )  # fmt: skip
        assert alone.patterns[0] == together.patterns[together.pattern[row]]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_weights_of_what_is_there_add_up_to_one(data: st.DataObject) -> None:
    score = data.draw(scores())
    scored = compute(score, columns(data.draw(rows(score)), score))
    assert sum(score.shares) == 1
    for pattern in scored.patterns:
        assert sum(pattern.weights) == (1 if any(pattern.present) else 0)
        assert all((weight > 0) == there for weight, there in zip(pattern.weights, pattern.present, strict=True))
        assert pattern.weight_present == sum(share for share, there in zip(score.shares, pattern.present, strict=True) if there)


def test_the_example_of_the_reference_page_comes_out() -> None:
    usage = Group(
        "usage",
        (Input("logins", Linear(((0.0, Decimal(0)), (5.0, Decimal(60)), (20.0, Decimal(100)))), Decimal(2)), Input("days", RISING)),
        Decimal(60),
    )
    support = Group(
        "support",
        (
            Input("tickets", Steps(((0.0, Decimal(100)), (1.0, Decimal(70)), (5.0, Decimal(0))))),
            Input("plan", Values((("premium", Decimal(100)),))),
        ),
        Decimal(40),
    )
    score = HealthScore("health", (usage, support))
    scored = compute(score, columns({"logins": [5.0], "days": [None], "tickets": [1.0], "plan": [None]}, score))
    assert (scored.values[0], scored.contributions[:, 0].tolist()) == (640, [360, 0, 280, 0])
    assert scored.patterns[0].weight_present == Fraction(60, 100) * Fraction(2, 3) + Fraction(40, 100) / 2


@pytest.mark.parametrize(("value", "points"), [(-1.0, 100), (0.0, 100), (0.999999, 100), (1.0, 70), (4.999, 70), (5.0, 0), (1e300, 0)])
def test_a_step_begins_at_its_value(value: float, points: int) -> None:
    score = HealthScore("health", (Group("", (Input("tickets", Steps(((0.0, Decimal(100)), (1.0, Decimal(70)), (5.0, Decimal(0))))),)),))
    assert compute(score, {"tickets": np.array([value])}).points[0, 0] == points * 10**6


def test_a_tie_between_two_scores_goes_to_the_even_one() -> None:
    score = HealthScore("health", (Group("", (Input("m", RISING),)),), digits=0)
    assert compute(score, {"m": np.array([1.25, 1.35, 1.45, 2.05])}).values.tolist() == [12, 14, 14, 20]


def test_points_between_two_values_are_rounded_as_fractions_are_where_floating_point_cannot_tell() -> None:
    scale = Linear(((0.0, Decimal(0)), (8.0, Decimal("0.000004"))))
    score = HealthScore("health", (Group("", (Input("m", scale),)),), high=Decimal(1))
    assert compute(score, {"m": np.array([1.0, 3.0, 5.0, 7.0])}).points[0].tolist() == [0, 2, 2, 4]


def test_a_tie_between_two_millionths_goes_to_the_even_one_of_the_points() -> None:
    scale = Linear(((0.0, Decimal("0.000001")), (8.0, Decimal("0.000005"))))
    score = HealthScore("health", (Group("", (Input("m", scale),)),), high=Decimal(1))
    assert compute(score, {"m": np.array([1.0, 3.0, 5.0, 7.0])}).points[0].tolist() == [2, 2, 4, 4]


def test_of_equal_remainders_the_earlier_declared_are_raised() -> None:
    values = np.random.default_rng(0).integers(0, 3, 200)  # 0, 0.05 and 0.1 of the score, in no order
    score = HealthScore("health", (Group("", tuple(Input(f"m{i}", RISING) for i in range(200))),), digits=1)
    scored = compute(score, {f"m{i}": np.array([float(value)]) for i, value in enumerate(values)})
    ones, twos = np.flatnonzero(values == 1), np.flatnonzero(values == 2)
    raised = int(scored.values[0]) - len(twos)
    assert 0 < raised < len(ones)
    assert np.flatnonzero(scored.contributions[:, 0]).tolist() == sorted([*ones[:raised].tolist(), *twos.tolist()])


def test_a_score_that_lacks_some_metrics_of_a_customer_that_left_says_that_too_little_is_there() -> None:
    score = HealthScore("health", (Group("", (Input("a", RISING), Input("b", RISING), Input("c", RISING))),))
    nan, left = np.array([np.nan]), Codes(np.array([0], np.int32), ("after_churn",))
    scored = compute(score, {"a": np.array([5.0]), "b": nan, "c": nan}, {"b": left, "c": left})
    assert scored.reason.names[scored.reason.codes[0]] == TOO_LITTLE


def test_without_reasons_a_score_says_only_that_nothing_is_there() -> None:
    score = HealthScore("health", (Group("", (Input("a", RISING), Input("b", RISING))),))
    scored = compute(score, {"a": np.array([np.nan]), "b": np.array([np.nan])})
    assert scored.reason.names[scored.reason.codes[0]] == NO_INPUT


def test_nothing_is_neutral_a_missing_metric_changes_the_weights_and_not_the_points() -> None:
    inputs = (Input("a", RISING, Decimal(3)), Input("b", RISING))
    score = HealthScore("health", (Group("usage", inputs, Decimal(60)), Group("support", (Input("c", RISING),), Decimal(40))))
    scored = compute(score, {"a": np.array([10.0, 10, np.nan]), "b": np.array([0.0, np.nan, np.nan]), "c": np.array([5.0, 5, 5])})
    assert scored.values.tolist() == [650, 800, 0]
    assert scored.contributions.tolist() == [[450, 600, 0], [0, 0, 0], [200, 200, 0]]
    assert scored.has_value.tolist() == [True, True, False]
    assert scored.reason.names[scored.reason.codes[2]] == TOO_LITTLE


def test_where_metrics_lack_their_value_for_one_reason_or_the_account_is_no_customer_so_does_the_score() -> None:
    score = HealthScore("health", (Group("", (Input("a", RISING), Input("b", RISING), Input("tier", Values((("gold", Decimal(1)),))))),))
    nan = np.array([np.nan] * 4)
    missing = {
        "a": Codes(np.array([0, 0, 1, 1], np.int32), ("after_churn", "outage")),
        "b": Codes(np.array([0, 1, 1, 2], np.int32), ("after_churn", "no_rows", "outage")),
        "tier": Codes(np.array([0, 0, -1, 1], np.int32), ("after_churn", "outage")),
    }
    tier = Codes(np.array([-1, -1, 0, -1], np.int32), ("bronze",))
    scored = compute(score, {"a": nan, "b": nan, "tier": tier}, missing)
    assert [scored.reason.names[code] for code in scored.reason.codes] == ["after_churn", "after_churn", NO_INPUT, "outage"]
    assert [one.names[one.codes[2]] for one in scored.missing] == ["outage", "no_rows", NOT_LISTED]


def test_a_band_begins_at_the_published_score_that_reaches_it() -> None:
    bands = (Band("red", Decimal(0)), Band("yellow", Decimal("39.95")), Band("green", Decimal(70)))
    score = HealthScore("health", (Group("", (Input("m", RISING),)),), bands=bands)
    scored = compute(score, {"m": np.array([0.0, 3.989, 3.99, 4.0, 6.9949, 6.995, 10, np.nan])})
    assert [bands[one].name if one >= 0 else None for one in scored.band] == [
        "red", "red", "red", "yellow", "yellow", "green", "green", None,
    ]  # fmt: skip


def test_texts_are_compared_sign_by_sign_and_numbers_as_they_are_written() -> None:
    plan = HealthScore("health", (Group("", (Input("m", Values((("Gold", Decimal(100)), ("3", Decimal(40)), ("true", Decimal(10))))),)),))
    texts = compute(plan, {"m": Codes(np.array([0, 1, 2, -1], np.int32), ("Gold", "gold", "3"))})
    assert texts.points[0].tolist() == [100_000_000, 0, 40_000_000, 0]
    assert texts.present[0].tolist() == [True, False, True, False]
    numbers = compute(plan, {"m": np.array([3.0, 1.0, 0.0, np.nan])})
    assert numbers.points[0].tolist() == [40_000_000, 10_000_000, 0, 0]
    assert numbers.present[0].tolist() == [True, True, False, False]


def test_points_of_numbers_are_refused_for_texts() -> None:
    score = HealthScore("health", (Group("", (Input("m", RISING),)),))
    with pytest.raises(BadInput, match="its values are texts"):
        compute(score, {"m": Codes(np.array([0], np.int32), ("gold",))})
    assert not compute(score, {"m": Codes(np.array([-1], np.int32), ())}).has_value.any()


def test_twenty_thousand_accounts_add_up_under_weights_that_64_bits_cannot_hold() -> None:
    generator = np.random.default_rng(3)
    inputs = tuple(Input(f"m{i}", RISING, Decimal(10) ** (i - 6) + 1) for i in range(12))
    score = HealthScore("health", (Group("a", inputs[:7], Decimal("0.000007")), Group("b", inputs[7:], Decimal("999983.000001"))), digits=4)
    values = {one.metric: np.where(generator.random(20_000) < 0.02, np.nan, generator.random(20_000) * 10) for one in inputs}
    scored = compute(score, values)
    assert (scored.contributions.sum(axis=0) == np.where(scored.has_value, scored.values, 0)).all()
    for row in range(0, 20_000, 400):
        exact, _ = by_hand(score, {id: None if np.isnan(one[row]) else float(one[row]) for id, one in values.items()})
        assert (int(scored.values[row]) if scored.has_value[row] else None) == (None if exact is None else round(exact * 10**4))


def test_another_order_of_rows_gives_the_same_scores() -> None:
    generator = np.random.default_rng(4)
    inputs = tuple(Input(f"m{i}", RISING, Decimal(i + 1)) for i in range(5))
    score = HealthScore("health", (Group("", inputs),))
    values = {one.metric: np.where(generator.random(500) < 0.3, np.nan, generator.random(500) * 10) for one in inputs}
    order = generator.permutation(500)
    one, other = compute(score, values), compute(score, {id: column[order] for id, column in values.items()})
    assert (one.values[order] == other.values).all()
    assert (one.contributions[:, order] == other.contributions).all()


def test_a_score_without_a_lowest_share_needs_one_metric_only() -> None:
    score = replace(
        HealthScore("health", (Group("", (Input("a", RISING, Decimal(1)), Input("b", RISING, Decimal(99)))),)), least_weight=Decimal(0)
    )
    scored = compute(score, {"a": np.array([5.0, np.nan]), "b": np.array([np.nan, np.nan])})
    assert scored.values.tolist() == [500, 0]
    assert scored.has_value.tolist() == [True, False]

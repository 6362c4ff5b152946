"""What renewal risk says in words: claims that follow from the figures, and are no stronger than their intervals."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from tests.unit.reports import risk_sample as sample
from unspun.reports import risk_claims as rc
from unspun.reports.risk_charts import curve_chart, doublings_of, risk_scale, step_mark, steps_scale
from unspun.risk.result import RenewalRisk
from unspun.stats.estimate import Estimate, NoEstimate


def plain(text: str) -> str:
    """With hyphens and spaces of one kind."""
    return text.translate({0x2013: "-", 0x2212: "-", 0xA0: " ", 0x2060: ""})


def pushed(*points: float, typical: float = 0.1, spread: float = 0.2) -> RenewalRisk:
    """A renewal with reasons of these points."""
    one = sample.renewal(2)
    reasons = [
        replace(one.reasons[0], label=f"R{at}", points=value, low=value - 0.01, high=value + 0.01) for at, value in enumerate(points)
    ]
    churn = sample.share(typical + sum(points), spread)
    return replace(one, typical=typical, reasons=tuple(reasons), others=0.0, probabilities={**one.probabilities, "churn": churn})


def test_the_headline_says_what_is_due_within_90_days_and_its_interval() -> None:
    result = sample.few()
    total = next(one for one in result.due if one.currency == "USD" and one.within_days == 90)
    assert isinstance(total.expected_lost, Estimate)
    said = plain(rc.headline(result))
    assert said.startswith(
        f"Of 3 renewals, ${total.arr / 1000:.0f}k of ARR, due within 90 days, ${total.expected_lost.point / 1000:.0f}k ("
    )
    assert plain(rc.headline(sample.hollow())) == "What is at risk of 1 renewal, $200k of ARR, due within 90 days cannot be told"
    assert rc.headline(sample.empty()) == "No renewal is open"


def test_the_steps_go_from_typical_to_the_risk_with_what_raises_first() -> None:
    for one in rc.foretold(sample.many(80)):
        steps = rc.steps_of(one)
        assert isinstance(one.churn, Estimate)
        assert steps[0].before == one.typical and steps[-1].after == pytest.approx(one.churn.point)
        assert all(left.after == right.before for left, right in pairwise(steps))
        named = [step.points for step in steps if step.low is not None]
        assert named == sorted(named, reverse=True) and len(named) == len(one.reasons)
    assert rc.steps_of(sample.hollow().renewals[0]) == []


def test_reasons_that_raise_come_first_in_a_list_as_those_can_be_acted_on() -> None:
    assert [reason.points for reason in rc.leading_reasons(pushed(-0.3, 0.1, 0.2, 0.05))] == [0.2, 0.1]
    assert [reason.points for reason in rc.leading_reasons(pushed(-0.05, 0.1))] == [0.1, -0.05]


@pytest.mark.parametrize(
    ("points", "spread", "said"),
    [
        ((0.3, 0.1), 0.2, "R0 and R1 make most of the step from 10 % to 50 %"),
        ((0.4,), 0.2, "R0 makes most of the step from 10 % to 50 %"),
        ((0.3, -0.2), 0.2, "R0 raises it, R1 lowers it: from 10 % to 20 %"),
        ((0.02,), 0.6, "Step by step from 10 % to 12 %; the interval holds what is typical"),
        ((), 0.6, "Step by step from 10 % to 10 %; the interval holds what is typical"),
        ((-0.06,), 0.2, "R0 makes most of the step from 10 % to 4 %"),
    ],
)
def test_the_claim_over_the_steps_names_what_carries_them(points: tuple[float, ...], spread: float, said: str) -> None:
    assert plain(rc.waterfall_claim(pushed(*points, spread=spread))) == said


@pytest.mark.parametrize(("points", "side"), [((0.3,), "above"), ((0.01,), "holds"), ((-0.08,), "below")])
def test_a_risk_is_above_what_is_typical_only_with_its_whole_interval(points: tuple[float, ...], side: str) -> None:
    assert rc.side_of(pushed(*points)) == side


def test_a_risk_is_said_of_a_hundred_like_it_and_a_fact_is_no_risk() -> None:
    assert rc.renewal_claim(pushed(0.3)) == "Of a hundred renewals like this one, about 40 churn (31 to 50)"
    assert rc.renewal_claim(sample.without(pushed(0.3), "notice given")).startswith("Notice was given")
    untold = sample.without(pushed(0.3), code="too_wide", why="It is wide.")
    assert (
        rc.renewal_claim(untold)
        == "The risk of this renewal cannot be told: the interval of the probability of churn is too wide to act on"
    )


def test_what_changed_is_the_difference_and_nothing_is_made_up_for_what_is_new() -> None:
    result = sample.few()
    earlier = sample.earlier(result)
    told = {one.account: rc.change_of(one, earlier) for one in result.renewals}
    then, now = earlier.said(result.renewals[1]), result.renewals[1].churn
    assert isinstance(then, Estimate) and isinstance(now, Estimate)
    assert told[result.renewals[1].account] == f"+{now.point - then.point:.2f}"
    assert told[result.renewals[0].account] == "new" and rc.change_of(result.renewals[1], None) == ""
    parts = {(result.renewals[1].account, result.renewals[1].due): (0.05, 0.012, 0.001)}
    said = plain(rc.moved_because(result.renewals[1], replace(earlier, parts=parts)))
    assert said.endswith("comes from new data +0.05 and the time that passed +0.01")


def test_renewals_decided_since_are_counted_beside_what_was_foretold() -> None:
    decided = ((sample.share(0.4), "churn"), (sample.share(0.2), "flat"), (NoEstimate("not told"), "churn"), (sample.share(0.3), ""))
    earlier = replace(sample.earlier(sample.few()), decided=decided)
    assert plain(rc.decided_since(earlier)) == "Of the renewals open then, 2 were decided since: 1 churned, 0.6 were foretold"
    assert rc.decided_since(sample.earlier(sample.few())) == ""


def test_a_model_that_is_off_in_level_is_not_said_to_be_right() -> None:
    model = sample.model()
    assert "came about as often as it said" in rc.model_claim(model)
    off = replace(model, check=replace(model.check, expected_over_observed=sample.near(0.8, 0.1)))
    assert "as often" not in rc.model_claim(off) and "foretold 0.80 churned for each one seen" in rc.model_claim(off)
    assert "no renewal is given one" in rc.model_claim(sample.model("not calibrated"))
    assert rc.model_claim(sample.model("cannot tell")).startswith("Whether its risks come true cannot be told")


def test_how_soon_a_renewal_is_due_has_its_word_at_every_border() -> None:
    one = sample.renewal(0)
    leads = {
        -1: "overdue",
        0: "within 30 days",
        30: "within 30 days",
        31: "in 31 to 90",
        90: "in 31 to 90",
        91: "in 91 to 180",
        181: "later",
    }
    assert {lead: rc.span_of(replace(one, lead_days=lead)) for lead in leads} == leads


def test_a_value_is_shown_short_with_its_unit() -> None:
    reason = sample.renewal(2).reasons[0]
    assert plain(rc.short_reason(replace(reason, label="Tickets", unit="tickets", value=12.0, points=0.061))) == "Tickets 12 (+6)"
    assert plain(rc.short_reason(replace(reason, label="Trend", unit="logins", value=-660.4, points=0.07))) == "Trend -660 logins (+7)"
    assert plain(rc.short_reason(replace(reason, label="Champion left", unit="flag", value=1.0, points=0.1))) == "Champion left (+10)"
    assert plain(rc.short_reason(replace(reason, label="Segment", unit="", value="Small", points=-0.1))) == "Segment Small (-10)"
    assert plain(rc.short_reason(replace(reason, label="Seats", unit="seats", value=None, points=0.02))) == "Seats missing (+2)"


def test_scales_hold_all_that_is_drawn_on_them_and_steps_keep_their_length() -> None:
    told = rc.foretold(sample.many(80))
    scale = risk_scale(told)
    assert max(one.churn.high for one in told if isinstance(one.churn, Estimate)) <= scale.high <= 1
    one = pushed(0.3, -0.05)
    steps = rc.steps_of(one)
    on = steps_scale(one, steps)
    assert f'width="{on(0.4) - on(0.1):g}%"' in step_mark(steps[0], on, small=False).replace("%%", "%")
    terms = sample.model().terms
    assert 1 <= doublings_of(terms) <= 3
    assert "Tenure" in curve_chart(terms[6], 2, "Tenure")

"""The demo company's three scores: what each knows, when it was recorded, and which verdict the audit gives it."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pytest

import unspun
from unspun.book.demo import Parameters, make_company
from unspun.book.demo.calendar import stream
from unspun.book.demo.engagement import DAY_SECONDS, Tickets
from unspun.book.demo.scores import simulate_scores
from unspun.book.demo.simulation import Activity, simulate_activity, simulate_contracts
from unspun.book.demo.terms import Contracts
from unspun.book.demo.usage import Usage

Frame = Any  # pandas' own annotations do not tell a frame from a series
AS_OF = date(2026, 10, 31)
KEY = ["account_id", "scored_on", "score_name"]


@pytest.fixture(scope="module")
def scores() -> Frame:
    """Score rows with the renewal of the term they fall into."""
    company = make_company(seed=9, accounts=1_000, as_of=AS_OF)
    scores = company.health_scores.to_pandas(date_as_object=False).sort_values("scored_on")
    terms = company.truth_renewals.to_pandas(date_as_object=False)
    known = company.renewals.to_pandas(date_as_object=False)[["renewal_id", "term_start", "outcome_known_at"]]
    terms = terms[["renewal_id", "account_id", "due_date", "outcome", "decided"]].merge(known, on="renewal_id").sort_values("term_start")
    return pd.merge_asof(scores, terms, left_on="scored_on", right_on="term_start", by="account_id")


@pytest.fixture(scope="module")
def simulated() -> tuple[Contracts, Activity]:
    contracts = simulate_contracts(2, 200, AS_OF, Parameters())
    return contracts, simulate_activity(2, contracts, Parameters())


def test_no_score_is_recorded_before_the_day_it_is_about(scores: Frame) -> None:
    assert (scores.recorded_at.dt.tz_localize(None) >= scores.scored_on).all()


def test_each_score_is_dated_once_a_month_inside_a_term(scores: Frame) -> None:
    first = scores[scores.set_by != "override"]
    assert (scores.scored_on.dt.day == 1).all()
    assert not first.duplicated(KEY).any()
    assert (scores.scored_on < scores.due_date).all()
    assert set(scores.score_name) == {"Weighted health", "Usage trend", "CSM pulse"}


def test_bands_follow_from_the_values(scores: Frame) -> None:
    assert scores.score.between(0, 100).all()
    expected = np.select([scores.score < 40, scores.score < 70], ["red", "yellow"], "green")
    assert (scores.band == expected).all()


def test_only_the_pulse_is_rewritten_and_what_it_said_before_is_kept(scores: Frame) -> None:
    rewritten = scores[scores.set_by == "override"]
    assert set(rewritten.score_name) == {"CSM pulse"}
    pairs = rewritten.merge(scores[scores.set_by == "person"], on=KEY, suffixes=("", "_first"))
    assert len(pairs) == len(rewritten) > 100
    assert (pairs.recorded_at > pairs.recorded_at_first).all()
    assert (pairs.recorded_at_first.dt.tz_localize(None).dt.normalize() == pairs.scored_on).all()


def test_pulses_are_rewritten_after_the_outcome_was_known_low_for_most_churned_and_for_few_others(scores: Frame) -> None:
    lead = (scores.due_date - scores.scored_on).dt.days
    pulse = scores[scores.decided & (scores.score_name == "CSM pulse") & lead.between(30, 210) & (scores.due_date < "2026-08-01")]
    long_terms = pulse[(pulse.due_date - pulse.term_start).dt.days > 170]
    rewritten = long_terms[long_terms.set_by == "override"]
    assert (rewritten.recorded_at.dt.tz_localize(None) > rewritten.outcome_known_at).all()
    assert (rewritten.score[rewritten.outcome == "churned"] < 40).all()
    edited = long_terms.renewal_id.isin(rewritten.renewal_id)
    share = edited.groupby(long_terms.outcome == "churned").mean()
    assert 0.6 < share[True] < 0.95
    assert share[False] < 0.05


Rows = TypeVar("Rows", Usage, Tickets)


def up_to(rows: Rows, keep: np.ndarray) -> Rows:
    return type(rows)(**{field.name: getattr(rows, field.name)[keep] for field in fields(rows)})


def test_the_scores_of_a_day_use_nothing_from_that_day_on(simulated: tuple[Contracts, Activity]) -> None:
    contracts, a = simulated
    day = int(np.unique(a.panel.day)[20])
    usage = up_to(a.usage, a.usage.day < day)
    tickets = up_to(a.tickets, a.tickets.opened < day * DAY_SECONDS)
    cut = simulate_scores(stream(2, "scores"), contracts, a.panel, usage, tickets, a.touchpoints, Parameters())
    whole = {(s, p): v for s, p, v in zip(a.scores.score, a.scores.panel, a.scores.value, strict=True) if a.panel.day[p] <= day and s < 2}
    from_past = {(s, p): v for s, p, v in zip(cut.score, cut.panel, cut.value, strict=True) if a.panel.day[p] <= day and s < 2}
    assert len(whole) > 1_000
    assert whole == from_past


def test_the_audit_tells_the_three_scores_apart() -> None:
    company = make_company()
    result = unspun.audit_score(company.health_scores, company.renewals, as_of=AS_OF, detail="none")
    assert {score.name: score.verdict for score in result.scores} == {
        "Weighted health": "foretells, adds nothing",
        "Usage trend": "foretells",
        "CSM pulse": "leaks",
    }
    assert {score.primary_horizon_days for score in result.scores} == {180}

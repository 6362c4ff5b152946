"""Which candidate is chosen, on what, and with what knowledge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.risk.made_months import MadeCompany, make_company
from unspun.audit.terms import UNKNOWN
from unspun.risk.candidates import CandidateName, fit_candidate, in_order
from unspun.risk.choose import ORIGINS, choose, churned_clusters, find_cut, judged, outcome_loss, settle_days
from unspun.risk.rows import CHURN, RiskRows, known_by
from unspun.stats.estimate import Estimate, NoEstimate

QUICK: tuple[CandidateName, ...] = ("base rate", "baseline", "linear")


@pytest.fixture(scope="module")
def company() -> MadeCompany:
    return make_company(seed=1, accounts=450)


@pytest.fixture(scope="module")
def cut(company: MadeCompany) -> int:
    found = find_cut(company.rows, company.cutoff)
    assert isinstance(found, int)
    return found


def test_the_test_part_is_the_latest_that_holds_two_fifths_of_the_churned_account_months(company: MadeCompany, cut: int) -> None:
    rows = company.rows
    churned = judged(rows, company.cutoff) & (rows.outcome == CHURN)
    share = {day: float(np.mean(rows.as_of[churned] >= day)) for day in np.unique(rows.as_of).tolist()}
    assert cut == max(day for day, one in share.items() if one >= 0.4)


def test_a_renewal_is_judged_only_once_it_was_due_long_enough_for_any_outcome_to_be_known(company: MadeCompany) -> None:
    rows, told = company.rows, judged(company.rows, company.cutoff)
    settle, late = settle_days(rows, company.cutoff), rows.decided_on - rows.due
    each = [np.flatnonzero(rows.renewal == one)[0] for one in np.unique(rows.renewal[rows.outcome >= 0])]
    churned = np.array([one for one in each if rows.outcome[one] == CHURN])
    kept = np.setdiff1d(each, churned)
    assert all(np.mean(late[kind] <= settle) >= 0.95 for kind in (churned, kept)), "whatever the outcome"
    assert any(np.mean(late[kind] < settle) < 0.95 for kind in (churned, kept)), "and no longer than that takes"
    assert rows.due[told].max() < company.cutoff - settle_days(rows, company.cutoff)
    noticed = (rows.outcome == CHURN) & (rows.due >= company.cutoff)
    assert noticed.any() and not told[noticed].any()


def test_a_model_with_the_driver_beats_those_without_and_the_smaller_of_two_alike_is_chosen(company: MadeCompany, cut: int) -> None:
    choice = choose(company.rows, cut, ("base rate", "linear", "splines"))
    assert not isinstance(choice, NoEstimate)
    base, linear, splines = choice.candidates
    assert choice.name == "linear" and linear.chosen and not splines.chosen
    assert isinstance(base.difference, Estimate) and base.difference.low > 0
    errors = [one.standard_error or 0.0 for one in choice.candidates]
    differences = [one.difference.point if isinstance(one.difference, Estimate) else 0.0 for one in choice.candidates]
    assert differences[0] > errors[0] and differences[1] <= errors[1]


def test_where_no_metric_foretells_anything_none_is_used() -> None:
    company = make_company(seed=3, accounts=450, effect=0.0)
    rows = company.rows.take(company.rows.as_of < company.as_of)
    choice = choose(rows, company.cutoff, QUICK)
    assert not isinstance(choice, NoEstimate)
    assert choice.name in ("base rate", "baseline")


def test_the_losses_are_those_of_models_fitted_before_each_origin(company: MadeCompany, cut: int) -> None:
    choice = choose(company.rows, cut, ("base rate",))
    assert not isinstance(choice, NoEstimate) and len(choice.origins) == ORIGINS
    rows, told, losses = company.rows, judged(company.rows.take(company.rows.as_of < cut), cut), []
    earlier = rows.take(rows.as_of < cut)
    for origin, end in zip(choice.origins, (*choice.origins[1:], cut), strict=True):
        part = earlier.take(told & (earlier.as_of >= origin) & (earlier.as_of < end))
        model = fit_candidate("base rate", known_by(rows, origin), seed=0, scoring=False)
        assert not isinstance(model, NoEstimate)
        losses.append(outcome_loss(model.probabilities(part), part.outcome))
    shown = choice.candidates[0].log_loss
    assert isinstance(shown, Estimate)
    assert shown.point == pytest.approx(np.concatenate(losses).mean(), rel=1e-12)


def test_what_became_known_later_changes_nothing(company: MadeCompany, cut: int) -> None:
    rows = company.rows
    later = (rows.decided_on == UNKNOWN) | (rows.decided_on >= cut)
    rng = np.random.default_rng(0)
    other: RiskRows = replace(
        rows,
        outcome=np.where(later, rng.integers(0, 4, len(rows)), rows.outcome).astype(np.int8),
        columns={name: np.where(rows.as_of >= cut, rng.normal(size=len(rows)), values) for name, values in rows.columns.items()},
    )
    assert choose(other, cut, ("base rate", "linear")) == choose(rows, cut, ("base rate", "linear"))


def test_under_thirty_churned_customers_no_model_is_chosen() -> None:
    company = make_company(seed=2, accounts=90, terms=3)
    cut = find_cut(company.rows, company.cutoff)
    assert isinstance(cut, int) and churned_clusters(known_by(company.rows, cut)) < 30
    refusal = choose(company.rows, cut, QUICK)
    assert isinstance(refusal, NoEstimate) and "customers churned" in refusal.reason and refusal.what_it_would_take


def test_a_sample_is_of_whole_customers_and_is_told(company: MadeCompany, cut: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unspun.risk.choose.MOST_ROWS", 4_000)
    choice = choose(company.rows, cut, ("base rate",))
    assert not isinstance(choice, NoEstimate)
    assert "account-months" in choice.sampled and "drawn at random" in choice.sampled


def test_candidates_are_compared_from_the_simplest_to_the_most_complex() -> None:
    assert in_order(("boosting", "splines", "base rate")) == ("base rate", "splines", "boosting")

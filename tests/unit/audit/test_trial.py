"""One score at one horizon, worked out again with scikit-learn and plain loops."""

from __future__ import annotations

import calendar
import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from tests.unit.audit import company
from tests.unit.audit.company import day, random_company
from unspun.audit.baseline import training_percentile
from unspun.audit.frame import Frame, ScoreIndex, make_frame
from unspun.audit.judge import judge
from unspun.audit.protocol import AuditSettings
from unspun.audit.result import CapturedArr, HorizonResult
from unspun.audit.split import Parts
from unspun.audit.terms import order_terms
from unspun.audit.units import active_months
from unspun.book.tables import CHURNED, UNDECIDED
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

YEARLY = random_company(1)
MONTHLY = random_company(2, accounts=300, term_days=61, first="2023-06-01")
AS_OF = date(2025, 12, 20)
SETTINGS = AuditSettings(replicates=20, as_of=AS_OF, horizons=(30, 90), primary_horizon=90, detail="none")


def told(found: MaybeEstimate) -> Estimate:
    assert isinstance(found, Estimate)
    return found


def laid_out(made: company.Tables) -> Frame:
    scores, renewals = made
    terms = order_terms(renewals, scores, day(str(AS_OF)), {}, None)
    months = active_months(terms) if made is MONTHLY else None
    return make_frame(90, terms, months, renewals, ScoreIndex(scores, renewals.account.names, terms.as_of), SETTINGS)


def values_by_loop(made: company.Tables, frame: Frame) -> np.ndarray:
    """The score of each unit: the last one dated by its as-of date (all rows are recorded on their date)."""
    scores, renewals = made
    by_account: dict[str, list[tuple[int, float]]] = {}
    days = scores.dated.astype("datetime64[D]").astype(np.int64).tolist()
    for code, dated, value in zip(scores.account.codes.tolist(), days, scores.series[0].values.tolist(), strict=True):
        by_account.setdefault(scores.account.names[code], []).append((dated, value))
    found = []
    for account, as_of in zip(frame.units.account.tolist(), frame.units.as_of.tolist(), strict=True):
        past = [row for row in by_account.get(renewals.account.names[account], []) if row[0] <= as_of]
        found.append(max(past)[1] if past else math.nan)
    return np.array(found)


def horizon(made: company.Tables, days: int = 90) -> HorizonResult:
    return next(h for h in judge(*made, replace(SETTINGS, detail="all"), "test").result.scores[0].horizons if h.horizon_days == days)


def test_without_details_captured_arr_is_worked_out_at_the_primary_horizon_alone_and_says_so() -> None:
    by_days = {h.horizon_days: h for h in judge(*YEARLY, SETTINGS, "test").result.scores[0].horizons}
    detailed = horizon(YEARLY, 90).captured_arr
    assert not isinstance(detailed, NoEstimate)
    assert by_days[90].captured_arr == replace(detailed, bands=())
    assert isinstance(by_days[30].captured_arr, NoEstimate)
    assert "primary horizon only" in by_days[30].captured_arr.reason
    assert by_days[30].auc == horizon(YEARLY, 30).auc


@pytest.mark.parametrize("made", [YEARLY, MONTHLY], ids=["renewals", "account-months"])
def test_the_auc_and_the_gain_are_those_of_scikit_learn_fitted_on_training_units_alone(made: company.Tables) -> None:
    frame, result = laid_out(made), horizon(made)
    assert isinstance(frame.parts, Parts)
    assert frame.baseline is not None
    risk, event = -values_by_loop(made, frame), frame.units.churned
    scored = np.isfinite(risk)
    train, test = frame.parts.train & scored, frame.parts.test & scored
    percentile = training_percentile(risk, frame.parts.train)
    percentile = (percentile - percentile[train].mean()) / percentile[train].std()
    columns = frame.baseline.design[:, 1:]
    linear = []
    for design in (columns, np.column_stack([columns, percentile])):
        model = LogisticRegression(C=1.0, tol=1e-12, max_iter=10_000).fit(design[train], event[train])
        linear.append(model.decision_function(design[test]))
    alone, both = (float(roc_auc_score(event[test], found)) for found in linear)
    saved = [log_loss(event[test], 1 / (1 + np.exp(-found))) for found in linear]
    assert told(result.auc).point == pytest.approx(roc_auc_score(event[scored], risk[scored]))
    assert told(result.test.auc).point == pytest.approx(roc_auc_score(event[test], risk[test]))
    assert told(result.test.auc_baseline).point == pytest.approx(alone, abs=1e-3)
    assert told(result.test.auc_both).point == pytest.approx(both, abs=1e-3)
    assert told(result.test.gain).point == pytest.approx(both - alone, abs=1e-3)
    assert told(result.test.gain_log_loss).point == pytest.approx(saved[0] - saved[1], abs=1e-5)


def month_of(days: int) -> date:
    return (date(1970, 1, 1) + timedelta(days=days)).replace(day=1)


@pytest.mark.parametrize("days", [30, 90])
def test_candidates_of_a_month_are_the_renewals_whose_looking_day_falls_in_it_once_the_test_has_begun(days: int) -> None:
    result = horizon(YEARLY, days)
    assert isinstance(result.captured_arr, CapturedArr)
    assert not isinstance(result.split, NoEstimate)
    renewals, months, lost = YEARLY[1], [], 0.0
    assert renewals.amount_before is not None
    for due, outcome, amount in zip(renewals.due.astype(np.int64), renewals.outcome, renewals.amount_before, strict=True):
        first = month_of(int(due) - days)
        last_due = first + timedelta(days=calendar.monthrange(first.year, first.month)[1] - 1 + days)
        if outcome != UNDECIDED and first >= result.split.first_test_as_of and last_due <= AS_OF:
            months.append(first)
            lost += float(amount) * (outcome == CHURNED)
    assert result.captured_arr.n_candidates == len(months)
    assert result.captured_arr.months == len(set(months))
    assert result.captured_arr.churned_arr == pytest.approx(lost)


def test_with_account_months_the_candidates_are_the_test_units_themselves() -> None:
    result = horizon(MONTHLY)
    assert isinstance(result.captured_arr, CapturedArr)
    assert result.captured_arr.n_candidates == result.test.n


def test_contraction_and_expansion_are_told_among_the_renewed_each_in_its_own_direction() -> None:
    outcomes = ["contracted", "renewed", "expanded"]
    table = {
        "account": [f"a{i}" for i in range(60)],
        "due": [str(np.datetime64("2025-01-01") + i) for i in range(60)],
        "outcome": [outcomes[i % 3] if i % 5 else "churned" for i in range(60)],
    }
    # A churned account has the best score of all: it must not count among the renewed.
    value = [str(100 + i if i % 5 == 0 else 10 * (i % 3) + i / 60) for i in range(60)]
    history = company.scores({"account": table["account"], "dated": ["2024-01-01"] * 60, "value": value})
    result = judge(history, company.renewals(table), SETTINGS, "test").result.scores[0].primary
    for auc in (result.auc_contracted, result.auc_expanded):
        assert told(auc).point == 1
        assert told(auc).n == 48
    assert told(result.auc).point == 0


def test_arr_alone_is_shown_beside_the_score_turned_as_training_has_it() -> None:
    result, frame = horizon(YEARLY), laid_out(YEARLY)
    assert isinstance(frame.parts, Parts)
    amount, event, parts = frame.units.amount, frame.units.churned, frame.parts
    turn = 1 if roc_auc_score(event[parts.train], amount[parts.train]) >= 0.5 else -1
    scored = parts.test & np.isfinite(values_by_loop(YEARLY, frame))
    others = dict(result.test.others)
    assert told(others["ARR alone"]).point == pytest.approx(roc_auc_score(event[scored], turn * amount[scored]))

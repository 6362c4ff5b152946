"""Metrics on trial: exact series are judged on their own days only, beside scores that carry on, all in one run."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import roc_auc_score

from tests.unit.audit.company import codes, random_company
from tests.unit.audit.panels import panel_days, subject, with_panel
from unspun.audit.asking import trial_days
from unspun.audit.evidence_result import EvidenceResult, Redundancy, Shape, Subject
from unspun.audit.evidence_rows import Trace, row_sets
from unspun.audit.judge import judge
from unspun.audit.known import KnownHistory
from unspun.audit.leak import BY_CONSTRUCTION
from unspun.audit.on_trial import try_subjects
from unspun.audit.protocol import DETAILED_SCORES, AuditSettings
from unspun.audit.result import NOT_ON_THESE_DAYS, LeadTime, ScoreResult
from unspun.audit.split import Parts
from unspun.book.tables import CHURNED, Renewals, ScoreHistory
from unspun.errors import BadInput
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

Floats = NDArray[np.float64]
SETTINGS = AuditSettings(replicates=40, direction={"metric/falls": "lower"})
HISTORY, RENEWALS = random_company(5, accounts=700)
DAYS = trial_days(RENEWALS, SETTINGS, None, 4)
ROWS = panel_days(DAYS)


def as_known(history: ScoreHistory) -> Floats:
    """The score of the history as known on each of the panel's days."""
    position = {name: at for at, name in enumerate(history.account.names)}
    known = KnownHistory(history.account.codes.astype(np.int64), history.dated, history.recorded)
    found = known.last_known(np.array([position[account] for account, _ in ROWS]), np.array([day for _, day in ROWS], "M8[D]").astype(int))
    return np.where(found >= 0, history.series[0].values[np.maximum(found, 0)], np.nan)


SAME = as_known(HISTORY)
RNG = np.random.default_rng(1)
NOISE = np.where(RNG.random(len(ROWS)) < 0.2, np.nan, RNG.normal(size=len(ROWS)).round(1))
COLUMNS = {"metric/same": SAME, "metric/falls": -SAME, "metric/noise": NOISE}
MERGED = with_panel(HISTORY, ROWS, COLUMNS)
SUBJECTS = [subject("metric/noise"), subject("score/health"), subject("metric/same"), subject("metric/falls")]


def try_all(subjects: list[Subject], history: ScoreHistory = MERGED, table: Renewals = RENEWALS) -> tuple[EvidenceResult, Trace]:
    return try_subjects(history, table, subjects, SETTINGS, "test")


@pytest.fixture(scope="module")
def tried() -> tuple[EvidenceResult, Trace]:
    return try_all(SUBJECTS)


@pytest.fixture(scope="module")
def result(tried: tuple[EvidenceResult, Trace]) -> EvidenceResult:
    return tried[0]


def ends(estimate: MaybeEstimate) -> tuple[float, float, float] | str:
    return estimate.reason if isinstance(estimate, NoEstimate) else (estimate.point, estimate.low, estimate.high)


def decisive(score: ScoreResult) -> list[object]:
    """Everything the verdict rests on at the horizons that the audit looks at."""
    found: list[object] = [score.verdict, score.verdict_why]
    for horizon in score.horizons:
        test = horizon.test
        found += [horizon.n_scored, horizon.split, ends(horizon.auc), test.gain_p]
        found += [ends(one) for one in (test.auc, test.auc_baseline, test.auc_both, test.gain, test.gain_log_loss)]
    return found


def test_results_come_in_the_order_of_the_subjects(result: EvidenceResult) -> None:
    keys = [one.key for one in SUBJECTS]
    assert [score.name for score in result.audit.scores] == keys
    assert [one.subject.key for one in result.subjects] == keys
    assert result.of("metric/falls")[0].name == "metric/falls" and not result.of("metric/falls")[0].higher_is_healthier


def test_a_metric_with_the_values_of_a_score_is_judged_as_that_score_is(result: EvidenceResult) -> None:
    score, metric, turned = (result.of(key)[0] for key in ("score/health", "metric/same", "metric/falls"))
    assert decisive(metric) == decisive(score) == decisive(turned)
    alone = judge(HISTORY, RENEWALS, replace(DAYS.settings, direction={}), "test").result.scores[0]
    assert decisive(alone) == decisive(score)


def test_figures_of_a_metric_are_those_of_its_values_looked_up_one_by_one(result: EvidenceResult) -> None:
    noise = result.of("metric/noise")[0].primary
    value_on = dict(zip(ROWS, NOISE.tolist(), strict=True))
    names, ahead = RENEWALS.account.names, DAYS.primary_horizon
    assert RENEWALS.term_start is not None and RENEWALS.outcome_known is not None
    days = (RENEWALS.due, RENEWALS.term_start, RENEWALS.outcome_known)
    values, events = [], []
    for code, outcome, due, start, known in zip(RENEWALS.account.codes, RENEWALS.outcome, *(d.tolist() for d in days), strict=True):
        looked_at = (np.datetime64(due) - ahead).item() if due <= DAYS.as_of else None
        if outcome >= 0 and looked_at and start <= looked_at < known:
            values.append(value_on[names[code], looked_at])
            events.append(outcome == CHURNED)
    value, event = np.array(values), np.array(events)
    held = np.isfinite(value)
    assert (noise.n, noise.n_scored, noise.n_scored_churned) == (len(value), held.sum(), event[held].sum())
    assert isinstance(noise.auc, Estimate)
    assert noise.auc.point == pytest.approx(roc_auc_score(event[held], -value[held]), abs=1e-12)


def test_a_metric_without_a_value_on_the_day_has_none_whatever_it_had_before() -> None:
    """The earlier day of each renewal has a value, the decisive one has not: nothing is carried forward."""
    primary = np.array([day for _, day in ROWS], "M8[D]") == np.tile(
        np.array([due for _, due in DAYS.dues], "M8[D]") - DAYS.primary_horizon, len(DAYS.horizons)
    )
    emptied = np.where(primary, np.nan, SAME)
    found, _ = try_all(
        [subject("metric/same"), subject("metric/gone")], with_panel(HISTORY, ROWS, {"metric/same": SAME, "metric/gone": emptied})
    )
    gone, evidence = found.of("metric/gone")
    assert gone.primary.n_scored == 0 and gone.verdict == "cannot tell"
    assert evidence.coverage.reasons == (("no value", gone.primary.n),)
    assert isinstance(evidence.shape, NoEstimate)


def test_days_the_panel_does_not_hold_are_not_computed_rather_than_missing_or_carried_forward() -> None:
    kept = [at for at in range(len(ROWS)) if at % 7]  # of an account that is looked at more than once, earlier days stay
    history = with_panel(HISTORY, [ROWS[at] for at in kept], {"metric/same": SAME[kept]})
    found, _ = try_all([subject("metric/same"), subject("score/health")], history)
    coverage = found.of("metric/same")[1].coverage
    without = coverage.n - coverage.with_value
    assert coverage.reasons == ((NOT_ON_THESE_DAYS.reason, without),)
    assert without == pytest.approx(coverage.n / 7, abs=0.03 * coverage.n)
    assert found.of("score/health")[1].coverage.with_value == coverage.n


def test_coverage_says_why_and_adds_up() -> None:
    reasons = np.array([["-", "tracking silent", "no events"][int(at)] for at in RNG.integers(0, 3, len(ROWS))])
    why = codes(np.where(np.isfinite(NOISE), "-", reasons).tolist())
    found, trace = try_all([subject("metric/noise", missing=why), subject("score/health")])
    coverage = found.of("metric/noise")[1].coverage
    assert coverage.n == coverage.with_value + sum(n for _, n in coverage.reasons)
    assert {reason for reason, _ in coverage.reasons} == {"tracking silent", "no events", "no value"}
    trial = trace.scores[0].described.trial
    on_row = [int(why.codes[row - len(HISTORY.row)]) for row in trial.row[~trial.scored].tolist()]
    assert dict(coverage.reasons)["tracking silent"] == on_row.count(why.names.index("tracking silent"))
    churned = trial.frame.units.churned
    assert coverage.churned_with_value + coverage.churned_without_value == churned.sum()
    assert coverage.churned_without_value == (churned & ~trial.scored).sum()
    assert found.of("metric/noise")[1].subject.missing is None  # a result holds no rows


def test_what_needs_other_days_says_that_a_metric_was_not_computed_on_them(result: EvidenceResult) -> None:
    metric, score = result.of("metric/same")[0], result.of("score/health")[0]
    assert metric.primary.captured_arr == NOT_ON_THESE_DAYS
    assert not isinstance(metric.description, NoEstimate) and metric.description.lead_time == NOT_ON_THESE_DAYS
    assert not isinstance(score.primary.captured_arr, NoEstimate)
    assert not isinstance(score.description, NoEstimate) and isinstance(score.description.lead_time, LeadTime)


def test_gaming_is_looked_for_in_scores_and_not_in_metrics(result: EvidenceResult) -> None:
    assert {name: len(result.of(name)[0].gaming) for name in ("score/health", "metric/same")} == {"score/health": 5, "metric/same": 0}


def test_a_leak_is_found_in_a_merged_history_and_is_impossible_in_a_metric_by_construction() -> None:
    assert HISTORY.recorded is not None and RENEWALS.outcome_known is not None
    recorded, values = HISTORY.recorded.copy(), HISTORY.series[0].values.copy()
    churned = {RENEWALS.account.names[code] for code in RENEWALS.account.codes[RENEWALS.outcome == CHURNED].tolist()}
    last_known = dict(zip([RENEWALS.account.names[c] for c in RENEWALS.account.codes.tolist()], RENEWALS.outcome_known, strict=True))
    for row, code in enumerate(HISTORY.account.codes.tolist()):
        name = HISTORY.account.names[code]
        if name in churned and row % 2 and HISTORY.dated[row] < last_known[name]:
            recorded[row], values[row] = last_known[name] + 5, 0.0
    edited = replace(HISTORY, recorded=recorded, series=(replace(HISTORY.series[0], values=values),))
    plain = judge(edited, RENEWALS, replace(DAYS.settings, direction={}), "test").result.scores[0]
    found, _ = try_all([subject("metric/same"), subject("score/health")], with_panel(edited, ROWS, {"metric/same": SAME}))
    score, metric = found.of("score/health")[0], found.of("metric/same")[0]
    assert plain.verdict == score.verdict == "leaks"
    assert score.leak == plain.leak
    assert (metric.leak.possible, metric.leak.why_not) == (False, BY_CONSTRUCTION)
    assert metric.verdict == "foretells"
    assert "leak_check_impossible" not in [caution.code for caution in metric.cautions]


def test_a_score_that_never_says_when_it_was_recorded_gets_no_leak_check_though_another_does() -> None:
    never = np.arange(len(MERGED.row)) < len(HISTORY.row)
    merged = replace(MERGED, recorded=np.where(never, np.datetime64("NaT"), MERGED.dated))
    found, _ = try_all([subject("score/health"), subject("metric/same")], merged)
    assert "do not say when each was recorded" in found.of("score/health")[0].leak.why_not


def test_a_metric_without_a_direction_is_read_as_higher_is_healthier_and_says_so() -> None:
    found, _ = try_all(
        [subject("metric/turned", direction_declared=False), subject("metric/same")],
        with_panel(HISTORY, ROWS, {"metric/same": SAME, "metric/turned": -SAME}),
    )
    turned, declared = found.of("metric/turned")[0], found.of("metric/same")[0]
    assert turned.verdict == "reversed"
    cautions = [caution.code for caution in turned.cautions]
    assert "direction_not_declared" in cautions and "check_direction" not in cautions
    assert "direction_not_declared" not in [caution.code for caution in declared.cautions]


def test_a_reversed_metric_with_a_direction_is_told_where_to_declare_it() -> None:
    found, _ = try_all(
        [subject("metric/turned"), subject("metric/same")], with_panel(HISTORY, ROWS, {"metric/same": SAME, "metric/turned": -SAME})
    )
    said = [caution.text for caution in found.of("metric/turned")[0].cautions if caution.code == "check_direction"]
    assert said == ["The metric was read as higher is healthier. If lower is healthier, declare `direction` in metrics.yml."]


def test_metrics_that_say_the_same_form_a_group_and_one_is_kept(result: EvidenceResult) -> None:
    assert isinstance(result.redundancy, Redundancy)
    group = result.redundancy.groups[0]
    assert len(result.redundancy.groups) == 1
    assert set(group.keys) == {"score/health", "metric/same", "metric/falls"}
    assert group.lowest_rho == pytest.approx(1.0)
    assert [one.group for one in result.subjects] == [None, 0, 0, 0]
    rho = np.array(result.redundancy.rho, dtype=np.float64)
    held = np.isfinite(NOISE) & np.isfinite(SAME)
    at_primary = slice(DAYS.horizons.index(DAYS.primary_horizon) * len(DAYS.dues), None)
    near = stats.spearmanr(NOISE[at_primary][held[at_primary]], SAME[at_primary][held[at_primary]])
    assert rho[0, 2] == pytest.approx(float(np.asarray(near.statistic)), abs=0.02)  # all due renewals, not only those eligible
    assert rho[1, 2] == pytest.approx(1.0) and rho[2, 3] == pytest.approx(-1.0)
    assert sorted(result.redundancy.order) == sorted(one.key for one in SUBJECTS)


def test_the_one_to_keep_of_a_group_tells_most_in_training() -> None:
    """Two copies of one metric, the first with fewer values and the second with noise: the third is kept."""
    sparse, noisy = np.where(RNG.random(len(ROWS)) < 0.3, np.nan, SAME), SAME + RNG.normal(size=len(ROWS)) * 9
    history = with_panel(HISTORY, ROWS, {"metric/sparse": sparse, "metric/noisy": noisy, "metric/same": SAME})
    found, trace = try_all([subject(f"metric/{name}") for name in ("sparse", "noisy", "same")], history)
    assert isinstance(found.redundancy, Redundancy)
    (group,) = found.redundancy.groups
    assert group.representative == "metric/same"
    trial = trace.scores[2].described.trial
    train = trial.frame.parts.train & trial.scored if isinstance(trial.frame.parts, Parts) else trial.scored
    auc = roc_auc_score(trial.frame.units.churned[train], trial.risk[train])
    assert group.why == f"in training its AUC is furthest from 0.50, weighed by coverage: {auc:.2f} on 100\u00a0% of units"


def test_the_shape_is_of_the_value_as_it_is_whichever_way_is_healthier(result: EvidenceResult) -> None:
    same, falls = (result.of(key)[1].shape for key in ("metric/same", "metric/falls"))
    assert isinstance(same, Shape) and isinstance(falls, Shape)
    assert (same.kind, falls.kind) == ("falling", "rising")
    assert [one.n for one in same.bins] == pytest.approx([one.n for one in falls.bins[::-1]], abs=1)
    assert sum(one.n for one in same.bins) == same.n and sum(one.n_churned for one in same.bins) == same.n_churned
    assert same.bins[0].low == pytest.approx(np.nanmin(-np.array(falls.bins[-1].high)), abs=1e-12)
    assert same.sentence.startswith("Churn falls with the value: ")


def test_many_subjects_get_the_stability_that_few_would(result: EvidenceResult) -> None:
    more = {f"metric/n{i}": RNG.normal(size=len(ROWS)) for i in range(DETAILED_SCORES)}
    settings = replace(SETTINGS, horizons=DAYS.horizons)
    history = with_panel(HISTORY, ROWS, {**COLUMNS, **more})
    many, _ = try_subjects(history, RENEWALS, [*SUBJECTS, *(subject(key) for key in more)], settings, "test")
    assert isinstance(many.audit.scores[0].description, NoEstimate)
    for key in ("metric/noise", "score/health"):
        one, other = result.of(key)[1].stability, many.of(key)[1].stability
        assert not isinstance(one, NoEstimate) and not isinstance(other, NoEstimate)
        for rows, others in ((one.quarters, other.quarters), (one.segments, other.segments), (one.owners, other.owners)):
            assert [(row.group, row.n, row.n_churned, row.in_test) for row in rows] == [
                (row.group, row.n, row.n_churned, row.in_test) for row in others
            ]
            for row, twin in zip(rows, others, strict=True):
                assert ends(row.auc) == pytest.approx(ends(twin.auc), abs=1e-12) if isinstance(row.auc, Estimate) else row.auc == twin.auc
        assert one.note == other.note
        assert ends(one.trend_per_quarter) == pytest.approx(ends(other.trend_per_quarter), abs=1e-9)


def test_the_rows_behind_the_figures_of_a_metric_are_handed_out(tried: tuple[EvidenceResult, Trace]) -> None:
    result, trace = tried
    at = [score.name for score in result.audit.scores].index("metric/noise")
    sets = {rows.selection: rows for rows in row_sets(trace, at)}
    assert {"test", "eligible"} <= set(sets) and not {"leads", "leak"} & set(sets)
    columns = {column.name: column.values for column in sets["test"].columns}
    held = np.isfinite(columns["score"])
    auc = result.of("metric/noise")[0].primary.test.auc
    assert isinstance(auc, Estimate)
    assert auc.point == pytest.approx(roc_auc_score(columns["event"][held], -columns["score"][held]), abs=1e-12)


def test_the_same_inputs_give_the_same_result_and_the_order_of_subjects_changes_no_verdict(result: EvidenceResult) -> None:
    assert try_all(SUBJECTS)[0] == result
    turned = try_all(SUBJECTS[::-1])[0]
    for one in SUBJECTS:
        assert turned.of(one.key)[0] == result.of(one.key)[0]
        assert turned.of(one.key)[1].shape == result.of(one.key)[1].shape


def test_one_subject_has_nothing_to_be_compared_with() -> None:
    found, _ = try_all([subject("metric/same")])
    assert isinstance(found.redundancy, NoEstimate) and found.subjects[0].group is None


def test_nothing_to_judge_is_an_error_with_a_hint() -> None:
    with pytest.raises(BadInput) as raised:
        try_all([])
    assert raised.value.faults[0].code == "no_subjects"
    with pytest.raises(ValueError, match="no series for metric/unheard"):
        try_all([subject("metric/unheard")])


def test_the_reasons_for_the_days_looked_at_are_kept(result: EvidenceResult) -> None:
    design = result.audit.design
    assert (design.why, design.primary_why, design.as_of) == (DAYS.why, DAYS.primary_why, DAYS.as_of)
    assert dict(result.audit.settings)["primary_horizon"] == "by the protocol"
    assert design.as_of == date(2025, 12, 31)

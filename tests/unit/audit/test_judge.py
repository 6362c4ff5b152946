"""The audit as a whole, on a seeded company: what adds up, and what must change nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date

import numpy as np
import pytest

from tests.unit.audit import company
from tests.unit.audit.company import day, random_company
from unspun.audit.judge import judge
from unspun.audit.protocol import AuditSettings
from unspun.audit.result import AuditResult, HorizonResult, ScoreResult
from unspun.book.tables import Codes, Renewals, ScoreHistory, ScoreSeries
from unspun.errors import BadInput
from unspun.stats.estimate import Estimate, NoEstimate

SETTINGS = AuditSettings(replicates=40, as_of=date(2025, 12, 31))
YEARLY = random_company(1)
MONTHLY = random_company(2, accounts=200, term_days=61, first="2024-01-01")


def audit(scores: ScoreHistory, renewals: Renewals, settings: AuditSettings = SETTINGS) -> AuditResult:
    return judge(scores, renewals, settings, "test").result


def figures(value: object, left_out: frozenset[str] = frozenset()) -> object:
    """A result as nested tuples, its numbers rounded to nine digits, without the fields left out."""
    if is_dataclass(value) and not isinstance(value, type):
        return tuple((f.name, figures(getattr(value, f.name), left_out)) for f in fields(value) if f.name not in left_out)
    if isinstance(value, tuple):
        return tuple(figures(item, left_out) for item in value)
    return float(f"{value:.9g}") if isinstance(value, float) else value


def with_series(scores: ScoreHistory, values: Mapping[str, np.ndarray]) -> ScoreHistory:
    return replace(scores, series=tuple(ScoreSeries(name, value) for name, value in values.items()))


def value_of(scores: ScoreHistory) -> np.ndarray:
    return scores.series[0].values


def all_horizons(*results: AuditResult) -> list[HorizonResult]:
    return [horizon for result in results for score in result.scores for horizon in score.horizons]


@pytest.fixture(scope="module")
def yearly() -> AuditResult:
    return audit(*YEARLY)


@pytest.fixture(scope="module")
def monthly() -> AuditResult:
    return audit(*MONTHLY)


def test_a_company_on_yearly_terms_is_judged_by_renewals_and_a_score_made_to_foretell_churn_does(yearly: AuditResult) -> None:
    assert yearly.design.name == "renewal"
    assert yearly.scores[0].verdict == "foretells"


def test_short_terms_are_judged_by_account_months(monthly: AuditResult) -> None:
    assert monthly.design.name == "landmark"
    assert {horizon.horizon_days for horizon in monthly.scores[0].horizons} >= {30, 60, 90, 180}


def test_of_both_files_rows_read_are_rows_used_and_rows_set_aside(yearly: AuditResult, monthly: AuditResult) -> None:
    for result, (scores, renewals) in ((yearly, YEARLY), (monthly, MONTHLY)):
        assert [report.rows_read for report in result.inputs] == [len(scores.row), len(renewals.row)]
        for report in result.inputs:
            assert report.rows_read == report.rows_used + sum(entry.n for entry in report.set_aside)
    open_terms = int((YEARLY[1].outcome == -1).sum())
    assert [(entry.reason, entry.n) for entry in yearly.inputs[1].set_aside] == [("due after the as-of date (censored)", open_terms)]


def test_from_rows_used_to_units_judged_every_step_adds_up(yearly: AuditResult, monthly: AuditResult) -> None:
    for horizon in all_horizons(yearly, monthly):
        flow = [n for _, n in horizon.flow]
        assert not isinstance(horizon.split, NoEstimate)
        eligible = flow.index(horizon.n, 1)
        assert sum(flow[:eligible]) == flow[eligible]
        assert flow[eligible] + flow[eligible + 1] + flow[eligible + 2] == flow[eligible + 3] == horizon.split.n_test
        assert flow[eligible + 3] + flow[eligible + 4] == flow[eligible + 5] == horizon.test.n_scored
        assert horizon.split.n_train + horizon.split.n_left_out + horizon.split.n_test == horizon.n
        assert (horizon.test.n, horizon.test.n_churned) == (horizon.split.n_test, horizon.split.n_test_churned)


def test_the_test_holds_two_fifths_of_the_churned_or_a_little_more(yearly: AuditResult) -> None:
    for horizon in all_horizons(yearly):
        assert 0.4 <= horizon.test.n_churned / horizon.n_churned < 0.43


def test_the_renewals_used_are_as_many_as_their_outcomes(yearly: AuditResult) -> None:
    assert sum(n for _, n in yearly.design.outcomes) == yearly.design.n_renewals == yearly.inputs[1].rows_used


def test_a_missing_score_is_counted_as_missing_and_never_as_a_value() -> None:
    scores, renewals = replace(YEARLY[0], segment=None), YEARLY[1]
    gone = scores.account.codes % 4 == 0
    thinned = audit(with_series(scores, {"score": np.where(gone, np.nan, value_of(scores))}), renewals)
    dropped = audit(keep(scores, ~gone), renewals)
    for horizon, other in zip(all_horizons(thinned), all_horizons(dropped), strict=True):
        assert horizon.coverage == pytest.approx(horizon.n_scored / horizon.n)
        assert 0.7 < horizon.n_scored / horizon.n < 0.8
        assert figures(horizon) == figures(other)
        assert isinstance(horizon.auc, Estimate)
        assert horizon.auc.n == horizon.n_scored
    assert "low_coverage" in {caution.code for caution in thinned.scores[0].cautions}


def keep(scores: ScoreHistory, rows: np.ndarray) -> ScoreHistory:
    """The history with some of its rows, in their order; a mask keeps the order of the file."""

    def cut(codes: Codes | None) -> Codes | None:
        return None if codes is None else Codes(codes.codes[rows], codes.names)

    return replace(
        scores,
        source=replace(scores.source, rows_read=len(scores.row[rows])),
        row=scores.row[rows],
        account=Codes(scores.account.codes[rows], scores.account.names),
        dated=scores.dated[rows],
        recorded=None if scores.recorded is None else scores.recorded[rows],
        series=tuple(replace(one, values=one.values[rows]) for one in scores.series),
        segment=cut(scores.segment),
    )


def test_scores_dated_after_the_as_of_date_are_set_aside_and_never_used() -> None:
    scores, renewals = YEARLY
    settings = replace(SETTINGS, as_of=date(2025, 3, 31))
    late = scores.dated > np.datetime64("2025-03-31")
    assert late.any()
    wild = with_series(scores, {"score": np.where(late, -1e6 * scores.row, value_of(scores))})
    expected = audit(scores, renewals, settings)
    assert figures(audit(wild, renewals, settings)) == figures(expected)
    assert figures(audit(keep(scores, ~late), renewals, settings).scores) == figures(expected.scores)
    assert ("dated after the as-of date", int(late.sum())) in {(entry.reason, entry.n) for entry in expected.inputs[0].set_aside}


@pytest.mark.parametrize("made", [YEARLY, MONTHLY], ids=["renewals", "account-months"])
def test_a_score_recorded_after_every_unit_was_looked_at_changes_no_figure_as_known(made: tuple[ScoreHistory, Renewals]) -> None:
    scores, renewals = made
    assert scores.recorded is not None
    recorded = scores.recorded.copy()
    late = np.random.default_rng(3).random(len(recorded)) < 0.3
    recorded[late] = np.datetime64("2025-12-31")
    base = replace(scores, recorded=recorded)
    changed = with_series(base, {"score": np.where(late, value_of(base) + 30 * np.sin(base.row), value_of(base))})
    first, second = audit(base, renewals).scores[0], audit(changed, renewals).scores[0]
    as_dated = frozenset({"leak", "gaming"})  # both look at the edits themselves
    assert figures(first, as_dated) == figures(second, as_dated)
    assert figures(first.leak.auc_known) == figures(second.leak.auc_known)
    assert figures(first.leak.auc_dated) != figures(second.leak.auc_dated)


@pytest.mark.parametrize("made", [YEARLY, MONTHLY], ids=["renewals", "account-months"])
def test_no_figure_as_known_looks_past_the_last_day_a_unit_was_looked_at(made: tuple[ScoreHistory, Renewals]) -> None:
    scores, renewals = made
    last = _last_look(audit(scores, renewals))
    later = scores.dated > np.datetime64(last, "D")
    assert later.any()
    scrambled = with_series(scores, {"score": np.where(later, -value_of(scores), value_of(scores))})
    judged, other = (audit(one, renewals).scores[0].primary for one in (scores, scrambled))
    assert figures(judged) == figures(other)


def _last_look(result: AuditResult) -> int:
    """The as-of date less the primary horizon: no unit of it is looked at later."""
    return day(str(result.design.as_of)) - result.design.primary_horizon_days


LISTED = frozenset(
    {"score", "source", "alarm", "history", "churned_score", "renewed_score"}
)  # the values of the score itself, and the words that quote cuts between them


@pytest.mark.parametrize("made", [YEARLY, MONTHLY], ids=["renewals", "account-months"])
def test_a_rising_rescaling_of_a_score_changes_no_figure_of_the_audit_but_its_own_listed_values(
    made: tuple[ScoreHistory, Renewals],
) -> None:
    scores, renewals = made
    rescaled = with_series(scores, {"score": np.exp(value_of(scores) / 20) - 3})
    # Captured ARR has a field `score` that is a figure; so it is compared apart.
    first, second = audit(scores, renewals), audit(rescaled, renewals)
    on_its_own_scale = frozenset({"gaming"})  # bunching and trends of the score
    assert figures(first, LISTED | on_its_own_scale) == figures(second, LISTED | on_its_own_scale)
    for one, other in zip(all_horizons(first), all_horizons(second), strict=True):
        assert figures(one.captured_arr) == figures(other.captured_arr)


@pytest.mark.parametrize("digits", [6, 0, -1], ids=["hardly tied", "tied", "often tied"])
@pytest.mark.parametrize("made", [YEARLY, MONTHLY], ids=["renewals", "account-months"])
def test_a_score_declared_lower_is_healthier_is_its_negation_declared_higher(made: tuple[ScoreHistory, Renewals], digits: int) -> None:
    scores, renewals = made
    rounded = value_of(scores).round(digits)
    higher = audit(with_series(scores, {"score": rounded}), renewals)
    lower = audit(with_series(scores, {"score": -rounded}), renewals, replace(SETTINGS, direction={"score": "lower"}))
    settled = LISTED | {"higher_is_healthier", "settings"}
    assert figures(higher, settled) == figures(lower, settled)
    assert [score.higher_is_healthier for score in (*higher.scores, *lower.scores)] == [True, False]


def test_a_score_declared_the_wrong_way_round_is_reversed_and_its_gain_is_nought_exactly() -> None:
    score = audit(*YEARLY, replace(SETTINGS, direction={"*": "lower"})).scores[0]
    assert score.verdict == "reversed"
    gain = score.primary.test.gain
    assert isinstance(gain, Estimate)
    assert (gain.point, gain.low, gain.high, score.primary.test.gain_p) == (0, 0, 0, 1)
    assert gain.caveats


def test_the_order_of_the_rows_of_either_file_changes_no_figure(yearly: AuditResult) -> None:
    scores, renewals = YEARLY
    rng = np.random.default_rng(9)
    moved, order = keep(scores, rng.permutation(len(scores.row))), rng.permutation(len(renewals.row))
    assert renewals.amount_before is not None
    assert renewals.term_start is not None
    assert renewals.outcome_known is not None
    shuffled = replace(
        renewals,
        row=renewals.row[order],
        account=Codes(renewals.account.codes[order], renewals.account.names),
        due=renewals.due[order],
        outcome=renewals.outcome[order],
        amount_before=renewals.amount_before[order],
        term_start=renewals.term_start[order],
        outcome_known=renewals.outcome_known[order],
    )
    assert figures(audit(moved, shuffled)) == figures(yearly)


def test_the_same_inputs_and_seed_give_the_same_result_and_another_seed_moves_only_bootstrap_intervals(yearly: AuditResult) -> None:
    assert audit(*YEARLY) == yearly
    other = audit(*YEARLY, replace(SETTINGS, seed=1))
    bootstrapped = frozenset({"captured_arr", "facts", "seed"})
    assert figures(other, bootstrapped) == figures(yearly, bootstrapped)
    assert other != yearly


def noisy(good: int, noise: int, seed: int = 4) -> ScoreHistory:
    """The company's score, noisier copies of it, and scores of pure noise."""
    rng = np.random.default_rng(seed)
    scores, _ = YEARLY
    accounts = len(scores.account.names)
    value = value_of(scores)
    named = {f"good{i}": value + 8 * i * rng.normal(size=accounts)[scores.account.codes] for i in range(good)}
    return with_series(scores, {**named, **{f"noise{i}": rng.normal(size=accounts)[scores.account.codes] for i in range(noise)}})


def foretelling(result: AuditResult) -> set[str]:
    return {score.name for score in result.scores if score.verdict == "foretells"}


def test_a_score_alone_has_nothing_to_be_controlled_and_several_share_a_false_discovery_rate(yearly: AuditResult) -> None:
    assert yearly.scores[0].rejected_at_fdr is None
    several = audit(noisy(2, 3), YEARLY[1])
    assert several.n_tested == 5
    assert all(score.rejected_at_fdr is not None for score in several.scores)
    assert all(score.rejected_at_fdr for score in several.scores if score.verdict == "foretells")


def test_which_scores_are_rejected_is_benjamini_and_hochbergs_step_up_on_their_gains() -> None:
    result = audit(noisy(4, 8), YEARLY[1])
    tested = sorted((score.primary.test.gain_p, score.name) for score in result.scores if score.primary.test.gain_p is not None)
    passing = [i for i, (p, _) in enumerate(tested, start=1) if p <= 0.025 * i / len(tested)]
    expected = {name for _, name in tested[: max(passing, default=0)]}
    assert {score.name for score in result.scores if score.rejected_at_fdr} == expected
    assert expected


def test_more_scores_of_noise_never_make_another_score_foretell() -> None:
    few, many = foretelling(audit(noisy(4, 0), YEARLY[1])), foretelling(audit(noisy(4, 20), YEARLY[1]))
    assert many <= few
    assert "good0" in few


def test_scores_in_one_run_are_judged_as_each_would_be_alone_but_for_the_control() -> None:
    together = audit(noisy(2, 2), YEARLY[1])
    for i, score in enumerate(together.scores):
        alone = audit(replace(YEARLY[0], series=(noisy(2, 2).series[i],)), YEARLY[1]).scores[0]
        apart = frozenset({"verdict", "verdict_why", "sentence", "rejected_at_fdr", "needed"})
        assert figures(alone, apart) == figures(score, apart)


def test_parents_widen_intervals_where_families_churn_together() -> None:
    scores, renewals = YEARLY
    family = Codes((renewals.account.codes // 25).astype(np.int32), tuple(f"p{i}" for i in range(25)))
    alone, together = (audit(scores, one).scores[0].primary for one in (renewals, replace(renewals, parent=family)))
    assert isinstance(alone.auc, Estimate)
    assert isinstance(together.auc, Estimate)
    assert together.auc.point == alone.auc.point
    assert together.test.n_churned_clusters < alone.test.n_churned_clusters
    assert (together.auc.low, together.auc.high) != (alone.auc.low, alone.auc.high)


def test_nobody_can_tell_from_a_handful_of_churns_and_what_it_would_take_is_said() -> None:
    result = audit(*random_company(3, accounts=40))
    score = result.scores[0]
    assert score.verdict == "cannot tell"
    assert score.needed is not None
    assert score.needed.more_churned > 0


def test_risks_that_separate_the_outcomes_end_in_a_reason_not_in_an_error() -> None:
    """A score copied from the outcome itself."""
    scores, renewals = YEARLY
    gone = np.zeros(len(renewals.account.names), dtype=bool)
    gone[renewals.account.codes[renewals.outcome == 1]] = True
    result = audit(with_series(scores, {"score": np.where(gone[scores.account.codes], 0.0, 1.0)}), renewals)
    score: ScoreResult = result.scores[0]
    assert "too_good" in {caution.code for caution in score.cautions}
    assert math.isfinite(score.primary.coverage or math.nan)


def test_where_no_account_is_in_both_files_or_nothing_was_decided_all_reasons_are_given_at_once() -> None:
    scores = company.scores("account dated value\n x 2025-01-01 1")
    with pytest.raises(BadInput) as caught:
        audit(scores, company.renewals("account due outcome\n a 2025-06-01 -"))
    assert {fault.code for fault in caught.value.faults} == {"no_decided_renewals", "no_shared_accounts"}


def terms_of(lengths: list[int]) -> Renewals:
    """One renewal an account, of terms this many days long."""
    start = np.datetime64("2024-01-01")
    rows = [f"a{i} {start + i} {start + i + days} {'churned' if i % 3 else 'renewed'}" for i, days in enumerate(lengths)]
    return company.renewals("account start due outcome\n" + "\n".join(rows))


@pytest.mark.parametrize(
    ("lengths", "primary"), [([100] * 21 + [400] * 79, 90), ([100] * 20 + [400] * 80, 180), ([20] * 50, 10), ([20] * 30 + [40] * 20, 10)]
)
def test_the_primary_horizon_is_the_longest_that_fits_four_fifths_of_the_renewals_or_half_a_term(lengths: list[int], primary: int) -> None:
    history = company.scores("account dated value\n a1 2024-01-01 1")
    settings = replace(SETTINGS, design="renewal", as_of=date(2026, 1, 1))
    assert audit(history, terms_of(lengths), settings).design.primary_horizon_days == primary


def test_a_horizon_declared_primary_decides_whatever_fits() -> None:
    result = audit(*YEARLY, replace(SETTINGS, primary_horizon=45))
    assert (result.design.primary_horizon_days, result.design.primary_why) == (45, "declared")
    assert result.scores[0].primary.horizon_days == 45


def test_the_order_of_the_rows_changes_no_figure() -> None:
    plain = replace(YEARLY[1], currency=None, segment=None, owner=None, parent=None)
    scores = replace(YEARLY[0], segment=None, owner=None, parent=None)
    assert audit(*shuffled(scores, plain)) == audit(scores, plain)


def shuffled(scores: ScoreHistory, renewals: Renewals) -> tuple[ScoreHistory, Renewals]:
    """The same rows in another order, with their accounts numbered backwards."""
    rng = np.random.default_rng(3)
    s, r = rng.permutation(len(scores.row)), rng.permutation(len(renewals.row))
    names = tuple(reversed(renewals.account.names))
    given = ("row", "due", "outcome", "amount_before", "amount_after", "term_start", "notice", "outcome_known")
    moved = {name: getattr(renewals, name)[r] for name in given if getattr(renewals, name) is not None}
    moved_scores = replace(
        scores,
        row=scores.row[s],
        account=replace(scores.account, codes=scores.account.codes[s]),
        dated=scores.dated[s],
        recorded=None if scores.recorded is None else scores.recorded[s],
        series=tuple(replace(one, values=one.values[s]) for one in scores.series),
    )
    codes = (len(names) - 1 - renewals.account.codes[r]).astype(np.int32)
    return moved_scores, replace(renewals, account=Codes(codes, names), **moved)

"""Was the score edited after the outcome was known? On edits planted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.audit import company
from unspun.audit.judge import judge
from unspun.audit.protocol import AuditSettings
from unspun.audit.result import ScoreResult
from unspun.book.tables import Renewals, ScoreHistory
from unspun.stats.estimate import Estimate, NoEstimate

SETTINGS = AuditSettings(design="renewal", horizons=(30,), primary_horizon=30, replicates=0, detail="none")


def plant(
    churned: int,
    renewed: int,
    churned_edited: int,
    renewed_edited: int,
    written: float = 0.0,
    written_of_renewed: float = 0.0,
    recorded_after_days: int = 5,
) -> tuple[ScoreHistory, Renewals]:
    """One renewal an account, with an honest score of pure noise 200 days before it was due.

    The first accounts of each outcome are edited: `written` is dated 100 days before the due date, and recorded
    `recorded_after_days` after the outcome was known, which is two days before it was due.
    """
    rng = np.random.default_rng(5)
    n = churned + renewed
    gone = np.arange(n) < churned
    edited = (np.arange(n) < churned_edited) | ((np.arange(n) >= churned) & (np.arange(n) < churned + renewed_edited))
    due = np.datetime64("2025-01-01") + rng.permutation(n)
    table = {
        "account": [f"a{i}" for i in range(n)],
        "due": [str(day) for day in due],
        "outcome": ["churned" if g else "renewed" for g in gone],
        "known": [str(day - 2) for day in due],
    }
    honest = [(f"a{i}", str(due[i] - 200), str(due[i] - 200), f"{rng.normal(50, 10):.3f}") for i in range(n)]
    late = [
        (f"a{i}", str(due[i] - 100), str(due[i] - 2 + recorded_after_days), str(written if gone[i] else written_of_renewed))
        for i in np.flatnonzero(edited)
    ]
    account, dated, recorded, value = (list(cells) for cells in zip(*honest, *late, strict=True))
    return company.scores({"account": account, "dated": dated, "recorded": recorded, "value": value}), company.renewals(table)


def audited(tables: tuple[ScoreHistory, Renewals]) -> ScoreResult:
    return judge(*tables, SETTINGS, "test").result.scores[0]


def test_scores_lowered_after_the_churn_was_known_leak_and_the_audit_as_known_does_not_see_them() -> None:
    found = audited(plant(100, 200, churned_edited=60, renewed_edited=0))
    assert found.verdict == "leaks"
    assert (found.leak.churned_edited, found.leak.churned, found.leak.renewed_edited, found.leak.renewed) == (60, 100, 0, 200)
    assert isinstance(found.leak.auc_dated, Estimate)
    assert isinstance(found.leak.auc_known, Estimate)
    assert found.leak.auc_dated.low > 0.7
    assert found.leak.auc_known.low < 0.5 < found.leak.auc_known.high
    assert found.primary.auc == found.leak.auc_known


def test_an_edit_recorded_before_the_outcome_was_known_is_no_leak_though_it_came_too_late_to_be_used() -> None:
    found = audited(plant(100, 200, churned_edited=60, renewed_edited=0, recorded_after_days=0))
    assert found.leak.churned_edited == 0
    assert found.verdict != "leaks"
    assert found.primary.auc == found.leak.auc_known


@pytest.mark.parametrize(("edited", "leaks"), [(4, False), (5, True)])
def test_four_edits_are_too_few_to_call_a_leak_however_clear_the_rest(edited: int, leaks: bool) -> None:
    found = audited(plant(edited, 400, churned_edited=edited, renewed_edited=0, written=-1e3)).leak
    assert found.fisher_p is not None
    assert found.fisher_p < 0.01
    assert isinstance(found.difference, Estimate)
    assert found.difference.low > 0
    assert found.leaks == leaks


def test_edits_as_common_among_the_renewed_are_no_leak_even_where_they_flatter_the_score() -> None:
    found = audited(plant(100, 200, churned_edited=60, renewed_edited=120, written_of_renewed=100)).leak
    assert found.fisher_p is not None
    assert found.fisher_p > 0.4
    assert isinstance(found.difference, Estimate)
    assert found.difference.low > 0
    assert not found.leaks


def test_edits_that_do_not_make_the_score_look_better_are_no_leak() -> None:
    assert not audited(plant(100, 200, churned_edited=60, renewed_edited=0, written=100)).leak.leaks


def test_the_lady_tasting_tea() -> None:
    # Fisher, The Design of Experiments (1935), chapter 2: three of four cups told on each side, one-sided p = 17/70.
    assert audited(plant(4, 4, churned_edited=3, renewed_edited=1)).leak.fisher_p == pytest.approx(17 / 70)
    assert audited(plant(4, 4, churned_edited=4, renewed_edited=0)).leak.fisher_p == pytest.approx(1 / 70)


@pytest.mark.parametrize("column", ["recorded", "outcome_known"])
def test_without_both_days_the_check_is_impossible_and_says_so(column: str) -> None:
    scores, renewals = plant(100, 200, churned_edited=60, renewed_edited=0)
    scores = replace(scores, recorded=None) if column == "recorded" else scores
    renewals = replace(renewals, outcome_known=None) if column == "outcome_known" else renewals
    found = audited((scores, renewals))
    assert not found.leak.possible
    assert isinstance(found.leak.difference, NoEstimate)
    assert "leak_check_impossible" in {caution.code for caution in found.cautions}
    assert found.verdict != "leaks"


def test_a_row_that_does_not_say_when_it_was_recorded_counts_as_recorded_on_its_date() -> None:
    scores, renewals = plant(100, 200, churned_edited=60, renewed_edited=0)
    assert scores.recorded is not None
    unsaid = scores.recorded.copy()
    unsaid[1:] = np.datetime64("NaT")
    found = audited((replace(scores, recorded=unsaid), renewals))
    assert found.leak.possible
    assert found.leak.churned_edited == 0

"""Concordance and DeLong standard errors against printed results.

Sources: Hanley and McNeil, Radiology 143 (1982) 29-36, table I (ratings of 109 CT images), with the DeLong standard
error and interval that the Stata reference manual prints for it ([R] roctab). DeLong, DeLong and Clarke-Pearson,
Biometrics 44 (1988) 837-845 (ovarian cancer), in the data and results of the SAS/STAT user's guide, PROC LOGISTIC,
"Comparing Receiver Operating Characteristic Curves".
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from unspun.stats.concordance import auc_interval, concordance, count_clusters, influence, paired_difference
from unspun.stats.estimate import Estimate

# Images rated 1 (definitely normal) to 5 (definitely abnormal).
NORMAL, ABNORMAL = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)
RATING = np.repeat([1.0, 2, 3, 4, 5] * 2, NORMAL + ABNORMAL)
DISEASED = np.repeat([False, True], [sum(NORMAL), sum(ABNORMAL)])

# Albumin, total protein, K-G score, and whether surgery helped; 43 women with all three tests.
PATIENTS = """
    3.0 5.8 10 0  3.2 6.3  5 1  3.9 6.8  3 1  2.8 4.8  6 0  3.2 5.8  3 1  0.9 4.0  5 0  2.5 5.7  8 0  1.6 5.6  5 1
    3.8 5.7  5 1  3.7 6.7  6 1  3.2 5.4  4 1  3.8 6.6  6 1  4.1 6.6  5 1  3.6 5.7  5 1  4.3 7.0  4 1  3.6 6.7  4 0
    2.3 4.4  6 1  4.2 7.6  4 0  4.0 6.6  6 0  3.5 5.8  6 1  3.8 6.8  7 1  3.0 4.7  8 0  4.5 7.4  5 1  3.7 7.4  5 1
    3.1 6.6  6 1  4.1 8.2  6 1  4.3 7.0  5 1  4.3 6.5  4 1  3.2 5.1  5 1  2.6 4.7  6 1  3.3 6.8  6 0  1.7 4.0  7 0
    3.7 6.1  5 1  3.3 6.3  7 1  4.2 7.7  6 1  3.5 6.2  5 1  2.9 5.7  9 0  2.1 4.8  7 1  2.8 6.2  8 0  4.0 7.0  7 1
    3.3 5.7  6 1  3.7 6.9  5 1  3.6 6.6  5 1
"""
OVARIAN = np.array(PATIENTS.split(), dtype=np.float64).reshape(-1, 4)
HELPED = OVARIAN[:, 3] == 1
TESTS = {"albumin": OVARIAN[:, 0], "total protein": OVARIAN[:, 1], "K-G": -OVARIAN[:, 2]}


def textbook_error(values: np.ndarray, event: np.ndarray) -> float:
    """DeLong's standard error from influence values: they divide by (m - 1) and (n - 1) where we have G/(G - 1)."""
    m, n = int(event.sum()), int((~event).sum())
    return math.sqrt(m / (m - 1) * (values[event] ** 2).sum() + n / (n - 1) * (values[~event] ** 2).sum())


def test_the_ct_ratings_of_hanley_and_mcneil_have_an_area_of_893() -> None:
    assert concordance(RATING, DISEASED) == pytest.approx(0.8932, abs=5e-5)
    assert round(concordance(RATING, DISEASED), 3) == 0.893


def test_the_ct_ratings_have_the_delong_error_and_interval_that_stata_prints() -> None:
    part = influence(RATING, DISEASED)
    error = textbook_error(part.values, DISEASED)
    assert error == pytest.approx(0.0307, abs=5e-5)
    z = stats.norm.ppf(0.975)
    assert (part.auc - z * error, part.auc + z * error) == pytest.approx((0.83295, 0.95339), abs=5e-6)


def test_the_house_interval_of_the_ct_ratings_is_the_published_one_on_the_logit_scale() -> None:
    found = auc_interval(RATING, DISEASED, np.arange(len(RATING)))
    assert isinstance(found, Estimate)
    # logit interval with the published error .0307 and t with 50 degrees of freedom, worked out by hand
    assert (found.low, found.high) == pytest.approx((0.8142, 0.9411), abs=5e-4)


@pytest.mark.parametrize(
    ("test", "auc", "error"), [("K-G", 0.7258, 0.1028), ("total protein", 0.6478, 0.1000), ("albumin", 0.7366, 0.0927)]
)
def test_the_three_tests_for_ovarian_cancer_have_their_published_areas_and_errors(test: str, auc: float, error: float) -> None:
    part = influence(TESTS[test], HELPED)
    assert part.auc == pytest.approx(auc, abs=5e-5)
    assert textbook_error(part.values, HELPED) == pytest.approx(error, abs=5e-5)


@pytest.mark.parametrize(
    ("test", "difference", "error", "chi_square"), [("total protein", -0.0780, 0.1046, 0.5555), ("albumin", 0.0108, 0.0953, 0.0127)]
)
def test_paired_differences_from_the_k_g_score_have_their_published_errors(
    test: str, difference: float, error: float, chi_square: float
) -> None:
    first, second = influence(TESTS[test], HELPED), influence(TESTS["K-G"], HELPED)
    found = textbook_error(first.values - second.values, HELPED)
    assert first.auc - second.auc == pytest.approx(difference, abs=5e-5)
    assert found == pytest.approx(error, abs=5e-5)
    assert ((first.auc - second.auc) / found) ** 2 == pytest.approx(chi_square, abs=2e-4)


def test_the_house_interval_of_a_paired_difference_is_within_a_twentieth_of_the_published_one() -> None:
    # SAS prints -0.2830 to 0.1271 (normal). Ours is t with 30 degrees of freedom and G/(G - 1): wider, about the same point.
    cluster = np.arange(len(HELPED))
    first, second = influence(TESTS["total protein"], HELPED), influence(TESTS["K-G"], HELPED)
    found, p = paired_difference(first, second, count_clusters(HELPED, cluster), cluster)
    assert (found.low, found.high) == pytest.approx((-0.2830, 0.1271), abs=0.02)
    assert p == pytest.approx(1 - 0.4561 / 2, abs=0.01)

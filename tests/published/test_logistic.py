"""Logistic regression against printed coefficients.

Sources: Agresti, Categorical Data Analysis, 2nd edition (2002), exercise 5.4 (table 5.10): thermal distress of the
O-rings in the 23 space shuttle flights before Challenger; Dalal, Fowlkes and Hoadley, JASA 84 (1989) 945-957, print the same fit.
"""

from __future__ import annotations

import numpy as np
import pytest

from unspun.stats.logistic import fit_logistic

FAHRENHEIT = np.array([66, 70, 69, 68, 67, 72, 73, 70, 57, 63, 70, 78, 67, 53, 67, 75, 70, 81, 76, 79, 75, 76, 58], dtype=np.float64)
DISTRESS = np.array([0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1]) == 1


def test_the_o_rings_of_the_space_shuttle_have_their_published_coefficients_and_errors() -> None:
    fit = fit_logistic(np.column_stack([np.ones(23), FAHRENHEIT]), DISTRESS, np.zeros(2))
    assert fit.converged
    assert fit.coefficients == pytest.approx([15.043, -0.232], abs=5e-4)
    assert np.sqrt(np.diag(fit.inverse_hessian)) == pytest.approx([7.379, 0.108], abs=5e-4)


def test_at_31_degrees_as_on_the_day_of_challenger_distress_was_all_but_certain() -> None:
    fit = fit_logistic(np.column_stack([np.ones(23), FAHRENHEIT]), DISTRESS, np.zeros(2))
    assert 1 / (1 + np.exp(-(fit.coefficients @ [1, 31]))) == pytest.approx(0.9996, abs=5e-5)

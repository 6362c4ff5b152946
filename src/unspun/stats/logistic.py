"""Logistic regression by Newton's method: ridge-penalised for prediction, plain with a clustered sandwich for inference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, special

Floats = NDArray[np.float64]
MAX_STEPS = 100
TOLERANCE = 1e-14  # of the objective, relative
LAST_STEP = 1e-12  # squared length in standard errors


@dataclass(frozen=True, slots=True)
class LogisticFit:
    """Coefficients (intercept first) and the inverse Hessian at them."""

    coefficients: Floats
    inverse_hessian: Floats
    converged: bool


def fit_logistic(
    design: Floats, event: NDArray[np.bool_], penalty: Floats, offset: Floats | None = None, start: Floats | None = None
) -> LogisticFit:
    """Minimise the negative log likelihood plus half `penalty * coefficient**2`.

    `design` has shape (n, p) with the intercept's column of ones first; `penalty` has shape (p,), zero where a
    coefficient is free. Steps are halved while the objective rises. A finite optimum exists where every column but the
    intercept's is penalised or the classes overlap; where none exists the coefficients grow until the objective stops
    falling, which the caller must rule out.
    """
    y = event.astype(np.float64)
    columns = np.ascontiguousarray(design.T)  # the work is by column, over all rows
    shift = np.zeros(len(y)) if offset is None else offset
    coefficients = _at_base_rate(y, len(columns)) if start is None else start.copy()
    value, converged = _objective(coefficients @ columns + shift, y, penalty, coefficients), False
    hessian = np.eye(len(columns))
    for _ in range(MAX_STEPS):
        gradient, hessian = _derivatives(columns, y, penalty, shift, coefficients)
        try:
            step = linalg.solve(hessian, gradient, assume_a="pos")
        except linalg.LinAlgError:
            break
        if gradient @ step <= LAST_STEP:  # what it gains is lost in the objective's rounding
            coefficients, converged = coefficients - step, True
            break
        coefficients, lower = _descend(columns, y, penalty, shift, coefficients, step, value)
        converged = value - lower <= TOLERANCE * (1 + abs(value))
        value = lower
        if converged:
            break
    return LogisticFit(coefficients, np.asarray(linalg.pinvh(hessian), dtype=np.float64), converged)


def cluster_sandwich(fit: LogisticFit, design: Floats, residual: Floats, cluster: NDArray[np.int64]) -> Floats:
    """Clustered covariance of the coefficients: H^-1 (sum of cluster score outer products, G/(G - 1)) H^-1. Shape (p, p)."""
    groups = int(cluster.max()) + 1
    scores = np.column_stack([np.bincount(cluster, weights=design[:, j] * residual, minlength=groups) for j in range(design.shape[1])])
    present = int((np.bincount(cluster) > 0).sum())
    meat = scores.T @ scores * (present / max(present - 1, 1))
    return fit.inverse_hessian @ meat @ fit.inverse_hessian


def _at_base_rate(y: Floats, columns: int) -> Floats:
    """A first guess that saves a step or two: every row has the same risk."""
    share = (y.sum() + 0.5) / (len(y) + 1)
    return np.append(special.logit(share), np.zeros(columns - 1))


def _objective(linear: Floats, y: Floats, penalty: Floats, coefficients: Floats) -> float:
    softplus = np.log1p(np.exp(-np.abs(linear))).sum() + np.maximum(linear, 0.0).sum()  # as logaddexp, but faster
    return float(softplus - y @ linear + 0.5 * penalty @ coefficients**2)


def _derivatives(columns: Floats, y: Floats, penalty: Floats, shift: Floats, coefficients: Floats) -> tuple[Floats, Floats]:
    probability = special.expit(coefficients @ columns + shift)
    gradient = columns @ (probability - y) + penalty * coefficients
    weight = probability * (1 - probability)
    return gradient, (columns * weight) @ columns.T + np.diag(penalty)


def _descend(
    columns: Floats, y: Floats, penalty: Floats, shift: Floats, coefficients: Floats, step: Floats, value: float
) -> tuple[Floats, float]:
    """Take the Newton step, halved until the objective does not rise; stay where no step lowers it."""
    scale = 1.0
    for _ in range(30):
        moved = coefficients - scale * step
        lower = _objective(moved @ columns + shift, y, penalty, moved)
        if lower <= value:
            return moved, lower
        scale /= 2
    return coefficients, value

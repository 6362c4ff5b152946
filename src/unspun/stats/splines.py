"""Additive terms as tables: a value becomes a step of a fine grid, and a table says what each step adds to the design.

Rows are kept as small codes and never as a dense design, so that a fit costs memory for the codes alone.

Sources: Eilers and Marx, Statistical Science 11 (1996) 89-121 (P-splines); Marra and Wood, Computational Statistics & Data Analysis 55
(2011) 2372-2387 (the straight part penalised apart from the rest); Li and Wood, Statistics and Computing 30 (2020) 19-25 (gridded values).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import interpolate

Floats = NDArray[np.float64]
Codes = NDArray[np.integer]

STEPS = 160  # of the grid: a step is well under a hundredth of the range
BASES = 10  # cubic B-splines over the range
TAIL_SHARE = 0.005  # values further out than this share of rows count as the value there


@dataclass(frozen=True, slots=True)
class Scale:
    """A grid over the values of a number: even steps of asinh((x - centre) / spread), which is a line near the centre and a log far out.

    A value beyond `low` or `high` (both on the scale) counts as the one there.
    """

    centre: float
    spread: float
    low: float
    high: float
    steps: int

    def place(self, values: Floats) -> Codes:
        """The step of each value, from 0 to steps - 1. NaN has step 0, and the caller tells it apart."""
        scaled = np.clip(np.arcsinh((values - self.centre) / self.spread), self.low, self.high)
        share = (scaled - self.low) / (self.high - self.low)
        return np.rint(np.where(np.isnan(share), 0.0, share) * (self.steps - 1)).astype(np.int16)

    def values(self) -> Floats:
        """The value at the middle of each step, shape (steps,)."""
        return self.centre + self.spread * np.sinh(np.linspace(self.low, self.high, self.steps))


def choose_scale(values: Floats) -> Scale | None:
    """A scale for the values that are not NaN; None where they do not vary.

    Numbers are rounded to nine digits, so that the same rows give the same scale wherever they are read.
    """
    held = values[np.isfinite(values)]
    if not len(held) or held.min() == held.max():
        return None
    low, first, centre, third, high = (float(f"{each:.9g}") for each in np.quantile(held, [TAIL_SHARE, 0.25, 0.5, 0.75, 1 - TAIL_SHARE]))
    if low == high:  # nearly all rows have one value: the others are told apart from it
        low, high = float(held.min()), float(held.max())
    spread = (third - first) / 1.349 if third > first else (high - low) / 4
    first, last = (float(f"{math.asinh((end - centre) / spread):.9g}") for end in (low, high))
    two = len(np.unique(held[:1000])) <= 2 and len(np.unique(held)) == 2
    return Scale(centre, float(f"{spread:.9g}"), first, last, 2 if two else STEPS)


def line_table(scale: Scale, counts: Floats) -> Floats:
    """The straight part: one column, of mean 0 and variance 1 over rows. `counts` are rows by step; shape (steps, 1)."""
    line = np.linspace(scale.low, scale.high, scale.steps)
    mean = counts @ line / counts.sum()
    spread = math.sqrt(counts @ (line - mean) ** 2 / counts.sum())
    return ((line - mean) / (spread if spread > 0 else 1.0))[:, None]


def curve_table(scale: Scale, counts: Floats) -> Floats:
    """What bends: cubic P-splines without their constant and straight part, so that the penalty is the sum of squares.

    Columns are orthogonal to both over rows, and scaled alike so that together they have variance 1 there. Shape (steps, BASES - 2).
    """
    inner = np.linspace(0.0, 1.0, BASES - 2)
    knots = np.concatenate([inner[0] + (inner[1] - inner[0]) * np.arange(-3, 0), inner, 1 + (inner[1] - inner[0]) * np.arange(1, 4)])
    basis = interpolate.BSpline.design_matrix(np.linspace(0.0, 1.0, scale.steps), knots, 3).toarray()
    differences = np.diff(np.eye(BASES), n=2, axis=0)
    bent = basis @ np.linalg.pinv(differences)  # the coefficients are the second differences themselves
    straight = np.column_stack([np.ones(scale.steps), np.linspace(-1.0, 1.0, scale.steps)])
    weighted = straight * counts[:, None]
    bent -= straight @ np.linalg.lstsq(weighted.T @ straight, weighted.T @ bent, rcond=None)[0]
    total = float((counts @ bent**2).sum() / counts.sum())
    return bent / math.sqrt(total) if total > 0 else bent


def level_table(levels: int) -> Floats:
    """One column a level of a category, shape (levels, levels)."""
    return np.eye(levels)


def centred(table: Floats, counts: Floats) -> Floats:
    """A table less the mean of its rows over the rows of data, so that a typical row adds nothing."""
    return table - counts @ table / counts.sum()

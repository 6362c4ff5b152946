"""The level of a hazard by period, given what the terms add: who was at risk of which cause when, and the intercepts that fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from unspun.risk.outcomes import CAUSES
from unspun.risk.rows import PERIODS, KnownRows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
PRIOR_EVENTS = 0.5  # of a period's intercept, at the rate of all periods together
MOST_STEPS = 30  # of Newton's method


def at_risk(known: KnownRows) -> list[Bools]:
    """For each of CAUSES, the periods (n, PERIODS) in which a row could have it, those before it in the order having been ruled out."""
    period = np.arange(PERIODS)
    risk = (period >= known.entry[:, None]) & (period <= known.exit[:, None])
    at_exit = period == known.exit[:, None]
    found: list[Bools] = []
    for cause in CAUSES:
        found.append(risk)
        risk = risk & ~(at_exit & (known.outcome == cause)[:, None])
    return found


def entry_shift(known: KnownRows) -> Floats:
    """log(share of the period left) in the entry period, 0 in the others; shape (n, PERIODS)."""
    return np.where(np.arange(PERIODS) == known.entry[:, None], np.log(known.share_left)[:, None], 0.0)


def fit_intercepts(risk: Bools, event: Bools, exit: Ints, shift: Floats, weight: Floats) -> Floats:
    """The intercept of each period by Newton's method, with PRIOR_EVENTS at the rate of all periods; shape (PERIODS,).

    `risk` and `shift` (what else the log odds hold) have shape (n, PERIODS); the event falls in the exit period.
    """
    seen = risk * weight[:, None]
    events = np.bincount(exit[event], weights=weight[event], minlength=PERIODS)
    rate = (events.sum() + PRIOR_EVENTS) / (seen.sum() + 2 * PRIOR_EVENTS)
    prior = PRIOR_EVENTS / rate
    found = np.full(PERIODS, float(special.logit(rate)))
    for _ in range(MOST_STEPS):
        probability, own = special.expit(found + shift), special.expit(found)
        gradient = events + PRIOR_EVENTS - (probability * seen).sum(axis=0) - prior * own
        curvature = (probability * (1 - probability) * seen).sum(axis=0) + prior * own * (1 - own)
        step = np.clip(gradient / np.maximum(curvature, 1e-12), -2.0, 2.0)
        found = found + step
        if np.abs(step).max() < 1e-9:
            break
    return found

"""ARR due and expected to be lost within so many days, with the interval of the expectation."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from unspun.risk.candidates import RiskModel
from unspun.risk.result import DUE_WITHIN_DAYS, DueTotal, RenewalRisk
from unspun.risk.rows import CHURN, RiskRows
from unspun.stats.estimate import LEVEL, Estimate, MaybeEstimate, NoEstimate

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
MOST_DRAWS, FEWEST_DRAWS, DRAWN_CELLS = 200, 20, 1_000_000
AT_ONCE = 2048  # renewals
METHOD = "sum of ARR times the probability of churn; {} draws of the model, log scale, t; of the expectation, what happens varies more"


def due_totals(renewals: Sequence[RenewalRisk], rows: RiskRows, model: RiskModel | None, seed: int) -> tuple[DueTotal, ...]:
    """One for each currency and span of DUE_WITHIN_DAYS. `rows` run parallel to `renewals`."""
    currencies = sorted({one.currency for one in renewals}, key=lambda name: name or "")
    groups = [(days, currency) for currency in currencies for days in DUE_WITHIN_DAYS]
    inside = [np.array([one.currency == currency and one.lead_days <= days for one in renewals], dtype=bool) for days, currency in groups]
    stated = np.array([isinstance(one.expected_lost, Estimate) for one in renewals], dtype=bool)
    weights = [np.where(mask & stated, np.nan_to_num(rows.arr), 0.0) for mask in inside]
    drawn = _drawn_sums(rows, np.array(weights), model, seed) if model is not None and stated.any() else None
    return tuple(
        _total(days, currency, [one for one, held in zip(renewals, mask, strict=True) if held], None if drawn is None else drawn[at])
        for at, ((days, currency), mask) in enumerate(zip(groups, inside, strict=True))
    )


def draw_count(renewals: int) -> int:
    """How many draws of the model a sum over so many renewals rests on."""
    return int(np.clip(DRAWN_CELLS // max(renewals, 1), FEWEST_DRAWS, MOST_DRAWS))


def drawn_churn(renewals: Sequence[RenewalRisk], rows: RiskRows, model: RiskModel, seed: int) -> tuple[NDArray[np.int64], Floats]:
    """The renewals with a stated loss (their places), and P(churn) of each under draws of the model, shape (places, draws).

    The draws are those that the intervals of `due_totals` rest on: a sum over the same renewals has the same interval. `rows` run parallel
    to `renewals`.
    """
    stated = np.array([isinstance(one.expected_lost, Estimate) for one in renewals], dtype=bool)
    counted = stated & (np.nan_to_num(rows.arr) != 0) & (rows.due - rows.as_of <= max(DUE_WITHIN_DAYS))
    count, places = draw_count(int(counted.sum())), np.flatnonzero(stated)
    parts = (places[first : first + AT_ONCE] for first in range(0, len(places), AT_ONCE))
    drawn = [model.draws(rows.take(part), count, np.random.default_rng(seed))[:, :, CHURN].T for part in parts]
    return places, np.concatenate(drawn) if drawn else np.zeros((0, count))


def _drawn_sums(rows: RiskRows, weights: Floats, model: RiskModel, seed: int) -> Floats:
    """Expected losses of each group under draws of the model, shape (groups, draws)."""
    used = np.flatnonzero(weights.any(axis=0))
    count = draw_count(len(used))
    found = np.zeros((len(weights), count))
    for first in range(0, len(used), AT_ONCE):
        part = used[first : first + AT_ONCE]
        rng = np.random.default_rng(seed)  # the same draws for every part
        found += weights[:, part] @ model.draws(rows.take(part), count, rng)[:, :, CHURN].T
    return found


def _total(days: int, currency: str | None, renewals: list[RenewalRisk], drawn: Floats | None) -> DueTotal:
    untold = [one for one in renewals if one.cannot_tell and one.status != "notice given"]
    notices = [one for one in renewals if one.status == "notice given"]
    return DueTotal(
        within_days=days,
        currency=currency,
        n=len(renewals),
        n_without_arr=sum(one.arr is None for one in renewals),
        arr=_sum(renewals),
        expected_lost=_expected([one.expected_lost for one in renewals], drawn),
        n_cannot_tell=len(untold),
        arr_cannot_tell=_sum(untold),
        n_notice=len(notices),
        arr_notice=_sum(notices),
    )


def _sum(renewals: Sequence[RenewalRisk]) -> float:
    return math.fsum(one.arr for one in renewals if one.arr is not None)


def _expected(lost: Sequence[MaybeEstimate], drawn: Floats | None) -> MaybeEstimate:
    return expected_sum([one.point for one in lost if isinstance(one, Estimate)], drawn)


def expected_sum(told: Sequence[float], drawn: Floats | None) -> MaybeEstimate:
    """The sum of expected losses with its interval. `drawn` are the sums of the same renewals under draws of the model, shape (draws,)."""
    if not told or drawn is None:
        return NoEstimate("no renewal among them has both ARR and a probability")
    point = math.fsum(told)
    half = float(special.stdtrit(len(drawn) - 1, 0.5 + LEVEL / 2)) * float(drawn.std(ddof=1)) / point if point > 0 else 0.0
    return Estimate(point, point * math.exp(-half), point * math.exp(half), METHOD.format(len(drawn)), len(told))

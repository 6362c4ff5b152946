"""A company for timing evidence: annual renewals, and metrics computed on the day each renewal is looked at, all as arrays.

Accounts renew once a year for up to three years. Metrics come in families of four that share a signal, so that some say the same thing;
every fourth family is noise. A third of the metrics have every value, a third begin on the day tracking began, and a third lack a tenth of
their values, each its own. Some are counts with many zeros.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from unspun.audit.evidence_result import Subject
from unspun.book.tables import CHURNED, RENEWED, Codes, Renewals, ScoreHistory, ScoreSeries, Source

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SEED = 20261123
HORIZON_DAYS, TERM_DAYS, YEARS = 180, 365, 3
START = int(np.datetime64("2021-01-01").astype(np.int64))
TERMS_PER_ACCOUNT = 2.4  # fewer than expected: the surplus is cut off
SEGMENTS = ("enterprise", "middle", "small", "self-serve")
TRACKED_FROM = 0.25  # quantile of the days looked at before which a third of the metrics has no value
LACKING = 0.1


@dataclass(frozen=True, slots=True)
class Company:
    """The renewals in order of due date, the metrics on the day each is looked at (a row each, in that order), and the same as a history.

    The history holds the segment as rows of the account's first day, without a series, and behind them the metrics' rows.
    """

    renewals: Renewals
    segment: Ints  # of each renewal
    metrics: dict[str, Floats]
    history: ScoreHistory
    subjects: tuple[Subject, ...]


def make_company(renewals: int, metrics: int, seed: int = SEED) -> Company:
    """So many renewals and metrics. Raises ValueError where chance left too few renewals."""
    rng = np.random.default_rng(seed)
    n = round(renewals / TERMS_PER_ACCOUNT)
    segment, risk = rng.choice(len(SEGMENTS), n, p=(0.1, 0.3, 0.4, 0.2)), rng.standard_normal(n)
    log_arr = rng.normal(9.5 - 0.7 * segment, 0.8)
    churn = special.expit(0.6 * risk + 0.3 * (segment - 1) - 0.2 * (log_arr - 9) - 2.2)
    churned = rng.random((n, YEARS)) < churn[:, None]
    account, year = np.nonzero(np.cumsum(churned, axis=1) - churned == 0)
    account, year = account[:renewals], year[:renewals]
    if len(account) < renewals:
        raise ValueError(f"{len(account):,} renewals were made, not {renewals:,}")
    first = START + rng.integers(0, TERM_DAYS, n)
    due = first[account] + TERM_DAYS * (year + 1)
    order = np.argsort(due, kind="stable")
    account, year, due = account[order], year[order], due[order]
    made = _metrics(rng, risk[account], due, metrics)
    names = tuple(f"A{i:07}" for i in range(n))
    table = _renewals(names, account, due, churned[account, year], np.exp(log_arr[account] + 0.05 * year).round(2))
    subjects = tuple(Subject(key, "metric", key) for key in made)
    return Company(table, segment[account], made, _history(names, first, segment, account, due, made), subjects)


def _metrics(rng: np.random.Generator, risk: Floats, due: Ints, count: int) -> dict[str, Floats]:
    looked_at = due - HORIZON_DAYS
    untracked = looked_at < np.quantile(looked_at, TRACKED_FROM)
    found: dict[str, Floats] = {}
    shared = np.zeros(len(risk))
    for i in range(count):
        family, place = divmod(i, 4)
        if place == 0:
            shared = 0.5 * (family % 4) / 3 * risk + rng.standard_normal(len(risk))
        value = 50 - 10 * (shared + (0.3 + 0.5 * (place > 1)) * rng.standard_normal(len(risk)))
        value = np.maximum(np.floor(value - 50), 0) if place == 3 else value.round(1)
        lacking = (np.zeros(len(risk), dtype=bool), untracked, rng.random(len(risk)) < LACKING)[i % 3]
        found[f"metric/m{i + 1:03}"] = np.where(lacking, np.nan, value)
    return found


def _renewals(names: tuple[str, ...], account: Ints, due: Ints, churned: NDArray[np.bool_], arr: Floats) -> Renewals:
    n = len(account)
    return Renewals(
        source=Source("renewals", "renewals", "0" * 64, "made", n, {}, (), ()),
        row=np.arange(2, n + 2),
        account=Codes(account.astype(np.int32), names),
        due=due.astype("datetime64[D]"),
        outcome=np.where(churned, CHURNED, RENEWED).astype(np.int8),
        amount_before=arr,
        term_start=(due - TERM_DAYS).astype("datetime64[D]"),
        outcome_known=due.astype("datetime64[D]"),
    )


def _history(names: tuple[str, ...], first: Ints, segment: Ints, account: Ints, due: Ints, metrics: dict[str, Floats]) -> ScoreHistory:
    n, more = len(names), len(account)
    rows = np.arange(n, n + more)
    return ScoreHistory(
        source=Source("scores", "metrics", "0" * 64, "made", n + more, {}, (), ()),
        row=np.arange(2, n + more + 2),
        account=Codes(np.concatenate([np.arange(n), account]).astype(np.int32), names),
        dated=np.concatenate([first, due - HORIZON_DAYS]).astype("datetime64[D]").astype("datetime64[us]"),
        series=tuple(ScoreSeries(key, values, rows, exact=True) for key, values in metrics.items()),
        segment=Codes(np.concatenate([segment, np.full(more, -1)]).astype(np.int32), SEGMENTS),
    )

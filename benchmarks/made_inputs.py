"""Inputs for timing: a company of a wanted size as the files that the audit reads, made from a seed.

Accounts renew once a year for up to three years and are scored at even steps while they are customers, from their first
day on. Every account has a score and a segment and every renewal an outcome and amounts, so that by-hand code needs no
rules for what is missing and its figures can be held against the audit's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy import special

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SEED = 20261122
TERM_DAYS, YEARS = 365, 3
START = int(np.datetime64("2021-01-01").astype(np.int64))
TERMS_PER_ACCOUNT = 2.4  # fewer than expected: the surplus is cut off
SEGMENTS = ("enterprise", "middle", "small", "self-serve")
OUTCOMES = ("renewed", "churned", "contracted", "expanded")
CSV_OPTIONS = pa_csv.WriteOptions(quoting_style="none")


@dataclass(frozen=True, slots=True)
class Size:
    """How much is made: rows of scores, rows of renewals, and score columns."""

    score_rows: int
    renewals: int
    scores: int = 1


@dataclass(frozen=True, slots=True)
class _Accounts:
    name: NDArray[np.str_]
    start: Ints
    left: Ints  # the day of the last renewal on file
    risk: Floats


def make_inputs(size: Size, folder: Path, seed: int = SEED) -> None:
    """Write renewals.csv with scores.csv (one score) or scores.parquet (several) to a new folder."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    accounts, renewals = _renewals(rng, size.renewals)
    pa_csv.write_csv(renewals, folder / "renewals.csv", CSV_OPTIONS)
    scores = _scores(rng, accounts, size)
    if size.scores == 1:
        pa_csv.write_csv(scores, folder / "scores.csv", CSV_OPTIONS)
    else:
        stamped = scores.set_column(1, "date", scores["date"].cast(pa.timestamp("us")))  # as data frames keep days
        pq.write_table(stamped, folder / "scores.parquet")


def _renewals(rng: np.random.Generator, wanted: int) -> tuple[_Accounts, pa.Table]:
    n = round(wanted / TERMS_PER_ACCOUNT)
    risk, segment = rng.standard_normal(n), rng.choice(len(SEGMENTS), n, p=(0.1, 0.3, 0.4, 0.2))
    log_arr = rng.normal(9.5 - 0.7 * segment, 0.8)
    outcome = _outcomes(rng, 0.6 * risk + 0.3 * (segment - 1) - 0.2 * (log_arr - 9))
    before_churn = np.cumsum(outcome == 1, axis=1) - (outcome == 1) == 0
    account, year = np.nonzero(before_churn)  # in order of account
    account, year = account[:wanted], year[:wanted]
    if len(account) < wanted:
        raise ValueError(f"{len(account):,} renewals were made, not {wanted:,}")
    start = START + rng.integers(0, TERM_DAYS, n)
    term_start = start[account] + TERM_DAYS * year
    arr = np.exp(log_arr[account] + 0.05 * year)
    change = np.array([1.03, 0.0, 0.8, 1.25])[outcome[account, year]]
    name = np.char.add("ACC-", np.char.zfill(np.arange(n).astype(str), 8))
    order = np.argsort(term_start, kind="stable")  # as an export has them: by date
    columns = {
        "account": name[account],
        "term_start": _days(term_start),
        "due_date": _days(term_start + TERM_DAYS),
        "outcome": np.array(OUTCOMES)[outcome[account, year]],
        "arr_before": arr.round(2),
        "arr_after": (arr * change).round(2),
        "segment": np.array(SEGMENTS)[segment[account]],
    }
    left = np.zeros(n, dtype=np.int64)
    np.maximum.at(left, account, term_start + TERM_DAYS)
    here = left > 0
    return _Accounts(name[here], start[here], left[here], risk[here]), pa.table({key: column[order] for key, column in columns.items()})


def _outcomes(rng: np.random.Generator, log_odds: Floats) -> Ints:
    """Shape (accounts, years), indexes into OUTCOMES."""
    shape = len(log_odds), YEARS
    churned = rng.random(shape) < special.expit(log_odds - 2.2)[:, None]
    return np.where(churned, 1, rng.choice((0, 2, 3), shape, p=(0.7, 0.1, 0.2)))


def _scores(rng: np.random.Generator, accounts: _Accounts, size: Size) -> pa.Table:
    """Every account on its first day, the other rows at even steps; surplus rows are dropped at random."""
    active = accounts.left - accounts.start
    step = active.sum() / size.score_rows
    count = np.ceil(active / step).astype(np.int64)
    owner = np.repeat(np.arange(len(count)), count)
    position = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    surplus = rng.choice(np.flatnonzero(position), len(owner) - size.score_rows, replace=False)
    kept = np.delete(np.arange(len(owner)), surplus)
    owner, day = owner[kept], (accounts.start[owner] + np.floor(position * step).astype(np.int64))[kept]
    order = np.argsort(day, kind="stable")
    owner, day = owner[order], day[order]
    columns: dict[str, NDArray[np.generic]] = {"account": accounts.name[owner], "date": _days(day)}
    for i in range(size.scores):
        share = 0.5 * ((i + 2) % 4) / 3  # every fourth score of a file is noise
        column = f"score_{i + 1:03}" if size.scores > 1 else "score"
        columns[column] = np.clip(60 - 15 * (share * accounts.risk[owner] + rng.standard_normal(len(owner))), 0, 100).round(1)
    return pa.table(columns)


def _days(days: Ints) -> NDArray[np.datetime64]:
    return days.astype("datetime64[D]")

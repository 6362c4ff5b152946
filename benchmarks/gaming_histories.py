"""Made score histories whose truth is known: honest ones of many kinds, and the same with gaming of a stated strength planted.

Values are autocorrelated within accounts and shared in part by the accounts of an owner, who works in batches; honest people edit
in both directions, some of them mostly at month ends or before reviews.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import signal, special

from unspun.audit.frame import ScoreIndex
from unspun.audit.gaming.entries import Entries, collect
from unspun.audit.gaming.period_end import ends_period
from unspun.audit.units import Units
from unspun.book.tables import Codes, ScoreHistory, ScoreSeries, Source

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
FIRST_DAY = int(np.datetime64("2023-01-01", "D").astype(np.int64))
MONTHS, ACCOUNTS, OWNERS = 24, 240, 16
CUT, OTHER_CUT = 70.0, 40.0
NUDGED_FROM = 4.0  # points below the cut from which a nudge lifts over it


@dataclass(frozen=True, slots=True)
class History:
    """Values set by accounts of owners on days; `person` says who set each, where the file would say so."""

    account: Ints
    day: Ints
    value: Floats
    person: Bools | None = None
    recorded: Ints | None = None


def values_on_scale(rng: np.random.Generator, shape: str, scale: str) -> History:
    """Monthly values with a density of this shape (normal, skewed, two humps) on this scale; for the bunching test."""
    level = 0.7 * rng.standard_normal(ACCOUNTS)
    z = level[:, None] + 0.7 * _autocorrelated(rng, ACCOUNTS, MONTHS, 0.8)
    shapes = {
        "normal": lambda: 62 + 15 * z,
        "skewed": lambda: 95 - 22 * np.exp(0.6 * z - 0.2),
        "two humps": lambda: np.where(rng.random(ACCOUNTS) < 0.4, 45, 75)[:, None] + 10 * z,
    }
    value = _put_on_scale(rng, np.clip(shapes[shape](), 0, 100), scale)
    account, month = (axis.ravel() for axis in np.indices(value.shape))
    return History(account, FIRST_DAY + 30 * month, value.ravel())


def nudge(rng: np.random.Generator, history: History, owners: float, scale: str) -> History:
    """A share of the accounts (their owners) has every value just under the cut lifted to it, or just over it."""
    nudged = (rng.random(ACCOUNTS) < owners)[history.account]
    coarse = scale == "fives"
    near = (history.value >= CUT - (5 if coarse else NUDGED_FROM)) & (history.value < CUT) & nudged
    lifted = np.full(len(near), CUT) if coarse else CUT + np.floor(2 * rng.random(len(near)))
    return replace(history, value=np.where(near, lifted, history.value))


def edits(rng: np.random.Generator, kind: str) -> History:
    """Two years of values set on weekdays, of a kind named in EDIT_KINDS."""
    day, account = _schedule(rng, kind)
    order = np.lexsort((day, account))
    day, account = day[order], account[order]
    value = _values(rng, account, day, kind)
    person = np.ones(len(day), dtype=bool) if kind != "system, no names" else None
    return History(account, day, value, person)


EDIT_KINDS = (
    "system, no names",
    "people, any day",
    "people, in batches",
    "people, at month ends",
    "people, before quarter ends",
    "rising",
    "falling",
)


def lift_period_ends(rng: np.random.Generator, history: History, share: float) -> History:
    """A share of the values set in the last business days of a month is 8 points higher than it was."""
    lifted = ends_period(history.day.astype(np.int32), 1) & (rng.random(len(history.day)) < share)
    return replace(history, value=np.minimum(history.value + 8 * lifted, 100))


def lift_before_reviews(rng: np.random.Generator, history: History, share: float) -> History:
    """In the week before each quarter's end a share of the accounts is set 10 points higher, and taken back 10 days later."""
    ends = np.arange(FIRST_DAY, FIRST_DAY + 31 * MONTHS).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) // 3
    quarter_ends = ((np.unique(ends) + 1) * 3).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) - 1
    rows = [history]
    for end in quarter_ends[quarter_ends < int(history.day.max())]:
        chosen = np.flatnonzero(rng.random(ACCOUNTS) < share)
        now = _value_at(history, chosen, end - 6)
        chosen, now = chosen[np.isfinite(now)], now[np.isfinite(now)]
        rows.append(_entries(chosen, _weekday(end - rng.integers(0, 6, len(chosen))), np.minimum(now + 10, 100)))
        rows.append(_entries(chosen, _weekday(end + 10 + rng.integers(0, 4, len(chosen))), now))
    account, day, value = (np.concatenate([getattr(each, name) for each in rows]) for name in ("account", "day", "value"))
    return History(account, day, value, np.ones(len(day), dtype=bool) if history.person is not None else None)


def gather(history: History, cluster: Ints | None = None) -> Entries:
    """The entries the detectors take, made by the product's own reading of a history."""
    account = Codes(history.account.astype(np.int32), tuple(f"a{i}" for i in range(int(history.account.max()) + 1)))
    people = None if history.person is None else Codes(np.where(history.person, 1, 0).astype(np.int32), ("system", "person"))
    n = len(history.day)
    table = ScoreHistory(
        source=Source("scores", "simulated", "", "simulated", n, {}, (), ()),
        row=np.arange(n),
        account=account,
        dated=_times(history.day),
        series=(ScoreSeries("score", history.value),),
        recorded=None if history.recorded is None else _times(history.recorded),
        set_by=people,
    )
    as_of = int(history.day.max() if history.recorded is None else max(history.day.max(), history.recorded.max()))
    index = ScoreIndex(table, account.names, as_of)
    clusters = np.arange(len(account.names)) if cluster is None else cluster
    series = table.series[0]
    return collect(index.lookup(series), series, -1.0, table, index.account, clusters, as_of)


def renewing(rng: np.random.Generator, kind: str, churned: int, inflation: float = 0.0) -> tuple[Units, Floats]:
    """Four years of units and their score (in standard deviations, higher is healthier), for the Goodhart gap.

    `inflation` is what is added to the score a year from the middle on, with no effect on renewals.
    """
    base = -2.6
    n = round(churned / 0.10)
    parent = np.sort(rng.integers(0, max(2, n // 5), n))  # some five units each, over accounts and years
    as_of = np.sort(FIRST_DAY + rng.integers(0, 4 * 365, n))
    years = (as_of - FIRST_DAY) / 365
    rise = {"truly rising": 0.3 * years, "truly falling": -0.3 * years}.get(kind, np.zeros(n))
    order = rng.permutation(n)
    parent = parent[order]
    health = rise + np.sqrt(0.3) * rng.standard_normal(parent.max() + 1)[parent] + np.sqrt(0.7) * rng.standard_normal(n)
    quarters = (years * 4).astype(np.int64)
    shock = 0.15 * rng.standard_normal(quarters.max() + 1)[quarters] if kind == "market moves" else np.zeros(n)
    season = 0.3 * np.sin(2 * np.pi * years) if kind == "seasons" else np.zeros(n)
    market = 0.15 * years if kind == "market worsens" else np.zeros(n)
    log_odds = base - 0.9 * (health + season) + shock + market + 0.4 * rng.standard_normal(parent.max() + 1)[parent]
    gone = rng.random(n) < special.expit(log_odds)
    known = 0.0 if kind == "noise" else 0.6
    score = known * (health + season) + np.sqrt(1 - known**2) * rng.standard_normal(n)
    score += np.maximum(years - 2, 0) * inflation
    return _units(as_of, parent, gone), score


RENEWING_KINDS = ("steady", "truly rising", "truly falling", "seasons", "market moves", "market worsens", "noise")


def _units(as_of: Ints, parent: Ints, churned: Bools) -> Units:
    n, none = len(as_of), np.zeros(len(as_of), dtype=bool)
    rows = np.arange(n)
    return Units("renewal", 90, rows, as_of, rows, np.ones(n), churned, none, none, as_of + 90, parent, 0, ())


def _put_on_scale(rng: np.random.Generator, x: Floats, scale: str) -> Floats:
    if scale == "heaped":
        draw = rng.random(x.shape)
        return np.where(draw < 0.25, 10 * np.round(x / 10), np.where(draw < 0.5, 5 * np.round(x / 5), np.round(x)))
    if scale == "lumpy":  # a formula with a part of five steps
        return np.round(0.45 * 25 * np.round(x / 25) + 0.55 * np.clip(x + 12 * rng.standard_normal(x.shape), 0, 100))
    return {"whole": np.round(x), "fives": 5 * np.round(x / 5), "tenths": np.round(x, 1)}[scale]


SHAPES, SCALES = ("normal", "skewed", "two humps"), ("whole", "fives", "tenths", "heaped", "lumpy")


def _schedule(rng: np.random.Generator, kind: str) -> tuple[Ints, Ints]:
    """Weekdays and accounts, in order of month: about one entry an account and month, for the system one each week."""
    each_month = 4 if kind == "system, no names" else 1
    account, month = (axis.ravel() for axis in np.indices((ACCOUNTS, MONTHS)))
    days = []
    for turn in range(each_month):
        offset = rng.integers(0, 30 // each_month, len(account)) + turn * 7
        if kind == "people, in batches":
            offset = rng.integers(0, 30, (OWNERS, MONTHS))[account % OWNERS, month]
        day = _first_of(month) + offset
        if kind == "people, at month ends":
            day = np.where(rng.random(len(day)) < 0.6, _first_of(month + 1) - rng.integers(1, 5, len(day)), day)
        if kind == "people, before quarter ends":
            crowded = ((month + 1) % 3 == 0) & (rng.random(len(day)) < 0.7)
            day = np.where(crowded, _first_of(month + 1) - rng.integers(1, 7, len(day)), day)
        days.append(_weekday(day))
    return np.concatenate(days), np.tile(account, each_month)


def _values(rng: np.random.Generator, account: Ints, day: Ints, kind: str) -> Floats:
    """Whole points; the parts: the account's level, an autocorrelated part, its owner's mood that month, and the week's news."""
    month = (day - FIRST_DAY) // 30
    moving = _autocorrelated(rng, ACCOUNTS, int(np.bincount(account).max()), 0.7)
    position = np.arange(len(account)) - np.searchsorted(account, account)
    mood = rng.standard_normal((OWNERS, int(month.max()) + 1))[account % OWNERS, month]
    week = (day - FIRST_DAY) // 7
    news = rng.standard_normal(int(week.max()) + 1)[week]
    z = 0.6 * rng.standard_normal(ACCOUNTS)[account] + 0.6 * moving[account, position] + 0.35 * mood + 0.35 * news
    trend = {"rising": 1.0, "falling": -1.0}.get(kind, 0.0) * (day - FIRST_DAY) / 365
    return np.clip(np.round(62 + 15 * (z + 0.5 * trend)), 0, 100)


def _autocorrelated(rng: np.random.Generator, n: int, steps: int, carried: float) -> Floats:
    shocks = rng.standard_normal((n, steps))
    shocks[:, 1:] *= np.sqrt(1 - carried**2)
    return np.asarray(signal.lfilter([1.0], [1.0, -carried], shocks, axis=1))


def _first_of(month: Ints) -> Ints:
    start = np.datetime64(FIRST_DAY, "D").astype("datetime64[M]").astype(np.int64)
    return (start + month).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _weekday(day: Ints) -> Ints:
    """The day, or the Friday before where it is a weekend."""
    return day - np.maximum((day + 3) % 7 - 4, 0)


def _value_at(history: History, account: Ints, day: int) -> Floats:
    """Each account's last value set by a day, NaN where there is none."""
    before = np.flatnonzero(history.day <= day)
    before = before[np.argsort(history.day[before], kind="stable")]
    last = np.full(ACCOUNTS, np.nan)
    last[history.account[before]] = history.value[before]
    return last[account]


def _entries(account: Ints, day: Ints, value: Floats) -> History:
    return History(account, day, value)


def _times(day: Ints) -> NDArray[np.datetime64]:
    return day.astype("datetime64[D]").astype("datetime64[us]")

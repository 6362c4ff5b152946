"""The units an audit judges: renewals due (renewal design) or active account-months (landmark design)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unspun.audit.protocol import LONG_TERM_DAYS
from unspun.audit.result import Design
from unspun.audit.terms import UNKNOWN, Terms
from unspun.audit.vocabulary import CHURN, Vocabulary
from unspun.audit.wording import percent
from unspun.book.tables import CHURNED, CONTRACTED, EXPANDED, UNDECIDED

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Units:
    """Units eligible at one horizon, in order of as-of date. Arrays run parallel; `terms_row` indexes into Terms.

    `terms_row` is the renewal judged; in the landmark design the one that churned in the window, else the one whose term
    was running; of purchases the last one by then. `amount` is the ARR of the term running at the as-of date (or yearly spend), NaN where
    not given. `known_on` is when the outcome was known; `flow` explains how rows became units.
    """

    design: Design
    horizon_days: int
    account: Ints
    as_of: Ints
    terms_row: Ints
    amount: Floats
    churned: Bools
    contracted: Bools
    expanded: Bools
    known_on: Ints
    cluster: Ints
    not_applicable: int
    flow: tuple[tuple[str, int], ...]
    words: Vocabulary = CHURN

    def __len__(self) -> int:
        return len(self.account)

    @property
    def due(self) -> Ints:
        """What a unit is dated by in a listing by time: the due date, or the end of the window."""
        return self.as_of + self.horizon_days


def choose_design(terms: Terms, asked: str) -> tuple[Design, str]:
    """The design and a sentence on why."""
    lengths = terms.length_days
    if asked == "renewal" or asked == "landmark":
        return asked, "declared"
    if not len(lengths):
        return "renewal", "no term's length is known (no term starts, and no account has two due dates), so renewals are judged one by one"
    share = float((lengths >= LONG_TERM_DAYS).mean())
    said = f"{percent(share)} of the {len(lengths):,} terms of known length last {LONG_TERM_DAYS} days or more"
    return ("renewal", f"{said}, at least half") if share >= 0.5 else ("landmark", f"{said}, fewer than half")


def renewal_units(terms: Terms, horizon_days: int) -> Units:
    """One unit a decided renewal, looked at `horizon_days` before it was due."""
    decided = terms.decided
    as_of = terms.due - horizon_days
    begun = (terms.start == UNKNOWN) | (terms.start <= as_of)
    open_then = (terms.decided_on == UNKNOWN) | (terms.decided_on > as_of)
    rows = np.flatnonzero(decided & begun & open_then)
    rows = rows[np.argsort(as_of[rows], kind="stable")]
    flow = (
        ("renewals used", int(decided.sum())),
        (f"term shorter than {horizon_days} days", -int((decided & ~begun).sum())),
        (f"decided earlier than {horizon_days} days before the due date", -int((decided & begun & ~open_then).sum())),
        ("eligible", len(rows)),
    )
    outcome = terms.outcome[rows]
    return Units(
        design="renewal",
        horizon_days=horizon_days,
        account=terms.account[rows],
        as_of=as_of[rows],
        terms_row=rows,
        amount=terms.money.before[rows],
        churned=outcome == CHURNED,
        contracted=outcome == CONTRACTED,
        expanded=outcome == EXPANDED,
        known_on=terms.known_on[rows],
        cluster=terms.cluster[terms.account[rows]],
        not_applicable=int((decided & ~begun).sum()),
        flow=flow,
    )


@dataclass(frozen=True, slots=True)
class ActiveMonths:
    """Accounts active on the first day of a month, whatever the horizon: account, day, the running term and its ARR."""

    account: Ints
    day: Ints
    terms_row: Ints
    amount: Floats


def active_months(terms: Terms) -> ActiveMonths:
    """Every (account, first day of a month) inside a term, from its start until before its due date.

    A first term whose start is not given is taken as one typical term (the median known length, else 30 days) long.
    After its last renewal on file an account counts as active until the as-of date, unless it churned.
    """
    first, last = _active_spans(terms)
    months = np.arange(
        np.datetime64(int(first.min()), "D").astype("datetime64[M]"), np.datetime64(terms.as_of, "D").astype("datetime64[M]") + 1
    )
    first_days = months.astype("datetime64[D]").astype(np.int64)
    begin = np.searchsorted(first_days, first, side="left")
    end = np.searchsorted(first_days, last, side="left")
    count = np.maximum(end - begin, 0)
    source = np.repeat(np.arange(len(first)), count)
    month = np.arange(len(source)) - np.repeat(np.cumsum(count) - count, count) + begin[source]
    renewals = len(terms.due)
    row = source % renewals
    amount = np.where(source < renewals, terms.money.before[row], terms.money.after[row])
    key = terms.account[row] * len(first_days) + month
    _, unique = np.unique(key, return_index=True)  # overlapping terms: the earliest due comes first and is kept
    row, month = row[unique], month[unique]
    return ActiveMonths(terms.account[row], first_days[month], row, amount[unique])


def _active_spans(terms: Terms) -> tuple[Ints, Ints]:
    """Spans [first, last) of activity: one per renewal row, then one per row for the time after an account's last row."""
    typical = int(np.median(terms.length_days)) if len(terms.length_days) else 30
    before = np.concatenate([[UNKNOWN], terms.due[:-1]])
    same = np.concatenate([[False], terms.account[1:] == terms.account[:-1]])
    start = np.where(terms.start != UNKNOWN, terms.start, terms.due - typical)
    start = np.where((terms.start == UNKNOWN) & same, np.maximum(start, before), start)
    final = np.concatenate([terms.account[1:] != terms.account[:-1], [True]])
    stays = final & terms.decided & (terms.outcome != CHURNED)
    after_end = np.where(stays, terms.as_of + 1, terms.due)
    return np.concatenate([start, terms.due]), np.concatenate([terms.due, after_end])


def landmark_units(terms: Terms, months: ActiveMonths, horizon_days: int) -> Units:
    """One unit an active account-month; the outcome is what happens in the `horizon_days` after its first day."""
    observed = months.day + horizon_days <= terms.as_of
    churn_row = _first_due_after(terms, months, horizon_days, CHURNED)
    decided_on = np.where(churn_row >= 0, terms.decided_on[churn_row], UNKNOWN)
    open_then = (decided_on == UNKNOWN) | (decided_on > months.day)
    unresolved = _first_due_after(terms, months, horizon_days, UNDECIDED) >= 0
    kept = np.flatnonzero(observed & open_then & ~(unresolved & (churn_row < 0)))
    kept = kept[np.argsort(months.day[kept], kind="stable")]
    churn_row = churn_row[kept]
    contracted = _first_due_after(terms, months, horizon_days, CONTRACTED)[kept]
    expanded = _first_due_after(terms, months, horizon_days, EXPANDED)[kept]
    churned = churn_row >= 0
    flow = (
        ("active account-months", len(months.day)),
        ("window not yet over (censored)", -int((~observed).sum())),
        ("churn known before the month began", -int((observed & ~open_then).sum())),
        (
            "a renewal in the window has no outcome",
            -int((observed & open_then & unresolved & ~np.isin(np.arange(len(observed)), kept)).sum()),
        ),
        ("eligible", len(kept)),
    )
    return Units(
        design="landmark",
        horizon_days=horizon_days,
        account=months.account[kept],
        as_of=months.day[kept],
        terms_row=np.where(churned, churn_row, months.terms_row[kept]),
        amount=months.amount[kept],
        churned=churned,
        contracted=(contracted >= 0) & ~churned,
        expanded=(expanded >= 0) & (contracted < 0) & ~churned,
        known_on=_window_known_on(terms, months, horizon_days)[kept],
        cluster=terms.cluster[months.account[kept]],
        not_applicable=int((~observed).sum()),
        flow=flow,
    )


def _first_due_after(terms: Terms, months: ActiveMonths, horizon_days: int, outcome: int) -> Ints:
    """The account's first renewal with this outcome due in (day, day + horizon], as a row of Terms, else -1."""
    rows = np.flatnonzero((terms.outcome == outcome) & (terms.due <= terms.as_of))
    if not len(rows):
        return np.full(len(months.day), -1)
    base = int(terms.due.min()) - 1
    span = max(int(terms.due.max()), int(months.day.max())) - base + 2
    keys = terms.account[rows] * span + (terms.due[rows] - base)
    position = np.searchsorted(keys, months.account * span + np.maximum(months.day - base, 0), side="right")
    found = rows[np.minimum(position, len(rows) - 1)]
    inside = (position < len(rows)) & (terms.account[found] == months.account) & (terms.due[found] <= months.day + horizon_days)
    return np.where(inside, found, -1)


def _window_known_on(terms: Terms, months: ActiveMonths, horizon_days: int) -> Ints:
    """When what happened in the window was known: at its end, or later where the outcome of a renewal due in it was."""
    base = int(min(terms.due.min(), months.day.min())) - 1
    span = max(int(terms.due.max()), int(months.day.max())) + horizon_days - base + 2
    keys, month = terms.account * span + (terms.due - base), months.account * span + (months.day - base)
    first, last = np.searchsorted(keys, month, side="right"), np.searchsorted(keys, month + horizon_days, side="right")
    latest = np.maximum.reduceat(np.append(terms.known_on, UNKNOWN), np.column_stack([first, last]).ravel())[::2]
    return np.maximum(months.day + horizon_days, np.where(first < last, latest, UNKNOWN))


def take(units: Units, rows: Ints) -> Units:
    """Some of the units, in the order given."""
    parallel = ("account", "as_of", "terms_row", "amount", "churned", "contracted", "expanded", "known_on", "cluster")
    return replace(units, **{name: getattr(units, name)[rows] for name in parallel})

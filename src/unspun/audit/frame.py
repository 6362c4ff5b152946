"""What all scores share at one horizon: units, split, baseline and candidates; and the score of each unit as known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unspun.audit.baseline import Baseline, baseline_columns
from unspun.audit.capture import Choices, gather
from unspun.audit.extras import NO_EXTRAS, AccountIndex, ExtraIndex
from unspun.audit.forecasters import Rival, find_rivals
from unspun.audit.known import KnownHistory, Rows, to_days
from unspun.audit.protocol import AuditSettings
from unspun.audit.repurchase import CustomerMonths, PastWindows, repurchase_units
from unspun.audit.split import Parts, split_units
from unspun.audit.terms import UNKNOWN, PastOutcomes, Terms, align, in_order
from unspun.audit.units import ActiveMonths, Units, landmark_units, renewal_units, take
from unspun.book.tables import CHURNED, Codes, Purchases, Renewals, ScoreHistory, ScoreSeries
from unspun.stats.estimate import NoEstimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Months = ActiveMonths | CustomerMonths


@dataclass(frozen=True, slots=True)
class Lookup:
    """One series over its usable rows: `rows` index into the history, and the two ways of asking run over them.

    Of an exact series `days` are the days of the history's rows: a row counts only on its own day.
    """

    rows: Rows
    known: KnownHistory
    as_dated: KnownHistory
    shared: bool  # the same rows as every complete series of the file, or every exact one on these rows
    days: Ints | None = None


class ScoreIndex:
    """Answers which row of a score history was the last one known. Complete series of a wide file share one index, and so do
    exact series on the same rows."""

    def __init__(self, history: ScoreHistory, account_names: tuple[str, ...], as_of: int, in_use: Bools | None = None) -> None:
        """`in_use` says by account code which accounts were known by the as-of date; the others are none of the audit's."""
        self.history = history
        self.account = align(history.account, account_names).astype(np.int32)
        if in_use is not None and not in_use.all():
            self.account[~np.append(in_use, False)[self.account]] = -1  # code -1 takes the last
        self.after_as_of = history.dated >= np.datetime64(as_of + 1, "D")
        self.usable = (self.account >= 0) & ~self.after_as_of
        self._shared: Lookup | None = None
        self._exact: dict[int, tuple[Ints | None, Lookup]] = {}  # each with the rows it is of, so that no other can take their identity

    def lookup(self, series: ScoreSeries) -> Lookup:
        """The index over a series' rows that have a value and an account with renewals; of an exact one also those without a value."""
        if series.exact:
            key = id(series.rows)
            if key not in self._exact:
                self._exact[key] = (series.rows, self._index_exact(series))
            return self._exact[key][1]
        if series.rows is None and not np.isnan(series.values).any():
            if self._shared is None:
                self._shared = self._index(_as_small(np.flatnonzero(self.usable)), shared=True)
            return self._shared
        rows = np.arange(len(series.values)) if series.rows is None else series.rows
        return self._index(_as_small(rows[self.usable[rows] & np.isfinite(series.values)]), shared=False)

    def _index_exact(self, series: ScoreSeries) -> Lookup:
        rows = np.arange(len(series.values)) if series.rows is None else series.rows
        rows = _as_small(rows[self.usable[rows]])
        known = self._history(rows, as_dated=True)
        return Lookup(rows, known, known, shared=True, days=to_days(self.history.dated))

    def attribute(self, codes: Codes | None) -> tuple[KnownHistory, Ints] | None:
        """An index over a dated attribute of the scores file (segment, owner), and its codes."""
        if codes is None:
            return None
        rows = np.flatnonzero(self.usable & (codes.codes >= 0))
        if not len(rows):
            return None
        return self._history(rows, as_dated=False), codes.codes[rows].astype(np.int64)

    def _index(self, rows: Rows, *, shared: bool) -> Lookup:
        known = self._history(rows, as_dated=False)
        return Lookup(rows, known, known if self.history.recorded is None else self._history(rows, as_dated=True), shared)

    def _history(self, rows: Rows, *, as_dated: bool) -> KnownHistory:
        account, dated, recorded = self.account, self.history.dated, self.history.recorded
        if len(rows) < len(account):  # all of them are themselves, and need no copy
            account, dated, recorded = account[rows], dated[rows], None if recorded is None else recorded[rows]
        return KnownHistory(account, dated, recorded, as_dated=as_dated)


def _as_small(rows: Ints) -> Rows:
    """The same in half the memory, where that can hold them."""
    return rows.astype(np.int32) if len(rows) == 0 or int(rows[-1]) < 1 << 31 else rows


@dataclass(frozen=True, slots=True)
class Frame:
    """One horizon, before any score is looked at. `segment` and `owner` are codes per unit, -1 where not known."""

    units: Units
    parts: Parts | NoEstimate
    baseline: Baseline | None
    segment: Ints | None
    segment_names: tuple[str, ...]
    owner: Ints | None
    owner_names: tuple[str, ...]
    choices: Choices | NoEstimate
    treated: Units | None  # the candidates as units, looked at on the first day of their month
    applicable_share: float
    rivals: tuple[Rival, ...] = ()  # what else one could have ranked by


def make_frame(
    horizon_days: int,
    terms: Terms,
    months: Months | None,
    renewals: Renewals | Purchases,
    index: ScoreIndex,
    settings: AuditSettings,
    extras: ExtraIndex = NO_EXTRAS,
) -> Frame:
    """Units of the design (landmark where `months` is given), split, baseline columns and capacity candidates."""
    units, past = _units(terms, months, horizon_days)
    parts = split_units(units)
    segment, segment_names, dated = _attribute(units, terms, index, index.history.segment, renewals.segment)
    owner, owner_names, _ = _attribute(units, terms, index, index.history.owner, renewals.owner)
    if extras.accounts is not None:
        segment, segment_names = _of_account(units, extras.accounts, extras.accounts.accounts.segment, segment, segment_names)
        owner, owner_names = _of_account(units, extras.accounts, extras.accounts.accounts.owner, owner, owner_names)
    in_baseline = segment if dated or settings.segment_fixed else None
    baseline = None
    if isinstance(parts, Parts):
        baseline = baseline_columns(units, terms, past, in_baseline, parts.train, extras.accounts.fixed if extras.accounts else ())
    choices, treated = _choices(units, parts, terms, months, settings)
    share = applicable_share(units, terms, months)
    rivals = find_rivals(units, parts, extras.usage, extras.calls, one_currency=terms.money.stated_in is not None)
    return Frame(units, parts, baseline, segment, segment_names, owner, owner_names, choices, treated, share, rivals)


def _units(terms: Terms, months: Months | None, horizon_days: int) -> tuple[Units, PastOutcomes | PastWindows]:
    """The units at a horizon, and what is known of each account's last outcome."""
    if isinstance(months, CustomerMonths):
        return repurchase_units(terms, months, horizon_days), PastWindows(terms, horizon_days)
    units = renewal_units(terms, horizon_days) if months is None else landmark_units(terms, months, horizon_days)
    return units, PastOutcomes(terms)


def value_at(series: ScoreSeries, rows: Rows) -> Floats:
    """Values of a series at rows of the history, NaN at -1."""
    place = place_in(series, rows)
    return np.where(place >= 0, series.values[np.maximum(place, 0)], np.nan) if len(series.values) else np.full(len(rows), np.nan)


def place_in(series: ScoreSeries, rows: Rows) -> Rows:
    """Where rows of the history stand among the series' own values, -1 at -1."""
    if series.rows is None or not len(series.rows):
        return rows
    first, last = int(series.rows[0]), int(series.rows[-1])
    if last - first + 1 == len(series.rows):  # rows that follow one another need no search
        return np.where(rows >= 0, rows - first, -1)
    return np.where(rows >= 0, np.searchsorted(series.rows, np.maximum(rows, 0)), -1)


def rows_known(lookup: Lookup, account: Ints, day: Ints, *, as_dated: bool = False) -> Ints:
    """History row of the last value known to each account by each day, -1 where there is none."""
    if not len(lookup.rows):
        return np.full(len(account), -1)
    found = (lookup.as_dated if as_dated else lookup.known).last_known(account, day)
    rows = np.where(found >= 0, lookup.rows[np.maximum(found, 0)].astype(np.int64), -1)
    return rows if lookup.days is None else np.where((rows >= 0) & (lookup.days[np.maximum(rows, 0)] == day), rows, -1)


def applicable_share(units: Units, terms: Terms, months: Months | None) -> float:
    """Share of the decided renewals, or of the active account-months, that the units' horizon applies to."""
    base = int(terms.decided.sum()) if months is None else len(months.day)
    return (base - units.not_applicable) / base if base else 0.0


def _attribute(
    units: Units, terms: Terms, index: ScoreIndex, dated: Codes | None, snapshot: Codes | None
) -> tuple[Ints | None, tuple[str, ...], bool]:
    """An attribute per unit as known then, else the renewals file's own (undated), and whether it is dated."""
    found = index.attribute(dated)
    if found is not None and dated is not None:
        history, codes = found
        rows = history.last_known(units.account, units.as_of)
        return np.where(rows >= 0, codes[np.maximum(rows, 0)], -1), dated.names, True
    if snapshot is None:
        return None, (), False
    return snapshot.codes[terms.order[units.terms_row]].astype(np.int64), snapshot.names, False


def _of_account(
    units: Units, index: AccountIndex, own: Codes | None, given: Ints | None, names: tuple[str, ...]
) -> tuple[Ints | None, tuple[str, ...]]:
    """What another file gives, else the accounts file's own (undated)."""
    if given is not None or own is None:
        return given, names
    sorted_by_name = in_order(own)
    return index.codes(sorted_by_name)[units.account], sorted_by_name.names


def _choices(
    units: Units, parts: Parts | NoEstimate, terms: Terms, months: Months | None, settings: AuditSettings
) -> tuple[Choices | NoEstimate, Units | None]:
    if isinstance(parts, NoEstimate):
        return parts, None
    if settings.replicates < 1:
        return NoEstimate("captured ARR was not asked for (no bootstrap replicates)"), None
    if terms.money.stated_in is None:
        return NoEstimate(f"amounts are in {', '.join(terms.money.currencies)}", "a dated rate for each currency"), None
    if not terms.money.given:
        if isinstance(months, CustomerMonths):
            return NoEstimate("the purchases file has no amounts", "a column with the amount of each purchase"), None
        return NoEstimate("the renewals file has no amount before the renewal", "a column with the ARR before each renewal"), None
    treated, month = _treated_renewals(units, parts, terms) if months is None else _treated_months(units, parts)
    if not len(treated):
        return NoEstimate("no whole month lies inside the test period", "at least one month of test renewals"), None
    money = treated.amount, treated.churned, treated.cluster, terms.money.stated_in
    return gather(month, *money, settings.capacity, settings.replicates, settings.seed, units.words), treated


def _treated_months(units: Units, parts: Parts) -> tuple[Units, Ints]:
    """Landmark design: the test units themselves; each as-of date is the first day of a month."""
    rows = np.flatnonzero(parts.test)
    return take(units, rows), units.as_of[rows]


def _treated_renewals(units: Units, parts: Parts, terms: Terms) -> tuple[Units, Ints]:
    """Renewal design: on each month's first day t, the renewals due in [t + h, next first day + h) undecided at t.

    Only months that begin inside the test period, and whose renewals were all due by the as-of date.
    """
    horizon = units.horizon_days
    looked_at = terms.due - horizon
    month = looked_at.astype("datetime64[D]").astype("datetime64[M]")
    first_day = month.astype("datetime64[D]").astype(np.int64)
    next_first = (month + 1).astype("datetime64[D]").astype(np.int64)
    begun = (terms.start == UNKNOWN) | (terms.start <= looked_at)
    open_then = (terms.decided_on == UNKNOWN) | (terms.decided_on > first_day)
    inside = (first_day >= parts.cut) & (next_first + horizon <= terms.as_of + 1)
    rows = np.flatnonzero(terms.decided & begun & open_then & inside)
    rows = rows[np.argsort(first_day[rows], kind="stable")]
    churned = terms.outcome[rows] == CHURNED
    none = np.zeros(len(rows), dtype=bool)
    treated = Units(
        design="renewal",
        horizon_days=horizon,
        account=terms.account[rows],
        as_of=first_day[rows],
        terms_row=rows,
        amount=terms.money.before[rows],
        churned=churned,
        contracted=none,
        expanded=none,
        known_on=terms.known_on[rows],
        cluster=terms.cluster[terms.account[rows]],
        not_applicable=0,
        flow=(),
    )
    return treated, first_day[rows]

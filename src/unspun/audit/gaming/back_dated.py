"""Values recorded long after the day they are dated: how many, and whether they go up or go with the outcome."""

from __future__ import annotations

import numpy as np

from unspun.audit.gaming.checks import Code, Finding, cannot_tell, first_rows
from unspun.audit.gaming.entries import Bools, Changes, Entries, Ints, blocks, changes_of, number_kinds, quarter, week
from unspun.audit.protocol import BACK_DATED_DAYS
from unspun.audit.result import GamingRow
from unspun.audit.terms import Terms
from unspun.audit.wording import percent
from unspun.book.tables import CHURNED
from unspun.stats.estimate import NoEstimate
from unspun.stats.proportion import clustered_share
from unspun.stats.stratified import Excess, excess_events

CODE: Code = "back_dated"
MEASURED = f"share of the score's rows recorded more than {BACK_DATED_DAYS} days after their date"
LEAD_DAYS, LEAD_STEP_DAYS = 365, 30
STRATA = 2 * (LEAD_DAYS // LEAD_STEP_DAYS + 1)  # steps of lead, of those who churned and of others
MIN_WEEKS = 5


def check_back_dated(entries: Entries, terms: Terms) -> Finding:
    """Compare the changes made by rows recorded late with those of rows recorded in time: upward, and with the outcome."""
    if entries.recorded is None:
        why = NoEstimate("the scores do not say when each was recorded", "a column with the day of recording (recorded_at)")
        return cannot_tell(CODE, MEASURED, why, len(entries))
    late = entries.late
    share = clustered_share(late, entries.cluster)
    n = int(late.sum())
    if not n:
        return Finding(CODE, f"No row was recorded more than {BACK_DATED_DAYS} days after its date.", MEASURED, share, 1.0, len(entries))
    changes = changes_of(entries, entries.moved)
    upward = _upward(changes)
    with_outcome = _with_outcome(entries, changes.used, terms)
    tested = [each for each in (upward, with_outcome) if isinstance(each, Excess)]
    said = f"{n:,} of {len(late):,} rows ({percent(n / len(late))}) were recorded more than {BACK_DATED_DAYS} days after their date."
    if not tested:
        assert isinstance(upward, NoEstimate)
        told = NoEstimate(f"{said[:-1]}, but where they go cannot be compared: {upward.reason}", "more of them, over more weeks")
        return cannot_tell(CODE, MEASURED, told, len(entries))
    said += _say_upward(upward) + _say_with_outcome(with_outcome, terms)
    p = min(1.0, min(each.p for each in tested) * len(tested))
    return Finding(CODE, said, MEASURED, share, p, len(entries), _list(entries, changes))


def _upward(changes: Changes) -> Excess | NoEstimate:
    """Do changes recorded late raise the value more often than changes recorded in time?"""
    day = changes.day
    return excess_events(changes.raised, changes.late, quarter(day), (week(day), changes.cluster), MIN_WEEKS, changes.kind)


def _with_outcome(entries: Entries, moved: Bools, terms: Terms) -> Excess | NoEstimate:
    """Do changes recorded after the outcome go its way more often than those recorded before, as long ahead of the same outcome?"""
    if not (terms.outcome == CHURNED).any():
        return NoEstimate("no outcome to go with")
    decided = _Decided(terms)
    pieces = [_ahead(entries, np.flatnonzero(moved[part]) + part.start, decided, terms) for part in blocks(len(moved))]
    code, cluster = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
    present, kind = number_kinds(code)
    agrees, after, stratum = present % 2 > 0, present // 2 % 2 > 0, present // 4 % STRATA
    weeks = present // 4 // STRATA
    return excess_events(agrees, after, stratum, (weeks - weeks.min(initial=weeks.max(initial=0)), cluster), MIN_WEEKS, kind)


def _ahead(entries: Entries, changed: Ints, decided: _Decided, terms: Terms) -> tuple[Ints, Ints]:
    """Of those of some changes that lie ahead of an outcome: their week, stratum, and whether they came after it and agree, as one code;
    and their cluster. A stratum holds changes as long ahead of the same outcome."""
    next_row = decided.next_row(entries.account[changed], entries.dated[changed])
    lead = np.where(next_row >= 0, terms.due[next_row] - entries.dated[changed], LEAD_DAYS)
    kept = lead < LEAD_DAYS
    changed, next_row, lead = changed[kept], next_row[kept], lead[kept]
    churned = terms.outcome[next_row] == CHURNED
    recorded = entries.set_on[changed]
    after = entries.late[changed] & (recorded > terms.known_on[next_row])
    agrees = (entries.change[changed] > 0) ^ churned
    weeks = (recorded.astype(np.int64) + 3) // 7 - (int(entries.set_on.min()) + 3) // 7
    stratum = lead // LEAD_STEP_DAYS * 2 + churned
    return (((weeks * STRATA + stratum) * 2 + after) * 2 + agrees).astype(np.int32), entries.cluster[changed]


class _Decided:
    """Decided renewals by account and due date."""

    def __init__(self, terms: Terms) -> None:
        self._rows = np.flatnonzero(terms.decided)
        self._account = terms.account[self._rows]
        due = terms.due[self._rows]
        self._first, last = int(due.min(initial=0)), int(due.max(initial=0))
        self._span = last - self._first + 2
        self._keys = self._account * self._span + due - self._first

    def next_row(self, account: Ints, day: Ints) -> Ints:
        """Row of the first decided renewal due on or after a day, -1 where there is none."""
        if not len(self._rows):
            return np.full(len(account), -1)
        offset = np.clip(day.astype(np.int64) - self._first, 0, self._span - 1)
        at = np.searchsorted(self._keys, account.astype(np.int64) * self._span + offset)
        found = np.minimum(at, len(self._rows) - 1)
        return np.where((at < len(self._rows)) & (self._account[found] == account), self._rows[found], -1)


def _say_upward(found: Excess | NoEstimate) -> str:
    if isinstance(found, NoEstimate):
        return ""
    return f" Of those that changed a value {found.events:,} raised it; {found.expected:,.0f} would at the rate of rows recorded in time."


def _say_with_outcome(found: Excess | NoEstimate, terms: Terms) -> str:
    if isinstance(found, NoEstimate):
        return ""
    return (
        f" Of the changes recorded after an outcome was known and dated before it, {found.events:,} went its way (down where the account "
        f"{terms.words.lost}, else up); {found.expected:,.0f} would at the rate of those recorded before, as long ahead of it."
    )


def _list(entries: Entries, changes: Changes) -> tuple[GamingRow, ...]:
    group = np.where(changes.late, np.where(changes.raised, 0, 1), -1)
    said = "recorded late, raised a value", "recorded late, lowered a value"
    found = zip(said, changes.places(group, 2), strict=True)
    return tuple(GamingRow(what, len(at), None, first_rows(entries, at)) for what, at in found)

"""Values recorded long after the day they are dated: how many, and whether they go up or go with the outcome."""

from __future__ import annotations

import numpy as np

from unspun.audit.gaming.checks import SHOWN_ROWS, Code, Finding, cannot_tell
from unspun.audit.gaming.entries import Bools, Entries, Ints, quarter, week
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
MIN_WEEKS = 5


def check_back_dated(entries: Entries, terms: Terms, file_row: Ints) -> Finding:
    """Compare the changes made by rows recorded late with those of rows recorded in time: upward, and with the outcome."""
    if entries.recorded is None:
        why = NoEstimate("the scores do not say when each was recorded", "a column with the day of recording (recorded_at)")
        return cannot_tell(CODE, MEASURED, why, len(entries))
    late = entries.late
    share = clustered_share(late, entries.cluster)
    n = int(late.sum())
    if not n:
        return Finding(CODE, f"No row was recorded more than {BACK_DATED_DAYS} days after its date.", MEASURED, share, 1.0, len(entries))
    upward = _upward(entries, late)
    with_outcome = _with_outcome(entries, terms)
    tested = [each for each in (upward, with_outcome) if isinstance(each, Excess)]
    said = f"{n:,} of {len(late):,} rows ({percent(n / len(late))}) were recorded more than {BACK_DATED_DAYS} days after their date."
    if not tested:
        assert isinstance(upward, NoEstimate)
        told = NoEstimate(f"{said[:-1]}, but where they go cannot be compared: {upward.reason}", "more of them, over more weeks")
        return cannot_tell(CODE, MEASURED, told, len(entries))
    said += _say_upward(upward) + _say_with_outcome(with_outcome, terms)
    p = min(1.0, min(each.p for each in tested) * len(tested))
    return Finding(CODE, said, MEASURED, share, p, len(entries), _list(entries, late, file_row))


def _upward(entries: Entries, late: Bools) -> Excess | NoEstimate:
    """Do changes recorded late raise the value more often than changes recorded in time?"""
    moved = entries.moved
    day = entries.set_on[moved]
    return excess_events((entries.change > 0)[moved], late[moved], quarter(day), (week(day), entries.cluster[moved]), MIN_WEEKS)


def _with_outcome(entries: Entries, terms: Terms) -> Excess | NoEstimate:
    """Do changes recorded after the outcome go its way more often than those recorded before, as long ahead of the same outcome?"""
    if not (terms.outcome == CHURNED).any():
        return NoEstimate("no outcome to go with")
    moved = np.flatnonzero(entries.moved)
    next_row = _next_decided(terms, entries.account[moved], entries.dated[moved].astype(np.int64))
    lead = np.where(next_row >= 0, terms.due[next_row] - entries.dated[moved], LEAD_DAYS)
    kept = (next_row >= 0) & (lead < LEAD_DAYS)
    moved, next_row, lead = moved[kept], next_row[kept], lead[kept]
    churned = terms.outcome[next_row] == CHURNED
    recorded = entries.set_on[moved]
    after = entries.late[moved] & (recorded > terms.known_on[next_row])
    agrees = (entries.change[moved] > 0) ^ churned
    stratum = (lead // LEAD_STEP_DAYS) * 2 + churned
    return excess_events(agrees, after, stratum, (week(recorded), entries.cluster[moved]), MIN_WEEKS)


def _next_decided(terms: Terms, account: Ints, day: Ints) -> Ints:
    """Row of the first decided renewal due on or after a day, -1 where there is none."""
    rows = np.flatnonzero(terms.decided)
    if not len(rows) or not len(account):
        return np.full(len(account), -1)
    low = min(int(terms.due[rows].min()), int(day.min()))
    span = max(int(terms.due[rows].max()), int(day.max())) - low + 2
    keys = terms.account[rows] * span + terms.due[rows] - low
    at = np.searchsorted(keys, account * span + day - low)
    found = rows[np.minimum(at, len(rows) - 1)]
    return np.where((at < len(rows)) & (terms.account[found] == account), found, -1)


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


def _list(entries: Entries, late: Bools, file_row: Ints) -> tuple[GamingRow, ...]:
    groups = (("raised a value", entries.change > 0), ("lowered a value", entries.change < 0))
    return tuple(
        GamingRow(f"recorded late, {what}", int((late & rows).sum()), None, tuple(np.sort(file_row[late & rows])[:SHOWN_ROWS].tolist()))
        for what, rows in groups
    )

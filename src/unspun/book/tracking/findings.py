"""Findings of tracking in words, and the series that they are drawn with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from unspun.book.checks.finding import Finding, Severity, Span
from unspun.book.checks.shape import BookShape
from unspun.book.sql_words import local_day, sql_day, sql_name, sql_text
from unspun.book.tracking.judge import TrackingChange
from unspun.book.tracking.level import UNUSUAL, Floats, Levels
from unspun.book.tracking.question import NO_NAME
from unspun.book.tracking.series import TrackingSeries
from unspun.book.tracking.spans import contrast, others_of
from unspun.book.tracking.usage import DailyUsage, Key

CODE = "tracking_breaks"
WIDEST_SD = 3.0  # of a band that is drawn, on the log scale: beyond it the band is wider than any page
EPOCH = date(1970, 1, 1)
ERROR_DAYS = 2.0  # an error where what is missing (or too much) comes to so many days' use
AFFECTS = ("usage trends", "score audits with events")
VERBS = {"stopped": "stopped", "fell": "fell at once", "rose": "rose at once", "usage_fell": "fell at once"}


def finding_of_change(shape: BookShape, usage: DailyUsage, found: TrackingChange) -> Finding:
    """A change as a finding about the events."""
    span, change = span_of(found), found.change
    life = int(np.count_nonzero(usage.counts[change.series]))
    return Finding(
        check=CODE,
        table="events",
        severity=_severity(found),
        count=change.days,
        of=max(change.days + life, 1),
        unit="days",
        message=_message(usage, found, span),
        affects=AFFECTS,
        mend=_mend(found),
        rows_sql=_rows_sql(shape, found.key, span),
        subject=_subject(found, span),
        span=span,
        facts=_facts(usage, found),
    )


def span_of(found: TrackingChange) -> Span:
    """The days of a change, as figures computed over them refer to it."""
    key = found.key
    last = None if found.last_day is None else EPOCH + timedelta(days=found.last_day)
    measure = "" if found.measures else key.measure
    return Span(found.kind, EPOCH + timedelta(days=found.first_day), last, key.event, measure, key.where, round(found.change.kept, 4))


def series_of_changes(usage: DailyUsage, levels: Levels, changes: Sequence[TrackingChange]) -> tuple[TrackingSeries, ...]:
    """Each series in which something was found, day by day, with what was found in it."""
    return tuple(_series(usage, levels, key, [c for c in changes if c.key == key]) for key in dict.fromkeys(c.key for c in changes))


def _series(usage: DailyUsage, levels: Levels, key: Key, changes: Sequence[TrackingChange]) -> TrackingSeries:
    i = usage.keys.index(key)
    none = np.zeros(0, dtype=np.int64)
    beside = contrast(levels, i, others_of(usage).get(i, none))
    expected = levels.expected[i] * np.exp(np.nan_to_num(beside.common))
    for one in changes:
        expected[one.change.first : one.change.last + 1] = one.change.course
    known = np.flatnonzero(~np.isnan(expected))
    shown = slice(int(known[0]), int(known[-1]) + 1)
    sd = np.minimum(np.nan_to_num(beside.sd), WIDEST_SD)
    return TrackingSeries(
        event=key.event,
        measure=key.measure,
        where=key.where,
        days=tuple(EPOCH + timedelta(days=int(day)) for day in usage.days[shown]),
        counted=_tuple(usage.counts[i, shown]),
        expected=_tuple(expected[shown]),
        low=_tuple((expected * np.exp(-UNUSUAL * sd))[shown]),
        high=_tuple((expected * np.exp(UNUSUAL * sd))[shown]),
        spans=tuple(span_of(one) for one in changes),
    )


def _tuple(values: Floats) -> tuple[float, ...]:
    return tuple(np.round(np.nan_to_num(values), 3).tolist())


def _severity(found: TrackingChange) -> Severity:
    if not found.is_broken:
        return "note"
    return "error" if abs(1 - found.change.kept) * found.change.days >= ERROR_DAYS else "warning"


def _message(usage: DailyUsage, found: TrackingChange, span: Span) -> str:
    one = "All events" if not (found.key.event or found.key.measure) else _named(found)
    where = f" where {_column(found.key)} is {found.key.where[1]}" if found.key.where else ""
    accounts = _accounts(usage, found)
    said = f"{one}{where} {_verb(found)} {_when(span)}: {_percent(found.change.kept)} of what was expected, in {accounts}"
    return f"{said}." if found.is_broken else f"{said}: customers who use it less, not broken tracking."


def _named(found: TrackingChange) -> str:
    key = found.key
    if found.measures:
        return f"{', '.join(found.measures[:-1])} and {found.measures[-1]}"
    return key.measure or key.event


def _verb(found: TrackingChange) -> str:
    return VERBS[found.kind]


def _when(span: Span) -> str:
    if span.last is None:
        return f"from {span.first} on, and had not come back when the data ended"
    return f"on {span.first}" if span.last == span.first else f"from {span.first} to {span.last}"


def _percent(kept: float) -> str:
    percent = 100 * kept
    return f"{percent:,.0f} %" if percent >= 1 or percent == 0 else "less than 1 %"


def _accounts(usage: DailyUsage, found: TrackingChange) -> str:
    broad = found.breadth
    whole = len(usage.watched.places) >= usage.watched.accounts
    return f"{broad.changed} of {'' if whole else 'the '}{broad.accounts} accounts {_accounts_that(whole)}"


def _accounts_that(whole: bool) -> str:
    return "that used it enough before" if whole else "looked at one by one that used it enough before"


def _mend(found: TrackingChange) -> str:
    if not found.is_broken:
        return "Nothing: it is told here so that the fall of the total is not taken for a fault. The accounts concerned used it less."
    if found.kind == "rose":
        return "Look for events that were sent or loaded twice in these days; load them again without the repeats, or accept the span."
    return "Load the missing events if they can be had, or accept the span: figures computed over it then say so."


def _column(key: Key) -> str:
    return key.where[0].split(".", 1)[1] if key.where else ""


def _subject(found: TrackingChange, span: Span) -> str:
    where = f"{_column(found.key)}={found.key.where[1]}" if found.key.where else ""
    return "/".join(part for part in (found.key.event or "all events", span.measure, where, span.first.isoformat()) if part)


def _facts(usage: DailyUsage, found: TrackingChange) -> dict[str, str | int | float | None]:
    change, broad = found.change, found.breadth
    return {
        "days": change.days,
        "counted": round(change.counted, 1),
        "expected": round(change.expected, 1),
        "kept_share": round(change.kept, 4),
        "measures": ", ".join(found.measures or ([found.key.measure] if found.key.measure else [])),
        "accounts": usage.watched.accounts,
        "accounts_looked_at": len(usage.watched.places),
        "accounts_that_used_it_before": broad.accounts,
        "accounts_changed": broad.changed,
        "breadth": round(broad.share, 3),
    }


def _rows_sql(shape: BookShape, key: Key, span: Span) -> str:
    """What was counted on each day from two days before the span to its end (or four weeks of it)."""
    day = local_day("occurred", shape.definition.time_zone)
    end = min(span.last or date.max, span.first + timedelta(days=28))
    days = f"range({sql_day(span.first - timedelta(days=2))}, {sql_day(end + timedelta(days=1))}, INTERVAL 1 DAY)"
    chosen = [f"{day} BETWEEN {sql_day(span.first - timedelta(days=2))} AND {sql_day(end)}"]
    if key.event:
        chosen.append("event IS NULL" if key.event == NO_NAME else f"event = {sql_text(key.event)}")
    if key.where and key.where[0].startswith("events."):
        chosen.append(f"{sql_name(_column(key))} = {sql_text(key.where[1])}")
    if key.where and key.where[0].startswith("accounts."):
        chosen.append(f"account_id IN (SELECT account_id FROM accounts WHERE {sql_name(_column(key))} = {sql_text(key.where[1])})")
    counted = f"sum({sql_name(key.measure)})" if key.measure else "count(*)"
    return (
        f"SELECT CAST(each AS DATE) AS day, coalesce(counted, 0) AS counted FROM (SELECT unnest({days}) AS each) LEFT JOIN "
        f"(SELECT {day} AS day, {counted} AS counted FROM events WHERE {' AND '.join(chosen)} GROUP BY 1) AS found "
        "ON found.day = CAST(each AS DATE) ORDER BY day"
    )

"""Values raised in the last business days of months and quarters."""

from __future__ import annotations

import numpy as np

from unspun.audit.gaming.checks import Code, Finding, cannot_tell, list_times, times
from unspun.audit.gaming.entries import Bools, Days, Entries, calendar_month, changes_of, month, quarter, week
from unspun.audit.protocol import PERIOD_END_BUSINESS_DAYS
from unspun.stats.estimate import NoEstimate
from unspun.stats.stratified import Excess, excess_events

CODE: Code = "period_end"
MEASURED = "how many times as large the share of raised values among changes is at the end of periods as at other times"
MIN_PERIODS = 6


def check_period_end(entries: Entries) -> Finding:
    """Compare the share of changes that raise a value at the ends of months, and of quarters, with the rest of the month or quarter."""
    used, whose = entries.people_only(entries.moved)
    changes = changes_of(entries, used)
    day, n = changes.day, len(changes)
    clusters = week(day), changes.cluster
    found: list[tuple[str, Bools, Excess | NoEstimate]] = []
    for name, months, stratum in (("months", 1, month(day)), ("quarters", 3, quarter(day))):
        at_end = ends_period(day, months)
        found.append((name, at_end, excess_events(changes.raised, at_end, stratum, clusters, MIN_PERIODS, changes.kind)))
    tested = [(name, at_end, each) for name, at_end, each in found if isinstance(each, Excess)]
    if not tested:
        why = found[0][2]
        assert isinstance(why, NoEstimate)
        reason = f"changes of the score cannot be compared between the ends of periods and other times: {why.reason}"
        return cannot_tell(CODE, MEASURED, NoEstimate(reason, f"changes at {MIN_PERIODS} month ends or more, and between them"), n)
    name, at_end, clearest = min(tested, key=lambda each: each[2].p)
    n_at_end = int(changes.count[at_end].sum())
    said = (
        f"Of {n_at_end:,} changes{whose} in the last {PERIOD_END_BUSINESS_DAYS} business days of {name}, {clearest.events:,} "
        f"raised the value; {clearest.expected:,.0f} would at the rate of the other changes{times(clearest.ratio)}."
    )
    listed = list_times(entries, changes, at_end & changes.raised, calendar_month(day), _say_month)
    return Finding(CODE, said, MEASURED, clearest.ratio, min(1.0, clearest.p * len(tested)), n, listed)


def ends_period(day: Days, months: int) -> Bools:
    """Days from the third-last business day (Monday to Friday) of a period of `months` calendar months to its end."""
    number = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    last = (number // months + 1) * months
    first_of_next = last.astype("datetime64[M]").astype("datetime64[D]")
    from_day = np.busday_offset(first_of_next, -PERIOD_END_BUSINESS_DAYS, roll="forward")
    return day.astype("datetime64[D]") >= from_day


def _say_month(number: int) -> str:
    return f"raised at the end of {np.datetime64(number, 'M')}"

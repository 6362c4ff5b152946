"""Values raised in the last business days of months and quarters."""

from __future__ import annotations

import numpy as np

from unspun.audit.gaming.checks import SHOWN_ROWS, Code, Finding, cannot_tell, times
from unspun.audit.gaming.entries import Bools, Days, Entries, Ints, calendar_month, month, quarter, week
from unspun.audit.protocol import PERIOD_END_BUSINESS_DAYS
from unspun.audit.result import GamingRow
from unspun.stats.estimate import NoEstimate
from unspun.stats.stratified import Excess, excess_events

CODE: Code = "period_end"
MEASURED = "how many times as large the share of raised values among changes is at the end of periods as at other times"
MIN_PERIODS = 6
LISTED_PERIODS = 8


def check_period_end(entries: Entries, file_row: Ints) -> Finding:
    """Compare the share of changes that raise a value at the ends of months, and of quarters, with the rest of the month or quarter."""
    used, whose = entries.people_only(entries.moved)
    day, raised, cluster = entries.set_on[used], (entries.change > 0)[used], entries.cluster[used]
    clusters = week(day), cluster
    found: list[tuple[str, Bools, Excess | NoEstimate]] = []
    for name, months, stratum in (("months", 1, month(day)), ("quarters", 3, quarter(day))):
        at_end = ends_period(day, months)
        found.append((name, at_end, excess_events(raised, at_end, stratum, clusters, MIN_PERIODS)))
    tested = [(name, at_end, each) for name, at_end, each in found if isinstance(each, Excess)]
    if not tested:
        why = found[0][2]
        assert isinstance(why, NoEstimate)
        reason = f"changes of the score cannot be compared between the ends of periods and other times: {why.reason}"
        return cannot_tell(CODE, MEASURED, NoEstimate(reason, f"changes at {MIN_PERIODS} month ends or more, and between them"), len(day))
    name, at_end, clearest = min(tested, key=lambda each: each[2].p)
    said = (
        f"Of {int(at_end.sum()):,} changes{whose} in the last {PERIOD_END_BUSINESS_DAYS} business days of {name}, {clearest.events:,} "
        f"raised the value; {clearest.expected:,.0f} would at the rate of the other changes{times(clearest.ratio)}."
    )
    listed = _list(day, at_end & raised, file_row[np.flatnonzero(used)])
    return Finding(CODE, said, MEASURED, clearest.ratio, min(1.0, clearest.p * len(tested)), len(day), listed)


def ends_period(day: Days, months: int) -> Bools:
    """Days from the third-last business day (Monday to Friday) of a period of `months` calendar months to its end."""
    number = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    last = (number // months + 1) * months
    first_of_next = last.astype("datetime64[M]").astype("datetime64[D]")
    from_day = np.busday_offset(first_of_next, -PERIOD_END_BUSINESS_DAYS, roll="forward")
    return day.astype("datetime64[D]") >= from_day


def _list(day: Days, shown: Bools, file_row: Ints) -> tuple[GamingRow, ...]:
    """The periods with the most raised values at their end."""
    of = calendar_month(day)[shown]
    rows = file_row[shown]
    numbers, counts = np.unique(of, return_counts=True)
    largest = np.argsort(-counts, kind="stable")[:LISTED_PERIODS]
    return tuple(
        GamingRow(f"raised at the end of {np.datetime64(int(numbers[i]), 'M')}", int(counts[i]), None, _first(rows[of == numbers[i]]))
        for i in largest
    )


def _first(rows: Ints) -> tuple[int, ...]:
    return tuple(np.sort(rows)[:SHOWN_ROWS].tolist())

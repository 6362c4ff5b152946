"""Sources that ended before the as-of day: an export of some days ago, or tracking that stopped a few days before.

A sum over four weeks, five days of which are not in the book, is smaller for everybody, and the check of tracking cannot tell the end of an
export from an outage. To renewal risk it is one: the last days are hidden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np

from unspun.app.evidence.inputs import OpenTrial
from unspun.app.panel.basis import PanelBasis
from unspun.app.panel.request import tables_read
from unspun.app.trial.book import TrialDay, holds
from unspun.book.checks.finding import Span
from unspun.book.sql_words import local_day, sql_name
from unspun.metrics.metric import MetricSet

Spans = tuple[Span, ...]
LEAST_DAYS, MOST_DAYS = 2, 31
"""Days without a row up to the as-of day: of fewer nothing is seen in four weeks, after more the event is no longer one that happens."""
YEAR_DAYS = 366
DENSE, FEWEST_DAYS = 0.5, 60
"""The least share of the days of the year before, and the least number of them, on which a daily event has rows of anybody."""


def with_tails(trial: OpenTrial, basis: PanelBasis, metrics: MetricSet) -> Mapping[str, Spans]:
    """The outages of the basis, and those that go on as of its last day: of each dense table that the metrics read."""
    found = dict(basis.outages)
    for table in tables_read(metrics, basis.asked):
        if metrics.source(table).silent_days is not None and holds(trial.reader, table):
            recorded = found.get(table, ())
            if ended := _ended(trial, table, basis, recorded):
                found[table] = (*recorded, *ended)
    return found


def _ended(trial: OpenTrial, table: str, basis: PanelBasis, recorded: Spans) -> Spans:
    held, as_of = trial.reader.version.table(table), basis.known_on
    named = held is not None and any(name == "event" for name, _ in held.columns)
    event, day = "coalesce(event, '')" if named else "''", local_day("happened_at", basis.time_zone)
    sql = f"SELECT {event} AS event, {day} AS day FROM {sql_name(table)} WHERE {day} BETWEEN $1 AND $2 GROUP BY ALL ORDER BY ALL"
    with trial.known(TrialDay(as_of, basis.time_zone)) as known:
        rows = known.query(sql, [as_of - timedelta(days=YEAR_DAYS + MOST_DAYS), as_of])
    days: dict[str, list[date]] = {}
    for name, one in zip(rows["event"].to_pylist(), rows["day"].to_pylist(), strict=True):
        days.setdefault(name, []).append(one)
    firsts = {name: tail_of(each, as_of, recorded) for name, each in days.items() if name or not named}
    return tuple(Span("stopped", first, None, event=name) for name, first in firsts.items() if first is not None)


def tail_of(days: Sequence[date], as_of: date, recorded: Spans = ()) -> date | None:
    """The first of the days without a row up to the as-of day, where these are more than were ever without one at a stretch in the year
    before, recorded outages aside. None where they are not, or where `days`, those that have a row, rising, are not of a daily event."""
    last = days[-1]
    tail = (as_of - last).days
    year = [one for one in days if one > last - timedelta(days=YEAR_DAYS)]
    is_daily = len(year) >= max(FEWEST_DAYS, DENSE * ((last - year[0]).days + 1))
    if not (is_daily and LEAST_DAYS <= tail <= MOST_DAYS):
        return None
    numbers = np.array(year, "datetime64[D]").astype(np.int64)
    silent = np.diff(numbers) - 1
    usual = [at for at in range(len(silent)) if not any(span.touches(year[at], year[at + 1]) for span in recorded)]
    longest = int(silent[usual].max(initial=0))
    return last + timedelta(days=1) if tail > longest else None

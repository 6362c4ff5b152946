"""Values of metrics on account-months; what a tracking outage hides is the last value from before it, with its age.

That is the value of the day before the outage began, or else of a first day of a month before.

A value is taken from before only where the account had been a customer for the metric's whole window then: a sum over the first days of a
new account is small because it is new, and by now it would not be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unspun.app.evidence.inputs import EPOCH
from unspun.app.panel.basis import PanelBasis
from unspun.app.panel.request import MetricsDefinition, nodes_of, tables_read
from unspun.app.risk.rows import MONTHS_BACK, MOST_EVES, earlier_months
from unspun.app.trial.panel import TrialPanel, rows_at
from unspun.book.tables import Codes
from unspun.metrics.measure_nodes import Measure
from unspun.metrics.missing import REASON_CODES
from unspun.metrics.windows import Days, LastPeriod, Months, Period, ThisPeriod, Window
from unspun.risk.rows import HIDDEN, Bools, Floats, Ints

HIDDEN_CODES = np.array([REASON_CODES.index(reason) for reason in sorted(HIDDEN)])
PERIOD_DAYS: dict[Period, int] = {"month": 31, "quarter": 92, "year": 366}


@dataclass(frozen=True, slots=True)
class CarriedValues:
    """A metric on some rows: NaN where it has no value, the code of the reason, and how many days old what stands for a hidden value is."""

    values: Floats
    reason: Codes
    stale_days: Ints


@dataclass(frozen=True, slots=True)
class LookedAt:
    """The rows whose values are wanted: account (code), day, and since when the account is a customer. Days are since 1970-01-01."""

    account: Ints
    day: Ints
    since: Ints


def eves_of_outages(basis: PanelBasis, definition: MetricsDefinition) -> tuple[int, ...]:
    """The days before the outages of the tables that the metrics read, up to the as-of day: the latest MOST_EVES, rising."""
    read = tables_read(definition.metrics, basis.asked)
    firsts = {span.first for table, spans in basis.outages.items() if table in read for span in spans if span.first <= basis.known_on}
    return tuple(sorted((first - EPOCH).days - 1 for first in firsts))[-MOST_EVES:]


def carried_values(
    panel: TrialPanel, definition: MetricsDefinition, accounts: tuple[str, ...], rows: LookedAt, eves: tuple[int, ...] = ()
) -> dict[str, CarriedValues]:
    """Each metric of the panel on the rows, by id. On the `eves` of outages the panel has values too."""
    at = rows_at(panel, accounts, rows.account, rows.day)
    days = [earlier_months(rows.day, back) for back in range(1, MONTHS_BACK + 1)]
    days += [np.where((days[-1] <= eve) & (eve < rows.day), eve, days[-1]) for eve in eves]
    before = [(day, rows_at(panel, accounts, rows.account, day)) for day in days] if len(panel) else []
    found: dict[str, CarriedValues] = {}
    for id, column in panel.columns.items():
        reason = np.append(panel.missing[id].codes, -1)[at]
        whole = rows.since + whole_window_days(definition, id)
        found[id] = _carried(np.append(column, np.nan), reason, at, before, rows.day, whole)
    return found


def whole_window_days(definition: MetricsDefinition, id: str) -> int:
    """How long an account must have been a customer for the longest window of a metric to hold nothing but days of it."""
    nodes = nodes_of(definition.metrics, (id,))
    return max((_window_days(node.rows.window) for node in nodes if isinstance(node, Measure)), default=0)


def _window_days(window: Window) -> int:
    match window:
        case Days(days):
            return days
        case Months(months):
            return 31 * months
        case ThisPeriod(period) | LastPeriod(period):
            return PERIOD_DAYS[period]
        case _:
            return 0


def _carried(panel: Floats, reason: Ints, at: Ints, before: list[tuple[Ints, Ints]], day: Ints, whole: Ints) -> CarriedValues:
    """`panel` holds the metric by row of the panel (the last one is NaN), `at` the row of each, `before` earlier days with theirs, of which
    the latest with a value is taken; none from a day before `whole`."""
    values, source = panel[at], day.copy()
    hidden: Bools = np.isnan(values) & np.isin(reason, HIDDEN_CODES)
    for earlier, rows in before:
        newer = np.isnan(values) | (earlier > source)
        taken = hidden & newer & np.isfinite(panel[rows]) & (earlier >= whole)
        values[taken], source[taken] = panel[rows][taken], earlier[taken]
    left = np.where(np.isfinite(values), -1, reason).astype(np.int32)
    return CarriedValues(values, Codes(left, REASON_CODES), day - source)

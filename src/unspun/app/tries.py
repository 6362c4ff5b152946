"""Scores tried on a test period: each is counted in the ledger, and intervals are the wider the more were tried.

Whoever tries many scores on the same renewals and keeps the best has fitted on the test. The interval of try number i is one of i (i + 1)
at the house level. The shares 1 / (i (i + 1)) add up to less than 1, so that the chance that any interval of all tries leaves out the truth
stays under 5 %, though nobody knows beforehand how many there will be: a Bonferroni correction that is spent as tries come (Foster and
Stine, JRSS B 70 (2008) 429-444, on spending in general).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from unspun.app.evidence.inputs import TrialInputs
from unspun.audit.split import Parts
from unspun.ledger.chain import Entry
from unspun.stats.concordance import PAIRED_DELONG
from unspun.warehouse.catalog import Catalog

KIND = "try"
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class TestPeriod:
    """The as-of days of the test units, first and last, at a horizon."""

    horizon_days: int
    first: date
    last: date

    def overlaps(self, body: Mapping[str, Any]) -> bool:
        """Whether a recorded try was judged on some of the same days."""
        return date.fromisoformat(body["test_first"]) <= self.last and date.fromisoformat(body["test_last"]) >= self.first


@dataclass(frozen=True, slots=True)
class Try:
    """A try as it was counted: its number among those of this test period, its ledger entry, and whether it had been tried before."""

    number: int
    entry: Entry
    again: bool

    @property
    def one_of(self) -> int:
        """Of how many intervals its own is one."""
        return self.number * (self.number + 1)

    @property
    def method(self) -> str:
        """How the interval of a difference was worked out."""
        return f"{PAIRED_DELONG}; try {self.number} on this test period, one of {self.one_of} intervals (Bonferroni, spent as tries come)"


def test_period(inputs: TrialInputs) -> TestPeriod | None:
    """The test period of a trial; None where there is no test."""
    parts = inputs.frame.parts
    if not isinstance(parts, Parts) or not parts.test.any():
        return None
    days = inputs.frame.units.as_of[parts.test]
    return TestPeriod(inputs.horizon_days, *(EPOCH + timedelta(days=int(day)) for day in (days.min(), days.max())))


def count_try(catalog: Catalog, period: TestPeriod, body: Mapping[str, object], at: datetime) -> Try:
    """Record a try, unless the same was recorded already; and its number among those whose test period holds some of the same days.

    `body` is what makes a try the same: what was tried, beside what, on which book.
    """
    stated: dict[str, object] = {
        **body,
        "horizon_days": period.horizon_days,
        "test_first": period.first.isoformat(),
        "test_last": period.last.isoformat(),
    }
    with catalog.transaction():
        earlier = [entry for entry in catalog.entries(kind=KIND) if period.overlaps(entry.body)]
        for number, entry in enumerate(earlier, 1):
            if entry.body == stated:
                return Try(number, entry, True)
        return Try(len(earlier) + 1, catalog.append_entry(KIND, stated, at), False)

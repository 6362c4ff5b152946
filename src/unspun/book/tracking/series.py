"""What was counted each day beside what was expected: what a finding of tracking is drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from unspun.book.checks.finding import Span


@dataclass(frozen=True, slots=True)
class TrackingSeries:
    """One event name (or measure column), in the whole book or a part of it, day by day, with the spans found in it.

    `event` is "" for all events, `measure` "" for rows, `where` () for the whole book. `counted`, `expected`, `low` and `high` have a
    figure for each of `days`; between `low` and `high` a day is as usual.
    """

    event: str
    measure: str
    where: tuple[str, str] | tuple[()]
    days: tuple[date, ...]
    counted: tuple[float, ...]
    expected: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    spans: tuple[Span, ...]

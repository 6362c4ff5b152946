"""What became of past renewals like this one: the nearest in risk, at a like lead, of the same segment where that has enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from unspun.risk.result import PastRenewal, SimilarAccounts
from unspun.risk.rows import OUTCOMES4, RiskRows
from unspun.stats.estimate import Estimate, NoEstimate
from unspun.stats.proportion import clustered_share

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NEAREST = 50
EPOCH = date(1970, 1, 1).toordinal()
FEWEST_IN_SEGMENT = 30
LEAD_EDGES_DAYS = np.array([0, 30, 60, 90, 120, 150, 180, 240, 300, 365, 450, 548])
TOO_FEW = NoEstimate(
    f"fewer than {FEWEST_IN_SEGMENT} renewals at a like lead have been decided",
    f"{FEWEST_IN_SEGMENT} decided renewals at this lead or more",
)


@dataclass(frozen=True, slots=True)
class _Group:
    """Decided renewals of one span of lead (and segment), one row each, by rising risk. `at` are positions among the past rows."""

    at: Ints
    risk: Floats
    segment: str | None


class SimilarPast:
    """Decided renewals, ready to be asked which of them were like another."""

    def __init__(self, past: RiskRows, risk: Floats, segment: Sequence[str | None], account_names: Sequence[str]) -> None:
        """`past` holds account-months of decided renewals, with their risk (n,) and segment; names are by account code."""
        self._past, self._risk, self._names = past, risk, account_names
        self._names_of_segment = sorted({one for one in segment if one is not None})
        code = {name: at for at, name in enumerate(self._names_of_segment)}
        self._segment = np.array([-1 if one is None else code[one] for one in segment], dtype=np.int64)
        self._span = _span(past.lead)
        self._groups: dict[tuple[int, str | None], _Group] = {}
        self._answers: dict[tuple[int, str | None, int], SimilarAccounts] = {}

    def of(self, lead: int, segment: str | None, risk: float) -> SimilarAccounts | NoEstimate:
        """The NEAREST in risk of the same segment, or of all segments where it has fewer than FEWEST_IN_SEGMENT."""
        span = int(_span(np.array([lead]))[0])
        group = self._group(span, segment)
        if segment is not None and len(group.at) < FEWEST_IN_SEGMENT:
            group = self._group(span, None)
        if len(group.at) < FEWEST_IN_SEGMENT:
            return TOO_FEW
        first = _first_of_nearest(group.risk, risk)
        key = (span, group.segment, first)
        if key not in self._answers:
            self._answers[key] = self._describe(group, group.at[first : first + NEAREST])
        return self._answers[key]

    def _group(self, span: int, segment: str | None) -> _Group:
        key = (span, segment)
        if key not in self._groups:
            self._groups[key] = self._make_group(span, segment)
        return self._groups[key]

    def _make_group(self, span: int, segment: str | None) -> _Group:
        inside = self._span == span
        if segment is not None:
            known = segment in self._names_of_segment
            inside &= self._segment == (self._names_of_segment.index(segment) if known else -2)
        rows = np.flatnonzero(inside)
        rows = rows[np.lexsort((self._past.as_of[rows], self._past.renewal[rows]))]
        rows = rows[np.append(np.diff(self._past.renewal[rows]) != 0, True)[: len(rows)]]  # each renewal once, at its latest day
        rows = rows[np.lexsort((rows, self._risk[rows]))]
        return _Group(rows, self._risk[rows], segment)

    def _describe(self, group: _Group, at: Ints) -> SimilarAccounts:
        past = self._past
        outcome, lead = past.outcome[at], past.due[at] - past.as_of[at]
        cluster = np.unique(past.cluster[at], return_inverse=True)[1]  # few numbers: what is counted by cluster is no longer than they are
        whose = f"of segment {group.segment}" if group.segment is not None else "of all segments"
        low, high = int(lead.min()), int(lead.max())
        return SimilarAccounts(
            n=len(at),
            n_accounts=len(np.unique(past.account[at])),
            segment=group.segment,
            lead_low_days=low,
            lead_high_days=high,
            outcomes={name: clustered_share(outcome == place, cluster) for place, name in enumerate(OUTCOMES4)},
            renewals=self._past_renewals(at),
            told=f"the {len(at)} decided renewals {whose} nearest in risk, {low} to {high} days before they were due",
        )

    def _past_renewals(self, at: Ints) -> tuple[PastRenewal, ...]:
        past = self._past
        names, outcomes = [self._names[int(who)] for who in past.account[at]], [OUTCOMES4[one] for one in past.outcome[at]]
        days = zip(past.due[at].tolist(), past.as_of[at].tolist(), strict=True)
        told = zip(names, days, outcomes, strict=True)
        return tuple(PastRenewal(name, _day(due), _day(as_of), outcome) for name, (due, as_of), outcome in told)


def likeliest(similar: SimilarAccounts) -> str:
    """The commonest outcome of the similar ones."""
    shares = {name: one.point for name, one in similar.outcomes.items() if isinstance(one, Estimate)}
    return max(shares, key=lambda name: shares[name])


def _span(lead: Ints) -> Ints:
    return np.searchsorted(LEAD_EDGES_DAYS, lead, side="left").astype(np.int64)


def _first_of_nearest(rising: Floats, risk: float) -> int:
    """Where the NEAREST values to `risk` begin among rising ones."""
    if len(rising) <= NEAREST:
        return 0
    place = int(np.searchsorted(rising, risk))
    first = np.arange(max(place - NEAREST, 0), min(place, len(rising) - NEAREST) + 1)
    reach = np.maximum(risk - rising[first], rising[first + NEAREST - 1] - risk)
    return int(first[np.argmin(reach)])


def _day(day: int) -> date:
    return date.fromordinal(EPOCH + day)

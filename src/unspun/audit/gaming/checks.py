"""What the gaming checks share: the words of each, and how a finding becomes a GamingCheck."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from unspun.audit.gaming.entries import Bools, Changes, Entries, Ints
from unspun.audit.gaming.proof import FALSE_ALARMS, STUDY
from unspun.audit.protocol import GAMING_P
from unspun.audit.result import GamingCheck, GamingPoint, GamingRow
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate
from unspun.stats.proportion import wilson

Code = Literal["bunching", "period_end", "back_dated", "before_reviews", "goodhart_gap"]
SHOWN_ROWS, LISTED_TIMES = 20, 8
QUESTIONS: dict[Code, str] = {
    "bunching": "Do values lie just on the healthier side of a band's threshold more often than the curve around it would have them?",
    "period_end": "Are values raised rather than lowered more often in the last business days of a period than at other times?",
    "back_dated": "Do values that were recorded long after their date go up, or go with the outcome, more than those recorded in time?",
    "before_reviews": "Are values raised by hand more often in the days before reviews than at other times?",
    "goodhart_gap": "Does the score rise while the outcome it stands for does not?",
}
INNOCENT: dict[Code, tuple[str, ...]] = {
    "bunching": (
        "a formula that adds steps, so that some values near the threshold cannot occur",
        "people who mean a band and enter its lowest value",
        "work that stops once an account has reached the threshold",
    ),
    "period_end": (
        "a score that counts something from the first of the month",
        "reviews held at the end of a period, in which overdue good news is entered",
        "customers whose own use or payments peak at the end of a period",
    ),
    "back_dated": (
        "corrections of a source that had failed, entered when it was mended",
        "notes of meetings entered weeks later by people who knew the outcome by then and meant no harm",
        "an import that carries the day of the import as the day of recording",
    ),
    "before_reviews": (
        "a review for which good news is collected and entered",
        "reviews that fall on days on which something else makes customers healthier",
    ),
    "goodhart_gap": (
        "a market in which customers of the same health leave more often than before",
        "a change of the score's formula or of what it is fed with",
        "a change in which customers are looked at",
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one detector saw. `p` is None where it could not tell; `evidence` then says why and what it would take."""

    code: Code
    evidence: str
    measured: str
    statistic: MaybeEstimate
    p: float | None
    n: int
    listed: tuple[GamingRow, ...] = ()
    series: tuple[GamingPoint, ...] = ()


def cannot_tell(code: Code, measured: str, why: NoEstimate, n: int, series: tuple[GamingPoint, ...] = ()) -> Finding:
    """A finding of a detector that could not be asked."""
    takes = f" It would take: {why.what_it_would_take}." if why.what_it_would_take else ""
    return Finding(code, f"{why.reason[:1].upper()}{why.reason[1:]}.{takes}", measured, why, None, n, (), series)


def conclude(finding: Finding) -> GamingCheck:
    """The check, with its words and its false-alarm rate."""
    found = "cannot tell" if finding.p is None else "evidence" if finding.p < GAMING_P else "none seen"
    return GamingCheck(
        code=finding.code,
        question=QUESTIONS[finding.code],
        found=found,
        evidence=finding.evidence,
        measured=finding.measured,
        statistic=finding.statistic,
        p=finding.p,
        n=finding.n,
        listed=finding.listed,
        series=finding.series,
        innocent=INNOCENT[finding.code],
        false_alarm=false_alarm(finding.code),
    )


def false_alarm(code: Code) -> Estimate:
    """The share of simulated honest histories in which the check saw evidence, as measured by the study."""
    flagged, n, worst = FALSE_ALARMS[code]
    low, high = wilson(flagged / n, n)
    caveat = f"{worst * 100:.1f} % in the kind of history where it was most frequent"
    return Estimate(flagged / n, low, high, f"simulated honest histories ({STUDY}); Wilson", n, caveats=(caveat,))


def times(ratio: Estimate) -> str:
    """A ratio in words, with its interval."""
    return f" ({ratio.point:.2f} times as often, {ratio.low:.2f} to {ratio.high:.2f})"


def first_rows(entries: Entries, places: Ints) -> tuple[int, ...]:
    """The first of the file's rows that entries at some places were read from."""
    return tuple(np.sort(entries.file_row[entries.row[places]])[:SHOWN_ROWS].tolist())


def list_times(entries: Entries, changes: Changes, shown: Bools, time: Ints, say: Callable[[int], str]) -> tuple[GamingRow, ...]:
    """The times (periods, reviews) with the most changes. `shown` and `time` are given per kind of change."""
    kinds = np.flatnonzero(shown)
    numbers, number = np.unique(time[kinds], return_inverse=True)
    counts = np.bincount(number, weights=changes.count[kinds])
    largest = np.argsort(-counts, kind="stable")[:LISTED_TIMES]
    group = np.full(len(shown), -1)
    for rank, i in enumerate(largest.tolist()):
        group[kinds[number == i]] = rank
    places = changes.places(group, len(largest))
    return tuple(
        GamingRow(say(int(numbers[i])), int(counts[i]), None, first_rows(entries, at)) for i, at in zip(largest, places, strict=True)
    )

"""Figures in a terminal's tables, in the words of the reports."""

from __future__ import annotations

from unspun.reports.words import AUC, BRIER, GAIN, RATIO, SHARE, Style, estimated
from unspun.reports.words import percent as _percent
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

NO_ESTIMATE = "no estimate"
TIMES = "\u00d7"
_SMALL_SHARE = Style(1, percent=True)
_SMALL_BELOW = 0.0995  # under 10 % the next digit matters


def auc(value: MaybeEstimate) -> str:
    return shown(value, AUC)


def gain(value: MaybeEstimate) -> str:
    return shown(value, GAIN)


def ratio(value: MaybeEstimate) -> str:
    return shown(value, RATIO)


def brier(value: MaybeEstimate) -> str:
    return shown(value, BRIER)


def share(value: MaybeEstimate) -> str:
    return shown(value, _SMALL_SHARE if isinstance(value, Estimate) and 0 < value.point < _SMALL_BELOW else SHARE)


def shown(value: MaybeEstimate, style: Style) -> str:
    """The point with its interval, or the words that there is none."""
    return estimated(value, style) if isinstance(value, Estimate) else NO_ESTIMATE


def percent(part: float) -> str:
    """A bare share; one decimal where it is under 10 %."""
    return _percent(part, 1 if 0 < part < _SMALL_BELOW else 0)


def counted(n: int, one: str) -> str:
    """`1 quarter`, `8 quarters`."""
    return f"{n:,} {one if n == 1 else one + 's'}"


def full_reason(value: NoEstimate) -> str:
    """Why there is no estimate, as a sentence, and what it would take."""
    takes = value.what_it_would_take.rstrip(".")
    if takes and not takes[0].isupper():
        takes = f"It would take {takes}"
    return " ".join(f"{part}." for part in (value.reason.rstrip("."), takes) if part)

"""What an estimate is: a point with its interval and method, or the reason there is none."""

from __future__ import annotations

from dataclasses import dataclass

LEVEL = 0.95  # every interval in the product has this level unless it says otherwise


@dataclass(frozen=True, slots=True)
class Estimate:
    """A point estimate with a two-sided interval. `n` counts the units it rests on."""

    point: float
    low: float
    high: float
    method: str
    n: int
    level: float = LEVEL
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoEstimate:
    """Why there is no estimate, and what it would take to have one. Never a fake zero."""

    reason: str
    what_it_would_take: str = ""


MaybeEstimate = Estimate | NoEstimate

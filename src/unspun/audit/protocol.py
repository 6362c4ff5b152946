"""The numbers of the audit protocol, each once, and the settings a caller may change. See docs/audit-protocol.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

DEFAULT_HORIZONS = (30, 60, 90, 180)
LONG_TERM_DAYS = 180  # at least half the terms this long: renewal design
APPLICABLE_SHARE = 0.80  # of units, for a default horizon to be primary
TEST_SHARE_OF_CHURNED = 0.40
MIN_TEST_CHURNED_CLUSTERS = 20
MIN_TRAIN_CHURNED_FOR_GAIN = 30
MIN_TRAIN_CHURNED_FOR_MAPPING = 10
ISOTONIC_FROM_CHURNED = 200
NO_EVIDENCE_BELOW = 0.60
ADDS_NOTHING_BELOW = 0.02
FDR_Q = 0.025
LEAK_MIN_EDITED = 5
LEAK_FISHER_P = 0.01
RIDGE_PENALTY = 1.0  # on standardised features
MIN_SEGMENT_UNITS = 20  # rarer segments are pooled
REPLICATES = 1000
TOO_GOOD_AUC = 0.85  # the interval's low end
TOO_GOOD_GAIN = 0.20
FROZEN_SHARE = 0.95  # of accounts whose score never changed: a history that could be one snapshot copied back
FROZEN_AUC = 0.55
LEAD_DAYS = tuple(range(0, 361, 30))
MIN_GROUP_CHURNED_CLUSTERS = 5
LISTED_UNITS = 20
DETAILED_SCORES = 12  # with more scores in one run, only the verdicts are worked out unless asked


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """What a caller may declare. Directions are "higher" or "lower" (which is healthier) by score name, "*" for all."""

    design: Literal["auto", "renewal", "landmark"] = "auto"
    horizons: tuple[int, ...] = DEFAULT_HORIZONS
    primary_horizon: int | None = None
    capacity: int = 20
    direction: dict[str, str] = field(default_factory=dict)
    thresholds: tuple[float, ...] = ()
    fixed: tuple[str, ...] = ()
    as_of: date | None = None
    currency_rates: dict[str, float] = field(default_factory=dict)
    reporting_currency: str | None = None
    rates_dated: date | None = None
    seed: int = 20261031
    detail: Literal["auto", "all", "none"] = "auto"
    replicates: int = REPLICATES  # of the bootstrap; 0 leaves captured ARR out

    def higher_is_healthier(self, score: str) -> bool:
        """The declared direction of a score; by default higher is healthier."""
        return self.direction.get(score, self.direction.get("*", "higher")) == "higher"

"""The numbers of the audit protocol, each once, and the settings a caller may change. See docs/audit-protocol.md."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from unspun.book.text import quoted, squash
from unspun.errors import Fault

DEFAULT_HORIZONS = (30, 60, 90, 180)
REPURCHASE_HORIZONS = (30, 60, 90)  # for purchases
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
GAMING_P = 0.01  # below which a gaming check sees evidence; five checks a score
PERIOD_END_BUSINESS_DAYS = 3
BACK_DATED_DAYS = 7  # recorded more than this after its date
REVIEW_DAYS = 7  # before a review, the day itself included
REVERT_DAYS = 30  # a rise undone within this counts as an override where nobody is named

MAX_HORIZON_DAYS = 3650
WHOLE_DAYS = f"Give whole days from 1 to {MAX_HORIZON_DAYS}."


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """What a caller may declare. Directions are "higher" or "lower" (which is healthier) by score name, "*" for all."""

    design: Literal["auto", "renewal", "landmark"] = "auto"
    horizons: tuple[int, ...] = ()  # none: DEFAULT_HORIZONS, or REPURCHASE_HORIZONS for purchases
    primary_horizon: int | None = None
    capacity: int = 20
    direction: dict[str, str] = field(default_factory=dict)
    thresholds: tuple[float, ...] = ()
    fixed: tuple[str, ...] = ()
    as_of: date | None = None
    currency_rates: dict[str, float] = field(default_factory=dict)
    reporting_currency: str | None = None
    rates_dated: date | None = None
    active_days: int = 365  # landmark design on purchases: bought within this many days before t
    seed: int = 20261031
    detail: Literal["auto", "all", "none"] = "auto"
    reviews: tuple[date, ...] = ()  # days on which scores were reviewed; none: the ends of quarters stand in
    replicates: int = REPLICATES  # of the bootstrap; 0 leaves captured ARR out

    def higher_is_healthier(self, score: str) -> bool:
        """The declared direction of a score; by default higher is healthier."""
        return self.direction.get(score, self.direction.get("*", "higher")) == "higher"

    @property
    def segment_fixed(self) -> bool:
        """Whether the segment is declared fixed, however its name is written."""
        return any(squash(name) == "segment" for name in self.fixed)

    def fixed_faults(self, attributes: tuple[str, ...]) -> list[Fault]:
        """What is declared fixed but is neither the segment nor one of the attributes of the accounts file."""
        known = {squash(name) for name in ("segment", *attributes)}
        unknown = [name for name in self.fixed if squash(name) not in known]
        hint = (
            f"The accounts file has {quoted(list(attributes), 30)}." if attributes else "Without a file of accounts, only segment can be."
        )
        return [Fault("bad_option", f"names {', '.join(unknown)}, which is no attribute.", "fixed", hint)] if unknown else []

    def faults(self, attributes: tuple[str, ...] | None = ()) -> list[Fault]:
        """Everything wrong with the settings themselves; empty where they can be used.

        `attributes` are those of the accounts file, None where it could not be read.
        """
        checks = (
            (self.design in ("auto", "renewal", "landmark"), "design", f"is {self.design!r}", "Say renewal or landmark."),
            (all(_whole(h) for h in self.horizons), "horizons", f"are {self.horizons}", WHOLE_DAYS),
            (self.primary_horizon is None or _whole(self.primary_horizon), "primary_horizon", f"is {self.primary_horizon}", WHOLE_DAYS),
            (self.capacity >= 1, "capacity", f"is {self.capacity}", "Say how many accounts a month, 1 or more."),
            (
                set(self.direction.values()) <= {"higher", "lower"},
                "direction",
                f"is {self.direction}",
                "Say higher or lower (is healthier).",
            ),
            (all(map(math.isfinite, self.thresholds)), "thresholds", f"are {self.thresholds}", "Give finite numbers."),
            (all(0 < r < math.inf for r in self.currency_rates.values()), "rates", f"are {self.currency_rates}", "Give positive numbers."),
            (
                not self.currency_rates or bool(self.reporting_currency and self.rates_dated),
                "rates",
                "are given without a currency to convert to or the day they hold for",
                "Give both: --currency USD --rates-dated 2026-01-31.",
            ),
            (self.detail in ("auto", "all", "none"), "detail", f"is {self.detail!r}", "Say auto, all or none."),
            (self.active_days >= 1, "active_days", f"is {self.active_days}", "Give whole days, 1 or more."),
            (self.seed >= 0, "seed", f"is {self.seed}", "Give a whole number, 0 or more."),
            (self.replicates >= 0, "replicates", f"is {self.replicates}", "Give a whole number, 0 or more."),
        )
        found = [Fault("bad_option", f"{what}.", name, hint) for right, name, what, hint in checks if not right]
        return found if attributes is None else [*found, *self.fixed_faults(attributes)]


def _whole(days: int) -> bool:
    return isinstance(days, int) and 1 <= days <= MAX_HORIZON_DAYS

"""Which days a trial looks at, settled from the renewals alone: metrics have to be computed on these days before they can be judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from unspun.audit.frame import applicable_share
from unspun.audit.inputs import day, default_horizons, observe_until
from unspun.audit.protocol import APPLICABLE_SHARE, DEFAULT_HORIZONS, DETAILED_SCORES, AuditSettings
from unspun.audit.result import Design
from unspun.audit.terms import Terms, in_order, order_terms
from unspun.audit.units import ActiveMonths, active_months, choose_design, landmark_units, renewal_units
from unspun.audit.wording import percent
from unspun.book.tables import Renewals

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TrialDays:
    """The days of a trial. In the renewal design a unit is looked at each of `horizons` days before each of `dues`.

    `dues` are the decided renewals by account and due date; in the landmark design they are empty, and each account is looked at on
    the first day of each of `months`. `settings` are those given with as-of date, design, horizons and primary horizon filled in.
    """

    design: Design
    why: str
    as_of: date
    as_of_why: str
    horizons: tuple[int, ...]
    primary_horizon: int
    primary_why: str
    dues: tuple[tuple[str, date], ...]
    months: tuple[date, ...]
    settings: AuditSettings


def trial_days(renewals: Renewals, settings: AuditSettings, today: date | None, subjects: int) -> TrialDays:
    """Settle design, horizons and the primary horizon of a trial of so many subjects.

    Without horizons asked for, more than DETAILED_SCORES subjects are looked at the primary horizon only. Without an as-of date, it
    is the last day on which the renewals know anything, whatever the scores say: days of scores alone add no outcome.
    """
    renewals = replace(renewals, account=in_order(renewals.account))
    as_of, as_of_why = observe_until(None, renewals, settings, today)
    terms = order_terms(renewals, None, as_of, settings.currency_rates, settings.reporting_currency)
    design, why = choose_design(terms, settings.design)
    months = active_months(terms) if design == "landmark" and len(terms.due) else None
    asked = settings.horizons or default_horizons(renewals)
    days = sorted({*asked} | ({settings.primary_horizon} if settings.primary_horizon else set()))
    primary, primary_why = choose_primary(
        settings.primary_horizon, {one: _applicable(terms, months, one) for one in days}, terms.length_days
    )
    few = bool(settings.horizons) or subjects <= DETAILED_SCORES
    horizons = tuple(sorted({*days, primary})) if few else (primary,)
    return TrialDays(
        design=design,
        why=why,
        as_of=day(as_of),
        as_of_why=as_of_why,
        horizons=horizons,
        primary_horizon=primary,
        primary_why=primary_why,
        dues=_dues(terms) if months is None else (),
        months=() if months is None else tuple(day(first) for first in np.unique(months.day).tolist()),
        settings=replace(settings, as_of=day(as_of), design=design, horizons=horizons, primary_horizon=primary),
    )


def choose_primary(declared: int | None, applicable: Mapping[int, float], lengths: Ints) -> tuple[int, str]:
    """The primary horizon and why: declared, else the longest default one applicable to 80 % of units, else half the median term.

    `applicable` gives the share of units that each horizon asked for applies to. In the landmark design a horizon applies to a unit
    when its window is over by the as-of date; see docs/decisions.
    """
    if declared:
        return declared, "declared"
    if not set(applicable) & set(DEFAULT_HORIZONS):
        return max(applicable), "the longest horizon asked for"
    fitting = [days for days in applicable if days in DEFAULT_HORIZONS and applicable[days] >= APPLICABLE_SHARE]
    if fitting:
        days = max(fitting)
        said = f"the longest default horizon applicable to at least {percent(APPLICABLE_SHARE)} of units"
        return days, f"{said} (to {percent(applicable[days])})"
    if not len(lengths):
        return min(applicable), f"the shortest, as no default horizon is applicable to {percent(APPLICABLE_SHARE)} of units"
    half = max(1, int(np.median(lengths)) // 2)
    return half, f"half the median term, as no default horizon is applicable to {percent(APPLICABLE_SHARE)} of units"


def _applicable(terms: Terms, months: ActiveMonths | None, horizon_days: int) -> float:
    units = renewal_units(terms, horizon_days) if months is None else landmark_units(terms, months, horizon_days)
    return applicable_share(units, terms, months)


def _dues(terms: Terms) -> tuple[tuple[str, date], ...]:
    decided = terms.decided
    accounts = [terms.account_names[code] for code in terms.account[decided].tolist()]
    return tuple(zip(accounts, terms.due[decided].astype("datetime64[D]").tolist(), strict=True))

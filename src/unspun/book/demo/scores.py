"""The three health scores of the demo company: one that restates what is known anyway, an honest one, and one that leaks."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unspun.book.demo.calendar import Floats, Ints, day_of_month, month_of, position_in_group, uniform, weekday_of, whole
from unspun.book.demo.engagement import DAY_SECONDS, Panel, Tickets, Touchpoints
from unspun.book.demo.parameters import ENTERPRISE, SMALL_BUSINESS, Parameters
from unspun.book.demo.terms import Contracts, Terms
from unspun.book.demo.usage import Usage
from unspun.book.tables import CHURNED, CONTRACTED, EXPANDED

SCORES = ("Weighted health", "Usage trend", "CSM pulse")
WEIGHTED, TREND, PULSE = range(3)
SET_BY = ("rule", "person", "override")
RULE, PERSON, OVERRIDE = range(3)
BANDS = ("red", "yellow", "green")
BAND_EDGES = (40.0, 70.0)  # red below the first, green from the second

RECENT_DAYS = 28
REFERENCE_DAYS = (301, 63)  # before the day of the score
ONBOARDING_SKIPPED_DAYS = 45  # too early in an account's life to be a reference
REFERENCE_NEEDED_DAYS = 28
TICKET_DAYS = 91
LATE_JOB_SHARE = 0.01
PULSE_KEPT_SHARE = 0.93  # of the months, those in which the owner sets a pulse


@dataclass(frozen=True, slots=True)
class ScoreRows:
    """One row a value as it was recorded; a rewritten value is a second row with the same day. `panel` is the account and month."""

    score: Ints
    panel: Ints
    value: Floats  # 0 to 100, one decimal
    recorded: Ints  # seconds since 1970
    set_by: Ints


def simulate_scores(
    rng: np.random.Generator, c: Contracts, panel: Panel, usage: Usage, tickets: Tickets, touchpoints: Touchpoints, p: Parameters
) -> ScoreRows:
    """All three, each on the first of the month; sorted by score, account, day and recording."""
    load = _before(tickets.account, tickets.opened // DAY_SECONDS, np.ones(len(tickets.account)), panel, TICKET_DAYS)
    weighted = weighted_health(rng, c, panel, usage, load, touchpoints)
    trend = usage_trend(c, panel, usage, load, p)
    pulse = _recorded_by_people(rng, panel, csm_pulse(rng, c, panel, p))
    nightly = [_recorded_nightly(rng, panel, WEIGHTED, weighted), _recorded_nightly(rng, panel, TREND, trend)]
    return _in_order([*nightly, pulse, tidy_up(rng, panel, c.terms, pulse, p)], c.window.last)


def sum_between(account: Ints, day: Ints, amount: NDArray[Any], who: Ints, first: Ints, after: Ints) -> Floats:
    """Sum of the amounts of each `who` from day `first` up to, and without, `after`. Rows must be sorted by account and day."""
    span = np.int64(2**32)
    key, total = account * span + day, np.r_[0.0, np.cumsum(amount)]
    return total[np.searchsorted(key, who * span + after)] - total[np.searchsorted(key, who * span + first)]


def _before(account: Ints, day: Ints, amount: NDArray[Any], panel: Panel, days: int) -> Floats:
    return sum_between(account, day, amount, panel.account, panel.day - days, panel.day)


def weighted_health(
    rng: np.random.Generator, c: Contracts, panel: Panel, usage: Usage, tickets: Floats, touchpoints: Touchpoints
) -> Floats:
    """0.3 logins + 0.15 tickets + 0.1 e-mail opens + 0.45 the CSM's sentiment, each 0 to 100: guessed, and never checked.

    Logins are counted, not compared, so they follow size. Tickets are taken for engagement: more is better. Opens follow
    tenure. Sentiment follows segment, tenure and how the last renewal went. NaN until there are logins to count.
    """
    logins = _before(usage.account, usage.day, usage.logins, panel, RECENT_DAYS)
    opens = _before(touchpoints.account, touchpoints.happened // DAY_SECONDS, touchpoints.opened, panel, TICKET_DAYS)
    points = (
        0.3 * (28 * np.log10(logins + 1) - 10).clip(0, 100)
        + 0.15 * (8 * tickets).clip(0, 100)
        + 0.1 * (20 * opens).clip(0, 100)
        + 0.45 * 20 * _sentiment(rng, c, panel)
    )
    return np.where(logins > 0, points, np.nan)


def _sentiment(rng: np.random.Generator, c: Contracts, panel: Panel) -> Floats:
    """1 to 5, as a CSM would have it who has no time to look: it is set at the start of a term and left there."""
    terms = c.terms
    years = (terms.start - c.accounts.signed[terms.account]).clip(0) / 365.25
    last = np.select([terms.last_outcome == CONTRACTED, terms.last_outcome == EXPANDED], [-0.9, 0.6], 0.0)
    segment = np.select([terms.segment == SMALL_BUSINESS, terms.segment == ENTERPRISE], [-0.5, 0.5], 0.0)
    felt = 3.1 + segment + 0.6 * (np.log1p(years) - np.log(2)) + last + rng.normal(0, 0.7, len(terms))
    return np.round(felt.clip(1, 5))[panel.term]


def usage_trend(c: Contracts, panel: Panel, usage: Usage, tickets: Floats, p: Parameters) -> Floats:
    """80 + 70 log(active users now / earlier in the year), shrunk where users are few, - 14 log(tickets / the usual).

    The ratio is per seat and divided by the median ratio of that month, which takes out seasons and outages of all.
    NaN where the account has under REFERENCE_NEEDED_DAYS of settled history.
    """
    recent, earlier = _users_per_seat(c, panel, usage)
    ratio = np.log((recent + 0.02) / (earlier + 0.02))
    change = ratio - _median_by(panel.day, ratio)
    expected = earlier * c.terms.seats[panel.term] * RECENT_DAYS
    shrunk = change.clip(-1.2, 0.1) * np.sqrt(expected / (expected + 40))
    usual = np.array(p.tickets_a_month)[c.terms.segment[panel.term]] * TICKET_DAYS / 30
    return 80 + 70 * shrunk - 14 * np.log((tickets + 1) / (usual + 1))


def _users_per_seat(c: Contracts, panel: Panel, usage: Usage) -> tuple[Floats, Floats]:
    """Active users a seat and day, recently and in whole weeks of the reference; NaN where that is too short."""
    per_seat = usage.active_users / c.terms.seats[usage.term]
    recent = _before(usage.account, usage.day, per_seat, panel, RECENT_DAYS) / RECENT_DAYS
    settled = np.maximum(c.accounts.signed + ONBOARDING_SKIPPED_DAYS, c.window.first)[panel.account]
    longest, after = panel.day - REFERENCE_DAYS[0], panel.day - REFERENCE_DAYS[1]
    length = (after - np.maximum(longest, settled)) // 7 * 7
    total = sum_between(usage.account, usage.day, per_seat, panel.account, after - length.clip(0), after)
    return recent, np.where(length >= REFERENCE_NEEDED_DAYS, total / length.clip(min=1), np.nan)


def _median_by(day: Ints, value: Floats) -> Floats:
    """The median of the values of the same day, NaN left out, beside each value."""
    medians = {d: np.median(known) for d in np.unique(day).tolist() if len(known := value[(day == d) & ~np.isnan(value)])}
    return np.array([medians.get(d, np.nan) for d in day.tolist()])


def csm_pulse(rng: np.random.Generator, c: Contracts, panel: Panel, p: Parameters) -> Floats:
    """How the owner feels about the account, months old and mostly about the owner. Some lift it over the edge of green."""
    owners = c.owners
    optimism = rng.normal(0, 6, len(owners.names))[panel.owner]
    drift = _drift(rng, panel, p.pulse_memory) * p.pulse_sd
    felt = 69 + optimism + drift + p.pulse_fit_effect * c.accounts.fit[panel.account] + p.pulse_decline_effect * (panel.decline > 0.1)
    lifted = owners.nudges_band[panel.owner] & (felt >= BAND_EDGES[1] - 6) & (felt < BAND_EDGES[1])
    return np.where(lifted, BAND_EDGES[1] + uniform(rng, (0, 2), len(panel)), felt)


def _drift(rng: np.random.Generator, panel: Panel, memory: float) -> Floats:
    """Autocorrelated standard normal from month to month within an account."""
    fresh = rng.normal(size=len(panel))
    drift, position = fresh.copy(), position_in_group(panel.account)
    for month in range(1, int(position.max(initial=0)) + 1):
        rows = np.flatnonzero(position == month)
        drift[rows] = memory * drift[rows - 1] + np.sqrt(1 - memory**2) * fresh[rows]
    return drift


def _rows(score: int, rows: Ints, value: Floats, recorded: Ints, set_by: Ints | int) -> ScoreRows:
    n = len(rows)
    return ScoreRows(np.full(n, score), rows, value.clip(0, 100).round(1), recorded, np.broadcast_to(set_by, n))


def _recorded_nightly(rng: np.random.Generator, panel: Panel, score: int, value: Floats) -> ScoreRows:
    """By a job in the small hours, which now and then fails and is run some days later."""
    rows = np.flatnonzero(~np.isnan(value))
    late = np.where(rng.random(len(rows)) < LATE_JOB_SHARE, whole(rng, (1, 4), len(rows)), 0)
    at = (panel.day[rows] + late) * DAY_SECONDS + whole(rng, (2 * 3600, 4 * 3600), len(rows))
    return _rows(score, rows, value[rows], at, RULE)


def _recorded_by_people(rng: np.random.Generator, panel: Panel, value: Floats) -> ScoreRows:
    rows = np.flatnonzero(rng.random(len(panel)) < PULSE_KEPT_SHARE)
    return _rows(PULSE, rows, value[rows], panel.day[rows] * DAY_SECONDS + whole(rng, (8 * 3600, 19 * 3600), len(rows)), PERSON)


def tidy_up(rng: np.random.Generator, panel: Panel, terms: Terms, pulse: ScoreRows, p: Parameters) -> ScoreRows:
    """On the last working day of the month in which an outcome became known, a manager rewrites past pulses of that term.

    Those of most churned accounts become low, and a few of the others' high. The rows keep the day they were about.
    """
    churned = terms.outcome == CHURNED
    chosen = terms.eventful & (rng.random(len(terms)) < np.where(churned, p.tidied_churned, p.tidied_kept))
    term = panel.term[pulse.panel]
    lead = terms.due[term] - panel.day[pulse.panel]
    rewritten = np.flatnonzero(chosen[term] & (lead <= p.tidied_leads[0]) & (lead >= p.tidied_leads[1]))
    term, rows, n = term[rewritten], pulse.panel[rewritten], len(rewritten)
    value = np.where(churned[term], uniform(rng, p.tidied_to, n), uniform(rng, (75, 95), n))
    at = _last_working_day(terms.known[term]) * DAY_SECONDS + whole(rng, (16 * 3600, 18 * 3600), n)
    return _rows(PULSE, rows, value, np.maximum(at, pulse.recorded[rewritten] + 1), OVERRIDE)


def _last_working_day(day: Ints) -> Ints:
    """The last weekday of the month of each day, or of the next month where none is left after that day."""
    month = month_of(day)
    last = day_of_month(month + 1, 1) - 1
    last -= (weekday_of(last) - 4).clip(0)
    following = day_of_month(month + 2, 1) - 1
    return np.where(last > day, last, following - (weekday_of(following) - 4).clip(0))


def _in_order(parts: list[ScoreRows], last: int) -> ScoreRows:
    """Joined and sorted, without what was recorded after the as-of day."""
    joined = {f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(ScoreRows)}
    known = joined["recorded"] < (last + 1) * DAY_SECONDS
    order = np.lexsort((joined["recorded"], joined["panel"], joined["score"]))
    order = order[known[order]]
    return ScoreRows(**{name: values[order] for name, values in joined.items()})

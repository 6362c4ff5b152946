"""What people said of renewals before they came: hopeful owners, one manager who talks them down, and some who say nothing.

Drawn last and from a stream of its own: nothing else in the company hangs on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unspun.book.demo.calendar import Bools, Floats, Ints, sigmoid, uniform, whole
from unspun.book.demo.engagement import DAY_SECONDS
from unspun.book.demo.names import person_names
from unspun.book.demo.parameters import Parameters
from unspun.book.demo.terms import Contracts
from unspun.book.demo.truth import churn_probability

CALL_LEADS = (180, 90, 60, 30)  # a call is made some days before each
EARLIER_DAYS = (1, 5)
GRID = 0.05  # people say 0.85 or 0.9, not 0.87
MANAGED_ARR = 25_000  # the manager speaks of renewals from this size on


@dataclass(frozen=True, slots=True)
class Calls:
    """One row a call, by renewal, then day. `by` indexes `people`: the owners first, the manager last.

    The last two run parallel to `people` and are unseen: what is added to the true log odds of renewal, and the share of renewals said
    nothing of.
    """

    term: Ints
    by: Ints
    made: Ints
    recorded: Ints  # seconds since 1970
    renewal: Floats  # probability of renewal
    people: tuple[str, ...]
    hope: Floats
    silent: Floats


def simulate_calls(rng: np.random.Generator, c: Contracts, p: Parameters) -> Calls:
    """Calls on every renewal of terms long enough for something to happen in them, made while it was open, by the as-of day."""
    owners = len(c.owners.names)
    manager = next(name for name in person_names(rng, owners + 1, unique=True) if name not in c.owners.names)
    hope = np.append(p.csm_hope + rng.normal(0, p.csm_hope_sd, owners), p.manager_hope)
    silent = np.append(uniform(rng, p.csm_silent, owners), p.manager_silent)
    silent[:-1][rng.random(owners) < p.csm_never_share] = 1.0
    earlier = whole(rng, EARLIER_DAYS, len(c.terms))
    skipped = rng.random((len(c.terms), 2))  # of a renewal said nothing of, nothing is said at any lead
    parts = [_at(rng, c, p, lead, earlier, by_manager, hope, silent, skipped) for lead in CALL_LEADS for by_manager in (False, True)]
    term, by, made, renewal, recorded = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((by, made, term))
    return Calls(term[order], by[order], made[order], recorded[order], renewal[order], (*c.owners.names, manager), hope, silent)


def _at(
    rng: np.random.Generator,
    c: Contracts,
    p: Parameters,
    lead: int,
    earlier: Ints,
    by_manager: bool,
    hope: Floats,
    silent: Floats,
    skipped: Floats,
) -> tuple[Ints, Ints, Ints, Floats, Ints]:
    """The calls of the owners, or of the manager, some days before this lead: term, person, day, probability, second recorded."""
    t = c.terms
    made = t.due - lead - earlier
    churn = _churn_then(c, p, lead, earlier)
    by = np.full(len(t), len(c.owners.names)) if by_manager else c.owners.of(t.account, made)
    share, noise = (p.manager_insight, p.manager_noise) if by_manager else (p.csm_insight, p.csm_noise)
    renewal = sigmoid(_log_odds(1 - churn, share) + hope[by] + rng.normal(0, noise, len(t)))
    recorded = made * DAY_SECONDS + whole(rng, (8 * 3600, 18 * 3600), len(t))
    rows = np.flatnonzero(_speaks(c, by_manager, skipped[:, int(by_manager)] >= silent[by]) & ~np.isnan(churn) & (made <= c.window.last))
    said = np.clip(np.round(renewal / GRID) * GRID, GRID, 1 - GRID)
    return rows, by[rows], made[rows], said[rows], recorded[rows]


def _speaks(c: Contracts, by_manager: bool, not_silent: Bools) -> Bools:
    """Of monthly terms nobody says anything, of small ones the manager does not; calls begin with the records."""
    spoken = not_silent & c.terms.eventful & (c.terms.due > c.window.first + CALL_LEADS[0])
    return spoken & (c.terms.arr >= MANAGED_ARR) if by_manager else spoken


def _churn_then(c: Contracts, p: Parameters, lead: int, earlier: Ints) -> Floats:
    """The true probability on the day of the call; NaN where the renewal was decided or the term had not begun."""
    churn = np.full(len(c.terms), np.nan)
    for days in range(EARLIER_DAYS[0], EARLIER_DAYS[1] + 1):
        these = earlier == days
        churn[these] = churn_probability(c.terms, lead + days, p)[these]
    return churn


def _log_odds(renewal: Floats, insight: float) -> Floats:
    """What is seen of the truth: `insight` of the account's own log odds, the rest those of a usual account."""
    true, usual = np.log(renewal / (1 - renewal)), np.nanmedian(renewal)
    return insight * true + (1 - insight) * np.log(usual / (1 - usual))

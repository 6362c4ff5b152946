"""What passes between the company and its customers: tickets and touchpoints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unspun.book.demo.calendar import Bools, Floats, Ints, day_of_month, last_begun, uniform, weekday_of
from unspun.book.demo.parameters import Parameters
from unspun.book.demo.terms import Contracts
from unspun.book.demo.usage import lost_to_decline

SEVERITIES = ("low", "normal", "high", "urgent")
TICKET_CATEGORIES = ("how-to", "defect", "integration", "billing", "access", "performance")
TOUCH_KINDS = ("email", "call", "meeting")
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Panel:
    """One row an account and month that begins inside one of its terms; `day` is the first of the month."""

    account: Ints
    day: Ints
    term: Ints
    owner: Ints
    decline: Floats  # share of usage lost on that day

    def __len__(self) -> int:
        return len(self.account)


@dataclass(frozen=True, slots=True)
class Tickets:
    """Sorted by account and time. Times are seconds since 1970; `closed` may lie after the as-of day. csat is 1 to 5, 0 not given."""

    account: Ints
    opened: Ints
    closed: Ints
    severity: Ints
    category: Ints
    csat: Ints


@dataclass(frozen=True, slots=True)
class Touchpoints:
    """Sorted by account and time. `opened` is of e-mails: whether the customer opened it. `logged` is when it was entered."""

    account: Ints
    happened: Ints
    logged: Ints
    owner: Ints
    kind: Ints
    minutes: Ints
    opened: Bools


def month_panel(c: Contracts, p: Parameters) -> Panel:
    accounts, terms = c.accounts, c.terms
    firsts = day_of_month(c.window.months, 1)
    account, day = np.repeat(np.arange(len(accounts)), len(firsts)), np.tile(firsts, len(accounts))
    term = last_begun(terms.account, terms.start, account, day)
    active = (term >= 0) & (day < terms.due[term])
    account, day, term = account[active], day[active], term[active]
    return Panel(account, day, term, c.owners.of(account, day), lost_to_decline(terms, term, day, p))


def simulate_tickets(rng: np.random.Generator, c: Contracts, panel: Panel, p: Parameters) -> Tickets:
    """More of them from larger accounts, poor fits, and accounts in decline; the troubled rate them lower and some never do."""
    fit, segment = c.accounts.fit[panel.account], c.terms.segment[panel.term]
    size = np.sqrt(c.terms.arr[panel.term] / np.array(p.median_arr)[segment])
    trouble = np.exp(p.ticket_fit_effect * fit + p.ticket_decline_effect * (panel.decline > 0))
    rows, opened = _in_months(rng, c, panel, np.array(p.tickets_a_month)[segment] * size * trouble)
    n = len(rows)
    troubled = panel.decline[rows] > 0
    severity = (rng.random((n, 1)) > np.where(troubled, 0.9, 1.0)[:, None] * np.array([[0.35, 0.78, 0.95]])).sum(axis=1)
    csat = np.round(4.1 + 0.3 * fit[rows] - 1.0 * troubled + rng.normal(0, 0.9, n)).clip(1, 5)
    return Tickets(
        account=panel.account[rows],
        opened=opened,
        closed=opened + (np.array([30, 48, 30, 10])[severity] * 3600 * rng.lognormal(0, 0.8, n)).astype(np.int64),
        severity=severity,
        category=rng.choice(len(TICKET_CATEGORIES), size=n, p=(0.3, 0.24, 0.16, 0.1, 0.12, 0.08)),
        csat=np.where(rng.random(n) < 0.38, csat, 0).astype(np.int64),
    )


def simulate_touchpoints(rng: np.random.Generator, c: Contracts, panel: Panel, p: Parameters) -> Touchpoints:
    """Contacts change nothing in this company. Some owners contact accounts in decline more, so contact and churn go together."""
    owners, segment = c.owners, c.terms.segment[panel.term]
    chased = owners.chases_risk[panel.owner] & (panel.decline > 0)
    rate = np.array(p.touches_a_month)[segment] * np.where(chased, p.chases_risk_factor, 1.0)
    rows, happened = _in_months(rng, c, panel, rate)
    n = len(rows)
    kind = rng.choice(len(TOUCH_KINDS), size=n, p=(0.62, 0.18, 0.2))
    years = (panel.day[rows] - c.accounts.signed[panel.account[rows]]) / 365.25
    return Touchpoints(
        account=panel.account[rows],
        happened=happened,
        logged=happened + (rng.exponential(1.2, n) * DAY_SECONDS).astype(np.int64),
        owner=owners.of(panel.account[rows], happened // DAY_SECONDS),
        kind=kind,
        minutes=np.where(kind == 0, 0, 5 * np.round(uniform(rng, (2, 13), n))).astype(np.int64),
        opened=(kind == 0) & (rng.random(n) < (0.3 + 0.1 * years).clip(max=0.75)),
    )


def _in_months(rng: np.random.Generator, c: Contracts, panel: Panel, rate: Floats) -> tuple[Ints, Ints]:
    """Panel row and time in seconds of events at this rate a month, by account and time, in working hours of weekdays.

    Events after the term or after the as-of day are dropped.
    """
    rows = np.repeat(np.arange(len(panel)), rng.poisson(rate))
    day = panel.day[rows] + rng.integers(0, 30, len(rows))
    day -= (weekday_of(day) - 4).clip(0)
    seconds = day * DAY_SECONDS + rng.integers(8 * 3600, 18 * 3600, len(rows))
    inside = (day >= panel.day[rows]) & (day < c.terms.due[panel.term[rows]]) & (day <= c.window.last)
    order = np.lexsort((seconds, panel.account[rows]))
    order = order[inside[order]]
    return rows[order], seconds[order]

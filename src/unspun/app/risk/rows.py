"""Account-months laid out from terms: which renewal was looked at on which day, and when it was decided how."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unspun.audit.terms import UNKNOWN, Terms
from unspun.audit.units import ActiveMonths
from unspun.book.tables import CHURNED, CONTRACTED, EXPANDED, RENEWED, UNDECIDED
from unspun.risk.rows import CHURN, CONTRACTION, EXPANSION, FLAT, UNDECIDED4, Bools, Ints, class_of_term

LONGEST_LEAD_DAYS = 750
OVERDUE_DAYS = 180
"""A renewal that is due for longer than this and has no outcome is one whose outcome nobody wrote down."""
MONTHS_BACK = 4
"""So many monthly dates earlier at most lies the value that takes the place of one lost to a tracking outage."""
MOST_EVES = 24
"""The latest days before an outage on which metrics are computed too."""
SETTLED = 0.95
FEWEST_DELAYS = 20
"""Of so many churned renewals, due long enough ago for a late record to have come, the delays are taken; of fewer those of all."""
OF_OUTCOME = {RENEWED: FLAT, CHURNED: CHURN, CONTRACTED: CONTRACTION, EXPANDED: EXPANSION, UNDECIDED: UNDECIDED4}
USUAL_TERM_DAYS = 30  # of a first term whose start nobody states, where no term's length is known


@dataclass(frozen=True, slots=True)
class Decisions:
    """How each renewal (row of Terms) was decided by the as-of day, as account-months count it.

    `outcome` indexes OUTCOMES4. A notice that has come by then counts as churn on its day until another outcome is known: to leave such
    renewals out, or to call them undecided, would take churn out of the latest months. `decided_on` is of churn the earlier of notice and
    outcome, else the day the outcome was known; `settled_on` is the first day on which anything was known, after which there are no rows.
    `start` is the first day of the term, of a first one without it a typical term before its end. `unrecorded` are renewals whose outcome
    nobody wrote down: long due, or followed by a later term of the account.
    """

    start: Ints
    decided_on: Ints
    settled_on: Ints
    notice: Ints
    outcome: Ints
    unrecorded: Bools


def decide(terms: Terms, notice: Ints, settle_days: int = 0) -> Decisions:
    """The decisions on the renewals of terms; `notice` gives the day of each one's notice, UNKNOWN where there is none.

    Often a renewal is known as soon as it is due, and a churn some time later: where they follow from terms once the days of grace have
    gone by, where they are recorded once somebody writes them down. What was due lately and is decided would then all be renewed, by the
    order of the records alone: so what is known on the due date or later counts as decided after `settle_days`, whatever it is.
    """
    notice = np.where(notice > terms.as_of, UNKNOWN, notice)
    undecided, noticed = terms.outcome == UNDECIDED, notice != UNKNOWN
    known = np.where(undecided, UNKNOWN, np.minimum(_known_on(terms), terms.as_of))
    outcome = np.array([OF_OUTCOME[code] for code in (*range(4), UNDECIDED)])[terms.outcome]
    outcome = np.where(undecided & noticed, CHURN, outcome)
    later = (known != UNKNOWN) & (known >= terms.due)
    counted = np.where(later, np.maximum(known, terms.due + settle_days), known)
    either = np.where(noticed & ((known == UNKNOWN) | (notice < known)), notice, known)
    start = _starts(terms)
    unrecorded = undecided & ~noticed & ((terms.due + OVERDUE_DAYS < terms.as_of) | _followed(terms, start))
    warned = (outcome == CHURN) & noticed & ((counted == UNKNOWN) | (notice < counted))
    return Decisions(start, np.where(warned, notice, counted), either, notice, outcome, unrecorded)


def churn_settle_days(terms: Terms, notice: Ints) -> int:
    """Within how many days after the due date SETTLED of the churned renewals without notice were known, by those of the book; 0 where
    there are none, at most OVERDUE_DAYS."""
    unwarned = (notice == UNKNOWN) | (notice > terms.as_of)
    churned = (terms.outcome == CHURNED) & unwarned
    long_ago = churned & (terms.due + OVERDUE_DAYS < terms.as_of)
    taken = long_ago if long_ago.sum() >= FEWEST_DELAYS else churned
    if not taken.any():
        return 0
    late = np.clip(_known_on(terms) - terms.due, 0, OVERDUE_DAYS)[taken]
    return int(np.quantile(late, SETTLED, method="higher"))


def _known_on(terms: Terms) -> Ints:
    """The day on which an outcome was known: the one written down, else the due date."""
    return np.where(terms.known_on == UNKNOWN, terms.due, terms.known_on)


def _starts(terms: Terms) -> Ints:
    """The first day of each term; where it is not given, that on which a term of typical length began, but not before the one before
    was due."""
    typical = int(np.median(terms.length_days)) if len(terms.length_days) else USUAL_TERM_DAYS
    same = np.append(False, terms.account[1:] == terms.account[:-1])
    before = np.where(same, np.append(UNKNOWN, terms.due[:-1]), UNKNOWN)
    return np.where(terms.start != UNKNOWN, terms.start, np.maximum(terms.due - typical, before))


def _followed(terms: Terms, start: Ints) -> Bools:
    """Renewals that are due by the as-of day and after which a later term of the account has begun by then."""
    begun = np.where(start <= terms.as_of, start, UNKNOWN)
    latest = np.full(len(terms.account_names), UNKNOWN)
    np.maximum.at(latest, terms.account, begun)
    return (terms.due <= terms.as_of) & (latest[terms.account] >= terms.due)


@dataclass(frozen=True, slots=True)
class AccountMonths:
    """Rows by renewal and day: `renewal` is a row of Terms, `day` the as-of day. `today` are those that list what is open: each renewal
    not decided on the as-of day of the book, those with notice too."""

    renewal: Ints
    day: Ints
    today: Bools

    def __len__(self) -> int:
        return len(self.day)

    def take(self, kept: Bools) -> AccountMonths:
        """Some of the rows."""
        return AccountMonths(self.renewal[kept], self.day[kept], self.today[kept])


def lay_rows(terms: Terms, decisions: Decisions) -> AccountMonths:
    """The account-months of all renewals, then the rows of the as-of day.

    A renewal has a row on the first day of each month on which its term runs, up to LONGEST_LEAD_DAYS before it is due, while nothing is
    known of its outcome; and one on the as-of day where it is open then, overdue or its notice given.
    """
    renewal, day = _months(terms, decisions)
    lead = terms.due[renewal] - day
    settled = decisions.settled_on[renewal]
    open_then = (settled == UNKNOWN) | (settled > day)
    kept = open_then & (lead <= LONGEST_LEAD_DAYS) & (day < terms.as_of) & ~decisions.unrecorded[renewal]
    listed = np.flatnonzero(_listed(terms, decisions))
    return AccountMonths(
        renewal=np.concatenate([renewal[kept], listed]),
        day=np.concatenate([day[kept], np.full(len(listed), terms.as_of)]),
        today=np.concatenate([np.zeros(int(kept.sum()), bool), np.ones(len(listed), bool)]),
    )


def looked_at(terms: Terms, decisions: Decisions, since: int = UNKNOWN, eves: tuple[int, ...] = ()) -> ActiveMonths:
    """The pairs of an account and a day from `since` on whose metrics are needed: the first days of all months of all terms, decided or
    not, and the `eves` of outages on which a term runs, as a value lost to an outage is taken from an earlier day; and the as-of day of
    what is open."""
    months, listed = _months(terms, decisions), np.flatnonzero(_listed(terms, decisions))
    running = [np.flatnonzero((decisions.start <= eve) & (eve < terms.due)) for eve in eves]
    renewal = np.concatenate([months[0], *running])
    day = np.concatenate([months[1], *(np.full(len(one), eve) for one, eve in zip(running, eves, strict=True))])
    renewal, day = np.append(renewal[day >= since], listed), np.append(day[day >= since], np.full(len(listed), terms.as_of))
    return ActiveMonths(terms.account[renewal], day, renewal, terms.money.before[renewal])


def _listed(terms: Terms, decisions: Decisions) -> Bools:
    """Renewals whose term has begun and of which no outcome is known on the as-of day."""
    begun = decisions.start <= terms.as_of
    return begun & (terms.outcome == UNDECIDED) & ~decisions.unrecorded


def _months(terms: Terms, decisions: Decisions) -> tuple[Ints, Ints]:
    """Each renewal with the first day of each month from its term's start until before its due date, up to the as-of day."""
    last = np.minimum(terms.due, terms.as_of + 1)
    if not len(last):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    firsts = first_days(int(decisions.start.min()), int(last.max()))
    begin, end = np.searchsorted(firsts, decisions.start, side="left"), np.searchsorted(firsts, last, side="left")
    count = np.maximum(end - begin, 0)
    renewal = np.repeat(np.arange(len(last)), count)
    place = np.arange(len(renewal)) - np.repeat(np.cumsum(count) - count, count) + begin[renewal]
    return renewal, firsts[place]


def first_days(first: int, last: int) -> Ints:
    """The first days of all months from that of `first` to that of `last`, as days since 1970-01-01."""
    months = np.arange(np.datetime64(first, "D").astype("datetime64[M]"), np.datetime64(last, "D").astype("datetime64[M]") + 1)
    return months.astype("datetime64[D]").astype(np.int64)


def earlier_months(day: Ints, months_back: int) -> Ints:
    """The first day of the month that is the `months_back`-th monthly date before each day."""
    month = (day - 1).astype("datetime64[D]").astype("datetime64[M]") - (months_back - 1)
    return month.astype("datetime64[D]").astype(np.int64)


def term_classes(terms: Terms) -> Ints:
    """The class of each term by its length; -1 where its start is not known."""
    known = terms.start != UNKNOWN
    return np.where(known, class_of_term(terms.due - np.where(known, terms.start, terms.due)), -1)

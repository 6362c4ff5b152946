"""The true probability of churn some days before a renewal is due, given all that had happened by then."""

from __future__ import annotations

from itertools import product

import numpy as np

from unspun.book.demo.calendar import NONE, Bools, Floats, sigmoid
from unspun.book.demo.parameters import Parameters
from unspun.book.demo.terms import NO_DECLINE, SERIOUS, Terms, churn_odds

TRUTH_LEADS_DAYS = (180, 90, 60, 30)


def churn_probability(terms: Terms, lead_days: int, p: Parameters) -> Floats:
    """P(churn) as seen `lead_days` before due by someone who knows the account, its past and what has begun by then.

    What has not happened yet (a decline, a champion leaving, a price rise) is averaged over at its true rate, by total
    probability; that no notice was given yet is taken in by Bayes' rule. NaN where the term had not begun by then or
    its outcome was already known.
    """
    chances = (_serious(terms, lead_days, p), _champion(terms, lead_days, p), _price(terms, lead_days, p))
    churn = np.zeros(len(terms))
    for happens in product((False, True), repeat=len(chances)):
        serious, champion, price = happens
        weight = np.prod([c if h else 1 - c for c, h in zip(chances, happens, strict=True)], axis=0)
        churn += weight * sigmoid(churn_odds(terms.base, serious, champion, price, p))
    silent = churn * _no_notice_yet(terms, lead_days, p)
    return np.where(_open_at(terms, lead_days), silent / (silent + 1 - churn), np.nan)


def _open_at(terms: Terms, lead_days: int) -> Bools:
    day = terms.due - lead_days
    return (terms.start <= day) & (np.minimum(terms.notice, terms.known) > day)


def _given_not_yet(rate: Floats | float, later: Floats) -> Floats:
    """Chance that something with this rate is still to come, where it has not come and would come `later` with that chance."""
    return rate * later / (rate * later + 1 - rate)


def _serious(terms: Terms, lead_days: int, p: Parameters) -> Floats:
    begun = (terms.decline != NO_DECLINE) & (terms.decline_lead >= lead_days)
    later = 1 - _onset_by(lead_days * 365 / terms.span, p)
    serious = np.array(p.serious_decline_rate)[terms.segment]
    either = serious + p.harmless_decline_rate
    to_come = serious / either * _given_not_yet(either, later)
    return np.where(terms.eventful, np.where(begun, terms.decline == SERIOUS, to_come), 0.0)


def _onset_by(lead: Floats, p: Parameters) -> Floats:
    """Chance that a decline begins at this lead or a longer one, in a year's term."""
    parts = ((p.early_onset_share, p.early_onset), (1 - p.early_onset_share, p.late_onset))
    return sum((share * ((longest - lead) / (longest - shortest)).clip(0, 1) for share, (shortest, longest) in parts), np.zeros(len(lead)))


def _champion(terms: Terms, lead_days: int, p: Parameters) -> Floats:
    later = np.minimum(lead_days * 365 / terms.span / p.champion_leaves_lead, 1)
    gone = (terms.champion_lead != NONE) & (terms.champion_lead >= lead_days)
    return np.where(terms.eventful, np.where(gone, 1.0, _given_not_yet(p.champion_leaves_rate, later)), 0.0)


def _price(terms: Terms, lead_days: int, p: Parameters) -> Floats:
    announced = lead_days <= p.price_rise_lead
    return np.where(terms.eventful, terms.price_rise if announced else p.price_rise_rate, 0.0)


def _no_notice_yet(terms: Terms, lead_days: int, p: Parameters) -> Floats:
    """Chance that a churner has given no notice by then."""
    return np.where(terms.eventful, _later_than(p.notice_lead, lead_days, p), _later_than(p.notice_lead_monthly, lead_days, p))


def _later_than(leads: tuple[int, int], lead_days: int, p: Parameters) -> float:
    shortest, longest = leads
    by_then = min(max((longest - lead_days + 1) / (longest - shortest + 1), 0.0), 1.0)
    return 1 - p.notice_share * by_then

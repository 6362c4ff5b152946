"""The terms of every account and how each ended: one renewal a term, simulated in the order in which things happen."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from unspun.book.demo.calendar import NEVER, NONE, Bools, Floats, Ints, day_of_month, sigmoid, uniform, whole
from unspun.book.demo.customers import Accounts, Window
from unspun.book.demo.owners import Owners
from unspun.book.demo.parameters import MID_MARKET, SMALL_BUSINESS, Parameters
from unspun.book.tables import CHURNED, CONTRACTED, EXPANDED, RENEWED

NO_DECLINE, SERIOUS, HARMLESS = range(3)
SHORTEST_EVENTFUL_MONTHS = 6
FEWEST_SEATS = 3


@dataclass(frozen=True, slots=True)
class Opening:
    """Terms at their start, one an account: what is settled before anything happens in them."""

    account: Ints
    first_month: Ints
    segment: Ints
    arr: Ints
    last_outcome: Ints  # NONE where it is not on record


@dataclass(frozen=True, slots=True)
class Events:
    """What goes wrong in each term. A lead counts days before due; `champion_lead` is NONE where the champion stays."""

    decline: Ints  # NO_DECLINE, SERIOUS or HARMLESS
    decline_lead: Ints
    decline_depth: Floats
    decline_days: Ints
    champion_lead: Ints
    price_rise: Bools

    @property
    def happened(self) -> tuple[Bools, Bools, Bools]:
        """In the order of `event_effects`."""
        return self.decline == SERIOUS, self.champion_lead != NONE, self.price_rise


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms sorted by account and start; arrays run parallel. Days; NEVER where something does not happen.

    `base` is the log odds of churn if nothing goes wrong; `odds` those given all that did. A lead counts days before due.
    """

    account: Ints
    start: Ints
    due: Ints
    months: Ints
    segment: Ints
    arr: Ints
    seats: Ints
    last_outcome: Ints
    base: Floats
    decline: Ints
    decline_lead: Ints
    decline_depth: Floats
    decline_days: Ints
    champion_lead: Ints  # NONE where the champion stays
    price_rise: Bools
    odds: Floats
    outcome: Ints
    cause: Ints  # NONE where not churned
    arr_after: Ints
    notice: Ints
    known: Ints

    def __len__(self) -> int:
        return len(self.account)

    @property
    def eventful(self) -> Bools:
        """Terms long enough for something to go wrong in them."""
        return self.months >= SHORTEST_EVENTFUL_MONTHS

    @property
    def span(self) -> Ints:
        """Days to which leads are scaled: the term's, up to a year."""
        return _span(self.start, self.due)

    @property
    def decline_begins(self) -> Ints:
        return np.where(self.decline == NO_DECLINE, NEVER, self.due - self.decline_lead)

    @property
    def champion_left(self) -> Ints:
        return np.where(self.champion_lead == NONE, NEVER, self.due - self.champion_lead)

    def decided(self, last: int) -> Bools:
        """Due, and the outcome recorded, by the as-of day."""
        return (self.due <= last) & (self.known <= last)

    def decline_at(self, row: Ints, day: Ints) -> Floats:
        """Share of usage lost on a day of the term by the decline of that term."""
        progress = (day - self.decline_begins[row]) / self.decline_days[row]
        return self.decline_depth[row] * progress.clip(0, 1)


@dataclass(frozen=True, slots=True)
class Contracts:
    """Who the customers are, who owns them, and how their terms ended."""

    window: Window
    accounts: Accounts
    owners: Owners
    terms: Terms


def simulate_terms(rng: np.random.Generator, accounts: Accounts, owners: Owners, window: Window, p: Parameters) -> Terms:
    """Every term begun by the as-of day: all first terms, then the second ones of those who stayed, and so on."""
    opening = Opening(np.arange(len(accounts)), accounts.first_month, accounts.segment, accounts.arr, np.full(len(accounts), NONE))
    waves: list[Terms] = []
    while len(opening.account):
        terms = _play(rng, opening, accounts, owners, p)
        waves.append(terms)
        opening = _next_opening(terms, accounts, window, p)
    return _in_order(waves)


def _in_order(waves: list[Terms]) -> Terms:
    joined = {f.name: np.concatenate([getattr(wave, f.name) for wave in waves]) for f in fields(Terms)}
    order = np.lexsort((joined["start"], joined["account"]))
    return Terms(**{name: values[order] for name, values in joined.items()})


def _next_opening(terms: Terms, accounts: Accounts, window: Window, p: Parameters) -> Opening:
    stays = (terms.outcome != CHURNED) & (terms.due <= window.last)
    account, arr = terms.account[stays], terms.arr_after[stays]
    grown = (terms.segment[stays] == SMALL_BUSINESS) & (terms.outcome[stays] == EXPANDED) & (arr >= p.promotion_arr)
    due_month = terms.due[stays].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return Opening(account, due_month, np.where(grown, MID_MARKET, terms.segment[stays]), arr, terms.outcome[stays])


def _play(rng: np.random.Generator, opening: Opening, accounts: Accounts, owners: Owners, p: Parameters) -> Terms:
    """One term of each account: what goes wrong, how it ends, and when that is known."""
    account, n = opening.account, len(opening.account)
    months, billing_day = np.array(p.term_months)[accounts.term_choice[account]], accounts.billing_day[account]
    start, due = day_of_month(opening.first_month, billing_day), day_of_month(opening.first_month + months, billing_day)
    base, eventful = _base_odds(opening, accounts, owners, start, p), months >= SHORTEST_EVENTFUL_MONTHS
    events = _draw_events(rng, opening.segment, eventful, _span(start, due), p)
    odds = churn_odds(base, *events.happened, p)
    churned = rng.random(n) < sigmoid(odds)
    outcome = np.where(churned, CHURNED, _outcome_of_stayers(rng, accounts.fit[account], events, p))
    notice, known = _when_known(rng, due, churned, eventful, p)
    return Terms(
        account=account,
        start=start,
        due=due,
        months=months,
        segment=opening.segment,
        arr=opening.arr,
        seats=_seats(opening, accounts, p),
        last_outcome=opening.last_outcome,
        base=base,
        **{f.name: getattr(events, f.name) for f in fields(Events)},
        odds=odds,
        outcome=outcome,
        cause=_draw_causes(rng, churned, events, p),
        arr_after=_arr_after(rng, opening.arr, outcome, events.price_rise, p),
        notice=notice,
        known=known,
    )


def _span(start: Ints, due: Ints) -> Ints:
    return np.minimum(due - start, 365)


def _seats(opening: Opening, accounts: Accounts, p: Parameters) -> Ints:
    price = np.array(p.seat_price)[opening.segment] * accounts.discount[opening.account]
    return np.maximum(np.round(opening.arr / price).astype(np.int64), FEWEST_SEATS)


def _base_odds(opening: Opening, accounts: Accounts, owners: Owners, start: Ints, p: Parameters) -> Floats:
    account = opening.account
    years = np.maximum(start - accounts.signed[account], 0) / 365.25
    base = np.log(np.array(p.base_churn) / (1 - np.array(p.base_churn)))[opening.segment]
    last = np.select(
        [opening.last_outcome == CONTRACTED, opening.last_outcome == EXPANDED], [p.last_contracted_effect, p.last_expanded_effect], 0.0
    )
    return (
        base
        + np.array(p.term_effect)[accounts.term_choice[account]]
        + p.tenure_effect * (np.log1p(years) - np.log(2))
        + p.arr_effect * np.log(opening.arr / np.array(p.median_arr)[opening.segment])
        + last
        + p.fit_effect * accounts.fit[account]
        + accounts.family_effect[account]
        + owners.effect[owners.of(account, start)]
    )


def event_effects(p: Parameters) -> tuple[float, float, float]:
    """On the log odds of churn: of a serious decline, of the champion leaving, of a price rise."""
    return p.decline_effect, p.champion_effect, p.price_effect


def churn_odds(base: Floats, serious: Bools | bool, champion: Bools | bool, price: Bools | bool, p: Parameters) -> Floats:
    """Log odds of churn at the due date, given what went wrong."""
    effects = event_effects(p)
    return base + effects[0] * serious + effects[1] * champion + effects[2] * price


def _draw_events(rng: np.random.Generator, segment: Ints, eventful: Bools, span: Ints, p: Parameters) -> Events:
    n = len(segment)
    decline = np.where(eventful, _draw_declines(rng, segment, p), NO_DECLINE)
    early = rng.random(n) < p.early_onset_share
    lead = np.where(early, uniform(rng, p.early_onset, n), uniform(rng, p.late_onset, n)) * span / 365
    return Events(
        decline=decline,
        decline_lead=np.floor(lead).astype(np.int64),
        decline_depth=np.where(decline == NO_DECLINE, 0.0, uniform(rng, p.decline_depth, n)),
        decline_days=np.round(uniform(rng, p.decline_days, n) * span / 365).astype(np.int64).clip(min=7),
        champion_lead=_draw_champion_leads(rng, eventful, span, p),
        price_rise=eventful & (rng.random(n) < p.price_rise_rate),
    )


def _draw_declines(rng: np.random.Generator, segment: Ints, p: Parameters) -> Ints:
    drawn, serious = rng.random(len(segment)), np.array(p.serious_decline_rate)[segment]
    return np.select([drawn < serious, drawn < serious + p.harmless_decline_rate], [SERIOUS, HARMLESS], NO_DECLINE)


def _draw_champion_leads(rng: np.random.Generator, eventful: Bools, span: Ints, p: Parameters) -> Ints:
    n = len(eventful)
    leaves = eventful & (rng.random(n) < p.champion_leaves_rate)
    lead = np.floor(rng.uniform(0, p.champion_leaves_lead, n) * span / 365).astype(np.int64)
    return np.where(leaves, lead, NONE)


def _outcome_of_stayers(rng: np.random.Generator, fit: Floats, events: Events, p: Parameters) -> Ints:
    """Contracted first; of the rest, those whose price rose pay more, and some of the others buy more."""
    n, declined = len(fit), events.decline == SERIOUS
    contracted = rng.random(n) < np.where(declined, p.contracted_rate_in_decline, p.contracted_rate)
    wants_more = rng.random(n) < sigmoid(np.log(p.expanded_rate / (1 - p.expanded_rate)) + p.expanded_fit_effect * fit)
    return np.select([contracted, events.price_rise | (wants_more & ~declined)], [CONTRACTED, EXPANDED], RENEWED)


def _arr_after(rng: np.random.Generator, arr: Ints, outcome: Ints, price_rise: Bools, p: Parameters) -> Ints:
    """A contraction or expansion moves the ARR by a dollar a month at least."""
    n = len(arr)
    less, more, raised = uniform(rng, p.contracted_to, n), uniform(rng, p.expanded_to, n), 1 + uniform(rng, p.price_rise_by, n)
    monthly = arr // 12
    down = np.minimum(np.floor(monthly * less), monthly - 1)
    up = np.maximum(np.round(monthly * np.where(price_rise, raised, more)), monthly + 1)
    after = np.select([outcome == CHURNED, outcome == CONTRACTED, outcome == EXPANDED], [0.0, down, up], monthly)
    return after.astype(np.int64) * 12


def _when_known(rng: np.random.Generator, due: Ints, churned: Bools, eventful: Bools, p: Parameters) -> tuple[Ints, Ints]:
    """Day of notice, and day on which the outcome was recorded."""
    n = len(due)
    lead = np.where(eventful, whole(rng, p.notice_lead, n), whole(rng, p.notice_lead_monthly, n))
    notice = np.where(churned & (rng.random(n) < p.notice_share), due - lead, NEVER)
    recorded = notice + whole(rng, (0, p.notice_recorded_within), n)
    late, kept = whole(rng, p.churn_recorded_late, n), whole(rng, p.renewal_recorded_late, n)
    return notice, np.where(notice != NEVER, recorded, due + np.where(churned, late, kept))


def _draw_causes(rng: np.random.Generator, churned: Bools, events: Events, p: Parameters) -> Ints:
    """One cause a churn, drawn in proportion to what each thing added to the odds (silent: what was there without any)."""
    added_odds = (effect * happened for effect, happened in zip(event_effects(p), events.happened, strict=True))
    weights = np.column_stack([np.ones(len(churned)), *(np.expm1(added) for added in added_odds)])
    cumulative = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    cause = (rng.random((len(churned), 1)) > cumulative).sum(axis=1)
    return np.where(churned, cause, NONE)

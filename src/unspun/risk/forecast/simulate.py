"""Paths of a book of renewals: who stays, shrinks and grows in each, with outcomes that move together.

Each path draws the model's coefficients, a shock of each quarter and cause, an effect of each family, then the outcome and the amount
of each renewal in order of time. A term that ends within the horizon is followed by one as long, with the risk of a term at its start
after such an outcome, of a customer that much older, at the ARR that it has in the path: who has just grown is another than who has not,
and who has grown much has less to grow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, special

from unspun.risk.forecast.amounts import RatioTables
from unspun.risk.forecast.shocks import DeviationPosterior, mean_shift, shared_effects
from unspun.risk.rows import CHURN, CONTRACTION, EXPANSION, FLAT

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

PATHS = 4_000
COEFFICIENT_DRAWS = 200  # each serves PATHS / COEFFICIENT_DRAWS paths
CHUNK = 512  # renewals at a time; a family is never divided
NO_FACT = -1
CAUSES3 = ("churn", "contraction", "expansion")
COUNTS = ("later", "churned", "contracted", "expanded")
MONEY = ("due_later", "lost", "down", "up")
QUANTITIES = (*COUNTS, *MONEY)


@dataclass(frozen=True, slots=True)
class OpenTerms:
    """The terms that run on the as-of day. Arrays run parallel; days since 1970-01-01.

    `fact` is an outcome that is known already (index into OUTCOMES4), NO_FACT where the renewal is open; `arr_after` is then the ARR
    after it, NaN where not known. `length_months` is 0 where the term's length is not known: no later term is counted. `arr` is NaN
    where not given; such a term is in counts and in no money. `currency` and `owner` are codes >= 0, `segment` is -1 where not known.
    """

    due: Ints
    length_months: Ints
    arr: Floats
    arr_after: Floats
    fact: Ints
    currency: Ints
    segment: Ints
    owner: Ints
    family: Ints

    def __len__(self) -> int:
        return len(self.due)


SIZES = 2.0 ** np.arange(-3, 3.5, 0.5)  # multiples of today's ARR at which the risk of later terms is worked out; in between it is read off
STAYED = (CONTRACTION, FLAT, EXPANSION)  # outcomes after which there is a next term


class Chances(Protocol):
    """Draws of the four probabilities of some of the terms, shape (draws, n, 4), from the same coefficients whatever the terms.

    `after` None: of the running terms; one of STAYED: of the next ones, on their first day, where the terms before ended so.
    """

    def __call__(self, terms: Ints, after: int | None) -> Floats: ...

    def gain(self, terms: Ints, number: Ints, multiple: Floats) -> Floats:
        """What the log odds of each of CAUSES3 (see `log_odds3`) gain from the first later term to the `number`-th, the customer being
        that much older, at an ARR that is a multiple of today's. Shape (n, len(number), 3); of number 1 and multiple 1 zeros."""
        ...


@dataclass(frozen=True, slots=True)
class Shocks:
    """The shared deviations: by cause those of a quarter, and that of a family (on churn)."""

    churn: DeviationPosterior
    contraction: DeviationPosterior
    expansion: DeviationPosterior
    family: DeviationPosterior


@dataclass(frozen=True, slots=True)
class Horizon:
    """From the as-of day to `until`. Months are counted from the one that holds the as-of day + 1; overdue renewals count in the first."""

    as_of: int
    until: int

    @property
    def first_month(self) -> int:
        return int(month_of(np.array([self.as_of + 1]))[0])

    @property
    def months(self) -> int:
        return int(month_of(np.array([self.until]))[0]) - self.first_month + 1

    def month(self, due: Ints) -> Ints:
        """The month of a due date, from 0."""
        return np.maximum(month_of(due) - self.first_month, 0)

    def quarter(self, month: Ints) -> Ints:
        """The calendar quarter of a month, from 0."""
        return (self.first_month + month) // 3 - self.first_month // 3

    @property
    def quarters(self) -> int:
        return int(self.quarter(np.array([self.months - 1]))[0]) + 1


@dataclass(frozen=True, slots=True)
class Paths:
    """Sums over renewals in each path. Arrays of shape (groups, currencies, QUANTITIES, paths) by kind of group.

    `kept` and `final` are the whole opening ARR at the end (kept: each account's at most its opening one), shape (currencies, paths).
    `later` is by term, shape (n,): the mean number of renewals after its own.
    """

    month: Floats
    segment: Floats
    owner: Floats
    kept: Floats
    final: Floats
    later: Floats


@dataclass(frozen=True, slots=True)
class _Draws:
    """What one simulation shares among chunks. `shocks` has shape (3, quarters, paths), `deviation` (4, paths) with the family's last."""

    shocks: Floats
    deviation: Floats
    paths: int


def simulate(
    terms: OpenTerms,
    chances: Chances,
    shocks: Shocks,
    ratios: RatioTables,
    horizon: Horizon,
    groups: tuple[int, int, int],
    seed: int,
    paths: int,
) -> Paths:
    """`groups` counts segments, owners and currencies. The same arguments give the same paths."""
    segments, owners, currencies = groups
    draws = _draw_shared(shocks, horizon, np.random.default_rng([seed, 1]), paths)
    shape = (currencies, len(QUANTITIES), paths)
    result = Paths(
        np.zeros((horizon.months, *shape)),
        np.zeros((segments + 1, *shape)),
        np.zeros((owners, *shape)),
        np.zeros((currencies, paths)),
        np.zeros((currencies, paths)),
        np.zeros(len(terms)),
    )
    for number, rows in enumerate(_chunks(terms.family)):
        _play(_Chunk(terms, rows, chances, draws, ratios, horizon, np.random.default_rng([seed, 2, number])), result)
    return result


def month_of(day: Ints) -> Ints:
    """Months since 1970-01."""
    return day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def add_months(day: Ints, months: Ints) -> Ints:
    """The same day some months later; the month's last where it is shorter."""
    month = month_of(day)
    in_month = day - _first_day(month)
    later = month + months
    return np.minimum(_first_day(later) + in_month, _first_day(later + 1) - 1)


def _first_day(month: Ints) -> Ints:
    return month.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _draw_shared(shocks: Shocks, horizon: Horizon, rng: np.random.Generator, paths: int) -> _Draws:
    posteriors = (shocks.churn, shocks.contraction, shocks.expansion, shocks.family)
    deviation = np.stack([one.draw(rng, paths) for one in posteriors])
    effects = np.stack([shared_effects(deviation[cause], horizon.quarters, rng) for cause in range(len(CAUSES3))])
    return _Draws(effects, deviation, paths)


def _chunks(family: Ints) -> Iterator[Ints]:
    """Positions by family, some CHUNK at a time, families whole."""
    order = np.argsort(family, kind="stable")
    begins = np.flatnonzero(np.r_[True, np.diff(family[order]) != 0]) if len(order) else order
    at = 0
    while at < len(order):
        after = begins[begins >= min(at + CHUNK, len(order))]
        end = int(after[0]) if len(after) else len(order)
        yield order[at:end]
        at = end


class _Chunk:
    """Some of the terms, played to the end of the horizon: state of each term in each path, shape (n, paths)."""

    def __init__(
        self, terms: OpenTerms, rows: Ints, chances: Chances, draws: _Draws, ratios: RatioTables, horizon: Horizon, rng: np.random.Generator
    ) -> None:
        self.terms, self.rows, self.chances, self.draws, self.ratios, self.horizon, self.rng = (
            terms,
            rows,
            chances,
            draws,
            ratios,
            horizon,
            rng,
        )
        self.due = terms.due[rows].copy()
        self.opening = np.nan_to_num(terms.arr[rows])
        self.arr = np.repeat(self.opening[:, None], draws.paths, axis=1)
        self.last = np.full((len(rows), draws.paths), FLAT, np.int8)  # how the term before ended
        self.later: list[list[Floats]] = []
        self.later_place = np.zeros(0, np.int64)
        self.by_time = self.by_size = np.zeros((0, 0, len(CAUSES3)))
        self.there = np.ones((len(rows), draws.paths), bool)
        code, size = np.unique(terms.family[rows], return_inverse=True, return_counts=True)[1:]
        effect = self.rng.standard_normal((int(code.max()) + 1, draws.paths))[code]
        self.family_deviation = np.where(size[code][:, None] > 1, draws.deviation[3], 0.0)  # a family of one term has none
        self.family = effect * self.family_deviation

    def outcome(self, at: Ints, step: int) -> Ints:
        """How the terms at some positions end, shape (n, paths)."""
        rows = self.rows[at]
        fact = self.terms.fact[rows] if step == 0 else np.full(len(rows), NO_FACT)
        ended = np.repeat(fact[:, None], self.draws.paths, axis=1)
        open_ = np.flatnonzero(fact == NO_FACT)
        if len(open_):
            quarter = self.horizon.quarter(self.horizon.month(self.due[at[open_]]))
            odds = self._running(rows[open_]) if step == 0 else self._later(at[open_], step)
            ended[open_] = _draw_outcomes(odds, self.draws, quarter, (self.family[at[open_]], self.family_deviation[at[open_]]), self.rng)
        return ended

    def _running(self, rows: Ints) -> list[Floats]:
        """Log odds of each cause in each path, three of shape (n, paths)."""
        return [self._by_path(one) for one in log_odds3(self.chances(rows, None))]

    def _later(self, at: Ints, step: int) -> list[Floats]:
        """The same of later terms, by how the one before ended in each path and its ARR. Drawn once, for all terms that have any."""
        if not self.later:
            self._look_ahead(at)
        held, time = self.later_place[at], np.minimum(step - 1, self.by_time.shape[1] - 1)
        place = np.searchsorted(STAYED, np.maximum(self.last[at], STAYED[0]))  # of those that are gone any
        gain = self.by_time[held, time]
        found = [
            np.choose(place, [self._by_path(odds[cause][:, held] + gain[:, cause]) for odds in self.later]) for cause in range(len(CAUSES3))
        ]
        self._add_size(found, at)
        return found

    def _look_ahead(self, at: Ints) -> None:
        """The log odds of the first later term after each outcome, and what time and size add to them."""
        rows = self.rows[at]
        self.later_place = np.zeros(len(self.rows), np.int64)
        self.later_place[at] = np.arange(len(at))  # the second terms are a superset of the third, and so on
        self.later = [log_odds3(self.chances(rows, after)) for after in STAYED]
        numbers = np.arange(1, self.horizon.months // int(self.terms.length_months[rows].min()) + 2)
        number, multiple = np.r_[numbers, np.ones(len(SIZES), np.int64)], np.r_[np.ones(len(numbers)), SIZES]
        self.by_time, self.by_size = np.split(self.chances.gain(rows, number, multiple), [len(numbers)], axis=1)

    def _add_size(self, odds: list[Floats], at: Ints) -> None:
        """What the ARR of a path adds, where it is no longer today's."""
        arr, opening = self.arr[at], self.opening[at]
        row, path = np.nonzero((arr != opening[:, None]) & (arr > 0) & (opening > 0)[:, None])
        grown = np.log(arr[row, path] / opening[row])
        step = np.interp(grown, np.log(SIZES), np.arange(len(SIZES)))
        below = np.minimum(step.astype(np.int64), len(SIZES) - 2)
        share, held = step - below, self.later_place[at[row]]
        for cause, own in enumerate(odds):
            gain = self.by_size[:, :, cause]
            own[row, path] += (1 - share) * gain[held, below] + share * gain[held, below + 1]

    def _by_path(self, drawn: Floats) -> Floats:
        """(draws, n) to (n, paths)."""
        return np.repeat(drawn, self.draws.paths // len(drawn), axis=0).T

    def after(self, at: Ints, outcome: Ints, step: int) -> Floats:
        """ARR after the renewal, in each path."""
        rows = self.rows[at]
        segment = np.broadcast_to(self.terms.segment[rows][:, None], outcome.shape)
        path = np.broadcast_to(np.arange(self.draws.paths), outcome.shape)
        ratio = self.ratios.draw(outcome.ravel(), segment.ravel(), path.ravel(), self.rng).reshape(outcome.shape)
        after = self.arr[at] * ratio
        known = self.terms.arr_after[rows] if step == 0 else np.full(len(rows), np.nan)
        return np.where(np.isfinite(known)[:, None], known[:, None], after)


def log_odds3(probability: Floats) -> list[Floats]:
    """Of each of CAUSES3 the log odds among what the causes before leave; (..., 4) to three of (...)."""
    left, found = np.ones(probability.shape[:-1]), list[Floats]()
    for outcome in (CHURN, CONTRACTION, EXPANSION):
        found.append(special.logit(np.clip(probability[..., outcome] / np.maximum(left, 1e-12), 1e-9, 1 - 1e-9)))
        left = left - probability[..., outcome]
    return found


def _draw_outcomes(odds: list[Floats], draws: _Draws, quarter: Ints, family: tuple[Floats, Floats], rng: np.random.Generator) -> Ints:
    """Outcomes by sequential dichotomies: churn, of the rest contraction, of the rest expansion, else flat. Shape (n, paths)."""
    u = rng.random(odds[0].shape)
    ended = np.full(u.shape, FLAT)
    undecided = np.ones(u.shape, bool)
    for cause, (outcome, own) in enumerate(zip((CHURN, CONTRACTION, EXPANSION), odds, strict=True)):
        h = _moved(own, draws.shocks[cause, quarter], draws.deviation[cause], family if cause == 0 else None)
        hit = undecided & (u < h)
        ended[hit] = outcome
        undecided &= ~hit
        u = np.where(undecided, (u - h) / (1 - h), u)  # uniform again, given that it was not this
    return ended


def _moved(odds: Floats, shock: Floats, deviation: Floats, family: tuple[Floats, Floats] | None) -> Floats:
    """The probability of log odds with their shock, and for churn the family's effect; its mean stays."""
    effect, variance = shock, deviation**2
    if family is not None:
        effect, variance = effect + family[0], variance + family[1] ** 2
    return special.expit(odds + effect + mean_shift(special.expit(odds), np.sqrt(variance)))


def _play(chunk: _Chunk, result: Paths) -> None:
    step = 0
    while len(at := np.flatnonzero(chunk.due <= chunk.horizon.until)):
        there, before = chunk.there[at], chunk.arr[at]
        result.later[chunk.rows[at]] += there.mean(axis=1) if step else 0.0
        outcome = chunk.outcome(at, step)
        after = np.where(there, chunk.after(at, outcome, step), 0.0)
        _add(result, chunk, at, _quantities(there, before, after, outcome, step))
        chunk.arr[at] = after
        chunk.there[at], chunk.last[at] = there & (outcome != CHURN), outcome
        length = chunk.terms.length_months[chunk.rows[at]]
        chunk.due[at] = np.where(length > 0, add_months(chunk.due[at], np.maximum(length, 1)), np.iinfo(np.int64).max)
        _pass_overdue(chunk, at)
        step += 1
    currency = chunk.terms.currency[chunk.rows]
    for total, amount in ((result.kept, np.minimum(chunk.arr, chunk.opening[:, None])), (result.final, chunk.arr)):
        total += _one_hot(currency, len(total)) @ amount


def _pass_overdue(chunk: _Chunk, at: Ints) -> None:
    """The next term of one that is overdue does not fall due before the as-of day again."""
    while len(late := at[chunk.due[at] <= chunk.horizon.as_of]):
        chunk.due[late] = add_months(chunk.due[late], chunk.terms.length_months[chunk.rows[late]])


def _quantities(there: Bools, before: Floats, after: Floats, outcome: Ints, step: int) -> Iterator[Floats]:
    """In the order of QUANTITIES, shape (n, paths) each. Money of what is gone is 0 already."""
    churned = outcome == CHURN
    yield there.astype(np.float64) if step else np.zeros(there.shape)
    yield from ((there & (outcome == code)).astype(np.float64) for code in (CHURN, CONTRACTION, EXPANSION))
    yield before * there if step else np.zeros(there.shape)
    yield np.where(churned, before, 0.0)
    change = np.where(churned | ~there, 0.0, after - before)
    yield np.maximum(-change, 0.0)
    yield np.maximum(change, 0.0)


def _add(result: Paths, chunk: _Chunk, at: Ints, quantities: Iterator[Floats]) -> None:
    rows, terms = chunk.rows[at], chunk.terms
    month, segment, owner = chunk.horizon.month(chunk.due[at]), terms.segment[rows], terms.owner[rows]
    currency, currencies = terms.currency[rows], result.kept.shape[0]
    totals = ((result.month, month), (result.segment, np.where(segment < 0, len(result.segment) - 1, segment)), (result.owner, owner))
    selectors = [(total, _one_hot(group * currencies + currency, len(total) * currencies)) for total, group in totals]
    for place, amount in enumerate(quantities):
        if amount.any():
            for total, selector in selectors:
                total[:, :, place] += (selector @ amount).reshape(len(total), currencies, -1)


def _one_hot(code: Ints, size: int) -> sparse.csr_array:
    return sparse.csr_array((np.ones(len(code)), (code, np.arange(len(code)))), shape=(size, len(code)))

"""Later terms go by what the book itself tells of them: a made company of monthly terms whose true future is known.

Its customers grow often in their first months and seldom later, double their ARR up to a price list's end and not beyond, and shrink the
more often the more they pay. A forecast that takes them as they are today foretells growth that cannot come.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pytest
from numpy.typing import NDArray

from unspun.app.forecast.inputs import ModelChances, OpenRows
from unspun.app.risk.inputs import DAYS_A_YEAR, LAST_OUTCOME, LOG_ARR, NO_EARLIER, TENURE
from unspun.book.tables import OUTCOMES, Codes
from unspun.risk.candidates import RiskModel, fit_candidate
from unspun.risk.forecast.amounts import learn_ratios
from unspun.risk.forecast.make import OpenBook
from unspun.risk.forecast.result import SharedShock
from unspun.risk.forecast.shocks import DeviationPosterior
from unspun.risk.forecast.simulate import CAUSES3, NO_FACT, Horizon, OpenTerms, Shocks, simulate
from unspun.risk.rows import CHURN, CONTRACTION, EXPANSION, FLAT, Feature, RiskRows, known_by
from unspun.stats.estimate import NoEstimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ACCOUNTS, MONTHS, AHEAD = 900, 20, 12
LOWEST, HIGHEST = 1_000.0, 4_000.0
FIRSTS = (np.datetime64("2023-01", "M") + np.arange(MONTHS + AHEAD + 2)).astype("datetime64[D]").astype(np.int64)
BOOK_NAMES = {CHURN: "churned", CONTRACTION: "contracted", FLAT: "renewed", EXPANSION: "expanded"}
FEATURES = (
    Feature(LOG_ARR, "ARR", "log USD", "number", given=True),
    Feature(TENURE, "Years a customer", "years", "number", given=True),
    Feature(LAST_OUTCOME, "Last outcome", "", "category", given=True, names=(NO_EARLIER, *OUTCOMES)),
)
CALM = DeviationPosterior(SharedShock("churn", NoEstimate("none"), 0), np.zeros(1), np.ones(1))


def ends(arr: Floats, months: Ints, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """How a month's terms end in truth, and the ARR after."""
    growing = np.where(arr < HIGHEST, 1 / (1 + np.exp(0.5 + 0.5 * np.minimum(months, 6))), 0.0)
    shrinking = np.select([arr >= HIGHEST, arr > LOWEST], [0.06, 0.03], 0.0)
    u = rng.random((3, *arr.shape))
    outcome = np.select([u[0] < 0.02, u[1] < shrinking, u[2] < growing], [CHURN, CONTRACTION, EXPANSION], FLAT)
    return outcome, arr * np.select([outcome == CHURN, outcome == CONTRACTION, outcome == EXPANSION], [0.0, 0.5, 2.0], 1.0)


@dataclass(frozen=True, slots=True)
class Lived:
    """A history of monthly terms, one row a term, and those that run at the end of it."""

    rows: RiskRows
    running: RiskRows
    ratio: Floats
    months: Ints  # of the running ones, since they came


def lived(rng: np.random.Generator) -> Lived:
    came = rng.integers(0, MONTHS, ACCOUNTS)
    arr, last = np.full(ACCOUNTS, LOWEST), np.zeros(ACCOUNTS, np.int64)
    parts, ratios, nobody = [], [], np.zeros(ACCOUNTS, bool)
    for month in range(MONTHS):
        here = np.flatnonzero((came <= month) & ~nobody)
        outcome, after = ends(arr[here], month - came[here], rng)
        parts.append(rows(here, month, arr[here], month - came[here], last[here], outcome))
        ratios.append(after / arr[here])
        arr[here], nobody[here] = after, outcome == CHURN
        last[here] = [1 + OUTCOMES.index(BOOK_NAMES[one]) for one in outcome.tolist()]
    here = np.flatnonzero(~nobody)
    running = rows(here, MONTHS, arr[here], MONTHS - came[here], last[here], np.full(len(here), -1))
    return Lived(joined(parts), running, np.concatenate(ratios), MONTHS - came[here])


def rows(account: Ints, month: int, arr: Floats, months: Ints, last: Ints, outcome: Ints) -> RiskRows:
    """The terms of a month on their first day."""
    n = len(account)
    columns = {LOG_ARR: np.log(arr), TENURE: months * 30.4375 / DAYS_A_YEAR, LAST_OUTCOME: last.astype(np.float64)}
    return RiskRows(
        features=FEATURES,
        columns=columns,
        reasons={name: Codes(np.full(n, -1, np.int32), ()) for name in columns},
        stale_days={name: np.zeros(n, np.int64) for name in columns},
        renewal=account * 100 + month,
        account=account,
        cluster=account,
        as_of=np.full(n, FIRSTS[month]),
        due=np.full(n, FIRSTS[month + 1]),
        decided_on=np.full(n, FIRSTS[month + 1]),
        outcome=outcome.astype(np.int8),
        term_class=np.zeros(n, np.int64),
        arr=arr,
    )


def joined(parts: list[RiskRows]) -> RiskRows:
    arrays = ("renewal", "account", "cluster", "as_of", "due", "decided_on", "outcome", "term_class", "arr")
    n = sum(map(len, parts))
    return replace(
        parts[0],
        columns={name: np.concatenate([one.columns[name] for one in parts]) for name in parts[0].columns},
        reasons={name: Codes(np.full(n, -1, np.int32), ()) for name in parts[0].columns},
        stale_days={name: np.zeros(n, np.int64) for name in parts[0].columns},
        **{name: np.concatenate([getattr(one, name) for one in parts]) for name in arrays},
    )


def open_rows(now: RiskRows) -> OpenRows:
    zeros = np.zeros(len(now), np.int64)
    terms = OpenTerms(
        due=now.due,
        length_months=zeros + 1,
        arr=now.arr,
        arr_after=np.full(len(now), np.nan),
        fact=zeros + NO_FACT,
        currency=zeros,
        segment=zeros - 1,
        owner=zeros,
        family=now.account,
    )
    names = tuple(map(str, now.account.tolist()))
    book = OpenBook(date(2024, 9, 1), terms, names, ("open",) * len(now), (), ("",), ("USD",))
    older = {**now.columns, TENURE: now.columns[TENURE] + now.lead / DAYS_A_YEAR}
    return OpenRows(book, now, replace(now, columns=older), 0)


class AsToday(ModelChances):
    """Chances of customers that neither age nor pay more: what the paths must not take them for."""

    def gain(self, terms: Ints, number: Ints, multiple: Floats) -> Floats:
        return np.zeros((len(terms), len(number), len(CAUSES3)))


def foretold(company: Lived, chances: ModelChances) -> Floats:
    """ARR a year on by the ARR of today, in each path."""
    decided = company.rows
    ratios = learn_ratios(decided.outcome.astype(np.int64), company.ratio, np.full(len(decided), -1), 0, np.random.default_rng(1))
    horizon = Horizon(int(FIRSTS[MONTHS]), int(FIRSTS[MONTHS + AHEAD]))
    terms = chances.rows.book.terms
    paths = simulate(terms, chances, Shocks(CALM, CALM, CALM, CALM), ratios, horizon, (0, 1, 1), 1, 400)
    return paths.final[0] / terms.arr.sum()


def comes(company: Lived, rng: np.random.Generator, times: int = 300) -> Floats:
    """The same in truth, `times` over."""
    arr = np.tile(company.running.arr, (times, 1))
    for month in range(AHEAD):
        arr = ends(arr, company.months + month, rng)[1]
    return arr.sum(axis=1) / company.running.arr.sum()


def fitted(company: Lived) -> RiskModel:
    model = fit_candidate("splines", known_by(company.rows, int(FIRSTS[MONTHS]) + 1), seed=0, scoring=True)
    assert not isinstance(model, NoEstimate)
    return model


def test_a_year_of_monthly_terms_comes_as_foretold_where_customers_age_and_outgrow_the_price_list() -> None:
    errors, inside = [], []
    for seed in range(5):
        company = lived(np.random.default_rng(seed))
        said = foretold(company, ModelChances(fitted(company), open_rows(company.running), 0))
        came = comes(company, np.random.default_rng([seed, 1]))
        errors.append(said.mean() / came.mean() - 1)
        low, high = np.quantile(said, (0.025, 0.975))
        inside.append(((came >= low) & (came <= high)).mean())
    assert abs(np.mean(errors)) < 0.02
    assert np.mean(inside) == pytest.approx(0.95, abs=0.06)


def test_customers_taken_as_they_are_today_would_grow_on_and_on() -> None:
    company = lived(np.random.default_rng(0))
    said = foretold(company, AsToday(fitted(company), open_rows(company.running), 0))
    assert said.mean() > 1.1 * comes(company, np.random.default_rng(1)).mean(), "so that the test above can fail"


def test_what_time_and_size_add_is_nothing_for_the_first_later_term_at_the_same_size() -> None:
    company = lived(np.random.default_rng(3))
    chances = ModelChances(fitted(company), open_rows(company.running), 0)
    terms = np.flatnonzero(company.running.arr == HIGHEST / 2)
    gain = chances.gain(terms, np.array([1, 6, 1, 1]), np.array([1.0, 1.0, 2.0, 0.5]))
    np.testing.assert_array_equal(gain[:, 0], 0.0)
    churn, contraction, expansion = range(len(CAUSES3))
    young = company.months[terms] < 2
    assert (gain[young, 1, expansion] < -0.5).all(), "who has just come grows less often half a year on"
    assert (gain[:, 2, expansion] < -2).all(), "nobody grows beyond the price list's end"
    assert (gain[:, 2, contraction] > 0.2).all() and (gain[:, 3, contraction] < -1).all()
    assert np.abs(gain[..., churn]).max() < 0.5, "churn hangs on neither"

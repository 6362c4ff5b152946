"""Simulated paths of a book of renewals: means, spreads and sums agree with what can be worked out by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from unspun.risk.forecast.amounts import RatioTables, learn_ratios
from unspun.risk.forecast.result import SharedShock
from unspun.risk.forecast.shocks import DeviationPosterior
from unspun.risk.forecast.simulate import CAUSES3, NO_FACT, QUANTITIES, Horizon, OpenTerms, Paths, Shocks, add_months, simulate
from unspun.risk.rows import CHURN, CONTRACTION, EXPANSION, FLAT
from unspun.stats.estimate import NoEstimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
AS_OF = (date(2026, 10, 31) - date(1970, 1, 1)).days
YEAR = Horizon(AS_OF, AS_OF + 365)
PATHS = 1_000


def certain(deviation: float) -> DeviationPosterior:
    """A deviation that is known exactly."""
    return DeviationPosterior(SharedShock("churn", NoEstimate("given"), 0), np.array([deviation]), np.ones(1))


def shocks(quarter: float = 0.0, family: float = 0.0) -> Shocks:
    return Shocks(certain(quarter), certain(0.0), certain(0.0), certain(family))


def ratios(contraction: float = 0.5, expansion: float = 2.0) -> RatioTables:
    outcome = np.array([CONTRACTION, FLAT, EXPANSION])
    return learn_ratios(outcome, np.array([contraction, 1.0, expansion]), np.zeros(3, np.int64), 1, np.random.default_rng(1))


def terms(n: int, months: int = 12, fact: int = NO_FACT, family: Ints | None = None) -> OpenTerms:
    zeros = np.zeros(n, np.int64)
    return OpenTerms(
        due=AS_OF + 1 + np.arange(n) % 365,
        length_months=np.full(n, months),
        arr=np.full(n, 100.0),
        arr_after=np.full(n, np.nan),
        fact=np.full(n, fact),
        currency=zeros,
        segment=zeros,
        owner=zeros,
        family=np.arange(n) if family is None else family,
    )


class AsToday:
    """Neither time nor size adds anything."""

    def gain(self, terms: Ints, number: Ints, multiple: Floats) -> Floats:
        return np.zeros((len(terms), len(number), len(CAUSES3)))


class Fixed(AsToday):
    """The same four probabilities for every term and draw; of later terms others."""

    def __init__(self, now: Floats, at_start: Floats | None = None) -> None:
        self.now, self.later = now, now if at_start is None else at_start

    def __call__(self, terms: Ints, after: int | None) -> Floats:
        return np.tile(self.now if after is None else self.later, (1, len(terms), 1))


P = np.array([0.1, 0.2, 0.4, 0.3])


def run(held: OpenTerms, chances: Fixed, effects: Shocks | None = None, horizon: Horizon = YEAR) -> Paths:
    return simulate(held, chances, effects or shocks(), ratios(), horizon, (1, 1, 1), 5, PATHS)


def total(paths: Paths, quantity: str) -> Floats:
    return paths.month[:, 0, QUANTITIES.index(quantity)].sum(axis=0)


def test_counts_of_independent_renewals_are_binomial() -> None:
    paths = run(terms(400), Fixed(P))
    for quantity, p in (("churned", 0.1), ("contracted", 0.2), ("expanded", 0.3)):
        count = total(paths, quantity)
        assert count.mean() == pytest.approx(400 * p, abs=4 * np.sqrt(400 * p * (1 - p) / PATHS))
        assert count.std() == pytest.approx(np.sqrt(400 * p * (1 - p)), rel=0.08)


def test_money_is_what_each_outcome_leaves_and_adds_up() -> None:
    paths = run(terms(100), Fixed(P))
    lost, down, up = (total(paths, one) for one in ("lost", "down", "up"))
    np.testing.assert_allclose(lost, 100 * total(paths, "churned"))
    np.testing.assert_allclose(down, 50 * total(paths, "contracted"))
    np.testing.assert_allclose(up, 100 * total(paths, "expanded"))
    np.testing.assert_allclose(paths.final[0], 100 * 100 - lost - down + up)
    np.testing.assert_allclose(paths.kept[0], 100 * 100 - lost - down)


def test_sums_by_month_segment_and_owner_are_the_same_paths() -> None:
    paths = run(terms(300), Fixed(P))
    np.testing.assert_allclose(paths.month.sum(axis=0), paths.owner.sum(axis=0))
    np.testing.assert_allclose(paths.month.sum(axis=0), paths.segment.sum(axis=0))


def test_a_shock_of_the_quarter_widens_the_count_and_leaves_its_mean() -> None:
    calm, shaken = (total(run(terms(800), Fixed(P), shocks(deviation)), "churned") for deviation in (0.0, 0.5))
    assert shaken.mean() == pytest.approx(calm.mean(), rel=0.03)
    # to first order a shock adds n p (1 - p) 0.5 times a standard normal in each quarter; two of them correlate by a half on average
    moved = 0.09 * 0.5 * np.bincount(YEAR.quarter(YEAR.month(terms(800).due)))
    added = 0.5 * moved.sum() ** 2 + 0.5 * (moved**2).sum()
    assert shaken.std() == pytest.approx(np.sqrt(72 + added), rel=0.1)


def test_a_family_shares_its_fate() -> None:
    together = run(terms(400, family=np.repeat(np.arange(40), 10)), Fixed(P), shocks(family=1.0))
    apart = run(terms(400), Fixed(P), shocks(family=1.0))
    assert total(together, "churned").var() > 1.4 * total(apart, "churned").var()
    assert total(together, "churned").mean() == pytest.approx(total(apart, "churned").mean(), rel=0.06), "to second order"


def test_uncertain_coefficients_move_all_renewals_at_once() -> None:
    class Unsure(AsToday):
        def __call__(self, terms: Ints, after: int | None) -> Floats:
            low, high = np.array([0.05, 0.0, 0.95, 0.0]), np.array([0.15, 0.0, 0.85, 0.0])
            return np.stack([np.tile(one, (len(terms), 1)) for one in (low, high)])

    count = total(simulate(terms(600), Unsure(), shocks(), ratios(), YEAR, (1, 1, 1), 5, PATHS), "churned")
    assert count.mean() == pytest.approx(60, rel=0.02)
    assert count.var() == pytest.approx(30**2 + 600 * (0.05 * 0.95 + 0.15 * 0.85) / 2, rel=0.08)


def test_a_later_term_ends_as_terms_do_after_such_an_outcome() -> None:
    class Persistent(AsToday):
        """Half grow at first; who has grown grows again, who has not never does."""

        def __call__(self, terms: Ints, after: int | None) -> Floats:
            growing = {None: 0.5, EXPANSION: 1.0}.get(after, 0.0)
            return np.tile([0.0, 0.0, 1 - growing, growing], (1, len(terms), 1))

    held = terms(1, months=1)
    grown = total(simulate(held, Persistent(), shocks(), ratios(), YEAR, (1, 1, 1), 5, PATHS), "expanded")
    terms_in_a_year = 1 + total(simulate(held, Persistent(), shocks(), ratios(), YEAR, (1, 1, 1), 5, PATHS), "later")[0]
    assert set(grown.tolist()) == {0.0, terms_in_a_year}
    assert (grown > 0).mean() == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / PATHS))


def test_a_later_term_has_the_risk_of_a_customer_that_much_older() -> None:
    class Ageing(Fixed):
        """Churn loses half a log odds with each later term."""

        def gain(self, terms: Ints, number: Ints, multiple: Floats) -> Floats:
            found = np.zeros((len(terms), len(number), len(CAUSES3)))
            found[:, :, 0] = -0.5 * (number - 1)
            return found

    held = terms(400, months=1)
    held = OpenTerms(**{name: getattr(held, name) for name in OpenTerms.__slots__ if name != "due"}, due=np.full(400, AS_OF + 14))
    paths = run(held, Ageing(np.array([0.2, 0.0, 0.8, 0.0])))
    share = special.expit(special.logit(0.2) - 0.5 * np.r_[0, np.arange(11)])
    left = np.cumprod(np.r_[1.0, 1 - share[:-1]])
    churned = paths.month[:, 0, QUANTITIES.index("churned")].mean(axis=1)
    np.testing.assert_allclose(churned, 400 * left * share, rtol=0.06, atol=0.1)


def test_a_later_term_has_the_risk_of_the_arr_that_the_path_has_by_then() -> None:
    class Limited(Fixed):
        """At three times today's ARR nobody grows any more; at twice of it who had one chance in two has one in five."""

        def gain(self, terms: Ints, number: Ints, multiple: Floats) -> Floats:
            found = np.zeros((len(terms), len(number), len(CAUSES3)))
            found[:, :, 2] = np.where(multiple > 2.1, -30.0, np.where(multiple > 1.9, -np.log(4), 0.0))
            return found

    held = terms(1, months=6)
    first = OpenTerms(**{name: getattr(held, name) for name in OpenTerms.__slots__ if name != "due"}, due=np.array([AS_OF + 14]))
    half = np.array([0.0, 0.0, 0.5, 0.5])
    final = run(first, Limited(half)).final[0]  # due twice in the year, and each growth doubles
    share = {size: (final == size).mean() for size in (100, 200, 400)}
    for size, expected in ((100, 0.5 * 0.5), (200, 0.5 * 0.8 + 0.5 * 0.5), (400, 0.5 * 0.2)):
        assert share[size] == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / PATHS))


def test_a_monthly_term_renews_until_it_churns() -> None:
    p, q = 0.2, 0.1
    held = terms(200, months=1)
    one_day = OpenTerms(**{name: getattr(held, name) for name in OpenTerms.__slots__ if name != "due"}, due=np.full(200, AS_OF + 14))
    chances = Fixed(np.array([p, 0, 1 - p, 0]), np.array([q, 0, 1 - q, 0]))
    paths = run(one_day, chances)
    left = np.array([1.0, *(0.8 * 0.9**k for k in range(11))])  # before each of the twelve due dates
    assert total(paths, "later").mean() == pytest.approx(200 * left[1:].sum(), rel=0.01)
    churned = paths.month[:, 0, QUANTITIES.index("churned")].mean(axis=1)
    np.testing.assert_allclose(churned, 200 * left * np.r_[p, np.full(11, q)], rtol=0.06)
    assert paths.final[0].mean() == pytest.approx(200 * 100 * 0.8 * 0.9**11, rel=0.02)


def test_facts_are_the_same_in_every_path() -> None:
    paths = run(terms(50, fact=CHURN), Fixed(P))
    assert (total(paths, "churned") == 50).all() and (paths.final == 0).all()


def test_the_same_seed_gives_the_same_paths_and_another_others() -> None:
    first, again = run(terms(90), Fixed(P)), run(terms(90), Fixed(P))
    np.testing.assert_array_equal(first.month, again.month)
    other = simulate(terms(90), Fixed(P), shocks(), ratios(), YEAR, (1, 1, 1), 6, PATHS)
    assert not np.array_equal(first.month, other.month)


def test_what_is_overdue_counts_in_the_first_month_and_is_not_due_again_before_the_as_of_day() -> None:
    held = terms(10, months=1)
    late = OpenTerms(**{name: getattr(held, name) for name in OpenTerms.__slots__ if name != "due"}, due=np.full(10, AS_OF - 40))
    paths = run(late, Fixed(np.array([0.0, 0, 1, 0])))
    assert total(paths, "later").max() == 120, "once for each of the twelve months"
    assert paths.month[0, 0, QUANTITIES.index("later")].max() == 10


def test_months_are_added_as_a_calendar_does() -> None:
    days = np.array([(date(2026, 1, 31) - date(1970, 1, 1)).days, (date(2024, 2, 29) - date(1970, 1, 1)).days])
    later = add_months(days, np.array([1, 12])).astype("datetime64[D]").tolist()
    assert later == [date(2026, 2, 28), date(2025, 2, 28)]


def test_few_ratios_of_a_segment_lean_on_those_of_all() -> None:
    rng = np.random.default_rng(3)
    segment = np.repeat([0, 1], [400, 2])
    ratio = np.where(segment == 0, 1.2, 3.0)
    tables = learn_ratios(np.full(402, EXPANSION), ratio, segment, 2, rng)
    means = tables.means[EXPANSION]
    assert means[0] == pytest.approx(1.2, abs=0.02)
    assert means[1] == pytest.approx((2 * 3.0 + 20 * ratio.mean()) / 22, abs=0.02)
    assert means[2] == pytest.approx(ratio.mean(), abs=0.02)
    assert tables.seen[0].n == 0 and tables.seen[2].n == 402


def test_the_further_renewals_of_each_term_add_up_to_those_of_all() -> None:
    many = terms(40, months=1)
    fact = np.where(np.arange(40) == 3, FLAT, np.where(np.arange(40) == 4, CHURN, NO_FACT))
    held = OpenTerms(**{name: getattr(many, name) for name in OpenTerms.__slots__ if name not in ("due", "fact")}, due=many.due, fact=fact)
    stays, leaves = np.array([0.0, 0, 1, 0]), np.array([0.25, 0, 0.75, 0])
    paths = run(held, Fixed(leaves, stays))
    assert paths.later.sum() == pytest.approx(total(paths, "later").mean())
    assert (paths.later[3], paths.later[4]) == (11, 0), "what is known is no chance"
    assert paths.later[0] == pytest.approx(0.75 * 11, rel=0.06)

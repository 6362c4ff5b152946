"""Groups beside what was expected: what is judged, counted and said, against counts made by hand and simulated companies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from benchmarks.performance_study import Company, Setting, simulate
from unspun.audit.terms import UNKNOWN
from unspun.risk.performance.attribution import count_whole
from unspun.risk.performance.judge import Compared, Renewals, compare_groups, judge_renewals, quarter_origins
from unspun.risk.performance.result import GroupPerformance, plural_of
from unspun.risk.rolling import Rolling
from unspun.risk.rows import CHURN, FLAT, UNDECIDED4, RiskRows
from unspun.stats.estimate import Estimate, NoEstimate

QUARTERS = ("2022-01-01", "2022-04-01", "2022-07-01")


def days(*texts: str) -> np.ndarray:
    return np.array(texts, "datetime64[D]").astype(np.int64)


def rows(renewal: list[int], as_of: np.ndarray, due: np.ndarray, outcome: list[int]) -> RiskRows:
    n = len(renewal)
    zeros = np.zeros(n, np.int64)
    codes = np.array(outcome, np.int8)
    decided = np.where(codes == UNDECIDED4, UNKNOWN, due)
    ids = np.array(renewal)
    return RiskRows((), {}, {}, {}, ids, ids, ids, as_of, due, decided, codes, zeros + 2, np.full(n, 100.0))


def compared(company: Company, seed: int = 0) -> Compared:
    return compare_groups(company.judged, company.attributed, "owner", "owner", ("USD",), seed)


@pytest.fixture(scope="module")
def company() -> Company:
    return simulate(Setting("made", owners=12, changed=0.4, hard=0.8, spread=0.5), np.random.default_rng(2))


@pytest.fixture(scope="module")
def made(company: Company) -> Compared:
    return compared(company)


def test_each_renewal_is_judged_by_what_was_expected_on_its_first_row_and_the_rest_is_counted_with_its_reason() -> None:
    due = days("2023-01-10", "2023-02-10", "2023-03-10", "2023-04-10", "2023-12-20", "2024-06-01", "2023-05-10", "2023-06-10", "2023-07-10")
    table = rows(
        [0, 0, 1, 2, 4, 5, 7, 8],
        days("2022-02-01", "2022-01-01", "2022-03-01", "2022-04-01", "2022-12-01", "2023-06-01", "2021-06-01", "2022-07-01"),
        due[[0, 0, 1, 2, 4, 5, 7, 8]],
        [CHURN, CHURN, FLAT, UNDECIDED4, FLAT, FLAT, FLAT, FLAT],
    )
    chances = np.full((8, 4), np.nan)
    chances[[0, 1, 3, 4, 5], CHURN] = [0.9, 0.1, 0.2, 0.3, 0.4]
    rolling = Rolling(np.array([5, 5, 5, 5, 5, 5, UNKNOWN, 5]), chances, (5,), (), ())
    settled_on = np.where(np.arange(9) == 6, due - 20, UNKNOWN)
    asked = Renewals(np.full(9, UNKNOWN), due, np.zeros(9, np.int64), settled_on)
    judged, left = judge_renewals(table, rolling, asked, (0, days("2024-01-01")[0]), days("2023-12-01")[0])
    assert judged.renewal.tolist() == [0]
    assert judged.given.tolist() == [0.1] and judged.looked_on.tolist() == days("2022-01-01").tolist()
    assert judged.churned.tolist() == [True]
    assert left == {
        "it was due so lately that not every outcome is known": 1,
        "no outcome is known": 2,
        "its outcome was known before the first of a month came in its term": 1,
        "its term began before the first earlier model, which takes 30 customers that churned": 1,
        "no model could be fitted on what was known when its term began": 2,
    }
    assert len(judged) + sum(left.values()) == 8  # the sixth is due later than asked


def test_models_begin_with_the_first_quarter_before_which_enough_customers_churned() -> None:
    n = 90
    due = np.repeat(days("2022-02-01", "2022-05-01", "2022-08-01"), 30)
    table = rows(list(range(n)), due - 60, due, [CHURN] * 20 + [FLAT] * 10 + [CHURN] * 12 + [FLAT] * 48)
    assert quarter_origins(table, days("2022-12-31")[0]) == tuple(days("2022-07-01", "2022-10-01").tolist())
    assert quarter_origins(table, days("2022-06-01")[0]) == ()


def test_counts_are_the_sums_of_shares_and_all_groups_together_are_the_company(company: Company, made: Compared) -> None:
    groups, members = {one.name: one for one in made.comparison.groups}, company.attributed.members
    for code, name in enumerate(company.attributed.names):
        mine = members.group == code
        share, unit = members.share[mine], members.unit[mine]
        assert groups[name].renewals == pytest.approx(share.sum())
        assert groups[name].churned == pytest.approx(share @ company.judged.churned[unit])
        assert groups[name].expected_churned == pytest.approx(share @ made.expected[unit])
        assert groups[name].shared == (share < 1).sum()
    assert sum(one.difference for one in groups.values()) == pytest.approx(0.0, abs=1e-3)
    assert made.comparison.shared == (np.bincount(members.unit) == 2).sum()


def test_who_held_the_account_on_the_due_date_is_counted_whole(company: Company, made: Compared) -> None:
    at_due = company.attributed.at_due
    assert at_due is not None
    for one in made.comparison.groups:
        mine = at_due == company.attributed.names.index(one.name)
        assert one.at_due is not None
        assert (one.at_due.renewals, one.at_due.renewed) == (mine.sum(), (mine & ~company.judged.churned).sum())


def test_money_adds_up_and_one_large_account_is_known_to_be_luck(company: Company) -> None:
    arr = np.full(len(company.judged), 100.0)
    held = company.attributed.members.unit[company.attributed.members.group == 0]
    large = held[~company.judged.churned[held]][0]
    arr[large] = 1e6
    arr[held[-1]] = np.nan
    made = compared(
        replace(company, judged=replace(company.judged, arr=arr, churned=company.judged.churned | (np.arange(len(arr)) == large)))
    )
    group = next(one for one in made.comparison.groups if one.name == company.attributed.names[0])
    (money,) = group.money
    assert money.without_amount == 1 and money.due >= 1e5
    assert money.difference == pytest.approx(money.kept - money.expected)
    assert money.limits[0].low <= money.kept <= money.limits[0].high or money.expected > 0.95 * money.due


def test_the_exact_test_of_half_a_company_allows_for_its_being_half_of_it() -> None:
    churned = np.arange(400) % 200 < np.where(np.arange(400) < 200, 40, 20)
    one = simulate(Setting("even", owners=2, renewals=200, changed=0.0, hard=0.0, unlike=0.0), np.random.default_rng(1))
    judged = replace(one.judged.take(np.arange(400) % len(one.judged)), churned=churned, given=np.full(400, 0.15), cluster=np.arange(400))
    groups = compare_groups(judged, count_whole(np.arange(400) // 200, ("a", "b")), "segment", "segment", ("USD",), 0).comparison.groups
    fisher = stats.fisher_exact(np.array([[40, 160], [20, 180]])).pvalue
    assert [group.p for group in groups] == pytest.approx([fisher, fisher], rel=0.35)
    assert all(group.p < stats.binomtest(40, 200, 0.15).pvalue for group in groups)


def test_owners_who_differ_by_far_are_told_and_the_rest_is_not() -> None:
    group = np.repeat(np.arange(8), 120)
    rate = np.array([0.45, 0.02, *[0.15] * 6])
    churned = np.concatenate([np.arange(120) < round(120 * r) for r in rate])
    base = simulate(Setting("base", owners=8, renewals=120, changed=0.0), np.random.default_rng(1)).judged
    judged = replace(base.take(np.arange(960) % len(base)), churned=churned, given=np.full(960, 0.17), cluster=np.arange(960))
    names = ("worst", "best", *(f"owner {i}" for i in range(6)))
    comparison = compare_groups(judged, count_whole(group, names), "owner", "owner", ("USD",), 0).comparison
    verdicts = {one.name: one.verdict for one in comparison.groups}
    assert verdicts == {"worst": "renews less", "best": "renews more", **dict.fromkeys(names[2:], "cannot tell")}
    assert comparison.told == 2 and comparison.differ_p is not None and comparison.differ_p <= 0.002
    ranks = {one.name: (one.rank_low, one.rank_high) for one in comparison.groups}
    assert ranks["worst"] == (8, 8) and ranks["best"] == (1, 1)
    assert comparison.pairs_apart == 13 and comparison.overlapping == 6
    assert comparison.ranking.startswith("No full ranking: the intervals of 6 of 8 owners overlap another's")


def test_too_few_churned_leave_counts_and_no_difference() -> None:
    few = simulate(Setting("few", owners=3, renewals=15, churn=0.05, changed=0.0), np.random.default_rng(0))
    comparison = compared(few).comparison
    assert isinstance(comparison.spread, NoEstimate) and comparison.ranking.startswith("No ranking: only")
    assert all(isinstance(one.effect, NoEstimate) and one.verdict == "cannot tell" and one.renewals > 0 for one in comparison.groups)


def test_the_funnel_narrows_as_more_is_expected(made: Compared) -> None:
    funnel = made.comparison.funnel
    widths = np.array([[one.high - one.low for one in point.limits] for point in funnel])
    assert (widths[:, 0] < widths[:, 1]).all() and widths[-1, 0] < 0.6 * widths[0, 0]
    assert [point.expected_churned for point in funnel] == sorted(point.expected_churned for point in funnel)


def test_the_same_renewals_and_seed_give_the_same_and_another_seed_moves_only_what_is_drawn(company: Company, made: Compared) -> None:
    assert compared(company).comparison == made.comparison
    other = compared(company, 1).comparison

    def fixed(one: GroupPerformance) -> tuple[object, ...]:
        assert isinstance(one.effect, Estimate)
        return one.name, one.renewed, one.expected, one.effect.point, one.effect.low, one.p, one.verdict

    assert [fixed(one) for one in other.groups] == [fixed(one) for one in made.comparison.groups]


@pytest.mark.parametrize(("noun", "several"), [("owner", "owners"), ("country", "countries"), ("day", "days"), ("branch", "branches")])
def test_groups_are_called_by_their_plural(noun: str, several: str) -> None:
    assert plural_of(noun) == several

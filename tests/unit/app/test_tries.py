"""Tries on a test period: how they are counted, and that intervals hold however many there are."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from unspun.app.tries import TestPeriod as Period
from unspun.app.tries import Try, count_try
from unspun.ledger.chain import make_entry
from unspun.stats.concordance import count_clusters, influence, paired_difference
from unspun.warehouse.catalog import create_warehouse

AT = datetime(2026, 1, 1, tzinfo=UTC)
SUMMER, AUTUMN = Period(90, date(2025, 6, 1), date(2025, 8, 31)), Period(90, date(2025, 8, 15), date(2025, 11, 30))
WINTER = Period(90, date(2025, 12, 1), date(2026, 2, 28))


def tried(number: int) -> Try:
    return Try(number, make_entry(None, "opened", {}, AT), False)


def test_tries_are_numbered_and_the_same_one_is_counted_once(tmp_path: Path) -> None:
    with create_warehouse(tmp_path, AT) as catalog:
        first, second = (count_try(catalog, SUMMER, {"score": text}, AT) for text in ("a", "b"))
        again = count_try(catalog, SUMMER, {"score": "a"}, AT)
        assert [(one.number, one.again) for one in (first, second, again)] == [(1, False), (2, False), (1, True)]
        assert again.entry == first.entry
        assert len(catalog.entries(kind="try")) == 2


def test_a_test_period_that_shares_days_with_another_shares_its_tries(tmp_path: Path) -> None:
    with create_warehouse(tmp_path, AT) as catalog:
        count_try(catalog, SUMMER, {"score": "a"}, AT)
        assert count_try(catalog, AUTUMN, {"score": "a"}, AT).number == 2
        assert count_try(catalog, WINTER, {"score": "a"}, AT).number == 1


def test_the_shares_of_all_tries_add_up_to_less_than_one() -> None:
    assert sum(1 / tried(number).one_of for number in range(1, 10_000)) < 1


def test_with_noise_for_weights_corrected_intervals_rarely_leave_out_zero_and_plain_ones_often_do() -> None:
    """Twenty re-weightings of metrics that all mean nothing: none ranks better, and whoever looks at all intervals errs in under 5 %."""
    rng = np.random.default_rng(20261123)
    books, tries, units = 200, 20, 250
    misled, misled_without = 0, 0
    for _ in range(books):
        metrics, churned, cluster = rng.normal(size=(units, 6)), rng.random(units) < 0.2, rng.integers(0, 200, units)
        declared, clusters = influence(metrics.sum(axis=1), churned), count_clusters(churned, cluster)
        again = [influence(metrics @ rng.exponential(size=6), churned) for _ in range(tries)]
        corrected = [paired_difference(one, declared, clusters, cluster, tried(at).one_of)[0] for at, one in enumerate(again, 1)]
        plain = [paired_difference(one, declared, clusters, cluster)[0] for one in again]
        misled += any(one.low > 0 or one.high < 0 for one in corrected)
        misled_without += any(one.low > 0 or one.high < 0 for one in plain)
    assert misled / books <= 0.05
    assert misled_without / books > 0.2

"""Measures that are lowered to SQL are what plain Python counts, row by row."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from tests.unit.metrics.lower.made_measures import WINDOWS, Made, disagreements, made_leaves, made_rows
from unspun.metrics.asof import BeforeRenewals, Dates
from unspun.metrics.conditions import IsIn
from unspun.metrics.lower.plan import Leaf, Seen
from unspun.metrics.nodes import Count, Rows
from unspun.metrics.windows import Days, SinceContractStart

FIRST = date(2023, 10, 20)
SEEN = (Seen("events", 0), Seen("events", 28))
MONTHS = Dates(tuple(date(2023 + (9 + i) // 12, (9 + i) % 12 + 1, 28) for i in range(8)))
WEEKS = Dates(tuple(date(2023, 12, 3) + timedelta(days=7 * i) for i in range(14)))
DAYS = Dates(tuple(date(2024, 1, 3) + timedelta(days=i) for i in range(70)))
RARE = Dates((date(2023, 10, 1), date(2023, 12, 31), date(2024, 12, 31)))
RENEWALS = BeforeRenewals(tuple((f"a{i % 4}", date(2024, 2, 1) + timedelta(days=9 * i)) for i in range(16)), (60, 30))
MANY = Dates(tuple(date(2023, 9, 3) + timedelta(days=2 * i) for i in range(130)))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("versioned", [False, True], ids=["one version", "several versions"])
@pytest.mark.parametrize("as_of", [MONTHS, WEEKS, DAYS, RARE], ids=["months", "weeks", "days", "rare"])
def test_measures_on_dates_equal_a_count_by_hand(as_of: Dates, versioned: bool, seed: int) -> None:
    chance = random.Random(f"{seed} {versioned} {len(as_of.dates)}")
    made = Made(made_rows(chance, 150, FIRST, 170, 0.3, versioned), versioned, as_of, fiscal_year_starts=chance.choice([1, 2, 4]))
    assert disagreements(made, made_leaves(chance, 24), SEEN)[:5] == []


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Pacific/Apia", "Asia/Kathmandu", "America/Sao_Paulo"])
def test_days_are_those_of_the_time_zone(zone: str) -> None:
    chance = random.Random(zone)
    made = Made(made_rows(chance, 200, FIRST, 170, 0.3, True), True, WEEKS, zone)
    assert disagreements(made, made_leaves(chance, 16), SEEN)[:5] == []


@pytest.mark.parametrize("seed", range(2))
def test_more_dates_than_a_word_has_bits(seed: int) -> None:
    chance = random.Random(seed)
    made = Made(made_rows(chance, 200, FIRST, 250, 0.2, bool(seed)), bool(seed), MANY)
    assert disagreements(made, made_leaves(chance, 12), SEEN)[:5] == []


@pytest.mark.parametrize("seed", range(4))
def test_measures_before_renewals_equal_a_count_by_hand(seed: int) -> None:
    chance = random.Random(seed)
    dues = {(f"a{chance.randrange(5)}", FIRST + timedelta(days=chance.randrange(40, 300))) for _ in range(12)}
    as_of = BeforeRenewals(tuple(sorted(dues)), (90, 60, 30, 0))
    made = Made(made_rows(chance, 150, FIRST, 170, 0.3, bool(seed % 2)), bool(seed % 2), as_of)
    assert disagreements(made, made_leaves(chance, 24), SEEN)[:5] == []


@pytest.mark.parametrize("seed", range(3))
def test_a_window_since_contract_start_begins_for_each_account_on_its_own_day(seed: int) -> None:
    chance = random.Random(seed)
    rows = made_rows(chance, 150, FIRST, 170, 0.3, True)
    starts = {
        (f"a{a}", day): day - timedelta(days=chance.randrange(0, 150)) for a in range(4) for day in WEEKS.dates if chance.random() < 0.8
    }
    made = Made(rows, True, WEEKS, contracts=starts)
    assert disagreements(made, made_leaves(chance, 20, (*WINDOWS, *[SinceContractStart()] * 13)), SEEN)[:5] == []


@pytest.mark.parametrize("counted", [True, False], ids=["rows counted", "rows not counted"])
@pytest.mark.parametrize("as_of", [MONTHS, DAYS, RENEWALS], ids=["months", "days", "renewals"])
def test_counts_by_name_are_right_side_by_side(as_of: Dates | BeforeRenewals, counted: bool) -> None:
    chance = random.Random(7)
    made = Made(made_rows(chance, 250, FIRST, 170, 0.2, False), False, as_of, counted=counted)
    names = [("login",), ("it's", 'say "hi"'), ("export", "login"), ("Größe",)]
    leaves = [Leaf(Count(Rows("events", IsIn("event", name), Days(days)))) for name in names for days in (7, 90)]
    assert disagreements(made, leaves, SEEN)[:5] == []


def test_a_book_without_rows_has_no_units_and_covers_no_day() -> None:
    chance = random.Random(1)
    assert disagreements(Made([], False, MONTHS), made_leaves(chance, 12), SEEN) == []

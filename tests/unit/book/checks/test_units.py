"""Amounts that jump by a unit: in a file, from a day on, for some rows; and growth, which is no such jump."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.unit.book.checks.loaded_checks import Export, Found, checked
from unspun.book.checks.unit_pairs import FACTORS
from unspun.book.checks.units import CHECKS

Term = dict[str, Any]
FACTOR_SUBJECTS = {12.0: "times 12", 100.0: "times 100", 1000.0: "times 1000", 1 / 12: "by 12", 1 / 100: "by 100", 1 / 1000: "by 1000"}


def terms(seed: int, accounts: int = 40, months: int = 12, seats: bool = True) -> list[Term]:
    """Terms that are renewed with growth of all kinds: uplifts, more seats, a few that grow tenfold or to a round number."""
    random = Random(seed)
    rows: list[Term] = []
    for account in range(accounts):
        started, number, price = (
            date(2022, 1, 1) + timedelta(random.randrange(700)),
            random.randint(1, 60),
            round(random.uniform(20, 200), 2),
        )
        while started < date(2025, 6, 1):
            ended = started + timedelta(round(months * 30.4375))
            term = {"subscription_id": f"S-{len(rows)}", "account_id": f"A-{account}", "started": started, "ended": ended}
            rows.append(
                term | {"amount": round(number * price * months, 2), "amount_months": months} | ({"seats": number} if seats else {})
            )
            change = random.random()
            number = random.choice([10, 12, 50, 100, 120]) if change < 0.03 else max(1, round(number * random.lognormvariate(0.05, 0.3)))
            price = round(price * (1.05 if change > 0.6 else 1), 2)
            started = ended
    return sorted(rows, key=lambda row: (row["started"], row["subscription_id"]))


def in_units(rows: list[Term], factor: float, which: Callable[[int, Term], bool]) -> list[Term]:
    return [row | {"amount": round(row["amount"] * factor, 4)} if which(at, row) else row for at, row in enumerate(rows)]


def of_terms(folder: Path, *files: list[Term]) -> dict[str, Found]:
    exports = [Export(f"terms-{number}.csv", "subscriptions", rows) for number, rows in enumerate(files)]
    return {name.removeprefix("units/subscriptions/amount/"): one for name, one in checked(folder, CHECKS, *exports).items()}


@pytest.mark.parametrize("seed", range(6))
def test_growth_alone_is_never_taken_for_another_unit(tmp_path: Path, seed: int) -> None:
    rows = terms(seed, accounts=30 + 20 * seed, months=(1, 3, 12)[seed % 3], seats=seed % 2 == 0)
    half = len(rows) // 2
    assert not of_terms(tmp_path, rows[:half], rows[half:])


@pytest.mark.parametrize("factor", FACTORS)
def test_a_file_in_another_unit_is_found_with_the_factor_and_the_rows(tmp_path: Path, factor: float) -> None:
    rows = terms(1)
    half = len(rows) // 2
    found = of_terms(tmp_path, rows[:half], in_units(rows[half:], factor, lambda _at, _row: True))
    (one,) = found.values()
    assert one.finding.subject == f"amount/{FACTOR_SUBJECTS[factor]}"
    assert one.finding.severity == "error"
    assert len(one.rows) == one.finding.count >= 20
    assert {row["source_file"] for row in one.rows} == {2}
    assert all(factor / 1.501 < row["ratio"] < factor * 1.501 for row in one.rows)


@pytest.mark.parametrize("months", [1, 3, 12])
def test_amounts_in_another_unit_from_a_day_on_are_found_however_long_terms_run(tmp_path: Path, months: int) -> None:
    rows = in_units(terms(2, months=months), 100, lambda _at, row: row["started"] >= date(2024, 1, 1))
    (one,) = of_terms(tmp_path, rows).values()
    assert (one.finding.subject, one.finding.severity) == ("amount/times 100", "error")
    assert min(row["day"] for row in one.rows) >= date(2024, 1, 1)


def test_some_rows_in_another_unit_are_warned_of_where_prices_stay_else(tmp_path: Path) -> None:
    rows = terms(3, accounts=60)
    random = Random(3)
    flat = {row["account_id"]: row for row in reversed(rows)}
    rows = [row | {name: flat[row["account_id"]][name] for name in ("amount", "seats")} for row in rows]
    found = of_terms(tmp_path, in_units(rows, 12, lambda _at, _row: random.random() < 0.1))
    (one,) = found.values()
    assert (one.finding.severity, one.finding.count) == ("warning", len(one.rows))
    assert all(abs(row["ratio"] / one.finding.facts["factor"] - 1) < 0.005 for row in one.rows)


def test_a_round_number_of_seats_bought_is_no_other_unit(tmp_path: Path) -> None:
    rows: list[Term] = []
    for number in range(30):
        base = {"account_id": f"A-{number}", "amount_months": 12}
        rows.append(base | {"subscription_id": f"a{number}", "started": "2023-01-01", "ended": "2023-12-31", "amount": 50, "seats": 1})
        rows.append(base | {"subscription_id": f"b{number}", "started": "2024-01-01", "ended": "2024-12-31", "amount": 5000, "seats": 100})
    assert not of_terms(tmp_path / "seats", rows)
    without = [{name: value for name, value in row.items() if name != "seats"} for row in rows]
    assert of_terms(tmp_path / "blind", without)


def test_a_yearly_amount_beside_monthly_ones_is_the_same_price_where_the_period_is_known(tmp_path: Path) -> None:
    rows = terms(4)
    yearly = [row | {"amount": row["amount"] / 12, "amount_months": 1} if at % 2 else row for at, row in enumerate(rows)]
    assert not of_terms(tmp_path, yearly)


def test_renewals_are_compared_with_the_amount_before(tmp_path: Path) -> None:
    rows: list[Term] = [
        {"account_id": f"A-{n}", "due": date(2024, 1, 1) + timedelta(n * 7), "outcome": "renewed"}
        | {"amount_before": 1000 + n, "amount_after": 1050 + n}
        for n in range(60)
    ]
    assert not checked(tmp_path / "clean", CHECKS, Export("renewals.csv", "renewals", rows))
    cents = [row | {"amount_after": row["amount_after"] * 100} if row["due"] >= date(2024, 9, 1) else row for row in rows]
    (one,) = checked(tmp_path / "cents", CHECKS, Export("renewals.csv", "renewals", cents)).values()
    assert one.finding.id == "units/renewals/amount_after/times 100"
    assert one.finding.count == len(one.rows) == sum(row["due"] >= date(2024, 9, 1) for row in rows)


def test_a_quantity_of_events_in_milliseconds_from_a_day_on_is_found_and_more_use_is_not(tmp_path: Path) -> None:
    random = Random(5)
    days = [date(2025, 1, 1) + timedelta(n) for n in range(0, 300, 3)]
    rows = [
        {
            "account_id": f"A-{account}",
            "occurred": day,
            "event": "run",
            "value": round(random.lognormvariate(3, 0.5) * (1 + (day.month > 5)), 1),
        }
        for account in range(15)
        for day in days
    ]
    assert not checked(tmp_path / "clean", CHECKS, Export("events.csv", "events", rows))
    milli = [row | {"value": row["value"] * 1000} if row["occurred"] >= date(2025, 7, 17) else row for row in rows]
    (one,) = checked(tmp_path / "milli", CHECKS, Export("events.csv", "events", milli)).values()
    assert one.finding.id == "units/events/value/times 1000"
    assert {row["day"].month for row in one.rows} <= {7, 8, 9}  # two months back is from before the change

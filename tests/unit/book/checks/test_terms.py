"""Terms that overlap, leave gaps, have no day or no amount, and add-ons that nobody bought."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import duckdb

from tests.unit.book.checks.views import findings
from unspun.book.checks.terms import CHECKS

JAN = date(2025, 1, 1)


def day(number: int) -> date:
    return JAN + timedelta(days=number)


def term(first: int, last: int | None, account: str = "A", amount: int | None = 100, **more: Any) -> dict[str, Any]:
    return {
        "account_id": account, "started": day(first), "ended": None if last is None else day(last),
        "amount": None if amount is None else Decimal(amount), "amount_months": 1.0, **more,
    }  # fmt: skip


def addon(first: int, last: int | None, account: str = "A", product: str = "extra", **more: Any) -> dict[str, Any]:
    return term(first, last, account, is_addon=True, product=product, **more)


def test_terms_that_follow_each_other_are_clean() -> None:
    book = {"subscriptions": [term(0, 30), term(30, 60), term(61, 90, "B"), term(90, None, "B")]}
    assert findings(book, CHECKS) == {}


def test_a_term_inside_another_of_its_product_is_money_that_may_count_twice() -> None:
    book = {"subscriptions": [term(0, 365, product="pro"), term(100, 200, product="pro"), term(100, 200, product="basic")]}
    one = findings(book, CHECKS)["overlapping_terms/subscriptions"]
    assert (one.finding.count, one.finding.of, one.finding.severity) == (1, 3, "warning")
    assert one.rows[0]["product"] == "pro"
    assert (one.rows[0]["beside_started"], one.rows[0]["beside_ended"], one.rows[0]["beside_row"]) == (day(0), day(365), 2)
    assert "They add ARR of 1,200 (on 2025-04-11)" in one.finding.message


def test_a_term_that_outlasts_the_one_before_renews_or_replaces_it() -> None:
    book = {"subscriptions": [term(0, 365, product="pro"), term(300, 700, product="pro"), term(310, 720, product="pro")]}
    assert findings(book, CHECKS) == {}


def test_two_lines_of_one_order_are_no_overlap_and_the_same_line_twice_is() -> None:
    lines = [term(0, 365, amount=100, product="pro"), term(0, 365, amount=40, product="pro")]
    assert findings({"subscriptions": lines}, CHECKS) == {}
    again = term(0, 365, amount=40, product="pro")
    assert findings({"subscriptions": [*lines, again]}, CHECKS)["overlapping_terms/subscriptions"].numbers == [4]


def test_a_term_that_replaces_a_cancelled_one_is_no_overlap() -> None:
    book = {"subscriptions": [term(0, 365, product="pro", cancelled_on=day(100)), term(98, 365, product="pro")]}
    assert findings(book, CHECKS) == {}


def test_an_add_on_beside_its_base_term_is_no_overlap() -> None:
    book = {"subscriptions": [term(0, 365, product="pro"), addon(0, 365, product="pro")]}
    assert findings(book, CHECKS) == {}


def test_without_products_the_message_says_what_cannot_be_told() -> None:
    one = findings({"subscriptions": [term(0, 365), term(100, 200)]}, CHECKS)["overlapping_terms/subscriptions"].finding
    assert "(no product is mapped)" in one.message
    assert "map product in book.yml" in one.mend


def test_overlaps_are_those_that_comparing_every_pair_finds() -> None:
    random = Random(5)
    terms = [
        term(first, None if random.random() < 0.1 else first + random.randint(1, 40), str(random.randrange(150)), random.randint(1, 3))
        for first in random.choices(range(80), k=600)
    ]
    one = findings({"subscriptions": terms}, CHECKS)["overlapping_terms/subscriptions"]

    def key(n: int) -> tuple[date, int, Decimal, int]:
        this = terms[n]
        return this["started"], -(this["ended"] or date.max).toordinal(), this["amount"], n

    def inside(n: int) -> bool:
        """Whether of the terms that come before it, the one that ends last runs on past its end, and is no line of the same order."""
        before = [m for m in range(len(terms)) if terms[m]["account_id"] == terms[n]["account_id"] and key(m) < key(n)]
        if not before:
            return False
        last = max(before, key=lambda m: (terms[m]["ended"] or date.max, terms[m]["started"], terms[m]["amount"]))
        this, other = terms[n], terms[last]
        end, other_end = this["ended"] or date.max, other["ended"] or date.max
        same_days = (this["started"], end) == (other["started"], other_end)
        return this["started"] < other_end and end <= other_end and not (same_days and this["amount"] != other["amount"])

    expected = [n + 2 for n in range(len(terms)) if inside(n)]
    assert one.numbers == expected
    assert 100 < len(expected) < 500


def test_gaps_are_described_with_their_lengths() -> None:
    book = {"subscriptions": [term(0, 30), term(30, 60), term(63, 90), term(190, 200), term(0, 30, "B"), term(30, 60, "B")]}
    one = findings(book, CHECKS)["term_gaps/subscriptions"]
    assert [row["gap_days"] for row in one.rows] == [3, 100]
    assert (one.finding.severity, one.finding.count, one.finding.of) == ("note", 2, 4)
    assert one.finding.message == (
        "2 of 4 base terms that follow another (50.0 %) begin after a gap of 3 to 100 days, in 1 account: "
        "1 within the 7 grace days, which counts as renewed late, 1 after longer, which counts as churned and come back."
    )


def test_where_ends_are_last_days_the_next_day_is_no_gap() -> None:
    book = {"subscriptions": [term(0, 29), term(30, 59), term(60, 89), term(92, 120)]}
    one = findings(book, CHECKS)["term_gaps/subscriptions"]
    assert [row["gap_days"] for row in one.rows] == [2]
    assert one.finding.facts["ends_are_last_days"] == "true"


def test_another_base_term_that_runs_bridges_a_gap() -> None:
    book = {"subscriptions": [term(0, 30, product="a"), term(50, 90, product="a"), term(0, 90, product="b")]}
    assert findings(book, CHECKS) == {}


def test_terms_that_end_before_they_start_are_told_from_those_that_end_at_once() -> None:
    book = {"subscriptions": [term(10, 5), term(10, 10, "B"), term(0, 20, "C")]}
    found = findings(book, CHECKS)
    assert {name: one.numbers for name, one in found.items()} == {
        "terms_without_days/subscriptions/ended_before_started": [2],
        "terms_without_days/subscriptions/ended_as_started": [3],
    }
    assert found["terms_without_days/subscriptions/ended_as_started"].finding.severity == "note"


def test_amounts_that_are_missing_zero_or_for_unknown_months_are_told_apart() -> None:
    terms = [term(0, 30, "A"), term(0, 30, "B", None), term(0, 30, "C", 0), {**term(0, 30, "D"), "amount_months": None}]
    found = findings({"subscriptions": terms}, CHECKS)
    assert {one.finding.subject: (one.finding.severity, one.numbers) for one in found.values()} == {
        "missing": ("error", [3]),
        "zero": ("note", [4]),
        "unknown_months": ("error", [5]),
    }


def test_add_ons_without_a_base_term_are_counted_with_their_accounts_and_arr() -> None:
    book = {
        "subscriptions": [
            term(0, 100), addon(0, 100), addon(95, 107), addon(50, 300), addon(200, 230),
            addon(0, None, "B", amount_months=12.0), term(400, None, "C"),
        ],
    }  # fmt: skip
    one = findings(book, CHECKS)["phantom_addons/subscriptions/without_base"]
    assert one.numbers == [5, 6, 7]  # up to 7 grace days after the base term an add-on may still run
    assert [row["base_runs_for_a_part"] for row in one.rows] == [True, False, False]
    assert one.finding.message == (
        "3 of 5 add-on terms (60.0 %) of 2 accounts run while no base term of their account does: "
        "2 on all of their days, 1 on some. They carry ARR of 100 (on 2026-02-05)."
    )


def test_an_add_on_may_run_on_while_its_base_term_is_renewed_late() -> None:
    late, lapsed = [term(0, 100), term(107, 200), addon(50, 150)], [term(0, 100), term(108, 200), addon(50, 150)]
    assert "phantom_addons/subscriptions/without_base" not in findings({"subscriptions": late}, CHECKS)
    assert "phantom_addons/subscriptions/without_base" in findings({"subscriptions": lapsed}, CHECKS)


def test_an_add_on_beside_every_base_term_was_written_by_a_system() -> None:
    accounts = [str(number) for number in range(120)]
    base, chosen = [term(0, 365, a, product="pro") for a in accounts], [addon(0, 365, a, "reports") for a in accounts[:60]]
    assert findings({"subscriptions": [*base, *chosen]}, CHECKS) == {}
    everywhere = [addon(0, 365, a, "search") for a in accounts]
    one = findings({"subscriptions": [*base, *chosen, *everywhere]}, CHECKS)["phantom_addons/subscriptions/with_every_base_term"].finding
    assert (one.count, one.of, one.facts["products"]) == (120, 180, "search")
    assert "They carry ARR of 144,000 (on 2025-01-01), the base terms ARR of 144,000 (on 2025-01-01)." in one.message


def test_crm_sims_gaps_and_phantom_add_ons_are_described(shared_data: Path) -> None:
    path = shared_data / "crm_sim" / "subscriptions.parquet"
    sql = (
        "SELECT CAST(account_id AS VARCHAR) AS account_id, CAST(subscription_id AS VARCHAR) AS subscription_id, product, is_addon, "
        "start_date AS started, end_date AS ended, CAST(mrr AS DECIMAL(18, 4)) AS amount, 1.0::DOUBLE AS amount_months FROM "
    )
    found = findings({"subscriptions": duckdb.connect().sql(f"{sql} '{path}'").to_arrow_table().to_pylist()}, CHECKS)
    assert set(found) == {"term_gaps/subscriptions", "phantom_addons/subscriptions/with_every_base_term"}
    gaps = found["term_gaps/subscriptions"].finding
    assert (gaps.count, gaps.of, gaps.facts["accounts"], gaps.facts["longest_days"]) == (7, 30_960, 5, 3)
    phantom = found["phantom_addons/subscriptions/with_every_base_term"].finding
    assert (phantom.count, phantom.of, phantom.facts["accounts"]) == (69_552, 69_552, 3_816)
    assert phantom.facts["products"] == "meetings, search_unlimited"

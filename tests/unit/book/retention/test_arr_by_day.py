"""ARR on many days: the same as retention counts it on each day by itself, whatever changed in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from unspun.book.retention.arr_by_day import TermVersions, arr_by_day, arr_rows, read_term_versions
from unspun.book.retention.balances import take_balances
from unspun.book.retention.question import RetentionQuestion
from unspun.book.retention.sold import read_sold
from unspun.book.terms.derive import EPOCH, follow_terms
from unspun.book.terms.rules import TermRules

UNITS = 10_000
DAYS = tuple(date(2023, 1, 1) + timedelta(days=9 * n) for n in range(70))
RULES = (
    TermRules(ends_inclusive=False),
    TermRules(ends_inclusive=True, cancellation_ends_term=True, grace_days=30),
    TermRules(ends_inclusive=False, open_term_months=1, add_ons_count=False),
)


def random_terms(seed: int, accounts: int = 60) -> pa.Table:
    """Terms that renew, lapse, overlap, come back, are open, cancelled, unpriced, in two currencies; some known late or corrected."""
    rng, rows = np.random.default_rng(seed), []
    for account in range(accounts):
        day = int(rng.integers(0, 300)) + (date(2023, 1, 1) - EPOCH).days
        for _ in range(int(rng.integers(1, 6))):
            length = int(rng.choice([30, 90, 365]))
            seen = day + int(rng.integers(-40, 15))
            corrected = seen + int(rng.integers(0, 60)) if rng.random() < 0.2 else None
            one = {
                "account_id": f"A{account:03}", "started": day, "ended": None if rng.random() < 0.1 else day + length,
                "amount_units": None if rng.random() < 0.05 else int(rng.integers(0, 50)) * UNITS, "amount_months": 1.0,
                "currency": "EUR" if rng.random() < 0.9 else "USD", "product": f"p{rng.integers(0, 2)}", "is_addon": rng.random() < 0.2,
                "notice": None, "cancelled_on": day + int(rng.integers(0, length)) if rng.random() < 0.15 else None,
                "seen_from": seen, "seen_until": corrected,
            }  # fmt: skip
            rows.append(one)
            if corrected is not None and rng.random() < 0.8:
                rows.append({**one, "amount_units": 7 * UNITS, "seen_from": corrected, "seen_until": None})
            day += length + int(rng.choice([0, 0, -20, 5, 60]))
    days = {"started", "ended", "notice", "cancelled_on", "seen_from", "seen_until"}
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    made = {name: pa.array(cells, pa.int32()).cast(pa.date32()) if name in days else pa.array(cells) for name, cells in columns.items()}
    return pa.table({**made, "source_file": pa.array([1] * len(rows)), "source_row": pa.array(range(len(rows)))})


def versions_of(table: pa.Table, rules: TermRules) -> TermVersions:
    return read_term_versions(table, rules, RetentionQuestion(DAYS[-1]))


def by_itself(table: pa.Table, rules: TermRules, day: date) -> dict[str, float | None]:
    """ARR of a day by nothing but the rows that were known then."""
    known = [row for row in table.to_pylist() if row["seen_from"] <= day and (row["seen_until"] is None or day < row["seen_until"])]
    if not known:
        return {}
    question = RetentionQuestion(day)
    rows = pa.Table.from_pylist(known, schema=table.schema)
    sold = read_sold(replace(question, rules=replace(question.rules, terms=rules)), {"subscriptions": rows})
    number = (day - EPOCH).days
    found = take_balances(sold, follow_terms(sold.terms, sold.rules, day), number, np.array([number]))
    names = sold.terms.account.names
    return {name: float(found.arr[i, 0]) / UNITS if found.in_money[i] else None for i, name in enumerate(names)}


@pytest.mark.parametrize("rules", RULES)
def test_every_day_has_the_arr_of_the_rows_known_on_that_day_alone(rules: TermRules) -> None:
    table = random_terms(3)
    found: dict[date, dict[str, float | None]] = {day: {} for day in DAYS}
    for row in arr_by_day(versions_of(table, rules), DAYS).to_pylist():
        found[row["as_of"]][row["account_id"]] = row["arr"]
        assert (row["reason"] == "not_stated") == (row["arr"] is None)
    assert found == {day: by_itself(table, rules, day) for day in DAYS}
    values = [arr for accounts in found.values() for arr in accounts.values()]
    assert None in values
    assert 0.0 in values


def test_the_accounts_asked_for_on_a_day_have_the_same_arr_as_among_all() -> None:
    versions = versions_of(random_terms(4), RULES[0])
    wanted = {day: frozenset({f"A{n % 60:03}", f"A{(n * 7) % 60:03}", "nobody"}) for n, day in enumerate(DAYS)}
    few = {(row["account_id"], row["as_of"]): row["arr"] for row in arr_by_day(versions, DAYS, wanted).to_pylist()}
    every = {(row["account_id"], row["as_of"]): row["arr"] for row in arr_by_day(versions, DAYS).to_pylist()}
    assert few == {key: arr for key, arr in every.items() if key[0] in wanted[key[1]]}
    assert len(few) > len(DAYS)


def test_the_terms_behind_an_arr_sum_to_it() -> None:
    versions, day = versions_of(random_terms(5), RULES[0]), DAYS[40]
    for row in arr_by_day(versions, [day]).to_pylist():
        if row["arr"] is not None:
            assert sum(arr_rows(versions, day, row["account_id"])["arr"].to_pylist()) == row["arr"]


def test_a_book_without_a_day_asked_has_no_row() -> None:
    assert arr_by_day(versions_of(random_terms(6), RULES[0]), []).num_rows == 0

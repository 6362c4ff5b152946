"""Random books: every amount and count of the waterfall is the one that walking the days finds, and the parts add up."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.book import terms_by_day as slow
from tests.unit.book.retention.retention_by_day import Walked, waterfalls
from tests.unit.book.test_terms_against_days import DAY_0, RULES, as_given, histories
from unspun.book.retention.judge import judge
from unspun.book.retention.measured import measure
from unspun.book.retention.question import RetentionQuestion
from unspun.book.retention.result import MOVEMENTS, RetentionResult
from unspun.book.retention.rules import RetentionRules
from unspun.book.terms.derive import follow_terms
from unspun.book.terms.ledger import balance
from unspun.errors import BadInput

ZERO = (DAY_0 - date(1970, 1, 1)).days
NO_PARENTS = pa.table({"account_id": pa.array([], pa.string()), "parent_id": pa.array([], pa.string())})


def rows(lines: list[slow.Line]) -> dict[str, pa.Table]:
    def days(values: list[int | None]) -> pa.Array:
        return pa.array([None if n is None else DAY_0 + timedelta(days=n) for n in values], pa.date32())

    count = len(lines)
    table = {
        "account_id": [line.account for line in lines],
        "started": days([line.start for line in lines]),
        "ended": days([line.end for line in lines]),
        "amount_units": pa.array([None if line.arr != line.arr else round(line.arr * 10_000) for line in lines], pa.int64()),
        "amount_months": np.full(count, 12.0),
        "currency": [line.currency for line in lines],
        "product": [line.product for line in lines],
        "is_addon": [line.is_addon for line in lines],
        "notice": pa.nulls(count, pa.date32()),
        "cancelled_on": days([line.cancelled for line in lines]),
        "source_file": np.ones(count, np.int64),
        "source_row": np.arange(count) + 2,
    }
    return {"subscriptions": pa.table(table), "parents": NO_PARENTS}


def asked(rules: slow.Rules, as_of: int) -> RetentionQuestion:
    day = DAY_0 + timedelta(days=as_of)
    return RetentionQuestion(
        day, first_month="2020-01", window_months=3, by=("product", "cohort_quarter"), rules=RetentionRules(as_given(rules))
    )


def answer(lines: list[slow.Line], question: RetentionQuestion) -> RetentionResult | None:
    try:
        return judge(question, rows(lines))
    except BadInput as error:
        assert {fault.code for fault in error.faults} == {"no_terms"}
        return None


def closing_days(question: RetentionQuestion, months: int) -> list[int]:
    """The last days of the months before the first and of those asked for, from DAY_0."""
    firsts = [np.datetime64("2020-01", "M") + i for i in range(-question.window + 1, months + 1)]
    return [int(first.astype("datetime64[D]").astype(int)) - 1 - ZERO for first in firsts]


@settings(max_examples=200)
@given(histories(), RULES, st.integers(50, 700))
def test_every_amount_and_count_is_the_one_that_walking_the_days_finds(lines: list[slow.Line], rules: slow.Rules, as_of: int) -> None:
    question = asked(rules, as_of)
    result = answer(lines, question)
    if result is None:
        return
    days = closing_days(question, len(result.months))
    expected = waterfalls(Walked(lines, rules, as_of), days[question.window - 1 :], days)
    found = {
        (result.months.index(one.month) + 1, name, one.part.currency): (getattr(one, name), one.accounts[name])
        for one in result.waterfalls
        for name in ("opening", *MOVEMENTS, "closing")
        if not one.part.by and one.accounts[name]
    }
    assert found == expected


@settings(max_examples=60)
@given(histories(), RULES, st.integers(50, 700))
def test_every_part_closes_and_the_parts_of_a_grouping_add_up_to_the_whole(lines: list[slow.Line], rules: slow.Rules, as_of: int) -> None:
    result = answer(lines, asked(rules, as_of))
    totals: Counter[tuple[str, str, str, str]] = Counter()
    for one in result.waterfalls if result else ():
        assert one.opening + one.new + one.reactivation + one.expansion - one.contraction - one.churn == one.closing
        for name in ("opening", *MOVEMENTS, "closing", "pending"):
            totals[one.month, one.part.currency, name, one.part.by] += getattr(one, name)  # pyright: ignore[reportArgumentType]
    for (month, currency, name, by), amount in totals.items():
        assert amount == totals[month, currency, name, ""], (month, currency, name, by)


@settings(max_examples=60)
@given(histories(), RULES, st.integers(50, 700))
def test_a_month_opens_with_what_the_one_before_it_closed_with(lines: list[slow.Line], rules: slow.Rules, as_of: int) -> None:
    result = answer(lines, asked(rules, as_of))
    whole = [one for one in result.waterfalls if not one.part.by] if result else []
    for currency in {one.part.currency for one in whole}:
        own = [one for one in whole if one.part.currency == currency]
        assert [one.closing for one in own[:-1]] == [one.opening for one in own[1:]]


@settings(max_examples=60)
@given(histories(), RULES, st.integers(50, 700))
def test_rates_are_ratios_of_what_the_same_accounts_had(lines: list[slow.Line], rules: slow.Rules, as_of: int) -> None:
    question = asked(rules, as_of)
    result = answer(lines, question)
    if result is None:
        return
    days, walked = closing_days(question, len(result.months)), Walked(lines, rules, as_of)
    for one in (rate for rate in result.rates if not rate.part.by):
        place = result.months.index(one.month)
        pairs = [(walked.day(a, days[place]), walked.day(a, days[place + question.window]), a) for a in walked.spans]
        if one.name == "logo":
            assert (one.base, one.kept) == (sum(b.customer for b, _, _ in pairs), sum(b.customer and c.customer for b, c, _ in pairs))
            continue
        held = [(b.arr, c.arr) for b, c, a in pairs if walked.in_money(a, days) and one.part.currency in b.arr]
        both = [(b[one.part.currency], c.get(one.part.currency, Decimal(0))) for b, c in held]
        kept = sum(min(b, c) if one.name == "grr" else c for b, c in both)
        assert (one.base, one.kept, one.accounts) == (sum(b for b, _ in both), kept, len(both))


@settings(max_examples=80)
@given(histories(), RULES, st.integers(50, 700))
def test_closing_arr_is_the_balance_that_renewals_are_derived_from(lines: list[slow.Line], rules: slow.Rules, as_of: int) -> None:
    question = asked(rules, as_of)
    if answer(lines, question) is None:
        return
    measured = measure(question, rows(lines))
    followed = follow_terms(measured.sold.terms, measured.sold.rules, question.as_of)
    count, days = len(measured.accounts), measured.balances.days
    account, day = np.repeat(np.arange(count), len(days)), np.tile(days, count)
    kept = balance(followed.lines, followed.succession.runs_until(followed.lines), account, day)
    arr = np.where(kept.base_terms > 0, kept.arr, 0.0).reshape(count, -1)
    known = measured.balances.in_money[:, None] & ~np.isnan(arr)  # a free line in another currency is mixed there, and nothing here
    np.testing.assert_array_equal(np.rint(arr[known] * 10_000).astype(np.int64), measured.balances.arr[known])


@settings(max_examples=40)
@given(histories(), RULES, st.integers(50, 700), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_no_figure(lines: list[slow.Line], rules: slow.Rules, as_of: int, random) -> None:
    one, other = answer(lines, asked(rules, as_of)), answer(random.sample(lines, len(lines)), asked(rules, as_of))
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert one.figures() == other.figures()


@settings(max_examples=60)
@given(histories(), RULES, st.integers(50, 700))
def test_every_row_is_used_or_left_out_with_a_reason(lines: list[slow.Line], rules: slow.Rules, as_of: int) -> None:
    result = answer(lines, asked(rules, as_of))
    if result is not None:
        assert result.rows_read == len(lines)
        assert result.rows_used + sum(one.count for one in result.left_out if one.what == "rows") == len(lines)

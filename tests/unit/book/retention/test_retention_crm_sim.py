"""crm_sim, a simulated company with 3,816 accounts whose renewals are known: retention agrees with its own renewals file."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from unspun.book.retention.judge import judge
from unspun.book.retention.question import RetentionQuestion
from unspun.book.retention.result import RetentionResult
from unspun.book.retention.rules import RetentionRules
from unspun.book.terms.rules import TermRules

AS_OF = date(2024, 1, 1)


@pytest.fixture(scope="module")
def company(shared_data: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(f"CREATE VIEW terms AS SELECT * FROM '{shared_data}/crm_sim/subscriptions.parquet'")
    connection.execute(f"CREATE VIEW due AS SELECT * FROM '{shared_data}/crm_sim/renewals.csv'")
    connection.execute(f"CREATE VIEW customers AS SELECT * FROM '{shared_data}/crm_sim/accounts.parquet'")
    return connection


@pytest.fixture(scope="module")
def rows(company: duckdb.DuckDBPyConnection) -> dict[str, pa.Table]:
    terms = """SELECT CAST(account_id AS VARCHAR) AS account_id, start_date AS started, end_date AS ended,
        CAST(CAST(mrr AS DECIMAL(18, 4)) * 10000 AS BIGINT) AS amount_units, 1.0 AS amount_months, 'USD' AS currency, product, is_addon,
        CAST(NULL AS DATE) AS notice, CAST(NULL AS DATE) AS cancelled_on, 1 AS source_file, row_number() OVER () AS source_row FROM terms"""
    fixed = "SELECT CAST(account_id AS VARCHAR) AS account_id, channel, country FROM customers"
    none = pa.table({"account_id": pa.array([], pa.string()), "parent_id": pa.array([], pa.string())})
    return {"subscriptions": company.sql(terms).to_arrow_table(), "fixed": company.sql(fixed).to_arrow_table(), "parents": none}


def base_alone() -> RetentionRules:
    return RetentionRules(TermRules(add_ons_count=False))


@pytest.fixture(scope="module")
def result(rows: dict[str, pa.Table]) -> RetentionResult:
    by = ("channel", "country", "cohort_quarter", "product")
    return judge(RetentionQuestion(AS_OF, by=by, fixed=("channel", "country"), rules=base_alone()), rows)


def test_every_waterfall_closes_and_every_grouping_adds_up(result: RetentionResult) -> None:
    assert len(result.months) == 24 and result.rows_read == 104_328
    names = ("opening", "new", "reactivation", "expansion", "contraction", "churn", "closing")
    totals: dict[tuple[str, str, str], Decimal] = {}
    for one in result.waterfalls:
        assert one.opening + one.new + one.reactivation + one.expansion - one.contraction - one.churn == one.closing
        for name in names:
            key = (one.month, one.part.by, name)
            totals[key] = totals.get(key, Decimal(0)) + getattr(one, name)
    assert all(amount == totals[month, "", name] for (month, _, name), amount in totals.items())


def test_closing_arr_is_the_sum_of_the_terms_that_run_on_the_day_but_for_gaps_within_the_grace_days(
    company: duckdb.DuckDBPyConnection, result: RetentionResult
) -> None:
    differ = []
    for one in (fall for fall in result.waterfalls if not fall.part.by):
        sql = f"""SELECT sum(CAST(mrr AS DECIMAL(18, 4)) * 12) FROM terms WHERE NOT is_addon
            AND start_date <= last_day(DATE '{one.month}-01') AND end_date > last_day(DATE '{one.month}-01')"""
        ((naive,),) = company.sql(sql).fetchall()
        if one.closing != naive:
            differ.append((one.month, one.closing - naive))
    assert sum(difference for _, difference in differ) >= 0
    assert len(differ) <= 7  # the company has seven renewals that begin late


def test_the_renewals_due_are_those_of_the_companys_own_file(company: duckdb.DuckDBPyConnection, result: RetentionResult) -> None:
    own = company.sql("SELECT strftime(due_on, '%Y-%m'), outcome, count(*) FROM due GROUP BY ALL").fetchall()
    told = {(month, outcome): count for month, outcome, count in own}
    words = {"renewed": "renewed", "contracted": "contracted", "expanded": "expanded", "churned": "churned"}
    found = {(one.month, words[name]): getattr(one, name) for one in result.renewals if not one.part.by for name in words}
    months = {month for month, _ in told} & {one.month for one in result.renewals}
    assert len(months) == 23
    for month in months - {"2024-01"}:
        assert {word: found[month, word] for word in words} == {word: told.get((month, word), 0) for word in words}


def test_logos_lost_in_a_month_are_its_renewals_that_churned_or_are_in_their_grace_days(result: RetentionResult) -> None:
    lost = {one.month: one.accounts["churn"] for one in result.waterfalls if not one.part.by and one.month > "2022-01"}
    gone = {one.month: one.churned + one.undecided for one in result.renewals if not one.part.by}
    assert lost == gone
    assert sum(lost.values()) == 942 + 13  # as many as the company's own file has churned, and those it has not told yet


def test_a_years_retention_is_the_same_as_sql_finds_it(company: duckdb.DuckDBPyConnection, result: RetentionResult) -> None:
    """No gap of this company covers an end of 2022-11 or 2023-11, so that a plain join of the two days tells the same."""
    on = "(SELECT account_id, sum(CAST(mrr AS DECIMAL(18, 4)) * 12) AS arr FROM terms WHERE NOT is_addon AND start_date <= '{0}' "
    on += "AND end_date > '{0}' GROUP BY account_id)"
    sql = f"""SELECT sum(a.arr), sum(least(a.arr, coalesce(b.arr, 0))), sum(coalesce(b.arr, 0)), count(*), count(b.arr)
        FROM {on.format("2022-11-30")} AS a LEFT JOIN {on.format("2023-11-30")} AS b USING (account_id)"""
    ((opening, gross, net, accounts, kept),) = company.sql(sql).fetchall()
    rates = {one.name: (one.kept, one.base) for one in result.rates if one.month == "2023-11" and not one.part.by}
    assert rates == {"grr": (gross, opening), "nrr": (net, opening), "logo": (kept, accounts)}

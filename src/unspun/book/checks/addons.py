"""Phantom add-ons: those that run while no base term of their account does, and those that come with every base term."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from unspun.book.checks.check import Answers, Check
from unspun.book.checks.extracts import AskedBook
from unspun.book.checks.finding import Finding
from unspun.book.checks.running import BASE, GRACE_DAYS, OPEN, money_sql, money_words, spans_sql
from unspun.book.checks.shape import BookShape
from unspun.book.checks.shares import counted, gravity, listed, only_row, plural
from unspun.book.sql_words import sql_text

CODE = "phantom_addons"
EVERYWHERE_SHARE = 0.99
"""An add-on that stands beside so many of the base terms is not chosen by customers: a system wrote it, or it is no add-on."""
BASE_TERMS_AT_LEAST = 100
"""In fewer base terms every customer may have chosen it by chance."""

TOLD = "source_file, source_row, account_id, subscription_id, product, started, ended, amount, amount_months, currency"
ALONE_SQL = (
    f"WITH spans AS ({spans_sql('account_id', GRACE_DAYS, BASE)}), "
    f"addons AS (SELECT {TOLD}, coalesce(ended, {OPEN}) AS until FROM subscriptions "
    "WHERE is_addon AND (ended IS NULL OR ended > started)), "
    "base AS (SELECT addons.source_file, addons.source_row, bool_or(first < until AND last > started) AS touched, "
    f"bool_or(until - last <= {GRACE_DAYS} AND first - started <= {GRACE_DAYS}) AS covered "
    "FROM addons JOIN spans ON spans.key = addons.account_id GROUP BY ALL) "
    f"SELECT {TOLD}, "
    "coalesce(touched, false) AS base_runs_for_a_part FROM addons LEFT JOIN base USING (source_file, source_row) "
    "WHERE NOT coalesce(covered, false)"
)
"""The add-on terms with days on which no base term of the account runs (beyond the grace days before and after it)."""

EVERYWHERE_SQL = (
    f"WITH base AS (SELECT DISTINCT account_id, started FROM subscriptions WHERE {BASE}), "
    "addons AS (SELECT DISTINCT account_id, started, product FROM subscriptions WHERE is_addon) "
    "SELECT product, count(*) AS beside, (SELECT count(*) FROM base) AS base_terms "
    "FROM base JOIN addons USING (account_id, started) GROUP BY product ORDER BY product"
)


def _hindrance(shape: BookShape) -> str:
    return shape.lacks("subscriptions", "subscriptions.is_addon")


ALONE, BESIDE_BASE = "addons_alone", "addons_beside_base"


def _prepare(book: AskedBook) -> None:
    book.query(f"CREATE OR REPLACE TEMP TABLE {ALONE} AS {ALONE_SQL}")
    book.query(f"CREATE OR REPLACE TEMP TABLE {BESIDE_BASE} AS {EVERYWHERE_SQL}")


def _ask(shape: BookShape) -> Mapping[str, str]:
    everywhere = (
        f"SELECT * FROM subscriptions WHERE is_addon AND coalesce(product, '') IN (SELECT coalesce(product, '') FROM {BESIDE_BASE} "
        f"WHERE base_terms >= {BASE_TERMS_AT_LEAST} AND beside >= {EVERYWHERE_SHARE} * base_terms)"
    )
    return {
        "addons": "SELECT count(*) AS addons FROM subscriptions WHERE is_addon",
        "alone": "SELECT count(*) AS terms, count(DISTINCT account_id) AS accounts, count(*) FILTER (base_runs_for_a_part) AS partly "
        f"FROM {ALONE}",
        "alone_money": money_sql(f"FROM {ALONE}", shape),
        "products": f"SELECT *, (SELECT count(*) FROM subscriptions AS s WHERE is_addon AND s.product IS NOT DISTINCT FROM p.product) "
        f"AS terms FROM {BESIDE_BASE} AS p",
        "everywhere": f"SELECT count(DISTINCT account_id) AS accounts FROM ({everywhere})",
        "everywhere_money": money_sql(everywhere, shape),
        "base_money": money_sql(f"SELECT * FROM subscriptions WHERE {BASE}", shape),
    }


def _judge(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    yield from _alone(answers)
    yield from _everywhere(answers)


def _alone(answers: Answers) -> Iterator[Finding]:
    addons, found = only_row(answers, "addons")["addons"], only_row(answers, "alone")
    money = answers["alone_money"].to_pylist()
    if not found["terms"]:
        return
    yield Finding(
        check=CODE,
        table="subscriptions",
        subject="without_base",
        severity=gravity(found["terms"], addons, least="warning"),
        count=found["terms"],
        of=addons,
        unit="terms",
        message=f"{counted(found['terms'], addons, 'add-on terms')} of {plural(found['accounts'], 'account')} run while no base term of "
        f"their account does: {found['terms'] - found['partly']:,} on all of their days, {found['partly']:,} on some."
        + (f" They carry {money_words(money)}." if money else ""),
        affects=("retention: ARR, NRR", "renewals"),
        mend="End the add-ons with their base term, load the base terms that are missing, or correct is_addon in book.yml. Without a "
        "base term an add-on keeps no account, and its ARR counts nowhere.",
        rows_sql=f"SELECT * FROM ({ALONE_SQL}) ORDER BY source_file, source_row",
        facts={"accounts": found["accounts"], "partly": found["partly"], **{f"arr {m['currency']}".rstrip(): m["arr"] for m in money}},
    )


def _everywhere(answers: Answers) -> Iterator[Finding]:
    addons = only_row(answers, "addons")["addons"]
    products = [
        row
        for row in answers["products"].to_pylist()
        if row["base_terms"] >= BASE_TERMS_AT_LEAST and row["beside"] >= EVERYWHERE_SHARE * row["base_terms"]
    ]
    if not products:
        return
    count, accounts = sum(row["terms"] for row in products), only_row(answers, "everywhere")["accounts"]
    money, base = answers["everywhere_money"].to_pylist(), answers["base_money"].to_pylist()
    names = listed([row["product"] or "(no product)" for row in products])
    worth = f" They carry {money_words(money)}, the base terms {money_words(base)}." if money and base else ""
    yield Finding(
        check=CODE,
        table="subscriptions",
        subject="with_every_base_term",
        severity="warning",
        count=count,
        of=addons,
        unit="terms",
        message=f"{counted(count, addons, 'add-on terms')} of {plural(accounts, 'account')} are of "
        f"{'an add-on that stands' if len(products) == 1 else 'add-ons that stand'} beside practically every base term: {names}.{worth}",
        affects=("retention: ARR, GRR, NRR", "renewals: ARR before and after"),
        mend="An add-on that every customer has was written by a system, not sold. If it is not charged, load only the lines that are "
        "(a flag in the file may say which), or count without add-ons (add_ons_count: false in retention.yml). If it is, accept this.",
        rows_sql="SELECT source_file, source_row, account_id, subscription_id, product, started, ended, amount, currency "
        f"FROM subscriptions WHERE is_addon AND {_among([row['product'] for row in products])} ORDER BY source_file, source_row",
        facts={"accounts": accounts, "products": names, **{f"arr {m['currency']}".rstrip(): m["arr"] for m in money}},
    )


def _among(products: list[str | None]) -> str:
    named = [sql_text(product) for product in products if product is not None]
    parts = [f"product IN ({', '.join(named)})"] if named else []
    return f"({' OR '.join([*parts, *(['product IS NULL'] if None in products else [])])})"


CHECK = Check(CODE, "phantom add-ons", ("subscriptions",), _hindrance, _ask, _judge, prepare=_prepare)

"""Checks of currencies: mixes within an account, codes that are none, amounts without one, currencies without a rate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from unspun.book.checks.check import Answers, Check
from unspun.book.checks.finding import Finding
from unspun.book.checks.shape import BookShape
from unspun.book.checks.shares import counted, gravity, listed, only_row, plural, row_columns
from unspun.book.currencies import ISO_CODES
from unspun.book.entities import TABLES
from unspun.book.sql_words import sql_name, sql_text

CODES = frozenset(ISO_CODES.split())
LONGEST_CODE = 4
"""Longer words in the place of a currency may be names of customers: they are counted, and not told, as findings are kept."""
RATED = 'SELECT currency FROM rates WHERE currency IS NOT NULL UNION ALL SELECT "into" FROM rates WHERE "into" IS NOT NULL'
AFFECTS = ("retention: ARR, GRR, NRR", "every sum of money")


def _tables(shape: BookShape) -> tuple[str, ...]:
    """The tables with amounts whose currency some source says."""
    return tuple(name for name in TABLES if name != "rates" and shape.has(name, "currency", "account_id") and shape.kinds(name, "money"))


def _hindrance(shape: BookShape) -> str:
    return "" if _tables(shape) else "no amount of the book has a currency"


def _money(shape: BookShape, table: str) -> str:
    """Whether a row has an amount of the table's standard columns (own ones may be in another currency)."""
    standard = next(entity for entity in TABLES.values() if entity.name == table)
    names = [name for name in shape.kinds(table, "money") if standard.column(name) is not None]
    return f"({' OR '.join(f'{sql_name(name)} <> 0' for name in names) or 'false'})"


def _rows_sql(shape: BookShape, table: str, where: str, order: str = "source_file, source_row") -> str:
    return f"SELECT {row_columns(shape, table)} FROM {table} WHERE {where} ORDER BY {order}"


def _named(codes: Sequence[str], most: int = 5) -> str:
    """The codes, and how many words there are besides that are too long for one."""
    short = [repr(code) if code.strip() != code or not code else code for code in codes if len(code) <= LONGEST_CODE]
    others = [plural(len(codes) - len(short), "longer word")] if len(short) < len(codes) else []
    return " and ".join([*([listed(short, most)] if short else []), *others])


# Several currencies in one account


def _mixed(shape: BookShape, table: str) -> str:
    return (
        f"SELECT account_id FROM {table} WHERE {_money(shape, table)} AND currency IS NOT NULL GROUP BY account_id "
        "HAVING count(DISTINCT currency) > 1"
    )


def _ask_mixes(shape: BookShape) -> Mapping[str, str]:
    return {
        table: "SELECT (SELECT count(DISTINCT account_id) "
        f"FROM {table} WHERE {_money(shape, table)} AND currency IS NOT NULL) AS accounts, "
        f"(SELECT count(*) FROM ({_mixed(shape, table)})) AS mixed, "
        "(SELECT list(DISTINCT currency ORDER BY currency) FILTER (currency IS NOT NULL) "
        f"FROM {table} WHERE {_money(shape, table)} AND account_id IN ({_mixed(shape, table)})) AS currencies"
        for table in _tables(shape)
    }


def _judge_mixes(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    for table in _tables(shape):
        found = only_row(answers, table)
        if found["mixed"]:
            yield Finding(
                check="currency_mixes",
                table=table,
                severity="warning",
                count=found["mixed"],
                of=found["accounts"],
                unit="accounts",
                message=f"{counted(found['mixed'], found['accounts'], 'accounts')} have amounts in several currencies in {table}: "
                f"{_named(found['currencies'])}.",
                affects=AFFECTS,
                mend="Where each amount is in the currency that it names, load rates and ask for one currency (--into): without that these "
                "accounts count in logos and in no money. Else have the currencies mended where they come from.",
                rows_sql=_rows_sql(
                    shape,
                    table,
                    f"{_money(shape, table)} AND account_id IN ({_mixed(shape, table)})",
                    "account_id, source_file, source_row",
                ),
                facts={"currencies": _named(found["currencies"], 20)},
            )


# Codes that are none


def _ask_codes(shape: BookShape) -> Mapping[str, str]:
    sql = "SELECT currency, count(*) AS rows FROM {} WHERE currency IS NOT NULL GROUP BY currency"
    return {table: sql.format(table) for table in _tables(shape)}


def _judge_codes(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    for table in _tables(shape):
        rows: dict[str, int] = {row["currency"]: row["rows"] for row in answers[table].to_pylist()}
        wrong = sorted((code for code in rows if code not in CODES), key=lambda code: (-rows[code], code))
        if wrong:
            count, of = sum(rows[code] for code in wrong), sum(rows.values())
            yield Finding(
                check="currency_codes",
                table=table,
                severity=gravity(count, of, least="warning"),
                count=count,
                of=of,
                unit="rows",
                message=f"{counted(count, of, f'currencies of {table}')} are no ISO 4217 code: {_named(wrong)}.",
                affects=AFFECTS,
                mend="Write the code where the amounts come from. Where a file has one currency only, leave its column out, and say "
                "`currency:` with the source in book.yml.",
                rows_sql=_rows_sql(shape, table, f"currency NOT IN ({', '.join(map(sql_text, sorted(CODES)))})"),
                facts={"codes": _named(wrong, 20)},
            )


# Amounts without a currency


def _ask_missing(shape: BookShape) -> Mapping[str, str]:
    return {
        table: f"SELECT count(*) AS rows, count(*) FILTER (currency IS NULL) AS missing FROM {table} WHERE {_money(shape, table)}"
        for table in _tables(shape)
    }


def _judge_missing(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    for table in _tables(shape):
        found = only_row(answers, table)
        if 0 < found["missing"] < found["rows"]:
            yield Finding(
                check="amounts_without_currency",
                table=table,
                severity=gravity(found["missing"], found["rows"], least="warning"),
                count=found["missing"],
                of=found["rows"],
                unit="rows",
                message=f"{counted(found['missing'], found['rows'], f'amounts of {table}')} have no currency, though the others have.",
                affects=AFFECTS,
                mend="Fill the currency in where the amounts come from, or say in book.yml which it is (`currency:`).",
                rows_sql=_rows_sql(shape, table, f"{_money(shape, table)} AND currency IS NULL"),
            )


# Currencies without a rate


def _ask_rates(shape: BookShape) -> Mapping[str, str]:
    used = {
        table: f"SELECT currency, count(*) AS rows FROM {table} WHERE {_money(shape, table)} AND currency IS NOT NULL GROUP BY currency"
        for table in _tables(shape)
    }
    return {**used, "rates": 'SELECT DISTINCT currency, "into" FROM rates'}


def _judge_rates(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    pairs = answers["rates"].to_pylist()
    rated = {code for pair in pairs for code in (pair["currency"], pair["into"])}
    for table in _tables(shape):
        rows: dict[str, int] = {row["currency"]: row["rows"] for row in answers[table].to_pylist()}
        without = sorted(code for code in rows if code not in rated)
        if without:
            count, of = sum(rows[code] for code in without), sum(rows.values())
            yield Finding(
                check="currencies_without_rate",
                table=table,
                severity="warning",
                count=count,
                of=of,
                unit="rows",
                message=f"{counted(count, of, f'amounts of {table}')} are in a currency of which no rate is loaded: {_named(without)}.",
                affects=("retention in one currency",),
                mend=f"Load rates of {_named(without)} into {_named(sorted({pair['into'] for pair in pairs}))}.",
                rows_sql=_rows_sql(shape, table, f"{_money(shape, table)} AND currency NOT IN ({RATED})"),
                facts={"currencies": _named(without, 20)},
            )


def _rates_hindrance(shape: BookShape) -> str:
    return _hindrance(shape) or shape.lacks("rates")


MONEY = ("subscriptions", "renewals", "purchases", "forecasts")
CHECKS: tuple[Check, ...] = (
    Check("currency_mixes", "several currencies in one account", MONEY, _hindrance, _ask_mixes, _judge_mixes),
    Check("currency_codes", "currencies that are no ISO 4217 code", MONEY, _hindrance, _ask_codes, _judge_codes),
    Check("amounts_without_currency", "amounts without a currency", MONEY, _hindrance, _ask_missing, _judge_missing),
    Check("currencies_without_rate", "currencies without a rate", (*MONEY, "rates"), _rates_hindrance, _ask_rates, _judge_rates),
)

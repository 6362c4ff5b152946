"""Flags of subscriptions that contradict their terms: churned though it runs, active though it has ended, not held though it is paid."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from unspun.book.checks.check import Answers, Check
from unspun.book.checks.finding import Finding
from unspun.book.checks.running import GRACE_DAYS, last_day_sql, money_sql, money_words, runs_sql
from unspun.book.checks.shape import BookShape
from unspun.book.checks.shares import counted, gravity, only_row
from unspun.book.sql_words import sql_name

CODE = "term_flags_against_terms"
UNCERTAIN = frozenset(
    {
        "risk", "predicted", "prediction", "forecast", "expected", "likely", "prior", "previous", "preceding", "ever", "will",
        "reactivated", "period", "request",
    }
)  # fmt: skip
"""Words of flags about another time or a guess (cancel_at_period_end, churn_risk): they contradict nothing."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a flag of subscriptions says where it is `value`, the terms of which it may be asked, and those that contradict it, as SQL."""

    value: bool
    said: str
    asked: str
    contradicts: str
    though: str


def _meanings(name: str, shape: BookShape) -> tuple[_Meaning, ...]:
    """What a column's name says that its flag means; nothing where no word of it is known."""
    words = set(re.split(r"[^a-z]+", name.lower()))
    if words & UNCERTAIN:
        return ()
    day = last_day_sql(shape)
    over, runs = f"ended < {day} - {GRACE_DAYS}", f"{runs_sql(day)} AND cancelled_on IS NULL"
    if words & {"churn", "churned", "cancel", "cancelled", "canceled", "terminated", "lapsed"}:
        open_ = "ended IS NULL AND cancelled_on IS NULL"
        return (_Meaning(True, "gone", "true", open_, "have no end and no cancellation"),)
    if words & {"inactive", "expired"}:
        return (_Meaning(True, "not active", "true", runs, "run on"), _Meaning(False, "active", "true", over, "had ended by"))
    if words & {"active", "live", "current"}:
        return (_Meaning(True, "active", "true", over, "had ended by"), _Meaning(False, "not active", "true", runs, "run on"))
    if words & {"held", "owned", "bought", "purchased", "sold"}:
        return (_Meaning(False, f"not {(words & {'held', 'owned', 'bought', 'purchased', 'sold'}).pop()}", "true", "amount > 0", "cost"),)
    return ()


def _flags(shape: BookShape) -> tuple[tuple[str, _Meaning], ...]:
    names = [name for name in shape.kinds("subscriptions", "flag") if name != "is_addon"]
    return tuple((name, meaning) for name in names for meaning in _meanings(name, shape))


def _hindrance(shape: BookShape) -> str:
    if lacking := shape.lacks("subscriptions"):
        return lacking
    return "" if _flags(shape) else "no flag of subscriptions says whether a term is active, held or gone"


def _where(name: str, meaning: _Meaning) -> str:
    return f"{sql_name(name)} = {str(meaning.value).lower()} AND {meaning.contradicts}"


def _ask(shape: BookShape) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for number, (name, meaning) in enumerate(_flags(shape)):
        where, flag = _where(name, meaning), sql_name(name)
        found[f"terms {number}"] = (
            f"SELECT count(*) AS terms, count(*) FILTER ({where}) AS wrong, count(DISTINCT account_id) FILTER ({where}) AS accounts, "
            f"{last_day_sql(shape)} AS day FROM subscriptions WHERE {flag} IS NOT NULL"
        )
        found[f"money {number}"] = money_sql(f"SELECT * FROM subscriptions WHERE {where}", shape)
    return found


def _judge(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    for number, (name, meaning) in enumerate(_flags(shape)):
        found, money = only_row(answers, f"terms {number}"), answers[f"money {number}"].to_pylist()
        if found["wrong"]:
            yield _finding(name, meaning, found, money_words(money))


def _finding(name: str, meaning: _Meaning, found: Mapping[str, int], money: str) -> Finding:
    though = {"cost": "have an amount"}.get(meaning.though, meaning.though)
    day = f" {found['day']}" if meaning.though in ("run on", "had ended by") else ""
    return Finding(
        check=CODE,
        table="subscriptions",
        subject=f"{name}_{str(meaning.value).lower()}",
        severity=gravity(found["wrong"], found["terms"], least="warning"),
        count=found["wrong"],
        of=found["terms"],
        unit="terms",
        message=f"The flag {name} says of {counted(found['wrong'], found['terms'], 'terms')} that they are {meaning.said}, "
        f"yet they {though}{day}." + (f" They carry {money}." if money else ""),
        affects=("retention: ARR, GRR, NRR", "renewals"),
        mend=f"Find out what {name} means. If it is right, load only the terms that it keeps, or mend their dates and amounts where they "
        "come from; if it is out of date, leave it out of book.yml. Retention reads dates and amounts, not flags.",
        rows_sql=f"SELECT source_file, source_row, account_id, subscription_id, product, {sql_name(name)}, started, ended, cancelled_on, "
        f"amount, currency FROM subscriptions WHERE {_where(name, meaning)} ORDER BY source_file, source_row",
        facts={"accounts": found["accounts"]},
    )


CHECK = Check(CODE, "flags of terms that contradict them", ("subscriptions",), _hindrance, _ask, _judge)

"""What is asked of retention: which months, as of which day, by what, in which currency, under which rules."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import Any

import numpy as np

from unspun.book.columns import did_you_mean
from unspun.book.currencies import ISO_CODES
from unspun.book.retention.rules import RetentionRules, check_retention_rules
from unspun.book.terms.rules import TermRules
from unspun.errors import BadInput, Fault

COHORTS = ("cohort_month", "cohort_quarter", "cohort_year")
PRODUCT, CURRENCY = "product", "currency"
DERIVED = (PRODUCT, *COHORTS)
MAX_WINDOW_MONTHS = 120
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class RetentionQuestion:
    """A question about retention, whole: the same rows answer it with the same figures.

    `first_month` and `last_month` are YYYY-MM; "" is the first full month of the terms, and the last one that ended by `as_of`.
    `window_months` is how far apart opening and close of a rate lie; None is what the rules say.
    Each of `by` splits the book on its own: a column of accounts (`segment`, `owner`, `plan`, `country`, any own one), `product`,
    `cohort_month`, `cohort_quarter` or `cohort_year`. `into` is the currency that all amounts are turned into; None leaves each
    currency by itself. Days are days of `time_zone`. `fixed` are the columns of accounts that never change, so that their latest
    value holds for any date. Quarters and years of cohorts are those of a fiscal year that begins in month `fiscal_year_starts`.
    """

    as_of: date
    first_month: str = ""
    last_month: str = ""
    window_months: int | None = None
    by: tuple[str, ...] = ()
    into: str | None = None
    rules: RetentionRules = field(default_factory=RetentionRules)
    time_zone: str = "UTC"
    fixed: tuple[str, ...] = ()
    fiscal_year_starts: int = 1

    @property
    def window(self) -> int:
        """Months from the opening of a rate to its close."""
        return self.rules.window_months if self.window_months is None else self.window_months

    @property
    def account_columns(self) -> tuple[str, ...]:
        """Those of `by` that are columns of accounts."""
        return tuple(name for name in self.by if name not in DERIVED)


def question_to_json(question: RetentionQuestion) -> dict[str, Any]:
    """Plain values, from which `question_from_json` makes an equal question."""
    return {**asdict(question), "as_of": question.as_of.isoformat(), "by": list(question.by), "fixed": list(question.fixed)}


def question_from_json(document: Mapping[str, Any]) -> RetentionQuestion:
    """The question that the document holds. Raises BadInput where a name is unknown or missing: another version wrote it."""
    if other := sorted({*document} ^ {field.name for field in fields(RetentionQuestion)}):
        raise BadInput(Fault("not_a_question", f"no retention question: {', '.join(other)} unknown or missing.", "question"))
    rules = document["rules"]
    return RetentionQuestion(
        **{
            **document,
            "as_of": date.fromisoformat(document["as_of"]),
            "by": tuple(document["by"]),
            "fixed": tuple(document["fixed"]),
            "rules": RetentionRules(**{**rules, "terms": TermRules(**rules["terms"])}),
        }
    )


def check_question(question: RetentionQuestion, account_columns: Collection[str] | None = None) -> None:
    """Raises BadInput with everything that cannot be asked. `account_columns` are the columns that accounts have; None: not checked."""
    check_retention_rules(question.rules)
    faults = [*_month_faults(question), *_by_faults(question, account_columns)]
    if not 1 <= question.window <= MAX_WINDOW_MONTHS:
        faults.append(
            Fault("bad_window", f"window_months must be from 1 to {MAX_WINDOW_MONTHS}; it is {question.window}.", "window_months")
        )
    if question.into is not None and question.into not in ISO_CODES.split():
        faults.append(Fault("unknown_currency", f"'{question.into}' is no ISO 4217 code.", "into", "Write one, such as EUR."))
    if faults:
        raise BadInput(faults)


def last_ended_month(as_of: date) -> str:
    """The last month that ended by the day."""
    return str((np.datetime64(as_of, "D") + 1).astype("datetime64[M]") - 1)


def _month_faults(question: RetentionQuestion) -> list[Fault]:
    given = [(name, getattr(question, name)) for name in ("first_month", "last_month") if getattr(question, name)]
    faults = [
        Fault("bad_month", f"'{month}' is no month.", name, "Write it as 2026-01.") for name, month in given if not MONTH.fullmatch(month)
    ]
    if faults:
        return faults
    ended = last_ended_month(question.as_of)
    if question.last_month > ended:
        message = f"{question.last_month} has not ended by {question.as_of}, the as-of date; the last month that has is {ended}."
        faults.append(Fault("month_not_over", message, "last_month"))
    if question.first_month > (question.last_month or ended):
        faults.append(Fault("no_months", f"{question.first_month} is after {question.last_month or ended}, the last month.", "first_month"))
    return faults


def _by_faults(question: RetentionQuestion, account_columns: Collection[str] | None) -> list[Fault]:
    faults = [Fault("asked_twice", f"'{name}' is given twice.", "by") for name in sorted(set(question.by)) if question.by.count(name) > 1]
    if CURRENCY in question.by:
        faults.append(Fault("no_grouping", "each currency is told by itself already.", "by", "Leave out currency."))
    known = {*(account_columns or ()), *DERIVED}
    unknown = () if account_columns is None else [name for name in question.by if name not in known]
    hint = f"There are {', '.join(sorted(known))}."
    return faults + [
        Fault("unknown_grouping", f"accounts have no column '{name}'.", "by", did_you_mean(name, known) + hint) for name in unknown
    ]

"""Every field of the forecast document: its name, kind and meaning, and where its value is read from."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from unspun.reports.document import BOOLEAN, DATE, INTEGER, NUMBER, STRING, Field, ListOf, Record, Scalar
from unspun.reports.estimate_fields import always, maybe
from unspun.reports.result_fields import CAUTION
from unspun.risk.forecast.result import FAN_QUANTILES, FanPoint, Forecast, GroupKind, RenewalForecast, RenewalStatus

SCHEMA_VERSION = "1.0"
NO_AMOUNT = always("no amount is stated")
AMOUNT = "as exact decimal text"

PREDICTED = Record(
    "predicted",
    "A quantity not yet known, over the simulated paths.",
    (
        Field("mean", NUMBER, "The expected value: the mean of the paths."),
        Field("median", NUMBER, "Half of the paths lie below it."),
        Field("low_80", NUMBER, "Lower end of the interval that holds it in 80 of 100 paths."),
        Field("high_80", NUMBER, "Its upper end."),
        Field("low_95", NUMBER, "Lower end of the interval that holds it in 95 of 100 paths."),
        Field("high_95", NUMBER, "Its upper end."),
    ),
)


def expected(name: str, meaning: str) -> Field:
    """A field that holds a predicted quantity, or the reason there is none."""
    return Field(name, PREDICTED, meaning, None, always("not forecast"))


MONEY = Record(
    "money_forecast",
    "What becomes of the ARR due in one currency: arr_due + arr_due_later - churned - contraction + expansion = renewed, in each path.",
    (
        Field("currency", STRING, "The currency; empty where none is stated."),
        Field("arr_due", STRING, f"ARR due of the terms that run on the as-of date, {AMOUNT}."),
        expected("arr_due_later", "ARR due of the terms that follow them within the horizon, as monthly terms do."),
        expected("churned", "ARR lost by churn."),
        expected("contraction", "ARR lost by renewing for less."),
        expected("expansion", "ARR gained by renewing for more."),
        expected("renewed", "ARR after the renewals."),
        expected("grr", "Gross revenue retention of what is due: each renewal's ARR after it, at most that before, over the ARR before."),
        expected("nrr", "Net revenue retention of what is due: the same without the cap."),
    ),
)
GROUP = Record(
    "group_forecast",
    "Renewals due within the horizon: of all, a month, a quarter, a segment or an owner.",
    (
        Field("kind", Scalar("string", get_args(GroupKind)), "What the group is."),
        Field("name", STRING, "Its name, such as 2026-03, 2026-Q1 or a segment; empty for all, and where it is not known."),
        Field("first", DATE, "The first due date that belongs here."),
        Field("last", DATE, "The last one."),
        Field("renewals", INTEGER, "Renewals of the terms that run on the as-of date."),
        Field("facts", INTEGER, "Of them, decided already: notice was given, or renewed early."),
        Field("overdue", INTEGER, "Of them, past the due date without an outcome; they count in the first month."),
        Field("n_without_amount", INTEGER, "Of them, without an amount: in no money."),
        expected("later", "Number of further terms of the same accounts that fall due within the horizon."),
        expected("churned", "Number of renewals that churn, later terms included."),
        expected("contracted", "Number that renew for less."),
        expected("expanded", "Number that renew for more."),
        Field("money", ListOf(MONEY), "The ARR, by currency."),
    ),
)


def _quantile(place: int) -> Callable[[FanPoint], float]:
    return lambda point: point.quantiles[place]


FAN_POINT = Record(
    "fan_point",
    "Total ARR of today's customers at the end of a day.",
    (
        Field("day", DATE, "The day."),
        Field("mean", NUMBER, "The expected total."),
        *(
            Field(f"q{1000 * share:04.0f}", NUMBER, f"{share * 100:g} % of the paths lie below it.", _quantile(place))
            for place, share in enumerate(FAN_QUANTILES)
        ),
    ),
)
FAN = Record(
    "arr_fan",
    "The ARR of those who are customers on the as-of date, in one currency. No new business.",
    (
        Field("currency", STRING, "The currency; empty where none is stated."),
        Field("opening", STRING, f"ARR on the as-of date, {AMOUNT}."),
        Field("points", ListOf(FAN_POINT), "The as-of date, then each month's end of the horizon."),
        expected("grr", "Each account's ARR at the end, at most its opening ARR, over the opening ARR of all."),
        expected("nrr", "The same without the cap."),
    ),
)


def _probability(place: int) -> Callable[[RenewalForecast], float | None]:
    return lambda one: None if one.probabilities is None else one.probabilities[place]


_NO_FORECAST = always("no forecast was made of it")
RENEWAL = Record(
    "renewal_forecast",
    "One renewal of the running terms. The probabilities add up to 1; their intervals are told by `unspun risk`.",
    (
        Field("account", STRING, "The account."),
        Field("due", DATE, "When it falls due."),
        Field("lead_days", INTEGER, "Days from the as-of date to then; below 0 where it is overdue."),
        Field("status", Scalar("string", get_args(RenewalStatus)), "What is known of it on the as-of date."),
        Field("segment", STRING, "The account's segment; empty where not known."),
        Field("owner", STRING, "Its owner on the as-of date; empty where not known."),
        Field("currency", STRING, "The currency of `arr`."),
        Field("arr", STRING, f"ARR before the renewal, {AMOUNT}.", None, NO_AMOUNT),
        Field("p_churn", NUMBER, "Probability of churn.", _probability(0), _NO_FORECAST),
        Field("p_contraction", NUMBER, "Probability of renewing for less.", _probability(1), _NO_FORECAST),
        Field("p_flat", NUMBER, "Probability of renewing for the same.", _probability(2), _NO_FORECAST),
        Field("p_expansion", NUMBER, "Probability of renewing for more.", _probability(3), _NO_FORECAST),
        Field(
            "expected_arr", NUMBER, "Expected ARR after the renewal.", None, always("no forecast was made of it, or no amount is stated")
        ),
        Field("expected_later", NUMBER, "Expected number of further renewals within the horizon.", None, _NO_FORECAST),
    ),
)
SHOCK = Record(
    "shared_shock",
    "How far outcomes move together, beyond what was known of each: a standard deviation on log odds.",
    (
        Field(
            "name",
            Scalar("string", ("churn", "contraction", "expansion", "family")),
            "Of which outcome; `family`: of accounts of one parent.",
        ),
        maybe("deviation", "The standard deviation."),
        Field("groups", INTEGER, "Quarters, or families with two or more renewals, that it was estimated on."),
    ),
)
RATIOS = Record(
    "amount_ratios",
    "ARR after a renewal over ARR before, of past renewals with that outcome.",
    (
        Field("outcome", Scalar("string", ("contraction", "flat", "expansion")), "The outcome."),
        Field("n", INTEGER, "Past renewals."),
        Field("mean", NUMBER, "The mean ratio."),
        Field("quartiles", ListOf(NUMBER), "A quarter, a half and three quarters lie below these."),
    ),
)


def _refused(result: Forecast) -> str | None:
    return None if result.refused is None else result.refused.reason


FORECAST = Record(
    "forecast",
    "What one run of `unspun forecast` found.",
    (
        Field("schema_version", STRING, "Version of this document's schema.", always(SCHEMA_VERSION)),
        Field("unspun_version", STRING, "Version of Unspun.", lambda result: result.package_version),
        Field("as_of", DATE, "Nothing later was known."),
        Field("until", DATE, "The last day of the horizon."),
        Field("months", INTEGER, "Months of the horizon."),
        Field("paths", INTEGER, "Simulated paths."),
        Field("seed", INTEGER, "Seed of the random numbers."),
        Field("replayed", BOOLEAN, "Whether it was made later, with what was known on the as-of date."),
        Field("model_version", INTEGER, "The ledger's entry of the risk model.", None, always("there is no model")),
        Field("model", STRING, "What the model is and how it was judged.", lambda result: result.model_words),
        Field(
            "refused", STRING, "Why no forecast was made; then counts and ARR due alone are given.", _refused, always("a forecast was made")
        ),
        Field("total", GROUP, "All renewals due within the horizon."),
        Field("by_month", ListOf(GROUP), "By the month of the due date."),
        Field("by_quarter", ListOf(GROUP), "By its quarter."),
        Field("by_segment", ListOf(GROUP), "By segment."),
        Field("by_owner", ListOf(GROUP), "By owner on the as-of date."),
        Field("fans", ListOf(FAN), "The path of ARR, by currency."),
        Field("renewals", ListOf(RENEWAL), "Each renewal of a running term, by due date."),
        Field("shocks", ListOf(SHOCK), "How far outcomes move together."),
        Field("ratios", ListOf(RATIOS), "What contraction and expansion come to."),
        Field("cautions", ListOf(CAUTION), "What a reader must know."),
    ),
)

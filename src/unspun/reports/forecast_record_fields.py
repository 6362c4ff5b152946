"""Every field of the document of the record: its name, kind and meaning, and where its value is read from."""

from __future__ import annotations

from typing import get_args

from unspun.reports.document import BOOLEAN, DATE, INTEGER, NUMBER, STRING, Field, ListOf, MapOf, Record, Scalar
from unspun.reports.estimate_fields import always, maybe
from unspun.reports.forecast_fields import AMOUNT, NO_AMOUNT, PREDICTED, SCHEMA_VERSION
from unspun.reports.result_fields import CAUTION, RELIABILITY_BIN
from unspun.risk.forecast.result import ForecasterKind, ForecastMiss, LeadRecord

QUANTITY = Scalar("string", ("churned", "grr", "nrr", "arr"))


def _arr_bias(lead: LeadRecord) -> list[tuple[str, object]]:
    return list(lead.arr_bias)


def _stated(miss: ForecastMiss) -> list[tuple[str, float]]:
    return list(miss.stated.items())


ARR_BIAS = Record(
    "arr_bias",
    "ARR expected to be lost by churn less that lost, as a share of the ARR due.",
    (
        Field("currency", STRING, "The currency; empty where none is stated.", lambda pair: pair[0]),
        maybe("bias", "Below 0: less was expected to be lost than was.", lambda pair: pair[1]),
    ),
)
LEAD = Record(
    "lead_record",
    "One forecaster at one lead: its last forecast made at least so many days before the due date.",
    (
        Field("lead_days", INTEGER, "Days before the due date."),
        Field("eligible", INTEGER, "Renewals that were open then."),
        Field("n", INTEGER, "Of them, those it had spoken of."),
        Field("n_churned", INTEGER, "Of those, churned."),
        Field("stated", NUMBER, "Mean probability of churn stated.", None, always("no probability was stated")),
        maybe("brier", "Brier score: the mean squared difference between the probability of churn and what came."),
        maybe("log_loss", "Minus the mean log of the probability given to what came."),
        maybe("bias", "Mean probability stated less the share that churned; below 0: too hopeful."),
        maybe("expected_over_observed", "Churn expected over churn observed."),
        maybe("slope", "Calibration slope: 1 where the probabilities spread as the outcomes do."),
        maybe("auc", "How well the renewals are ranked; .5 is a coin."),
        maybe("brier_skill", "1 less Brier over the Brier score of last year's rate on the same renewals."),
        Field("arr_bias", ListOf(ARR_BIAS), "Bias in money, by currency.", _arr_bias),
        Field("bins", ListOf(RELIABILITY_BIN), "The reliability curve: groups of like probability."),
    ),
)
FORECASTER = Record(
    "forecaster_record",
    "Who forecasts, and the record by lead.",
    (
        Field("name", STRING, "Its name."),
        Field("kind", Scalar("string", get_args(ForecasterKind)), "What it is."),
        Field("said", STRING, "What counts as its forecast."),
        Field("n_forecasts", INTEGER, "Forecasts read."),
        Field("words", ListOf(STRING), "Its words from worst to best, where it states no probabilities."),
        Field("leads", ListOf(LEAD), "By lead, longest first."),
    ),
)
PAIR = Record(
    "pair_record",
    "Two forecasters on the renewals both spoke of. Differences are first less second: below 0 the first is better.",
    (
        Field("first", STRING, "The name of one."),
        Field("second", STRING, "The name of the other."),
        Field("lead_days", INTEGER, "Days before the due date."),
        Field("n", INTEGER, "Renewals both spoke of."),
        Field("n_churned", INTEGER, "Of them, churned."),
        maybe("brier", "Difference of the Brier scores."),
        maybe("log_loss", "Difference of the log losses."),
        Field("words", STRING, "What that says."),
    ),
)
OUTCOME = Record(
    "period_outcome",
    "What a past forecast said of one quarter that is over, and what came.",
    (
        Field("quantity", QUANTITY, "What was forecast: renewals that churn, GRR or NRR of what is due, or total ARR."),
        Field("period", STRING, "The quarter of the due dates."),
        Field("lead_months", INTEGER, "Months from the forecast to the end of the period."),
        Field("currency", STRING, "The currency; empty for counts."),
        Field("predicted", PREDICTED, "What was said."),
        Field("actual", NUMBER, "What came."),
        Field("in_80", BOOLEAN, "Whether it lay within the 80 % interval."),
        Field("in_95", BOOLEAN, "Whether it lay within the 95 % interval."),
    ),
)
SNAPSHOT = Record(
    "snapshot_record",
    "A past forecast in the ledger.",
    (
        Field("entry", INTEGER, "Its entry."),
        Field("as_of", DATE, "The day it speaks from."),
        Field("made_on", DATE, "The day it was entered."),
        Field("replayed", BOOLEAN, "Whether it was made later, with what was known on `as_of`."),
        Field("model_version", INTEGER, "The ledger's entry of the risk model.", None, always("there was no model")),
        Field("outcomes", ListOf(OUTCOME), "What it said of quarters that are over."),
    ),
)
COVERAGE = Record(
    "interval_coverage",
    "Of one quantity, how many outcomes lay within the intervals stated before.",
    (
        Field("quantity", QUANTITY, "What was forecast."),
        Field("replayed", BOOLEAN, "Whether of replayed forecasts."),
        Field("n", INTEGER, "Outcomes."),
        Field("periods", INTEGER, "Quarters they come from: forecasts of one quarter share its outcome."),
        maybe("in_80", "Share within the 80 % interval."),
        maybe("in_95", "Share within the 95 % interval."),
    ),
)
MISS = Record(
    "forecast_miss",
    "A renewal that came otherwise than said.",
    (
        Field("account", STRING, "The account."),
        Field("due", DATE, "When it fell due."),
        Field("owner", STRING, "Its owner then; empty where not known."),
        Field("churned", BOOLEAN, "Whether it churned."),
        Field("currency", STRING, "The currency of `arr`."),
        Field("arr", STRING, f"ARR before the renewal, {AMOUNT}.", None, NO_AMOUNT),
        Field("stated", MapOf(NUMBER), "Probability of churn by forecaster, at the longest lead at which it had spoken.", _stated),
    ),
)
FORECAST_RECORD = Record(
    "forecast_record",
    "What one run of `unspun forecast --record` found.",
    (
        Field("schema_version", STRING, "Version of this document's schema.", always(SCHEMA_VERSION)),
        Field("unspun_version", STRING, "Version of Unspun.", lambda record: record.package_version),
        Field("as_of", DATE, "Nothing later was known."),
        Field("first_due", DATE, "The first due date judged.", None, always("no renewal is decided")),
        Field("last_due", DATE, "The last one.", None, always("no renewal is decided")),
        Field("n_renewals", INTEGER, "Renewals decided."),
        Field("n_churned", INTEGER, "Of them, churned."),
        Field("forecasters", ListOf(FORECASTER), "Every forecaster."),
        Field("pairs", ListOf(PAIR), "Two by two."),
        Field("snapshots", ListOf(SNAPSHOT), "The past forecasts that were scored."),
        Field("coverage", ListOf(COVERAGE), "Whether their intervals hold."),
        Field("misses", ListOf(MISS), "The largest surprises."),
        Field("cautions", ListOf(CAUTION), "What a reader must know."),
    ),
)

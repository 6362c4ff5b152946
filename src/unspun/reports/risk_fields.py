"""Every field of the renewal risk document: its name, kind and meaning, and where its value is read from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unspun.reports import risk_claims
from unspun.reports.document import BOOLEAN, DATE, INTEGER, NUMBER, STRING, Field, ListOf, MapOf, Record, Scalar
from unspun.reports.estimate_fields import always, maybe
from unspun.reports.result_fields import CAUTION, RELIABILITY_BIN
from unspun.risk.result import CANNOT_TELL, MODEL_VERDICTS, CurvePoint, Reason, RenewalRisk, RiskResult
from unspun.risk.rows import OUTCOMES4
from unspun.stats.estimate import Estimate, NoEstimate

SCHEMA_VERSION = "1.0"
REASONS = tuple(code for code in CANNOT_TELL if code)
STATUSES = ("open", "overdue", "notice given")
NOT_KNOWN = always("not known")
NONE_TOLD = always("no probability is told of this renewal")


def _at(index: int) -> Callable[[Any], Any]:
    return lambda pair: pair[index]


def _outcome(name: str) -> Callable[[RenewalRisk], Any]:
    return lambda one: one.probabilities[name]


def _of_similar(name: str) -> Callable[[Any], Any]:
    return lambda found: found.outcomes[name]


def _name_of(side: str) -> Callable[[Reason], str | None]:
    """A category's name; None where the value is a number or missing."""

    def read(reason: Reason) -> str | None:
        value = getattr(reason, side)
        return value if isinstance(value, str) else None

    return read


def _number_of(side: str) -> Callable[[Reason], float | None]:
    def read(reason: Reason) -> float | None:
        value = getattr(reason, side)
        return None if isinstance(value, str) else value

    return read


def _why_no_number(reason: Reason) -> str:
    return "it is a category" if isinstance(reason.value, str) else "missing"


def _why_no_name(reason: Reason) -> str:
    return "missing" if reason.value is None else "it is a number"


def _figures(one: RenewalRisk) -> list[tuple[str, str]]:
    """The names of its published figures that have a value."""
    similar = one.similar if isinstance(one.similar, NoEstimate) else one.similar.outcomes["churn"]
    values = {**one.probabilities, "expected_lost": one.expected_lost, "similar": similar}
    return [(name, f"{risk_claims.renewal_key(one)}/{name}") for name, value in values.items() if isinstance(value, Estimate)]


def _code(one: RenewalRisk) -> str | None:
    return one.cannot_tell or None


def _place(point: CurvePoint) -> str | None:
    return point.at if isinstance(point.at, str) else None


def _value(point: CurvePoint) -> float | None:
    return None if isinstance(point.at, str) else point.at


def _method(result: RiskResult) -> Estimate | None:
    """Any of the probabilities: they are all made in one way."""
    return next((one.churn for one in result.renewals if isinstance(one.churn, Estimate)), None)


PROBABILITY = Record(
    "probability",
    "A probability with its interval; level, method and n are in `probability_method`.",
    (Field("point", NUMBER, "The probability."), Field("low", NUMBER, "Lower end."), Field("high", NUMBER, "Upper end.")),
)
METHOD = Record(
    "probability_method",
    "How the probabilities of renewals are made.",
    (
        Field("method", STRING, "How the intervals were made."),
        Field("level", NUMBER, "Their level, such as 0.95."),
        Field("n", INTEGER, "Account-months they rest on."),
        Field("caveats", ListOf(STRING), "What a reader must know before relying on them."),
    ),
)
REASON = Record(
    "reason",
    "One thing that sets a renewal apart from a typical one and can be told from nothing.",
    (
        Field("feature", STRING, "Its id: a metric's, or of what is given."),
        Field("label", STRING, "Its name for people."),
        Field("metric", BOOLEAN, "Whether it is a metric of metrics.yml."),
        Field("unit", STRING, "Its unit; empty where none is declared."),
        Field("value", NUMBER, "The account's value.", _number_of("value"), _why_no_number),
        Field("value_name", STRING, "The account's category.", _name_of("value"), _why_no_name),
        Field("typical", NUMBER, "The typical value.", _number_of("typical"), always("a category has none, or it is not known")),
        Field("typical_name", STRING, "The typical category.", _name_of("typical"), always("it is a number, or not known")),
        Field("points", NUMBER, "What it adds to the probability of churn."),
        Field("low", NUMBER, "Lower end of the interval of `points`."),
        Field("high", NUMBER, "Upper end."),
        Field("log_odds", NUMBER, "What it adds to the log odds of the hazard of churn."),
        Field("stale_days", INTEGER, "Age of a value that was carried over an outage, in days; 0 where it was not."),
        Field("sentence", STRING, "All of it as a sentence."),
    ),
)
SIMILAR = Record(
    "similar",
    "What became of the past renewals most like this one in risk, at a like lead.",
    (
        Field("n", INTEGER, "Past renewals."),
        Field("n_accounts", INTEGER, "Accounts they are of."),
        Field("segment", STRING, "The segment they are of.", None, always("of all segments, as its own has too few")),
        Field("lead_low_days", INTEGER, "The least lead among them."),
        Field("lead_high_days", INTEGER, "The most."),
        *(maybe(name, f"The share that came to {name}.", _of_similar(name)) for name in OUTCOMES4),
        Field("told", STRING, "How they were chosen."),
    ),
)
MISSING = Record(
    "missing", "A metric without a value.", (Field("label", STRING, "Which.", _at(0)), Field("reason", STRING, "Why.", _at(1)))
)
STALE = Record(
    "stale",
    "A value carried over an outage.",
    (Field("label", STRING, "Which metric.", _at(0)), Field("days", INTEGER, "How old the value is, in days.", _at(1))),
)
RISK_COVERAGE = Record(
    "risk_coverage",
    "How many of the model's metrics have a value. Nothing is filled in.",
    (
        Field("with_value", INTEGER, "Metrics with a value."),
        Field("of", INTEGER, "Metrics that the model knows."),
        Field("missing", ListOf(MISSING), "The others, with the reason."),
        Field("stale", ListOf(STALE), "Values from before an outage."),
    ),
)
RENEWAL = Record(
    "renewal",
    "One renewal that is not decided yet. `typical` + the points of all reasons + `others` = the probability of churn.",
    (
        Field("account", STRING, "The account's id."),
        Field("name", STRING, "Its name."),
        Field("due", DATE, "The due date."),
        Field("lead_days", INTEGER, "Days from the as-of day to the due date; below nought where it is overdue."),
        Field("arr", NUMBER, "ARR that is up for renewal.", None, always("no ARR is known")),
        Field("currency", STRING, "Its currency.", None, NOT_KNOWN),
        Field("segment", STRING, "The account's segment.", None, NOT_KNOWN),
        Field("owner", STRING, "Its owner on the as-of day.", None, NOT_KNOWN),
        Field("term", STRING, "The length of the term."),
        Field("status", Scalar("string", STATUSES), "Where it stands; with notice given there is a fact and no forecast."),
        *(Field(name, PROBABILITY, f"The probability of {name}.", _outcome(name), NONE_TOLD) for name in OUTCOMES4),
        Field("expected_lost", PROBABILITY, "ARR times the probability of churn, in `currency`.", None, NONE_TOLD),
        Field("typical", NUMBER, "The probability of churn of a typical account at the same lead and term.", None, NONE_TOLD),
        Field("reasons", ListOf(REASON), "What sets it apart, the largest first."),
        Field("others", NUMBER, "What all else adds, each too small to tell."),
        Field("similar", SIMILAR, "What became of those like it.", None, NONE_TOLD),
        Field("coverage", RISK_COVERAGE, "What was known of it."),
        Field(
            "cannot_tell",
            Scalar("string", REASONS),
            "Why nothing can be told, as a code.",
            _code,
            always("it can be told, or notice was given"),
        ),
        Field("why", STRING, "The same as a sentence; empty where a probability is told."),
        Field("figures", MapOf(STRING), "The names of its figures in the ledger's entry, for `unspun why ENTRY/NAME`.", _figures),
    ),
)
DUE_TOTAL = Record(
    "due_total",
    "The renewals due within so many days, in one currency.",
    (
        Field("within_days", INTEGER, "Days from the as-of day; what is overdue is counted too."),
        Field("currency", STRING, "The currency.", None, NOT_KNOWN),
        Field("n", INTEGER, "Renewals."),
        Field("n_without_arr", INTEGER, "Of them, those whose ARR is not known."),
        Field("arr", NUMBER, "ARR that is due, an exact sum."),
        maybe("expected_lost", "ARR expected to be lost to churn; the interval is of the expectation, what will happen varies more."),
        Field("n_cannot_tell", INTEGER, "Renewals that nothing can be told of; they are not in `expected_lost`."),
        Field("arr_cannot_tell", NUMBER, "Their ARR."),
        Field("n_notice", INTEGER, "Renewals of which notice was given."),
        Field("arr_notice", NUMBER, "Their ARR."),
    ),
)
CANDIDATE = Record(
    "candidate",
    "One candidate model on outcomes later than those it was fitted on.",
    (
        Field("name", STRING, "Its name."),
        Field("told", STRING, "What it is."),
        maybe("log_loss", "Log loss of the four outcomes; smaller is better."),
        maybe("difference", "Its log loss less that of the best one, on the same account-months."),
        Field("standard_error", NUMBER, "Standard error of the difference.", None, always("it is the best, or not estimated")),
        maybe("churn_log_loss", "Log loss of churn against all else."),
        Field("chosen", BOOLEAN, "Whether it was chosen."),
    ),
)
LEAD_CHECK = Record(
    "lead_check",
    "The check at one span of lead: from `low_days` to under `high_days` before the due date.",
    (
        Field("low_days", INTEGER, "From so many days before due."),
        Field("high_days", INTEGER, "To under so many."),
        Field("n", INTEGER, "Account-months."),
        Field("n_churned", INTEGER, "Of them, of renewals that churned."),
        Field("expected", NUMBER, "The share foretold to churn."),
        maybe("observed", "The share that churned."),
        maybe("expected_over_observed", "The one over the other; 1 is right."),
        maybe("auc", "AUC of churn at this lead."),
        maybe("slope", "Calibration slope at this lead; the intervals of all leads that can be judged are held at once."),
        Field("verdict", Scalar("string", MODEL_VERDICTS), "Whether its probabilities at this lead may be read as risks."),
    ),
)
CHECK = Record(
    "model_check",
    "The chosen model on later account-months that neither fitted nor chose it.",
    (
        Field("first_as_of", DATE, "The first as-of date.", None, always("there was no test")),
        Field("last_as_of", DATE, "The last.", None, always("there was no test")),
        Field("n", INTEGER, "Account-months."),
        Field("n_renewals", INTEGER, "Renewals."),
        Field("n_churned", INTEGER, "Renewals that churned."),
        Field("n_churned_clusters", INTEGER, "Top parents with one that churned."),
        Field("n_train_churned", INTEGER, "Renewals that churned in what it was fitted on."),
        Field("settle_days", INTEGER, "A renewal is judged once it was due for so long, by when nearly all outcomes are known."),
        Field("n_undecided", INTEGER, "Renewals that were not decided by then, and are left out."),
        maybe("slope", "Calibration slope of churn; 1 is right."),
        maybe("intercept", "Calibration intercept; 0 is right."),
        maybe("expected_over_observed", "Churned renewals foretold over seen; 1 is right."),
        maybe("auc", "AUC of churn; 0.5 is a coin."),
        maybe("brier", "Brier score of churn."),
        maybe("log_loss", "Log loss of the four outcomes."),
        maybe("base_log_loss", "The same of the base rate."),
        maybe("churn_log_loss", "Log loss of churn."),
        Field("by_lead", ListOf(LEAD_CHECK), "The same by lead."),
        Field("bins", ListOf(RELIABILITY_BIN), "Groups by what was foretold."),
        Field("verdict", Scalar("string", MODEL_VERDICTS), "Whether its probabilities may be read as risks."),
        Field("why", STRING, "Why."),
    ),
)
CURVE_POINT = Record(
    "curve_point",
    "What a term adds to the log odds of the hazard of churn at a value, less that of the typical account.",
    (
        Field("value", NUMBER, "The value.", _value, always("it is a category")),
        Field("name", STRING, "The category.", _place, always("it is a number")),
        Field("log_odds", NUMBER, "What it adds."),
        Field("low", NUMBER, "Lower end of its interval."),
        Field("high", NUMBER, "Upper end."),
    ),
)
TERM = Record(
    "term",
    "One term of the model.",
    (
        Field("feature", STRING, "Its id."),
        Field("label", STRING, "Its name for people."),
        Field("unit", STRING, "Its unit."),
        Field("metric", BOOLEAN, "Whether it is a metric of metrics.yml."),
        Field("effective_df", NUMBER, "Effective degrees of freedom: 1 is a straight line.", None, always("boosted trees have none")),
        Field("p", NUMBER, "p of its having no effect.", None, always("not tested")),
        Field("told", BOOLEAN, "Whether it can be told from nothing, among all terms."),
        Field("curve", ListOf(CURVE_POINT), "Its curve."),
    ),
)
LEFT_OUT = Record(
    "left_out",
    "A metric that the model could not use.",
    (Field("label", STRING, "Which.", _at(0)), Field("reason", STRING, "Why.", _at(1))),
)
MODEL = Record(
    "model",
    "The model in force and how it came to be.",
    (
        Field("version", STRING, "Its entry in the ledger."),
        Field("fitted_as_of", DATE, "It was fitted on what was known before this day."),
        Field("chosen", STRING, "The candidate chosen."),
        Field("why", STRING, "Why this one."),
        Field("candidates", ListOf(CANDIDATE), "All that were compared, from simple to complex."),
        Field("origins", ListOf(DATE), "The days from which they foretold later outcomes."),
        Field("check", CHECK, "What it did on later renewals."),
        Field("terms", ListOf(TERM), "Its terms."),
        Field("left_out", ListOf(LEFT_OUT), "What it could not use."),
        Field("n", INTEGER, "Account-months it was fitted on."),
        Field("n_renewals", INTEGER, "Renewals they are of."),
        Field("n_churned", INTEGER, "Of them, churned."),
        Field("sampled", STRING, "What was subsampled; empty where nothing was."),
        Field("scale", NUMBER, "What the log odds of churn are multiplied by after fitting."),
        Field("scale_why", STRING, "Why; empty where nothing is said of it."),
    ),
)
RISK = Record(
    "risk",
    "What one run of `unspun risk` found.",
    (
        Field("schema_version", STRING, "Version of this document's schema.", always(SCHEMA_VERSION)),
        Field("unspun_version", STRING, "Version of Unspun.", lambda result: result.package_version),
        Field("as_of", DATE, "Nothing known later was read."),
        Field("cautions", ListOf(CAUTION), "What a reader must know first."),
        Field("due", ListOf(DUE_TOTAL), "What is due, and expected to be lost."),
        Field("model", MODEL, "The model in force.", None, always("no model could be fitted")),
        Field("probability_method", METHOD, "Of the probabilities of the renewals.", _method, always("no renewal has a probability")),
        Field("renewals", ListOf(RENEWAL), "Every renewal not yet decided: the most ARR expected to be lost first."),
    ),
)

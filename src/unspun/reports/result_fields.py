"""Every field of the result document: its name, kind and meaning, and where its value is read from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unspun.audit.result import VERDICTS, ScoreResult
from unspun.reports.document import BOOLEAN, DATE, INTEGER, NUMBER, STRING, Field, ListOf, MapOf, Record, Scalar
from unspun.reports.estimate_fields import ESTIMATE
from unspun.reports.estimate_fields import always as _always
from unspun.reports.estimate_fields import maybe as _maybe
from unspun.reports.gaming_fields import GAMING_CHECK
from unspun.stats.estimate import NoEstimate

SCHEMA_VERSION = "1.1"


def _at(index: int) -> Callable[[Any], Any]:
    return lambda pair: pair[index]


def _total(name: str, meaning: str) -> Field:
    return Field(name, NUMBER, meaning, None, _always("no amounts were given, or they are in several currencies"))


def _ends(way: str, meaning: str) -> tuple[Field, Field]:
    """The low and the high end of a band."""
    why = _always("the score has no risk read into it")

    def end(index: int) -> Callable[[Any], Any]:
        return lambda band: None if getattr(band, way) is None else getattr(band, way)[index]

    low = Field(f"{way}_low", NUMBER, f"{meaning}: low end.", end(0), why)
    return low, Field(f"{way}_high", NUMBER, f"{meaning}: high end.", end(1), why)


CAUTION = Record(
    "caution",
    "Something a reader must know before relying on a figure.",
    (
        Field("code", STRING, "A stable code; `too_good` is the one for a score too good for its history."),
        Field("text", STRING, "The caution, as a sentence."),
        Field("loud", BOOLEAN, "Whether it must stand beside the verdict."),
    ),
)
SET_ASIDE = Record(
    "set_aside",
    "Rows set aside for one reason.",
    (Field("reason", STRING, "Why."), Field("n", INTEGER, "How many rows.")),
)
INPUT_FILE = Record(
    "input_file",
    "One file, or one sheet of a workbook, of an input that was given as several.",
    (
        Field("name", STRING, "Its name, a sheet in brackets."),
        Field("sha256", STRING, "SHA-256 of its bytes. The input's own is that of these digests, one after the other."),
        Field("format", STRING, "The format it was read as."),
        Field("rows_read", INTEGER, "Rows in it, header not counted."),
    ),
)
INPUT = Record(
    "input",
    "One input file. rows_read = rows_used + the sum of set_aside.",
    (
        Field(
            "role",
            Scalar("string", ("scores", "renewals", "subscriptions", "purchases", "accounts", "events", "forecasts")),
            "What the file was read as.",
        ),
        Field("name", STRING, "The name it was given by."),
        Field("sha256", STRING, "SHA-256 of its bytes, or of its Arrow form."),
        Field("format", STRING, "The format it was read as."),
        Field("rows_read", INTEGER, "Rows in the file, header not counted."),
        Field("rows_used", INTEGER, "Rows that were used."),
        Field("set_aside", ListOf(SET_ASIDE), "Rows that were not, by reason."),
        Field("columns", MapOf(STRING), "The file's column for each role."),
        Field("unused_columns", ListOf(STRING), "Columns nothing was read from."),
        Field("notes", ListOf(STRING), "What was detected: encoding, separator, date format, time zone."),
        Field("files", ListOf(INPUT_FILE), "The files, or sheets, where the input was given as several; else empty."),
    ),
)
DESIGN = Record(
    "design",
    "Which design was used and why, on what period, and in whose clusters.",
    (
        Field(
            "name", Scalar("string", ("renewal", "landmark")), "renewal: a unit is one renewal due; landmark: a unit is one account-month."
        ),
        Field("why", STRING, "Why this design."),
        Field("as_of", DATE, "Nothing known later was read."),
        Field("as_of_why", STRING, "Where the as-of date comes from."),
        Field("primary_horizon_days", INTEGER, "The horizon that decides the verdict, in days before the due date."),
        Field("primary_why", STRING, "Why that horizon."),
        Field("n_renewals", INTEGER, "Renewals used."),
        Field("n_accounts", INTEGER, "Accounts they belong to."),
        Field("n_clusters", INTEGER, "Clusters the intervals allow for."),
        Field("clustered_by", Scalar("string", ("parent account", "account")), "What a cluster is."),
        Field("outcomes", MapOf(INTEGER), "Renewals by outcome."),
        Field("first_due", DATE, "The first due date."),
        Field("last_due", DATE, "The last due date."),
        Field("currency", STRING, "The currency of all amounts.", None, _always("the files state no single currency")),
        Field("capacity", INTEGER, "Accounts the team can treat a month."),
        Field("cautions", ListOf(CAUTION), "Cautions that hold for every score."),
    ),
)
SPLIT = Record(
    "split",
    "The out-of-time split. Counts are units.",
    (
        Field("first_test_as_of", DATE, "The first day on which a test unit is looked at."),
        Field("n_train", INTEGER, "Training units."),
        Field("n_train_churned", INTEGER, "Of them, churned."),
        Field("n_left_out", INTEGER, "Units whose outcome was not yet known when the test began: in neither part."),
        Field("n_test", INTEGER, "Test units."),
        Field("n_test_churned", INTEGER, "Of them, churned."),
        Field("n_train_scored_churned", INTEGER, "Training units that churned and had a score: what the baseline is fitted on."),
        Field("n_test_churned_clusters", INTEGER, "Clusters with a churned and scored test unit."),
    ),
)
BASELINE = Record(
    "baseline",
    "Another baseline, which decides nothing.",
    (Field("name", STRING, "What it ranks by.", _at(0)), _maybe("auc", "Its AUC on the test units.", _at(1))),
)

BESIDE = Record(
    "beside",
    "Something else one could have ranked by, beside the score on the same test units. It decides nothing.",
    (
        Field("name", STRING, "What it is."),
        Field("rule", STRING, "How it ranks, and what counts as known."),
        Field("n", INTEGER, "Test units that have both the score and this."),
        Field("n_churned", INTEGER, "Of them, churned."),
        Field("coverage", NUMBER, "Share of all test units that have this.", None, _always("there is no test unit")),
        _maybe("auc", "Its AUC on these units."),
        _maybe("auc_score", "The score's AUC on the same units."),
        _maybe("difference", "auc_score less auc, with a paired interval."),
        _maybe("brier", "Brier score of its probabilities as stated."),
        _maybe("bias", "Mean stated probability of churn less the share that churned."),
        _maybe("expected_over_observed", "Churn it expected over churn seen; 1 is right."),
    ),
)


def _why_no_gain_p(test: Any) -> str:
    return test.gain.reason if isinstance(test.gain, NoEstimate) and test.gain.reason else "the gain was not tested"


TEST = Record(
    "test",
    "The score on units it had never seen. n counts eligible test units, scored or not; AUCs are of the scored ones.",
    (
        Field("n", INTEGER, "Eligible test units."),
        Field("n_churned", INTEGER, "Of them, churned."),
        Field("n_scored", INTEGER, "Test units with a score by then."),
        Field("n_scored_churned", INTEGER, "Of them, churned."),
        Field("n_churned_clusters", INTEGER, "Clusters with a churned and scored unit."),
        _maybe("auc", "AUC of the score: how often it puts a churned unit below one that stayed."),
        _maybe("auc_baseline", "AUC of the baseline model, frozen after training."),
        _maybe("auc_both", "AUC of the baseline model with the score added, frozen after training."),
        _maybe("gain", "auc_both less auc_baseline, with a paired interval."),
        Field("gain_p", NUMBER, "One-sided p of no gain.", None, _why_no_gain_p),
        _maybe("gain_log_loss", "How much the score lowers the log loss; positive is better."),
        Field("others", ListOf(BASELINE), "Other baselines. They decide nothing."),
        Field("beside", ListOf(BESIDE), "What else one could have ranked by, each on the units it shares with the score."),
    ),
)
RELIABILITY_BIN = Record(
    "reliability_bin",
    "Test units of like implied risk.",
    (
        Field("predicted", NUMBER, "Mean risk the score implied."),
        Field("observed", ESTIMATE, "Share that churned; its n is the group's."),
    ),
)
CALIBRATION = Record(
    "calibration",
    "Of the risk that a mapping fitted in training reads into the score, on test units.",
    (
        Field("mapping", STRING, "How the score was turned into a risk."),
        Field("n", INTEGER, "Scored test units."),
        Field("n_churned", INTEGER, "Of them, churned."),
        _maybe("slope", "Calibration slope; 1 is right, below 1 the extremes are too extreme."),
        _maybe("intercept", "Calibration intercept with the slope fixed at 1; 0 is right."),
        _maybe("expected_over_observed", "Churn expected over churn seen; 1 is right."),
        _maybe("brier", "Brier score of the implied risk."),
        _maybe("brier_base_rate", "Brier score of always saying the training base rate."),
        Field("miscalibration", NUMBER, "CORP decomposition: the part of the Brier score due to wrong levels."),
        Field("discrimination", NUMBER, "CORP decomposition: the part taken off by ranking."),
        Field("uncertainty", NUMBER, "CORP decomposition: the Brier score of a constant."),
        Field("bins", ListOf(RELIABILITY_BIN), "The reliability curve."),
    ),
)
CAPTURE_POINT = Record(
    "capture_point",
    "Shares of churned ARR reached at one capacity.",
    (
        Field("capacity", INTEGER, "Accounts a month.", _at(0)),
        Field("score", NUMBER, "Worst score first.", _at(1), _always("the score could not be ranked")),
        Field("score_times_arr", NUMBER, "Implied risk times ARR first.", _at(2), _always("the score has no risk read into it")),
        Field("arr_alone", NUMBER, "Largest ARR first.", _at(3)),
        Field("random", NUMBER, "At random.", _at(4)),
    ),
)
CAPTURE_BAND = Record(
    "capture_band",
    "Ends of the pointwise 95 % bootstrap bands at one capacity, as shares of churned ARR.",
    (
        Field("capacity", INTEGER, "Accounts a month."),
        *_ends("score", "Worst score first"),
        *_ends("score_times_arr", "Implied risk times ARR first"),
        *_ends("arr_alone", "Largest ARR first"),
        *_ends("random", "At random"),
    ),
)
CAPTURED_ARR = Record(
    "captured_arr",
    "Share of churned ARR reached by a team that can treat `capacity` accounts a month, by how it chooses them.",
    (
        Field("capacity", INTEGER, "Accounts a month."),
        Field("months", INTEGER, "Months ranked afresh."),
        Field("n_candidates", INTEGER, "Candidates over all months."),
        Field("churned_arr", NUMBER, "ARR of the candidates that churned."),
        Field("currency", STRING, "Its currency.", None, _always("the files state no single currency")),
        _maybe("score", "Worst score first."),
        _maybe("score_times_arr", "Implied risk times ARR first."),
        _maybe("arr_alone", "Largest ARR first."),
        _maybe("random", "At random."),
        Field("curve", ListOf(CAPTURE_POINT), "The same by capacity, points only."),
        Field("bands", ListOf(CAPTURE_BAND), "The bands around them; empty but at the primary horizon with details."),
    ),
)
FLOW_STEP = Record(
    "flow_step",
    "One step from rows used to units judged.",
    (Field("step", STRING, "What happened.", _at(0)), Field("n", INTEGER, "Units, negative where they leave.", _at(1))),
)
HORIZON = Record(
    "horizon",
    "One horizon. n, n_churned and auc are of all eligible units; test is out of time.",
    (
        Field("horizon_days", INTEGER, "Days before the due date on which a unit is looked at."),
        Field("n", INTEGER, "Eligible units."),
        Field("n_churned", INTEGER, "Of them, churned."),
        Field("n_scored", INTEGER, "Eligible units with a score by then."),
        Field("n_scored_churned", INTEGER, "Of them, churned."),
        Field("coverage", NUMBER, "n_scored / n.", None, _always("no unit is eligible at this horizon")),
        Field("not_applicable", INTEGER, "Units whose term is shorter than the horizon."),
        _maybe("auc", "AUC of the score on all eligible units with a score."),
        _maybe("auc_contracted", "AUC for contraction among the renewed."),
        _maybe("auc_expanded", "AUC for expansion among the renewed."),
        Field("split", SPLIT, "The out-of-time split.", None, _always("no split")),
        Field("test", TEST, "The score on units it had never seen."),
        Field("calibration", CALIBRATION, "Can the score be read as a risk?", None, _always("not estimated")),
        Field("captured_arr", CAPTURED_ARR, "What a team of this capacity would reach.", None, _always("not estimated")),
        Field("flow", ListOf(FLOW_STEP), "From rows used to units judged."),
    ),
)
FACT = Record(
    "fact",
    "One of the three facts the sentence rests on.",
    (
        Field("label", STRING, "What is measured."),
        _maybe("value", "The figure."),
        Field("unit", Scalar("string", ("auc", "gain", "share")), "auc: 0 to 1; gain: a difference of AUCs; share: a part of 1."),
        Field("reference", NUMBER, "The value to beat.", None, _always("there is nothing to beat")),
        Field("text", STRING, "The fact, in words."),
    ),
)
LEAK_CHECK = Record(
    "leak_check",
    "Was the score edited after the outcome was known? Counts are units at the primary horizon.",
    (
        Field("possible", BOOLEAN, "Whether the files allow the check."),
        Field("why_not", STRING, "What is missing; empty where the check was possible."),
        Field("churned_edited", INTEGER, "Churned units whose dated score was recorded after the outcome was known."),
        Field("churned", INTEGER, "Churned units looked at."),
        Field("renewed_edited", INTEGER, "The same of those that stayed."),
        Field("renewed", INTEGER, "Units that stayed, looked at."),
        Field("fisher_p", NUMBER, "One-sided p of Fisher's exact test.", None, lambda leak: leak.why_not or "not tested"),
        _maybe("auc_dated", "AUC of the score as dated."),
        _maybe("auc_known", "AUC of the score as it was known."),
        _maybe("difference", "auc_dated less auc_known, with a paired interval."),
        Field("leaks", BOOLEAN, "Whether the score leaks by the protocol's rule."),
    ),
)
NEEDED = Record(
    "needed",
    "What it would take to tell.",
    (
        Field("question", STRING, "What could not be told."),
        Field("more_churned", INTEGER, "How many more churned renewals, of all of the data."),
        Field("months", NUMBER, "Months until then at the present rate.", None, _always("the present rate is not known")),
        Field("text", STRING, "The same, as a sentence."),
    ),
)
BAND = Record(
    "band",
    "One band of the score.",
    (
        Field("band", STRING, "Its name."),
        Field("n", INTEGER, "Units in it."),
        Field("n_churned", INTEGER, "Of them, churned."),
        _maybe("left", "Of this band, the share that churned."),
        _maybe("share_of_churned", "Of those that churned, the share in this band."),
    ),
)
BANDS = Record(
    "bands",
    "The score's bands, worst first.",
    (Field("source", STRING, "Whose bands these are."), Field("rows", ListOf(BAND), "The bands.")),
)
LEAD_POINT = Record(
    "lead_point",
    "The score at one lead.",
    (
        Field("days_before", INTEGER, "Days before the due date."),
        Field("n", INTEGER, "Scored units."),
        Field("n_churned", INTEGER, "Of them, churned."),
        _maybe("auc", "AUC at this lead."),
        _maybe("churned_in_alarm", "Of the churned, the share then in the worst band."),
        _maybe("renewed_in_alarm", "Of those that stayed, the share then in the worst band."),
        _maybe("churned_score", "Mean score of the churned at this lead."),
        _maybe("renewed_score", "Mean score of those that stayed at this lead."),
    ),
)
LEAD_TIME = Record(
    "lead_time",
    "How early the score tells.",
    (
        Field("alarm", STRING, "What counts as an alarm."),
        Field("points", ListOf(LEAD_POINT), "By lead."),
        Field(
            "first_told_days",
            INTEGER,
            "The longest lead from which the AUC interval stays above one half.",
            None,
            _always("at no lead does the AUC interval stay above one half"),
        ),
        Field("text", STRING, "The same, as a sentence."),
    ),
)
GROUP = Record(
    "group",
    "The score within one group of units.",
    (
        Field("group", STRING, "Its name."),
        Field("n", INTEGER, "Scored units."),
        Field("n_churned", INTEGER, "Of them, churned."),
        _maybe("auc", "AUC within the group."),
        Field("in_test", BOOLEAN, "Whether a quarter lies in the test.", None, _always("only quarters are in or out of the test")),
    ),
)
STABILITY = Record(
    "stability",
    "Does it hold over time, and across segments and owners?",
    (
        Field("quarters", ListOf(GROUP), "By quarter of the due date."),
        Field("segments", ListOf(GROUP), "By segment."),
        Field("owners", ListOf(GROUP), "By owner."),
        _maybe("trend_per_quarter", "Change in AUC a quarter."),
        Field("note", STRING, "How to read these."),
    ),
)
PATH_POINT = Record(
    "path_point",
    "One value of a unit's score.",
    (
        Field("days_before", INTEGER, "Days before the due date.", _at(0)),
        Field("score", NUMBER, "The score dated then.", _at(1)),
    ),
)
LISTED_UNIT = Record(
    "listed_unit",
    "One unit of a list.",
    (
        Field("account", STRING, "The account."),
        Field("due", DATE, "When its renewal was due."),
        Field("looked_at", DATE, "When its score was read."),
        Field("score", NUMBER, "The score then."),
        Field("band", STRING, "The band then."),
        Field("amount", NUMBER, "The amount before the renewal.", None, _always("no amount was given")),
        Field("currency", STRING, "Its currency.", None, _always("no currency was given")),
        Field("segment", STRING, "Its segment; empty where none was given."),
        Field("owner", STRING, "Its owner; empty where none was given."),
        Field("row", INTEGER, "Its row in the renewals file."),
        Field("history", ListOf(PATH_POINT), "Its scores over the year before the due date, as dated, oldest first."),
        _maybe("baseline_risk", "Risk by the frozen baseline, where it was not fitted on this unit."),
    ),
)
LISTING = Record(
    "listing",
    "The largest units of a kind, by amount.",
    (
        Field("rule", STRING, "Which units these are."),
        Field("total", INTEGER, "How many there are, listed or not."),
        _total("total_amount", "Their amounts added up, listed or not."),
        Field("units", ListOf(LISTED_UNIT), "The largest of them."),
    ),
)
DIRECTION = Record(
    "direction",
    "How the score was read.",
    (
        Field("kind", Scalar("string", ("number", "band")), "A number, or a band in declared order."),
        Field("higher_is_healthier", BOOLEAN, "As declared, or by default; never learned."),
    ),
)


def _described(name: str, record: Record, meaning: str) -> Field:
    """A part of the description, which as a whole may be missing."""

    def read(score: ScoreResult) -> object:
        return score.description if isinstance(score.description, NoEstimate) else getattr(score.description, name)

    return Field(name, record, meaning, read, _always("not described"))


def _itself(owner: object) -> object:
    return owner


SCORE = Record(
    "score",
    "One score and what the audit found.",
    (
        Field("name", STRING, "Its name."),
        Field("verdict", Scalar("string", VERDICTS), "One of seven."),
        Field("verdict_why", STRING, "The rule of the protocol that gave the verdict."),
        Field("sentence", STRING, "The verdict as one plain sentence."),
        Field("facts", ListOf(FACT), "The three facts it rests on."),
        Field("cautions", ListOf(CAUTION), "What a reader must know."),
        Field("primary_horizon_days", INTEGER, "The horizon that decides."),
        Field("horizons", ListOf(HORIZON), "Every horizon."),
        Field("leak_check", LEAK_CHECK, "Was it edited after the outcome was known?", lambda score: score.leak),
        Field("needed", NEEDED, "What it would take to tell.", None, _always("the verdict stands on the data given")),
        _described("bands", BANDS, "Of each band how many left. At the primary horizon, all eligible units, like all that follows."),
        _described("lead_time", LEAD_TIME, "How early the score tells."),
        _described("stability", STABILITY, "Does it hold?"),
        _described("missed", LISTING, "Churned units that looked well."),
        _described("false_alarms", LISTING, "Units that looked ill and stayed."),
        Field("direction", DIRECTION, "How the score was read.", _itself),
        Field(
            "rejected_at_fdr",
            BOOLEAN,
            "Whether Benjamini-Hochberg rejects no gain at the family's rate.",
            None,
            _always("one score was audited, so there is no family to control"),
        ),
        Field("gaming", ListOf(GAMING_CHECK), "Has it been steered? Empty where details were not asked for."),
    ),
)
MULTIPLICITY = Record(
    "multiplicity",
    "How the number of scores tested was allowed for.",
    (
        Field("n_tested", INTEGER, "Scores that shared the false discovery rate."),
        Field("fdr_q", NUMBER, "The false discovery rate."),
        Field("method", STRING, "How it is controlled.", _always("Benjamini-Hochberg on the one-sided p of the gain")),
    ),
)
PAIR = Record(
    "score_pair",
    "Two scores on the test units that have both.",
    (
        Field("first", STRING, "The score that ranks best in the test."),
        Field("second", STRING, "One of the next."),
        Field("n", INTEGER, "Test units that have both."),
        Field("n_churned", INTEGER, "Of them, churned.", lambda pair: pair.n_lost),
        _maybe(
            "difference", "AUC of the first less that of the second, with a paired interval that holds for all pairs of scores at once."
        ),
    ),
)
RESULT = Record(
    "result",
    "What one run of the score audit found.",
    (
        Field("schema_version", STRING, "Version of this document's schema.", _always(SCHEMA_VERSION)),
        Field("unspun_version", STRING, "Version of Unspun.", lambda result: result.package_version),
        Field("protocol_version", STRING, "Version of the audit protocol."),
        Field("seed", INTEGER, "Seed of the random numbers."),
        Field("settings", MapOf(STRING), "Options that change the result."),
        Field("inputs", ListOf(INPUT), "The files, with every row accounted for."),
        Field("design", DESIGN, "How the audit was laid out."),
        Field("multiplicity", MULTIPLICITY, "How the number of scores tested was allowed for.", _itself),
        Field("scores", ListOf(SCORE), "Every score, in the order given."),
        Field("pairs", ListOf(PAIR), "The score that ranks best in the test against each of the next ones; empty for one score."),
    ),
)

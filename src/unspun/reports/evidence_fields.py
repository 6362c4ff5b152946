"""Every field of the evidence document: its name, kind and meaning, and where its value is read from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unspun.audit.evidence_result import SUBJECT_KINDS, EvidenceResult
from unspun.audit.result import ScoreResult
from unspun.reports.document import BOOLEAN, INTEGER, NUMBER, STRING, Field, ListOf, MapOf, Record, Scalar
from unspun.reports.estimate_fields import ESTIMATE, always
from unspun.reports.evidence_claims import Row, rows_of
from unspun.reports.result_fields import DESIGN, INPUT, MULTIPLICITY, SCORE, STABILITY
from unspun.stats.estimate import NoEstimate
from unspun.stats.shape import SHAPE_KINDS

SCHEMA_VERSION = "1.0"


def _at(index: int) -> Callable[[Any], Any]:
    return lambda pair: pair[index]


def _of_subject(name: str) -> Callable[[Row], Any]:
    return lambda row: getattr(row.one.subject, name)


def _of_evidence(name: str) -> Callable[[Row], Any]:
    return lambda row: getattr(row.one, name)


def _group(row: Row) -> int | None:
    return None if row.one.group is None else row.one.group + 1


def _figures(row: Row) -> list[tuple[str, str]]:
    return [(name, f"{row.key}/{name}") for name in ("verdict", "auc", "gain", "coverage", "shape")]


def _score(row: Row) -> ScoreResult:
    return row.score


def _of_audit(name: str) -> Callable[[EvidenceResult], Any]:
    return lambda result: getattr(result.audit, name)


def _pairs(result: EvidenceResult) -> list[tuple[str, str, float | None]]:
    """Each pair of subjects once, in the order of the result."""
    found, keys = result.redundancy, [one.subject.key for one in result.subjects]
    if isinstance(found, NoEstimate):
        return []
    return [(keys[i], keys[j], found.rho[i][j]) for i in range(len(keys)) for j in range(i + 1, len(keys))]


COVERAGE = Record(
    "coverage",
    "Units that have a value: n = with_value + the sum of the reasons. Nothing is imputed.",
    (
        Field("n", INTEGER, "Units eligible at the primary horizon."),
        Field("with_value", INTEGER, "Of them, those with a value."),
        Field("churned_with_value", INTEGER, "Of those with a value, churned."),
        Field("churned_without_value", INTEGER, "Of those without one, churned."),
        Field("reasons", MapOf(INTEGER), "Units without a value, by why."),
    ),
)
SHAPE_BIN = Record(
    "shape_bin",
    "Units whose value lies from `low` to `high`, both ends seen.",
    (
        Field("low", NUMBER, "The lowest value, in the subject's own unit."),
        Field("high", NUMBER, "The highest value."),
        Field("n", INTEGER, "Units."),
        Field("n_churned", INTEGER, "Of them, churned."),
        Field("rate", ESTIMATE, "The share that churned."),
    ),
)
SHAPE_CUT = Record(
    "shape_cut",
    "Where churn steps: between two neighbouring values.",
    (
        Field("below", NUMBER, "The largest value below the cut."),
        Field("above", NUMBER, "The smallest value above it."),
        Field("low", NUMBER, "Lowest cut that fits the data at the house level."),
        Field("high", NUMBER, "Highest cut that fits the data."),
        Field("rate_below", ESTIMATE, "The share that churned below the cut."),
        Field("rate_above", ESTIMATE, "The share that churned above it."),
    ),
)
_TOO_FEW_BINS = always("it takes three groups of values to turn")
SHAPE = Record(
    "shape",
    "How churn runs along the value. It describes and decides nothing.",
    (
        Field("kind", Scalar("string", SHAPE_KINDS), "Of the share that churned, as the value rises."),
        Field("rises", BOOLEAN, "Whether it rises.", None, always("this shape goes neither way alone")),
        Field("sentence", STRING, "What it means, as a sentence."),
        Field("support", NUMBER, "Share of the draws from the rates' sampling distribution in which the same kind was chosen."),
        Field("bins", ListOf(SHAPE_BIN), "Groups of values, lowest first."),
        Field("cut", SHAPE_CUT, "Where churn steps.", None, always("it does not step")),
        Field("p_flat", NUMBER, "p of all rates being equal."),
        Field("p_monotone", NUMBER, "p of the rates never turning.", None, _TOO_FEW_BINS),
        Field("p_turns", NUMBER, "p of there being no turn of either kind.", None, _TOO_FEW_BINS),
        Field("n", INTEGER, "Units with a value."),
        Field("n_churned", INTEGER, "Of them, churned."),
        Field("method", STRING, "How it was worked out."),
    ),
)
SUBJECT = Record(
    "subject",
    "A metric, score, survey or forecast, and what was found of it.",
    (
        Field("key", STRING, "What its figures' names begin with.", _of_subject("key")),
        Field("kind", Scalar("string", SUBJECT_KINDS), "What it is.", _of_subject("kind")),
        Field("label", STRING, "Its name for people.", _of_subject("label")),
        Field("unit", STRING, "Its unit; empty where none is declared.", _of_subject("unit")),
        Field("definition", STRING, "Its definition as YAML; empty where it was imported.", _of_subject("definition")),
        Field(
            "direction_declared",
            BOOLEAN,
            "Whether it is declared which way is healthier; where not, it is read as higher is healthier.",
            _of_subject("direction_declared"),
        ),
        Field("figures", MapOf(STRING), "The names of its figures in the ledger's entry, for `unspun why ENTRY/NAME`.", _figures),
        Field("coverage", COVERAGE, "Who has a value.", _of_evidence("coverage")),
        Field("shape", SHAPE, "How churn runs along its value.", _of_evidence("shape"), always("not estimated")),
        Field("stability", STABILITY, "Does it hold?", _of_evidence("stability"), always("not estimated")),
        Field("group", INTEGER, "Number of its group in `redundancy`, from 1.", _group, always("no other says the same")),
        Field("audit", SCORE, "What the audit found, as of any score.", _score),
    ),
)
GROUP_OF_SUBJECTS = Record(
    "group_of_subjects",
    "Subjects that rank units so alike that they say the same thing.",
    (
        Field("keys", ListOf(STRING), "Their keys."),
        Field("representative", STRING, "The one to keep."),
        Field("why", STRING, "Why this one."),
        Field("lowest_rho", NUMBER, "The least absolute rank correlation between two of them."),
    ),
)
JOIN = Record(
    "join",
    "One join of the tree.",
    (
        Field("first", INTEGER, "Place of its first subject in `order`, from 0."),
        Field("last", INTEGER, "Place of its last subject."),
        Field("height", NUMBER, "How far apart the two parts are: 1 less the absolute rank correlation."),
    ),
)
PAIR_OF_SUBJECTS = Record(
    "pair_of_subjects",
    "The rank correlation of two subjects.",
    (
        Field("first", STRING, "The key of one.", _at(0)),
        Field("second", STRING, "The key of the other.", _at(1)),
        Field("rho", NUMBER, "Spearman's rank correlation.", _at(2), always("too few units have both, or one does not vary")),
    ),
)
REDUNDANCY = Record(
    "redundancy",
    "Which subjects say the same thing.",
    (
        Field("order", ListOf(STRING), "The keys as the tree lays them out, likest side by side."),
        Field("groups", ListOf(GROUP_OF_SUBJECTS), "Those that say the same thing."),
        Field("joins", ListOf(JOIN), "The tree."),
        Field("n", INTEGER, "Units looked at."),
        Field("fewest_in_common", INTEGER, "The fewest units that a pair with a rank correlation has in common."),
        Field("method", STRING, "How it was worked out."),
    ),
)
EVIDENCE = Record(
    "evidence",
    "What one run of `unspun evidence` found.",
    (
        Field("schema_version", STRING, "Version of this document's schema.", always(SCHEMA_VERSION)),
        Field("unspun_version", STRING, "Version of Unspun.", _of_audit("package_version")),
        Field("protocol_version", STRING, "Version of the audit protocol.", _of_audit("protocol_version")),
        Field("seed", INTEGER, "Seed of the random numbers.", _of_audit("seed")),
        Field("settings", MapOf(STRING), "Options that change the result.", _of_audit("settings")),
        Field("inputs", ListOf(INPUT), "What was read, with every row accounted for.", _of_audit("inputs")),
        Field("design", DESIGN, "How the audit was laid out.", _of_audit("design")),
        Field("multiplicity", MULTIPLICITY, "How the number of subjects tested was allowed for.", lambda result: result.audit),
        Field("subjects", ListOf(SUBJECT), "Every subject, in the order given.", rows_of),
        Field("redundancy", REDUNDANCY, "Which subjects say the same thing.", None, always("not estimated")),
        Field("correlations", ListOf(PAIR_OF_SUBJECTS), "Every pair of subjects; empty where `redundancy` is null.", _pairs),
    ),
)

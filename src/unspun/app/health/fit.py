"""The operation "fit a score": a points score fitted on earlier renewals, its track record on later ones, beside the declared scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase

import numpy as np

from unspun.app.evidence.inputs import EvidenceRequest, TrialInputs, trial_inputs
from unspun.app.evidence.track_records import TrackRecord, pair_on_test, track_record, values_on
from unspun.app.panel.basis import held_tables
from unspun.app.panel.request import MetricsDefinition, metrics_needed
from unspun.app.trial.subjects import workspace_definitions
from unspun.app.tries import TestPeriod, Try, count_try, test_period
from unspun.app.workspace import SCORES_FILE, Workspace, replace_text
from unspun.audit.split import Parts
from unspun.book.columns import did_you_mean
from unspun.book.tables import Floats
from unspun.errors import BadInput, Fault
from unspun.health.add_to_file import with_score
from unspun.health.definition import HealthScore, ScoreSet, id_faults
from unspun.health.fit import FITTED, MOST_INPUTS, FittedScore, FitUnits, fit_points
from unspun.health.points import with_bands, with_flags
from unspun.health.read_file import read_scores
from unspun.health.write_yaml import as_yaml, definition_sha256
from unspun.metrics.forms import printable
from unspun.metrics.kinds import Tables, check_against, kind_of
from unspun.metrics.metric import Direction
from unspun.progress import Progress, silent
from unspun.stats.estimate import MaybeEstimate, NoEstimate

WAY: Mapping[Direction, int] = {"higher": 1, "lower": -1, "neutral": 0}
USUAL_BANDS, THIRDS = ("red", "yellow", "green"), (1 / 3, 2 / 3)
TEXT, DAY, UNFIT = "is text", "is a day", "does not fit the book"


@dataclass(frozen=True, slots=True)
class FitRequest:
    """What is asked: of which metrics (ids or patterns; () is all, or those of the score `like`), with how many inputs at most, and under
    which id. `like` is a declared score: the fitted one has its metrics and its bands, and is set beside it alone."""

    like: str | None = None
    metrics: tuple[str, ...] = ()
    most_inputs: int = MOST_INPUTS
    id: str = FITTED
    evidence: EvidenceRequest = field(default_factory=EvidenceRequest)


@dataclass(frozen=True, slots=True)
class Beside:
    """A declared score beside a new one on the test units that have both: AUC of the new one less that of the declared, its interval one
    of all that were tried on this test period."""

    score: HealthScore
    record: TrackRecord
    n: int
    n_churned: int
    difference: MaybeEstimate


@dataclass(frozen=True, slots=True)
class FitRun:
    """A fitted score with what it rests on; `left_out` says of every metric that is no input why. `counted` is the try it was."""

    score: HealthScore
    fitted: FittedScore
    left_out: tuple[tuple[str, str], ...]
    record: TrackRecord
    beside: tuple[Beside, ...]
    period: TestPeriod
    counted: Try
    labels: Mapping[str, str]
    inputs: TrialInputs

    @property
    def yaml(self) -> str:
        return as_yaml(self.score)

    @property
    def origin(self) -> str:
        """Where the score comes from, in a sentence."""
        told = f"{self.fitted.n:,} units whose outcomes were known before {self.period.first}, of which {self.fitted.n_churned:,} churned"
        return f"Fitted by `unspun scores fit` (ledger entry {self.counted.entry.seq}) on {told}."


def fit_health(workspace: Workspace, request: FitRequest, at: datetime, progress: Progress = silent) -> FitRun | NoEstimate:
    """Fit a points score on the training units of a trial, and judge it on the test units beside the declared scores. The try is counted.

    NoEstimate where the data do not bear one. Raises BadInput: no such score or metric, an id that cannot be, nothing to judge.
    """
    definitions = workspace_definitions(workspace)
    declared, metrics = definitions.scores.scores, definitions.metrics
    _check_request(request, declared, metrics)
    beside = (declared.score(request.like),) if request.like is not None else tuple(declared)
    asked = _asked(request, declared, metrics)
    tables = _tables(workspace, request)
    left_out = _unusable(metrics, asked, tables)
    usable = tuple(id for id in asked if id not in left_out)
    if not usable:
        return NoEstimate("no metric can be an input", "metrics whose values are numbers, or true and false")
    read = tuple(dict.fromkeys([*usable, *(id for score in beside for id in score.metrics)]))
    inputs = trial_inputs(workspace, read, request.evidence, at, progress)
    progress("fitting", 0, 0)
    parts, period = inputs.frame.parts, test_period(inputs)
    if not isinstance(parts, Parts) or period is None:
        return parts if isinstance(parts, NoEstimate) else NoEstimate("there is no test period", "renewals that can be cut in time")
    fitted = fit_points(_fit_units(inputs, usable, metrics), parts.train, request.most_inputs)
    if isinstance(fitted, NoEstimate):
        return fitted
    score = _finished(fitted.score, request, beside, inputs, parts, metrics, tables)
    return _judged(workspace, score, fitted, beside, left_out, inputs, period, at)


def write_fitted(workspace: Workspace, run: FitRun) -> None:
    """Put the score behind those of scores.yml. Raises BadInput where that cannot be done; no declared score is ever replaced."""
    text = with_score(workspace.scores_text(), run.score, [run.origin], SCORES_FILE)
    ids = [one.id for one in run.inputs.definition.metrics]
    read_scores(text, SCORES_FILE, ids)
    replace_text(workspace.scores_file, text, "Print it with --yaml.")


# What is asked


def _check_request(request: FitRequest, declared: ScoreSet, metrics: MetricsDefinition) -> None:
    faults = [replace(fault, where="--write") for fault in id_faults(request.id)]
    if not 1 <= request.most_inputs <= MOST_INPUTS:
        faults.append(
            Fault("bad_option", f"is {request.most_inputs}.", "--most", f"Give 1 to {MOST_INPUTS} inputs: more are no longer seen through.")
        )
    if request.id != FITTED and request.id in [one.id for one in declared]:
        faults.append(
            Fault(
                "score_exists", f"there is a health score {printable(request.id)} already.", "--write", "Give another id; none is replaced."
            )
        )
    if request.id in [one.id for one in metrics.metrics]:
        faults.append(Fault("id_of_metric", f"{printable(request.id)} is a metric already.", "--write", "Give the score an id of its own."))
    if request.like is not None and request.like not in [one.id for one in declared]:
        hint = f"{did_you_mean(request.like, [one.id for one in declared])}See them with `unspun scores list`."
        faults.append(Fault("unknown_score", f"there is no health score {printable(request.like)}.", "--like", hint))
    if faults:
        raise BadInput(faults)


def _asked(request: FitRequest, declared: ScoreSet, metrics: MetricsDefinition) -> tuple[str, ...]:
    """The metrics that may be inputs. Raises BadInput with every pattern that fits none."""
    known = [one.id for one in metrics.metrics] if request.like is None else list(declared.score(request.like).metrics)
    if not request.metrics:
        return tuple(known)
    faults = [
        Fault(
            "unknown_metric", f"there is no metric {printable(one)}.", "--metric", f"{did_you_mean(one, known)}See `unspun metrics list`."
        )
        for one in request.metrics
        if not any(fnmatchcase(id, one) for id in known)
    ]
    if faults:
        raise BadInput(faults)
    return tuple(id for id in known if any(fnmatchcase(id, one) for one in request.metrics))


def _tables(workspace: Workspace, request: FitRequest) -> Tables:
    with workspace.catalog() as catalog:
        number = request.evidence.version
        version = catalog.current() if number is None else catalog.version(number)
    return {} if version is None else held_tables(version)


def _unusable(metrics: MetricsDefinition, asked: Sequence[str], tables: Tables) -> dict[str, str]:
    """The metrics whose values are no numbers, or that cannot be computed of this book, and which of it."""
    told = {"text": TEXT, "day": DAY}
    found: dict[str, str] = {}
    for id in asked:
        if check_against(metrics_needed(metrics.metrics, (id,)), tables, metrics.places):
            found[id] = UNFIT
        elif (kind := kind_of(metrics.metrics.metric(id).series, metrics.metrics, tables)) in told:
            found[id] = told[kind]
    return found


# What is made of it


def _fit_units(inputs: TrialInputs, usable: Sequence[str], metrics: MetricsDefinition) -> FitUnits:
    units = inputs.frame.units
    ways = {id: WAY[metrics.metrics.metric(id).direction] for id in usable}
    return FitUnits({id: inputs.columns[id] for id in usable}, ways, units.churned, units.cluster, units.as_of, units.known_on)


def _finished(
    score: HealthScore,
    request: FitRequest,
    beside: Sequence[HealthScore],
    inputs: TrialInputs,
    parts: Parts,
    metrics: MetricsDefinition,
    tables: Tables,
) -> HealthScore:
    """The score under its id, with bands that hold as many of the training units as those of the score it is like, else thirds."""
    flags = [id for id in score.metrics if kind_of(metrics.metrics.metric(id).series, metrics.metrics, tables) == "flag"]
    named = replace(with_flags(score, flags), id=request.id, name="Fitted points score" if request.id == FITTED else "")
    like = beside[0] if len(beside) == 1 and beside[0].bands else None
    values = values_on(named, inputs)[parts.train]
    if like is None:
        return with_bands(named, values, USUAL_BANDS, THIRDS)
    declared = values_on(like, inputs)[parts.train]
    return with_bands(named, values, [band.name for band in like.bands], [_share_below(declared, float(b.least)) for b in like.bands[1:]])


def _share_below(values: Floats, least: float) -> float:
    given = values[np.isfinite(values)]
    return float((given < least).mean()) if len(given) else 0.0


def _judged(
    workspace: Workspace,
    score: HealthScore,
    fitted: FittedScore,
    beside: Sequence[HealthScore],
    left_out: Mapping[str, str],
    inputs: TrialInputs,
    period: TestPeriod,
    at: datetime,
) -> FitRun:
    """The score on the test units, beside the declared ones; the try is counted."""
    with workspace.catalog() as catalog:
        counted = count_try(catalog, period, _as_tried(score, beside, inputs), at)
    values = values_on(score, inputs)
    return FitRun(
        score=score,
        fitted=fitted,
        left_out=tuple(sorted([*left_out.items(), *fitted.left_out])),
        record=track_record(score.id, values, inputs),
        beside=tuple(_beside(one, values, inputs, counted, len(beside)) for one in beside),
        period=period,
        counted=counted,
        labels={one.id: one.label for one in inputs.definition.metrics},
        inputs=inputs,
    )


def _as_tried(score: HealthScore, beside: Sequence[HealthScore], inputs: TrialInputs) -> dict[str, object]:
    """What makes a fit the same try as another, whatever its id."""
    metrics, bare = inputs.definition.metrics, replace(score, id=FITTED, name="")
    return {
        "what": "fit",
        "score": as_yaml(bare),
        "definition_sha256": definition_sha256(bare, metrics),
        "beside": [definition_sha256(one, metrics) for one in beside],
        "book_version": inputs.book_version,
        "book_digest": inputs.book_digest,
    }


def _beside(declared: HealthScore, values: Floats, inputs: TrialInputs, counted: Try, several: int) -> Beside:
    own = values_on(declared, inputs)
    pair = pair_on_test(values, own, inputs)
    method = counted.method if several < 2 else f"{counted.method}; {several} scores beside it"
    return Beside(
        declared, track_record(declared.id, own, inputs), pair.n, pair.n_churned, pair.difference(counted.one_of * several, method)
    )

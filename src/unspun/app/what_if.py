"""The operation "what if": a declared score with a weight or points changed, and its track record now and then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from unspun.app.evidence.inputs import EvidenceRequest, TrialInputs, trial_inputs
from unspun.app.evidence.track_records import TrackRecord, pair_on_test, track_record, values_on
from unspun.app.health.definition import workspace_scores
from unspun.app.tries import TestPeriod, Try, count_try, test_period
from unspun.app.workspace import Workspace
from unspun.audit.split import Parts
from unspun.health.definition import HealthScore
from unspun.health.what_if import WhatIf, changed, describe_changes
from unspun.health.write_yaml import as_yaml, definition_sha256
from unspun.progress import Progress, silent
from unspun.stats.estimate import MaybeEstimate, NoEstimate


@dataclass(frozen=True, slots=True)
class WhatIfRequest:
    """Which declared score, and what is changed."""

    score: str
    what_if: WhatIf
    evidence: EvidenceRequest = field(default_factory=EvidenceRequest)


@dataclass(frozen=True, slots=True)
class WhatIfRun:
    """A declared score and what was made of it, each with its track record; the AUC of the tried one less that of the declared on the test
    units that have both (`n`, of which `n_churned` churned), its interval one of all that were tried on this test period."""

    declared: HealthScore
    tried: HealthScore
    changes: tuple[str, ...]
    before: TrackRecord
    after: TrackRecord
    n: int
    n_churned: int
    difference: MaybeEstimate
    period: TestPeriod
    counted: Try
    labels: Mapping[str, str]
    inputs: TrialInputs

    @property
    def yaml(self) -> str:
        return as_yaml(self.tried)


def try_what_if(workspace: Workspace, request: WhatIfRequest, at: datetime, progress: Progress = silent) -> WhatIfRun | NoEstimate:
    """Judge a changed score beside the declared one; the try is counted in the ledger, once however often it is repeated.

    NoEstimate where there is no test. Raises BadInput: no such score, changes that cannot be, nothing to judge.
    """
    declared = workspace_scores(workspace)
    score = declared.scores.score(request.score)
    made = changed(score, request.what_if)
    inputs = trial_inputs(workspace, score.metrics, request.evidence, at, progress)
    period = test_period(inputs)
    if period is None:
        parts = inputs.frame.parts
        return NoEstimate("there is no test period", "renewals that can be cut in time") if isinstance(parts, Parts) else parts
    before, after = values_on(score, inputs), values_on(made, inputs)
    pair = pair_on_test(after, before, inputs)
    metrics = declared.metrics.metrics
    body = {
        "what": "what if",
        "score": as_yaml(made),
        "definition_sha256": definition_sha256(made, metrics),
        "beside": [definition_sha256(score, metrics)],
        "book_version": inputs.book_version,
        "book_digest": inputs.book_digest,
    }
    with workspace.catalog() as catalog:
        counted = count_try(catalog, period, body, at)
    return WhatIfRun(
        declared=score,
        tried=made,
        changes=describe_changes(score, made),
        before=track_record(score.id, before, inputs),
        after=track_record(score.id, after, inputs),
        n=pair.n,
        n_churned=pair.n_churned,
        difference=pair.difference(counted.one_of, counted.method),
        period=period,
        counted=counted,
        labels={one.id: one.label for one in metrics},
        inputs=inputs,
    )

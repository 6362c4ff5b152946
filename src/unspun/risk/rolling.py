"""What the model would have said at the time: each account-month by a model fitted on what was known before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from unspun.audit.terms import UNKNOWN
from unspun.progress import Progress, silent
from unspun.risk.candidates import CANDIDATES, CandidateName, RiskModel, fit_candidate
from unspun.risk.choose import choose, churned_clusters
from unspun.risk.rows import RiskRows, known_by
from unspun.stats.estimate import NoEstimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RollingSettings:
    """`candidate` is fitted at every origin; None: the one that is chosen at each origin from what was known before it.

    `scoring` asks for models that give intervals and draws too, which takes longer where they are boosted.
    """

    candidate: CandidateName | None = None
    candidates: tuple[CandidateName, ...] = tuple(CANDIDATES)
    seed: int = 0
    scoring: bool = False


@dataclass(frozen=True, slots=True)
class Rolling:
    """By row: the day of the origin whose model predicts it (UNKNOWN before the first), and P of each outcome (n, 4), NaN where none.

    `models` and `chosen` are by origin: a model or why there is none, and the candidate's name ("" where there is none).
    """

    origin: Ints
    probabilities: Floats
    origins: tuple[int, ...]
    models: tuple[RiskModel | NoEstimate, ...]
    chosen: tuple[str, ...]


def rolling(rows: RiskRows, origins: Sequence[int], settings: RollingSettings = RollingSettings(), progress: Progress = silent) -> Rolling:
    """Rows with an as-of date from an origin to before the next are predicted by a model that knows nothing from the origin on."""
    days = tuple(sorted(set(origins)))
    origin, probabilities = np.full(len(rows), UNKNOWN), np.full((len(rows), 4), np.nan)
    models: list[RiskModel | NoEstimate] = []
    chosen: list[str] = []
    for at, (day, end) in enumerate(pairwise((*days, np.iinfo(np.int64).max))):
        progress("fitting earlier models", at, len(days))
        name, model = _fit(rows, day, settings)
        part = np.flatnonzero((rows.as_of >= day) & (rows.as_of < end))
        origin[part] = day
        if not isinstance(model, NoEstimate) and len(part):
            probabilities[part] = model.probabilities(rows.take(part))
        models.append(model)
        chosen.append(name)
    progress("fitting earlier models", len(days), len(days))
    return Rolling(origin, probabilities, days, tuple(models), tuple(chosen))


def _fit(rows: RiskRows, day: int, settings: RollingSettings) -> tuple[str, RiskModel | NoEstimate]:
    """The candidate's name ("" where there is no model) and the model."""
    known, scale, name = known_by(rows, day), 1.0, settings.candidate
    if name is None:
        choice = choose(rows, day, settings.candidates, settings.seed)
        if isinstance(choice, NoEstimate):
            return "", choice
        name, scale = choice.name, choice.recalibration.scale(churned_clusters(known))
    model = fit_candidate(name, known, seed=settings.seed, scoring=settings.scoring, scale=scale)
    return "" if isinstance(model, NoEstimate) else name, model

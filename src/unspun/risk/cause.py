"""One cause's fitted hazard: the terms' coefficients with their covariance, looked up by step or multiplied by row."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unspun.risk.rows import PERIODS
from unspun.stats.estimate import NoEstimate
from unspun.stats.fading import FadingFit, Moderator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Steps = NDArray[np.integer]
FADING = Moderator((0.0, 60.0, 120.0, 180.0, 240.0, 270.0, 300.0, 330.0, 365.0))  # days before the due date


@dataclass(frozen=True, slots=True)
class CauseHazard:
    """The hazard of one cause. `intercepts` has shape (PERIODS,), minus infinity where the cause was never seen.

    `coefficients` runs over the columns of all terms. `covariance` runs over the `live` periods, then the coefficients. What the metrics
    add is multiplied by `heights`, a curve along the lead (knots: FADING), what the other terms add by `level`. Numbers are kept to nine
    digits (the covariance in single precision), so that what is written is what is used.
    """

    intercepts: Floats
    live: Ints
    coefficients: Floats
    covariance: Floats
    heights: Floats
    level: float
    p_values: tuple[float, ...]
    effective: tuple[tuple[str, float], ...]  # effective number of coefficients by group
    quantile: float
    clusters_with_event: int
    events: int

    def scale(self, lead: Ints) -> Floats:
        """What the metrics add is multiplied by this, shape (n,)."""
        return FADING.scale(self.heights, lead.astype(np.float64))

    def by_step(self, tables: Sequence[Floats]) -> list[Floats]:
        """What each step of each term adds."""
        return [table @ self.coefficients[own] for table, own in zip(tables, columns_of(tables), strict=True)]

    def errors_by_step(self, tables: Sequence[Floats]) -> list[Floats]:
        """The standard error of that."""
        shift = len(self.live)
        found = []
        for table, own in zip(tables, columns_of(tables), strict=True):
            part = self.covariance[own.start + shift : own.stop + shift, own.start + shift : own.stop + shift]
            found.append(np.sqrt(np.maximum(np.einsum("ij,ij->i", table @ part, table), 0.0)))
        return found

    def spread(self, design: Floats, slopes: Floats) -> Floats:
        """Variances of what moves with this hazard. `design` is (n, columns); `slopes` is (outcomes, PERIODS, n), by log-odds."""
        live = len(self.live)
        at_periods, all_periods = slopes[:, self.live], slopes.sum(axis=1)
        own, mixed = self.covariance[:live, :live], self.covariance[live:, :live]
        found = (np.matmul(own, at_periods) * at_periods).sum(axis=1)
        if self.coefficients.any():
            found += 2 * all_periods * ((design @ mixed).T * at_periods).sum(axis=1)
            single = design.astype(np.float32)
            found += all_periods**2 * np.einsum("nj,nj->n", single @ self.covariance[live:, live:].astype(np.float32), single)
        return np.maximum(found, 0.0)

    def draw(self, count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Intercepts (count, PERIODS) and coefficients (count, columns), normal around the fitted ones."""
        values, vectors = np.linalg.eigh(self.covariance)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        drawn = rng.standard_normal((count, len(values))) @ root.T
        intercepts = np.tile(self.intercepts, (count, 1))
        intercepts[:, self.live] += drawn[:, : len(self.live)]
        return intercepts, self.coefficients + drawn[:, len(self.live) :]


def keep_cause(fading: FadingFit | NoEstimate, columns: int, terms: int) -> CauseHazard:
    """What is kept of a fit. A cause that was never seen has hazard 0."""
    if isinstance(fading, NoEstimate):
        never, nothing = np.full(PERIODS, -np.inf), (np.zeros(columns), np.zeros((columns, columns)), np.ones(len(FADING.knots)))
        return CauseHazard(never, np.zeros(0, dtype=np.int64), *nothing, 1.0, (1.0,) * terms, (), 0.0, 0, 0)
    fit = fading.fit
    coefficients = np.concatenate([fit.coefficients, np.zeros(columns - len(fit.coefficients))])
    size = len(fit.live) + columns
    covariance = np.zeros((size, size))
    covariance[: len(fit.covariance), : len(fit.covariance)] = (fit.covariance + fit.covariance.T) / 2
    return CauseHazard(
        intercepts=_rounded(fit.intercepts),
        live=fit.live,
        coefficients=_rounded(coefficients),
        covariance=covariance.astype(np.float32).astype(np.float64),
        heights=fading.heights,
        level=fading.level,
        p_values=tuple(float(f"{p:.6g}") for p in fit.p_values) or (1.0,) * terms,
        effective=tuple((group.name, round(group.effective, 4)) for group in fit.groups),
        quantile=float(f"{fit.quantile:.9g}"),
        clusters_with_event=fit.clusters_with_event,
        events=fit.events,
    )


def columns_of(tables: Sequence[Floats]) -> list[slice]:
    """Where the columns of each term lie among those of all."""
    ends = np.cumsum([0, *(table.shape[1] for table in tables)]).tolist()
    return [slice(start, end) for start, end in pairwise(ends)]


def design_blocks(tables: Sequence[Floats], steps: Sequence[Steps], n: int, block: int = 512) -> Iterator[tuple[slice, Ints, Floats]]:
    """The design of all terms, some rows at a time: where they lie, their places, and the design of those places.

    There are always `block` places, the last one repeated where the rows end: matrix products of one size alone take a row's sums in the
    same order whoever is beside it, and nobody's figure may depend on who else was asked about.
    """
    for first in range(0, n, block):
        places = np.minimum(np.arange(first, first + block), n - 1)
        parts = [table[at[places]] for table, at in zip(tables, steps, strict=True)]
        yield slice(first, min(first + block, n)), places, np.hstack(parts) if parts else np.zeros((block, 0))


def cause_to_json(cause: CauseHazard) -> dict[str, Any]:
    """Plain data, from which `cause_from_json` makes the same."""
    lower = cause.covariance[np.tril_indices(len(cause.covariance))]
    return {
        "intercepts": [float(each) if np.isfinite(each) else None for each in cause.intercepts],
        "coefficients": cause.coefficients.tolist(),
        "heights": cause.heights.tolist(),
        "level": cause.level,
        "covariance": base64.b64encode(lower.astype("<f4").tobytes()).decode("ascii"),
        "p_values": list(cause.p_values),
        "effective": [list(each) for each in cause.effective],
        "quantile": cause.quantile,
        "clusters_with_event": cause.clusters_with_event,
        "events": cause.events,
    }


def cause_from_json(data: Mapping[str, Any]) -> CauseHazard:
    """The cause that was written."""
    intercepts = np.array([-np.inf if each is None else each for each in data["intercepts"]])
    live = np.flatnonzero(np.isfinite(intercepts))
    size = len(live) + len(data["coefficients"])
    covariance = np.zeros((size, size))
    covariance[np.tril_indices(size)] = np.frombuffer(base64.b64decode(data["covariance"]), dtype="<f4")
    return CauseHazard(
        intercepts=intercepts,
        live=live,
        coefficients=np.array(data["coefficients"], dtype=np.float64),
        covariance=covariance + np.tril(covariance, -1).T,
        heights=np.array(data["heights"], dtype=np.float64),
        level=data["level"],
        p_values=tuple(data["p_values"]),
        effective=tuple((name, each) for name, each in data["effective"]),
        quantile=data["quantile"],
        clusters_with_event=data["clusters_with_event"],
        events=data["events"],
    )


def _rounded(values: Floats) -> Floats:
    """To nine significant digits."""
    return np.array([float(f"{each:.9g}") for each in values.tolist()], dtype=np.float64)

"""Random units for the tests of the statistics: a risk, an event, and the cluster each unit belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import special


@dataclass(frozen=True)
class Sample:
    risk: NDArray[np.float64]
    event: NDArray[np.bool_]
    cluster: NDArray[np.int64]


def clustered_sample(seed: int, clusters: int = 120, spread: float = 0.8, slope: float = 0.9) -> Sample:
    """One to six units a cluster; clusters differ in their event rate and in their risk."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(clusters), rng.integers(1, 7, clusters))
    shared = rng.normal(size=clusters)[cluster]
    risk = shared * spread + rng.normal(size=len(cluster))
    event = rng.random(len(cluster)) < special.expit(-1.5 + slope * risk + spread * rng.normal(size=clusters)[cluster])
    return Sample(risk, event, cluster)


def _build(rows: list[tuple[int, bool, int]]) -> Sample:
    risk, event, cluster = zip(*rows, strict=True)
    return Sample(np.array(risk, dtype=np.float64), np.array(event), np.array(cluster, dtype=np.int64))


def tied_samples() -> st.SearchStrategy[Sample]:
    """Few distinct risks, so that ties abound; both outcomes present; cluster codes with gaps."""
    rows = st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 9)), min_size=2, max_size=40)
    return rows.map(_build).filter(lambda sample: bool(sample.event.any() and not sample.event.all()))

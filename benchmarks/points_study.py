"""What a fitted points score loses and finds, on made companies whose drivers are known, and how often tries mislead.

    python benchmarks/points_study.py --companies 40 --out benchmarks/results/points-study-2026-11-23.json

By number of churned training units: AUC on later units of the points score, of an unrounded logistic regression on the drivers themselves
(which nobody knows), of one on all metrics, and of one on the score's own bands; how many drivers and how much of the noise are inputs.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from points_companies import Company, Made, company
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from unspun.health.definition import Steps
from unspun.health.fit import FittedScore, fit_points
from unspun.health.formula import as_series, compute
from unspun.stats.concordance import count_clusters, influence, paired_difference

SIZES = (Made(n=2_000, rate=0.06), Made(n=3_500, rate=0.1), Made(n=12_000, rate=0.1))
TRIES, UNITS, ALIKE = 20, 300, 6


def study_company(seed: int, made: Made) -> dict[str, float] | None:
    """One company; None where nothing could be fitted."""
    one = company(seed, made)
    found = fit_points(one.units, one.train)
    if not isinstance(found, FittedScore):
        return None
    events = one.units.churned
    drivers = [name.startswith("d") for name in found.score.metrics]
    return {
        "churned_in_training": float(events[one.train].sum()),
        "points": float(roc_auc_score(events[one.test], -as_series(compute(found.score, one.units.columns))[one.test])),
        "own_bands_unrounded": regression(one, own_bands(found, one)),
        "drivers": regression(one, one.values[:, : made.drivers]),
        "all_metrics": regression(one, one.values),
        "true_risk": float(roc_auc_score(events[one.test], one.truth[one.test])),
        "inputs": float(len(drivers)),
        "drivers_found": sum(drivers) / made.drivers,
        "noise_taken": (len(drivers) - sum(drivers)) / made.noise,
    }


def regression(one: Company, columns: np.ndarray) -> float:
    """AUC on the test units of a logistic regression fitted in training."""
    events = one.units.churned
    model = LogisticRegression(C=1.0, max_iter=500).fit(columns[one.train], events[one.train])
    return float(roc_auc_score(events[one.test], model.decision_function(columns[one.test])))


def own_bands(found: FittedScore, one: Company) -> np.ndarray:
    """Indicators of the bands of a score's inputs."""
    scales = [(each.metric, each.scale) for each in found.score.inputs if isinstance(each.scale, Steps)]
    return np.column_stack([one.units.columns[metric] >= start for metric, scale in scales for start, _ in scale.knots[1:]]).astype(float)


def study_tries(books: int) -> dict[str, float]:
    """How many books mislead somebody who looks at the intervals of twenty re-weightings of metrics that mean nothing."""
    rng = np.random.default_rng(20261123)
    misled = {"corrected": 0, "uncorrected": 0}
    for _ in range(books):
        metrics, churned, cluster = rng.normal(size=(UNITS, ALIKE)), rng.random(UNITS) < 0.2, rng.integers(0, 200, UNITS)
        declared, clusters = influence(metrics.sum(axis=1), churned), count_clusters(churned, cluster)
        tried = [influence(metrics @ rng.exponential(size=ALIKE), churned) for _ in range(TRIES)]
        for name, of in (("corrected", lambda at: at * (at + 1)), ("uncorrected", lambda _: 1)):
            found = [paired_difference(one, declared, clusters, cluster, of(at))[0] for at, one in enumerate(tried, 1)]
            misled[name] += any(one.low > 0 or one.high < 0 for one in found)
    return {name: count / books for name, count in misled.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=40)
    parser.add_argument("--books", type=int, default=2_000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    results: list[dict[str, Any]] = []
    for made in SIZES:
        found = [one for seed in range(options.companies) if (one := study_company(seed, made)) is not None]
        mean = {name: round(float(np.mean([one[name] for one in found])), 4) for name in found[0]}
        results.append({"units": made.n, "companies": len(found), **mean})
        print(json.dumps(results[-1]), flush=True)
    document = {"sizes": results, "misled_in_twenty_tries": study_tries(options.books), "books": options.books}
    print(json.dumps(document["misled_in_twenty_tries"]))
    if options.out is not None:
        options.out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""How the hazard model keeps its word on companies whose true risk is known: coverage, calibration, and what it names without cause.

    python benchmarks/risk_study.py                       # every cell (about twenty minutes)
    python benchmarks/risk_study.py --companies 5 --out risk-study.json

Each company is fitted anew and judged on one other company of the same kind, whose true probabilities are known. A company's coverage is
the share of its account-months in which the interval of P(outcome) holds the true one; the study's is their mean.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from risk_companies import MadeCompany, make_company

from unspun.risk.hazard import HazardModel, fit_hazard
from unspun.risk.rows import CHURN, OUTCOMES4, RiskRows, known_by
from unspun.stats.estimate import NoEstimate

Floats = NDArray[np.float64]
RESULTS = Path(__file__).resolve().parent / "results" / "risk-study-2026-11-24.json"
DRIVERS = 3
JUDGE_SEED = 1_000_000
EARLY_DAYS, LATE_DAYS = 180, 60


@dataclass(frozen=True, slots=True)
class Cell:
    """Companies of one kind."""

    name: str
    accounts: int
    metrics: int
    level: float
    effect: float = 1.0
    missing_share: float = 0.0

    def make(self, seed: int) -> MadeCompany:
        """One of them."""
        return make_company(self.accounts, self.metrics, seed, level=self.level, effect=self.effect, missing_share=self.missing_share)


CELLS = (
    Cell("100 churned accounts, 20 metrics", 600, 20, -1.5),
    Cell("300 churned accounts, 10 metrics", 600, 10, 0.0),
    Cell("700 churned accounts, 30 metrics", 3000, 30, -1.0),
    Cell("300 churned accounts, nothing drives them", 600, 10, 0.3, effect=0.0),
)


def study_company(cell: Cell, seed: int, judge: MadeCompany) -> dict[str, Any] | None:
    """One company: figures of the splines; None where it cannot be fitted."""
    company = cell.make(seed)
    model = fit_hazard(known_by(company.rows, company.today), "splines")
    if isinstance(model, NoEstimate):
        return None
    stated, truth = model.probabilities(judge.rows), judge.probabilities
    low, high = model.intervals(judge.rows)
    held = (low <= truth) & (truth <= high)
    lead = judge.rows.lead
    names = np.array([term.startswith("metric") and int(term.split()[1]) >= DRIVERS * (cell.effect > 0) for term in model.terms])
    p_values = np.array(model.causes[0].p_values)
    return {
        "churned accounts": model.causes[0].clusters_with_event,
        "coverage": {outcome: float(held[:, i].mean()) for i, outcome in enumerate(OUTCOMES4)},
        "coverage early": float(held[lead > EARLY_DAYS, CHURN].mean()),
        "coverage late": float(held[lead <= LATE_DAYS, CHURN].mean()),
        "width": float(np.median(high[:, CHURN] - low[:, CHURN])),
        "slope": _slope(stated[:, CHURN], truth[:, CHURN]),
        "expected over true": float(stated[:, CHURN].sum() / truth[:, CHURN].sum()),
        "idle metrics": int(names.sum()),
        "idle told": int(model.told[names].sum()),
        "idle under .05": int((p_values[names] < 0.05).sum()),
        "drivers told": int(model.told[2 : 2 + DRIVERS].sum()),
        "named without cause": _named_without_cause(model, judge.rows, names),
    }


def _slope(stated: Floats, truth: Floats) -> float:
    """What a calibration slope comes to with endless outcomes: logistic regression of the true risk on the stated log-odds."""
    x = np.log(stated / (1 - stated))
    design, beta = np.column_stack([np.ones(len(x)), x]), np.array([0.0, 1.0])
    for _ in range(20):
        mean = 1 / (1 + np.exp(-design @ beta))
        beta = beta + np.linalg.solve((design * (mean * (1 - mean))[:, None]).T @ design, design.T @ (truth - mean))
    return float(beta[1])


def _named_without_cause(model: HazardModel, rows: RiskRows, idle: NDArray[np.bool_]) -> float:
    """The share of account-months in which an idle metric is told and its own interval leaves out nothing."""
    shares = model.contributions(rows)
    clear = np.abs(shares.log_odds) > shares.quantile * shares.standard_error
    return float((clear & shares.told & idle).any(axis=1).mean())


def study_cell(cell: Cell, companies: int) -> dict[str, Any]:
    """All companies of a cell, and their means with the standard errors over companies."""
    judge = cell.make(JUDGE_SEED)
    found = [one for seed in range(companies) if (one := study_company(cell, seed, judge)) is not None]
    return {"companies": len(found), "means": _means(found), "each": found}


def _means(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    flat = [one | {f"coverage of {name}": value for name, value in one["coverage"].items()} for one in found]
    names = [name for name, value in flat[0].items() if isinstance(value, int | float)]
    table = {name: np.array([one[name] for one in flat], dtype=np.float64) for name in names}
    means = {name: [round(float(v.mean()), 4), round(float(v.std(ddof=1) / np.sqrt(len(v))), 4)] for name, v in table.items()}
    idle = table["idle metrics"].sum()
    rates = {f"rate {name}": round(float(table[name].sum() / idle), 4) for name in ("idle told", "idle under .05")}
    return means | rates if idle else means


def main() -> None:
    """Run the study and write its result."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--companies", type=int, default=60)
    asked.add_argument("--out", type=Path, default=RESULTS)
    options = asked.parse_args()
    results: dict[str, Any] = {"date": datetime.now(tz=UTC).date().isoformat(), "cells": {}}
    for cell in CELLS:
        results["cells"][cell.name] = study_cell(cell, options.companies)
        print(cell.name, json.dumps(results["cells"][cell.name]["means"], indent=1), flush=True)
        options.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""What fitting and scoring renewal risk costs, beside Cox regression by lifelines at sizes it can bear.

    python benchmarks/risk_speed.py                                # every cell, in one run (about five minutes)
    python benchmarks/risk_speed.py --rows 20000 --out speed.json
    python benchmarks/risk_speed.py --table                        # the tables of the latest results

Rows are account-months of a made company with thirty metrics (risk_companies.py). Unspun fits the hazards of four outcomes, each metric by
a smooth curve or by a straight line, with clustered intervals and calibration by cross-fitting, and scores 100,000 renewals with intervals
and contributions. Lifelines fits one Cox regression of churn on the days from the as-of date, straight lines only, and predicts. Every side
runs in a process of its own; making the rows is not counted.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from risk_companies import MadeCompany, make_company

from unspun.risk.hazard import HazardModel, fit_hazard
from unspun.risk.rows import CHURN, RiskRows, known_by

RESULTS = Path(__file__).resolve().parent / "results" / "risk-speed-2026-11-23.json"
METRICS, SCORED, LEVEL, ROWS_AN_ACCOUNT = 30, 100_000, -1.5, 17
ROWS = (62_500, 125_000, 250_000, 500_000)
MOST_FOR_LIFELINES = 250_000
SIDES = ("splines", "linear", "lifelines")
STAGES = ("fit", "score", "intervals", "contributions")
Result = TypeVar("Result")
PACKAGES = ("numpy", "scipy", "lifelines", "pandas")


class Clock:
    """Seconds of the stages, on the wall and of the processor."""

    def __init__(self) -> None:
        self.stages: dict[str, dict[str, float]] = {}

    def run(self, stage: str, work: Callable[[], Result]) -> Result:
        """What the work gives."""
        wall, processor = time.perf_counter(), time.process_time()
        found = work()
        self.stages[stage] = {"wall": round(time.perf_counter() - wall, 3), "processor": round(time.process_time() - processor, 3)}
        return found


def made(rows: int) -> tuple[MadeCompany, RiskRows]:
    """A company, and exactly so many of its rows."""
    company = make_company(rows // ROWS_AN_ACCOUNT + 50, METRICS, 1, level=LEVEL)
    return company, company.rows.take(np.arange(rows))


def unspun_side(kind: str, rows: int) -> dict[str, Any]:
    """Fit, and score with all that is shown."""
    company, taken = made(rows)
    known, clock = known_by(taken, company.today), Clock()
    fitted = clock.run("fit", lambda: fit_hazard(known, "splines" if kind == "splines" else "linear"))
    if not isinstance(fitted, HazardModel):
        raise ValueError(f"{rows:,} rows: {fitted.reason}")
    scored = company.rows.take(np.arange(SCORED) % len(company.rows))
    stated = clock.run("score", lambda: fitted.probabilities(scored))
    clock.run("intervals", lambda: fitted.intervals(scored))
    clock.run("contributions", lambda: fitted.contributions(scored))
    truth = company.probabilities[np.arange(SCORED) % len(company.rows), CHURN]
    return {"stages": clock.stages, "agrees with the truth": round(float(np.corrcoef(stated[:, CHURN], truth)[0, 1]), 4)}


def lifelines_side(rows: int) -> dict[str, Any]:
    """Cox regression of churn, standardised metrics."""
    import lifelines
    import pandas as pd

    company, taken = made(rows)
    metrics = [one.id for one in taken.features if one.kind == "number"]
    table = pd.DataFrame({name: (taken.columns[name] - taken.columns[name].mean()) / taken.columns[name].std() for name in metrics})
    table["days"], table["churned"] = taken.decided_on - taken.as_of, taken.outcome == CHURN
    clock = Clock()
    warnings.simplefilter("ignore")
    fitted = clock.run("fit", lambda: lifelines.CoxPHFitter().fit(table, "days", "churned"))
    scored = table.iloc[np.arange(SCORED) % rows]
    risk = clock.run("score", lambda: fitted.predict_log_partial_hazard(scored))
    truth = np.log(company.probabilities[np.arange(SCORED) % rows, CHURN])
    return {"stages": clock.stages, "agrees with the truth": round(float(np.corrcoef(risk.to_numpy(), truth)[0, 1]), 4)}


def run_side(side: str, rows: int) -> dict[str, Any]:
    """One side in this process, and the most memory it held."""
    found = lifelines_side(rows) if side == "lifelines" else unspun_side(side, rows)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return found | {"peak_mb": round(peak)}


def measure(rows: tuple[int, ...], sides: tuple[str, ...]) -> dict[str, Any]:
    """Every side at every size it can bear, each in a process of its own."""
    cells: dict[str, dict[str, Any]] = {side: {} for side in sides}
    for size in rows:
        for side in sides:
            if side == "lifelines" and size > MOST_FOR_LIFELINES:
                continue
            load = round(os.getloadavg()[0], 2)
            command = [sys.executable, __file__, "--side", side, "--rows", str(size)]
            run = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
            cells[side][str(size)] = run | {"load_before": load}
            print(f"{size:>9,} rows  {side:<10}{json.dumps(run)}", flush=True)
    machine = {"cpus": os.cpu_count(), "system": platform.system(), "machine": platform.machine()}
    return {
        "date": datetime.now(tz=UTC).date().isoformat(),
        "metrics": METRICS,
        "scored": SCORED,
        "machine": machine,
        "versions": {name: version(name) for name in PACKAGES},
        "cells": cells,
    }


def table(results: dict[str, Any]) -> str:
    """Seconds of the processor by size and side, and how the fit grows."""
    lines = ["| rows | side | fit | score | intervals | contributions | MB |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for side, sizes in results["cells"].items():
        for size, run in sizes.items():
            stages = [f"{run['stages'][name]['processor']:.1f}" if name in run["stages"] else "" for name in STAGES]
            lines.append(f"| {int(size):,} | {side} | {' | '.join(stages)} | {run['peak_mb']:,} |")
    grown = [f"{side}: {growth(sizes):.2f}" for side, sizes in results["cells"].items() if len(sizes) > 1]
    return "\n".join([*lines, "", f"Growth of the fit (power of the number of rows): {', '.join(grown)}."])


def growth(sizes: dict[str, Any]) -> float:
    """The power of the number of rows by which the fit grows, from the least to the most."""
    ordered = sorted((int(size), run["stages"]["fit"]["processor"]) for size, run in sizes.items())
    (few, first), (many, last) = ordered[0], ordered[-1]
    return math.log(last / first) / math.log(many / few)


def main() -> None:
    """Run what is asked for."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--side", choices=SIDES)
    asked.add_argument("--rows", type=int, nargs="*", default=list(ROWS))
    asked.add_argument("--out", type=Path, default=RESULTS)
    asked.add_argument("--table", action="store_true")
    options = asked.parse_args()
    if options.side:
        print(json.dumps(run_side(options.side, options.rows[0])))
    elif options.table:
        print(table(json.loads(options.out.read_text())))
    else:
        options.out.write_text(json.dumps(measure(tuple(options.rows), SIDES), indent=1) + "\n")


if __name__ == "__main__":
    main()

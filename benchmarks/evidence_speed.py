"""How fast evidence on many metrics is, beside an analyst's loop with pandas and scikit-learn, and how its cost grows.

    python benchmarks/evidence_speed.py                  # 20 and 200 metrics on 10,000 and 100,000 renewals
    python benchmarks/evidence_speed.py --quick          # all of it at a fiftieth of the renewals, once
    python benchmarks/evidence_speed.py --table          # run nothing; write the table of docs/speed.md from --out

Each side runs in a process of its own, on one thread, in turns with the other. Both begin with the same renewals and metrics in
memory: what the panel costs is measured elsewhere. The analyst's side gives points; Unspun's gives all that evidence holds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS, DOCUMENT = HERE / "results" / "evidence-speed-2026-11-23.json", HERE.parent / "docs" / "speed.md"
PACKAGES = ("unspun", "numpy", "scipy", "pandas", "scikit-learn")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
SIDES = ("unspun", "analyst")
QUICK = 50  # times fewer renewals
WARM_UP = (1_500, 3)  # renewals and metrics
LEAST = 4_000  # renewals on which every metric has a gain
SAME = {"auc": 1e-9, "auc in test": 1e-9, "rho": 1e-9}  # how far the sides may differ; of fitted models SAME_MODEL
SAME_MODEL = 1e-3
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Cell:
    """How many metrics on how many renewals, and how often."""

    metrics: int
    renewals: int
    turns: int


CELLS = (Cell(20, 10_000, 3), Cell(200, 10_000, 3), Cell(20, 100_000, 3), Cell(200, 100_000, 2))


@dataclass(slots=True)
class Run:
    """One run of one side: processor seconds by stage, and figures by name."""

    seconds: dict[str, float] = field(default_factory=dict)
    figures: Figures = field(default_factory=dict)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        started = time.process_time()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.process_time() - started


def run_unspun(renewals: int, metrics: int) -> Run:
    """The trial as the product calls it: verdicts, intervals, false discovery rate, coverage, shape, stability and redundancy."""
    from evidence_company import HORIZON_DAYS, make_company

    from unspun.audit.evidence_result import Redundancy
    from unspun.audit.on_trial import try_subjects
    from unspun.audit.protocol import AuditSettings
    from unspun.stats.estimate import Estimate

    run, company = Run(), make_company(renewals, metrics)
    with run.timed("whole"):
        result, _ = try_subjects(
            company.history, company.renewals, company.subjects, AuditSettings(horizons=(HORIZON_DAYS,)), version("unspun")
        )
    for score in result.audit.scores:
        test = score.primary.test
        named = {
            "auc": score.primary.auc,
            "auc in test": test.auc,
            "auc of B": test.auc_baseline,
            "auc of B + S": test.auc_both,
            "gain": test.gain,
        }
        run.figures |= {f"{score.name}: {name}": one.point for name, one in named.items() if isinstance(one, Estimate)}
    if isinstance(result.redundancy, Redundancy):
        run.figures |= {f"{i} {j}: rho": rho for i, row in enumerate(result.redundancy.rho) for j, rho in enumerate(row) if rho is not None}
    return run


def run_analyst(renewals: int, metrics: int) -> Run:
    """The loop by hand: points of each metric, rank correlations, and rates by tenths."""
    from evidence_analyst import frame_of, lay_out, metric_points, rank_correlations, rates_by_tenths
    from evidence_company import make_company

    run, company = Run(), make_company(renewals, metrics)
    names, frame = list(company.metrics), frame_of(company)
    with run.timed("points"):
        laid = lay_out(frame)
        for name in names:
            run.figures |= {f"{name}: {figure}": value for figure, value in metric_points(laid, name).items()}
    with run.timed("redundancy"):
        rho = rank_correlations(laid, names)
    with run.timed("rates"):
        for name in names:
            rates_by_tenths(laid, name)
    run.figures |= {f"{i} {j}: rho": float(one) for i, row in enumerate(rho) for j, one in enumerate(row)}
    return run


def check_agreement(own: Figures, theirs: Figures) -> Figures:
    """By kind of figure, how far the sides are apart. Raises ValueError where that is too far, or a figure is missing."""
    if own.keys() != theirs.keys():
        raise ValueError(f"one side alone gives {sorted(own.keys() ^ theirs.keys())[:5]}")
    furthest: Figures = {}
    for name, value in own.items():
        kind = name.split(": ")[1]
        furthest[kind] = max(furthest.get(kind, 0.0), abs(value - theirs[name]))
    for kind, difference in furthest.items():
        if not difference <= SAME.get(kind, SAME_MODEL):
            raise ValueError(f"the sides differ by {difference:.3g} in {kind}; {SAME.get(kind, SAME_MODEL):g} is allowed")
    return furthest


def measure(cells: tuple[Cell, ...], out: Path) -> None:
    """Run the cells in order, the sides in turns, and write the results after each."""
    results: dict[str, Any] = {
        "date": date.today().isoformat(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        "machine": {"cpus": os.cpu_count(), "system": platform.system(), "machine": platform.machine()},
        "cells": [],
    }
    for cell in cells:
        load, turns, furthest = os.getloadavg()[0], [], {}
        for number in range(cell.turns):
            turn = {side: _in_a_process(side, cell) for side in SIDES}
            furthest = check_agreement(*(turn[side].pop("figures") for side in SIDES))
            turns.append(turn)
            spent = ", ".join(f"{side} {sum(turn[side]['seconds'].values()):.2f} s" for side in SIDES)
            print(f"{cell.metrics} metrics, {cell.renewals:,} renewals, {number + 1}/{cell.turns}: {spent}", flush=True)
        about = {"metrics": cell.metrics, "renewals": cell.renewals, "load_before": round(load, 2), "furthest_apart": furthest}
        results["cells"].append(about | {"turns": turns})
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(results, indent=1) + "\n")


def run_side(side: str, renewals: int, metrics: int) -> dict[str, Any]:
    """One side in this process, once on small inputs so that loading libraries is not timed. The most memory the process held is added."""
    ask = {"unspun": run_unspun, "analyst": run_analyst}[side]
    ask(*WARM_UP)
    ran = ask(renewals, metrics)
    in_bytes = 1 if sys.platform == "darwin" else 1024
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * in_bytes / 1e6)
    return {"seconds": ran.seconds, "figures": ran.figures, "peak_mb": peak}


def _in_a_process(side: str, cell: Cell) -> dict[str, Any]:
    command = [sys.executable, str(HERE / "evidence_speed.py"), "--side", side, "--size", str(cell.renewals), str(cell.metrics)]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, **ONE_THREAD})
    return json.loads(ran.stdout)


def main() -> None:
    """The command line; --side and --size are for the processes that it starts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, help="turns of each cell, instead of its own number")
    parser.add_argument("--quick", action="store_true", help=f"a {QUICK}th of the renewals, once")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true", help="run nothing; write the document's table from --out")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side:
        print(json.dumps(run_side(asked.side, *asked.size)))
    elif asked.table:
        from evidence_tables import write_speed

        write_speed(asked.out, DOCUMENT)
    else:
        smaller = [Cell(min(cell.metrics, 20), max(cell.renewals // QUICK, LEAST), 1) for cell in CELLS]
        cells = smaller if asked.quick else [Cell(cell.metrics, cell.renewals, asked.repeats or cell.turns) for cell in CELLS]
        measure(tuple(cells), asked.out)


if __name__ == "__main__":
    main()

"""The proof of the audit protocol: simulated companies audited by the product, their verdicts and intervals held against the truth.

    python benchmarks/protocol_study.py                       # 2,000 companies a cell; under an hour on two cores
    python benchmarks/protocol_study.py --companies 50 --cells coverage-200
    python benchmarks/protocol_study.py --table               # write the tables of docs/proof-of-the-protocol.md from the results

A cell is a kind of question and a number of churned units. Same seed, same results, whatever the number of jobs.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from proof_tables import write_tables
from simulate import HEAVY, USUAL, Clustering, Company, edit_churned, record_late, simulate_company, with_one_score
from true_values import SETTINGS, Population, Truth, build_population, standard_error, true_values

from unspun._version import __version__
from unspun.audit.judge import judge
from unspun.audit.result import PROTOCOL_VERSION, VERDICTS, ScoreResult
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "protocol-study-2026-11-22.json"
DOCUMENT = HERE.parent / "docs" / "proof-of-the-protocol.md"
SEED, COMPANIES = 20261122, 2000
SCORES = ("noise", "parent noise", "redundant", "modest", "strong", "reversed")
INTERVALS = ("auc", "auc baseline", "auc both", "gain", "gain, no floor")
HELD_AGAINST_TRUTH = ("coverage", "heavy")
MANY = 20  # noise scores in one run
Row = dict[str, float]


@dataclass(frozen=True, slots=True)
class Cell:
    """A kind of question asked of companies with about `churned` eligible churned units; `share` of --companies are run.

    The truth is taken from a population of `population` units, so large that its error is about a twentieth of the intervals'.
    """

    kind: str
    churned: int
    share: float = 1.0
    population: int = 100_000

    @property
    def name(self) -> str:
        """As --cells takes it."""
        return f"{self.kind}-{self.churned}"


CELLS = (
    *(Cell("coverage", churned) for churned in (50, 200, 100)),
    *(Cell("recording", churned) for churned in (50, 200)),
    Cell("many", 200),
    Cell("coverage", 1000, population=300_000),
    Cell("heavy", 200, population=400_000),
    *(Cell(kind, 1000, share=0.5) for kind in ("recording", "many")),
)


def audit(company: Company, score: str) -> ScoreResult:
    """The product's own audit of one score."""
    return judge(with_one_score(company.scores, score), company.renewals, SETTINGS, __version__).result.scores[0]


def try_coverage(population: Population | None, rng: np.random.Generator, churned: int, clustering: Clustering = USUAL) -> dict[str, Row]:
    """Each score by itself: its verdict, and each interval beside the value it should cover."""
    if population is None:
        raise ValueError("coverage needs a population to take the truth from")
    company = simulate_company(rng, churned, SCORES, clustering)
    truths = true_values(population, company)
    return {score: _held_against(audit(company, score), truths[score]) for score in SCORES}


def try_recording(population: Population | None, rng: np.random.Generator, churned: int) -> dict[str, Row]:
    """Histories recorded late, and histories edited after the outcome: is a leak found where there is one, and only there?"""
    company = simulate_company(rng, churned, ("noise", "modest"))
    late, later = record_late(rng, company, 0.10, 0.10), record_late(rng, company, 0.05, 0.40)
    histories = {"noise, recorded late": late, "modest, recorded late": late}
    histories |= {"noise, later where churned": later, "modest, later where churned": later}
    histories |= {f"modest, {share:.0%} edited": edit_churned(rng, company, share) for share in (0.10, 0.25, 0.50)}
    return {how: _leak(audit(changed, how.split(",")[0])) for how, changed in histories.items()}


def try_many(population: Population | None, rng: np.random.Generator, churned: int) -> dict[str, Row]:
    """Twenty noise scores in one run, the false discovery rate controlled."""
    company = simulate_company(rng, churned, tuple(f"noise {i}" for i in range(MANY)))
    results = judge(company.scores, company.renewals, SETTINGS, __version__).result.scores
    verdicts = [result.verdict for result in results]
    uncontrolled = sum(_above(result.primary.test.gain, 0.0) and _above(result.primary.test.auc, 0.5) for result in results)
    return {"noise": {"foretells": verdicts.count("foretells"), "reversed": verdicts.count("reversed"), "uncontrolled": uncontrolled}}


def _leak(result: ScoreResult) -> Row:
    return {"verdict": VERDICTS.index(result.verdict), "churned": result.primary.n_churned, "edited": result.leak.churned_edited}


def _held_against(result: ScoreResult, truth: Truth) -> Row:
    test, split = result.primary.test, result.primary.split
    row: Row = {
        "verdict": VERDICTS.index(result.verdict),
        "churned": result.primary.n_churned,
        "test churned": test.n_scored_churned,
        "test churned clusters": test.n_churned_clusters,
        "train churned": 0 if isinstance(split, NoEstimate) else split.n_train_churned,
    }
    stated = {"auc": test.auc, "auc baseline": test.auc_baseline, "auc both": test.auc_both, "gain": test.gain}
    _check_same_gain(test.gain, truth.gain)
    for name, estimate in {**stated, "gain, no floor": truth.gain}.items():
        row |= _ends(name, estimate) | {f"{name} true": truth.value[name.split(",")[0]]}
    return row


def _ends(name: str, estimate: MaybeEstimate) -> Row:
    low, high = (estimate.low, estimate.high) if isinstance(estimate, Estimate) else (np.nan, np.nan)
    return {f"{name} low": low, f"{name} high": high}


def _check_same_gain(stated: MaybeEstimate, recomputed: MaybeEstimate) -> None:
    """The models whose truth is worked out must be the very models the audit froze."""
    if isinstance(stated, Estimate) and not (isinstance(recomputed, Estimate) and abs(stated.low - recomputed.low) < 1e-9):
        raise AssertionError(f"the audit states a gain of {stated}, its frozen models give {recomputed}")


def _above(estimate: MaybeEstimate, value: float) -> bool:
    return isinstance(estimate, Estimate) and estimate.low > value


Try = Callable[[Population | None, np.random.Generator, int], dict[str, Row]]
TRIES: dict[str, Try] = {
    "coverage": try_coverage,
    "heavy": partial(try_coverage, clustering=HEAVY),
    "recording": try_recording,
    "many": try_many,
}
_shared: dict[str, Population] = {}  # filled before the jobs are forked, so that they share its memory


def _try_company(cell: Cell, seed: int, number: int) -> dict[str, Row]:
    rng = np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(cell.name.encode()), number]))
    return TRIES[cell.kind](_shared.get("population"), rng, cell.churned)


def run_cell(cell: Cell, companies: int, jobs: int, seed: int) -> tuple[dict[str, list[Row]], dict[str, Any]]:
    """Rows of all companies by score, and the size and error of the population that the truth was taken from."""
    _shared.clear()
    about: dict[str, Any] = {}
    if cell.kind in HELD_AGAINST_TRUTH:
        clustering = HEAVY if cell.kind == "heavy" else USUAL
        _shared["population"] = population = build_population(seed, SCORES, cell.population, clustering)
        about = {"units": len(population), "standard error of an auc": standard_error(population, "modest")}
    found: dict[str, list[Row]] = {}
    started = time.monotonic()
    for done, rows in enumerate(_each(partial(_try_company, cell, seed), companies, jobs), 1):
        for score, row in rows.items():
            found.setdefault(score, []).append(row)
        if done % max(1, companies // 10) == 0:
            print(f"{cell.name}: {done:,} of {companies:,}, {time.monotonic() - started:,.0f} s", flush=True)
    return found, about


def _each(ask: Callable[[int], dict[str, Row]], companies: int, jobs: int) -> Iterator[dict[str, Row]]:
    if jobs == 1:
        yield from map(ask, range(companies))
        return
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        yield from pool.imap(ask, range(companies), chunksize=8)


def summarise(kind: str, rows: list[Row]) -> dict[str, Any]:
    """Counts over the companies of one cell and score."""
    column = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in rows[0]}
    if kind == "many":
        return {
            name: {"runs with any": int((column[name] > 0).sum()), "a run": float(column[name].mean())}
            for name in ("foretells", "reversed", "uncontrolled")
        }
    counts = np.bincount(column["verdict"].astype(np.int64), minlength=len(VERDICTS)).tolist()
    summary: dict[str, Any] = {"verdicts": dict(zip(VERDICTS, counts, strict=True))}
    medians = [name for name in column if name.endswith(("churned", "clusters", "edited"))]
    summary["medians"] = {name: float(np.median(column[name])) for name in medians}
    if kind in HELD_AGAINST_TRUTH:
        summary["intervals"] = {name: _coverage(column, name) for name in INTERVALS}
        summary["foretells, though the true gain is not above 0"] = int(
            ((column["verdict"] == VERDICTS.index("foretells")) & (column["gain true"] <= 0)).sum()
        )
        summary["auc interval above one half"] = int((column["auc low"] > 0.5).sum())
    return summary


def _coverage(column: dict[str, np.ndarray], name: str) -> dict[str, Any]:
    """Of the intervals given: how many are points (the score left the model as it was), and of the rest how many hold the truth."""
    low, high, true = (column[f"{name} {part}"] for part in ("low", "high", "true"))
    given = np.isfinite(low)
    wide = given & (high > low)
    return {
        "given": int(given.sum()),
        "points": int((given & ~wide).sum()),
        "points that hold the truth": int((given & ~wide & (abs(low - true) < 1e-9)).sum()),
        "with width": int(wide.sum()),
        "hold the truth": int((wide & (low <= true) & (true <= high)).sum()),
        "truth below": int((wide & (true < low)).sum()),
        "truth above": int((wide & (true > high)).sum()),
        "mean truth": float(true.mean()),
        "median width": float(np.median((high - low)[wide])) if wide.any() else None,
    }


def study(cells: tuple[Cell, ...], companies: int, jobs: int, seed: int, out: Path) -> None:
    """Run the cells in order and write the results after each; cells of an earlier run of the same seed are kept."""
    results = _begin(out, seed)
    for cell in cells:
        started, n = time.monotonic(), max(1, round(companies * cell.share))
        rows, about = run_cell(cell, n, jobs, seed)
        results["cells"] = [done for done in results["cells"] if (done["kind"], done["churned"]) != (cell.kind, cell.churned)]
        results["cells"].append(
            {
                "kind": cell.kind,
                "churned": cell.churned,
                "companies": n,
                "jobs": jobs,
                "population": about,
                "seconds": round(time.monotonic() - started),
                "scores": {score: summarise(cell.kind, of_score) for score, of_score in rows.items()},
            }
        )
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(results, indent=1) + "\n")


def _begin(out: Path, seed: int) -> dict[str, Any]:
    """What the run is, with the cells of an earlier run of the same seed and protocol."""
    versions = {"unspun": __version__, "python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__}
    run = {"date": date.today().isoformat(), "protocol": PROTOCOL_VERSION, "seed": seed, "versions": versions, "cells": []}
    if out.exists():
        before = json.loads(out.read_text())
        if (before["seed"], before["protocol"]) == (seed, PROTOCOL_VERSION):
            run["cells"] = before["cells"]
    return run


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=COMPANIES, help="companies a cell (two large cells take half)")
    parser.add_argument("--cells", default="all", help=f"all, or some of {', '.join(cell.name for cell in CELLS)}, comma-separated")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true", help="run nothing; write the document's tables from --out")
    asked = parser.parse_args()
    if asked.table:
        write_tables(asked.out, DOCUMENT)
        return
    wanted = {cell.name for cell in CELLS} if asked.cells == "all" else set(asked.cells.split(","))
    if unknown := wanted - {cell.name for cell in CELLS}:
        parser.error(f"no such cell: {', '.join(sorted(unknown))}")
    _use_one_thread_a_job()
    study(tuple(cell for cell in CELLS if cell.name in wanted), asked.companies, asked.jobs, asked.seed, asked.out)


def _use_one_thread_a_job() -> None:
    """Start again with the linear algebra held to one thread, which it must be told before NumPy is loaded."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    if any(os.environ.get(name) != "1" for name in threads):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **threads})


if __name__ == "__main__":
    main()

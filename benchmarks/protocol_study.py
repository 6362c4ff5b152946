"""The proof of the audit protocol: simulated companies audited by the product, their verdicts and intervals held against the truth.

    python benchmarks/protocol_study.py                       # 2,000 companies a cell; under an hour on two cores
    python benchmarks/protocol_study.py --companies 50 --cells coverage-200
    python benchmarks/protocol_study.py --table               # write the tables of docs/proof-of-the-protocol.md from the results

A cell is a kind of question and a number of churned units. Same seed, same results, whatever the number of jobs.
"""

from __future__ import annotations

import os

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")  # before NumPy is loaded: the jobs are the parallelism

import argparse
import json
import multiprocessing
import platform
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import scipy
from proof_tables import write_tables
from simulate import Company, edit_churned, record_late, simulate_company, with_one_score
from true_values import SETTINGS, Population, Truth, build_population, true_values

from unspun import __version__
from unspun.audit.judge import judge
from unspun.audit.result import VERDICTS, ScoreResult
from unspun.stats.estimate import Estimate, MaybeEstimate

HERE = Path(__file__).resolve().parent
RESULTS, DOCUMENT = HERE / "results" / "protocol-study-2026-11-22.json", HERE.parent / "docs" / "proof-of-the-protocol.md"
SEED = 20261122
SCORES = ("noise", "parent noise", "redundant", "modest", "strong", "reversed")
MANY = 20  # noise scores in one run
Row = dict[str, float]


@dataclass(frozen=True, slots=True)
class Cell:
    """A kind of question asked of companies with about `churned` eligible churned units."""

    kind: str
    churned: int

    @property
    def name(self) -> str:
        """As --cells takes it."""
        return f"{self.kind}-{self.churned}"


CELLS = (
    *(Cell("coverage", churned) for churned in (50, 100, 200)),
    *(Cell("recording", churned) for churned in (50, 200)),
    Cell("many", 200),
    *(Cell(kind, 1000) for kind in ("coverage", "recording", "many")),
    Cell("coverage", 500),
)


def audit(company: Company, score: str) -> ScoreResult:
    """The product's own audit of one score."""
    return judge(with_one_score(company.scores, score), company.renewals, SETTINGS, __version__).result.scores[0]


def try_coverage(population: Population, rng: np.random.Generator, churned: int) -> dict[str, Row]:
    """Each score by itself: its verdict, and each interval beside the value it should cover."""
    company = simulate_company(rng, churned, SCORES)
    truths = true_values(population, company)
    return {score: _held_against(audit(company, score), truths[score]) for score in SCORES}


def try_recording(population: None, rng: np.random.Generator, churned: int) -> dict[str, Row]:
    """Honest and edited histories whose days of recording are known: is a leak found where there is one, and only there?"""
    company = simulate_company(rng, churned, ("noise", "modest"))
    histories = {
        "late": record_late(rng, company, 0.10, 0.10),
        "later where churned": record_late(rng, company, 0.05, 0.40),
        "one in ten edited": edit_churned(rng, company, 0.10),
        "one in four edited": edit_churned(rng, company, 0.25),
        "half edited": edit_churned(rng, company, 0.50),
    }
    found = {}
    for how, changed in histories.items():
        for score in ("noise", "modest"):
            result = audit(changed, score)
            found[f"{score}, {how}"] = {"verdict": _verdict(result), "edited": float(result.leak.churned_edited)}
    return found


def try_many(population: None, rng: np.random.Generator, churned: int) -> dict[str, Row]:
    """Twenty noise scores in one run, the false discovery rate controlled."""
    company = simulate_company(rng, churned, tuple(f"noise {i}" for i in range(MANY)))
    results = judge(company.scores, company.renewals, SETTINGS, __version__).result.scores
    verdicts = [result.verdict for result in results]
    alone = sum(_above(result.primary.test.gain) and _above(result.primary.test.auc, 0.5) for result in results)
    return {"noise": {"foretells": verdicts.count("foretells"), "reversed": verdicts.count("reversed"), "uncontrolled": alone}}


def _held_against(result: ScoreResult, truth: Truth) -> Row:
    test = result.primary.test
    split = result.primary.split
    row: Row = {
        "verdict": _verdict(result),
        "churned": result.primary.n_churned,
        "clusters": test.n_churned_clusters,
        "trained": np.nan if not hasattr(split, "n_train_churned") else split.n_train_churned,
        "gain given": isinstance(test.gain, Estimate),
    }
    stated = {"auc": test.auc, "auc baseline": test.auc_baseline, "auc both": test.auc_both, "gain": test.gain}
    for name, estimate in stated.items():
        row |= _interval(name, estimate, truth.value[name])
    return row | _interval("gain, no floor", truth.gain, truth.value["gain"])


def _interval(name: str, estimate: MaybeEstimate, truth: float) -> Row:
    if not isinstance(estimate, Estimate):
        return {f"{name} low": np.nan, f"{name} high": np.nan, f"{name} point": np.nan, f"{name} true": truth}
    return {f"{name} low": estimate.low, f"{name} high": estimate.high, f"{name} point": estimate.point, f"{name} true": truth}


def _above(estimate: MaybeEstimate, value: float = 0.0) -> bool:
    return isinstance(estimate, Estimate) and estimate.low > value


def _verdict(result: ScoreResult) -> int:
    return VERDICTS.index(result.verdict)


TRIES = {"coverage": try_coverage, "recording": try_recording, "many": try_many}
_shared: dict[str, Population | None] = {}  # set before the jobs are forked, so that they share its memory


def _try_company(cell: Cell, seed: int, number: int) -> dict[str, Row]:
    rng = np.random.default_rng([seed, zlib.crc32(cell.name.encode()), number])
    return TRIES[cell.kind](_shared["population"], rng, cell.churned)  # type: ignore

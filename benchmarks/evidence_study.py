"""What evidence on many metrics claims, held against simulated companies: false finds among null metrics, and power.

    python benchmarks/evidence_study.py              # 500 companies of 20 null metrics, and the power curves; minutes on one processor
    python benchmarks/evidence_study.py --companies 50 --power 10
    python benchmarks/evidence_study.py --table      # write the tables of docs/explanation/metrics-on-trial.md from the results

Renewals are those of simulate.py: parents hold accounts that churn alike. Metrics are made on the days looked at, so that a trial sees
exact series as from a panel. Same seed, same results, whatever the number of jobs.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import resource
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from evidence_tables import write_study
from numpy.typing import NDArray
from scipy import special
from simulate import AS_OF, HORIZON_DAYS, simulate_company

from unspun._version import __version__
from unspun.audit.evidence_result import EvidenceResult, Subject
from unspun.audit.on_trial import try_subjects
from unspun.audit.protocol import FDR_Q, AuditSettings
from unspun.audit.result import PROTOCOL_VERSION, HorizonResult, ScoreResult
from unspun.audit.verdict import rule
from unspun.book.tables import Codes, Renewals, ScoreHistory, ScoreSeries
from unspun.stats.estimate import Estimate
from unspun.stats.multiplicity import benjamini_hochberg

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "evidence-study-2026-11-23.json"
DOCUMENT = HERE.parent / "docs" / "explanation" / "metrics-on-trial.md"
SEED, COMPANIES, POWER_COMPANIES = 20261123, 500, 100
NULL_METRICS = 20
NULL_CHURNED = (100, 200, 400)  # about so many churned units, in turn
POWER_CHURNED = (50, 100, 200, 500, 1000)
TRUE_AUCS = (0.55, 0.60, 0.65, 0.70)
SETTINGS = AuditSettings(
    design="renewal", horizons=(HORIZON_DAYS,), primary_horizon=HORIZON_DAYS, replicates=0, detail="none", fixed=("segment",), as_of=AS_OF
)
LASTING = ((0.35, 0.25), (0.85, 0.05))  # of a metric's noise, the shares of the parent's lasting level and the account's
SEES_NOTHING = ("flat", "cannot tell")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """A company's renewals with what its metrics are made of: cluster levels by renewal, and who churned."""

    renewals: Renewals
    account: Ints
    parent: Ints
    looked_at: Ints
    churned: Bools

    def noise(self, rng: np.random.Generator, lasting: tuple[float, float]) -> Floats:
        """Unit variance; accounts, and accounts of one parent, have a lasting level in common."""
        of_parent, of_account = lasting
        own = np.sqrt(1 - of_parent - of_account) * rng.standard_normal(len(self.account))
        shared = np.sqrt(of_parent) * rng.standard_normal(int(self.parent.max()) + 1)[self.parent]
        return shared + np.sqrt(of_account) * rng.standard_normal(int(self.account.max()) + 1)[self.account] + own


def make_company(rng: np.random.Generator, churned: int) -> Made:
    """A simulated company whose eligible churned renewals number about `churned`."""
    renewals = simulate_company(rng, churned, ("noise",)).renewals
    if renewals.parent is None:
        raise ValueError("simulated renewals have parents")
    looked_at = renewals.due.astype("datetime64[D]").astype(np.int64) - HORIZON_DAYS
    account, parent = (codes.codes.astype(np.int64) for codes in (renewals.account, renewals.parent))
    return Made(renewals, account, parent, looked_at, renewals.outcome == 1)


def null_metric(rng: np.random.Generator, made: Made, number: int) -> Floats:
    """A metric that knows nothing: a number, a count with many zeros, or a flag; every other one lasting by parent; with values missing."""
    noise = made.noise(rng, LASTING[number % 2])
    kinds: tuple[Callable[[Floats], Floats], ...] = (
        lambda x: x,
        lambda x: np.maximum(np.floor(3 * x), 0),
        lambda x: (x > 1).astype(np.float64),
    )
    return with_missing(rng, made, kinds[number % 3](noise), number)


def with_missing(rng: np.random.Generator, made: Made, value: Floats, number: int) -> Floats:
    """None missing, those before tracking began, a tenth at random, or a tenth of the accounts: whatever became of them."""
    n = len(value)
    missing = (
        np.zeros(n, dtype=bool),
        made.looked_at < np.quantile(made.looked_at, 0.2),
        rng.random(n) < 0.1,
        (rng.random(int(made.account.max()) + 1) < 0.1)[made.account],
    )[number % 4]
    return np.where(missing, np.nan, value)


def true_metric(rng: np.random.Generator, made: Made, auc: float) -> Floats:
    """Lower where churned, by as much as makes its AUC this one exactly: two normals of one variance; a tenth is missing at random."""
    apart = np.sqrt(2) * float(special.ndtri(auc))
    return with_missing(rng, made, made.noise(rng, LASTING[0]) - apart * made.churned, 2)


def try_metrics(made: Made, metrics: dict[str, Floats]) -> EvidenceResult:
    """The product's own trial of the metrics, as exact series on the days looked at."""
    n = len(made.account)
    history = ScoreHistory(
        source=replace(made.renewals.source, role="scores"),
        row=np.arange(n),
        account=Codes(made.account.astype(np.int32), made.renewals.account.names),
        dated=made.looked_at.astype("datetime64[D]").astype("datetime64[us]"),
        series=tuple(ScoreSeries(key, value, exact=True) for key, value in metrics.items()),
    )
    return try_subjects(history, made.renewals, [Subject(key, "metric", key) for key in metrics], SETTINGS, __version__)[0]


def try_null(seed: int, number: int) -> Row:
    """One company's null metrics: how many are said to foretell, with the control and without it, and how many get a shape."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(b"null"), number]))
    made = make_company(rng, NULL_CHURNED[number % len(NULL_CHURNED)])
    result = try_metrics(made, {f"metric/n{i}": null_metric(rng, made, i) for i in range(NULL_METRICS)})
    shapes = Counter(str(getattr(one.shape, "kind", "none")) for one in result.subjects)
    return {
        "churned": result.audit.scores[0].primary.n_churned,
        "verdicts": dict(Counter(score.verdict for score in result.audit.scores)),
        "uncontrolled": sum(_clear(score.primary) for score in result.audit.scores),
        "shapes": dict(shapes),
        "metrics said to be the same": sum(len(group.keys) for group in getattr(result.redundancy, "groups", ())),
    }


def try_power(seed: int, churned: int, number: int) -> Row:
    """One company with 19 null metrics and one that foretells, for each true AUC: what is said of the latter."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(b"power"), churned, number]))
    made = make_company(rng, churned)
    null = {f"metric/n{i}": null_metric(rng, made, i) for i in range(NULL_METRICS - 1)}
    true = {f"metric/{auc:.2f}": true_metric(rng, made, auc) for auc in TRUE_AUCS}
    result = try_metrics(made, {**null, **true})
    among = [score.primary.test.gain_p for score in result.audit.scores[: len(null)]]
    return {f"{auc:.2f}": _alone(result.of(f"metric/{auc:.2f}")[0], among) for auc in TRUE_AUCS}


def _alone(score: ScoreResult, among: list[float | None]) -> Row:
    """What the verdict is where this is the only one of the run that foretells, by the product's own control and rule."""
    own = score.primary.test.gain_p
    tested = [p for p in (own, *among) if p is not None]
    rejected = bool(benjamini_hochberg(np.array(tested), FDR_Q)[0]) if own is not None else None
    auc = score.primary.test.auc
    ranks = isinstance(auc, Estimate) and auc.low > 0.5
    return {"verdict": rule(score.primary, score.leak, rejected).verdict, "ranks": ranks}


def _clear(result: HorizonResult) -> bool:
    auc, gain = result.test.auc, result.test.gain
    return isinstance(auc, Estimate) and isinstance(gain, Estimate) and auc.low > 0.5 and gain.low > 0


def summarise_null(rows: list[Row]) -> Row:
    """Counts over the companies."""
    verdicts, shapes = (sum((Counter(row[name]) for row in rows), Counter[str]()) for name in ("verdicts", "shapes"))
    judged = sum(n for kind, n in shapes.items() if kind != "none")
    return {
        "companies": len(rows),
        "metrics a company": NULL_METRICS,
        "median churned": float(np.median([row["churned"] for row in rows])),
        "verdicts": dict(sorted(verdicts.items())),
        "with any foretells": sum(row["verdicts"].get("foretells", 0) > 0 for row in rows),
        "with any clear of zero, uncontrolled": sum(row["uncontrolled"] > 0 for row in rows),
        "shapes": dict(sorted(shapes.items())),
        "with a shape": judged,
        "called not flat": sum(n for kind, n in shapes.items() if kind not in (*SEES_NOTHING, "none")),
        "companies with metrics said to be the same": sum(row["metrics said to be the same"] > 0 for row in rows),
    }


def summarise_power(rows: list[Row]) -> Row:
    """Of each true AUC, counts of the verdicts, and in how many companies its AUC interval is above one half."""
    return {
        auc: {
            "verdicts": dict(sorted(Counter(row[auc]["verdict"] for row in rows).items())),
            "ranks": sum(row[auc]["ranks"] for row in rows),
        }
        for auc in rows[0]
    }


def run(ask: Callable[[int], Row], companies: int, jobs: int, said: str) -> list[Row]:
    """All companies in order."""
    started, rows = time.monotonic(), []
    for row in _each(ask, companies, jobs):
        rows.append(row)
        if len(rows) % max(1, companies // 5) == 0:
            print(f"{said}: {len(rows):,} of {companies:,}, {time.monotonic() - started:,.0f} s", flush=True)
    return rows


def _each(ask: Callable[[int], Row], companies: int, jobs: int) -> Iterator[Row]:
    if jobs == 1:
        yield from map(ask, range(companies))
        return
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        yield from pool.imap(ask, range(companies), chunksize=4)


def study(companies: int, power: int, jobs: int, seed: int, out: Path) -> None:
    """Both parts, written to `out`."""
    versions = {"unspun": __version__, "python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__}
    results: Row = {"date": date.today().isoformat(), "protocol": PROTOCOL_VERSION, "seed": seed, "versions": versions}
    results["null"] = summarise_null(run(partial(try_null, seed), companies, jobs, "null"))
    results["power"] = {
        str(churned): {"companies": power}
        | summarise_power(run(partial(try_power, seed, churned), power, jobs, f"power, {churned} churned"))
        for churned in POWER_CHURNED
    }
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    results["processor seconds"] = round(sum(one.ru_utime + one.ru_stime for one in used))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(results, indent=1) + "\n")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=COMPANIES, help="companies of null metrics")
    parser.add_argument("--power", type=int, default=POWER_COMPANIES, help="companies at each number of churned, for the power curves")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true", help="run nothing; write the document's tables from --out")
    asked = parser.parse_args()
    if asked.table:
        write_study(asked.out, DOCUMENT)
        return
    _use_one_thread_a_job()
    study(asked.companies, asked.power, asked.jobs, asked.seed, asked.out)


def _use_one_thread_a_job() -> None:
    """Start again with the linear algebra held to one thread, which it must be told before NumPy is loaded."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    if any(os.environ.get(name) != "1" for name in threads):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **threads})


if __name__ == "__main__":
    main()

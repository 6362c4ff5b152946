"""Coverage of the intervals of GRR, NRR and logo retention: simulated books whose true rates are known, in 54 settings.

    python -m benchmarks.retention_study                 # 1,000 books a setting, result to benchmarks/results/
    python -m benchmarks.retention_study --books 50 --out retention-study.json

Accounts come in families (one in five has two to five accounts) that leave alike; ARR is log-normal. tests/calibration runs a part.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from unspun.book.retention.money import UNITS
from unspun.book.retention.ratios import kept_logos, kept_share, net_ratio
from unspun.stats.estimate import Estimate

RESULTS = Path(__file__).resolve().parent / "results"
FAMILIES, SPREADS, CHURN, FACTORS = (30, 100, 500), (0.5, 1.3), (0.03, 0.12, 0.3), (1.0, 1.28, 1.65)
TRUTH_FAMILIES, SEED = 400_000, 20261122
CONTRACTS, KEEPS_OF_IT, EXPANDS, GROWS_BY = 0.06, 0.675, 0.25, 1.425


@dataclass(frozen=True)
class Kind:
    families: int
    spread: float  # standard deviation of log ARR
    churn: float
    large_leave: float = 0.0  # how much the log of the churn rate rises with a standard deviation of log ARR


def simulate(kind: Kind, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Opening and closing ARR of the accounts, in ten-thousandths, and their families."""
    size = np.where(rng.random(kind.families) < 0.8, 1, rng.integers(2, 6, kind.families))
    family = np.repeat(np.arange(kind.families), size)
    count = len(family)
    log_size = rng.normal(0, 1, count)
    opening = np.exp(8 + kind.spread * log_size)
    churn = rng.beta(kind.churn * 4, (1 - kind.churn) * 4, kind.families)[family] * np.exp(kind.large_leave * log_size)
    leaves = rng.random(count) < churn
    factor = np.where(rng.random(count) < CONTRACTS, rng.uniform(0.4, 0.95, count), 1.0)
    factor = np.where(rng.random(count) < EXPANDS, rng.uniform(1.05, 1.8, count), factor)
    closing = np.where(leaves, 0, opening * factor)
    return np.rint(opening * UNITS).astype(np.int64), np.rint(closing * UNITS).astype(np.int64), family


def true_rates(kind: Kind) -> dict[str, float]:
    stays, shrinks = 1 - kind.churn, (1 - EXPANDS) * CONTRACTS * (1 - KEEPS_OF_IT)
    return {"logo": stays, "grr": stays * (1 - shrinks), "nrr": stays * (1 - shrinks + EXPANDS * (GROWS_BY - 1))}


def estimates(kind: Kind, rng: np.random.Generator) -> dict[str, object]:
    opening, closing, family = simulate(kind, rng)
    kept = np.minimum(opening, closing)
    return {"logo": kept_logos(closing > 0, family), "grr": kept_share(kept, opening, family), "nrr": net_ratio(closing, opening, family)}


def truth(kind: Kind) -> dict[str, float]:
    """The true rates: in closed form, or of a very large book where large accounts leave more."""
    if not kind.large_leave:
        return true_rates(kind)
    opening, closing, _ = simulate(Kind(TRUTH_FAMILIES, kind.spread, kind.churn, kind.large_leave), np.random.default_rng(SEED))
    kept = np.minimum(opening, closing).sum()
    return {"logo": float((closing > 0).mean()), "grr": float(kept / opening.sum()), "nrr": float(closing.sum() / opening.sum())}


def study(kind: Kind, books: int) -> dict[str, object]:
    """Of the books with an estimate, how many intervals hold the truth."""
    true, rng = truth(kind), np.random.default_rng(SEED)
    found: dict[str, list[bool]] = {name: [] for name in true}
    for _ in range(books):
        for name, one in estimates(kind, rng).items():
            if isinstance(one, Estimate):
                found[name].append(one.low <= true[name] <= one.high)
    rates = {name: {"estimated": len(hits), "covered": round(float(np.mean(hits)), 4) if hits else None} for name, hits in found.items()}
    return {**asdict(kind), "true": {name: round(value, 5) for name, value in true.items()}, "rates": rates}


def main() -> None:
    """Run every setting and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--books", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=RESULTS / f"retention-study-{datetime.now(UTC):%Y-%m-%d}.json")
    asked = parser.parse_args()
    started, cells = time.perf_counter(), []
    for factor in FACTORS:
        for kind in (Kind(n, spread, churn, float(np.log(factor))) for n in FAMILIES for spread in SPREADS for churn in CHURN):
            cells.append({"factor": factor, **study(kind, asked.books)})
            print(f"{len(cells)} of {len(FACTORS) * len(FAMILIES) * len(SPREADS) * len(CHURN)}", end="\r", flush=True)
    about = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "unspun": version("unspun"),
    }
    seconds = round(time.perf_counter() - started, 1)
    asked.out.write_text(json.dumps({**about, "seed": SEED, "books": asked.books, "seconds": seconds, "settings": cells}, indent=1) + "\n")
    for name in ("grr", "nrr", "logo"):
        for factor in FACTORS:
            shares = [cell["rates"][name] for cell in cells if cell["factor"] == factor]
            held = [100 * one["covered"] for one in shares if one["estimated"] >= asked.books / 5]
            print(f"{name} factor {factor}: {min(held):.1f} to {max(held):.1f} % in {len(held)} settings")


if __name__ == "__main__":
    main()

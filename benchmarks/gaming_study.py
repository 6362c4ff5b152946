"""How often the gaming checks see evidence where there is none, and how often where gaming of a stated strength is planted.

    python benchmarks/gaming_study.py                         # 1,000 histories a cell; about 15 minutes on two cores
    python benchmarks/gaming_study.py --histories 50 --checks bunching --out trial.json
    python benchmarks/gaming_study.py --table                 # write the tables of docs/explanation/gaming-detectors.md

A cell is a check, a kind of history, and what is planted in it (nothing: an honest one). Same seed, same results, whatever the number
of jobs. A test holds the rates that the product states to these results.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import gaming_histories as made
import numpy as np
import scipy
from gaming_tables import write_tables
from simulate import Company, edit_churned, record_late, simulate_company

from unspun._version import __version__
from unspun.audit.frame import ScoreIndex
from unspun.audit.gaming.back_dated import check_back_dated
from unspun.audit.gaming.before_reviews import check_before_reviews
from unspun.audit.gaming.bunching import check_bunching
from unspun.audit.gaming.checks import Finding
from unspun.audit.gaming.entries import collect
from unspun.audit.gaming.goodhart import check_goodhart
from unspun.audit.gaming.period_end import check_period_end
from unspun.audit.protocol import GAMING_P
from unspun.audit.terms import in_order, order_terms
from unspun.audit.vocabulary import CHURN

CHURNED = 120  # units, of a company with days of recording
HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "gaming-study-2026-11-22.json"
DOCUMENT = HERE.parent / "docs" / "explanation" / "gaming-detectors.md"
SEED, HISTORIES, PLANTED_SHARE = 20261122, 1000, 0.3  # of the histories, for cells with something planted


@dataclass(frozen=True, slots=True)
class Cell:
    """One kind of history for one check. `planted` is what was put in, "" where it is honest; `strength` how much of it."""

    check: str
    kind: str
    planted: str = ""
    strength: float = 0.0

    @property
    def name(self) -> str:
        """A text that no two cells share."""
        return f"{self.check}/{self.kind}/{self.planted}/{self.strength}"


def try_bunching(rng: np.random.Generator, cell: Cell) -> Finding:
    """Values on a scale; honest ones are looked at with lower as the healthier side too."""
    shape, scale = cell.kind.split(", ")[:2]
    history = made.values_on_scale(rng, shape, scale)
    if cell.planted:
        history = made.nudge(rng, history, cell.strength, scale)
    entries = made.gather(history)
    higher = bool(cell.planted) or rng.random() < 0.5
    return check_bunching(entries, history.value[entries.row], higher, (made.OTHER_CUT, made.CUT))


def try_period_end(rng: np.random.Generator, cell: Cell) -> Finding:
    """Edits on weekdays."""
    history = made.edits(rng, cell.kind)
    if cell.planted:
        history = made.lift_period_ends(rng, history, cell.strength)
    entries = made.gather(history)
    return check_period_end(entries)


def try_before_reviews(rng: np.random.Generator, cell: Cell) -> Finding:
    """Edits on weekdays, the ends of quarters as reviews."""
    history = made.edits(rng, cell.kind)
    if cell.planted:
        history = made.lift_before_reviews(rng, history, cell.strength)
    entries = made.gather(history)
    return check_before_reviews(entries, ())


def try_back_dated(rng: np.random.Generator, cell: Cell) -> Finding:
    """Companies with about CHURNED churned units whose scores say when they were recorded."""
    score = cell.kind.split(",")[0]
    company = simulate_company(rng, CHURNED, (score,))
    if cell.planted == "churned units edited":
        company = edit_churned(rng, company, cell.strength)
    elif cell.planted:
        company = _raise_late(rng, record_late(rng, company, 0.05, 0.05), cell.strength)
    elif cell.kind.endswith("later where churned"):
        company = record_late(rng, company, 0.05, 0.40)
    else:
        company = record_late(rng, company, 0.10, 0.10)
    history = company.scores
    renewals = company.renewals
    renewals = type(renewals)(**{**_fields(renewals), "account": in_order(renewals.account)})
    assert history.recorded is not None
    as_of = int(history.recorded.max().astype("datetime64[D]").astype(np.int64))
    terms = order_terms(renewals, history, as_of, {}, None)
    index = ScoreIndex(history, renewals.account.names, as_of)
    series = history.series[0]
    entries = collect(index.lookup(series), series, -1.0, history, index.account, terms.cluster, as_of)
    return check_back_dated(entries, terms)


def try_goodhart(rng: np.random.Generator, cell: Cell) -> Finding:
    """Units over four years, some 400 of them churned."""
    units, score = made.renewing(rng, cell.kind, 400, cell.strength)
    return check_goodhart(units, score, CHURN)


def _fields(table: Any) -> dict[str, Any]:
    return {name: getattr(table, name) for name in table.__dataclass_fields__}


def _raise_late(rng: np.random.Generator, company: Company, share: float) -> Company:
    """A share of the rows recorded late is 12 points higher than the truth."""
    history = company.scores
    assert history.recorded is not None
    late = history.recorded - history.dated > np.timedelta64(7, "D")
    raised = late & (rng.random(len(late)) < share)
    series = history.series[0]
    lifted = type(series)(series.name, np.minimum(series.values + 12 * raised, 100))
    history = type(history)(**{**_fields(history), "series": (lifted,)})
    return Company(company.renewals, history, company.probability, company.row_of)


TRIES: dict[str, Callable[[np.random.Generator, Cell], Finding]] = {
    "bunching": try_bunching,
    "period_end": try_period_end,
    "back_dated": try_back_dated,
    "before_reviews": try_before_reviews,
    "goodhart_gap": try_goodhart,
}
BACK_DATED_KINDS = tuple(f"{score}, {how}" for score in ("noise", "modest", "strong") for how in ("recorded late", "later where churned"))
PEOPLE = "people, in batches"
CELLS = (
    *(Cell("bunching", f"{shape}, {scale}") for shape in made.SHAPES for scale in made.SCALES),
    *(Cell("bunching", f"normal, {scale}", "nudged over 70, share of accounts", s) for scale in made.SCALES for s in (0.1, 0.25, 0.5)),
    *(Cell("period_end", kind) for kind in made.EDIT_KINDS),
    *(Cell("period_end", kind, "month-end values 8 up, share", s) for kind in (PEOPLE, "people, at month ends") for s in (0.25, 0.5, 1.0)),
    *(Cell("back_dated", kind) for kind in BACK_DATED_KINDS),
    *(Cell("back_dated", "modest", "churned units edited", s) for s in (0.1, 0.25, 0.5)),
    *(Cell("back_dated", "modest", "late values 12 up, share", s) for s in (0.25, 0.5, 1.0)),
    *(Cell("before_reviews", kind) for kind in made.EDIT_KINDS),
    *(Cell("before_reviews", PEOPLE, "10 up before reviews, share of accounts", s) for s in (0.05, 0.1, 0.25)),
    *(Cell("goodhart_gap", kind) for kind in made.RENEWING_KINDS),
    *(Cell("goodhart_gap", "steady", "score inflated, sd a year", s) for s in (0.25, 0.5, 1.0)),
)


def run_cell(cell: Cell, histories: int, jobs: int, seed: int) -> dict[str, Any]:
    """Counts over the histories of one cell: in how many there was evidence, and how many allowed no answer."""
    ask = partial(_try, cell, seed)
    p = np.array(list(_each(ask, histories, jobs)))
    told = np.isfinite(p)
    return {
        "check": cell.check,
        "kind": cell.kind,
        "planted": cell.planted,
        "strength": cell.strength,
        "histories": histories,
        "evidence": int((p[told] < GAMING_P).sum()),
        "cannot tell": int((~told).sum()),
    }


def _try(cell: Cell, seed: int, number: int) -> float:
    rng = np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(cell.name.encode()), number]))
    p = TRIES[cell.check](rng, cell).p
    return np.nan if p is None else p


def _each(ask: Callable[[int], float], histories: int, jobs: int) -> Iterator[float]:
    if jobs == 1:
        yield from map(ask, range(histories))
        return
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        yield from pool.imap(ask, range(histories), chunksize=16)


def study(cells: tuple[Cell, ...], histories: int, jobs: int, seed: int, out: Path) -> None:
    """Run the cells in order and write the results after each; other cells of an earlier run of the same seed are kept."""
    versions = {"unspun": __version__, "python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__}
    results: dict[str, Any] = {"date": date.today().isoformat(), "seed": seed, "p": GAMING_P, "versions": versions, "cells": []}
    before = json.loads(out.read_text()) if out.exists() else results
    done = {_key(cell): cell for cell in before["cells"]} if before["seed"] == seed else {}
    for cell in cells:
        started = time.monotonic()
        n = max(1, round(histories * PLANTED_SHARE)) if cell.planted else histories
        found = run_cell(cell, n, jobs, seed)
        done[_key(found)] = found
        print(f"{cell.name}: {found['evidence']} of {n}, {time.monotonic() - started:.0f} s", flush=True)
        results["cells"] = [done[key] for key in (_key(_blank(each)) for each in CELLS) if key in done]
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(results, indent=1) + "\n")


def _key(cell: dict[str, Any]) -> tuple[str, str, str, float]:
    return cell["check"], cell["kind"], cell["planted"], cell["strength"]


def _blank(cell: Cell) -> dict[str, Any]:
    return {"check": cell.check, "kind": cell.kind, "planted": cell.planted, "strength": cell.strength}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histories", type=int, default=HISTORIES, help="histories a cell")
    parser.add_argument("--checks", default="all", help=f"all, or some of {', '.join(TRIES)}, comma-separated")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true", help="run nothing; write the document's tables from --out")
    asked = parser.parse_args()
    if asked.table:
        write_tables(asked.out, DOCUMENT)
        return
    wanted = set(TRIES) if asked.checks == "all" else set(asked.checks.split(","))
    if unknown := wanted - set(TRIES):
        parser.error(f"no such check: {', '.join(sorted(unknown))}")
    study(tuple(cell for cell in CELLS if cell.check in wanted), asked.histories, asked.jobs, asked.seed, asked.out)


if __name__ == "__main__":
    main()

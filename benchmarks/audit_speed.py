"""How fast the audit is beside what an analyst writes with pandas and scikit-learn, and how its cost grows.

    python benchmarks/audit_speed.py                     # all cells
    python benchmarks/audit_speed.py --quick             # all cells at a fiftieth of their size, once
    python benchmarks/audit_speed.py --cells points,intervals --repeats 3
    python benchmarks/audit_speed.py --table             # run nothing; write the tables of docs/speed.md from --out

Each side runs in a process of its own, on one thread, in turns with the others; ratios are taken between runs of one turn.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS, DOCUMENT = HERE / "results" / "audit-speed-2026-11-22.json", HERE.parent / "docs" / "speed.md"
PACKAGES = ("unspun", "numpy", "scipy", "pyarrow", "pandas", "scikit-learn")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")  # for NumPy, SciPy and Arrow
QUICK = 50  # times smaller
WARM_UP = (6_000, 600, 1)
SAME_AUC, SAME_MODEL, SAME_END = 1e-9, 1e-3, 0.005  # how far two sides may differ
Figures = dict[str, float]
Turn = dict[str, Any]  # by side: seconds, parts, peak_mb


@dataclass(frozen=True, slots=True)
class Cell:
    """What is compared, on how many score rows, renewals and scores, and how often. Every side takes its turn."""

    name: str
    size: tuple[int, int, int]
    sides: tuple[str, ...]
    turns: int

    def smaller(self, times: int) -> Cell:
        """The same at a fraction of the size, once. Agreement of intervals needs its size."""
        if self.name == "agreement":
            return self
        rows, renewals, scores = self.size
        return Cell(self.name, (rows // times, renewals // times, min(scores, 12)), self.sides, 1)


CELLS = (
    Cell("points", (1_000_000, 100_000, 1), ("unspun points", "analyst points", "unspun whole"), 5),
    Cell("intervals", (1_000_000, 100_000, 1), ("unspun intervals", "analyst bootstrap", "weighted bootstrap"), 5),
    Cell("agreement", (100_000, 10_000, 1), ("unspun intervals", "whole bootstrap"), 1),
    Cell("growth", (10_000_000, 1_000_000, 1), ("unspun points", "analyst points", "unspun whole"), 3),
    Cell("wide", (1_000_000, 100_000, 200), ("unspun points", "analyst points", "unspun whole"), 3),
)


def run_cell(cell: Cell, root: Path) -> dict[str, Any]:
    """Every side in turns; the figures of all sides must agree in every turn."""
    folder, warm = (_make(size, root) for size in (cell.size, WARM_UP))
    turns: list[Turn] = []
    furthest: Figures = {}
    for number in range(cell.turns):
        turn, figures = {}, {}
        for side in cell.sides:
            ran = json.loads(_python("--side", side, "--folder", str(folder), "--warm-up", str(warm)))
            figures[side] = ran.pop("figures")
            turn[side] = ran
            seconds = ", ".join(f"{stage} {spent:.2f} s" for stage, spent in ran["seconds"].items())
            print(f"{cell.name} {number + 1}/{cell.turns}  {side:<20}{seconds}; {ran['peak_mb']:.0f} MB", flush=True)
        furthest = check_agreement(figures)
        turns.append(turn)
    return {"size": cell.size, "furthest_apart": furthest, "turns": turns}


def check_agreement(figures: dict[str, Figures]) -> Figures:
    """By kind of figure, how far any side is from the first one. Raises ValueError where that is too far.

    Ends of intervals are held against a bootstrap only where it was run in full.
    """
    first, *others = figures.values()
    furthest: Figures = {}
    for side, other in zip(list(figures)[1:], others, strict=True):
        if not first.keys() & other.keys():
            raise ValueError(f"{side} gives none of the figures")
        for name in sorted(first.keys() & other.keys()):
            kind = name.split(": ")[1]
            if kind.endswith((", low", ", high")) and side != "whole bootstrap":
                continue
            furthest[kind] = max(furthest.get(kind, 0.0), abs(first[name] - other[name]))
    for kind, difference in furthest.items():
        allowed = SAME_END if ", " in kind else SAME_AUC if kind in ("auc", "auc in test") else SAME_MODEL
        if not difference <= allowed:
            raise ValueError(f"the sides differ by {difference:.3g} in {kind}; {allowed:g} is allowed")
    return furthest


def measure(cells: tuple[Cell, ...], out: Path, folder: Path) -> None:
    """Run the cells in order and write the results after each."""
    results: dict[str, Any] = {
        "date": date.today().isoformat(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        "machine": {"cpus": os.cpu_count(), "system": platform.system(), "machine": platform.machine()},
        "cells": {},
    }
    for cell in cells:
        before = os.getloadavg()[0]
        results["cells"][cell.name] = run_cell(cell, folder) | {"load_before": round(before, 2)}
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(results, indent=1) + "\n")


def run_side(side: str, folder: Path, warm_up: Path) -> dict[str, Any]:
    """One side in this process, once on small inputs so that loading libraries is not timed, then on those asked for.

    Gives seconds, parts, figures and the most memory the process held (libraries included).
    """
    from speed_sides import SIDES

    SIDES[side](warm_up)
    ran = asdict(SIDES[side](folder))
    in_bytes = 1 if sys.platform == "darwin" else 1024
    return ran | {"peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * in_bytes / 1e6)}


def _make(size: tuple[int, int, int], root: Path) -> Path:
    folder = root / "-".join(str(n) for n in size)
    if not folder.exists():
        _python("--make", *(str(n) for n in size), "--folder", str(folder))
    return folder


def _python(*arguments: str) -> str:
    command = [sys.executable, str(HERE / "audit_speed.py"), *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, **ONE_THREAD}).stdout


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [cell.name for cell in CELLS]
    parser.add_argument("--cells", default=",".join(names), help=f"some of {', '.join(names)}, comma-separated")
    parser.add_argument("--repeats", type=int, help="turns of each cell, instead of its own number")
    parser.add_argument("--quick", action="store_true", help=f"a {QUICK}th of the size, once")
    parser.add_argument("--folder", type=Path, help="where inputs are made and kept (default: a temporary folder)")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true", help="run nothing; write the document's tables from --out")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--warm-up", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--make", type=int, nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if unknown := set(asked.cells.split(",")) - set(names):
        parser.error(f"no such cell: {', '.join(sorted(unknown))}")
    return asked


def main() -> None:
    """The command line; --make and --side are for the processes that it starts."""
    asked = _arguments()
    if asked.make:
        from made_inputs import Size, make_inputs

        make_inputs(Size(*asked.make), asked.folder)
    elif asked.side:
        print(json.dumps(run_side(asked.side, asked.folder, asked.warm_up)))
    elif asked.table:
        from speed_tables import write_tables

        write_tables(asked.out, DOCUMENT)
    else:
        cells = [cell for cell in CELLS if cell.name in asked.cells.split(",")]
        cells = [cell.smaller(QUICK) for cell in cells] if asked.quick else cells
        cells = [Cell(cell.name, cell.size, cell.sides, asked.repeats or cell.turns) for cell in cells]
        with tempfile.TemporaryDirectory() as temporary:
            measure(tuple(cells), asked.out, asked.folder or Path(temporary))


if __name__ == "__main__":
    main()

"""Small files as an analyst would export them, and the real command run on them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

ACCOUNTS, YEARS = 180, (2023, 2024, 2025)
COMMAND = (sys.executable, "-m", "unspun.cli")


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def faults(self) -> list[str]:
        return self.err.splitlines()


def run(*arguments: str | Path, stdin: str | None = None, cwd: Path | None = None, **environment: str) -> Ran:
    """Run `unspun` as a shell would, its output piped. A variable given as "" is unset."""
    unset = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE", *(name for name, value in environment.items() if not value)}
    inherited = {name: value for name, value in os.environ.items() if name not in unset}
    env = {**inherited, "PYTHONIOENCODING": "utf-8", **{name: value for name, value in environment.items() if value}}
    done = subprocess.run([*COMMAND, *map(str, arguments)], input=stdin, capture_output=True, encoding="utf-8", cwd=cwd, env=env, timeout=120)
    return Ran(done.returncode, done.stdout, done.stderr)


def write_company(folder: Path, strength: float = 1.5, seed: int = 3) -> tuple[Path, Path]:
    """Scores by month and yearly renewals of ACCOUNTS accounts. A score rises with health by `strength` noise deviations."""
    rng = np.random.default_rng(seed)
    health = rng.normal(size=ACCOUNTS)
    scores, renewals = ["account_id,scored_on,score,segment"], ["account_id,due_on,outcome,arr_before,arr_after,currency"]
    for i in range(ACCOUNTS):
        name, arr = f"A{i:04d}", 10_000 + 1_000 * int(rng.integers(0, 90))
        due = date(YEARS[0], 1, 1) + timedelta(days=int(rng.integers(0, 365)))
        scores += [_score_row(name, date(year, month, 1), health[i], strength, rng) for year in (2022, *YEARS) for month in range(1, 13)]
        for year in YEARS:
            churned = bool(rng.random() < 1 / (1 + np.exp(1.3 + 1.3 * health[i])))
            outcome, after = ("churned", 0) if churned else ("renewed", arr)
            renewals.append(f"{name},{due.replace(year=year)},{outcome},{arr},{after},USD")
            if churned:
                break
    paths = folder / "scores.csv", folder / "renewals.csv"
    for path, lines in zip(paths, (scores, renewals), strict=True):
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return paths


def _score_row(name: str, when: date, health: float, strength: float, rng: np.random.Generator) -> str:
    value = 50 + 12 * (strength * health + rng.normal())
    return f"{name},{when},{value:.1f},{'small' if int(name[-1]) % 2 else 'large'}"

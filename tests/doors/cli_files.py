"""Small files as an analyst would export them, and the real command run on them."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from unspun.cli import main

ACCOUNTS, YEARS = 180, (2023, 2024, 2025)
QUIET_TERMINAL = dict.fromkeys(("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE"), "")
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


def run(*arguments: str | Path, stdin: str = "", cwd: Path | None = None, encoding: str = "utf-8", **environment: str) -> Ran:
    """Run a command in this process, its output caught as a pipe would. A variable given as "" is unset."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**QUIET_TERMINAL, **environment}.items():
            patch.setenv(name, value) if value else patch.delenv(name, raising=False)
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        patch.chdir(cwd or Path.cwd())
        code = main([str(argument) for argument in arguments])
        out.flush()
        err.flush()
    return Ran(code, *(cast("io.BytesIO", stream.buffer).getvalue().decode(encoding) for stream in (out, err)))


def run_process(*arguments: str | Path, stdin: str | None = None) -> Ran:
    """Run a command as a shell does."""
    env = {name: value for name, value in os.environ.items() if name not in QUIET_TERMINAL} | {"PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([*COMMAND, *map(str, arguments)], input=stdin, capture_output=True, encoding="utf-8", env=env, timeout=120)
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

"""The tables of docs/explanation/gaming-detectors.md, and the rates the product states, from the study's results."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from unspun.stats.proportion import wilson

BEGIN, END = "<!-- tables: begin, written by gaming_study.py --table -->", "<!-- tables: end -->"
CHECKS = ("bunching", "period_end", "back_dated", "before_reviews", "goodhart_gap")
Json = dict[str, Any]


def write_tables(results: Path, document: Path) -> None:
    """Replace what stands between the document's two marks."""
    text = document.read_text()
    before, _, rest = text.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"{document} lacks the marks between which the tables stand")
    document.write_text(f"{before}{BEGIN}\n\n{tables(json.loads(results.read_text()))}\n\n{END}{after}")


def tables(results: Json) -> str:
    """All tables as Markdown."""
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    run = f"Run on {results['date']}, seed {results['seed']}, {versions}. A check sees evidence where p < {results['p']:g}."
    return "\n\n".join([run, _overall(results), _honest(results), _planted(results)])


def false_alarms(results: Json) -> dict[str, tuple[int, int, float]]:
    """By check: honest histories with evidence, all honest histories, and the highest share among their kinds."""
    found = {}
    for check in CHECKS:
        cells = [cell for cell in results["cells"] if cell["check"] == check and not cell["planted"]]
        worst = max(cell["evidence"] / cell["histories"] for cell in cells)
        found[check] = sum(cell["evidence"] for cell in cells), sum(cell["histories"] for cell in cells), worst
    return found


def _overall(results: Json) -> str:
    rows = [(check, f"{n:,}", _share(flagged, n), f"{worst:.1%}") for check, (flagged, n, worst) in false_alarms(results).items()]
    return "### False alarms\n\n" + _table(("check", "honest histories", "with evidence", "worst kind"), rows)


def _honest(results: Json) -> str:
    rows = [_row(cell, cell["kind"]) for cell in results["cells"] if not cell["planted"]]
    return "### Honest histories, by kind\n\n" + _table(("check", "kind", "histories", "with evidence", "cannot tell"), rows)


def _planted(results: Json) -> str:
    rows = [_row(cell, cell["kind"], f"{cell['planted']} {cell['strength']:g}") for cell in results["cells"] if cell["planted"]]
    return "### Planted gaming\n\n" + _table(("check", "kind", "planted", "histories", "with evidence", "cannot tell"), rows)


def _row(cell: Json, *what: str) -> tuple[str, ...]:
    n = cell["histories"]
    return (cell["check"], *what, f"{n:,}", _share(cell["evidence"], n), f"{cell['cannot tell'] / n:.0%}")


def _share(count: int, n: int) -> str:
    low, high = wilson(count / n, n)
    return f"{100 * count / n:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [tuple(head), tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)

"""The tables of evidence in the docs, written from the results so that no number in them is typed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

Json = dict[str, Any]
STUDY_MARKS = ("<!-- study: begin, written by evidence_study.py --table -->", "<!-- study: end -->")
AIM_SECONDS = 15
SPEED_MARKS = ("<!-- evidence: begin, written by evidence_speed.py --table -->", "<!-- evidence: end -->")


def write_study(results: Path, document: Path) -> None:
    """The tables of the simulation study, between its marks."""
    _write(results, document, STUDY_MARKS, study_tables)


def write_speed(results: Path, document: Path) -> None:
    """The tables of the speed benchmark, between its marks."""
    _write(results, document, SPEED_MARKS, speed_tables)


def study_tables(results: Json) -> str:
    """False finds and power, as Markdown."""
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    used = f"{results['processor seconds']:,} processor seconds"
    ran = f"Run on {results['date']}, protocol {results['protocol']}, seed {results['seed']}; {versions}; {used}."
    return "\n\n".join([ran, _false_finds(results["null"]), _power(results["power"]), _ranks(results["power"])])


def speed_tables(results: Json) -> str:
    """Each size's times beside one another, and growth, as Markdown."""
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    machine = results["machine"]
    ran = (
        f"Run on {results['date']} on {machine['system']} {machine['machine']} with {machine['cpus']} processors; {versions}. Processor "
        "seconds on one thread, medians with their range. Load of the machine before each cell: "
    )
    cells = results["cells"]
    ran += ", ".join(f"{cell['load_before']:g}" for cell in cells) + "."
    rows = [_speed_row(cell) for cell in cells]
    head = ("metrics", "renewals", "runs", "Unspun, s", "by hand, s", "by hand ÷ Unspun", "Unspun, MB", "by hand, MB")
    split = [_stage_row(cell) for cell in cells]
    apart = {kind: max(cell["furthest_apart"].get(kind, 0.0) for cell in cells) for kind in cells[0]["furthest_apart"]}
    said = "; ".join(f"{kind} {value:.1g}" for kind, value in apart.items())
    return "\n\n".join(
        [
            ran,
            _table(head, rows),
            "### By hand, by stage, seconds",
            _table(("metrics", "renewals", "points of each metric", "rank correlations", "rates by tenths"), split),
            f"{_aim(cells)} Largest differences between the sides: {said}.",
        ]
    )


def _aim(cells: list[Json]) -> str:
    """Whether the largest cell is as fast as it was to be."""
    largest = max(cells, key=lambda cell: (cell["renewals"], cell["metrics"]))
    spent = median(sum(turn["unspun"]["seconds"].values()) for turn in largest["turns"])
    found = "met" if spent <= AIM_SECONDS else "missed"
    return f"The aim of {AIM_SECONDS} s for {largest['metrics']} metrics on {largest['renewals']:,} renewals is {found}: {spent:.1f} s."


def _speed_row(cell: Json) -> tuple[str, ...]:
    turns = cell["turns"]
    own, theirs = ([sum(turn[side]["seconds"].values()) for turn in turns] for side in ("unspun", "analyst"))
    ratios = [b / a for a, b in zip(own, theirs, strict=True)]
    memory = [f"{max(turn[side]['peak_mb'] for turn in turns):,}" for side in ("unspun", "analyst")]
    return (f"{cell['metrics']}", f"{cell['renewals']:,}", f"{len(turns)}", _span(own), _span(theirs), _span(ratios, 1), *memory)


def _stage_row(cell: Json) -> tuple[str, ...]:
    turns = cell["turns"]
    stages = [[turn["analyst"]["seconds"][stage] for turn in turns] for stage in ("points", "redundancy", "rates")]
    return (f"{cell['metrics']}", f"{cell['renewals']:,}", *(_span(seconds) for seconds in stages))


def _false_finds(null: Json) -> str:
    runs, metrics = null["companies"], null["companies"] * null["metrics a company"]
    rows = [
        ("runs with any metric called `foretells`", _share(null["with any foretells"], runs), "at most 2.5 %"),
        ("runs in which one would be without the control", _share(null["with any clear of zero, uncontrolled"], runs), ""),
        ("metrics called `foretells`", _share(null["verdicts"].get("foretells", 0), metrics), "at most 3.3 %"),
        ("metrics called `reversed`", _share(null["verdicts"].get("reversed", 0), metrics), "at most 2.5 %"),
        ("metrics whose churn is said not to be flat", _share(null["called not flat"], null["with a shape"]), "at most 5 %"),
        ("runs in which two metrics are said to be the same", _share(null["companies with metrics said to be the same"], runs), ""),
    ]
    title = (
        f"### False finds among {null['metrics a company']} null metrics a run, {runs:,} runs, median {null['median churned']:,.0f} churned"
    )
    return f"{title}\n\n{_table(('', 'share (standard error)', 'nominal'), rows)}"


def _power(power: Json) -> str:
    head = ("churned", *(f"AUC {auc}" for auc in _aucs(power)))
    rows = [(churned, *(_told(cell, auc, "foretells") for auc in _aucs(power))) for churned, cell in power.items()]
    return f"### Power: how often the one metric of twenty that knows something is called `foretells`\n\n{_table(head, rows)}"


def _ranks(power: Json) -> str:
    head = ("churned", *(f"AUC {auc}" for auc in _aucs(power)))
    rows = [(churned, *(_share(cell[auc]["ranks"], cell["companies"]) for auc in _aucs(power))) for churned, cell in power.items()]
    unsure = [(churned, *(_told(cell, auc, "cannot tell") for auc in _aucs(power))) for churned, cell in power.items()]
    above = f"### How often the interval of its AUC is above 0.50\n\n{_table(head, rows)}"
    return f"{above}\n\n### How often the verdict is `cannot tell`\n\n{_table(head, unsure)}"


def _aucs(power: Json) -> list[str]:
    return [name for name in next(iter(power.values())) if name != "companies"]


def _told(cell: Json, auc: str, verdict: str) -> str:
    return _share(cell[auc]["verdicts"].get(verdict, 0), cell["companies"])


def _share(count: int, of: int) -> str:
    share = count / of
    return f"{share * 100:.1f} % ({math.sqrt(share * (1 - share) / of) * 100:.1f})"


def _span(values: Sequence[float], digits: int = 2) -> str:
    middle = f"{median(values):,.{digits}f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [" | ".join(head), " | ".join(["---", *["---:"] * (len(head) - 1)]), *(" | ".join(row) for row in rows)]
    return "\n".join(f"| {line} |" for line in lines)


def _write(results: Path, document: Path, marks: tuple[str, str], tables: Callable[[Json], str]) -> None:
    """Replace what stands between the document's two marks."""
    text = document.read_text()
    before, _, rest = text.partition(marks[0])
    _, _, after = rest.partition(marks[1])
    if not rest or marks[1] not in text:
        raise ValueError(f"{document} lacks the marks between which the tables stand")
    document.write_text(f"{before}{marks[0]}\n\n{tables(json.loads(results.read_text()))}\n\n{marks[1]}{after}")

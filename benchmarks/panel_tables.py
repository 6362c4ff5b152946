"""The tables of docs/speed.md about the panel, written from the results of panel_speed.py."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

SCAN, FLOOR, UNSPUN, POLARS, DUCKDB, POSTGRES = SIDES = (
    "scan", "floor", "unspun", "polars", "range joins, duckdb", "range joins, postgres",
)  # fmt: skip
BEGIN, END = "<!-- panel: begin, written by panel_speed.py --table -->", "<!-- panel: end -->"
TOLD = {
    SCAN: "bare scan",
    FLOOR: "**the floor**: scan grouped by account, name and day",
    UNSPUN: "**Unspun**",
    POLARS: "Polars",
    DUCKDB: "range joins in DuckDB",
    POSTGRES: "range joins in Postgres",
}
DATES = {"monthly": "24 monthly dates", "weekly": "101 weekly dates", "renewals": "90, 60 and 30 days before each of two renewals"}
MOST_MEMORY_MB = 1500
AIMS = (
    ("1.0 times the floor at 100M events, monthly", "100M monthly", FLOOR, 1.0),
    ("3 times the floor at 10M events, weekly", "10M weekly", FLOOR, 3.0),
    ("10 times faster than range joins in DuckDB", "10M monthly", DUCKDB, 10.0),
    ("100 times faster than range joins in Postgres", "10M monthly", POSTGRES, 100.0),
)


def write_tables(results: Path, page: Path) -> None:
    """Put the tables between the marks of the page. ValueError where it has none."""
    page.write_text(spliced(page.read_text(), (BEGIN, END), tables(json.loads(results.read_text()))))


def spliced(page: str, marks: tuple[str, str], lines: Iterable[str]) -> str:
    """A page with these lines between its marks. Raises ValueError where it has none."""
    before, begin, rest = page.partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not begin or not end:
        raise ValueError(f"no marks to write the tables between: {marks[0]}")
    return "\n".join([before + begin, "", *lines, "", end]) + after


def tables(results: dict[str, Any]) -> Iterator[str]:
    """The lines of all tables."""
    machine, versions = results["machine"], ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    loads = [run["load_before"] for cell in results["cells"].values() for runs in cell["runs"].values() for run in runs]
    yield f"Run on {results['date']} on {machine['system']} {machine['machine']} with {machine['processors']} processors; {versions}."
    yield f"Load of the machine before the runs: {min(loads):.1f} to {max(loads):.1f}, in the middle {statistics.median(loads):.1f}."
    cells = sorted(results["cells"].values(), key=lambda cell: (list(DATES).index(cell["dates"]), cell["events"]))
    for cell in cells:
        yield from _cell(cell)
    yield from _growth([cell for cell in cells if cell["dates"] == "monthly"])
    yield from _aims(results["cells"])


def _cell(cell: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield f"### {cell['events'] // 1_000_000} million events, {DATES[cell['dates']]}, 30 metrics"
    yield ""
    yield "|  | runs | seconds | ÷ floor | ÷ Unspun | processor seconds | ÷ floor | ÷ Unspun | most memory, MB |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for side in SIDES:
        if side in cell["median"]:
            middle, runs = cell["median"][side], len(cell["runs"][side])
            clock = f"{middle['seconds']:,.2f} | {_ratio(cell, FLOOR, side)} | {_ratio(cell, UNSPUN, side)}"
            processor = f"{middle['processor_seconds']:,.2f} | {_of_processor(cell, FLOOR, side)} | {_of_processor(cell, UNSPUN, side)}"
            yield f"| {TOLD[side]} | {runs} | {clock} | {processor} | {middle['peak_mb']:,} |"


def _of_processor(cell: dict[str, Any], beside: str, side: str) -> str:
    found = cell[f"ratio_to_{beside}"].get(side)
    return "" if found is None else _short(found["processor_median"])


def _ratio(cell: dict[str, Any], beside: str, side: str) -> str:
    found = cell[f"ratio_to_{beside}"].get(side)
    if found is None:
        return ""
    least, most = min(found["within_turns"]), max(found["within_turns"])
    return f"{_short(found['median'])}" + (f" ({_short(least)} to {_short(most)})" if least != most else "")


def _short(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:,.0f}"


def _growth(cells: list[dict[str, Any]]) -> Iterator[str]:
    yield from ("", "### Growth, monthly dates", "")
    yield "| events | floor, s | Unspun, s | Unspun ÷ floor | floor, MB | Unspun, MB | Unspun, of the run before |"
    yield "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    before = None
    for cell in cells:
        floor, ours = (cell["median"].get(side) for side in (FLOOR, UNSPUN))
        if floor and ours:
            grown = f"{ours['seconds'] / before:.1f} times" if before else ""
            seconds = f"{floor['seconds']:.2f} | {ours['seconds']:.2f} | {_ratio(cell, FLOOR, UNSPUN)}"
            yield f"| {cell['events']:,} | {seconds} | {floor['peak_mb']:,} | {ours['peak_mb']:,} | {grown} |"
            before = ours["seconds"]


def _aims(cells: dict[str, Any]) -> Iterator[str]:
    yield from ("", "### Aims", "", "| aim | on the clock | of processors |  |", "| --- | ---: | ---: | --- |")
    for told, name, beside, wanted in AIMS:
        found = cells.get(name, {})
        ratios = found.get("ratio_to_floor" if beside == FLOOR else "ratio_to_unspun", {}).get(UNSPUN if beside == FLOOR else beside)
        if ratios:
            both = (ratios["median"], ratios["processor_median"])
            is_met = max(both) <= wanted if beside == FLOOR else min(both) >= wanted  # a busy machine lengthens the clock only
            shown = f"{_short(ratios['median'])} | {_short(ratios['processor_median'])}"
            yield f"| {told} | {shown} | {'met' if is_met else '**missed**'} |"
    most = max((cell["median"][UNSPUN]["peak_mb"] for cell in cells.values() if UNSPUN in cell["median"]), default=None)
    if most is not None:
        yield f"| {MOST_MEMORY_MB:,} MB at most, in every cell | {most:,} MB |  | {'met' if most <= MOST_MEMORY_MB else '**missed**'} |"

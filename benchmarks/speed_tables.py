"""The tables of docs/speed.md, written from the results so that no number in them is typed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

BEGIN, END = "<!-- tables: begin, written by audit_speed.py --table -->", "<!-- tables: end -->"
POINTS_AIM, INTERVALS_AIM = 5, 50
Json = dict[str, Any]
WHAT = {
    "unspun points": "Unspun, points only",
    "unspun whole": "Unspun, the whole audit",
    "unspun intervals": "Unspun",
    "analyst points": "pandas and scikit-learn",
    "analyst bootstrap": "cluster bootstrap with scikit-learn",
    "weighted bootstrap": "cluster bootstrap by weights, sorted once",
}


def write_tables(results: Path, document: Path) -> None:
    """Replace what stands between the document's two marks."""
    text = document.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not rest or END not in text:
        raise ValueError(f"{document} lacks the marks between which the tables stand")
    document.write_text(f"{before}{BEGIN}\n\n{tables(json.loads(results.read_text()))}\n\n{END}{after}")


def tables(results: Json) -> str:
    """All tables as Markdown; those of cells that were not run are left out."""
    cells = results["cells"]
    sections = (("points", _points), ("wide", _wide), ("intervals", _intervals), ("agreement", _agreement), ("growth", _growth))
    found = [section(cells) for name, section in sections if name in cells]
    return "\n\n".join([_run(results), *found])


def _run(results: Json) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    machine = results["machine"]
    loads = ", ".join(f"{name} {cell['load_before']:g}" for name, cell in results["cells"].items())
    return (
        f"Run on {results['date']} on {machine['system']} {machine['machine']} with {machine['cpus']} processors; {versions}. "
        f"Load of the machine before each cell: {loads}."
    )


def _points(cells: Json) -> str:
    turns = cells["points"]["turns"]
    rows = [
        ("reading both files", *_pair(turns, ("unspun points", "reading"), ("analyst points", "reading"))),
        ("points, once read", *_pair(turns, ("unspun points", "points"), ("analyst points", "points"))),
        ("both", *_pair(turns, ("unspun points", None), ("analyst points", None))),
        ("the whole audit beside the analyst's points", *_pair(turns, ("unspun whole", None), ("analyst points", None))),
    ]
    apart = cells["points"]["furthest_apart"]
    title = f"### Points of one score: {_size(cells['points'])}"
    head = ("", "Unspun, s", "by hand, s", "by hand ÷ Unspun (range)")
    said = f"{_aim(turns, 'unspun points', 'analyst points', POINTS_AIM)} Largest difference between the sides: {_apart(apart)}."
    return f"{title}\n\n{_table(head, rows)}\n\n{said} {_memory(turns)}"


def _wide(cells: Json) -> str:
    cell = cells["wide"]
    turns = cell["turns"]
    parts = turns[0]["analyst points"]["parts"]
    rows = [
        ("reading both files", *_pair(turns, ("unspun points", "reading"), ("analyst points", "reading"))),
        ("points, once read", *_pair(turns, ("unspun points", "points"), ("analyst points", "points"))),
        ("both", *_pair(turns, ("unspun points", None), ("analyst points", None))),
        ("the whole audit beside the analyst's points", *_pair(turns, ("unspun whole", None), ("analyst points", None))),
    ]
    said = (
        f"{_aim(turns, 'unspun points', 'analyst points', POINTS_AIM)} By hand, {parts['scores timed']} of the {parts['scores']} scores "
        f"were timed and the time for each was extrapolated to all; reading, joining and the baseline were timed in full. {_memory(turns)}"
    )
    head = ("", "Unspun, s", "by hand, s", "by hand ÷ Unspun (range)")
    return f"### Points of {cell['size'][2]} scores in one run: {_size(cell)}\n\n{_table(head, rows)}\n\n{said}"


def _intervals(cells: Json) -> str:
    turns = cells["intervals"]["turns"]
    rows = []
    for side in ("analyst bootstrap", "weighted bootstrap"):
        parts = turns[0][side]["parts"]
        ran = f"{parts['replicates timed']:,} of {parts['replicates']:,}"
        rows.append((WHAT[side], ran, *_pair(turns, ("unspun intervals", None), (side, None))))
    head = ("by hand", "replicates timed", "Unspun, s", "by hand, s", "by hand ÷ Unspun (range)")
    title = f"### Intervals of one score, once fitted: {_size(cells['intervals'])}"
    aim = _aim(turns, "unspun intervals", "analyst bootstrap", INTERVALS_AIM)
    said = f"{aim} The time of the replicates is extrapolated to all of them."
    return f"{title}\n\n{_table(head, rows)}\n\n{said}"


def _agreement(cells: Json) -> str:
    cell = cells["agreement"]
    parts = cell["turns"][0]["whole bootstrap"]["parts"]
    rows = [(kind.replace(", ", ", its interval's ") + " end", f"{apart:.4f}") for kind, apart in sorted(cell["furthest_apart"].items())]
    title = f"### The same intervals? {_size(cell)}, {parts['replicates']:,} replicates run in full"
    return f"{title}\n\n{_table(('figure', 'furthest apart, of all horizons'), rows)}"


def _growth(cells: Json) -> str:
    """Each side on the large inputs beside the same side on those of the points cell, which was run before."""
    large, small = cells["growth"]["turns"], cells["points"]["turns"] if "points" in cells else []
    rows = []
    for side in large[0]:
        seconds, peak = _middle(large, side), median(turn[side]["peak_mb"] for turn in large)
        row = (WHAT[side], f"{seconds:.3g}", f"{peak / 1000:.2f}")
        if small:
            base = median(turn[side]["peak_mb"] for turn in small)
            row = (*row, f"{seconds / _middle(small, side):.1f}", f"{peak / base:.1f}")
        rows.append(row)
    head = ("", "s", "peak memory, GB", "time ÷ a tenth of the size", "memory ÷ a tenth of the size")
    return f"### Growth: {_size(cells['growth'])}\n\n{_table(head[: len(rows[0])], rows)}"


def _pair(turns: Sequence[Json], ours: tuple[str, str | None], theirs: tuple[str, str | None]) -> tuple[str, str, str]:
    """Median seconds of both, and the median and range of their ratios turn by turn."""
    spent = [(_seconds(turn, *ours), _seconds(turn, *theirs)) for turn in turns]
    ratios = [other / own for own, other in spent]
    own, other = median(own for own, _ in spent), median(other for _, other in spent)
    ratio = f"**{_times(median(ratios))}** ({_times(min(ratios))} to {_times(max(ratios))})"
    return f"{own:.3g}", f"{other:,.3g}" if other < 1000 else f"{other:,.0f}", ratio


def _aim(turns: Sequence[Json], ours: str, theirs: str, aim: int) -> str:
    ratio = median(_seconds(turn, theirs, None) / _seconds(turn, ours, None) for turn in turns)
    return f"The aim is {aim} times: {'reached' if ratio >= aim else '**missed**'} at {_times(ratio)}."


def _seconds(turn: Json, side: str, stage: str | None) -> float:
    seconds = turn[side]["seconds"]
    return seconds[stage] if stage else sum(seconds.values())


def _middle(turns: Sequence[Json], side: str) -> float:
    return median(_seconds(turn, side, None) for turn in turns)


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 20 else f"{ratio:.1f}"


def _memory(turns: Sequence[Json]) -> str:
    peaks = [f"{WHAT[side]} {median(turn[side]['peak_mb'] for turn in turns) / 1000:.2f} GB" for side in turns[0]]
    return f"Peak memory: {'; '.join(peaks)}."


def _apart(furthest: dict[str, float]) -> str:
    return ", ".join(f"{kind} {apart:.1g}" for kind, apart in furthest.items())


def _size(cell: Json) -> str:
    rows, renewals, scores = cell["size"]
    return f"{rows:,} score rows x {renewals:,} renewals" + (f" x {scores} scores" if scores > 1 else "")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

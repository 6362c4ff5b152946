"""Published figures and the rows behind one, as CSV: cells safe in a spreadsheet, a manifest beside them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from unspun.reports.row_files import harmless

FIGURE_COLUMNS = ("figure", "label", "unit", "value", "low", "high", "level", "n", "method", "reason")


def figures_csv(entry: int, figures: Iterable[Mapping[str, Any]]) -> str:
    """A line a figure: its address, and its value as it was published. `value` is an amount, a count, a point or a word."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(FIGURE_COLUMNS)
    for one in figures:
        value = one["value"]
        shown = next((value[key] for key in ("amount", "count", "point", "verdict", "shape") if key in value), "")
        rest = [value.get(key, "") for key in ("low", "high", "level", "n", "method", "reason")]
        writer.writerow([_cell(cell) for cell in (f"{entry}/{one['name']}", one["label"], one["unit"], shown, *rest)])
    return out.getvalue()


def rows_csv(rows: pa.Table) -> str:
    """Rows of a table as CSV; an empty cell is a missing value."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_cell(name) for name in rows.column_names])
    for row in zip(*(column.to_pylist() for column in rows.columns), strict=True):
        writer.writerow(["" if cell is None else _cell(cell) for cell in row])
    return out.getvalue()


def manifest(text: str, name: str, facts: Mapping[str, object]) -> str:
    """What a CSV is, as JSON: the facts given, and the SHA-256 and size of the file."""
    content = text.encode()
    written = {"name": name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "rows": text.count("\n") - 1}
    return json.dumps({**facts, "csv": written}, indent=2, ensure_ascii=False) + "\n"


def _cell(cell: object) -> object:
    """Text that a spreadsheet would run is marked as text; a number is left as it is."""
    return harmless(cell) if isinstance(cell, str) and not _is_number(cell) else cell


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdigit()

"""One value of a metric on a terminal, and the rows behind it as a file."""

from __future__ import annotations

import json as json_text
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from unspun.app.metric.value import Behind, ShownValue, ValueRequest
    from unspun.cli.outputs import OutputFile

LAST_COLUMNS = ("source_file", "source_row")
HIDDEN = ("account_id", "happened_at", "known_at", "happened_zone", "load", "stated")


def read_request(name: str, account: str, words: tuple[str | None, str | None], rows: str | None) -> tuple[ValueRequest, OutputFile | None]:
    """The value asked for, and the file for its rows. Raises BadInput with every fault of the options."""
    from unspun.app.metric.value import ValueRequest
    from unspun.cli.options import OptionReader
    from unspun.cli.outputs import check_outputs
    from unspun.cli.plan import named_output
    from unspun.errors import BadInput

    reader = OptionReader()
    day = reader.day("--as-of", words[0])
    version = reader.integer("--version", words[1], None, at_least=1)
    output = named_output("--rows", rows, reader)
    reader.faults.extend(check_outputs([output] if output else [], ()))
    if reader.faults:
        raise BadInput(reader.faults)
    return ValueRequest(name, account, day, version), output


def write_rows(folder: str | None, request: ValueRequest, output: OutputFile) -> tuple[ShownValue, list[str]]:
    """Write all rows behind the value, with a manifest beside; the value, and what was written in words."""
    from unspun.app.metric.value import write_value_rows
    from unspun.cli.book_text import workspace_at
    from unspun.cli.outputs import OutputFile, replacing, write_text
    from unspun.cli.panel import named_as_options
    from unspun.cli.progress import show_progress

    with show_progress() as report, named_as_options(), replacing(output) as path, open(path, "wb") as file:
        written = write_value_rows(workspace_at(folder), request, datetime.now(UTC), file, report)
    beside = OutputFile("--rows", Path(f"{output.path}.manifest.json"))
    document = {**written.facts, "csv": {"name": output.path.name, "sha256": written.sha256, "bytes": written.size_bytes}}
    write_text(beside, json_text.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n")
    return written.shown, [f"Rows: {output.path} ({written.rows:,}), with {beside.path.name} beside it"]


def read_value(folder: str | None, request: ValueRequest) -> ShownValue:
    """The value and the first rows behind it."""
    from unspun.app.metric.value import show_value
    from unspun.cli.book_text import workspace_at
    from unspun.cli.panel import named_as_options
    from unspun.cli.progress import show_progress

    with show_progress() as report, named_as_options():
        return show_value(workspace_at(folder), request, datetime.now(UTC), report)


def print_value(shown: ShownValue, written: list[str], json: bool) -> None:
    """Print the value and the first rows behind it."""
    from unspun.app.metric.value import value_facts
    from unspun.cli.book_text import print_json, print_made

    if json:
        facts = value_facts(shown)
        for part, one in zip(facts["parts"], shown.parts, strict=True):
            part["first_rows"] = one.head.to_pylist()
        print_json(facts)
    else:
        print_made(lambda width: _lines(shown, written, width))


def _lines(shown: ShownValue, written: list[str], width: int) -> Iterator[Text]:
    from unspun.cli.layout import QUIET, heading, paragraph
    from unspun.metrics.missing import REASONS

    metric = shown.metric
    unit = f" {metric.unit}" if metric.unit and shown.reason is None else ""
    yield from heading(f"{metric.label} of {shown.account} as of {shown.as_of}: {_value(shown.value, shown.reason)}{unit}", width)
    if shown.reason is not None:
        yield from paragraph(f"{shown.reason}: {REASONS.get(shown.reason, '')}.", width)
    for id, span in dict.fromkeys(one for part in shown.parts for one in part.outages):
        days = f"{span.first} to {span.last}" if span.last else f"since {span.first}"
        yield from paragraph(f"{id}: {days}. unspun accept brings the value back", width, first="· ")
    yield from paragraph(metric.description, width, QUIET)
    for part in shown.parts:
        yield from _part(part, shown, width)
    if any(part.count > part.head.num_rows for part in shown.parts) and not written:
        command = f"unspun metrics show {metric.id} --account {shlex.quote(shown.account)} --as-of {shown.as_of} --rows rows.csv"
        yield from paragraph(f"All rows: {command}", width, QUIET)
    yield from paragraph(f"Book version {shown.book_version}, metrics.yml {shown.definition.sha256[:12]}.", width, QUIET)
    for line in written:
        yield from paragraph(line, width)


def _part(part: Behind, shown: ShownValue, width: int) -> Iterator[Text]:
    from unspun.cli.book_text import columns_fitting
    from unspun.cli.layout import Column, heading, paragraph, table
    from unspun.cli.number_text import counted

    value = _value(part.value, part.reason)
    yield from heading(f"{part.words[:1].upper()}{part.words[1:]}: {value}", width)
    some = f", the first {part.head.num_rows} of them" if part.count > part.head.num_rows else ""
    yield from paragraph(f"{counted(part.count, 'row')}{some}{':' if part.count else '.'}", width)
    if not part.count:
        return
    names, cells = _cells(part, shown)
    columns = [Column(name.replace("_", " ")) for name in names]
    fitting = columns_fitting(columns, cells, width)
    yield from table(columns[:fitting], [row[:fitting] for row in cells], width)


def _cells(part: Behind, shown: ShownValue) -> tuple[list[str], list[list[str]]]:
    """The rows as text: their file and row first, then their day and what the value is made of, then the rest of what is filled."""
    from unspun.cli.book_text import MOST_CELL, cell
    from unspun.cli.terminal import shorten

    rows = part.head
    filled = [name for name in rows.column_names if rows[name].null_count < rows.num_rows and name not in (*HIDDEN, *LAST_COLUMNS)]
    first = ("day", *part.read)
    filled = sorted(filled, key=lambda name: first.index(name) if name in first else len(first))
    whence = [name for name in LAST_COLUMNS if name in rows.column_names]
    names = [*(("file", "row") if whence else ()), *filled]
    lines = []
    for row in rows.to_pylist():
        place = [shown.source_names.get(row["source_file"], str(row["source_file"])), str(row["source_row"])] if whence else []
        lines.append([shorten(one, MOST_CELL) for one in [*place, *(cell(row[name], shown.zone) for name in filled)]])
    return names, lines


def _value(value: Any, reason: str | None) -> str:
    if reason is not None:
        return "no value"
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)

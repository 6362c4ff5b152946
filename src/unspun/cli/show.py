"""`unspun show`: rows of the book, as of a date and at a version."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from unspun.cli.book_text import AsJson, WorkspaceFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from unspun.app.showing import Exported, Shown, ShowRequest
    from unspun.app.workspace import Workspace
    from unspun.cli.options import OptionReader
    from unspun.cli.outputs import OutputFile

SHOWN_ROWS = 20
STDOUT = "-"
ROW_NAMES = ("happened_at", "known_at", "happened_zone", "load", "source_file", "source_row", "stated")


def show(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="A table of the book: accounts, events, ...")],
    as_of: Annotated[str | None, typer.Option(metavar="DATE", help="As it was known at the end of that day. [now]")] = None,
    version: Annotated[str | None, typer.Option(metavar="N", help="The book version to read. [the newest]")] = None,
    limit: Annotated[str | None, typer.Option(metavar="N", help="How many rows. [20; all of them with --csv]")] = None,
    where: Annotated[list[str] | None, typer.Option(metavar="COLUMN=VALUE", help="Rows with that value only; repeat.")] = None,
    all_versions: Annotated[bool, typer.Option("--all-versions", help="Every version of each row, not only the newest.")] = False,
    csv: Annotated[str | None, typer.Option(metavar="FILE", help="Write them as CSV, with a manifest beside it; - prints it.")] = None,
    workspace: WorkspaceFolder = None,
    json: AsJson = False,
) -> int:
    """Show rows of the book, as they were known on a date.

    \b
    Examples:
      unspun show accounts
      unspun show accounts --as-of 2026-06-30 --where owner="Kim Park"
      unspun show events --where account_id=A-00017 --limit 100
      unspun show subscriptions --version 3 --csv subscriptions.csv
      unspun show tickets --all-versions --csv - | head
    """
    from unspun.cli.book_text import print_json, print_made, workspace_at

    request, output = _read_request((table, as_of, version, limit), tuple(where or ()), all_versions, csv)
    place = workspace_at(workspace)
    if csv is not None:
        return _write_csv(place, request, output, json)
    from unspun.app.showing import show as show_rows

    shown = show_rows(place, request)
    if json:
        print_json(_document(shown))
    else:
        print_made(lambda width: _lines(shown, width))
    return 0


def _read_request(
    words: tuple[str, str | None, str | None, str | None], where: tuple[str, ...], all_versions: bool, csv: str | None
) -> tuple[ShowRequest, OutputFile | None]:
    from unspun.app.showing import ShowRequest
    from unspun.book.entities import TABLES, TableName
    from unspun.cli.options import OptionReader
    from unspun.cli.outputs import check_outputs
    from unspun.cli.plan import named_output
    from unspun.errors import BadInput

    reader = OptionReader()
    table = cast("TableName", reader.choice("TABLE", words[0], tuple(TABLES), ""))
    day = reader.day("--as-of", words[1])
    number = reader.integer("--version", words[2], None, at_least=1)
    most = reader.integer("--limit", words[3], None if csv is not None else SHOWN_ROWS, at_least=1)
    filters = _filters(reader, where)
    output = named_output("--csv", csv, reader) if csv not in (None, STDOUT) else None
    reader.faults.extend(check_outputs([output] if output else [], []))
    if reader.faults:
        raise BadInput(reader.faults)
    return ShowRequest(table, day, number, filters, all_versions, most), output


def _filters(reader: OptionReader, where: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """COLUMN=VALUE cut at the first `=`; the value may be empty."""
    found = []
    for text in where:
        name, equals, value = text.partition("=")
        if not (name.strip() and equals):
            reader.refuse("--where", f"{text!r} is not of the form owner=VALUE.", "Quote it where it holds a space.")
        found.append((name.strip(), value.strip()))
    return tuple(found)


def _write_csv(place: Workspace, request: ShowRequest, output: OutputFile | None, json: bool) -> int:
    """To a file with its manifest, or to standard output and nothing else."""
    from unspun.app.showing import export, manifest
    from unspun.cli.book_text import print_json, print_made
    from unspun.cli.outputs import OutputFile, replacing, write_text
    from unspun.cli.progress import show_progress
    from unspun.cli.terminal import reader_may_leave

    if output is None:
        with reader_may_leave():
            export(place, request, sys.stdout.buffer)
        return 0
    with show_progress() as report, replacing(output) as path, open(path, "wb") as file:
        exported = export(place, request, file, report)
    described = manifest(exported, output.path.name)
    beside = OutputFile("--csv", output.path.with_name(f"{output.path.name}.manifest.json"))
    write_text(beside, _as_json(described))
    if json:
        print_json(described)
    else:
        print_made(lambda width: _written(exported, (output.path, beside.path), width))
    return 0


def _as_json(document: object) -> str:
    import json

    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _written(exported: Exported, paths: tuple[Path, Path], width: int) -> Iterator[Text]:
    from unspun.cli.layout import paragraph
    from unspun.reports.words import count

    yield from paragraph(f"Wrote {count(exported.rows)} rows: {paths[0]}", width, indent=0)
    yield from paragraph(f"Its manifest (filters, book version, hash): {paths[1]}", width, indent=0)


def _lines(shown: Shown, width: int) -> Iterator[Text]:
    from unspun.cli.layout import QUIET, Column, heading, paragraph, table
    from unspun.reports.words import count

    yield from heading(shown.in_words, width)[1:]
    kinds, rows = dict(shown.columns), _cells(shown)
    names = _order(shown)
    columns = [Column(name, right=kinds[name] in ("whole", "number", "money")) for name in names]
    fitting = _fitting(columns, rows, width)
    yield from table(columns[:fitting], [row[:fitting] for row in rows], width)
    left = names[fitting:]
    here = shown.rows.num_rows
    more = f"{count(here)} of {count(shown.total)} rows" if here < shown.total else f"{count(shown.total)} rows"
    hidden = f"; {len(left)} more columns do not fit: {', '.join(left)}" if left else ""
    yield from paragraph(f"{more}{hidden}.", width, QUIET)
    for remark in shown.remarks:
        yield from paragraph(remark, width, QUIET, first="· ")
    if left or here < shown.total:
        yield from paragraph(f"All of it: unspun show {shown.request.table} --csv {shown.request.table}.csv", width, QUIET)


def _order(shown: Shown) -> list[str]:
    """The table's own columns first, then when it was known and happened; columns without any value are left out."""
    from unspun.book.entities import TABLES

    filled = [name for name, _ in shown.columns if shown.rows[name].null_count < shown.rows.num_rows]
    own = [name for name in filled if name not in ROW_NAMES] or [name for name, _ in shown.columns if name not in ROW_NAMES]
    standard = [column.name for column in TABLES[shown.request.table].columns]
    own.sort(key=lambda name: standard.index(name) if name in standard else len(standard))
    happened = [] if TABLES[shown.request.table].happened in own else ["happened_at"]
    return [*own, *happened, "known_at", "load"]


def _cells(shown: Shown) -> list[list[str]]:
    from unspun.cli.book_text import MOST_CELL, cell
    from unspun.cli.terminal import shorten

    rows = shown.rows.select(_order(shown)).to_pylist()
    return [[shorten(cell(value, shown.zone), MOST_CELL) for value in row.values()] for row in rows]


def _fitting(columns: list, rows: list[list[str]], width: int) -> int:
    from unspun.cli.book_text import columns_fitting

    return columns_fitting(columns, rows, width)


def _document(shown: Shown) -> dict[str, object]:
    return {
        "table": shown.request.table,
        "as_of": shown.request.as_of,
        "book_version": shown.version.version,
        "total": shown.total,
        "rows": shown.rows.to_pylist(),
        "sql": shown.sql,
        "remarks": list(shown.remarks),
    }

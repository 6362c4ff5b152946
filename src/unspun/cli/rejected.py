"""`unspun rejected`: rows that did not get into the book, why, and as a file to mend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from unspun.cli.book_text import AsJson, WorkspaceFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from unspun.app.mended import RejectedRows
    from unspun.cli.outputs import OutputFile


def rejected(
    load: Annotated[str | None, typer.Option(metavar="N", help="Those of one load.")] = None,
    table: Annotated[str | None, typer.Option(metavar="TABLE", help="Those of one table.")] = None,
    source: Annotated[str | None, typer.Option(metavar="NAME", help="Those of one source file, by its name.")] = None,
    csv: Annotated[str | None, typer.Option(metavar="FILE", help="Write them as CSV, to be mended and loaded again.")] = None,
    workspace: WorkspaceFolder = None,
    json: AsJson = False,
) -> int:
    """Show the rejected rows and why each was; write them to a file that can be mended and loaded again.

    \b
    Examples:
      unspun rejected
      unspun rejected --table events --csv rejected.csv
      unspun load rejected.csv
    """
    from unspun.app.mended import rejected_rows
    from unspun.book.entities import TABLES, TableName
    from unspun.cli.book_text import print_json, print_made, workspace_at
    from unspun.cli.options import OptionReader
    from unspun.cli.outputs import check_outputs
    from unspun.cli.plan import named_output
    from unspun.errors import BadInput

    reader = OptionReader()
    number = reader.integer("--load", load, None, at_least=1)
    name = cast("TableName | None", reader.choice("--table", table, tuple(TABLES), "") or None)
    output = named_output("--csv", csv, reader)
    reader.faults.extend(check_outputs([output] if output else [], []))
    if reader.faults:
        raise BadInput(reader.faults)
    found = rejected_rows(workspace_at(workspace), number, name, source)
    if output is not None and found is not None and found.rows:
        _write(found, output)
    if json:
        print_json(_document(found))
    else:
        print_made(lambda width: _lines(found, output, width))
    return 0


def _write(found: RejectedRows, output: OutputFile) -> None:
    from unspun.app.mended import write_rejected
    from unspun.cli.outputs import replacing

    with replacing(output) as path, open(path, "w", encoding="utf-8", newline="") as file:
        write_rejected(file, found.rows)


def _lines(found: RejectedRows | None, output: OutputFile | None, width: int) -> Iterator[Text]:
    from rich.text import Text

    from unspun.cli.layout import Column, paragraph, table
    from unspun.reports.words import count

    if found is None or not found.rows:
        yield Text("No rejected row is left to mend.")
        return
    yield Text(f"{count(len(found.rows))} rejected {'row' if len(found.rows) == 1 else 'rows'} to mend", style="bold")
    columns = (Column("load"), Column("table"), Column("file", flexible=True), Column("rows", right=True), Column("why", flexible=True))
    counts = found.counts()
    yield from table(columns, [(str(load), name, file, count(n), reason) for (name, file, load, _, reason), n in counts], width)
    yield Text()
    if output is None:
        yield from paragraph("To mend them: unspun rejected --csv rejected.csv", width, indent=0)
    else:
        yield from paragraph(f"Wrote them to {output.path}. Correct the cells there, then: unspun load {output.path}", width, indent=0)


def _document(found: RejectedRows | None) -> dict[str, Any]:
    if found is None:
        return {"rows": 0, "reasons": []}
    names = ("table", "source", "load", "code", "reason")
    return {"rows": len(found.rows), "reasons": [dict(zip(names, key, strict=True)) | {"rows": n} for key, n in found.counts()]}

"""`unspun compact`: small files merged, and files deleted that no kept version needs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from unspun.cli.book_text import AsJson, WaitSeconds, WorkspaceFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from unspun.warehouse.compact import CompactResult


def compact(
    keep_days: Annotated[
        str | None, typer.Option(metavar="N", help="Keep versions that were in force within so many days. [keep_days of unspun.toml]")
    ] = None,
    wait: WaitSeconds = None,
    workspace: WorkspaceFolder = None,
    json: AsJson = False,
) -> int:
    """Merge small files of the book, and delete those that no kept version needs.

    Kept are the versions in force within the last days, and every version that a published figure cites. What the book answers stays
    the same, as of every date.

    \b
    Examples:
      unspun compact
      unspun compact --keep-days 7
    """
    from unspun.app.keeping import compact as compact_book
    from unspun.cli.book_text import patience, print_json, print_made, workspace_at
    from unspun.cli.options import OptionReader
    from unspun.cli.progress import show_progress
    from unspun.errors import BadInput

    reader = OptionReader()
    days = reader.integer("--keep-days", keep_days, None, at_least=0)
    if reader.faults:
        raise BadInput(reader.faults)
    waits, place = patience(wait), workspace_at(workspace)
    with show_progress() as report:
        done = compact_book(place, datetime.now(UTC), days, waits, lambda name, n, total: report(f"compacting {name}", n, total))
    if json:
        print_json(_document(done))
    else:
        print_made(lambda width: _lines(done, width))
    return 0


def _lines(done: CompactResult, width: int) -> Iterator[Text]:
    from unspun.cli.layout import Column, paragraph, table
    from unspun.reports.words import count, size

    if done.version is None:
        yield from paragraph("No table has small files to merge: the book is as it was.", width, "bold", indent=0)
    else:
        yield from paragraph(f"Compacted: book version {done.version.version}.", width, "bold", indent=0)
        columns = (Column("table"), Column("files before", right=True), Column("files after", right=True))
        yield from table(columns, [(name, count(before), count(after)) for name, before, after in done.tables], width)
    dropped = len(done.dropped_versions)
    told = f"{count(dropped)} {'version is' if dropped == 1 else 'versions are'} no longer kept"
    freed = f"; {count(done.files_deleted)} files deleted, {size(done.bytes_freed)} freed" if done.files_deleted else ""
    yield from paragraph(f"{told}{freed}.", width)


def _document(done: CompactResult) -> dict[str, object]:
    return {
        "version": None if done.version is None else done.version.version,
        "tables": [{"name": name, "files_before": before, "files_after": after} for name, before, after in done.tables],
        "dropped_versions": list(done.dropped_versions),
        "files_deleted": done.files_deleted,
        "bytes_freed": done.bytes_freed,
    }

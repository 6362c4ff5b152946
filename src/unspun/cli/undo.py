"""`unspun undo`: the last load taken back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from unspun.cli.book_text import AsJson, WaitSeconds, WorkspaceFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from unspun.app.keeping import LastLoad
    from unspun.app.workspace import Workspace
    from unspun.warehouse.undo import UndoResult


def undo(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say which load would be taken back, and write nothing.")] = False,
    wait: WaitSeconds = None,
    workspace: WorkspaceFolder = None,
    json: AsJson = False,
) -> int:
    """Take back the last load; again, the one before it.

    The book becomes what it was before that load, as a new version: nothing published earlier is lost, and the files can be loaded again.

    \b
    Examples:
      unspun undo --dry-run
      unspun undo
    """
    from unspun.cli.book_text import patience, workspace_at

    waits = patience(wait)
    place = workspace_at(workspace)
    if dry_run:
        return _dry(place, json)
    from unspun.app.keeping import undo as undo_load
    from unspun.cli.book_text import print_json, print_made
    from unspun.cli.progress import show_progress

    with show_progress() as report:
        report("taking back the last load", 0, 0)
        done = undo_load(place, datetime.now(UTC), waits)
    if json:
        rows = dict(done.rows)
        print_json({"dry_run": False, "load": done.load, "version": done.version.version, "rows_taken_back": rows})
    else:
        print_made(lambda width: _lines(done, width))
    return 0


def _dry(place: Workspace, json: bool) -> int:
    from unspun.app.keeping import last_load
    from unspun.cli.book_text import print_json, print_made

    found = last_load(place)
    if json:
        counts = {} if found is None else found.counts
        print_json({"dry_run": True, "load": None if found is None else found.load, "counts": counts})
    else:
        print_made(lambda width: _dry_lines(found, width))
    return 0


def _dry_lines(found: LastLoad | None, width: int) -> Iterator[Text]:
    from unspun.book.text import quoted
    from unspun.cli.layout import paragraph
    from unspun.reports.words import count

    if found is None:
        yield from paragraph("No load is in force: there is nothing to take back.", width, indent=0)
        return
    counts = ", ".join(f"{count(found.counts.get(what, 0))} {what}" for what in ("new", "changed", "unchanged", "rejected"))
    yield from paragraph(f"Dry run: load {found.load} would be taken back ({counts}).", width, indent=0)
    yield from paragraph(f"Its files: {quoted(list(found.files))}", width)


def _lines(done: UndoResult, width: int) -> Iterator[Text]:
    from unspun.cli.layout import paragraph
    from unspun.reports.words import count, listed

    taken = [f"{count(n)} rejected" if name == "rejected" else f"{count(n)} of {name}" for name, n in done.rows if name != "mended"]
    rows = listed(taken) if taken else "none"
    yield from paragraph(f"Load {done.load} is taken back: book version {done.version.version}.", width, "bold", indent=0)
    yield from paragraph(f"Rows taken back: {rows}. Load the files again to have them back.", width)

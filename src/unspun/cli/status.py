"""`unspun status`: what the book holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unspun.cli.book_text import AsJson, WorkspaceFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from unspun.app.status import LoadStatus, Status

SHOWN_LOADS = 10


def status(workspace: WorkspaceFolder = None, json: AsJson = False) -> int:
    """Show what the book holds: tables, loads, rejected rows, version, and where its ledger stands.

    \b
    Examples:
      unspun status
      unspun status --workspace ../book --json
    """
    from unspun.app.status import status as read_status
    from unspun.cli.book_text import print_json, print_made, workspace_at
    from unspun.cli.progress import show_progress

    place = workspace_at(workspace)
    with show_progress() as report:
        report("reading the book", 0, 0)
        found = read_status(place)
    if json:
        print_json(_document(found))
    else:
        print_made(lambda width: _lines(found, width))
    return 0


def _lines(found: Status, width: int) -> Iterator[Text]:
    from rich.text import Text

    from unspun.cli.layout import QUIET, paragraph
    from unspun.reports.words import sentence, size

    yield Text(f"{found.name or found.folder}: {_version(found)}", style="bold")
    yield from paragraph(f"{found.folder}, {size(found.size_bytes)}, times in {found.zone}", width, QUIET)
    if found.head:
        yield from paragraph(f"Ledger head {found.head}", width, QUIET)
    yield from _tables(found, width)
    yield from _loads(found, width)
    yield Text()
    if found.version is None:
        yield from paragraph("Load files: unspun load FILE...", width, indent=0)
        return
    yield from paragraph(_checked(found), width, indent=0)
    yield from (line for one in found.in_place for text in one.in_words for line in paragraph(sentence(text), width, indent=0))
    if found.rejected:
        n = f"{found.rejected:,} {'row is' if found.rejected == 1 else 'rows are'}"
        yield from paragraph(f"{n} rejected and not yet mended: unspun rejected says why.", width, indent=0)


def _checked(found: Status) -> str:
    """How the last check of the book left it."""
    checked, version = found.checked, found.version
    if checked is None:
        return "Not checked for faults yet: unspun check."
    older = f" (the book is at version {version.version} now)" if version is not None and version.version != checked.version else ""
    counts = f"{_counted(checked.errors, 'error')} and {_counted(checked.warnings, 'warning')} stand, {checked.accepted} accepted"
    return f"Checked at version {checked.version}{older}: {counts}. Details: unspun check."


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _version(found: Status) -> str:
    from unspun.cli.book_text import instant

    if found.version is None:
        return "nothing is loaded yet"
    kept = f", {found.versions_kept} versions kept" if found.versions_kept > 1 else ""
    at = instant(found.version.published_at, found.zone)
    return f"book version {found.version.version} ({found.version.kind} of {at}{kept})"


def _tables(found: Status, width: int) -> Iterator[Text]:
    from rich.text import Text

    from unspun.cli.book_text import instant
    from unspun.cli.layout import Column, table
    from unspun.reports.words import count

    if not found.tables:
        return
    yield Text()
    days = ("first happened", "last happened", "first known", "last known")
    columns = (Column("table"), Column("rows", right=True), Column("versions", right=True), *(Column(day, spare=True) for day in days))
    rows = []
    for one in found.tables:
        instants = (one.first_happened, one.last_happened, one.first_known, one.last_known)
        rows.append((one.name, count(one.rows), count(one.versions), *(instant(value, found.zone)[:10] for value in instants)))
    yield from table(columns, rows, width)


def _loads(found: Status, width: int) -> Iterator[Text]:
    from rich.text import Text

    from unspun.cli.book_text import instant
    from unspun.cli.layout import QUIET, Column, paragraph, table
    from unspun.reports.words import count

    loads = [one for one in found.loads if one.state != "abandoned"]  # those changed nothing
    if not loads:
        return
    yield Text()
    whats = ("new", "changed", "unchanged", "rejected")
    columns = (
        Column("load"), Column("when"), Column("state"), *(Column(what, right=True) for what in whats), Column("files", flexible=True),
    )  # fmt: skip
    rows = [
        (str(one.load), instant(one.at, found.zone), one.state, *(count(one.counts.get(what, 0)) for what in whats), _files(one))
        for one in loads[-SHOWN_LOADS:]
    ]
    yield from table(columns, rows, width)
    if len(loads) > SHOWN_LOADS:
        yield from paragraph(f"and {len(loads) - SHOWN_LOADS} earlier loads (--json lists them)", width, QUIET)


def _files(one: LoadStatus) -> str:
    names = [name.rpartition("/")[2] for name in one.files]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _document(found: Status) -> dict[str, Any]:
    from dataclasses import asdict

    version = found.version
    return {
        "folder": found.folder,
        "name": found.name,
        "time_zone": found.zone,
        "version": None if version is None else version.version,
        "published_at": None if version is None else version.published_at,
        "versions_kept": found.versions_kept,
        "tables": [asdict(one) for one in found.tables],
        "loads": [asdict(one) for one in found.loads],
        "rejected": found.rejected,
        "ledger_head": found.head,
        "size_bytes": found.size_bytes,
        "checked": None if found.checked is None else asdict(found.checked),
        "in_place": [one.record for one in found.in_place],
    }

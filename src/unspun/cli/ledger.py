"""`unspun ledger show` and `unspun ledger verify`: what was recorded, and whether it still stands as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from unspun.cli.book_text import AsJson, WorkspaceFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from unspun.app.ledger import Verification
    from unspun.ledger.chain import Entry

NOT_CLEAN = 3
SHOWN = 30

ledger = typer.Typer(
    name="ledger",
    help="The record of definitions, loads, published figures and erasures.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
)


@ledger.command(short_help="List the entries of the ledger.")
def show(
    kind: Annotated[str | None, typer.Option(metavar="KIND", help="Only entries of this kind: load, definition, publication ...")] = None,
    first: Annotated[int, typer.Option("--from", metavar="N", help="The first entry to show.", min=1)] = 1,
    json: AsJson = False,
    workspace: WorkspaceFolder = None,
) -> int:
    """List the entries: when, what, and the start of the hash that chains them.

    \b
    Examples:
      unspun ledger show
      unspun ledger show --kind publication --json
    """
    from unspun.app.ledger import list_entries
    from unspun.cli.book_text import print_json, print_made, workspace_at

    entries = list_entries(workspace_at(workspace), kind, first)
    if json:
        print_json([_record(entry) for entry in entries])
    else:
        print_made(lambda width: _entries(entries, width))
    return 0


@ledger.command(short_help="Find anything recorded that was changed since.")
def verify(
    anchor: Annotated[
        list[str] | None, typer.Option(metavar="N:HASH", help="An entry as a report printed it, or a file of such lines; repeat.")
    ] = None,
    all: Annotated[bool, typer.Option("--all", help="Hash the files of every version that is kept, not only of the current one.")] = False,
    json: AsJson = False,
    workspace: WorkspaceFolder = None,
) -> int:
    """Check every entry's hash and link, the heads recorded elsewhere, and every data file against its recorded hash.

    Exit code 0: nothing was changed. 3: something was, and the output says which entry or file, and how that is known.

    \b
    Examples:
      unspun ledger verify
      unspun ledger verify --all --anchor 17:9f86d081884c7d65...
    """
    from unspun.app.ledger import verify as verify_ledger
    from unspun.cli.book_text import print_json, print_made, workspace_at
    from unspun.cli.progress import show_progress

    place = workspace_at(workspace)
    with show_progress() as report:
        found = verify_ledger(place, tuple(anchor or ()), all, report)
    if json:
        print_json(_document(found))
    else:
        print_made(lambda width: _findings(found, width))
    return 0 if found.is_clean else NOT_CLEAN


def _record(entry: Entry) -> dict[str, Any]:
    return {"seq": entry.seq, "at": entry.at, "kind": entry.kind, "body": entry.body, "previous": entry.previous, "hash": entry.hash}


def _document(found: Verification) -> dict[str, Any]:
    breaks = [{"entry": one.seq, "kind": one.kind, "message": one.message} for one in found.ledger.breaks]
    faults = [{"code": one.code, "message": one.message, "where": one.where} for one in found.faults]
    return {"clean": found.is_clean, "entries": found.ledger.entries, "head": found.ledger.head, "breaks": breaks, "faults": faults}


def _entries(entries: tuple[Entry, ...], width: int) -> Iterator[Text]:
    from unspun.cli.book_text import instant
    from unspun.cli.layout import QUIET, Column, paragraph, table

    shown = entries[-SHOWN:]
    rows = [[f"{one.seq}", instant(one.at), one.kind, _about(one), one.hash[:12]] for one in shown]
    columns = [Column("Entry", right=True), Column("At, UTC"), Column("Kind"), Column("What", flexible=True), Column("Hash", spare=True)]
    yield from table(columns, rows, width)
    if len(entries) > len(shown):
        yield from paragraph(f"the last {len(shown)} of {len(entries):,}; --json has them all", width, QUIET)


def _about(entry: Entry) -> str:
    """What an entry says, in a few words: the plain values of its body."""
    plain = [f"{key.replace('_', ' ')} {value}" for key, value in entry.body.items() if isinstance(value, int) or _is_short(value)]
    return ", ".join(plain)


def _is_short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 40 and "\n" not in value


def _findings(found: Verification, width: int) -> Iterator[Text]:
    from unspun.cli.layout import heading, paragraph

    if found.is_clean:
        yield from heading(f"{found.ledger.entries:,} entries stand as they were written, and so do the data files", width)
        yield from paragraph(f"Head: {found.ledger.head}. Keep it elsewhere: only that shows a ledger rewritten as a whole.", width)
        return
    n = len(found.ledger.breaks) + len(found.faults)
    yield from heading(f"{n:,} thing{'' if n == 1 else 's'} changed since {'it was' if n == 1 else 'they were'} recorded", width)
    for one in found.ledger.breaks:
        yield from paragraph(one.message, width, first="! ")
    for fault in found.faults:
        yield from paragraph(str(fault), width, first="! ")

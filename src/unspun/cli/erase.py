"""`unspun erase`: an account or a person taken out of the book, for good."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unspun.cli.book_text import AsJson, WaitSeconds, WorkspaceFolder, Yes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.text import Text

    from unspun.app.keeping import Patience
    from unspun.app.workspace import Workspace
    from unspun.warehouse.erase import ErasureResult, Subject, SubjectKind

NOT_CONFIRMED = 2


def erase(
    account: Annotated[str | None, typer.Option(metavar="ID", help="Erase this account: its rows in every table.")] = None,
    contact: Annotated[str | None, typer.Option(metavar="ID", help="Erase this contact.")] = None,
    user: Annotated[str | None, typer.Option(metavar="ID", help="Erase this user.")] = None,
    reference: Annotated[str, typer.Option(metavar="TEXT", help="Your number of the request, kept in the ledger.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be erased, and erase nothing.")] = False,
    yes: Yes = False,
    wait: WaitSeconds = None,
    workspace: WorkspaceFolder = None,
    json: AsJson = False,
) -> int:
    """Erase an account or a person from every kept version of the book. It cannot be undone.

    Published figures that rest on the rows can then no longer be recomputed; the ledger says which erasure it was, never whom.

    \b
    Examples:
      unspun erase --account A-00017 --dry-run
      unspun erase --contact C-204 --reference "request 2026-11" --yes
    """
    from unspun.cli.book_text import may_go_on, patience, print_json, print_made, workspace_at
    from unspun.cli.terminal import print_plain

    subject, waits = _subject(account, contact, user), patience(wait)
    place = workspace_at(workspace)
    stay = [source.files[0] for source in place.definition().sources if source.in_place]
    if dry_run or not yes:
        found = _run(place, subject, reference, True, waits)
        if json and dry_run:
            print_json(_document(found) | {"in_place": stay})
        elif not json:
            print_made(lambda width: _lines(found, subject, stay, width))
        if dry_run or found.found_nothing:
            return 0
        if not may_go_on(f"Erase {subject.kind} {subject.id} for good?", yes, "--yes"):
            print_plain(["Nothing was erased."])
            return NOT_CONFIRMED
    done = _run(place, subject, reference, False, waits)
    if json:
        print_json(_document(done) | {"in_place": stay})
    else:
        print_made(lambda width: _lines(done, subject, stay, width))
    return 0


def _subject(account: str | None, contact: str | None, user: str | None) -> Subject:
    from unspun.errors import BadInput, Fault
    from unspun.warehouse.erase import Subject

    named: tuple[tuple[SubjectKind, str | None], ...] = (("account", account), ("contact", contact), ("user", user))
    given = [Subject(kind, name) for kind, name in named if name is not None]
    if len(given) != 1:
        message = "nobody is named." if not given else "two are named."
        raise BadInput(Fault("subject", message, "erase", "Give one of --account ID, --contact ID and --user ID."))
    return given[0]


def _run(place: Workspace, subject: Subject, reference: str, dry_run: bool, waits: Patience) -> ErasureResult:
    from unspun.app.keeping import erase as erase_subject
    from unspun.cli.progress import show_progress

    with show_progress() as report:
        return erase_subject(place, subject, datetime.now(UTC), reference, dry_run, waits, report)


def _lines(found: ErasureResult, subject: Subject, stay: Sequence[str], width: int) -> Iterator[Text]:
    from unspun.cli.layout import CAUTION, Column, paragraph, table
    from unspun.reports.words import count

    who = f"{subject.kind} {subject.id}"
    yield from paragraph(_headline(found, who), width, "bold", indent=0)
    rows = [
        *((name, "rows", count(n)) for name, n in found.rows),
        *((name, f"cells of {column}", count(n)) for name, column, n in found.cells),
    ]
    if rows:
        yield from table((Column("table"), Column("what"), Column("how many", right=True)), rows, width)
    looked = f"{count(found.files)} files of {count(len(found.versions))} versions were looked at"
    yield from paragraph(f"{looked}; {count(found.files_replaced)} held some of it.", width)
    if stay:
        told = f"Rows that stay in a database are not reached and were not looked at: erase there too ({', '.join(stay)})."
        yield from paragraph(told, width, CAUTION, first="! ")
    for text in _remarks(found):
        yield from paragraph(text, width, CAUTION, first="! ")


def _headline(found: ErasureResult, who: str) -> str:
    if found.found_nothing:
        return f"The book holds nothing of {who}."
    if found.dry_run:
        return f"This is what the book holds of {who}; nothing is erased yet."
    entry = f" Ledger entry {found.entry.seq} records it, without the id." if found.entry else ""
    return f"Erased {who} from every kept version.{entry}"


def _remarks(found: ErasureResult) -> Iterator[str]:
    from unspun.reports.words import count

    for name, column, n in found.mentions:
        yield f"{count(n)} cells of {name}.{column} mention the id and stay as they are: look at them."
    if found.publications:
        yield f"Published documents that name it: ledger entries {', '.join(map(str, found.publications))}."
    if found.checks:
        yield f"Records of checks that name it: ledger entries {', '.join(map(str, found.checks))}. Run unspun check again."
    if found.notes:
        yield f"Notes and forecasts that people wrote of it: ledger entries {', '.join(map(str, found.notes))}."
    if found.read_models:
        yield f"{count(found.read_models)} read models name it; all are deleted: run unspun refresh before the next look at the console."
    if found.acceptances:
        entries = ", ".join(map(str, found.acceptances))
        yield f"Acceptances whose words name it stay, as the ledger is never rewritten: entries {entries}. Look at them."
    if not found.log_emptied:
        yield "A reader still holds the database's log: it is emptied when the last one closes."
    if not found.found_nothing and not found.dry_run:
        yield "The files that you loaded from, and copies of the warehouse, are not reached: delete or mend them yourself."


def _document(found: ErasureResult) -> dict[str, Any]:
    plain = {name: value for name, value in asdict(found).items() if name not in ("entry", "version")}
    version, entry = found.version, found.entry
    return plain | {"entry": None if entry is None else entry.seq, "version": None if version is None else version.version}

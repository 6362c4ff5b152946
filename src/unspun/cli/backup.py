"""`unspun backup` and `unspun restore`: the whole workspace in one file, and made of it again."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unspun.cli.book_text import AsJson, WaitSeconds, WorkspaceFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from unspun.app.backup.make import Backup
    from unspun.app.backup.restore import Restored
    from unspun.app.workspace import Workspace

NOT_THE_SAME = 3


def backup(
    to: Annotated[str, typer.Argument(metavar="TO", help="A file that is not there yet, or a folder to write one in.")],
    with_secrets: Annotated[
        bool, typer.Option("--with-secrets", help="The key that signs cookies too, and who is signed in: nobody signs in again.")
    ] = False,
    wait: WaitSeconds = None,
    workspace: WorkspaceFolder = None,
    json: AsJson = False,
) -> int:
    """Write the whole workspace to one file, while it is used: definitions, book, ledger, and what people did in the console.

    The file holds all that the book knows, and hashes of passwords: keep it as you keep the workspace.

    \b
    Examples:
      unspun backup /backups
      unspun backup acme.tar --with-secrets
    """
    from unspun.app.backup.make import BackupRequest
    from unspun.app.backup.make import backup as back_up
    from unspun.cli.book_text import patience, print_json, print_made, workspace_at
    from unspun.cli.progress import show_progress

    place, waits = workspace_at(workspace), patience(wait)
    state = _has_state(place)
    if state:
        from unspun.web.set_up import set_up

        set_up(place.folder)
    with show_progress() as report:
        made = back_up(place, BackupRequest(Path(to).expanduser(), state, with_secrets), datetime.now(UTC), waits, report)
    if json:
        print_json(_made(made))
    else:
        print_made(lambda width: _backup_lines(made, width))
    return 0


def _has_state(place: Workspace) -> bool:
    """Whether the console was ever served: only then there is a state."""
    from unspun.web.site import STATE_FILE, STATE_VARIABLE

    return bool(os.environ.get(STATE_VARIABLE)) or (place.folder / STATE_FILE).exists()


def restore(
    archive: Annotated[str, typer.Argument(metavar="FROM", help="The file that `unspun backup` wrote.")],
    into: Annotated[str, typer.Option(metavar="DIR", help="An empty folder, or one that is not there yet. [the current folder]")] = ".",
    proofs: Annotated[int, typer.Option(metavar="N", help="Compute the N newest published sets of figures again.", min=0)] = 3,
    json: AsJson = False,
) -> int:
    """Make a workspace of its backup: every file compared with its hash, the ledger verified, the newest figures computed again.

    The state goes to SQLite, or to the empty Postgres database that UNSPUN_STATE_URL names. Exit code 0: restored, and the figures are
    the same to the last byte. 3: restored, and one is not.

    \b
    Examples:
      unspun restore acme.tar --into acme
      unspun restore acme.tar --into acme --proofs 10
    """
    from unspun.app.backup.restore import RestoreRequest
    from unspun.app.backup.restore import restore as make_again
    from unspun.cli.book_text import print_json, print_made
    from unspun.cli.progress import show_progress
    from unspun.web.set_up import set_up

    with show_progress() as report:
        done = make_again(RestoreRequest(Path(archive), Path(into), proofs), set_up, report)
    if json:
        print_json(_restored(done))
    else:
        print_made(lambda width: _restore_lines(done, width))
    return 0 if done.same else NOT_THE_SAME


def _made(made: Backup) -> dict[str, object]:
    stated = made.manifest
    return {
        "archive": str(made.path), "bytes": made.size_bytes, "files": made.files, "anchor": stated.anchor,
        "book_version": stated.book_version, "state": stated.has_state, "secrets": stated.has_secrets,
    }  # fmt: skip


def _backup_lines(made: Backup, width: int) -> Iterator[Text]:
    from unspun.cli.layout import paragraph
    from unspun.reports.words import count, size

    stated = made.manifest
    yield from paragraph(f"Wrote {made.path}: {count(made.files)} files, {size(made.size_bytes)}.", width, "bold", indent=0)
    version = "an empty book" if stated.book_version is None else f"book version {stated.book_version}"
    state = "with what people did in the console" if stated.has_state else "the console was never served, so that there is no state"
    secrets = "with the key and the sessions" if stated.has_secrets else "without the key and the sessions: people sign in again"
    yield from paragraph(f"It holds {version}; {state}{f', {secrets}' if stated.has_state else ''}.", width)
    yield from paragraph(f"Newest ledger entry: {stated.anchor}", width)


def _restored(done: Restored) -> dict[str, object]:
    stated = done.manifest
    proofs = [
        {"entry": one.entry, "kind": one.kind, "verdict": one.verdict, "compared": one.compared, "why": one.why} for one in done.proofs
    ]
    return {
        "workspace": str(done.workspace.folder), "made_at": stated.made_at, "anchor": stated.anchor, "book_version": stated.book_version,
        "files": len(stated.members), "entries": done.verification.ledger.entries, "state_rows": done.rows, "proofs": proofs,
    }  # fmt: skip


def _restore_lines(done: Restored, width: int) -> Iterator[Text]:
    from unspun.cli.layout import Column, paragraph, table
    from unspun.reports.words import count

    stated = done.manifest
    yield from paragraph(f"Restored {done.workspace.folder}, as it was at {stated.made_at}.", width, "bold", indent=0)
    entries = count(done.verification.ledger.entries)
    rows = "" if done.rows is None else f" {count(done.rows)} rows of the console's state were read."
    yield from paragraph(f"{count(len(stated.members))} files are as they were; the {entries} ledger entries verify.{rows}", width)
    words = {"same": "the same to the last byte", "erased": "rows were erased since", "differs": "not the same", "cannot": "not computed"}
    if done.proofs:
        columns = (Column("Entry", right=True), Column("Kind"), Column("Figures", right=True), Column("Computed again", flexible=True))
        lines = [
            (str(one.entry), one.kind, count(one.compared), f"{words[one.verdict]}{f': {one.why}' if one.why else ''}")
            for one in done.proofs
        ]
        yield from table(columns, lines, width)
    yield from paragraph("What the pages read is made again by the next refresh: `unspun serve` starts one.", width)

"""`unspun init`: a new workspace, empty or with the demo company in it."""

from __future__ import annotations

import os
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from unspun.app.workspace import Workspace
    from unspun.app.workspace_demo import DemoWorkspace


def init(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="Where to make it; a new folder, or one with other files.")] = ".",
    demo: Annotated[bool, typer.Option("--demo", help="Put the demo company in it, loaded.")] = False,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="What reports call the company. [the folder's name]")] = None,
) -> int:
    """Make a workspace: a folder with its settings, the definitions of its data, and a warehouse.

    \b
    Examples:
      unspun init acme
      unspun init --name "Acme Ltd"
      unspun init demo-book --demo
    """
    from unspun.cli.book_text import print_made
    from unspun.cli.progress import show_progress

    place, at = Path(folder), datetime.now(UTC)
    if demo:
        from unspun.app.workspace_demo import create_demo_workspace

        with show_progress() as report:
            made = create_demo_workspace(place, at, name, progress=report)
        print_made(lambda width: _demo_lines(made, width))
        return 0
    from unspun.app.workspace_making import create_workspace

    workspace = create_workspace(place, at, name)
    print_made(lambda width: _lines(workspace, width))
    return 0


def _lines(workspace: Workspace, width: int) -> Iterator[Text]:
    yield from _made(workspace, width)
    yield from _next(workspace, "then load your files:", ("unspun load FILE...", "unspun status"))


def _demo_lines(made: DemoWorkspace, width: int) -> Iterator[Text]:
    from rich.text import Text

    from unspun.cli.layout import Column, table
    from unspun.reports import words

    extra = (
        ("files", "the demo company's files, as its systems would export them"),
        ("truth", "what nobody in the company knows: not loaded"),
    )
    yield from _made(made.workspace, width, extra)
    yield Text()
    columns = (Column("loaded", flexible=True), Column("table"), Column("rows", right=True), Column("rejected", right=True))
    rows = [(one.name, one.table, words.count(one.rows_read), words.count(one.rows_rejected)) for one in made.loaded.sources]
    yield from table(columns, rows, width)
    then = ("unspun status", "unspun check", "unspun show accounts --as-of 2026-03-31", "unspun retention")
    yield from _next(made.workspace, "and then:", then)


def _made(workspace: Workspace, width: int, extra: tuple[tuple[str, str], ...] = ()) -> Iterator[Text]:
    from rich.text import Text

    from unspun.cli.layout import Column, table
    from unspun.cli.terminal import clean

    yield Text(f"Made a workspace in {clean(str(workspace.folder))}", style="bold")
    rows = (
        ("unspun.toml", "its settings"),
        ("book.yml", "your files, and which of their columns is which"),
        ("metrics.yml", "what is measured of each account"),
        ("scores.yml", "the health scores: what they are made of"),
        ("retention.yml", "the rules by which retention is counted"),
        ("warehouse", "the tables, kept out of git"),
        *extra,
    )
    yield from table((Column("file"), Column("what it holds", flexible=True)), rows, width)


def _next(workspace: Workspace, what: str, commands: tuple[str, ...]) -> Iterator[Text]:
    from rich.text import Text

    from unspun.cli.terminal import clean

    yield Text()
    here = Path.cwd() == workspace.folder
    yield Text(what.capitalize() if here else f"Go there, {what}")
    if not here:
        yield Text(f"  cd {clean(shlex.quote(os.path.relpath(workspace.folder)))}")
    yield from (Text(f"  {command}") for command in commands)

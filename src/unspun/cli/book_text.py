"""What the commands on the book share: their options, how they print, and how counts, instants and cells are worded."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.text import Text

    from unspun.app.keeping import Patience
    from unspun.app.workspace import Workspace
    from unspun.cli.layout import Column

WorkspaceFolder = Annotated[
    str | None, typer.Option("--workspace", metavar="DIR", help="The workspace. [the current folder's, or UNSPUN_WORKSPACE]")
]
EngineName = Annotated[
    str | None,
    typer.Option(
        "--engine", metavar="URL", help="What computes: duckdb, postgresql://host/database or spark://host:port. [unspun.toml says]"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON, and nothing else.")]
WaitSeconds = Annotated[
    str | None, typer.Option("--wait", metavar="SECONDS", help="How long to wait while another command writes the book. [600]")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
MOST_CELL = 40  # characters of one cell of a table on a terminal


def workspace_at(folder: str | None) -> Workspace:
    """The workspace asked for. Raises BadInput where there is none."""
    from unspun.app.workspace import open_workspace

    return open_workspace(Path(folder) if folder is not None else None)


def print_json(document: object) -> None:
    """One JSON document on standard output."""
    from unspun.cli.terminal import reader_may_leave

    with reader_may_leave():
        text = json.dumps(document, indent=2, ensure_ascii=False, default=_plain)
        sys.stdout.buffer.write(text.encode("utf-8", "replace") + b"\n")
        sys.stdout.buffer.flush()


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def print_made(make: Callable[[int], Iterable[Text]]) -> None:
    """Lines made for the width of the terminal, on standard output."""
    from unspun.cli.terminal import open_console, print_lines, reader_may_leave

    with reader_may_leave():
        console = open_console()
        print_lines(console, make(console.width))


def may_go_on(question: str, yes: bool, option: str) -> bool:
    """Whether the answer is yes: `yes` where it was given beforehand, else what the person at the terminal says.

    Raises BadInput where nobody can be asked.
    """
    from unspun.errors import BadInput, Fault

    if yes:
        return True
    if not sys.stdin.isatty():
        message = "this needs a yes, and there is no terminal to ask at."
        raise BadInput(
            Fault("not_confirmed", message, option, "Look at what is shown, and give --yes if it is right. Nothing was changed.")
        )
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def capital(text: str) -> str:
    """A note as a sentence: with a capital and a full stop, unless it begins with a name in quotes or that of a file."""
    from unspun.reports.words import sentence

    named = re.match(r"\S*[.*?]\S", text)
    return sentence(text if named else text[:1].upper() + text[1:])


def instant(value: datetime | None, zone: str = "UTC") -> str:
    """`2026-11-22 21:57`, in the zone of the book; `-` where there is none."""
    from zoneinfo import ZoneInfo

    return "-" if value is None else value.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def cell(value: Any, zone: str = "UTC") -> str:
    """One value of a row as a terminal shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return instant(value, zone) + (f":{value.second:02d}" if value.second else "")
    return str(value)


def columns_fitting(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> int:
    """How many of the first columns fit a terminal of that width."""
    from rich.cells import cell_len

    from unspun.cli.layout import INDENT

    used, fitting = INDENT, 0
    for at, column in enumerate(columns):
        used += max([cell_len(column.title), *(cell_len(row[at]) for row in rows)]) + (2 if at else 0)
        if used > width:
            break
        fitting += 1
    return max(fitting, 1)


def patience(wait: str | None) -> Patience:
    """How long to wait for another writer; whoever runs the command is told that it waits. Raises BadInput."""
    from unspun.app.keeping import WAIT_SECONDS, Patience
    from unspun.cli.options import OptionReader
    from unspun.cli.terminal import print_plain
    from unspun.errors import BadInput

    reader = OptionReader()
    seconds = reader.integer("--wait", wait, int(WAIT_SECONDS), at_least=0)
    if reader.faults:
        raise BadInput(reader.faults)
    return Patience(float(seconds), lambda line: print_plain([f"{line[:1].upper()}{line[1:]}"]))

"""`unspun demo`: a company whose truth is known, its three scores audited, and the console open on it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from unspun.app.demo import DemoRequest, DemoRun


SAME_AGAIN = """\
  cd {folder}
  unspun audit health_scores.csv renewals.csv --accounts accounts.csv \\
    --fixed region --events usage.parquet --map events.value=logins \\
    --as-of {as_of} --detail all --html report.html"""


def demo(
    folder: Annotated[
        str, typer.Option(metavar="FOLDER", help="Where to write it: a new folder, or an earlier demo.", show_default=True)
    ] = "demo",
    seed: Annotated[str | None, typer.Option(metavar="N", help="Another seed makes another company.")] = None,
    accounts: Annotated[str | None, typer.Option(metavar="N", help="How many accounts it has. [2000]")] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open a browser.")] = False,
    audit_only: Annotated[bool, typer.Option("--audit-only", help="Make the files and the audit, and no workspace.")] = False,
    serve: Annotated[
        bool | None, typer.Option("--serve/--no-serve", help="Serve the console at the end. [in a terminal]", show_default=False)
    ] = None,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", help="The console's port. [8000, or a free one]", min=1, max=65535, show_default=False)
    ] = None,
) -> int:
    """Make a demo company whose truth is known, audit its three scores, and open the console on it.

    The console's pages take some minutes to make, once: another run finds them. Where nobody is at a terminal (a pipe, CI) it ends when
    they are made, and says how to open them.

    \b
    Examples:
      unspun demo
      unspun demo --no-serve
      unspun demo --folder demo-small --seed 7 --accounts 500 --audit-only --no-open
    """
    from unspun.app.demo import make_demo
    from unspun.cli.demo_console import someone_is_there
    from unspun.cli.progress import show_progress
    from unspun.cli.terminal import open_console, print_lines, reader_may_leave
    from unspun.cli.verdict_text import audit_lines

    request = _read_request(folder, seed, accounts)
    with show_progress() as report:
        made = make_demo(request, report)
        report("writing the report", 0, 1)
        page = _write_results(request.folder, made)
    serves = not audit_only and (someone_is_there() if serve is None else serve)
    with reader_may_leave():
        console = open_console()
        print_lines(console, audit_lines(made.audit.result, console.width))
        print_lines(console, _what_next(made, page, audit_only and not no_open))
    if not audit_only:
        _open_console(request, serves, port, not no_open)
    return 0


def _open_console(request: DemoRequest, serves: bool, port: int | None, may_open: bool) -> None:
    from unspun.cli.demo_console import later_lines, made_ready, serve_demo
    from unspun.cli.progress import show_progress

    print("\nNow the console: checking the book, putting metrics on trial, judging renewals. This takes some minutes, once.", flush=True)
    with show_progress() as report:
        workspace = made_ready(request, report)
    if serves:
        serve_demo(workspace, port, may_open)
        return
    for line in later_lines(request.folder):
        print(line)


def _read_request(folder: str, seed: str | None, accounts: str | None) -> DemoRequest:
    from unspun.app.demo import DemoRequest
    from unspun.book.demo import DEMO_ACCOUNTS, DEMO_SEED
    from unspun.cli.options import OptionReader
    from unspun.errors import BadInput

    reader = OptionReader()
    chosen = reader.integer("--seed", seed, DEMO_SEED, at_least=0)
    size = reader.integer("--accounts", accounts, DEMO_ACCOUNTS, at_least=1)
    if reader.faults:
        raise BadInput(reader.faults)
    return DemoRequest(Path(folder), chosen, size)


def _write_results(folder: Path, made: DemoRun) -> Path:
    """`result.json` and `report.html` beside the company's files; the path of the report."""
    from unspun.cli.outputs import OutputFile, write_text
    from unspun.reports.audit_html import render
    from unspun.reports.result_json import to_json

    page = folder / "report.html"
    write_text(OutputFile("--folder", folder / "result.json"), to_json(made.audit.result))
    write_text(OutputFile("--folder", page), render(made.audit.result, made.audit.trace))
    return page


def _what_next(made: DemoRun, page: Path, may_open: bool) -> Iterator[Text]:
    from rich.text import Text

    from unspun.cli.browser import open_page
    from unspun.cli.terminal import clean

    folder = page.parent
    yield Text()
    yield Text(f"The company is in {clean(str(folder))}, what nobody in it knows in {clean(str(folder / 'truth'))}.")
    opened = may_open and open_page(page)
    yield Text(f"{'Opened the report' if opened else 'The report is'}: {clean(str(page))}")
    yield Text("The same again, and then with your own files:")
    yield from (
        Text(line) for line in SAME_AGAIN.format(folder=clean(shlex.quote(str(folder))), as_of=made.audit.result.design.as_of).splitlines()
    )

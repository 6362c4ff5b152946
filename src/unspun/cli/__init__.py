"""The command line. Each command is thin and asks one operation of `unspun.app`."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from unspun.cli.accept import accept
from unspun.cli.audit import BAD_INPUT, audit
from unspun.cli.backup import backup, restore
from unspun.cli.check import check
from unspun.cli.compact import compact
from unspun.cli.demo import demo
from unspun.cli.erase import erase
from unspun.cli.evidence import evidence
from unspun.cli.forecast import forecast
from unspun.cli.init import init
from unspun.cli.ledger import ledger
from unspun.cli.load import load
from unspun.cli.metrics import metrics
from unspun.cli.panel import panel
from unspun.cli.performance import performance
from unspun.cli.refresh import refresh
from unspun.cli.rejected import rejected
from unspun.cli.renewals import renewals
from unspun.cli.retention import retention
from unspun.cli.risk import risk
from unspun.cli.scores import scores
from unspun.cli.serve import serve
from unspun.cli.show import show
from unspun.cli.status import status
from unspun.cli.undo import undo
from unspun.cli.why import recompute, why
from unspun.cli.worker import worker
from unspun.errors import Fault, UnspunError

OWN_FAULT, INTERRUPTED = 70, 130

app = typer.Typer(
    name="unspun",
    help="Customer success that refuses to state a number it cannot back.",
    epilog="unspun COMMAND --help shows a command's options, with examples.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: quick to show, and the same in a pipe
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
)
app.command(short_help="Judge health scores against what customers then did.")(audit)
app.command(short_help="Derive renewals from subscription terms.")(renewals)
app.command(short_help="Make a company whose truth is known, and audit it.")(demo)
app.command(short_help="Make a workspace: the folder of one company.")(init)
app.command(short_help="Load files into the book.")(load)
app.command(short_help="Show what the book holds.")(status)
app.command(short_help="Find faults in the book before they become numbers.")(check)
app.command(short_help="Accept a finding as it is, with a reason; list those that were.")(accept)
app.command(short_help="Show rows of the book, as of a date.")(show)
app.command(short_help="Show the rejected rows, and write them to be mended.")(rejected)
app.command(short_help="Take back the last load.")(undo)
app.command(short_help="Erase an account or a person from the book.")(erase)
app.command(short_help="Merge small files; delete what no kept version needs.")(compact)
app.command(short_help="Measure GRR, NRR, logo retention and the ARR waterfall.")(retention)
app.command(short_help="Compute metrics as of dates, for every account.")(panel)
app.add_typer(metrics)
app.add_typer(scores)
app.command(short_help="Put every metric and score on trial.")(evidence)
app.command(short_help="Tell what each open renewal is likely to come to, and why.")(risk)
app.command(short_help="Forecast renewals; score every forecaster.")(forecast)
app.command(short_help="Compare owners and other groups beside what was expected.")(performance)
app.command(short_help="Make anew all that the console shows.")(refresh)
app.command(short_help="Show where a published figure came from, and its rows.")(why)
app.command(short_help="Compute a published figure again.")(recompute)
app.add_typer(ledger)
app.command(short_help="Serve the console, where the team works.")(serve)
app.command(short_help="Run the jobs that were asked for in the console.")(worker)
app.command(short_help="Write the whole workspace to one file.")(backup)
app.command(short_help="Make a workspace of its backup.")(restore)


SCHEMAS = {
    "result": ("unspun.reports.result_json", "schema"),
    "check": ("unspun.reports.check_json", "schema"),
    "evidence": ("unspun.reports.evidence_json", "schema"),
    "risk": ("unspun.reports.risk_json", "schema"),
    "forecast": ("unspun.reports.forecast_json", "forecast_schema"),
    "forecast-record": ("unspun.reports.forecast_json", "record_schema"),
    "performance": ("unspun.reports.performance_json", "schema"),
    "book": ("unspun.book.mapping.book_schema", "definition_schema"),
    "metrics": ("unspun.metrics.schema", "json_schema"),
    "scores": ("unspun.health.schema", "json_schema"),
}
"""Where the schema of each document is made; imported when it is asked for."""


@app.command(short_help="Print the JSON Schema of a result or of a definition file.")
def schema(
    of: Annotated[str, typer.Argument(metavar=f"[{'|'.join(SCHEMAS)}]", help="Which document the schema is of.")] = "result",
) -> None:
    """Print the JSON Schema of what `--json` of a command writes (result: of `unspun audit`), of book.yml, metrics.yml or scores.yml."""
    import json

    from unspun.cli.terminal import reader_may_leave

    document = _schema_of(of)
    with reader_may_leave():
        sys.stdout.buffer.write(json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n")


def _schema_of(name: str) -> dict[str, object]:
    from importlib import import_module

    from unspun.errors import BadInput

    if name not in SCHEMAS:
        raise BadInput(Fault("unknown_schema", f"there is no schema of '{name}'.", "unspun schema", f"There are {', '.join(SCHEMAS)}."))
    module, function = SCHEMAS[name]
    return getattr(import_module(module), function)()


def _print_version(wanted: bool) -> None:
    if wanted:
        from unspun._version import __version__

        print(f"unspun {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", callback=_print_version, is_eager=True)] = False,
) -> None:
    """Customer success that refuses to state a number it cannot back."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code. Nothing ends in a traceback unless UNSPUN_TRACEBACK=1 asks for it."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # thin matrices: more threads are slower, and may add in another order
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", "0")  # Arrow's allocator then gives memory back at once; read when pyarrow loads
    try:
        code = app(args=None if arguments is None else list(arguments), prog_name="unspun", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except UnspunError as refusal:
        return _report(refusal.faults)
    except typer.Abort:
        return INTERRUPTED
    except typer.TyperException as misuse:
        return _report([Fault("usage", misuse.format_message(), "unspun", "See unspun --help, or unspun COMMAND --help.")])
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as fault:
        return _confess(fault)


def _report(faults: Sequence[Fault]) -> int:
    from unspun.cli.terminal import print_plain

    print_plain(fault_line(fault) for fault in faults)
    return BAD_INPUT


def fault_line(fault: Fault) -> str:
    """One fault on one line: where, what, what to do."""
    hint = f" {fault.hint}" if fault.hint else ""
    message = fault.message if not fault.hint or fault.message.endswith((".", "?", "!")) else f"{fault.message}."
    return " ".join(f"{fault.where}{': ' if fault.where else ''}{message}{hint}".split())


def _confess(fault: Exception) -> int:
    """One line that is worth sending to those who can mend it."""
    from unspun.cli.terminal import print_plain

    if os.environ.get("UNSPUN_TRACEBACK") == "1":
        traceback.print_exception(fault)
    from unspun._version import __version__

    frames = traceback.extract_tb(fault.__traceback__)
    place = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "?"
    what = f"{type(fault).__name__}: {fault}" if str(fault) else type(fault).__name__
    told = f"a fault of Unspun's own ({what}; {place}; version {__version__})."
    print_plain([f"unspun: {told} Please report this line and the command. UNSPUN_TRACEBACK=1 shows where it happened."])
    return OWN_FAULT

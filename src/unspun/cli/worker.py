"""`unspun worker`: runs the jobs of the queue."""

from __future__ import annotations

from typing import Annotated

import typer

from unspun.cli.book_text import WorkspaceFolder


def worker(
    jobs: Annotated[int, typer.Option(metavar="N", help="How many jobs to run at once.", min=1, max=16)] = 1,
    once: Annotated[bool, typer.Option("--once", help="End when no job waits any more.")] = False,
    no_schedule: Annotated[bool, typer.Option("--no-schedule", help="Do not ask for the refreshes that are due.")] = False,
    log: Annotated[bool, typer.Option("--log", help="Tell of each job in JSON log lines, as `unspun serve` does.")] = False,
    workspace: WorkspaceFolder = None,
) -> int:
    """Run the jobs of the queue: refreshes, imports, audits, proofs and backups that people asked for in the console.

    `unspun serve` runs one by itself. Several may run: a job is given to one of them. Ctrl-C ends the worker, and what it was doing waits
    for the next.

    \b
    Examples:
      unspun worker
      unspun worker --once --no-schedule
    """
    from unspun.cli.book_text import workspace_at
    from unspun.cli.terminal import print_plain
    from unspun.web.worker import WorkerRequest, logged, prepare_worker, run_worker

    folder = workspace_at(workspace).folder
    prepare_worker(folder)
    told = logged if log else lambda line: print_plain([line])
    run_worker(WorkerRequest(folder, jobs, once, not no_schedule, told))
    return 0

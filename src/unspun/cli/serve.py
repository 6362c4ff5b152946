"""`unspun serve`: the console, in the browser."""

from __future__ import annotations

from typing import Annotated

import typer

from unspun.cli.book_text import WorkspaceFolder


def serve(
    host: Annotated[str, typer.Option(metavar="HOST", help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="PORT", help="The port to listen at.", min=1, max=65535)] = 8000,
    open: Annotated[bool, typer.Option("--open", help="Open the console in the browser.")] = False,
    workspace: WorkspaceFolder = None,
) -> int:
    """Serve the console of the workspace until interrupted (Ctrl-C).

    \b
    Examples:
      unspun serve
      unspun serve --port 8080 --open
    """
    from unspun.cli.book_text import workspace_at
    from unspun.cli.progress import show_progress
    from unspun.web.serve import ServeRequest, prepare
    from unspun.web.serve import serve as run

    request = ServeRequest(workspace_at(workspace).folder, host, port)
    with show_progress() as report:
        prepare(request, report)
    print(f"The console is at {request.address} (Ctrl-C ends it).", flush=True)
    run(request)
    return 0

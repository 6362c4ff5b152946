"""`unspun serve`: the console, in the browser."""

from __future__ import annotations

from collections.abc import Iterator
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
    from unspun.cli.browser import open_soon
    from unspun.cli.progress import show_progress
    from unspun.web.serve import ServeRequest, prepare
    from unspun.web.serve import serve as run

    request = ServeRequest(workspace_at(workspace), host, port)
    with show_progress() as report:
        code = prepare(request, report)
    for line in _told(request.address, code, request.warning):
        print(line, flush=True)
    if open:
        open_soon(f"{request.address}/")
    run(request)
    return 0


def _told(address: str, code: str | None, warning: str) -> Iterator[str]:
    if warning:
        yield warning
    if code is not None:
        yield f"Nobody has joined yet. The set-up code is {code}"
        yield f"Become the owner at {address}/set-up"
    yield f"The console is at {address} (Ctrl-C ends it)."

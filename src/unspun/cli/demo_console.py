"""The end of `unspun demo`: the demo's workspace made ready, and the console opened on it."""

from __future__ import annotations

import os
import shlex
import socket
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unspun.app.demo import DemoRequest
    from unspun.app.demo_console import SignIn
    from unspun.app.workspace import Workspace

HOST, PORT = "127.0.0.1", 8000
"""The demo is for this machine alone; whoever wants to show it to others runs `unspun serve` as they would for a real company."""


def made_ready(request: DemoRequest, report: Callable[[str, int, int], None]) -> Workspace:
    """The demo's workspace with everything that the console shows of it. Its state is always the file beside it."""
    from unspun.app.demo_console import demo_workspace, make_ready
    from unspun.web.set_up import prepare_state, set_up
    from unspun.web.site import STATE_VARIABLE

    os.environ.pop(STATE_VARIABLE, None)  # a demo has no business in a company's database
    at = datetime.now(UTC)
    workspace = demo_workspace(request, at, report)
    set_up(workspace.folder)
    prepare_state(report)
    make_ready(workspace, at, report)
    return workspace


def someone_is_there() -> bool:
    """Whether a person runs this in a terminal: then there is someone to serve pages to, and to end it."""
    return sys.stdin.isatty() and sys.stdout.isatty() and not os.environ.get("CI")


def serve_demo(workspace: Workspace, port: int | None, open_browser: bool) -> None:
    """Serve the console until interrupted. Raises BadInput where the `port` that was asked for is taken."""
    from unspun.app.demo_console import let_owner_in
    from unspun.cli.browser import open_soon
    from unspun.cli.progress import show_progress
    from unspun.web.serve import ServeRequest, prepare, serve

    request = ServeRequest(workspace, HOST, port or free_port(PORT))
    with show_progress() as report:
        prepare(request, report)
    owner = let_owner_in()
    for line in sign_in_lines(request.address, owner):
        print(line, flush=True)
    if open_browser:
        open_soon(f"{request.address}/")
    serve(request)


def sign_in_lines(address: str, owner: SignIn) -> Iterator[str]:
    yield ""
    yield f"The console is at {address} (Ctrl-C ends it)."
    yield f"Sign in as {owner.email} with the password {owner.password}"
    yield "The password is new at each `unspun demo`, and only this machine can reach the console."


def later_lines(folder: Path) -> Iterator[str]:
    """How to open the console where nobody is there to see it now."""
    from unspun.cli.terminal import clean

    yield "The console's pages are made. To open them:"
    yield f"  unspun demo --folder {clean(shlex.quote(str(folder)))} --serve"


def free_port(usual: int) -> int:
    """The usual port; any other that is free where another server has it."""
    for port in (usual, 0):
        try:
            with socket.create_server((HOST, port)) as found:
                return found.getsockname()[1]
        except OSError:
            continue
    return usual  # the server will say what is wrong

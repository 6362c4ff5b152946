"""The server: the state brought up to date, static files laid out, then Granian runs the site in worker processes."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from unspun.errors import BadInput, Fault
from unspun.progress import Progress, silent
from unspun.web.set_up import prepare_state
from unspun.web.site import HOSTS_VARIABLE
from unspun.web.worker import watched_worker

SETTINGS = "unspun.web.settings"
MOST_WORKERS = 2
THREADS = 4


@dataclass(frozen=True, slots=True)
class ServeRequest:
    """Where to listen, and with how many worker processes and threads in each."""

    workspace: Path
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 0
    threads: int = THREADS

    @property
    def address(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def prepare(request: ServeRequest, progress: Progress = silent) -> None:
    """Set the environment, migrate the state, lay out the static files. Raises BadInput where the port is taken."""
    _check_port(request)
    os.environ["UNSPUN_WORKSPACE"] = str(request.workspace)
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    os.environ[HOSTS_VARIABLE] = request.host
    progress("reading the site", 0, 0)
    import django

    django.setup()
    prepare_state(progress)
    progress("laying out static files", 0, 0)
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)


def serve(request: ServeRequest) -> None:
    """Answer requests until interrupted, with a worker for jobs beside. Call `prepare` first."""
    from granian.constants import Interfaces
    from granian.server import Server

    workers = request.workers or min(MOST_WORKERS, os.cpu_count() or 1)
    server = Server(
        "unspun.web.wsgi:application",
        address=request.host,
        port=request.port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=request.threads,
        respawn_failed_workers=True,
        log_enabled=False,
    )
    with watched_worker(request.workspace):
        server.serve()


def _check_port(request: ServeRequest) -> None:
    try:
        with socket.create_server((request.host, request.port), family=socket.AF_INET6 if ":" in request.host else socket.AF_INET):
            return
    except OSError as refusal:
        hint = "Another server may be running there; choose another with --port."
        message = f"cannot listen at {request.address}: {refusal.strerror or refusal}."
        raise BadInput(Fault("cannot_listen", message, "--port", hint)) from refusal

"""The server: the state brought up to date, static files laid out, then Granian runs the site in worker processes."""

from __future__ import annotations

import atexit
import io
import os
import shutil
import socket
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime

from unspun.app.people.joining import new_set_up_code
from unspun.app.workspace import Workspace
from unspun.errors import BadInput, Fault
from unspun.progress import Progress, silent
from unspun.web.logs import configuration
from unspun.web.set_up import prepare_state
from unspun.web.site import HOSTS_VARIABLE
from unspun.web.worker import watched_worker

SETTINGS = "unspun.web.settings"
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # read when prometheus_client is imported
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
MOST_WORKERS, KILL_SECONDS = 2, 10


@dataclass(frozen=True, slots=True)
class ServeRequest:
    """Where to listen, and with how many worker processes (0: as unspun.toml says, else two at most) and threads in each."""

    workspace: Workspace
    host: str = "127.0.0.1"
    port: int = 8000

    @property
    def address(self) -> str:
        """Where browsers go."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.workspace.settings.serve.address or f"http://{host}:{self.port}"

    @property
    def workers(self) -> int:
        return self.workspace.settings.serve.workers or min(MOST_WORKERS, os.cpu_count() or 1)

    @property
    def warning(self) -> str:
        """What whoever starts the server should know; empty where there is nothing."""
        https, local = self.workspace.settings.serve.https, self.host in LOOPBACK_HOSTS
        return "" if https or local else "Passwords go over the network in clear: put a proxy with https before it (docs: run the console)."


def prepare(request: ServeRequest, progress: Progress = silent) -> str | None:
    """Set the environment, migrate the state, lay out the static files. The set-up code, if nobody has joined yet.

    Raises BadInput where the port is taken, the address that browsers use is not known, or a route has no rule.
    """
    _check_address(request)
    _check_port(request)
    os.environ.update({"UNSPUN_WORKSPACE": str(request.workspace.folder), "DJANGO_SETTINGS_MODULE": SETTINGS, HOSTS_VARIABLE: request.host})
    os.environ[FOLDER_VARIABLE] = _metrics_folder()
    progress("reading the site", 0, 0)
    import django
    from django.core.management import call_command
    from django.db import connections

    django.setup()
    call_command("check", fail_level="ERROR", stdout=io.StringIO())
    prepare_state(progress)
    progress("laying out static files", 0, 0)
    call_command("collectstatic", interactive=False, verbosity=0)
    code = new_set_up_code(datetime.now(UTC))
    connections.close_all()  # the workers are forks of this process, and must not share a connection
    return code


def _metrics_folder() -> str:
    """Where the workers keep their counts; gone when the server ends."""
    folder = tempfile.mkdtemp(prefix="unspun-metrics-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def serve(request: ServeRequest) -> None:
    """Answer requests until interrupted, with a worker for jobs beside. Call `prepare` first."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    server = Server(
        "unspun.web.wsgi:application",
        address=request.host,
        port=request.port,
        interface=Interfaces.WSGI,
        workers=request.workers,
        blocking_threads=request.workspace.settings.serve.threads,
        respawn_failed_workers=True,
        workers_kill_timeout=KILL_SECONDS,
        log_level=LogLevels.warning,
        log_dictconfig=configuration(),
    )
    with watched_worker(request.workspace.folder):
        server.serve()


def _check_address(request: ServeRequest) -> None:
    if request.host not in LOOPBACK_HOSTS and not request.workspace.settings.serve.address:
        message = "others can reach this host, and unspun.toml does not say by which address."
        hint = 'Write address = "https://unspun.example.com" below [serve]: links, cookies and forms go by it.'
        raise BadInput(Fault("no_address", message, "--host", hint))


def _check_port(request: ServeRequest) -> None:
    try:
        with socket.create_server((request.host, request.port), family=socket.AF_INET6 if ":" in request.host else socket.AF_INET):
            return
    except OSError as refusal:
        hint = "Another server may be running there; choose another with --port."
        message = f"cannot listen at {request.host}:{request.port}: {refusal.strerror or refusal}."
        raise BadInput(Fault("cannot_listen", message, "--port", hint)) from refusal

"""A console over a company that was refreshed once with everything: what its pages, figures, ledger, definitions and data are tested on."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from socketserver import ThreadingMixIn
from urllib.parse import urldefrag, urljoin
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from tests.doors.console_site import Page, django_site, empty_state
from tests.doors.portfolio_company import AS_OF, AT, Company, made_company
from unspun.app.refresh import RefreshRequest, refresh
from unspun.app.workspace import Workspace, open_workspace

SECTIONS = ("/evidence/", "/forecast/", "/forecast/record/", "/forecast/model/", "/performance/")
LINK = re.compile(r'(?:href|src)="([^"]+)"')


def whole_company(folder: Path) -> Company:
    """The company, refreshed with evidence and performance."""
    book = made_company(folder)
    return Company(book, refresh(open_workspace(book.folder), AT, request=RefreshRequest(as_of=AS_OF, evidence=True)))


@contextmanager
def console_of(workspace: Workspace) -> Iterator[None]:
    """The console shows this workspace; nobody has joined."""
    django_site()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # the browser of the tests has a loop of its own in this thread
    from django.test import override_settings

    with empty_state("sqlite"), override_settings(WORKSPACE=workspace):
        yield


def links_of(page: Page, path: str) -> set[str]:
    """Where a page leads within the site, as paths."""
    found = (urldefrag(urljoin(path, unescape(one)))[0] for one in LINK.findall(page.text))
    return {one for one in found if one.startswith("/") and not one.startswith("//")}


@dataclass(frozen=True, slots=True)
class Served:
    """The address of a console that answers a browser."""

    address: str


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the tests say what went wrong."""


@contextmanager
def served() -> Iterator[Served]:
    """The console at an address of this machine."""
    from unspun.web.wsgi import application

    server = make_server("127.0.0.1", 0, application, server_class=_Server, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Served(f"http://localhost:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""A console to test: Django's own client on the production settings, its state in SQLite or in a real Postgres, migrated once."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.doors.cli_files import run
from tests.unit.connectors.servers import shared_server

if TYPE_CHECKING:
    from django.test import Client

    from unspun.state.models import Person

Kind = Literal["sqlite", "postgres"]
PASSWORD = "a rather long one"
HOST = "localhost"


@cache
def django_site() -> Path:
    """Django set up once for a process on a workspace of its own, its static files laid out, its passwords hashed quickly."""
    from django.apps import apps

    if not apps.ready:
        _set_up(Path(tempfile.mkdtemp(prefix="unspun-site-")) / "acme")
    from django.conf import settings
    from django.core.management import call_command

    from unspun.web.set_up import prepare_state

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a test of its own holds the site to argon2
    prepare_state()
    call_command("collectstatic", interactive=False, verbosity=0)
    return settings.WORKSPACE.folder  # whichever test set Django up first chose it


def _set_up(folder: Path) -> None:
    import django

    assert run("init", folder).code == 0
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("UNSPUN_WORKSPACE", folder), ("DJANGO_SETTINGS_MODULE", "unspun.web.settings"), ("UNSPUN_LOG", "ERROR")):
            patch.setenv(name, str(value))
        django.setup()
    os.environ["DJANGO_SETTINGS_MODULE"] = "unspun.web.settings"


@cache
def postgres_url() -> str:
    """A migrated database of a real server."""
    django_site()
    url = shared_server().fresh("state")
    with state_in("postgres", url):
        from unspun.web.set_up import prepare_state

        prepare_state()
    return url


@contextmanager
def state_in(kind: Kind, url: str | None = None) -> Iterator[None]:
    """The state in that database."""
    folder = django_site()
    from django.db import connections

    from unspun.web.site import STATE_FILE, database_of

    before = connections.settings["default"]
    wanted = connections.configure_settings({"default": database_of(url if kind == "postgres" else None, folder / STATE_FILE)})
    connections["default"].close()
    connections.settings["default"] = wanted["default"]
    del connections["default"]
    try:
        yield
    finally:
        connections["default"].close()
        connections.settings["default"] = before
        del connections["default"]


@contextmanager
def empty_state(kind: Kind) -> Iterator[None]:
    """Nobody has joined; nothing was counted."""
    with state_in(kind, postgres_url() if kind == "postgres" else None):
        from django.core.cache import cache as counts
        from django.core.management import call_command

        call_command("flush", interactive=False, verbosity=0)
        counts.clear()
        yield


@dataclass
class Page:
    """An answer, and how a person reads it."""

    response: Any  # as Django's client gives it

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def text(self) -> str:
        return self.response.content.decode()

    @property
    def heading(self) -> str:
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.text, re.DOTALL)
        return unescape(found[1]) if found else ""

    @property
    def to(self) -> str:
        """Where it leads."""
        return str(self.response.headers.get("Location", ""))

    @property
    def said(self) -> str:
        """What stands on it, without the markup."""
        return unescape(" ".join(re.sub(r"<[^>]+>", " ", self.text).split()))

    def link(self) -> str:
        """The path of the link that it shows to be copied."""
        found = re.search(r'id="link"[^>]*value="https?://[^/"]+([^"]+)"', self.text)
        assert found, self.said
        return unescape(found[1])


@dataclass
class Visitor:
    """A browser with its cookies. `posts` are sent with the token that the form would bring."""

    client: Client
    agent: str = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"

    def get(self, path: str, **headers: str) -> Page:
        return Page(self.client.get(path, headers={"User-Agent": self.agent, "Host": HOST, **headers}))

    def post(self, path: str, /, **fields: Any) -> Page:
        return Page(self.client.post(path, fields, headers={"User-Agent": self.agent, "Host": HOST}))

    def sign_in(self, email: str, password: str = PASSWORD) -> Page:
        return self.post("/sign-in", login=email, password=password)


def visitor(agent: str = Visitor.agent, csrf: bool = False) -> Visitor:
    from django.test import Client

    return Visitor(Client(enforce_csrf_checks=csrf, raise_request_exception=False), agent)


def person(role: str = "owner", name: str = "Ann", scope: dict[str, list[str]] | None = None, password: str | None = PASSWORD) -> Person:
    """Someone who has joined: ann@example.com for Ann."""
    from unspun.state.people import NewPerson, create_person

    return create_person(NewPerson(name, f"{name.lower()}@example.com", password), role, scope)


def signed_in(role: str = "owner", name: str = "Ann", scope: dict[str, list[str]] | None = None) -> Visitor:
    """A browser in which such a person has signed in."""
    joined = person(role, name, scope)
    browser = visitor()
    assert browser.sign_in(joined.email).status == 302
    return browser


@contextmanager
def site_settings(**changes: Any) -> Iterator[None]:
    """Other settings of the workspace (serve, mail, oidc), as unspun.toml would say them."""
    from django.conf import settings
    from django.test import override_settings

    workspace = replace(settings.WORKSPACE, settings=replace(settings.WORKSPACE.settings, **changes))
    site = replace(settings.SITE, workspace=workspace)
    with override_settings(WORKSPACE=workspace, SITE=site):
        yield


@pytest.fixture(params=["sqlite", "postgres"])
def state(request: pytest.FixtureRequest) -> Iterator[Kind]:
    """An empty state, in each kind of database."""
    with empty_state(request.param):
        yield request.param


@pytest.fixture
def sqlite_state() -> Iterator[None]:
    """An empty state in SQLite."""
    with empty_state("sqlite"):
        yield

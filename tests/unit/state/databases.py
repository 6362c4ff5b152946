"""A workspace whose state lies in a database of its own: SQLite beside it, or a real Postgres; for this process and those it starts."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connections
from django.test import override_settings

from tests.unit.connectors.servers import shared_server
from unspun.app.workspace import Workspace
from unspun.app.workspace_making import create_workspace
from unspun.web.set_up import prepare_state, set_up
from unspun.web.site import STATE_FILE, STATE_VARIABLE, database_of

KINDS = ("sqlite", "postgres")
TEMPLATE = "state_template"
if not apps.ready:  # models cannot be imported before; settings are read once in a process, and `state_in` puts right where the state is
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNSPUN_WORKSPACE", "")  # as other tests find it, afterwards
        set_up(create_workspace(Path(tempfile.mkdtemp(prefix="unspun-site-")) / "workspace", datetime.now(UTC)).folder)


@contextmanager
def state_in(folder: Path, kind: str, empty: bool = False) -> Iterator[Workspace]:
    """A new workspace in the folder; within, Django's database is its state, with all tables, or none where it is to be `empty`."""
    made = create_workspace(folder, datetime.now(UTC), name="Acme")
    url = None if kind == "sqlite" else _fresh_postgres(empty)
    if kind == "sqlite" and not empty:
        shutil.copyfile(_sqlite_template(), folder / STATE_FILE)
    with using(folder, url), override_settings(WORKSPACE=made):
        yield made


@contextmanager
def using(folder: Path, url: str | None) -> Iterator[None]:
    """Within it, the state is where the workspace and the URL say."""
    wanted = {"UNSPUN_WORKSPACE": str(folder), STATE_VARIABLE: url}
    before = {name: os.environ.get(name) for name in wanted}
    former: Any = connections.databases["default"]
    _set_variables(wanted)
    _point(connections.configure_settings({"default": database_of(url, folder / STATE_FILE)})["default"])
    try:
        yield
    finally:
        _point(former)
        _set_variables(before)


def _point(database: Any) -> None:
    connections["default"].close()
    del connections["default"]
    connections.databases["default"] = database


def _set_variables(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@cache
def _sqlite_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="unspun-state-")) / "workspace"
    workspace = create_workspace(folder, datetime.now(UTC))
    with using(folder, None), override_settings(WORKSPACE=workspace):
        prepare_state()
        connections["default"].cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder / STATE_FILE


@cache
def _postgres_template() -> str:
    url = shared_server().fresh(TEMPLATE)
    folder = Path(tempfile.mkdtemp(prefix="unspun-state-")) / "workspace"
    workspace = create_workspace(folder, datetime.now(UTC))
    with using(folder, url), override_settings(WORKSPACE=workspace):
        prepare_state()
    return TEMPLATE


def _fresh_postgres(empty: bool, name: str = "state_of_test") -> str:
    server = shared_server()
    if empty:
        return server.fresh(name)
    template = _postgres_template()
    server.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name} TEMPLATE {template}")
    return server.url(name)

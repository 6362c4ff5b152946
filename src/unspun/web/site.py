"""What a running site rests on: its workspace, its key, its database, and the hosts it answers to, from the environment and unspun.toml."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import unspun.console
from unspun.app.workspace import Workspace, open_workspace
from unspun.app.workspace_tables import MailSettings, OidcSettings
from unspun.errors import BadInput, Fault

STATE_VARIABLE, KEY_VARIABLE, DEBUG_VARIABLE, HOSTS_VARIABLE = "UNSPUN_STATE_URL", "UNSPUN_SECRET_KEY", "UNSPUN_DEBUG", "UNSPUN_HOSTS"
STATE_FILE, KEY_FILE = "state.db", ".secret"
KEEP_CONNECTION_SECONDS = 60
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
POSTGRES = ("postgres", "postgresql")
OIDC_ID = "oidc"


@dataclass(frozen=True, slots=True)
class Site:
    """One workspace as it is served. `hosts` are the names it answers to; `address` is how browsers reach it, empty where that is local."""

    workspace: Workspace
    secret_key: str
    database: Mapping[str, Any]
    hosts: tuple[str, ...]
    console: Path

    @property
    def address(self) -> str:
        return self.workspace.settings.serve.address

    @property
    def origins(self) -> tuple[str, ...]:
        """Whose forms are believed, besides those of the host that was asked."""
        return (self.address,) if self.address else ()

    @property
    def https(self) -> bool:
        return self.workspace.settings.serve.https

    @property
    def proxies(self) -> int:
        return self.workspace.settings.serve.proxies

    @property
    def upload_bytes(self) -> int:
        return self.workspace.settings.serve.upload_bytes

    @property
    def mail(self) -> MailSettings | None:
        return self.workspace.settings.mail

    @property
    def oidc(self) -> OidcSettings | None:
        return self.workspace.settings.oidc

    def openid_connect(self) -> dict[str, Any]:
        """The company's own sign-in as allauth describes it."""
        oidc = self.oidc
        if oidc is None:
            return {"APPS": []}
        settings = {"server_url": oidc.server}
        app = {"provider_id": OIDC_ID, "name": oidc.name, "client_id": oidc.client_id, "secret": oidc.client_secret, "settings": settings}
        return {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}


def read_site() -> Site:
    """The site that the environment asks for. Raises BadInput where there is no workspace, or a variable cannot be used."""
    workspace = open_workspace()
    key = os.environ.get(KEY_VARIABLE) or kept_key(workspace.folder / KEY_FILE)
    database = database_of(os.environ.get(STATE_VARIABLE), workspace.folder / STATE_FILE)
    named = filter(None, (*os.environ.get(HOSTS_VARIABLE, "").split(","), urlsplit(workspace.settings.serve.address).hostname))
    return Site(workspace, key, database, (*LOOPBACK, *named), Path(unspun.console.__file__).parent)


def truthy(variable: str) -> bool:
    """Whether an environment variable says yes."""
    return os.environ.get(variable, "").lower() in ("1", "true", "yes")


def kept_key(path: Path) -> str:
    """The key that signs cookies and links, from a file that only its owner reads; made where there is none."""
    if not path.exists():
        made = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):  # another process was quicker: its key holds
            os.link(made, path)
        made.unlink()
    return _read_key(path)


def _read_key(path: Path) -> str:
    key = path.read_text(encoding="ascii").strip()
    if len(key) < 32:
        hint = "Delete the file: the next start makes a new key, and everyone signs in again."
        raise BadInput(Fault("bad_key", "the key that signs cookies is too short.", str(path), hint))
    return key


def database_of(url: str | None, file: Path) -> dict[str, Any]:
    """Django's description of the state's database: the SQLite `file`, or the Postgres that a URL names."""
    if not url:
        return _sqlite(file)
    parts = urlsplit(url)
    if parts.scheme not in POSTGRES or not parts.path.strip("/"):
        message = "the state is kept in SQLite or in Postgres, and this is no URL of a Postgres database."
        raise BadInput(Fault("bad_state_url", message, STATE_VARIABLE, "Write postgresql://user:password@host:5432/database."))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": KEEP_CONNECTION_SECONDS,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


def _sqlite(file: Path) -> dict[str, Any]:
    """A write-ahead log lets readers go on while one writes; writes take their lock at the start and wait for it. Only the file's owner
    reads it, and what SQLite puts beside it."""
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;"
    options = {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": pragmas}
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file), "CONN_MAX_AGE": KEEP_CONNECTION_SECONDS, "OPTIONS": options}
